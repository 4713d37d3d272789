/**
 * What a replay writes: alerts.jsonl and a report an alert, under one folder, in place of what is there.
 *
 * In:  alert events. Out: lines, reports and pictures; the tally and digest of what was written.
 * Not: opened before the first capture could be read, so that a mistyped name loses no earlier results; what a live run writes
 *      (live-delivery.ts).
 */
import { join } from 'node:path'
import { AlertTally } from './alert-tally.ts'
import { type AlertLine, makeAlertLine } from './explain/alert-line.ts'
import { renderReport } from './explain/report.ts'
import type { AlertEvent } from './score/evidence.ts'
import { AlertLog } from './sink/alert-log.ts'
import type { RunDigest } from './sink/digest.ts'
import { ReportFolder } from './sink/report-folder.ts'

export interface ReplayOutputOptions {
  folder: string
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
  readonly #log: AlertLog
  readonly #reports: ReportFolder | null
  readonly #tally = new AlertTally()
  #reportsWritten = 0

  /** @throws RunError when the folder cannot be written. */
  constructor(options: ReplayOutputOptions) {
    this.#options = options
    this.alertsPath = join(options.folder, 'alerts.jsonl')
    this.reportsPath = join(options.folder, 'reports')
    this.#log = new AlertLog(this.alertsPath, 'replace')
    this.#reports = options.hasReports ? new ReportFolder(this.reportsPath) : null
    // Without reports the old ones go too: they would be of alerts that are no longer in the log.
    new ReportFolder(this.reportsPath).clear()
  }

  /** @param source the capture file at hand */
  write(event: AlertEvent, source: { pcap_filename: string }): void {
    const line = makeAlertLine(event, { timestamp: event.episode.last, ...source, host: this.#options.sensorName })
    this.#log.write(line.text)
    this.#options.digest.addAlertLine(line.text)
    this.#tally.note(event)
    const reportPath = this.#writeReport(line)
    if (event.event === 'close') this.#options.onClosed(line.alert, reportPath)
  }

  #writeReport(line: AlertLine): string | null {
    if (this.#reports === null) return null
    this.#reportsWritten++
    return this.#reports.write(renderReport(line), line.beyond)
  }

  get hasWrittenReports(): boolean {
    return this.#reportsWritten > 0
  }

  /** Alerts by their last severity, gravest first. */
  tally(): { severity: string; count: number }[] {
    return this.#tally.counts()
  }

  close(): void {
    this.#log.close()
  }
}
