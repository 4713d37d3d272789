/**
 * Whether starts follow a clock (SCORER.md D9).
 *
 * In:  starts in order. Out: how many gaps lie close to their median, and how likely a memoryless client does that.
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

/** null with fewer than two gaps. */
export function regularityOf(startsUs: readonly number[]): Regularity | null {
  const raw = gapsOf(startsUs)
  if (raw.length < 2) return null
  const gaps = mergedGaps(raw, BURST_SHARE * medianOf(raw))
  if (gaps.length < 2) return null
  const medianUs = medianOf(gaps)
  let best: Regularity | null = null
  for (const tolerance of TOLERANCES) {
    for (const { multiples, factor } of READINGS) {
      const close = gaps.filter((gap) => isClose(gap, medianUs, tolerance, multiples)).length
      const p = Math.min(1, TESTS * binomialTail(close - 1, gaps.length - 1, factor * (2 ** (tolerance - 1) - 2 ** (-tolerance - 1))))
      if (best === null || p < best.p) best = { gaps: gaps.length, gapsUs: gaps, close, tolerance, medianUs, p }
    }
  }
  return best
}

function isClose(gap: number, median: number, tolerance: number, multiples: number): boolean {
  const multiple = Math.min(multiples, Math.max(1, Math.round(gap / median)))
  return Math.abs(gap - multiple * median) <= tolerance * median
}

function gapsOf(starts: readonly number[]): number[] {
  return starts.slice(1).map((start, i) => start - starts[i])
}

/** Gaps under `least` are swallowed by the next one. */
function mergedGaps(gaps: readonly number[], least: number): number[] {
  const merged: number[] = []
  let carried = 0
  for (const gap of gaps) {
    carried += gap
    if (carried < least) continue
    merged.push(carried)
    carried = 0
  }
  return merged
}

export function medianOf(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const half = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2
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
