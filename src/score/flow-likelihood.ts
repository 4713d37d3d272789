/**
 * How likely one flow is malicious (SCORER.md section 5.1, last lines).
 *
 *   in an episode           P of the episode that claims it; half of it when only the actor is the same
 *   in none                 at most 25 %: L = −3 + min(2.5, ½ · (−log10 p − 2)), from the anomaly alone
 *
 * In:  the episode's likelihood, the anomaly's p and weight. Out: a likelihood between 0 and 1.
 * The invariant: without an episode it never exceeds 25 %, whatever p is.
 */

import { probability } from './fusion.ts'

/** What the anomaly alone can reach. */
export const ANOMALY_MAX = 0.25
const SAME_ACTOR = 0.5
const BASE_LOG10 = -3
const GAIN_MAX = 2.5
/** Where the anomaly begins to count, as −log10 p. */
const FROM_LOG10 = 2
/** In an episode: from one in a thousand on, half a power of ten at one in a million. */
const EPISODE_FROM_LOG10 = 3
const EPISODE_MAX = 0.5

export interface FlowStanding {
  /** Likelihood of the likeliest episode that took the flow; null when none did. */
  claimedBy: number | null
  /** Likelihood of the likeliest open episode of the same actor. */
  actorOf: number | null
  /** Share of comparable flows as unusual; null when unknown. */
  p: number | null
  /** 0 … 1: how far the baseline is believed. */
  weight: number
}

export function flowLikelihood({ claimedBy, actorOf, p, weight }: FlowStanding): number {
  const alone = anomalyLikelihood(p, weight)
  if (claimedBy !== null) return Math.max(claimedBy, alone)
  return Math.max(alone, actorOf === null ? 0 : actorOf * SAME_ACTOR)
}

function anomalyLikelihood(p: number | null, weight: number): number {
  const gain = p === null ? 0 : flowLr(p, weight)
  return Math.min(ANOMALY_MAX, probability(BASE_LOG10 + gain))
}

/** What the anomaly adds to a flow that stands alone, in log10. */
export function flowLr(p: number, weight: number): number {
  return weight * Math.min(GAIN_MAX, Math.max(0, 0.5 * (-Math.log10(p) - FROM_LOG10)))
}

/** What the anomaly adds to an episode, in log10: at most EPISODE_MAX. */
export function anomalyLr(p: number, weight: number): number {
  return weight * EPISODE_MAX * Math.min(1, Math.max(0, (-Math.log10(p) - EPISODE_FROM_LOG10) / 3))
}
