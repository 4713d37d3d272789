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
import type { AlertEvent, Change, Evidence, Observation } from './evidence.ts'
import type { Cap, Likelihood, Weighed } from './fusion.ts'
import { bandOf, fuse, likelihoodBy } from './fusion.ts'
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

export type Verdict = { hasSucceeded: boolean; observations: Observation[]; changes?: Change[] } & Pick<
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

interface Weighing {
  evidence: Evidence[]
  benign: Evidence[]
  caps: Cap[]
  answers: BenignAnswer[]
  fused: Likelihood
}

/** The likelihood alone, by the same way. */
export function likelihoodOf(question: VerdictQuestion): number {
  const { detector } = question
  const { evidence, benign, caps } = drafted(question, askBenign(question))
  return likelihoodBy(detector.priorLog10, [...evidence, ...benign], caps)
}

/** The strongest for malice first; the strongest against it first. */
function drafted(question: VerdictQuestion, answers: readonly BenignAnswer[]): { evidence: Draft[]; benign: Draft[]; caps: Cap[] } {
  const { detector, assessment } = question
  const drafts = [...assessment.evidence, question.chain, question.anomaly].filter((item) => item !== null)
  return {
    evidence: drafts.sort((a, b) => b.lr - a.lr),
    benign: answers.flatMap((answer) => answer.evidence ?? []).sort((a, b) => a.lr - b.lr),
    caps: [detector.cap, ...assessment.caps, ...answers.flatMap((answer) => answer.cap ?? [])],
  }
}

function weigh(question: VerdictQuestion): Weighing {
  const answers = askBenign(question)
  const drafts = drafted(question, answers)
  const evidence = numbered('E', drafts.evidence)
  const benign = numbered('B', drafts.benign)
  const fused = fuse(question.detector.priorLog10, [...evidence, ...benign], drafts.caps)
  return { evidence, benign, caps: drafts.caps, answers, fused }
}

export function judgeEpisode(question: VerdictQuestion): Verdict {
  const { detector, assessment } = question
  const { evidence, benign, caps, answers, fused } = weigh(question)
  const observations = observationsOf(question, evidence, benign, caps)
  const graded = gradeSeverity({
    base: detector.severityBase,
    isActorInternal: question.isActorInternal,
    isFromOutside: detector.isBackgroundFromOutside && question.direction === 'in',
    success: assessment.success,
    scaleRatio: assessment.scaleRatio,
    answeredServers: assessment.answeredServers,
    atLeastLow: assessment.atLeastLow,
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
    wouldChange: observations.map(({ text, likelihood }) => `If ${text}, the verdict would be “${bandOf(likelihood)}”.`),
    observations,
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

function numbered(letter: string, drafts: readonly Draft[]): Evidence[] {
  return drafts.map((item, i) => ({ id: `${letter}${i + 1}`, ...item }))
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

const OBSERVATIONS_MAX = 2

/** What somebody could find out that would move the likelihood most: that evidence has a harmless cause, or that a benign explanation holds. */
function observationsOf(
  question: VerdictQuestion,
  evidence: readonly Evidence[],
  benign: readonly Evidence[],
  caps: readonly Cap[],
): Observation[] {
  const { detector } = question
  const all = [...evidence, ...benign]
  const likelihoodWith = (items: readonly Weighed[]): number => likelihoodBy(detector.priorLog10, items, caps)
  const now = likelihoodWith(all)
  const explained = evidence
    .filter((item) => item.lr > 0)
    .map((item) => ({ text: harmlessCause(item), likelihood: likelihoodWith(all.filter((other) => other.id !== item.id)) }))
  const held = BENIGN.filter((row) => row.appliesTo.some((kind) => kind === detector.kind))
    .filter((row) => row.lr < 0 && !benign.some((item) => item.lr < 0 && item.code.startsWith(`${row.id}.`)))
    .map((row) => ({ text: row.ifTrue, likelihood: likelihoodWith([...all, { id: row.id, lr: row.lr, group: 'benign' as const }]) }))
  return [...explained, ...held]
    .map((observation) => ({ ...observation, likelihood: rounded(observation.likelihood) }))
    .sort((a, b) => Math.abs(b.likelihood - now) - Math.abs(a.likelihood - now))
    .slice(0, OBSERVATIONS_MAX)
}

function harmlessCause({ label, alt }: Evidence): string {
  return `“${label}” had a harmless cause${alt === undefined ? '' : ` (${alt})`}`
}

/** Four digits are more than a likelihood deserves, and make the line readable. */
function rounded(p: number): number {
  return Math.round(p * 1e4) / 1e4
}
