/** scan.vertical: one host tries many ports of another (SCORER.md D2). */

import type { Facts } from '../facts.ts'
import { sentences } from '../words.ts'
import type { KindWords } from './kind.ts'
import { bpfFilter, SCAN_THRESHOLD, suricataRule, zeekQuery } from './rules.ts'

const SIGNATURE_ID = 4242001

export const SCAN_VERTICAL: KindWords = {
  signatureId: SIGNATURE_ID,
  revision: 1,
  category: 'Detection of a Network Scan',
  happened: (f) => `${f.actor} tried many ${f.proto} ports of ${f.victims} within ${f.span}, and most attempts failed.`,
  implications: (f) => [
    `Whoever controls ${f.actor} now knows which services of ${f.victims} answer. The scan itself changes nothing on the target.`,
    f.answeredCount === 0
      ? 'None of the ports in the grid answered: whoever scanned found no way in by it.'
      : 'A scan is often the step before an attempt on one of the services that answered.',
    ...(f.isActorInside === true ? [`${f.actor} is one of your own hosts: either somebody works from it, or something runs on it.`] : []),
  ],
  vectors: (f) => [
    ...(f.answeredCount === 0 ? [] : [`The services of ${f.victims} that answered, if any did (see the grid).`]),
    ...(f.isActorInside === true
      ? [`A tool run by hand or a program running on ${f.actor}; headers do not show which.`]
      : [`The path on which ${f.actor} reaches ${f.victims}: a scan that gets answers shows what the firewall lets through.`]),
  ],
  undecidable: ['which tool scanned, and what it read from the services that answered: payload is not read'],
  decidingCheck: (f) =>
    sentences(
      `Ask whether ${f.actor} is an authorised scanner or inventory system, and who used it at the time above.`,
      'If it is one, declare it as such and this alert does not come back.',
    ),
  actions,
  longerTerm: (f) => [
    `Let only those hosts reach the services of ${f.victims} that need them.`,
    'Declare your own scanners with an owner and an end date, so that an undeclared one stands out.',
  ],
  rule: (f) => ({
    suricata: suricataRule(f, {
      signatureId: SIGNATURE_ID,
      kind: 'scan.vertical',
      port: null,
      threshold: SCAN_THRESHOLD,
      classtype: 'network-scan',
    }),
    bpf: bpfFilter(f, null),
    zeek: zeekQuery(f, ['conn_state', 'history']),
  }),
}

function actions(f: Facts): readonly string[] {
  if (f.urgency === 'watch') return [`None now. Look again if ${f.actor} goes on to open sessions with ${f.victims}.`]
  const look = [
    `On ${f.actor}: which process and which user sent these packets (running processes, shell history, scheduled jobs)?`,
    `On ${f.victims}: read the logs of the services that answered, from the first packet of the scan on.`,
  ]
  if (f.urgency === 'check') return look
  return [`Block traffic from ${f.actor} to ${f.victims} until the deciding check is done.`, ...look]
}
