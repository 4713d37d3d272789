/**
 * What `score` does: flow records that something else metered through the judging half of the pipeline.
 *
 *   files of records → flows in order → analyst (context, score) → alert events → sinks
 *
 * In:  paths and a checked configuration. Out: alerts and reports as `replay` writes them; a summary of the run.
 * Not: metering. The same records in the same order give the same alerts and reports, byte for byte.
 */
import type { MutedCount } from './alert-tally.ts'
import { NETWORKS_OPTIONS } from './base/networks-options.ts'
import type { RecordFault } from './capture/record-file.ts'
import type { RecordFormatName } from './capture/record-format.ts'
import type { Config } from './config.ts'
import type { Progress } from './progress.ts'
import { RecordReading } from './record-reading.ts'
import { ReplayOutput } from './replay-output.ts'
import type { Analyst } from './score/analyst.ts'
import { type MuteSubject, type Mutes, NO_MUTES } from './score/mutes.ts'
import type { Snapshot } from './score/surprisal/snapshot.ts'
import { alertText, expiredText, openAnalyst, SENSOR_NAME } from './sensor.ts'
import { RunDigest } from './sink/digest.ts'

/** Half the packets of a scan or a beacon are not in the records of a sampled line, and nobody can say which. */
export const NOT_JUDGED_SAMPLED: ReadonlySet<string> = new Set([
  'scan.horizontal',
  'scan.vertical',
  'scan.background',
  'sweep.icmp',
  'brute.login',
  'c2.beacon',
  'c2.deadpeer',
])

export interface ScoreOptions {
  inputs: readonly string[]
  config: Config
  progress: Progress
  signal: AbortSignal
  outputDir: string
  /** null: told from the content. */
  from: RecordFormatName | null
  isReportingAll: boolean
  /** What to judge against; null: what is learnt on the way. */
  baseline?: Snapshot | null
  /** The site's rules that keep alerts from notifying. */
  mutes?: Mutes
}

export interface ScoreSummary {
  formats: readonly string[]
  records: number
  flows: number
  packets: number
  order: { reordered: number; tooLate: number }
  pairing: { paired: number; unpaired: number; pieces: number; leftEarly: number }
  /** Damaged lines: the first ones, and how many in all. */
  faults: { told: readonly RecordFault[]; count: number }
  /** Inputs that could not be read at all. */
  failures: readonly string[]
  notes: readonly string[]
  interruptedAt: { path: string; line: number } | null
  alerts: { severity: string; count: number }[]
  /** Not among `alerts`. */
  muted: MutedCount
  digestAlerts: string
  reportsDir: string | null
  alertsPath: string
  plain: { written: number; leftOut: number; path: string } | null
}

/** @throws RunError when no input could be read, or the output cannot be written. */
export async function scoreRecords(options: ScoreOptions): Promise<ScoreSummary> {
  const { config, progress, signal, inputs, from, mutes = NO_MUTES } = options
  const reading = new RecordReading({
    records: config.records,
    from,
    isInsideTaken: isDefaultHomeNet(config),
    signal,
    onProgress: (done, total, records) => progress.step(done, total, records, null),
  })
  const digest = new RunDigest()
  const plainMax = options.isReportingAll ? config.output.plain_reports_max : 0
  const run: { flows: number; endUs: number; analyst: Analyst | null; output: ReplayOutput | null } = {
    flows: 0,
    endUs: 0,
    analyst: null,
    output: null,
  }
  const output = (): ReplayOutput => {
    run.output ??= new ReplayOutput({
      folder: options.outputDir,
      hasReports: config.output.reports,
      plainReportsMax: plainMax,
      hasMutedReports: config.mutes.reports,
      sensorName: SENSOR_NAME,
      digest,
      onClosed: (alert, reportPath) => progress.alert(alertText(alert, reportPath), alert.severity),
    })
    return run.output
  }
  const open = (): Analyst => {
    for (const rule of mutes.expiredAt(reading.baseSec)) progress.note(expiredText(rule))
    const extras = {
      muteOf: (subject: MuteSubject) => mutes.suppressionOf(subject),
      ...(plainMax === 0 ? {} : { onPlainFlow: (event: Parameters<ReplayOutput['writePlain']>[0]) => void output().writePlain(event, {}) }),
      ...(options.baseline === undefined || options.baseline === null ? {} : { baseline: options.baseline }),
      ...(reading.ledger.sampling > 1 ? { kindsLeftOut: NOT_JUDGED_SAMPLED } : {}),
    }
    return openAnalyst(
      config,
      reading.baseSec,
      () => reading.visibility(),
      (event) => output().write(event, {}),
      extras,
    )
  }
  try {
    for await (const flows of reading.flows(inputs)) {
      for (const flow of flows) {
        run.analyst ??= open()
        run.analyst.onFlow(flow)
        run.endUs = Math.max(run.endUs, flow.endUs)
      }
      run.flows += flows.length
    }
    output()
    run.analyst?.finish(run.endUs)
  } finally {
    run.output?.close()
  }
  return summaryOf(reading, run.flows, output(), digest.digests().alerts, plainMax > 0)
}

function summaryOf(reading: RecordReading, flows: number, output: ReplayOutput, digestAlerts: string, hasPlain: boolean): ScoreSummary {
  const { ledger, faults, failures, order, pairing, interruptedAt } = reading
  return {
    formats: [...ledger.formats],
    records: ledger.read,
    flows,
    packets: ledger.packets,
    order,
    pairing,
    faults,
    failures,
    notes: ledger.notes,
    interruptedAt,
    alerts: output.tally(),
    muted: output.muted(),
    digestAlerts,
    reportsDir: output.hasWrittenReports ? output.reportsPath : null,
    alertsPath: output.alertsPath,
    plain: hasPlain ? { ...output.plain, path: output.plainPath } : null,
  }
}

/** Who names the own networks means those; otherwise a log that knows its site's is believed too. */
export function isDefaultHomeNet(config: Config): boolean {
  return config.networks.internal.join(' ') === NETWORKS_OPTIONS.internal.default.join(' ')
}
