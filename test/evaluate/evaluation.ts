/**
 * A folder of labelled captures judged one by one, and what comes of it by kind.
 *
 * In:  a folder with `labels.tsv`. Out: one outcome a capture; sums by expected kind; alerts on what should be quiet; measures.
 * Not: tuning. A label is read after its capture was judged, and a file's name never reaches the scorer.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { loadConfig } from '../../src/config.ts'
import type { JudgedCapture, JudgedEpisode } from './judge-capture.ts'
import { judgeCapture } from './judge-capture.ts'
import type { Label } from './labels.ts'
import { isOf, readLabels } from './labels.ts'
import type { Judgement, ReliabilityRow } from './measures.ts'
import { brierScore, expectedCalibrationError, reliability } from './measures.ts'
import { PACKETS_RULE, SIMPLE_RULES } from './simple-rules.ts'

const ALERT_MIN = 0.5
const HOURS_A_DAY = 24
/** A capture in which nothing was noticed at all is stated harmless at this likelihood. */
const UNNOTICED = 0.01

export interface EvaluationOptions {
  folder: string
  /** For one capture. */
  timeLimitMs: number
  /** Only files whose path contains this. */
  only: string
  onCapture: (done: number, total: number) => void
}

export interface AlertSummary {
  kind: string
  actor: string
  victims: string[]
  victimCount: number
  likelihood: number
  severity: string
  evidence: string[]
  benign: string[]
}

export interface Outcome {
  file: string
  class: string
  expect: readonly string[]
  howSure: string
  result: 'found' | 'missed' | 'quiet' | 'false alert' | 'no demand' | 'not read'
  /** Flows and seconds of packet time from the episode's first packet to its first alert. */
  timeToDetect: { flows: number; seconds: number } | null
  alerts: AlertSummary[]
  /** The likeliest episode of a wanted kind that stayed below the limit, or of any kind where silence was wanted. */
  below: AlertSummary | null
  fault: string | null
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

export interface Evaluation {
  captures: number
  packets: number
  flows: number
  kinds: KindRow[]
  outcomes: Outcome[]
  benign: { captures: number; hours: number; hostDays: number; alerts: number; notifications: number; high: number }
  rules: RuleRow[]
  calibration: { judgements: number; brier: number | null; ece: number | null; table: ReliabilityRow[] }
  captureBrier: number | null
}

export async function evaluate(options: EvaluationOptions): Promise<Evaluation> {
  const config = loadConfig({})
  const labels = readLabels(readFileSync(join(options.folder, 'labels.tsv'), 'utf8'))
  const captures = labels.filter((label) => isCapture(label) && label.file.includes(options.only))
  const judged: { label: Label; capture: JudgedCapture }[] = []
  for (const [i, label] of captures.entries()) {
    judged.push({ label, capture: await judgeCapture(join(options.folder, label.file), config, options.timeLimitMs) })
    options.onCapture(i + 1, captures.length)
  }
  const outcomes = judged.map(({ label, capture }) => outcomeOf(label, capture))
  const quiet = judged.filter(({ label }) => label.mustBeQuiet)
  const quietAlerts = quiet.flatMap(({ capture }) => capture.episodes.filter(isAlert))
  const judgements = judged.flatMap(({ label, capture }) => judgementsOf(label, capture))
  return {
    captures: judged.length,
    packets: judged.reduce((sum, { capture }) => sum + capture.packets, 0),
    flows: judged.reduce((sum, { capture }) => sum + capture.flows, 0),
    kinds: kindRows(outcomes),
    outcomes,
    benign: {
      captures: quiet.length,
      hours: quiet.reduce((sum, { capture }) => sum + capture.seconds, 0) / 3600,
      hostDays: quiet.reduce((sum, { capture }) => sum + capture.hostHours, 0) / HOURS_A_DAY,
      alerts: quietAlerts.length,
      notifications: quietAlerts.filter(({ alert }) => alert.shouldNotify).length,
      high: quietAlerts.filter(({ alert }) => alert.severity === 'high' || alert.severity === 'critical').length,
    },
    rules: ruleRows(judged),
    calibration: {
      judgements: judgements.length,
      brier: brierScore(judgements),
      ece: expectedCalibrationError(judgements),
      table: reliability(judgements),
    },
    captureBrier: brierScore(judged.flatMap(({ label, capture }) => captureJudgement(label, capture))),
  }
}

/** Rows about whole folders, and flow records, are other readers' business. */
function isCapture({ file }: Label): boolean {
  return /\.(pcap|pcapng|cap|dmp)(\.gz|\.zst)?$/i.test(file)
}

function isAlert({ alert, found }: JudgedEpisode): boolean {
  return found !== null && alert.likelihood >= ALERT_MIN && alert.severity !== 'info'
}

function isWanted({ alert }: JudgedEpisode, { expect, actor, victim }: Label): boolean {
  return expect.includes(alert.kind) && isOf(actor, [alert.actor]) && isOf(victim, alert.victims.addresses)
}

function outcomeOf(label: Label, capture: JudgedCapture): Outcome {
  const { episodes, fault } = capture
  const alerts = episodes.filter(isAlert)
  const wanted = episodes.filter((episode) => isWanted(episode, label))
  const hits = wanted.filter((episode) => episode.alert.likelihood >= ALERT_MIN && episode.found !== null)
  const below = (label.expect.length > 0 ? wanted : episodes)
    .filter((episode) => !hits.includes(episode) && !alerts.includes(episode))
    .sort((a, b) => b.alert.likelihood - a.alert.likelihood)[0]
  const seconds = hits.map(({ found }) => found?.seconds ?? 0)
  const first = hits[seconds.indexOf(Math.min(...seconds))]
  return {
    file: label.file,
    class: label.class,
    expect: label.expect,
    howSure: label.howSure,
    result: resultOf(label, capture, hits.length, alerts.length),
    timeToDetect: first?.found ?? null,
    alerts: episodes.filter(({ found }) => found !== null).map(summaryOf),
    below: below === undefined ? null : summaryOf(below),
    fault,
  }
}

function resultOf(label: Label, capture: JudgedCapture, hits: number, alerts: number): Outcome['result'] {
  if (capture.packets === 0 && capture.fault !== null) return 'not read'
  if (label.expect.length > 0) return hits > 0 ? 'found' : 'missed'
  if (!label.mustBeQuiet) return 'no demand'
  return alerts > 0 ? 'false alert' : 'quiet'
}

function summaryOf({ alert }: JudgedEpisode): AlertSummary {
  const { kind, actor, victims, likelihood, severity } = alert
  const weights = (items: readonly { code: string; lr: number }[]): string[] => items.map(({ code, lr }) => `${code} ${lr.toFixed(2)}`)
  return {
    kind,
    actor,
    victims: victims.addresses.slice(0, 4),
    victimCount: victims.count,
    likelihood,
    severity,
    evidence: weights(alert.evidence),
    benign: weights(alert.benign.filter(({ lr }) => lr < 0)),
  }
}

/** Every episode, alert or not, whose truth the label tells: wanted ones are true, any in a quiet capture is false. */
function judgementsOf(label: Label, { episodes }: JudgedCapture): Judgement[] {
  if (label.mustBeQuiet) return episodes.map(({ alert }) => ({ likelihood: alert.likelihood, isTrue: false }))
  if (label.expect.length === 0 || label.howSure === 'context') return []
  return episodes.filter((episode) => isWanted(episode, label)).map(({ alert }) => ({ likelihood: alert.likelihood, isTrue: true }))
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
