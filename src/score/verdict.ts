/**
 * From a detector's assessment to a verdict: evidence numbered, benign explanations asked, likelihood and severity computed.
 *
 * In:  the detector's row, its assessment, the context. Out: the judging half of an alert event.
 * Not: when to say it; that is the episodes' business.
 */

import type { Context } from '../context/context.ts'
import type { BenignAnswer } from './benign/benign.ts'
import { BENIGN } from './benign/table.ts'
import type { AnyDetector, Assessment, Draft } from './detectors/detector.ts'
import type { AlertEvent, Evidence } from './evidence.ts'
import type { Cap } from './fusion.ts'
import { fuse } from './fusion.ts'
import type { ScoreOptions } from './options.ts'
import type { Direction } from './orientation.ts'
import { gradeSeverity } from './severity.ts'
import type { TechniqueId } from './techniques.ts'
import { TECHNIQUES } from './techniques.ts'

export interface VerdictQuestion {
  detector: AnyDetector
  actor: string
  /** Of the flow that led here. */
  victim: string
  isActorInternal: boolean
  direction: Direction
  /** Distinct victims of the whole episode. */
  victimCount: number
  assessment: Assessment
  context: Context
  roles: ScoreOptions['roles']
  nowSec: number
  /** What the incident that this belongs to adds; null when it belongs to none. */
  chain: Draft | null
  /** What the baseline adds: how rare the rarest flow is; null when it adds nothing. */
  anomaly: Draft | null
}

export type Verdict = { hasSucceeded: boolean } & Pick<
  AlertEvent,
  | 'likelihood'
  | 'band'
  | 'cap'
  | 'severity'
  | 'severityWhy'
  | 'attack'
  | 'priorLog10'
  | 'arithmetic'
  | 'evidence'
  | 'benign'
  | 'notEvaluated'
  | 'wouldChange'
  | 'servicePort'
  | 'pictures'
>

const MANY_VICTIMS_MIN = 3

export function judgeEpisode(question: VerdictQuestion): Verdict {
  const { detector, assessment } = question
  const answers = askBenign(question)
  const drafts = [...assessment.evidence, question.chain, question.anomaly].filter((item) => item !== null)
  const evidence = numbered('E', drafts, (a, b) => b.lr - a.lr)
  const benign = numbered(
    'B',
    answers.flatMap((answer) => answer.evidence ?? []),
    (a, b) => a.lr - b.lr,
  )
  const caps = [detector.cap, ...assessment.caps, ...answers.flatMap((answer) => answer.cap ?? [])]
  const fused = fuse(detector.priorLog10, [...evidence, ...benign], caps)
  const graded = gradeSeverity({
    base: detector.severityBase,
    isActorInternal: question.isActorInternal,
    isFromOutside: detector.isBackgroundFromOutside && question.direction === 'in',
    success: assessment.success,
    scaleRatio: assessment.scaleRatio,
    answeredServers: assessment.answeredServers,
    likelihood: fused.likelihood,
  })
  return {
    hasSucceeded: assessment.success !== null,
    likelihood: rounded(fused.likelihood),
    band: fused.band,
    cap: fused.cap,
    severity: graded.severity,
    severityWhy: graded.why,
    attack: techniquesOf(question).map((id) => TECHNIQUES[id]),
    priorLog10: detector.priorLog10,
    arithmetic: fused.arithmetic,
    evidence,
    benign,
    notEvaluated: [...assessment.notEvaluated, ...answers.flatMap((answer) => answer.notEvaluated), ...directionGap(question)],
    wouldChange: wouldChange(question, evidence, benign, caps),
    servicePort: assessment.servicePort,
    pictures: assessment.pictures,
  }
}

function askBenign(question: VerdictQuestion): BenignAnswer[] {
  const { detector, actor, victim, assessment, context, roles, nowSec } = question
  const sample = assessment.evidence[0].sample
  const rows = BENIGN.filter((row) => row.appliesTo.some((kind) => kind === detector.kind))
  return rows.map((row) => row.ask({ kind: detector.kind, actor, victim, assessment, context, roles, nowSec, sample }))
}

function numbered(letter: string, drafts: readonly Draft[], order: (a: Draft, b: Draft) => number): Evidence[] {
  return [...drafts].sort(order).map((item, i) => ({ id: `${letter}${i + 1}`, ...item }))
}

function techniquesOf({ detector, isActorInternal, victimCount }: VerdictQuestion): readonly TechniqueId[] {
  const { fromInside, fromOutside, manyVictims } = detector.techniques
  const base = isActorInternal ? fromInside : fromOutside
  return victimCount >= MANY_VICTIMS_MIN ? [...base, ...manyVictims] : base
}

function directionGap({ direction }: VerdictQuestion): { code: string; why: string }[] {
  if (direction !== 'unknown') return []
  return [{ code: 'direction', why: 'whether this came from inside or outside: no address seen so far belongs to the own networks' }]
}

/** The evidence that carries most, and the benign explanation that would weigh most: what the verdict were without and with it. */
function wouldChange(
  question: VerdictQuestion,
  evidence: readonly Evidence[],
  benign: readonly Evidence[],
  caps: readonly Cap[],
): string[] {
  const { detector } = question
  const all = [...evidence, ...benign]
  const strongest = evidence[0]
  const without = fuse(
    detector.priorLog10,
    all.filter((item) => item.id !== strongest.id),
    caps,
  ).band
  const texts = [`Without “${strongest.label}” the verdict would be “${without}”.`]
  const open = BENIGN.filter((row) => row.appliesTo.some((kind) => kind === detector.kind))
    .filter((row) => row.lr < 0 && !benign.some((item) => item.lr < 0 && item.code.startsWith(`${row.id}.`)))
    .sort((a, b) => a.lr - b.lr)
  for (const row of open.slice(0, 1)) {
    const added = { id: row.id, lr: row.lr, group: 'benign' as const }
    texts.push(`If ${row.ifTrue}, the verdict would be “${fuse(detector.priorLog10, [...all, added], caps).band}”.`)
  }
  return texts
}

/** Four digits are more than a likelihood deserves, and make the line readable. */
function rounded(p: number): number {
  return Math.round(p * 1e4) / 1e4
}
