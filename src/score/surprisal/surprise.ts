/**
 * What the anomaly model says of a flow, and the same in words and numbers for people.
 *
 * In:  nothing; surprisal.ts fills these in. Out: the running record of one flow; the plain note that outlives it.
 * Not: a likelihood of attack. `p` says how seldom a comparable flow looks like this.
 */

import type { Num } from '../evidence.ts'
import { num } from '../number.ts'
import { FEATURE_COUNT, PAIR_COUNT, STATE_WORDS, SURPRISAL_FEATURES, type SurprisalFeatureName, valueAt } from './features.ts'

/** Overwritten with each flow: read it now or never. */
export interface Surprise {
  /** Sum of the contributions. */
  score: number
  /** Share of comparable flows that score as high; null before anything was committed, and for background noise. */
  p: number | null
  /** 0 while learning, 0.5 in the first day, then 1. */
  weight: number
  group: number
  values: Float64Array
  bins: Int8Array
  /** One a feature, then one a pair of features: they add up to the score. */
  contributions: Float64Array
}

export function emptySurprise(): Surprise {
  return {
    score: 0,
    p: null,
    weight: 0,
    group: 0,
    values: new Float64Array(FEATURE_COUNT),
    bins: new Int8Array(FEATURE_COUNT),
    contributions: new Float64Array(FEATURE_COUNT + PAIR_COUNT),
  }
}

/** One feature of an unusual flow beside what is normal for flows of its group. */
export interface Contribution {
  feature: SurprisalFeatureName
  words: string
  value: Num
  /** 1 in N, uncapped. */
  oneIn: Num
  /** What it is compared with: 'flows of HTTPS over TCP, …', or all flows when no such flow was seen before. */
  among: string
  scope: 'this service' | 'this network'
  /** Votes that the comparison rests on. */
  votes: number
  median: Num
  p95: Num
}

/** Kept of a flow that is rarer than one in a thousand. */
export interface SurpriseNote {
  p: number
  weight: number
  score: number
  flowId: number
  startUs: number
  lastUs: number
  /** The most telling first, at most three. */
  top: Contribution[]
}

/** A feature's value as people read it: milliseconds become a duration. */
export function featureNum(feature: number, value: number): Num {
  const { unit, name } = SURPRISAL_FEATURES[feature]
  const { isCategory } = SURPRISAL_FEATURES[feature]
  if (name === 'state') return { v: value, unit: 'count', text: STATE_WORDS[value] ?? String(value) }
  if (name === 'new_pair' || name === 'new_port') return { v: value, unit: 'count', text: value >= 1 ? 'yes' : 'no' }
  // Beyond the last bin nothing is told apart: the bin's lower edge stands for "never before".
  const shown = Number.isFinite(value) ? value : valueAt(feature, 31)
  if (isCategory) return num(shown, 'count')
  if (unit === 'us') return num(Math.round(shown * 1000), 'us')
  return num(unit === 'ratio' ? shown : Math.round(shown), unit)
}
