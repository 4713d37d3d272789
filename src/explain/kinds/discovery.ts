/** sweep.icmp and scan.background: looking for hosts, from inside and from everywhere (SCORER.md D3, D4). */
import type { KindWords } from './kind.ts'
import { bpfFilter, PROBES_THRESHOLD, SCAN_THRESHOLD, suricataRule, zeekQuery } from './rules.ts'
import { ownHost, scaledActions } from './scaled-actions.ts'

const SWEEP_ID = 4242003
const BACKGROUND_ID = 4242004

export const SWEEP_ICMP: KindWords = {
  signatureId: SWEEP_ID,
  revision: 1,
  category: 'Detection of a Network Scan',
  happened: (f) => `${f.actor} pinged ${f.victims} within ${f.span}, among them addresses that nobody uses.`,
  implications: (f) => [
    `Whoever controls ${f.actor} now knows which of these addresses are in use. The pings themselves change nothing.`,
    'Attempts on the hosts that answered often follow.',
    ...ownHost(f),
  ],
  vectors: () => ['The hosts that answered.'],
  undecidable: ['why somebody looked'],
  decidingCheck: (f) => `Ask whether ${f.actor} is meant to look for hosts: inventory, monitoring, an administrator who seeks a device.`,
  actions: (f) =>
    scaledActions(f, {
      watch: `Look again if ${f.actor} opens connections to hosts that answered.`,
      look: [`On ${f.actor}: which process and which user pinged?`],
      act: `Keep ${f.actor} from reaching other hosts until the deciding check is done.`,
    }),
  longerTerm: () => ['Declare your own inventory and monitoring hosts, so that an undeclared one stands out.'],
  rule: (f) => ({
    suricata: suricataRule(f, {
      signatureId: SWEEP_ID,
      kind: 'sweep.icmp',
      port: null,
      match: 'ping',
      threshold: SCAN_THRESHOLD,
      classtype: 'network-scan',
    }),
    bpf: bpfFilter(f, null),
    zeek: zeekQuery(f, ['proto', 'conn_state', 'orig_pkts', 'resp_pkts']),
  }),
}

export const SCAN_BACKGROUND: KindWords = {
  signatureId: BACKGROUND_ID,
  revision: 1,
  category: 'Detection of a Network Scan',
  happened: (f) => `Many outside hosts probed ${f.victims} within ${f.span}, and nothing answered them.`,
  implications: () => [
    'Nothing follows from it: every address on the Internet is probed all day. Probes that get answers are told on their own.',
  ],
  vectors: () => [],
  undecidable: ['who probes, and why'],
  decidingCheck: () => 'None is needed. Compare with other days if the number surprises you.',
  actions: () => ['None.'],
  longerTerm: () => ['Let the firewall drop what nobody needs, so that probes stay unanswered.'],
  rule: (f) => ({
    suricata: suricataRule(f, {
      signatureId: BACKGROUND_ID,
      kind: 'scan.background',
      port: null,
      threshold: PROBES_THRESHOLD,
      classtype: 'network-scan',
    }),
    bpf: bpfFilter(f, null),
    zeek: zeekQuery(f, ['proto', 'conn_state']),
  }),
}
