/**
 * "What would change this", found by scoring again.
 *
 * In:  how an episode was judged: the look, and a way to judge another look by the same detector, weights, benign explanations and
 *      caps. Out: for each measure the smallest change that brings the likelihood under the threshold, if there is one.
 * Not: words about weights. What is changed is what was measured; the detector's own entry test and weights do the rest.
 * The invariant: with the stated value, as it is written, the alert would not be there; with half the change it still would.
 */

import type { Change } from '../evidence.ts'
import { num } from '../number.ts'
import type { Measure } from './measure.ts'

/** @typeParam Seen what is looked at: a flow with its surroundings, or an ARP message with its own. */
export interface Rejudging<Seen> {
  look: Seen
  /** The likelihood another look would have had; null: the entry test would not be met. */
  rejudge(look: Seen): number | null
  measures: readonly Measure<unknown, Seen>[]
  options: unknown
  likelihoodMin: number
  /** What was found when the episode was judged last: mostly it still holds. */
  before: readonly Change[]
}

/** What of a measure the search itself asks. */
type Graded = Pick<Measure<unknown>, 'what' | 'unit' | 'side'>

/** Two are told: more read like a manual. */
const CHANGES_MAX = 2
const STEPS_MAX = 14
/** Closer than this nobody asks. */
const PRECISION = 1 / 128
const MOST_FACTOR = 10

export function changesOf<Seen>(rejudging: Rejudging<Seen>): Change[] {
  const found = rejudging.measures.map((measure) => smallestChange(measure, rejudging)).filter((change) => change !== null)
  return found.sort((a, b) => shareOf(a) - shareOf(b)).slice(0, CHANGES_MAX)
}

/** How large a change is beside what was measured. */
function shareOf({ from, to }: Change): number {
  return Math.abs(to.v - from.v) / Math.max(1, Math.abs(from.v))
}

function smallestChange<Seen>(measure: Measure<unknown, Seen>, rejudging: Rejudging<Seen>): Change | null {
  const { look, rejudge, options, likelihoodMin } = rejudging
  const { change, what, unit } = measure
  const from = measure.read(look, options)
  if (change === null || from === null) return null
  const known = new Map<number, number | null>()
  const likelihoodAt = (value: number): number | null => {
    const found = known.get(value)
    if (found !== undefined) return found
    const likelihood = rejudge(change(look, value, options))
    known.set(value, likelihood)
    return likelihood
  }
  const isGone = (value: number): boolean => (likelihoodAt(value) ?? 0) < likelihoodMin
  const to = asBefore(measure, from, rejudging.before, isGone) ?? crossing(measure, from, extremeOf(measure, look, options, from), isGone)
  if (to === null) return null
  const half = halfway(measure, from, to)
  const likelihoodAtHalf = likelihoodAt(half)
  if (half === to || likelihoodAtHalf === null || likelihoodAtHalf < likelihoodMin) return null
  const after = likelihoodAt(to)
  return {
    what,
    from: num(written(measure, from), unit),
    to: num(to, unit),
    half: num(half, unit),
    likelihood: after === null ? null : rounded(after),
    likelihoodAtHalf: rounded(likelihoodAtHalf),
  }
}

/** The value found last time, if there is still no alert with it, and still one a step nearer: two judgements instead of ten. */
function asBefore(measure: Graded, from: number, before: readonly Change[], isGone: (value: number) => boolean): number | null {
  const last = before.find((change) => change.what === measure.what)?.to.v
  if (last === undefined || (measure.side === 'at least' ? last >= from : last <= from)) return null
  const nearer = measure.side === 'at least' ? last + stepAt(measure, last) : last - stepAt(measure, last)
  return isGone(last) && !isGone(nearer) ? last : null
}

function extremeOf<Seen>(measure: Measure<unknown, Seen>, look: Seen, options: unknown, from: number): number {
  return measure.side === 'at least' ? (measure.least?.(look) ?? 1) : mostOf(measure, look, options, from)
}

function mostOf<Seen>(measure: Measure<unknown, Seen>, look: Seen, options: unknown, from: number): number {
  return measure.most === undefined ? MOST_FACTOR * Math.max(1, from, measure.bound(look, options)) : measure.most(look)
}

/** The value nearest to `from` that is gone, by halving what lies between; null when even the extreme is not. */
function crossing(measure: Graded, from: number, extreme: number, isGone: (value: number) => boolean): number | null {
  if (Math.abs(extreme - from) < 1e-9 || !isGone(extreme)) return null
  let there = from
  let gone = extreme
  for (let i = 0; i < STEPS_MAX; i++) {
    const middle = measure.unit === 'count' ? Math.round((there + gone) / 2) : (there + gone) / 2
    if (middle === there || middle === gone || Math.abs(gone - there) <= PRECISION * Math.abs(gone)) break
    if (isGone(middle)) gone = middle
    else there = middle
  }
  const told = outward(measure, gone, from)
  return isGone(told) ? told : null
}

/** The step in which values of about this size are told: two digits more than which say nothing. */
function stepAt({ unit }: Graded, value: number): number {
  if (unit === 'count' && Math.abs(value) < 1000) return 1
  return 10 ** Math.max(unit === 'count' ? 0 : -1, Math.floor(Math.log10(Math.max(1, Math.abs(value)))) - 1)
}

/** A value that is written as it is, no nearer to `from`. */
function outward(measure: Graded, value: number, from: number): number {
  const step = stepAt(measure, value)
  const steps = value / step
  return Number(((value < from ? Math.floor(steps + 1e-9) : Math.ceil(steps - 1e-9)) * step).toFixed(6))
}

function written(measure: Graded, value: number): number {
  return measure.unit === 'count' ? Math.round(value) : value
}

/** Half of the change, rounded towards what was measured. */
function halfway(measure: Graded, from: number, to: number): number {
  const middle = (from + to) / 2
  if (measure.unit !== 'count') return middle
  return to < from ? Math.ceil(middle) : Math.floor(middle)
}

function rounded(p: number): number {
  return Math.round(p * 1e4) / 1e4
}
