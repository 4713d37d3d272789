/**
 * A folder of labelled captures judged one by one, and what comes of it by kind.
 *
 * In:  a folder with `labels.tsv`. Out: one outcome a capture; sums by expected kind; alerts on what should be quiet; measures.
 * Not: tuning. A label is read after its capture was judged, and a file's name never reaches the scorer.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Config, loadConfig } from '../../src/config.ts'
import { judgeLogs, type LogOutcome, trialOf } from './flow-logs.ts'
import type { JudgedCapture } from './judge-capture.ts'
import { judgeCapture } from './judge-capture.ts'
import type { Label } from './labels.ts'
import { isWantedPath, readLabels } from './labels.ts'
import type { Judgement, ReliabilityRow } from './measures.ts'
import { brierScore, expectedCalibrationError, reliability } from './measures.ts'
import { isAlert, isWanted, type Outcome, outcomeOf } from './outcome.ts'
import { readOwnLabels } from './own-captures.ts'
import { PACKETS_RULE, SIMPLE_RULES } from './simple-rules.ts'
import type { TrialRow } from './surprisal-trial.ts'
import { judgeVariations, type LabelledCapture } from './variations.ts'

const HOURS_A_DAY = 24
/** A capture in which nothing was noticed at all is stated harmless at this likelihood. */
const UNNOTICED = 0.01

export interface EvaluationOptions {
  folder: string
  /** For one capture. */
  timeLimitMs: number
  /** Captures of our own making, with their manifest: judged for calibration, counted apart. */
  ownFolder: string
  /** Only files whose path contains one of these parts, separated by commas. */
  only: string
  onCapture: (done: number, total: number) => void
}

export interface KindRow {
  kind: string
  howSure: string
  found: number
  missed: number
  flowsMedian: number | null
  secondsMedian: number | null
}

/** One simple rule on the same captures, beside what we found there. */
export interface RuleRow {
  name: string
  kinds: readonly string[]
  /** Captures that hold such a kind: how many the rule speaks on, and how many we alert on. */
  attacks: number
  found: number
  foundByUs: number
  /** Benign captures: how many the rule speaks on, and how many we raise such a kind on. */
  benign: number
  benignSpoken: number
  benignByUs: number
}

export interface Calibration {
  judgements: number
  brier: number | null
  ece: number | null
  table: ReliabilityRow[]
}

export interface Evaluation {
  captures: number
  packets: number
  flows: number
  kinds: KindRow[]
  outcomes: Outcome[]
  /** Of the captures of our own. */
  ownOutcomes: Outcome[]
  benign: { captures: number; hostDays: number; alerts: number; notifications: number; high: number }
  rules: RuleRow[]
  calibration: Calibration
  /** The same by where the judgements come from. */
  calibrationBySource: (Calibration & { source: string })[]
  captureBrier: number | null
  /** Logs of flow records in `flows/`; empty without that folder. */
  logs: LogOutcome[]
  surprisal: TrialRow[]
}

export async function evaluate(options: EvaluationOptions): Promise<Evaluation> {
  const config = loadConfig({})
  const labels = readLabels(readFileSync(join(options.folder, 'labels.tsv'), 'utf8'))
  const captures = labels.filter((label) => isCapture(label) && isWantedPath(label.file, options.only))
  const judged: { label: Label; capture: JudgedCapture }[] = []
  for (const [i, label] of captures.entries()) {
    judged.push({ label, capture: await judgeCapture(join(options.folder, label.file), config, options.timeLimitMs) })
    options.onCapture(i + 1, captures.length)
  }
  const outcomes = judged.map(({ label, capture }) => outcomeOf(label, capture))
  const quiet = judged.filter(({ label }) => label.mustBeQuiet)
  const quietAlerts = quiet.flatMap(({ capture }) => capture.episodes.filter(isAlert))
  const logs = await judgeLogs(options.folder, config, options.only)
  const own = await judgeOwn(options, config)
  const bySource = [
    { source: 'captures of the folder', judgements: judged.flatMap(({ label, capture }) => judgementsOf([label], capture)) },
    { source: 'captures of our own', judgements: own.judgements },
    { source: 'flow records', judgements: logs.flatMap((log) => log.judgements) },
  ]
  return {
    captures: judged.length,
    packets: judged.reduce((sum, { capture }) => sum + capture.packets, 0),
    flows: judged.reduce((sum, { capture }) => sum + capture.flows, 0),
    kinds: kindRows([...outcomes, ...own.outcomes]),
    ownOutcomes: own.outcomes,
    outcomes,
    benign: {
      captures: quiet.length,
      hostDays: quiet.reduce((sum, { capture }) => sum + capture.hostHours, 0) / HOURS_A_DAY,
      alerts: quietAlerts.length,
      notifications: quietAlerts.filter(({ isNotified }) => isNotified).length,
      high: quietAlerts.filter(({ alert }) => alert.severity === 'high' || alert.severity === 'critical').length,
    },
    rules: ruleRows(judged),
    calibration: calibrationOf(bySource.flatMap(({ judgements }) => judgements)),
    calibrationBySource: bySource.map(({ source, judgements }) => ({ source, ...calibrationOf(judgements) })),
    captureBrier: brierScore(judged.flatMap(({ label, capture }) => captureJudgement(label, capture))),
    logs,
    surprisal: await trialOf(options.folder, config, options.only),
  }
}

function calibrationOf(judgements: readonly Judgement[]): Calibration {
  return {
    judgements: judgements.length,
    brier: brierScore(judgements),
    ece: expectedCalibrationError(judgements),
    table: reliability(judgements),
  }
}

interface OwnJudged {
  judgements: Judgement[]
  outcomes: Outcome[]
}

async function judgeOwn({ ownFolder, only, timeLimitMs }: EvaluationOptions, config: Config): Promise<OwnJudged> {
  const own: OwnJudged = { judgements: [], outcomes: [] }
  for (const { path, labels } of ownCaptures(ownFolder).filter((capture) => isWantedPath(capture.path, only))) {
    const capture = await judgeCapture(path, config, timeLimitMs)
    own.judgements.push(...judgementsOf(labels, capture))
    own.outcomes.push(...labels.map((label) => outcomeOf(label, capture)))
  }
  return own
}

function ownCaptures(ownFolder: string): LabelledCapture[] {
  const labels = readOwnLabels(ownFolder)
  const files = [...new Set(labels.map(({ file }) => file))]
  return files.map((file) => ({ path: join(ownFolder, file), labels: labels.filter((label) => label.file === file) }))
}

/** @param isBenignVaried quiet captures of the folder, too; they are many. Those of pcaps/ always are. */
export async function evaluateVariations(options: EvaluationOptions & { isBenignVaried: boolean }) {
  const { folder, ownFolder, isBenignVaried, only, timeLimitMs, onCapture } = options
  const labels = readLabels(readFileSync(join(folder, 'labels.tsv'), 'utf8'))
  const attacks = labels.filter((label) => isCapture(label) && label.expect.length > 0 && label.howSure !== 'context')
  const quiet = isBenignVaried ? labels.filter((label) => isCapture(label) && label.mustBeQuiet) : []
  const captures = [
    ...[...attacks, ...quiet].map((label) => ({ path: join(folder, label.file), labels: [label] })),
    ...ownCaptures(ownFolder),
  ].filter(({ path }) => isWantedPath(path, only))
  return await judgeVariations({ captures, config: loadConfig({}), timeLimitMs, onCapture })
}

/** Rows about whole folders, and flow records, are other readers' business. */
function isCapture({ file }: Label): boolean {
  return /\.(pcap|pcapng|cap|dmp)(\.gz|\.zst)?$/i.test(file)
}

/** Every episode, alert or not, whose truth the labels tell: wanted ones are true, any in a quiet capture is false. */
function judgementsOf(labels: readonly Label[], { episodes }: JudgedCapture): Judgement[] {
  if (labels.some((label) => label.mustBeQuiet)) return episodes.map(({ alert }) => ({ likelihood: alert.likelihood, isTrue: false }))
  const demands = labels.filter((label) => label.expect.length > 0 && label.howSure !== 'context')
  return episodes
    .filter((episode) => demands.some((label) => isWanted(episode, label)))
    .map(({ alert }) => ({ likelihood: alert.likelihood, isTrue: true }))
}

/** A whole capture as one statement: its likeliest episode. */
function captureJudgement(label: Label, { episodes }: JudgedCapture): Judgement[] {
  const isAttack = label.expect.length > 0 && label.howSure !== 'context'
  if (!isAttack && !label.mustBeQuiet) return []
  return [{ likelihood: Math.max(UNNOTICED, ...episodes.map(({ alert }) => alert.likelihood)), isTrue: isAttack }]
}

function kindRows(outcomes: readonly Outcome[]): KindRow[] {
  const demanded = outcomes.filter(({ result }) => result === 'found' || result === 'missed')
  const keys = [...new Set(demanded.map(({ expect, howSure }) => `${expect.join(', ')}|${howSure}`))].sort()
  return keys.map((key) => {
    const rows = demanded.filter(({ expect, howSure }) => `${expect.join(', ')}|${howSure}` === key)
    const times = rows.flatMap(({ timeToDetect }) => timeToDetect ?? [])
    const [kind, howSure] = key.split('|')
    return {
      kind,
      howSure,
      found: rows.filter(({ result }) => result === 'found').length,
      missed: rows.filter(({ result }) => result === 'missed').length,
      flowsMedian: median(times.map(({ flows }) => flows)),
      secondsMedian: median(times.map(({ seconds }) => seconds)),
    }
  })
}

function ruleRows(judged: readonly { label: Label; capture: JudgedCapture }[]): RuleRow[] {
  const benign = judged.filter(({ label }) => label.mustBeQuiet)
  const usual = benign.map(({ capture }) => capture.simple.packets10sMax).sort((a, b) => a - b)
  const packetsMax = usual[Math.floor((usual.length - 1) * PACKETS_RULE.percentile)] ?? 0
  return SIMPLE_RULES.map(({ name, kinds }) => {
    const attacks = judged.filter(({ label }) => label.howSure !== 'context' && label.expect.some((kind) => kinds.includes(kind)))
    const speaks = ({ capture }: { capture: JudgedCapture }): boolean =>
      name === PACKETS_RULE.name ? capture.simple.packets10sMax > packetsMax : capture.simple.spoke.includes(name)
    const isRaised = ({ capture }: { capture: JudgedCapture }): boolean =>
      capture.episodes.some((episode) => isAlert(episode) && kinds.includes(episode.alert.kind))
    const isFound = ({ label, capture }: { label: Label; capture: JudgedCapture }): boolean =>
      capture.episodes.some((episode) => isAlert(episode) && isWanted(episode, label))
    return {
      name,
      kinds,
      attacks: attacks.length,
      found: attacks.filter(speaks).length,
      foundByUs: attacks.filter(isFound).length,
      benign: benign.length,
      benignSpoken: benign.filter(speaks).length,
      benignByUs: benign.filter(isRaised).length,
    }
  })
}

function median(values: readonly number[]): number | null {
  if (values.length === 0) return null
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[sorted.length >> 1]
}
