/**
 * What a replay writes: alerts.jsonl and a report an alert, under one folder, in place of what is there.
 *
 * In:  alert events. Out: lines, reports and pictures; the tally and digest of what was written.
 * Not: opened before the first capture could be read, so that a mistyped name loses no earlier results; what a live run writes
 *      (live/delivery.ts).
 */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { AlertTally, type MutedCount } from './alert-tally.ts'
import { type AlertLine, makeAlertLine } from './explain/alert-line.ts'
import { renderReport } from './explain/report.ts'
import type { AlertEvent } from './score/evidence.ts'
import { AlertLog } from './sink/alert-log.ts'
import type { RunDigest } from './sink/digest.ts'
import { ReportFolder } from './sink/report-folder.ts'

/** The capture file at hand; nothing for flow records, which were no packets here. */
export type Source = { pcap_filename: string } | Record<string, never>

export interface ReplayOutputOptions {
  folder: string
  hasReports: boolean
  /** Flows without an alert that get a report; 0: none. */
  plainReportsMax?: number
  /** Whether muted alerts get theirs, too. */
  hasMutedReports: boolean
  sensorName: string
  digest: RunDigest
  /** Called with an episode's last word and where its report lies; not of what is muted. */
  onClosed(alert: AlertEvent, reportPath: string | null): void
}

export class ReplayOutput {
  readonly alertsPath: string
  readonly reportsPath: string
  /** Verdicts on flows without an alert, in the form of alert lines, so that their reports can be verified too. */
  readonly plainPath: string
  readonly #options: ReplayOutputOptions
  readonly #log: AlertLog
  readonly #reports: ReportFolder | null
  readonly #tally = new AlertTally()
  #reportsWritten = 0
  /** Opened with the first flow. */
  #plainLog: AlertLog | null = null
  #plainWritten = 0
  #plainLeftOut = 0

  /** @throws RunError when the folder cannot be written. */
  constructor(options: ReplayOutputOptions) {
    this.#options = options
    this.alertsPath = join(options.folder, 'alerts.jsonl')
    this.reportsPath = join(options.folder, 'reports')
    this.plainPath = join(options.folder, 'plain-flows.jsonl')
    this.#log = new AlertLog(this.alertsPath, 'replace')
    this.#reports = options.hasReports ? new ReportFolder(this.reportsPath) : null
    // Without reports the old ones go too: they would be of alerts that are no longer in the log.
    new ReportFolder(this.reportsPath).clear()
    rmSync(this.plainPath, { force: true })
  }

  /** A flow without an alert. @returns what its line holds; null when the limit is reached: the flow is counted and nothing else. */
  writePlain(event: AlertEvent, source: Source): AlertEvent | null {
    if (this.#plainWritten >= (this.#options.plainReportsMax ?? 0)) {
      this.#plainLeftOut++
      return null
    }
    this.#plainWritten++
    this.#plainLog ??= new AlertLog(this.plainPath, 'replace')
    const line = makeAlertLine(event, { timestamp: event.episode.last, ...source, host: this.#options.sensorName })
    this.#plainLog.write(line.text)
    this.#writeReport(line)
    return line.alert
  }

  get plain(): { written: number; leftOut: number } {
    return { written: this.#plainWritten, leftOut: this.#plainLeftOut }
  }

  /** @returns the alert as its line holds it */
  write(event: AlertEvent, source: Source): AlertEvent {
    const line = makeAlertLine(event, { timestamp: event.episode.last, ...source, host: this.#options.sensorName })
    this.#log.write(line.text)
    this.#options.digest.addAlertLine(line.text)
    this.#tally.note(event)
    const reportPath = this.#writeReport(line)
    if (event.event === 'close' && event.suppressed === undefined) this.#options.onClosed(line.alert, reportPath)
    return line.alert
  }

  #writeReport(line: AlertLine): string | null {
    if (this.#reports === null || (line.alert.suppressed !== undefined && !this.#options.hasMutedReports)) return null
    this.#reportsWritten++
    return this.#reports.write(renderReport(line), line.beyond).path
  }

  get hasWrittenReports(): boolean {
    return this.#reportsWritten > 0
  }

  /** Alerts by their last severity, gravest first. */
  tally(): { severity: string; count: number }[] {
    return this.#tally.counts()
  }

  muted(): MutedCount {
    return this.#tally.muted()
  }

  close(): void {
    this.#plainLog?.close()
    this.#log.close()
  }
}
