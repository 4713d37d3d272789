/** scan.horizontal: one host tries one or few ports on many hosts (SCORER.md D1). */
import type { Facts } from '../facts.ts'
import { capitalised, sentences } from '../words.ts'
import type { KindWords } from './kind.ts'
import { bpfFilter, SCAN_THRESHOLD, suricataRule, zeekQuery } from './rules.ts'

const SIGNATURE_ID = 4242002

export const SCAN_HORIZONTAL: KindWords = {
  signatureId: SIGNATURE_ID,
  revision: 1,
  category: 'Detection of a Network Scan',
  happened: (f) => `${f.actor} tried ${service(f)} on ${f.victims} within ${f.span}, and most attempts failed.`,
  implications: (f) => [
    `Whoever controls ${f.actor} now knows which of these hosts exist and offer ${service(f)}.`,
    'Worms, and people who move through a network, look for their next host this way.',
    ...(f.isActorInside === true ? [`${f.actor} is one of your own hosts: either somebody works from it, or something runs on it.`] : []),
  ],
  vectors: (f) => [
    ...(f.answeredCount === 0 ? [] : [`${capitalised(service(f))} on the hosts that answered, if any did (see the grid).`]),
    ...(f.isActorInside === false ? [`The path on which ${f.actor} reaches these hosts from outside.`] : []),
  ],
  undecidable: ['which tool scanned, and what it read from the hosts that answered: payload is not read'],
  decidingCheck: (f) =>
    sentences(
      `Ask whether ${f.actor} is an inventory, monitoring or vulnerability scanner.`,
      'If not, look which process on it opened these connections.',
    ),
  actions,
  longerTerm: (f) => [
    `Let hosts like ${f.actor} reach ${service(f)} only where they need it; clients rarely need it on each other.`,
    'Declare your own scanners with an owner and an end date, so that an undeclared one stands out.',
  ],
  rule: (f) => ({
    suricata: suricataRule(f, {
      signatureId: SIGNATURE_ID,
      kind: 'scan.horizontal',
      port: f.alert.servicePort,
      threshold: SCAN_THRESHOLD,
      classtype: 'network-scan',
    }),
    bpf: bpfFilter(f, f.alert.servicePort),
    zeek: zeekQuery(f, ['conn_state', 'history']),
  }),
}

function service(f: Facts): string {
  return f.port === '' ? 'the same few ports' : f.port
}

function actions(f: Facts): readonly string[] {
  if (f.urgency === 'watch') return [`None now. Look again if ${f.actor} goes on to open sessions with a host that answered.`]
  const look = [
    `On ${f.actor}: which process and which user opened these connections?`,
    `On the hosts that answered: read the logs of ${service(f)} for ${f.actor}, from the first packet of the scan on.`,
  ]
  if (f.urgency === 'check') return look
  return [`Keep ${f.actor} from reaching ${service(f)} on other hosts until the deciding check is done.`, ...look]
}
