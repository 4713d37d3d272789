/**
 * Labelled logs of flow records judged: alerts a host-day on what is benign, and what is found of the attacks.
 *
 *   log → labels taken off → judged whole, and once more its benign lines alone → labels joined again by line
 *
 * In:  the folder's `flows/`. Out: one result a log. Not: tuning; a label is read after its log was judged.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Config } from '../../src/config.ts'
import type { JudgedEpisode } from './judge-capture.ts'
import { type JudgedRecords, judgeRecords } from './judge-records.ts'
import { isWantedPath } from './labels.ts'
import type { Judgement } from './measures.ts'
import { type AlertSummary, isAlert, summaryOf } from './outcome.ts'
import { BACKGROUND, BENIGN, onlyLines, type RecordLabels, readRecordLabels, UNLABELLED } from './record-labels.ts'
import { surprisalTrial, type TrialRow } from './surprisal-trial.ts'

/** What the Internet sends to every address: one roll-up a day, counted apart. */
const ROLL_UP = 'scan.background'

export interface LogAlert extends AlertSummary {
  /** Flows and seconds from the episode's first flow to its first alert. */
  timeToDetect: { flows: number; seconds: number }
  /** Labels of the flows that it took, with their numbers. */
  labels: Record<string, number>
}

export interface LogView {
  flows: number
  hostDays: number
  alerts: LogAlert[]
  alertsAHostDay: number
  notifications: number
  rollUps: number
  /** Simple rules that spoke. */
  simple: string[]
}

export interface LabelRow {
  label: string
  flows: number
  /** Flows that an episode of one half or more took, and its kinds. */
  claimed: number
  kinds: string[]
}

export interface LogOutcome {
  file: string
  whole: LogView
  /** The lines labelled benign, judged alone; null when there are none. */
  benign: LogView | null
  labels: LabelRow[]
  failures: readonly string[]
  judgements: Judgement[]
}

export async function judgeLogs(folder: string, config: Config, only: string): Promise<LogOutcome[]> {
  const scratch = mkdtempSync(join(tmpdir(), 'flowscribe-evaluate-'))
  try {
    const outcomes: LogOutcome[] = []
    for (const name of logsIn(folder).filter((log) => isWantedPath(join('flows', log), only))) {
      const labels = readRecordLabels(readFileSync(join(folder, 'flows', name), 'utf8'))
      outcomes.push(await judgeLog(name, labels, config, scratch))
    }
    return outcomes
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
}

/** Votes of a first half under which nothing is learnt from it. */
const LEARNT_FLOWS_MIN = 300

/** What surprisal says of each log after learning from another one's benign half. CSVs of mixed days are no host-day and stay out. */
export async function trialOf(folder: string, config: Config, only: string): Promise<TrialRow[]> {
  const scratch = mkdtempSync(join(tmpdir(), 'flowscribe-evaluate-'))
  try {
    const logs = logsIn(folder)
      .filter((name) => name.endsWith('.log') && isWantedPath(join('flows', name), only))
      .map((name, i) => {
        const { byLine, blanked } = readRecordLabels(readFileSync(join(folder, 'flows', name), 'utf8'))
        const path = join(scratch, `${i}.log`)
        writeFileSync(path, blanked)
        return { file: join('flows', name), path, labelOf: (line: number) => byLine.get(line) ?? UNLABELLED }
      })
    return await surprisalTrial(logs, config, LEARNT_FLOWS_MIN)
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
}

/** Logs in `flows/`; none when there is no such folder. */
export function logsIn(folder: string): string[] {
  try {
    return readdirSync(join(folder, 'flows'))
      .filter((name) => /\.(log|csv)$/.test(name))
      .sort()
  } catch {
    return []
  }
}

async function judgeLog(name: string, labels: RecordLabels, config: Config, scratch: string): Promise<LogOutcome> {
  const judge = async (text: string): Promise<JudgedRecords> => {
    // Always the same name: the scorer shall not learn it.
    const path = join(scratch, name.endsWith('.csv') ? 'records.csv' : 'records.log')
    writeFileSync(path, text)
    return await judgeRecords(path, config)
  }
  const whole = await judge(labels.blanked)
  const hasBenign = [...labels.byLine.values()].includes(BENIGN)
  const benign = hasBenign ? await judge(onlyLines(labels, (label) => label === BENIGN)) : null
  return {
    file: join('flows', name),
    whole: viewOf(whole, labels),
    benign: benign === null ? null : viewOf(benign, null),
    labels: labelRows(whole, labels),
    failures: [...whole.failures, ...(benign?.failures ?? [])],
    judgements: [
      ...(benign?.episodes ?? []).filter(isNoRollUp).map(({ alert }) => ({ likelihood: alert.likelihood, isTrue: false })),
      // A sample of flows drawn at random has other rates than its attacks had: what is missed there is no wrong statement.
      ...(name.endsWith('.csv') ? [] : attackJudgements(whole, labels)),
    ],
  }
}

function isNoRollUp({ alert }: JudgedEpisode): boolean {
  return alert.kind !== ROLL_UP
}

/** Episodes most of whose flows are labelled malicious. Those of other flows are in the judgements of the benign lines already. */
function attackJudgements(judged: JudgedRecords, labels: RecordLabels): Judgement[] {
  return judged.episodes.filter(isNoRollUp).flatMap(({ alert }) => {
    const lines = judged.linesOf.get(alert.id) ?? []
    const malicious = lines.filter((line) => isAttack(labels.byLine.get(line))).length
    return malicious * 2 > lines.length ? [{ likelihood: alert.likelihood, isTrue: true }] : []
  })
}

/** Zeek's logs say Malicious, the CSVs name the attack. */
function isAttack(label: string | undefined): boolean {
  return label !== undefined && !NO_ATTACK.has(label)
}

const NO_ATTACK: ReadonlySet<string> = new Set([BENIGN, BACKGROUND, UNLABELLED])

/** @param labels null: the lines are all alike. */
function viewOf(judged: JudgedRecords, labels: RecordLabels | null): LogView {
  const alerts = judged.episodes.filter((episode) => isAlert(episode) && isNoRollUp(episode))
  return {
    flows: judged.flows,
    hostDays: judged.hostDays,
    alerts: alerts.map((episode) => ({
      ...summaryOf(episode),
      timeToDetect: episode.found ?? { flows: 0, seconds: 0 },
      labels: labels === null ? {} : countLabels(judged.linesOf.get(episode.alert.id) ?? [], labels),
    })),
    alertsAHostDay: judged.hostDays === 0 ? 0 : alerts.length / judged.hostDays,
    notifications: alerts.filter(({ isNotified }) => isNotified).length,
    rollUps: judged.episodes.filter((episode) => episode.found !== null && !isNoRollUp(episode)).length,
    simple: judged.simple.spoke,
  }
}

function countLabels(lines: readonly number[], { byLine }: RecordLabels): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const line of lines) {
    const label = byLine.get(line) ?? UNLABELLED
    counts[label] = (counts[label] ?? 0) + 1
  }
  return counts
}

function labelRows(judged: JudgedRecords, labels: RecordLabels): LabelRow[] {
  const rows = new Map<string, LabelRow & { kindSet: Set<string> }>()
  for (const label of labels.byLine.values()) {
    const row = rows.get(label) ?? { label, flows: 0, claimed: 0, kinds: [], kindSet: new Set() }
    row.flows++
    rows.set(label, row)
  }
  for (const episode of judged.episodes.filter(isAlert)) {
    for (const line of judged.linesOf.get(episode.alert.id) ?? []) {
      const row = rows.get(labels.byLine.get(line) ?? UNLABELLED)
      if (row === undefined) continue
      row.claimed++
      row.kindSet.add(episode.alert.kind)
    }
  }
  return [...rows.values()].map(({ kindSet, ...row }) => ({ ...row, kinds: [...kindSet].sort() }))
}
