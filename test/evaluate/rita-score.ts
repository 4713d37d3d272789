/**
 * RITA v5's beacon score of one pair of hosts (activecm/rita, analysis/beacons.go), to compare ours with.
 *
 * In:  start times and sent bytes of a pair's connections within a day. Out: a score from 0 to 1; null under four connections.
 * Not: its modifiers for prevalence and first sight, which need days of a whole network.
 */

const HOURS = 24
const US_PER_HOUR = 3600e6
const UNIQUE_CONNECTIONS_MIN = 4
/** Under this spread the skewness says nothing. */
const SPREAD_MIN = 10
const BARS_FOR_DURATION_MIN = 6
const BARS_FOR_HISTOGRAM_MIN = 11
const LONGEST_RUN_FULL = 12
const BAR_HEIGHT_BIN = 0.05

export interface PairConnections {
  /** µs, in any order. */
  startsUs: readonly number[]
  /** Octets that the initiator sent, one a connection. */
  sentBytes: readonly number[]
}

export function ritaScore({ startsUs, sentBytes }: PairConnections): number | null {
  const starts = [...new Set(startsUs)].sort((a, b) => a - b)
  if (starts.length < UNIQUE_CONNECTIONS_MIN) return null
  const gapsS = starts.slice(1).map((at, i) => (at - starts[i]) / 1e6)
  const bars = hourlyCounts(starts)
  return (regularity(gapsS) + regularity(sentBytes) + histogramScore(bars) + durationScore(starts, bars)) / 4
}

/** Half symmetry (Bowley's skewness), half narrowness (median absolute deviation). */
function regularity(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const [q1, q2, q3] = [0.25, 0.5, 0.75].map((share) => quantile(sorted, share))
  const isTelling = q3 - q1 >= SPREAD_MIN && q2 !== q1 && q2 !== q3
  const bowley = isTelling ? (q1 + q3 - 2 * q2) / (q3 - q1) : 0
  const deviations = sorted.map((value) => Math.abs(value - q2)).sort((a, b) => a - b)
  const narrowness = q2 === 0 ? 0 : Math.max(0, (q2 - quantile(deviations, 0.5)) / q2)
  return (1 - Math.abs(bowley) + narrowness) / 2
}

function hourlyCounts(starts: readonly number[]): number[] {
  const bars = Array.from({ length: HOURS }, () => 0)
  for (const at of starts) bars[Math.min(HOURS - 1, Math.floor((at - starts[0]) / US_PER_HOUR))]++
  return bars
}

/** Evenly used hours, or two usual heights with one exception. */
function histogramScore(bars: readonly number[]): number {
  const mean = bars.reduce((sum, bar) => sum + bar, 0) / bars.length
  const variance = bars.reduce((sum, bar) => sum + (bar - mean) ** 2, 0) / bars.length
  const evenness = Math.max(0, 1 - Math.sqrt(variance) / mean)
  const used = bars.filter((bar) => bar > 0)
  if (used.length < BARS_FOR_HISTOGRAM_MIN) return evenness
  const highest = Math.max(...used)
  const heights = new Map<number, number>()
  for (const bar of used) {
    const bin = Math.round(bar / highest / BAR_HEIGHT_BIN)
    heights.set(bin, (heights.get(bin) ?? 0) + 1)
  }
  const [first = 0, second = 0] = [...heights.values()].sort((a, b) => b - a)
  return Math.max(evenness, Math.min(1, (first + second) / (used.length - 1)))
}

function durationScore(starts: readonly number[], bars: readonly number[]): number {
  if (bars.filter((bar) => bar > 0).length < BARS_FOR_DURATION_MIN) return 0
  let longest = 0
  let run = 0
  for (const bar of bars) {
    run = bar > 0 ? run + 1 : 0
    longest = Math.max(longest, run)
  }
  const coverage = (starts[starts.length - 1] - starts[0]) / (HOURS * US_PER_HOUR)
  return Math.min(1, Math.max(coverage, longest / LONGEST_RUN_FULL))
}

function quantile(sorted: readonly number[], share: number): number {
  const at = (sorted.length - 1) * share
  const low = Math.floor(at)
  return sorted[low] + (at - low) * (sorted[Math.min(low + 1, sorted.length - 1)] - sorted[low])
}
