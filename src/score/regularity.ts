/**
 * Whether starts follow a clock (SCORER.md D9).
 *
 * In:  starts in order. Out: how many gaps lie close to their median, and how likely a memoryless client does that.
 * Most calls of most clients are asked about and follow no clock: until one does, nothing is made but a look at a few numbers.
 * Not: a verdict: push channels and polls follow clocks as well.
 *
 * A memoryless gap of median m lies within ±t·m of it with probability 2^-(1-t) - 2^-(1+t); within ±t·m of one of its first three
 * multiples (missed calls) with 1.75 times that. Both tolerances and both readings are tried, hence the factor of four. The median is
 * close to itself: one gap is left out of the count.
 */

export interface Regularity {
  gaps: number
  /** The gaps themselves, in order, bursts merged. */
  gapsUs: readonly number[]
  /** Gaps within the tolerance, and that tolerance as a share of the median. */
  close: number
  tolerance: number
  medianUs: number
  /** Chance under random arrivals; the median is estimated from the same gaps, so that less than 1e-9 means no more. */
  p: number
}

const TOLERANCES = [0.1, 0.35] as const
const READINGS = [
  { multiples: 1, factor: 1 },
  { multiples: 3, factor: 1.75 },
] as const
const TESTS = TOLERANCES.length * READINGS.length
/** Starts closer than this share of the median gap are one. */
const BURST_SHARE = 0.1

/** Chances are worked out once for so few gaps: beacons have two dozen, logins hundreds. */
const KEPT_BELOW = 32

interface RegularityTest {
  tolerance: number
  multiples: number
  /** Chance of one memoryless gap. */
  p: number
  /** Chances of at least `hits` of `n`, by n · KEPT_BELOW + hits; NaN where nobody asked yet. */
  tails: Float64Array
}

const REGULARITY_TESTS: readonly RegularityTest[] = TOLERANCES.flatMap((tolerance) =>
  READINGS.map(({ multiples, factor }) => ({
    tolerance,
    multiples,
    p: factor * (2 ** (tolerance - 1) - 2 ** (-tolerance - 1)),
    tails: new Float64Array(KEPT_BELOW * KEPT_BELOW).fill(Number.NaN),
  })),
)

/** What is asked for. */
export interface Clock {
  gapsMin: number
  periodMinUs: number
  chanceMax: number
}

const ANY_CLOCK: Clock = { gapsMin: 2, periodMinUs: 0, chanceMax: 1 }

// Overwritten by each question: the gaps in order, and by length.
const GAPS_MAX = 1024
const gaps = new Float64Array(GAPS_MAX)
const sorted = new Float64Array(GAPS_MAX)

/**
 * null with fewer gaps than asked for, a shorter period, or a greater chance.
 * @param count starts to look at, from the first on; never more than GAPS_MAX + 1.
 */
export function regularityOf(startsUs: ArrayLike<number>, count = startsUs.length, clock = ANY_CLOCK): Regularity | null {
  const raw = Math.min(count - 1, GAPS_MAX)
  if (raw < Math.max(2, clock.gapsMin)) return null
  for (let i = 0; i < raw; i++) gaps[i] = startsUs[i + 1] - startsUs[i]
  const n = mergeGaps(raw, BURST_SHARE * medianOfGaps(raw))
  if (n < Math.max(2, clock.gapsMin)) return null
  const medianUs = medianOfGaps(n)
  if (medianUs < clock.periodMinUs) return null
  let best = Number.POSITIVE_INFINITY
  let close = 0
  let tolerance = 0
  for (const test of REGULARITY_TESTS) {
    const hits = closeGaps(n, medianUs, test.tolerance, test.multiples)
    const p = Math.min(1, TESTS * tailOf(test, hits - 1, n - 1))
    if (p >= best) continue
    best = p
    close = hits
    tolerance = test.tolerance
  }
  if (best > clock.chanceMax) return null
  return { gaps: n, gapsUs: Array.from(gaps.subarray(0, n)), close, tolerance, medianUs, p: best }
}

function tailOf({ p, tails }: RegularityTest, hits: number, n: number): number {
  // Below 0: none is close, not even the one that is left out.
  if (hits < 0 || n >= KEPT_BELOW) return binomialTail(hits, n, p)
  const at = n * KEPT_BELOW + hits
  if (Number.isNaN(tails[at])) tails[at] = binomialTail(hits, n, p)
  return tails[at]
}

function closeGaps(n: number, median: number, tolerance: number, multiples: number): number {
  let close = 0
  for (let i = 0; i < n; i++) {
    const multiple = Math.min(multiples, Math.max(1, Math.round(gaps[i] / median)))
    if (Math.abs(gaps[i] - multiple * median) <= tolerance * median) close++
  }
  return close
}

/** Gaps under `least` are swallowed by the next one. Gives how many are left. */
function mergeGaps(n: number, least: number): number {
  let left = 0
  let carried = 0
  for (let i = 0; i < n; i++) {
    carried += gaps[i]
    if (carried < least) continue
    gaps[left++] = carried
    carried = 0
  }
  return left
}

/** Of the first `n`. Few are sorted by insertion, which takes less than calling a sort. */
function medianOfGaps(n: number): number {
  if (n >= KEPT_BELOW) {
    sorted.set(gaps.subarray(0, n))
    sorted.subarray(0, n).sort()
    return middleOf(n)
  }
  for (let i = 0; i < n; i++) {
    const gap = gaps[i]
    let at = i
    while (at > 0 && sorted[at - 1] > gap) {
      sorted[at] = sorted[at - 1]
      at--
    }
    sorted[at] = gap
  }
  return middleOf(n)
}

function middleOf(n: number): number {
  const half = n >> 1
  return n % 2 === 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2
}

export function medianOf(values: readonly number[]): number {
  const ordered = [...values].sort((a, b) => a - b)
  const half = ordered.length >> 1
  return ordered.length % 2 === 1 ? ordered[half] : (ordered[half - 1] + ordered[half]) / 2
}

/** Chance of at least `k` hits in `n` tries of probability `p`. */
export function binomialTail(k: number, n: number, p: number): number {
  let term = (1 - p) ** n
  let below = 0
  let tail = 0
  for (let i = 0; i <= n; i++) {
    if (i < k) below += term
    else tail += term
    term *= ((n - i) / (i + 1)) * (p / (1 - p))
  }
  return k === 0 ? below + tail : Math.min(1, tail)
}
