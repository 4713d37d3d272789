/**
 * D9 c2.beacon: one client calls one service on a clock.
 *
 * In:  the newest starts of a client's connections to one service, what each carried; who else uses the service.
 * Not: calls that nearly all fail (D10); pieces of one long connection.
 *
 * A clock alone is no malice: mail, push and update clients keep one as well. Timing never suffices; a second kind of evidence must agree.
 */

import type { OptionTable, OptionValues } from '../../base/option.ts'
import { ATTEMPTS_KEPT, type Attempt, type AttemptSeries } from '../../context/attempts.ts'
import { networkOf } from '../../context/census.ts'
import { CLIENT, SERVER } from '../../context/contact.ts'
import { TCP } from '../../flow/flow.ts'
import type { PictureData } from '../evidence.ts'
import { num } from '../number.ts'
import type { Judged } from '../orientation.ts'
import { isOddPort } from '../ports.ts'
import type { Regularity } from '../regularity.ts'
import { medianOf, regularityOf } from '../regularity.ts'
import type { Assessment, Detector, Draft, Finding, Look } from './detector.ts'
import { assessment, draft, NO_BASELINE } from './detector.ts'
import { historyOf, newPairDrafts } from './history.ts'

const OPTIONS = {
  gaps_min: { kind: 'integer', default: 8, min: 5, max: 24, unit: 'gaps', comment: 'Gaps between calls that a judgement needs.' },
  period_min_s: { kind: 'number', default: 2, min: 0.5, max: 3600, unit: 's', comment: 'Shorter periods are one conversation, not calls.' },
  chance_max_ratio: {
    kind: 'number',
    default: 1e-6,
    min: 1e-12,
    max: 0.01,
    unit: 'ratio',
    comment: 'Chance that random arrivals are as regular: at most this.',
  },
  client_ports_min: {
    kind: 'integer',
    default: 4,
    min: 1,
    max: 16,
    unit: 'ports',
    comment: 'Different client ports that show new connections; the pieces of one long connection share a port.',
  },
  hosts_min: {
    kind: 'integer',
    default: 4,
    min: 2,
    max: 1000,
    unit: 'hosts',
    comment: 'Inside hosts that must have been seen before "nobody else uses it" says anything.',
  },
} as const satisfies OptionTable

type Options = OptionValues<typeof OPTIONS>

const TIMING_LR_MAX = 1.5
/** Smaller chances are not meaningful: the median is estimated from the same gaps. */
const CHANCE_TOLD_MIN = 1e-9

const WEIGHTS = {
  regularity: {
    lr: TIMING_LR_MAX,
    group: 'timing',
    basis: 'test',
    label: 'calls on a clock',
    claim:
      '{x0} called {x1}: {m0} of {m1} gaps lie within {m2} of {m3} or a small multiple; random arrivals would do that at most {m4} times',
    alt: 'a program that asks for news on a timer: update checks, monitoring, mail, telemetry',
    next: 'Find out which process on the actor opens these connections, and whether it is known software.',
  },
  flat_requests: {
    lr: 0.2,
    group: 'volume',
    basis: 'expert',
    label: 'requests all alike',
    claim: 'the middle call carried {m0} from the client; nine in ten calls stay within {m1} of the smallest tenth',
    next: 'Compare with the calls of known agents on other hosts.',
  },
  small_replies: {
    lr: 0.2,
    group: 'volume',
    basis: 'expert',
    label: 'small replies',
    claim: 'the middle reply carried only {m0}',
    next: 'Look for a call whose reply was much larger: a command may have been fetched with it.',
  },
  persistence: {
    lr: 0.3,
    group: 'scale',
    basis: 'expert',
    label: 'keeps on calling',
    claim: 'the calls go on for {m0}',
    next: 'Check whether the calls stop when nobody is logged in.',
  },
  rare_port: {
    lr: 0.7,
    group: 'novelty',
    basis: 'expert',
    label: 'nobody else uses this port',
    claim: 'of {m0} inside hosts seen, only this one went to port {m1} anywhere',
    alt: 'software that only this host has',
    next: 'Ask what software on this host uses that port.',
  },
  rare_network: {
    lr: 0.4,
    group: 'novelty',
    basis: 'expert',
    label: 'nobody else goes there',
    claim: 'of {m0} inside hosts seen, only this one went to the network of {x0}',
    next: 'Look up who owns the address and since when.',
  },
  first_seen: {
    lr: 0.3,
    group: 'novelty',
    basis: 'expert',
    label: 'a server it never used',
    claim: 'in the {m0} days that this host has been known it never spoke with {x0} before today',
    alt: 'a program that was installed today',
    next: 'Look what was installed or started on the host that day.',
  },
  reconnects: {
    lr: 0.9,
    group: 'pattern',
    basis: 'expert',
    label: 'a new connection each time',
    claim: 'it opened a new connection every {m0}, {m1} in all, for replies of one size; programs that ask so often keep one open',
    alt: 'a script or a test that runs in a loop',
    next: 'Look for a script on the actor.',
  },
  odd_port: {
    lr: 0.5,
    group: 'target',
    basis: 'expert',
    label: 'unusual port',
    claim: 'port {m0} is none of the ports that clients usually go to outside',
    alt: 'a service that its owner put on another port',
    next: 'Look up what the server offers on that port.',
  },
} as const

/** Six hours and a day (SCORER.md D9); each adds its part. */
const PERSISTENCE_STEPS: readonly { fromUs: number; lr: number }[] = [
  { fromUs: 24 * 3600e6, lr: 0.5 },
  { fromUs: 6 * 3600e6, lr: 0.3 },
]
const FLAT_RATIO_MAX = 1.1
const ALIKE_REPLIES_RATIO_MAX = 1.25
const SMALL_REPLY_BYTES = 1000
/** Ten seconds with their jitter, and what a call itself takes: loops wait between calls. */
const RECONNECT_US_MAX = 15e6
const RECONNECTS_MIN = 20
const FAILED_SHARE_MAX = 0.95
/** Overwritten at each look. */
const starts = new Float64Array(ATTEMPTS_KEPT)
/** Long series are looked at each time they have grown by one in eight calls. */
const LOOK_ALWAYS_BELOW = 64

export const C2_BEACON = {
  kind: 'c2.beacon',
  code: 'D9',
  title: 'Regular calls to one server',
  techniques: { fromInside: ['T1071.001', 'T1573'], fromOutside: ['T1071.001'], manyVictims: [] },
  inputs: 'start, payload and outcome of each connection by client and service; who else uses the service',
  windowUs: 3600e6,
  entryTest: 'gaps ≥ gaps_min, median ≥ period_min_s, chance ≤ chance_max_ratio, client ports ≥ client_ports_min',
  options: OPTIONS,
  priorLog10: -2,
  cap: { limit: 0.95, why: 'headers alone cannot show what was said' },
  severityBase: 2,
  isBackgroundFromOutside: false,
  weights: WEIGHTS,
  detect,
} as const satisfies Detector<typeof OPTIONS>

function detect(look: Look, options: Options): Finding | null {
  const { judged, observed } = look
  const series = observed.attempts
  if (series === null || series.keptCount <= options.gaps_min || judged.direction === 'in') return null
  if (series.total > LOOK_ALWAYS_BELOW && series.total % 8 !== 0) return null
  if (series.failed >= FAILED_SHARE_MAX * series.total || series.clientPorts < options.client_ports_min) return null
  const clock = { gapsMin: options.gaps_min, periodMinUs: options.period_min_s * 1e6, chanceMax: options.chance_max_ratio }
  const regularity = regularityOf(starts, series.startsInto(starts), clock)
  if (regularity === null) return null
  return {
    actor: judged.addr[CLIENT],
    victim: judged.addr[SERVER],
    keyPart: `${judged.addr[SERVER]} ${judged.proto} ${judged.port[SERVER]}`,
    flowsInWindow: series.total,
    firstUs: series.firstUs,
    victims: () => [judged.addr[SERVER]],
    telling: 0,
    assess: () => assess(look, series, regularity, options),
  }
}

/** What a clock weighs: used by dead peers (D10), too. */
export function timingLr(p: number): number {
  return Math.min(TIMING_LR_MAX, -Math.log10(p) / 10)
}

export function regularityDraft(code: string, look: Look, regularity: Regularity, sample: Draft['sample']): Draft {
  const { gaps, close, tolerance, medianUs, p } = regularity
  const oneIn = num(1 / Math.max(CHANCE_TOLD_MIN, p), '1/N')
  return draft(code, WEIGHTS.regularity, {
    measured: [num(close, 'count'), num(gaps, 'count'), num(tolerance * 100, 'percent'), num(medianUs, 'us'), oneIn],
    names: [look.judged.addr[CLIENT], look.judged.addr[SERVER]],
    sample,
    lr: timingLr(p),
  })
}

function assess(look: Look, series: AttemptSeries, regularity: Regularity, options: Options): Assessment {
  const { judged, context } = look
  const { kept } = series
  const sample = { n: series.total, fromUs: series.firstUs, toUs: series.lastUs, flowIds: kept.slice(0, 10).map((call) => call.flowId) }
  const evidence = [regularityDraft('D9.regularity', look, regularity, sample), ...volume(kept, sample)]
  const lasted = PERSISTENCE_STEPS.find((step) => series.lastUs - series.firstUs >= step.fromUs)
  if (lasted !== undefined) {
    evidence.push(
      draft('D9.persistence', WEIGHTS.persistence, { measured: [num(series.lastUs - series.firstUs, 'us')], sample, lr: lasted.lr }),
    )
  }
  const isReconnecting = reconnects(look, series, regularity) && areRepliesAlike(kept)
  if (isReconnecting) {
    evidence.push(
      draft('D9.reconnects', WEIGHTS.reconnects, { measured: [num(regularity.medianUs, 'us'), num(series.total, 'count')], sample }),
    )
  }
  const novelty = noveltyDrafts('D9', look, options.hosts_min, sample)
  evidence.push(...novelty.drafts)
  const isNew = newPairDrafts('D9.first_seen', WEIGHTS.first_seen, look, sample)
  evidence.push(...isNew.drafts)
  const port = judged.port[SERVER]
  const isOdd = !isOwnServer(judged) && isOddPort(port)
  if (isOdd) evidence.push(draft('D9.odd_port', WEIGHTS.odd_port, { measured: [num(port, 'port')], sample }))
  return assessment({
    evidence,
    servicePort: port,
    scaleRatio: series.total / (options.gaps_min + 1) / 10,
    facts: {
      polling: {
        connections: series.total,
        answered: series.answered,
        proto: judged.proto,
        port,
        isServerInternal: judged.isServerInternal,
        isReconnecting,
      },
      prevalence: { users: context.census.networkUsers(judged.addr[SERVER]), hosts: context.census.hosts },
      infrastructure: infrastructureOf(look),
    },
    notEvaluated: [...novelty.notEvaluated, ...isNew.notEvaluated],
    caps: isOdd || novelty.drafts.length > 0 || historyOf(look) !== null ? [] : [NO_BASELINE],
    pictures: [gapsPicture(regularity), callsPicture(series)],
  })
}

/** Who fetches another page each time is a reader or a crawler; an agent without orders gets the same answer again and again. */
function areRepliesAlike(kept: readonly Attempt[]): boolean {
  const { p10, p90 } = band(kept.map((call) => call.serverBytes))
  return p10 > 0 && p90 <= ALIKE_REPLIES_RATIO_MAX * p10
}

function band(values: readonly number[]): { p10: number; p90: number } {
  const sorted = [...values].sort((a, b) => a - b)
  return { p10: sorted[Math.floor(sorted.length * 0.1)], p90: sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * 0.9))] }
}

/** Where nobody told which networks are inside, a neighbour in the same network of 65,536 counts as one of the site's own servers. */
function isOwnServer({ isServerInternal, addr }: Judged): boolean {
  return isServerInternal || networkOf(addr[CLIENT]) === networkOf(addr[SERVER])
}

/** So often that a program which only wants news would keep its connection; monitoring asks the site's own servers like that. */
function reconnects({ judged }: Look, series: AttemptSeries, regularity: Regularity): boolean {
  return judged.proto === TCP && !isOwnServer(judged) && series.total >= RECONNECTS_MIN && regularity.medianUs < RECONNECT_US_MAX
}

export function infrastructureOf({ judged, context }: Look): NonNullable<Assessment['facts']['infrastructure']> {
  const port = judged.port[SERVER]
  return {
    proto: judged.proto,
    port,
    isKnownServer: context.services.isKnownServer(judged.addr[SERVER], judged.proto, port),
    users: context.census.portUsers(judged.proto, port),
  }
}

function volume(kept: readonly Attempt[], sample: Draft['sample']): Draft[] {
  const requests = kept.map((call) => call.clientBytes)
  const { p10, p90 } = band(requests)
  const reply = medianOf(kept.map((call) => call.serverBytes))
  const drafts: Draft[] = []
  if (p10 > 0 && p90 <= FLAT_RATIO_MAX * p10) {
    const measured = [num(medianOf(requests), 'B'), num((p90 / p10 - 1) * 100, 'percent')]
    drafts.push(draft('D9.flat_requests', WEIGHTS.flat_requests, { measured, sample }))
  }
  if (reply < SMALL_REPLY_BYTES) drafts.push(draft('D9.small_replies', WEIGHTS.small_replies, { measured: [num(reply, 'B')], sample }))
  return drafts
}

/** Whether anyone else here goes there; says so when too few hosts were seen to tell. */
export function noveltyDrafts(
  code: string,
  { judged, context }: Look,
  hostsMin: number,
  sample: Draft['sample'],
): { drafts: Draft[]; notEvaluated: { code: string; why: string }[] } {
  const { census } = context
  if (census.hosts < hostsMin || !judged.isClientInternal) {
    return { drafts: [], notEvaluated: [{ code: `${code}.prevalence`, why: 'whether others use this service: too few inside hosts seen' }] }
  }
  const drafts: Draft[] = []
  const hosts = num(census.hosts, 'count')
  const port = judged.port[SERVER]
  if (judged.isServerInternal) return { drafts, notEvaluated: [] }
  if (census.portUsers(judged.proto, port) === 1) {
    drafts.push(draft(`${code}.rare_port`, WEIGHTS.rare_port, { measured: [hosts, num(port, 'port')], sample }))
  }
  if (census.networkUsers(judged.addr[SERVER]) === 1) {
    drafts.push(draft(`${code}.rare_network`, WEIGHTS.rare_network, { measured: [hosts], names: [judged.addr[SERVER]], sample }))
  }
  return { drafts, notEvaluated: [] }
}

/** The gaps that were tested, as they were tested. */
export function gapsPicture({ gapsUs, medianUs, tolerance, close }: Regularity): PictureData {
  return { picture: 'gaps', gapsUs: [...gapsUs], medianUs, tolerance, close }
}

export function callsPicture(series: AttemptSeries): PictureData {
  const sessions = series.kept.map((call) => ({
    atUs: call.atUs,
    bytes: call.clientBytes + call.serverBytes,
    durationUs: call.durationUs,
    odd: false,
  }))
  return { picture: 'sessions', sessions, omitted: Math.max(0, series.total - sessions.length) }
}
