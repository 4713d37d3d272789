/** amp.victim and amp.reflector: answers that nobody asked for (SCORER.md D7). */
import { TCP } from '../../flow/flow.ts'
import { sentences } from '../words.ts'
import type { KindWords } from './kind.ts'
import { bpfFilter, FLOOD_THRESHOLD, suricataRule, zeekQuery } from './rules.ts'
import { scaledActions, service } from './scaled-actions.ts'

const VICTIM_ID = 4242211
const REFLECTOR_ID = 4242212

export const AMP_VICTIM: KindWords = {
  signatureId: VICTIM_ID,
  revision: 1,
  category: 'Detection of a Denial of Service Attack',
  happened: (f) => `Many servers sent ${f.victims} answers that it had not asked for, within ${f.span}.`,
  implications: (f) => [
    `Somebody asks these servers in the name of ${f.victims}, to flood it or its link with their answers.`,
    'The servers are misused, too: they are not the attackers, and blocking them one by one does not end it.',
  ],
  vectors: (f) => [`The link of ${f.victims}: what arrives cannot be taken back at your end of it.`],
  undecidable: ['who forged the questions: they never pass your network'],
  decidingCheck: (f) =>
    sentences(
      `Look for questions from ${f.victims} to any of these servers before the first answer.`,
      'If there are none on a complete mirror port, it is a reflected flood.',
    ),
  actions: (f) =>
    scaledActions(f, {
      watch: `Look again if ${f.victims} answers slowly.`,
      look: [`Read the load of the link of ${f.victims} over that time.`],
      act: `Ask the uplink provider to drop packets from ${service(f, 'this source port')} towards ${f.victims}.`,
    }),
  longerTerm: () => ['Agree with the uplink provider who filters what, and how they are reached at night.'],
  rule: (f) => ({
    suricata: suricataRule(f, {
      signatureId: VICTIM_ID,
      kind: 'amp.victim',
      port: f.alert.servicePort,
      isPortOfSender: true,
      match: f.alert.proto === TCP ? 'answer' : 'any',
      threshold: FLOOD_THRESHOLD,
      classtype: 'denial-of-service',
    }),
    bpf: bpfFilter(f, f.alert.servicePort),
    zeek: zeekQuery(f, ['proto', 'orig_pkts', 'resp_pkts', 'resp_bytes']),
  }),
}

export const AMP_REFLECTOR: KindWords = {
  signatureId: REFLECTOR_ID,
  revision: 1,
  category: 'Misc Attack',
  happened: (f) => `${f.actor} answered ${f.victims} on ${service(f, 'one service')} with far more than it was asked, for ${f.span}.`,
  implications: (f) => [
    `${f.victims} is probably the target: the questions carry its address, the flood is the answers of ${f.actor}.`,
    'Your uplink pays for it, and others will block your addresses.',
  ],
  vectors: (f) => [`${service(f, 'The service')} of ${f.actor} being reachable from outside.`],
  undecidable: ['whether the questions were forged'],
  decidingCheck: (f) => `Look whether ${f.actor} is meant to serve the outside on ${service(f, 'this service')} at all.`,
  actions: (f) =>
    scaledActions(f, {
      watch: 'Look again if the volume grows.',
      look: [`On ${f.actor}: read which questions it answers, and to whom.`],
      act: `Close ${service(f, 'the service')} of ${f.actor} to the outside.`,
    }),
  longerTerm: () => ['Serve only your own networks, or limit the rate of answers.'],
  rule: (f) => ({
    suricata: suricataRule(f, {
      signatureId: REFLECTOR_ID,
      kind: 'amp.reflector',
      port: f.alert.servicePort,
      isPortOfSender: true,
      match: 'largeAnswer',
      threshold: FLOOD_THRESHOLD,
      classtype: 'misc-attack',
    }),
    bpf: bpfFilter(f, f.alert.servicePort),
    zeek: zeekQuery(f, ['proto', 'orig_bytes', 'resp_bytes']),
  }),
}
