/**
 * Why one flow did, or did not, meet any detector's entry test.
 *
 * In:  a judged flow with the windows around it, as they were when it came. Out: for each detector that had something to measure, what it
 *      measured against what its test asks for; the detectors that had not; the name of what the flow looks like.
 * Not: episodes. A met entry test is not yet an alert: benign explanations and weights come after it.
 */

import type { OptionTable } from '../../base/option.ts'
import type { Detector, DetectorRow, Look } from '../detectors/detector.ts'
import { DETECTORS, type DetectorSection } from '../detectors/table.ts'
import type { Num } from '../evidence.ts'
import { type PatternName, patternOf } from '../normal-patterns.ts'
import { num } from '../number.ts'
import type { ScoreOptions } from '../options.ts'
import { measuresOf } from './table.ts'

export interface EntryTest {
  kind: string
  title: string
  /** Whether the entry test as a whole is met now. */
  isMet: boolean
  /** Actor of the finding; null when there is none. */
  actor: string | null
  measures: { what: string; measured: Num; bound: Num; side: 'at least' | 'at most'; holds: boolean }[]
}

export interface FlowExplanation {
  pattern: { name: PatternName; title: string }
  /** Detectors that measured something, those that came nearest first. */
  looked: EntryTest[]
  /** Kinds that had nothing to measure on this flow. */
  notConcerned: string[]
}

export function explainFlow(look: Look, score: ScoreOptions): FlowExplanation {
  const tests = (Object.keys(DETECTORS) as DetectorSection[]).map((section) => entryTest(section, look, score))
  const { flowId, startUs, lastUs } = look.judged
  const pattern = patternOf(look.judged, { n: 1, fromUs: startUs, toUs: lastUs, flowIds: [flowId] })
  return {
    pattern: { name: pattern.name, title: pattern.title },
    looked: tests.filter((test) => test.isMet || test.measures.length > 0).sort((a, b) => nearness(b) - nearness(a)),
    notConcerned: tests.filter((test) => !test.isMet && test.measures.length === 0).map((test) => test.kind),
  }
}

function entryTest(section: DetectorSection, look: Look, score: ScoreOptions): EntryTest {
  const detector: DetectorRow<OptionTable> | Detector<OptionTable> = DETECTORS[section]
  const options = score[section]
  const measures = measuresOf(section).flatMap((measure) => {
    const value = measure.read(look, options)
    if (value === null || !Number.isFinite(value)) return []
    const exact = measure.bound(look, options)
    // Whole things have whole bounds: as many as make the test hold.
    const bound = measure.unit !== 'count' ? exact : measure.side === 'at least' ? Math.ceil(exact) : Math.floor(exact)
    const holds = measure.side === 'at least' ? value >= bound : value <= bound
    return [
      { what: measure.what, measured: num(tidy(value), measure.unit), bound: num(tidy(bound), measure.unit), side: measure.side, holds },
    ]
  })
  // A detector that has only its upper bounds to measure was not concerned.
  const isConcerned = measures.some(({ side, measured }) => side === 'at least' && measured.v > 0)
  const finding = 'detect' in detector ? detector.detect(look, options) : null
  const { kind, title } = detector
  return { kind, title, isMet: finding !== null, actor: finding?.actor ?? null, measures: isConcerned ? measures : [] }
}

/** Bounds that are computed keep no more digits than anyone reads. */
function tidy(value: number): number {
  return Math.abs(value) < 1e4 ? Number(value.toPrecision(4)) : Math.round(value)
}

/** How near the weakest of the 'at least' measures comes to its bound: 1 and more is there. */
function nearness({ isMet, measures }: EntryTest): number {
  if (isMet) return Number.POSITIVE_INFINITY
  const shares = measures.filter(({ side }) => side === 'at least').map(({ measured, bound }) => (bound.v > 0 ? measured.v / bound.v : 1))
  return Math.min(1, ...shares) + (measures.every(({ holds }) => holds) ? 1 : 0)
}
