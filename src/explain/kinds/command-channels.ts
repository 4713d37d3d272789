/** c2.beacon, c2.deadpeer, long.conn: calls out that may carry commands back (SCORER.md D9, D10, D14). */
import type { Facts } from '../facts.ts'
import { sentences } from '../words.ts'
import type { DetectionRule, KindWords } from './kind.ts'
import { bpfFilter, clockThreshold, ONCE_THRESHOLD, suricataRule, zeekQuery } from './rules.ts'
import { ownHost, scaledActions, service } from './scaled-actions.ts'

function ruleFor(f: Facts, signatureId: number, kind: string, threshold = clockThreshold(f)): DetectionRule {
  return {
    suricata: suricataRule(f, {
      signatureId,
      kind,
      port: f.alert.servicePort,
      threshold,
      classtype: 'command-and-control',
    }),
    bpf: bpfFilter(f, f.alert.servicePort),
    zeek: zeekQuery(f, ['duration', 'orig_bytes', 'resp_bytes', 'conn_state']),
  }
}

const UNDECIDABLE = ['what was said, and which program said it: payload is not read']
const LATER = ['Let hosts reach the outside only through a proxy that logs names and programs.']

export const C2_BEACON: KindWords = {
  signatureId: 4242301,
  revision: 1,
  category: 'Malware Command and Control Activity Detected',
  happened: (f) => `${f.actor} called ${service(f, 'one service')} of ${f.victims} again and again, on a clock, for ${f.span}.`,
  implications: (f) => [
    `If this is a command channel, whoever runs ${f.victims} can have ${f.actor} do what they want at the next call.`,
    'Programs that check for news on a timer look alike; the question is whether this one is known.',
    ...ownHost(f),
  ],
  vectors: (f) => [`A program on ${f.actor} that starts by itself; headers do not show how it came there.`],
  undecidable: UNDECIDABLE,
  decidingCheck: (f) =>
    sentences(
      `On ${f.actor}: which process opens these connections?`,
      'A signed program of a known maker that belongs there settles it the one way, an unknown one the other.',
    ),
  actions: (f) =>
    scaledActions(f, {
      watch: `Look again if ${f.actor} sends much more than now.`,
      look: [
        `On ${f.actor}: list the processes with connections to ${f.victims}, and what starts them.`,
        `Look up who owns ${f.victims}, and since when its name exists.`,
      ],
      act: `Block ${f.actor} from ${f.victims} at the border, and leave the host running until its memory was looked at.`,
    }),
  longerTerm: () => LATER,
  rule: (f) => ruleFor(f, 4242301, 'c2.beacon'),
}

export const C2_DEADPEER: KindWords = {
  signatureId: 4242302,
  revision: 1,
  category: 'Malware Command and Control Activity Detected',
  happened: (f) => `${f.actor} kept calling ${service(f, 'one service')} of ${f.victims} for ${f.span}, and no call got through.`,
  implications: (f) => [
    `No call got through, so that nothing was commanded over this. But the program that calls is on ${f.actor}, and may know other addresses.`,
    ...ownHost(f),
  ],
  vectors: (f) => [`A program on ${f.actor} whose server was taken down, moved or blocked.`],
  undecidable: ['what the program would have said'],
  decidingCheck: (f) => `On ${f.actor}: which process tries to reach ${f.victims}, and is it software whose server was retired?`,
  actions: (f) =>
    scaledActions(f, {
      watch: `Look again if ${f.victims} begins to answer.`,
      look: [`On ${f.actor}: find the process and what starts it.`, `Look up what is known of ${f.victims}.`],
      act: `Keep ${f.victims} blocked, and look at ${f.actor} before it finds another address.`,
    }),
  longerTerm: () => LATER,
  rule: (f) => ruleFor(f, 4242302, 'c2.deadpeer'),
}

export const LONG_CONN: KindWords = {
  signatureId: 4242303,
  revision: 1,
  category: 'Potentially Bad Traffic',
  happened: (f) => `${f.actor} kept a connection with ${f.victims} open for ${f.span}.`,
  implications: (f) => ['Alone it means nothing: push channels, VPNs and remote sessions live as long.', ...ownHost(f)],
  vectors: () => [],
  undecidable: UNDECIDABLE,
  decidingCheck: (f) => `On ${f.actor}: which process holds the connection?`,
  actions: (f) =>
    scaledActions(f, {
      watch: 'It is context for other alerts.',
      look: [`On ${f.actor}: which process holds the connection?`],
      act: `Look at ${f.actor} first.`,
    }),
  longerTerm: () => [],
  rule: (f) => ruleFor(f, 4242303, 'long.conn', ONCE_THRESHOLD),
}
