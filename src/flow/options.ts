/**
 * How conversations are metered: limits and timeouts, all in packet time.
 *
 * Out: the option table of the configuration's section `flow`.
 * The defaults keep features comparable with CICFlowMeter's: active timeout and gaps are its own.
 */
import type { OptionTable } from '../base/option.ts'

const DAY_S = 86_400

/** A timeout or gap in seconds. */
function seconds<const D extends number>(value: D, comment: string, max = DAY_S) {
  return { kind: 'number', default: value, min: 0.001, max, unit: 's', comment } as const
}

/** A row keeps its gaps as 32-bit microseconds (71 minutes), and the squares of short ones as a double's whole numbers (75 minutes). */
const ROW_S_MAX = 3600

export const FLOW_OPTIONS = {
  max_flows: {
    kind: 'integer',
    default: 262_144,
    min: 1024,
    max: 4_194_304,
    unit: 'flows',
    comment: 'Flows held at once; memory is taken at start. When full, the oldest unanswered flow is evicted and counted.',
  },
  active_timeout_s: seconds(
    120,
    'A flow open for longer is cut into rows of this length. CICFlowMeter 120; NetFlow exporters 120 to 1800; NFStream and YAF 1800.',
    ROW_S_MAX,
  ),
  idle_tcp_new_s: seconds(60, 'Silence that ends a TCP flow whose handshake is not complete. Suricata 60; Zeek 5 after a failed attempt.'),
  idle_tcp_established_s: seconds(
    600,
    'Silence that ends an established TCP flow. Suricata 600; Arkime 480; Zeek and YAF 300; NFStream 120.',
  ),
  idle_tcp_closed_s: seconds(5, 'How long a closed TCP flow takes late packets in. Zeek 5; Suricata 60.'),
  idle_udp_s: seconds(60, 'Silence that ends a UDP flow. Arkime and Zeek 60; Suricata 30 before a reply and 300 after it.'),
  idle_icmp_s: seconds(30, 'Silence that ends an ICMP flow. Suricata 30; Arkime 10; Zeek 60.'),
  idle_other_s: seconds(60, 'Silence that ends a flow of any other protocol. Suricata 30 before a reply and 300 after it.'),
  activity_gap_s: seconds(5, 'Silence inside a flow that counts as idle and ends an active period. CICFlowMeter 5.'),
  subflow_gap_s: seconds(1, 'Silence inside a flow that starts a new subflow. CICFlowMeter 1.'),
  bulk_gap_s: seconds(1, 'Silence that ends a bulk transfer. CICFlowMeter 1.'),
  bulk_packets_min: {
    kind: 'integer',
    default: 4,
    min: 2,
    max: 1000,
    unit: 'packets',
    comment: 'Packets with payload in one direction that make a bulk transfer. CICFlowMeter 4.',
  },
  open_arrivals_per_s_min: {
    kind: 'integer',
    default: 50,
    min: 5,
    max: 1_000_000,
    unit: '1/s',
    comment:
      'Connections begun, or other packets, in one second from which a destination is told of while its flows are open: floods are found while they run. Not above the thresholds of the floods.',
  },
  open_rows_every_s: seconds(5, 'How often the rows so far of slow connections are looked at: slow attacks are found while they run.', 60),
  vlan_in_key: {
    kind: 'flag',
    default: false,
    unit: '',
    comment:
      'Whether the same addresses and ports in two VLANs are two flows. Leave false when a mirror port shows the two directions with different tags.',
  },
} as const satisfies OptionTable
