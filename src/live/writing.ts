/**
 * What the writing thread of a live run does: alert lines and reports to disk, with as much waiting as the disk wants.
 *
 * In:  requests, one at a time. Out: an answer to each: done, or what the world had against it.
 * Not: patience: who asks keeps what was refused and comes again (sink/delivery-queue.ts).
 *
 * A report is made here from its line's text alone, away from the thread that judges; what the line had no room for lies beside it.
 * The invariant: `alerts` is all or nothing: done means that the lines are on the disk, refused that none of them is in the file.
 */
import { join } from 'node:path'
import { RunError } from '../base/errors.ts'
import { parseAlertLine } from '../explain/alert-line.ts'
import { renderReport } from '../explain/report.ts'
import { AlertLog } from '../sink/alert-log.ts'
import { ReportBounds, type ReportLimits } from '../sink/report-bounds.ts'
import { ReportFolder } from '../sink/report-folder.ts'

export interface WritingOptions {
  folder: string
  limits: ReportLimits
}

export type WritingRequest =
  | { kind: 'open' }
  | { kind: 'alerts'; lines: readonly string[] }
  /** `beyond`: what the line had no room for. */
  | { kind: 'report'; line: string; beyond?: string }
  /** Packets lie beside these reports now: they count, and go, with them. */
  | { kind: 'sliced'; places: readonly ReportPlace[] }
  /** Opens the alert log anew, which may have been moved away. */
  | { kind: 'reopen' }
  | { kind: 'limit'; limits: ReportLimits }
  /** Time has passed: what is too old goes. */
  | { kind: 'tidy' }
  | { kind: 'close' }

export type WritingAnswer =
  | { kind: 'done'; facts: WritingFacts }
  /** The world said no: trying again may help. */
  | { kind: 'refused'; why: string }
  /** A fault of ours: trying again would not help. */
  | { kind: 'failed'; why: string }

export interface WritingFacts {
  /** Of a torn last line that was cut off at the latest opening. */
  repairedBytes: number
  reports: number
  reportBytes: number
  reportsRemoved: number
  reportsNotRemoved: number
  /** Where the report of this request lies; '' for other requests. */
  reportPath: string
}

export interface ReportPlace {
  day: string
  stem: string
}

export class LiveWriting {
  readonly #alertsPath: string
  readonly #reports: ReportFolder
  readonly #bounds: ReportBounds
  #log: AlertLog | null = null
  #repairedBytes = 0

  constructor({ folder, limits }: WritingOptions) {
    this.#alertsPath = join(folder, 'alerts.jsonl')
    this.#reports = new ReportFolder(join(folder, 'reports'))
    this.#bounds = new ReportBounds(join(folder, 'reports'), limits)
  }

  answer(request: WritingRequest): WritingAnswer {
    try {
      const reportPath = this.#do(request)
      return { kind: 'done', facts: this.#facts(reportPath) }
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error)
      return { kind: error instanceof RunError ? 'refused' : 'failed', why }
    }
  }

  #do(request: WritingRequest): string {
    switch (request.kind) {
      case 'open':
        this.#openLog()
        this.#bounds.scan()
        this.#bounds.enforce(Date.now())
        return ''
      case 'alerts':
        this.#append(request.lines)
        return ''
      case 'report':
        return this.#writeReport(request.line, request.beyond)
      case 'sliced':
        for (const { day, stem } of request.places) this.#bounds.sliced(day, stem, Date.now())
        return ''
      case 'reopen':
        this.#closeLog()
        this.#openLog()
        return ''
      case 'limit':
        this.#bounds.limit(request.limits)
        this.#bounds.enforce(Date.now())
        return ''
      case 'tidy':
        this.#bounds.enforce(Date.now())
        return ''
      case 'close':
        this.#closeLog()
        return ''
    }
  }

  #openLog(): AlertLog {
    this.#log ??= new AlertLog(this.#alertsPath, 'append')
    this.#repairedBytes = this.#log.repairedBytes
    return this.#log
  }

  #append(lines: readonly string[]): void {
    const log = this.#openLog()
    try {
      log.writeBatch(lines)
    } catch (error) {
      // Opened anew for the next try: the folder may have been made anew, and what could not be taken back is cut off then.
      this.#discardLog()
      throw error
    }
  }

  #writeReport(text: string, beyond: string | undefined): string {
    const report = renderReport(parseAlertLine(text, 'alert line'))
    const written = this.#reports.write(report, beyond)
    this.#bounds.written(report.day, report.stem, Date.now(), written)
    return written.path
  }

  #closeLog(): void {
    const log = this.#log
    this.#log = null
    log?.close()
  }

  #discardLog(): void {
    try {
      this.#closeLog()
    } catch {
      // The write's own fault is the one to tell.
    }
  }

  #facts(reportPath: string): WritingFacts {
    const { removed, notRemoved } = this.#bounds.counters
    return {
      repairedBytes: this.#repairedBytes,
      reports: this.#bounds.count,
      reportBytes: this.#bounds.bytes,
      reportsRemoved: removed,
      reportsNotRemoved: notRemoved,
      reportPath,
    }
  }
}
