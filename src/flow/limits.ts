/**
 * The configuration's section `flow` as the table wants it: seconds become microseconds, and each timeout its place.
 */
import type { OptionValues } from '../base/option.ts'
import type { FLOW_OPTIONS } from './options.ts'
import type { TableLimits } from './table.ts'

const US_PER_S = 1e6

/** @param hashSeed any 32 bits; a daemon takes random ones */
export function tableLimits(o: OptionValues<typeof FLOW_OPTIONS>, hashSeed = 0): TableLimits {
  return {
    maxFlows: o.max_flows,
    activeUs: o.active_timeout_s * US_PER_S,
    idleTcpUs: [o.idle_tcp_new_s * US_PER_S, o.idle_tcp_established_s * US_PER_S, o.idle_tcp_closed_s * US_PER_S],
    idleUdpUs: o.idle_udp_s * US_PER_S,
    idleIcmpUs: o.idle_icmp_s * US_PER_S,
    idleOtherUs: o.idle_other_s * US_PER_S,
    activityGapUs: o.activity_gap_s * US_PER_S,
    subflowGapUs: o.subflow_gap_s * US_PER_S,
    bulkGapUs: o.bulk_gap_s * US_PER_S,
    bulkPacketsMin: o.bulk_packets_min,
    // The sum of squares is at most the longest gap times the sum of gaps, which the active timeout bounds.
    smallGapUs: Math.floor(2 ** 52 / (o.active_timeout_s * US_PER_S)),
    isVlanInKey: o.vlan_in_key,
    hashSeed,
  }
}
