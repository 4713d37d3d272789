/**
 * Evidence to likelihood, by arithmetic that can be printed (SCORER.md section 5.1).
 *
 *   L = prior + Σ over groups of ( strongest + 0.3 · Σ of the rest ), each clipped to [-1.5, +2]
 *   P = 1 / (1 + 10^-L), at most the cap
 *
 * In:  a kind's prior (log10 odds) and its evidence, for and against. Out: P, its band, and one step a factor.
 * The invariant: the steps' log10 values add up to L, so that the printed line can be checked by hand.
 */

import type { Band, Evidence, EvidenceGroup, LikelihoodStep } from './evidence.ts'
import { factorText, num, percentText } from './number.ts'

const LR_MIN = -1.5
const LR_MAX = 2
/** Evidence of one group is correlated: beside the strongest, the others count this much. */
const REST_WEIGHT = 0.3

export interface Cap {
  limit: number
  why: string
}

export interface Likelihood {
  likelihood: number
  band: Band
  arithmetic: LikelihoodStep[]
  /** The cap, where it took effect. */
  cap: Cap | null
}

type Ratio = Pick<Evidence, 'lr' | 'group'>
export type Weighed = Ratio & Pick<Evidence, 'id'>

/** What `fuse` gives for the likelihood, to the last bit, without the words: what is judged again and again asks for no more. */
export function likelihoodBy(priorLog10: number, evidence: readonly Ratio[], caps: readonly Cap[]): number {
  let log10 = priorLog10
  for (const items of byGroup(evidence).values()) log10 += groupLog10(items)
  const limit = caps.reduce((low, cap) => Math.min(low, cap.limit), 1)
  return Math.min(probability(log10), limit)
}

export function fuse(priorLog10: number, evidence: readonly Weighed[], caps: readonly Cap[]): Likelihood {
  const prior: LikelihoodStep = { name: 'prior', log10: priorLog10, text: priorText(probability(priorLog10)), evidenceIds: [] }
  const arithmetic = [prior, ...groupSteps(evidence)]
  const uncapped = probability(arithmetic.reduce((sum, step) => sum + step.log10, 0))
  const lowest = caps.reduce<Cap | null>((low, cap) => (low === null || cap.limit < low.limit ? cap : low), null)
  const cap = lowest !== null && uncapped > lowest.limit ? lowest : null
  const likelihood = cap === null ? uncapped : cap.limit
  if (cap !== null) {
    const log10 = logOdds(cap.limit) - logOdds(uncapped)
    arithmetic.push({ name: 'cap', log10, text: `at most ${percentText(cap.limit)}`, evidenceIds: [] })
  }
  return { likelihood, band: bandOf(likelihood), arithmetic, cap }
}

function groupSteps(evidence: readonly Weighed[]): LikelihoodStep[] {
  return [...byGroup(evidence)].map(([name, items]) => {
    const log10 = groupLog10(items)
    return { name, log10, text: factorText(log10), evidenceIds: items.map((item) => item.id) }
  })
}

/** In order of first appearance, so that the strongest evidence leads when the list is sorted. */
function byGroup<T extends Ratio>(evidence: readonly T[]): Map<EvidenceGroup, T[]> {
  const groups = new Map<EvidenceGroup, T[]>()
  for (const item of evidence) {
    // A ratio of 0 says that something was looked at and weighs nothing.
    if (item.lr === 0) continue
    const group = groups.get(item.group)
    if (group === undefined) groups.set(item.group, [item])
    else group.push(item)
  }
  return groups
}

function groupLog10(items: readonly Ratio[]): number {
  const clipped = items.map(({ lr }) => Math.min(LR_MAX, Math.max(LR_MIN, lr)))
  clipped.sort((a, b) => Math.abs(b) - Math.abs(a))
  const rest = clipped.slice(1).reduce((sum, lr) => sum + lr, 0)
  return clipped[0] + REST_WEIGHT * rest
}

/** A prior under one per cent keeps its digit: the printed arithmetic must come out. */
function priorText(p: number): string {
  return p < 0.0095 ? num(p * 100, 'percent').text : percentText(p)
}

export function probability(log10Odds: number): number {
  return 1 / (1 + 10 ** -log10Odds)
}

function logOdds(p: number): number {
  return Math.log10(p / (1 - p))
}

/** Words for likelihoods, from the top; the last has no lower limit. */
const BANDS: readonly { from: number; band: Band }[] = [
  { from: 0.95, band: 'very likely malicious' },
  { from: 0.8, band: 'likely malicious' },
  { from: 0.5, band: 'suspicious' },
  { from: 0.2, band: 'unclear' },
  { from: 0, band: 'likely benign' },
]

export function bandOf(likelihood: number): Band {
  return BANDS.find((row) => likelihood >= row.from)?.band ?? 'likely benign'
}
