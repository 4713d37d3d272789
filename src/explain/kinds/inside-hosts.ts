/** lateral.fanout, new.server, tls.overread: what inside hosts offer and do to each other (SCORER.md D15, D16, D18). */
import type { Facts } from '../facts.ts'
import type { DetectionRule, KindWords } from './kind.ts'
import { bpfFilter, LOGIN_THRESHOLD, ONCE_THRESHOLD, suricataRule, zeekQuery } from './rules.ts'
import { ownHost, scaledActions, service } from './scaled-actions.ts'

function ruleFor(f: Facts, signatureId: number, kind: string, threshold = LOGIN_THRESHOLD): DetectionRule {
  return {
    suricata: suricataRule(f, { signatureId, kind, port: f.alert.servicePort, threshold, classtype: 'misc-attack' }),
    bpf: bpfFilter(f, f.alert.servicePort),
    zeek: zeekQuery(f, ['duration', 'orig_bytes', 'resp_bytes']),
  }
}

export const LATERAL_FANOUT: KindWords = {
  signatureId: 4242501,
  revision: 1,
  category: 'Misc Attack',
  happened: (f) => `${f.actor} had administration sessions with ${f.victims} within ${f.span}.`,
  implications: (f) => [
    `Whoever controls ${f.actor} may now be on those hosts as well.`,
    'Administrators and management servers do this every day.',
    ...ownHost(f),
  ],
  vectors: () => ['Accounts that are valid on many hosts.'],
  undecidable: ['which accounts were used, and what was done'],
  decidingCheck: (f) => `Ask whether ${f.actor} administers others, and who used it at that time.`,
  actions: (f) =>
    scaledActions(f, {
      watch: 'Look again if it reaches hosts it has no business with.',
      look: [`On ${f.victims}: which account logged in from ${f.actor}?`],
      act: `Keep ${f.actor} from administration ports until the deciding check is done.`,
    }),
  longerTerm: () => ['Administer from declared hosts only, with accounts for that alone.'],
  rule: (f) => ruleFor(f, 4242501, 'lateral.fanout'),
}

export const NEW_SERVER: KindWords = {
  signatureId: 4242502,
  revision: 1,
  category: 'Potentially Bad Traffic',
  happened: (f) => `${f.actor} answered ${f.victims} on ${service(f, 'a port')}, where it had never answered before.`,
  implications: (f) => ['Alone it means that something was installed or switched on.', ...ownHost(f)],
  vectors: () => [],
  undecidable: ['what listens there'],
  decidingCheck: (f) => `On ${f.actor}: which process listens on ${service(f, 'that port')}, and since when?`,
  actions: (f) =>
    scaledActions(f, {
      watch: 'It is context for other alerts.',
      look: [`On ${f.actor}: which process listens?`],
      act: `Look at ${f.actor} first.`,
    }),
  longerTerm: () => [],
  rule: (f) => ruleFor(f, 4242502, 'new.server', ONCE_THRESHOLD),
}

export const TLS_OVERREAD: KindWords = {
  signatureId: 4242601,
  revision: 1,
  category: 'Misc Attack',
  happened: (f) => `${f.actor} fetched much for little from ${service(f, 'a TLS service')} of ${f.victims}, session after session.`,
  implications: () => ['A server with an old library may give away its memory this way; downloads look the same in headers.'],
  vectors: (f) => [`The TLS library of ${f.victims}.`],
  undecidable: ['whether the answers were records of data or of memory: payload is not read'],
  decidingCheck: (f) => `Check the version of the TLS library on ${f.victims}.`,
  actions: (f) =>
    scaledActions(f, {
      watch: 'The version of the library tells.',
      look: [`On ${f.victims}: which TLS library, of which version?`],
      act: `Update the TLS library of ${f.victims}, and change its keys.`,
    }),
  longerTerm: () => [],
  rule: (f) => ruleFor(f, 4242601, 'tls.overread'),
}
