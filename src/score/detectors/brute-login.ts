/**
 * D8 brute.login: one client opens session after session on a login service, and all look the same.
 *
 * In:  the sessions of one client with one service, last five minutes: payload octets and duration.
 * Not: the names and passwords tried; web logins (443 and 80 are flat for a hundred good reasons); services off the list below,
 *      where flat sessions are the rule (polling, health checks) and headers alone cannot tell a login.
 *
 * Flatness is measured on payload octets, not packets: retransmissions change packets (Jonker: 20 points more found). A session
 * that moves more than a failed login can (key jobs, Ansible, rsync, SFTP) is no attempt, and where such sessions are more than
 * one in five the entry test fails.
 */

import type { OptionTable, OptionValues } from '../../base/option.ts'
import { CLIENT, SERVER } from '../../context/contact.ts'
import type { Session } from '../../context/sessions.ts'
import type { PictureData } from '../evidence.ts'
import { num } from '../number.ts'
import { regularityOf } from '../regularity.ts'
import type { Assessment, Detector, Draft, Finding, Look } from './detector.ts'
import { assessment, draft } from './detector.ts'
import { newPairDrafts } from './history.ts'

const OPTIONS = {
  sessions_min: {
    kind: 'integer',
    default: 10,
    min: 5,
    max: 10_000,
    unit: 'sessions',
    comment: 'Flat sessions of one client with one login service within five minutes (Slips: 9; Flowmon: 20; Zeek: 30 for ssh).',
  },
  flatness_max: {
    kind: 'number',
    default: 0.08,
    min: 0.01,
    max: 1,
    unit: 'ratio',
    comment:
      'Standard deviation over mean of the octets of those sessions: at most this much they may differ. ' +
      'Guessing tools measured 0.003 to 0.032, jobs that log in with keys every ten seconds 0.12.',
  },
  session_max_s: { kind: 'number', default: 60, min: 1, max: 600, unit: 's', comment: 'A failed login is over after this time.' },
  flat_share_min: {
    kind: 'number',
    default: 0.8,
    min: 0.5,
    max: 1,
    unit: 'ratio',
    comment: 'Share of the sessions that could be failed logins; below it the client works there.',
  },
} as const satisfies OptionTable

type Options = OptionValues<typeof OPTIONS>

interface LoginService {
  name: string
  /** More payload than this in one session, from the client or the server, is more than a failed login; over half of it is unusual. */
  failedMaxBytes: number
}

const SSH: LoginService = { name: 'ssh', failedMaxBytes: 9000 }
const PLAIN_TEXT = 2000
const TLS_LOGIN = 12_000

/** SCORER.md D8's services. Octets: key exchange with post-quantum keys is 3 kB each way for ssh; a certificate chain 4 to 6 kB. */
const LOGIN_SERVICES: ReadonlyMap<number, LoginService> = new Map([
  [21, { name: 'ftp', failedMaxBytes: PLAIN_TEXT }],
  [22, SSH],
  [2222, SSH],
  [23, { name: 'telnet', failedMaxBytes: PLAIN_TEXT }],
  [2323, { name: 'telnet', failedMaxBytes: PLAIN_TEXT }],
  [25, { name: 'smtp', failedMaxBytes: TLS_LOGIN }],
  [110, { name: 'pop3', failedMaxBytes: TLS_LOGIN }],
  [143, { name: 'imap', failedMaxBytes: TLS_LOGIN }],
  [389, { name: 'ldap', failedMaxBytes: 6000 }],
  [445, { name: 'smb', failedMaxBytes: 6000 }],
  [587, { name: 'smtp', failedMaxBytes: TLS_LOGIN }],
  [993, { name: 'imap', failedMaxBytes: TLS_LOGIN }],
  [995, { name: 'pop3', failedMaxBytes: TLS_LOGIN }],
  [1433, { name: 'mssql', failedMaxBytes: 6000 }],
  [3306, { name: 'mysql', failedMaxBytes: 6000 }],
  [3389, { name: 'rdp', failedMaxBytes: 8000 }],
  [5432, { name: 'postgresql', failedMaxBytes: 6000 }],
  [5900, { name: 'vnc', failedMaxBytes: PLAIN_TEXT }],
  [5985, { name: 'winrm', failedMaxBytes: 8000 }],
])

const FLAT_NEXT = "Read the server's login log for this client and this time: it says which names were tried and whether one got in."

const WEIGHTS = {
  nearly_flat: {
    lr: 1.3,
    group: 'pattern',
    basis: 'expert',
    label: 'sessions much alike',
    claim:
      '{m0} short sessions of {x0} with {x2} on {x1} carried much the same: {m1} each in the middle, varying by {m2}; the sensor missed {m3} of the packets, which makes equal sessions differ',
    alt: 'a script or a job that logs in again and again: packets are missing that would tell',
    next: FLAT_NEXT,
  },
  flat_sessions: {
    lr: 1.5,
    group: 'pattern',
    basis: 'expert',
    label: 'sessions all alike',
    claim: '{m0} short sessions of {x0} with {x2} on {x1} carried nearly the same: {m1} each in the middle, varying by {m2}',
    alt: 'a script or health check that does the same each time, or a job with an expired password',
    next: FLAT_NEXT,
  },
  very_flat: {
    lr: 1.9,
    group: 'pattern',
    basis: 'expert',
    label: 'sessions all alike',
    claim: '{m0} short sessions of {x0} with {x2} on {x1} carried the same: {m1} each in the middle, varying by only {m2}',
    alt: 'a script or health check that does the same each time, or a job with an expired password',
    next: FLAT_NEXT,
  },
  count: {
    lr: 0.8,
    group: 'scale',
    basis: 'expert',
    label: 'many attempts',
    claim: '{m0} attempts within {m1}, one every {m2} in the mean',
    next: 'Check whether the server limits attempts and locks out the client.',
  },
  targets: {
    lr: 0.5,
    group: 'target',
    basis: 'expert',
    label: 'several servers',
    claim: 'the same client does this to {m0} servers',
    next: 'Read the login logs of all of them.',
  },
  new_client: {
    lr: 0.5,
    group: 'novelty',
    basis: 'expert',
    label: 'a server it never used',
    claim: 'in the {m0} days that this host has been known it never spoke with {x0} before today',
    alt: 'a job that was set up today',
    next: 'Ask who gave this host something to do there.',
  },
  success: {
    lr: 0.3,
    group: 'volume',
    basis: 'expert',
    label: 'one session stands out',
    claim: 'after {m0} sessions of the same kind one carried {m1} in {m2}: a possible success',
    alt: 'an administrator working from the same address',
    next: 'Find the session in the login log; if a login succeeded, change that password and look at what the session did.',
  },
} as const

/** The ports whose sessions the context is to keep. */
export const LOGIN_PORTS: ReadonlySet<number> = new Set(LOGIN_SERVICES.keys())

/** LR of `count` by number of attempts, from the top (SCORER.md D8). */
const COUNT_STEPS: readonly { from: number; lr: number }[] = [
  { from: 100, lr: 1.7 },
  { from: 30, lr: 1.3 },
]
const VERY_FLAT_MAX = 0.05
const TARGETS_MIN = 3
/** A session with this many times the usual octets, or this many times the usual time, stands out. */
const ODD_BYTES_FACTOR = 3
const ODD_DURATION_FACTOR = 10
/** A session with so many times fewer octets was closed early. */
const CUT_SHORT_FACTOR = 3
/** From this loss on, flatness is asked for less strictly; a session's octets lie in about so many packets. */
const MISSING_MIN = 0.01
const LARGE_PACKETS = 2
const SESSIONS_SHOWN_MAX = 200
const US_PER_S = 1e6
const WINDOW_US = 5 * 60 * US_PER_S

export const BRUTE_LOGIN = {
  kind: 'brute.login',
  code: 'D8',
  title: 'Password guessing',
  techniques: { fromInside: ['T1110.001'], fromOutside: ['T1110.001'], manyVictims: ['T1110.003'] },
  inputs: 'payload octets and duration of each session by client and service',
  windowUs: WINDOW_US,
  entryTest: 'flat sessions ≥ sessions_min with variation ≤ flatness_max, and flat share ≥ flat_share_min',
  options: OPTIONS,
  priorLog10: -2,
  cap: { limit: 0.95, why: 'headers alone cannot show that passwords were tried' },
  severityBase: 2,
  isBackgroundFromOutside: false,
  weights: WEIGHTS,
  detect,
} as const satisfies Detector<typeof OPTIONS>

function detect(look: Look, options: Options): Finding | null {
  const { judged, observed } = look
  const service = LOGIN_SERVICES.get(judged.port[SERVER])
  if (service === undefined || observed.sessions === null || judged.isContinuation) return null
  if (observed.sessions.keptCount < options.sessions_min) return null
  const all = observed.sessions.since(judged.startUs - WINDOW_US)
  if (all.length < options.sessions_min) return null
  const guesses = measureGuesses(all, service, flatnessMax(look, all[0].atUs, options), options)
  if (guesses === null) return null
  return {
    actor: judged.addr[CLIENT],
    victim: judged.addr[SERVER],
    keyPart: String(judged.port[SERVER]),
    flowsInWindow: all.length + observed.sessions.beyondCount(),
    firstUs: all[0].atUs,
    victims: () => [judged.addr[SERVER]],
    telling: guesses.odd.some((session) => session.flowId === judged.flowId) ? 1 : 0,
    assess: (victimCount) => assess(look, service, guesses, all, observed.sessions?.beyondCount() ?? 0, victimCount, options),
  }
}

interface Guesses {
  flat: readonly Session[]
  medianBytes: number
  /** Coefficient of variation of the flat sessions' octets. */
  variation: number
  /** Sessions that stand out after at least `sessions_min` flat ones. */
  odd: readonly Session[]
}

/**
 * Packets that the sensor missed make equal sessions differ: of n equal packets of which a share q is lost, the sum varies by about √(q/n).
 * Most of a login's octets lie in few packets.
 */
function flatnessMax({ context }: Look, fromUs: number, options: Options): number {
  const missing = context.captured.since(fromUs)?.missingShare ?? 0
  return missing < MISSING_MIN ? options.flatness_max : Math.hypot(options.flatness_max, Math.sqrt(missing / LARGE_PACKETS))
}

function measureGuesses(all: readonly Session[], service: LoginService, flatnessMax: number, options: Options): Guesses | null {
  const maxUs = options.session_max_s * US_PER_S
  const inBand = all.filter((s) => s.durationUs <= maxUs && Math.max(s.clientBytes, s.serverBytes) <= service.failedMaxBytes)
  if (inBand.length < options.sessions_min) return null
  const medianBytes = median(inBand.map(bytesOf))
  const medianUs = median(inBand.map((s) => s.durationUs))
  // A login that succeeded may be small enough for the band; it must not hide the guesses before it.
  const isOdd = (s: Session): boolean =>
    bytesOf(s) > ODD_BYTES_FACTOR * medianBytes || s.durationUs > Math.max(ODD_DURATION_FACTOR * medianUs, US_PER_S)
  // Servers close some connections before a name is asked for when too many come at once (sshd's MaxStartups).
  const isCutShort = (s: Session): boolean => CUT_SHORT_FACTOR * bytesOf(s) < medianBytes
  const flat = inBand.filter((s) => !isOdd(s) && !isCutShort(s))
  if (flat.length < options.sessions_min || flat.length < options.flat_share_min * all.length) return null
  const variation = variationOf(flat.map(bytesOf))
  if (variation > flatnessMax) return null
  const odd = all.filter((s, i) => isOdd(s) && i >= options.sessions_min)
  return { flat, medianBytes, variation, odd }
}

function assess(
  look: Look,
  service: LoginService,
  guesses: Guesses,
  all: readonly Session[],
  beyondCount: number,
  victimCount: number,
  options: Options,
): Assessment {
  const { judged } = look
  const { flat, odd } = guesses
  const server = judged.addr[SERVER]
  const count = flat.length + beyondCount
  const fromUs = Math.min(...flat.map((s) => s.atUs))
  const toUs = Math.max(...flat.map((s) => s.atUs + s.durationUs))
  const sample = { n: count, fromUs, toUs, flowIds: flat.slice(0, 10).map((s) => s.flowId) }
  const isVeryFlat = guesses.variation <= VERY_FLAT_MAX
  const missing = look.context.captured.since(all[0].atUs)?.missingShare ?? 0
  const isNearlyFlat = guesses.variation > options.flatness_max
  const [code, weight] = isVeryFlat
    ? (['D8.very_flat', WEIGHTS.very_flat] as const)
    : isNearlyFlat
      ? (['D8.nearly_flat', WEIGHTS.nearly_flat] as const)
      : (['D8.flat_sessions', WEIGHTS.flat_sessions] as const)
  const measured = [num(count, 'count'), num(guesses.medianBytes, 'B'), num(guesses.variation * 100, 'percent')]
  const evidence: Draft[] = [
    draft(code, weight, {
      measured: isNearlyFlat ? [...measured, num(missing * 100, 'percent')] : measured,
      names: [judged.addr[CLIENT], server, service.name],
      sample,
    }),
    draft('D8.count', WEIGHTS.count, {
      measured: [num(count, 'count'), num(toUs - fromUs, 'us'), num((toUs - fromUs) / count, 'us')],
      sample,
      lr: COUNT_STEPS.find((step) => count >= step.from)?.lr ?? WEIGHTS.count.lr,
    }),
  ]
  if (victimCount >= TARGETS_MIN) {
    evidence.push(draft('D8.targets', WEIGHTS.targets, { measured: [num(victimCount, 'count')], sample }))
  }
  if (odd.length > 0) {
    const measured = [num(flat.length, 'count'), num(bytesOf(odd[0]), 'B'), num(odd[0].durationUs, 'us')]
    const oddSample = { n: odd.length, fromUs: odd[0].atUs, toUs: odd[0].atUs, flowIds: odd.slice(0, 10).map((s) => s.flowId) }
    evidence.push(draft('D8.success', WEIGHTS.success, { measured, sample: oddSample }))
  }
  const isNew = newPairDrafts('D8.new_client', WEIGHTS.new_client, look, sample)
  evidence.push(...isNew.drafts)
  const regularity = regularityOf(flat.map((s) => s.atUs).sort((a, b) => a - b))
  return assessment({
    evidence,
    servicePort: judged.port[SERVER],
    facts: {
      timer: {
        chance: regularity?.p ?? 1,
        gapUs: regularity?.medianUs ?? 0,
        durationUs: median(flat.map((s) => s.durationUs)),
        isFromOutside: judged.direction === 'in',
      },
      loginBytes: { median: median(flat.map((s) => Math.max(s.clientBytes, s.serverBytes))), usualMax: service.failedMaxBytes / 2 },
    },
    success: odd.length > 0 ? 'one session after the guesses stands out: a possible success' : null,
    scaleRatio: count / options.sessions_min,
    notEvaluated: isNew.notEvaluated,
    pictures: [picture(all, odd, beyondCount)],
  })
}

function picture(all: readonly Session[], odd: readonly Session[], beyondCount: number): PictureData {
  const shown = all.slice(-SESSIONS_SHOWN_MAX)
  const sessions = shown.map((s) => ({ atUs: s.atUs, bytes: bytesOf(s), durationUs: s.durationUs, odd: odd.includes(s) }))
  return { picture: 'sessions', sessions, omitted: all.length - shown.length + beyondCount }
}

function bytesOf(session: Session): number {
  return session.clientBytes + session.serverBytes
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const half = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2
}

function variationOf(values: readonly number[]): number {
  const mean = values.reduce((a, b) => a + b, 0) / values.length
  const variance = values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / values.length
  return Math.sqrt(variance) / mean
}
