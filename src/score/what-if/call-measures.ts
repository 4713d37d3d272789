/**
 * What the tests for calls out and tunnels measure (D9, D10, D12, D14, D16, D17, D18), each as it is and as it might have been.
 *
 * In:  looks. Out: measures. See measure.ts.
 */
import type { Attempt, AttemptSeries } from '../../context/attempts.ts'
import { CLIENT, SERVER } from '../../context/contact.ts'
import type { SideSums } from '../../context/datagrams.ts'
import { UDP } from '../../flow/flow.ts'
import type { Look } from '../detectors/detector.ts'
import { regularityOf } from '../regularity.ts'
import type { Measure } from './measure.ts'
import { lookWith, overlay } from './overlay.ts'

/** Long series are looked at only when they have grown by so many calls (c2-beacon.ts). */
const LOOKED_AT_EVERY = 8
const LOOKED_AT_ALWAYS_BELOW = 64

/** What a series says of its calls, had they been these. */
function callsOf(kept: readonly Attempt[]): Pick<AttemptSeries, 'kept' | 'keptCount' | 'startsInto'> {
  const startsInto = (out: Float64Array): number => {
    out.set(starts(kept))
    return kept.length
  }
  return { kept, keptCount: kept.length, startsInto }
}

/** A series of the newest `kept` of its calls. */
function shortened(look: Look, kept: number): Look {
  const { attempts } = look.observed
  if (attempts === null) return look
  const share = kept / Math.max(1, attempts.keptCount)
  const total = Math.round(attempts.total * share)
  const seen = total > LOOKED_AT_ALWAYS_BELOW ? total - (total % LOOKED_AT_EVERY) : total
  return lookWith(look, {
    attempts: overlay(attempts, {
      ...callsOf(attempts.kept.slice(attempts.keptCount - kept)),
      total: seen,
      failed: Math.round(attempts.failed * share),
      answered: Math.round(attempts.answered * share),
    }),
  })
}

export const CALLS: Measure<{ gaps_min: number }> = {
  what: 'calls kept for the test of the clock',
  unit: 'count',
  side: 'at least',
  read: ({ observed }) => observed.attempts?.keptCount ?? null,
  bound: (_look, options) => options.gaps_min + 1,
  change: (look, value) => shortened(look, value),
}

export const GAPS_ON_THE_CLOCK: Measure<{ gaps_min: number; chance_max_ratio: number }> = {
  what: 'gaps that keep to the clock',
  unit: 'count',
  side: 'at least',
  read: ({ observed }) => (observed.attempts === null ? null : (regularityOf(starts(observed.attempts.kept))?.close ?? null)),
  // With more than half of them put off it, the clock is another one.
  least: ({ observed }) => Math.ceil((observed.attempts?.keptCount ?? 0) / 2),
  bound: ({ observed }, options) => leastClose(observed.attempts?.kept ?? [], options.chance_max_ratio),
  change: (look, value) => {
    const { attempts } = look.observed
    if (attempts === null) return look
    return lookWith(look, { attempts: overlay(attempts, callsOf(disturbed(attempts.kept, value))) })
  },
}

function starts(calls: readonly Attempt[]): number[] {
  return calls.map((call) => call.atUs)
}

/** Half a period too long is on no multiple of the clock. */
const OFF_CLOCK = 0.5

/** So many gaps put off the clock, the newest first, that `close` are left on it. */
function disturbed(calls: readonly Attempt[], close: number): Attempt[] {
  const now = regularityOf(starts(calls))
  if (now === null) return [...calls]
  let toDisturb = now.close - close
  let shiftUs = 0
  return calls.map((call, i) => {
    if (i > 0 && toDisturb > 0 && isOnClock(call.atUs - calls[i - 1].atUs, now.medianUs, now.tolerance)) {
      // Now longer, now shorter, so that the middle gap stays.
      shiftUs += (toDisturb % 2 === 0 ? OFF_CLOCK : -OFF_CLOCK) * now.medianUs
      toDisturb--
    }
    return { ...call, atUs: call.atUs + shiftUs }
  })
}

function isOnClock(gapUs: number, medianUs: number, tolerance: number): boolean {
  return Math.abs(gapUs - Math.max(1, Math.round(gapUs / medianUs)) * medianUs) <= tolerance * medianUs
}

/** How many gaps must keep to the clock, of as many as there are. */
function leastClose(calls: readonly Attempt[], chanceMax: number): number {
  const gaps = calls.length - 1
  for (let close = 1; close <= gaps; close++) {
    const disturbedCalls = regularityOf(starts(disturbed(calls, close)))
    if (disturbedCalls !== null && disturbedCalls.p <= chanceMax) return close
  }
  return gaps
}

export const FAILED_CALLS: Measure<{ attempts_min: number }> = {
  what: 'calls without an answer',
  unit: 'count',
  side: 'at least',
  read: ({ observed }) => (observed.attempts === null ? null : Math.min(observed.attempts.keptCount, observed.attempts.failed)),
  bound: (_look, options) => options.attempts_min,
  change: (look, value) => shortened(look, value),
}

export const ANSWERED_CALLS: Measure<{ failed_share_min: number }> = {
  what: 'calls that were answered',
  unit: 'count',
  side: 'at most',
  read: ({ observed }) => (observed.attempts === null ? null : observed.attempts.total - observed.attempts.failed),
  bound: ({ observed }, options) => (observed.attempts?.total ?? 0) * (1 - options.failed_share_min),
  most: ({ observed }) => observed.attempts?.total ?? 0,
  change: (look, value) => {
    const { attempts } = look.observed
    return attempts === null ? look : lookWith(look, { attempts: overlay(attempts, { failed: attempts.total - value, answered: value }) })
  },
}

function withSide(look: Look, changed: 0 | 1, change: (sums: SideSums) => SideSums): Look {
  const { datagrams } = look.observed
  if (datagrams === null) return look
  const side = (which: 0 | 1): SideSums => (which === changed ? change(datagrams.side(which)) : datagrams.side(which))
  return lookWith(look, { datagrams: overlay(datagrams, { side }) })
}

const isLookup = ({ judged }: Look): boolean => judged.proto === UDP

export const LOOKUPS: Measure<{ queries_min: number; large_queries_min: number; large_query_bytes_min: number }> = {
  what: 'questions to the name server',
  unit: 'count',
  side: 'at least',
  read: (look) => (isLookup(look) ? (look.observed.datagrams?.side(CLIENT).packets ?? null) : null),
  bound: ({ observed }, options) =>
    (observed.datagrams?.side(CLIENT).meanBytes ?? 0) >= options.large_query_bytes_min ? options.large_queries_min : options.queries_min,
  change: (look, value) => withSide(look, CLIENT, (sums) => ({ ...sums, packets: value, bytes: value * sums.meanBytes })),
}

export const LOOKUP_BYTES: Measure<{ query_bytes_min: number }> = {
  what: 'payload of a question in the mean',
  unit: 'B',
  side: 'at least',
  read: (look) => (isLookup(look) ? (look.observed.datagrams?.side(CLIENT).meanBytes ?? null) : null),
  bound: (_look, options) => options.query_bytes_min,
  change: (look, value) => withSide(look, CLIENT, (sums) => ({ ...sums, meanBytes: value, bytes: value * sums.packets })),
}

function echoesOf(look: Look): { count: number; meanBytes: number; variation: number } | null {
  const { datagrams } = look.observed
  if (datagrams === null || isLookup(look)) return null
  const sides = [datagrams.side(CLIENT), datagrams.side(SERVER)]
  const count = sides[0].packets + sides[1].packets
  const variation = Math.max(sides[0].variation ?? 0, sides[1].variation ?? 0)
  return { count, meanBytes: count === 0 ? 0 : (sides[0].bytes + sides[1].bytes) / count, variation }
}

/** Both ways together, `factor` times as many packets, each `size` times as large. */
function withEchoes(look: Look, factor: number, size: number): Look {
  const { datagrams } = look.observed
  if (datagrams === null) return look
  const side = (which: 0 | 1): SideSums => {
    const sums = datagrams.side(which)
    const packets = sums.packets * factor
    return { ...sums, packets, meanBytes: sums.meanBytes * size, bytes: packets * sums.meanBytes * size }
  }
  return lookWith(look, { datagrams: overlay(datagrams, { side }) })
}

export const ECHOES: Measure<{ echoes_min: number }> = {
  what: 'echoes exchanged',
  unit: 'count',
  side: 'at least',
  read: (look) => echoesOf(look)?.count ?? null,
  bound: (_look, options) => options.echoes_min,
  change: (look, value) => withEchoes(look, value / Math.max(1, echoesOf(look)?.count ?? 0), 1),
}

export const ECHO_BYTES: Measure<{ payload_bytes_min: number }> = {
  what: 'payload of an echo in the mean',
  unit: 'B',
  side: 'at least',
  read: (look) => echoesOf(look)?.meanBytes ?? null,
  bound: (_look, options) => options.payload_bytes_min,
  change: (look, value) => withEchoes(look, 1, value / Math.max(1, echoesOf(look)?.meanBytes ?? 0)),
}

export const ECHO_VARIATION: Measure<{ variation_min: number }> = {
  what: 'difference between the sizes of the echoes',
  unit: 'percent',
  side: 'at least',
  read: (look) => {
    const echoes = echoesOf(look)
    return echoes === null ? null : echoes.variation * 100
  },
  bound: (_look, options) => options.variation_min * 100,
  change: (look, value) => {
    const { datagrams } = look.observed
    const now = echoesOf(look)?.variation ?? 0
    if (datagrams === null || now === 0) return look
    const side = (which: 0 | 1): SideSums => {
      const sums = datagrams.side(which)
      return { ...sums, variation: ((sums.variation ?? 0) * value) / 100 / now }
    }
    return lookWith(look, { datagrams: overlay(datagrams, { side }) })
  },
}

export const OVERREADS: Measure<{ sessions_min: number; request_bytes_max: number; answer_bytes_min: number; answer_ratio_min: number }> = {
  what: 'sessions that fetched much for little',
  unit: 'count',
  side: 'at least',
  read: ({ observed, judged }, options) =>
    observed.attempts === null || !judged.isServerInternal
      ? null
      : observed.attempts.kept.filter((call) => isOverread(call, options)).length,
  bound: (_look, options) => options.sessions_min,
  change: null,
}

function isOverread(call: Attempt, options: { request_bytes_max: number; answer_bytes_min: number; answer_ratio_min: number }): boolean {
  if (call.clientBytes === 0 || call.clientBytes > options.request_bytes_max) return false
  return call.serverBytes >= Math.max(options.answer_bytes_min, options.answer_ratio_min * call.clientBytes)
}

export const CONNECTION_LASTED: Measure<{ lasting_min_s: number }> = {
  what: 'how long the connection lasted',
  unit: 'us',
  side: 'at least',
  read: ({ judged, observed }) => (observed.long === null ? judged.lastUs - judged.startUs : observed.long.lastUs - observed.long.startUs),
  bound: (_look, options) => options.lasting_min_s * 1e6,
  change: null,
}

export const SERVER_KNOWN: Measure<{ known_min_s: number }> = {
  what: 'how long the host was known as a server before this service',
  unit: 'us',
  side: 'at least',
  read: ({ judged, context }) =>
    !judged.isServerInternal || judged.outcome !== 'answered' || judged.isContinuation ? null : context.services.newServiceOf(judged),
  bound: (_look, options) => options.known_min_s * 1e6,
  change: null,
}
