/** brute.login: many short sessions of the same size to a login service (SCORER.md D8). */
import type { Facts } from '../facts.ts'
import { capitalised, sentences } from '../words.ts'
import type { KindWords } from './kind.ts'
import { bpfFilter, LOGIN_THRESHOLD, suricataRule, zeekQuery } from './rules.ts'

const SIGNATURE_ID = 4242101

export const BRUTE_LOGIN: KindWords = {
  signatureId: SIGNATURE_ID,
  revision: 1,
  category: 'Unsuccessful User Privilege Gain',
  happened: (f) =>
    sentences(
      `${f.actor} opened many short sessions of nearly the same size to ${service(f)} of ${f.victims}`,
      `within ${f.span}, as password guessing does.`,
    ),
  implications: (f) => [
    `If a guess was right, ${f.actor} can log in to ${f.victims} with that account's rights.`,
    `If none was, ${f.victims} is as it was; accounts may be locked by the failures.`,
    ...(oddSession(f)
      ? ['One session was unlike the others: a **possible success**. Headers cannot show whether a login was accepted.']
      : []),
    ...(f.isActorInside === true ? [`${f.actor} is one of your own hosts: either somebody works from it, or something runs on it.`] : []),
  ],
  vectors: (f) => [
    `Accounts with weak or reused passwords on ${f.victims}, through ${service(f)}.`,
    ...(f.isActorInside === false ? [`${capitalised(service(f))} being reachable from outside.`] : []),
  ],
  undecidable: ['which accounts were tried, and whether a login was accepted: sessions are encrypted or not read'],
  decidingCheck: (f) =>
    sentences(
      `Read the login log of ${f.victims} for ${f.actor} over the time above: failed logins of many names or many tries settle it;`,
      'one service account failing on schedule is an expired password.',
    ),
  actions,
  longerTerm: (f) => [
    `Take password logins off ${service(f)} (keys or a second factor), and let only those hosts reach it that need it.`,
    'Limit login attempts per source.',
  ],
  rule: (f) => ({
    suricata: suricataRule(f, {
      signatureId: SIGNATURE_ID,
      kind: 'brute.login',
      port: f.alert.servicePort,
      threshold: LOGIN_THRESHOLD,
      classtype: 'unsuccessful-user',
    }),
    bpf: bpfFilter(f, f.alert.servicePort),
    zeek: zeekQuery(f, ['duration', 'orig_bytes', 'resp_bytes']),
  }),
}

function service(f: Facts): string {
  return f.port === '' ? 'a login service' : f.port
}

function oddSession(f: Facts): boolean {
  return f.alert.pictures.some((p) => p.picture === 'sessions' && p.sessions.some((s) => s.odd))
}

function actions(f: Facts): readonly string[] {
  if (f.urgency === 'watch') return [`None now. Look again if a session of another size follows from ${f.actor}.`]
  const look = [
    sentences(
      `On ${f.victims}: list accepted logins from ${f.actor} since the first session,`,
      'and lock the account if there is one that nobody can explain.',
    ),
    ...(f.isActorInside === false ? [] : [`On ${f.actor}: which process and which user opened these sessions?`]),
  ]
  if (f.urgency === 'check') return look
  return [`Block ${f.actor} from ${service(f)} of ${f.victims} until the login log is read.`, ...look]
}
