/** unusual.host, network.changed, capture.asymmetric: what baseline and capture say by themselves. It informs; it accuses nobody. */
import type { Facts } from '../facts.ts'
import type { DetectionRule, KindWords } from './kind.ts'
import { bpfFilter, SCAN_THRESHOLD, suricataRule, zeekQuery } from './rules.ts'
import { ownHost } from './scaled-actions.ts'

function ruleFor(f: Facts, signatureId: number, kind: string): DetectionRule {
  return {
    suricata: suricataRule(f, { signatureId, kind, port: f.alert.servicePort, threshold: SCAN_THRESHOLD, classtype: 'bad-unknown' }),
    bpf: bpfFilter(f, f.alert.servicePort),
    zeek: zeekQuery(f, ['id.resp_p', 'orig_bytes', 'resp_bytes']),
  }
}

export const UNUSUAL_HOST: KindWords = {
  signatureId: 4242701,
  revision: 1,
  category: 'Potentially Bad Traffic',
  happened: (f) => `${f.actor} used several services at once in ways that this network normally does not, towards ${f.victims}.`,
  implications: (f) => ['Rare is not bad: most such windows are a new program, an update or a new task.', ...ownHost(f)],
  vectors: () => [],
  undecidable: ['whether what is new was wanted: only people know'],
  decidingCheck: (f) => `Ask the owner of ${f.actor} what was new on it at that time.`,
  actions: (f) => [`When ${f.actor} is in another alert, too, look here for what it did beside.`],
  longerTerm: () => [],
  rule: (f) => ruleFor(f, 4242701, 'unusual.host'),
}

export const NETWORK_CHANGED: KindWords = {
  signatureId: 4242702,
  revision: 1,
  category: 'Potentially Bad Traffic',
  happened: () => 'What this network does has become another mix, and stayed so.',
  implications: () => [
    'What the baseline calls usual is about to change: it has halved what it knew before.',
    'A new service, a move, a holiday or another mirror port do this.',
  ],
  vectors: () => [],
  undecidable: ['why it changed'],
  decidingCheck: () => 'Ask whether the network, its services or the mirror port were changed.',
  actions: () => ['If the change is not known: compare what hosts and services are active now with those of last week.'],
  longerTerm: () => [],
  rule: (f) => ruleFor(f, 4242702, 'network.changed'),
}

export const CAPTURE_ASYMMETRIC: KindWords = {
  signatureId: 4242703,
  revision: 1,
  category: 'Potentially Bad Traffic',
  happened: () => 'Most conversations have been seen in one direction only for a while.',
  implications: () => [
    'Whether something was answered is not known here: scans, floods, guessed logins and uploads are not judged, or judged less surely, until it recovers.',
    'A mirror port that copies only what comes in, one missing port of a tap, or routing with another way back do this.',
  ],
  vectors: () => [],
  undecidable: ['which of these it is: the other direction was not seen'],
  decidingCheck: () => 'Run `flowscribe doctor` on the interface: it says whether the mirror port shows one direction, and what cures it.',
  actions: () => ['Have the switch mirror both directions, or capture both ports of the tap together.'],
  longerTerm: () => [],
  rule: (f) => ruleFor(f, 4242703, 'capture.asymmetric'),
}
