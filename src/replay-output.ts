/**
 * What a run writes: alerts.jsonl and a report an alert, under one folder. A replay replaces what is there, a live run goes on.
 *
 * In:  alert events. Out: lines, reports and pictures; the tally and digest of what was written.
 * Not: opened, for a replay, before the first capture could be read, so that a mistyped name loses no earlier results.
 */
import { join } from 'node:path'
import { type AlertLine, makeAlertLine } from './explain/alert-line.ts'
import { renderReport } from './explain/report.ts'
import type { AlertEvent } from './score/evidence.ts'
import { AlertLog, type AlertLogMode } from './sink/alert-log.ts'
import type { RunDigest } from './sink/digest.ts'
import { ReportFolder } from './sink/report-folder.ts'

/** A daemon's memory must not grow with its alerts. */
const EPISODES_KEPT_MAX = 10_000

export interface ReplayOutputOptions {
  folder: string
  mode: AlertLogMode
  hasReports: boolean
  sensorName: string
  digest: RunDigest
  /** Called with an episode's last word and where its report lies. */
  onClosed(alert: AlertEvent, reportPath: string | null): void
}

export class ReplayOutput {
  readonly alertsPath: string
  readonly reportsPath: string
  readonly #options: ReplayOutputOptions
  #log: AlertLog
  #reports: ReportFolder | null
  /** Of the newest episodes, which may yet change; what falls out is counted. */
  readonly #severities = new Map<string, string>()
  readonly #settled = new Map<string, number>()
  #reportsWritten = 0

  /** @throws RunError when the folder cannot be written. */
  constructor(options: ReplayOutputOptions) {
    this.#options = options
    this.alertsPath = join(options.folder, 'alerts.jsonl')
    this.reportsPath = join(options.folder, 'reports')
    this.#log = new AlertLog(this.alertsPath, options.mode)
    this.#reports = options.hasReports ? new ReportFolder(this.reportsPath) : null
    // Without reports the old ones go too: they would be of alerts that are no longer in the log.
    if (options.mode === 'replace') new ReportFolder(this.reportsPath).clear()
  }

  /** Bytes of a torn last line that an earlier run left, now cut off. */
  get repairedBytes(): number {
    return this.#log.repairedBytes
  }

  /** The alert log's file may have been moved away: the next line goes to a file of its name. */
  reopen(hasReports: boolean): void {
    this.#log.close()
    this.#log = new AlertLog(this.alertsPath, 'append')
    this.#reports = hasReports ? new ReportFolder(this.reportsPath) : null
  }

  /** @param source the capture file or interface at hand */
  write(event: AlertEvent, source: { pcap_filename: string } | { in_iface: string }): void {
    const line = makeAlertLine(event, { timestamp: event.episode.last, ...source, host: this.#options.sensorName })
    this.#log.write(line.text)
    this.#options.digest.addAlertLine(line.text)
    this.#noteSeverity(event)
    const reportPath = this.#writeReport(line)
    if (event.event === 'close') this.#options.onClosed(line.alert, reportPath)
  }

  #noteSeverity({ id, severity }: AlertEvent): void {
    this.#severities.delete(id)
    this.#severities.set(id, severity)
    if (this.#severities.size <= EPISODES_KEPT_MAX) return
    for (const [oldest, settled] of this.#severities) {
      this.#severities.delete(oldest)
      this.#settled.set(settled, (this.#settled.get(settled) ?? 0) + 1)
      return
    }
  }

  #writeReport(line: AlertLine): string | null {
    if (this.#reports === null) return null
    this.#reportsWritten++
    return this.#reports.write(renderReport(line))
  }

  get hasWrittenReports(): boolean {
    return this.#reportsWritten > 0
  }

  /** Alerts by their last severity, gravest first. */
  tally(): { severity: string; count: number }[] {
    const newest = [...this.#severities.values()]
    return ['critical', 'high', 'medium', 'low', 'info'].map((severity) => ({
      severity,
      count: (this.#settled.get(severity) ?? 0) + newest.filter((found) => found === severity).length,
    }))
  }

  close(): void {
    this.#log.close()
  }
}
