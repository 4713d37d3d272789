/**
 * Whether a network has become another one: the population stability index between the baseline and what came since.
 *
 *   PSI = Σ (q − p) · ln(q / p) over the bins of a feature, both shares smoothed by half a vote a bin
 *
 * In:  the baseline's counts by feature, and those of the last day: a night differs from a day on every network. Out: the features whose index is beyond DRIFT_MIN; 0.25 is where the index is read as "changed".
 * Not: the time of the week: the hours since a commit are always other hours.
 */

import { BINS, FEATURE_COUNT, TIME_OF_WEEK } from './features.ts'

const DRIFT_MIN = 0.25
export const DRIFT_FEATURES_MIN = 3
/** So many commits in a row. */
export const DRIFT_COMMITS_MIN = 2
/** Fewer votes differ by chance. */
const VOTES_MIN = 200

export interface Drifted {
  feature: number
  psi: number
}

/** The most changed first. */
export function driftOf(base: Float64Array, recent: Float64Array): Drifted[] {
  const drifted: Drifted[] = []
  for (let feature = 0; feature < FEATURE_COUNT; feature++) {
    if (feature === TIME_OF_WEEK) continue
    const psi = stabilityIndex(row(base, feature), row(recent, feature))
    if (psi > DRIFT_MIN) drifted.push({ feature, psi })
  }
  return drifted.sort((a, b) => b.psi - a.psi)
}

export function stabilityIndex(before: Float64Array, after: Float64Array): number {
  const n = before.reduce((a, b) => a + b, 0)
  const m = after.reduce((a, b) => a + b, 0)
  if (n < VOTES_MIN || m < VOTES_MIN) return 0
  let psi = 0
  for (let b = 0; b < BINS; b++) {
    const p = (before[b] + 0.5) / (n + 0.5 * BINS)
    const q = (after[b] + 0.5) / (m + 0.5 * BINS)
    psi += (q - p) * Math.log(q / p)
  }
  return psi
}

function row(counts: Float64Array, feature: number): Float64Array {
  return counts.subarray(feature * BINS, (feature + 1) * BINS)
}
