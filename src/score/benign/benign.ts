/**
 * What a benign explanation is: one file with its row, one line in table.ts.
 *
 * A row is asked about every episode of the kinds it applies to. It always answers with a measurement, for itself (negative
 * likelihood ratio) or against itself (ratio 0), so that a report can say what was considered and why it was not believed.
 */

import type { Context } from '../../context/context.ts'
import type { Assessment, Draft } from '../detectors/detector.ts'
import type { Kind } from '../detectors/table.ts'
import type { Cap } from '../fusion.ts'
import type { ScoreOptions } from '../options.ts'

export interface BenignQuestion {
  kind: string
  actor: string
  /** The victim of the flow that led here. */
  victim: string
  assessment: Assessment
  context: Context
  roles: ScoreOptions['roles']
  /** Packet time in whole seconds since 1970. */
  nowSec: number
  sample: Draft['sample']
}

export interface BenignAnswer {
  evidence: Draft | null
  /** An upper limit that the explanation sets; null when it sets none. */
  cap: Cap | null
  notEvaluated: { code: string; why: string }[]
}

/** The detector did not measure what this row asks about. */
export const NOTHING_MEASURED: BenignAnswer = { evidence: null, cap: null, notEvaluated: [] }

export interface BenignRow {
  /** SCORER.md section 6 B. */
  id: string
  title: string
  appliesTo: readonly Kind[]
  /** log10 likelihood ratio when it holds. */
  lr: number
  /** Goes on from "If …": what would have to be observed. */
  ifTrue: string
  ask(question: BenignQuestion): BenignAnswer
}

interface BenignWords {
  code: string
  label: string
  claim: string
  next: string
}

/** A draft for (`lr` < 0) or against (`lr` 0) a benign explanation. */
export function benignDraft(words: BenignWords, lr: number, rest: Pick<Draft, 'measured' | 'names' | 'sample'>): Draft {
  return { ...words, ...rest, lr, group: 'benign', basis: 'expert', supports: 'benign' }
}
