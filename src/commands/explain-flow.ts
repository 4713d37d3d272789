/**
 * Captures or flow records read through the pipeline for the sake of one flow: what the detectors measured on it, and what became of it.
 *
 * In:  captures or records, and which flow. Out: the flow explained as it was when its last row came, or when a row of it met an entry
 *      test; or the flows that the question fits as well; or those that it nearly fits.
 * Not: alerts and reports of other flows: they are judged, because the flow's surroundings come of them, and not written.
 */

import { printable } from '../base/printable.ts'
import { inputKindOf } from '../capture/input-kind.ts'
import type { RecordFormatName } from '../capture/record-format.ts'
import type { Config } from '../config.ts'
import { NOTHING_COUNTED } from '../context/capture-history.ts'
import type { ExplainedFlow } from '../explain/flow-report.ts'
import { countOf } from '../explain/words.ts'
import type { FlowBatch } from '../flow/batch.ts'
import type { Interim } from '../flow/interim.ts'
import { tableLimits } from '../flow/limits.ts'
import { Meter } from '../flow/meter.ts'
import { judge, judgeInterim, watchLimits } from '../judge.ts'
import type { Progress } from '../progress.ts'
import { newReading, readCaptures } from '../reading.ts'
import { RecordReading } from '../record-reading.ts'
import type { Analyst } from '../score/analyst.ts'
import type { AlertEvent } from '../score/evidence.ts'
import { isDefaultHomeNet, NOT_JUDGED_SAMPLED } from '../score-records.ts'
import { healthOptions, openAnalyst } from '../sensor.ts'
import { type FlowQuestion, FlowSearch } from './flow-search.ts'

export interface ExplainFlowOptions {
  inputs: readonly string[]
  /** The records' format; null: captures, or told from the content. */
  from: RecordFormatName | null
  config: Config
  progress: Progress
  signal: AbortSignal
}

export interface FlowAnswer {
  /** null when the question fits none, or more than one. */
  found: ExplainedFlow | null
  /** When it fits more than one: each in a line, `ID  when  what`; how many there are. */
  candidates: { lines: readonly string[]; count: number }
  /** When it fits none: flows between the same two hosts, likewise. */
  nearly: readonly string[]
  /** Flows that were looked at. */
  flows: number
  /** Inputs, or parts of them, that could not be read. */
  failures: readonly string[]
}

/** @throws RunError when nothing could be read; UsageError when captures and records are mixed. */
export async function explainFlowOf(question: FlowQuestion, options: ExplainFlowOptions): Promise<FlowAnswer> {
  const isRecords = options.from !== null || (await inputKindOf(options.inputs)) === 'records'
  const episodes = new Map<string, { alert: AlertEvent; isAlert: boolean }>()
  const note = (alert: AlertEvent, isAlert: boolean): unknown => episodes.set(alert.id, { alert, isAlert })
  const search = new FlowSearch(question, options.config)
  const failures = await (isRecords ? judgeRecords(options, search, note) : judgeCaptures(options, search, note))
  const found = search.found()
  return {
    found: found === null ? null : { ...found, episodes: episodesOf(found, [...episodes.values()]) },
    candidates: search.candidates(),
    nearly: search.nearly(),
    flows: search.flows,
    failures,
  }
}

type Note = (alert: AlertEvent, isAlert: boolean) => unknown

async function judgeCaptures(options: ExplainFlowOptions, search: FlowSearch, note: Note): Promise<readonly string[]> {
  const { config } = options
  const run: { analyst: Analyst | null } = { analyst: null }
  const reading = newReading()
  const visibility = () =>
    ({ ...NOTHING_COUNTED, bothHalves: null, inputDamage: reading.damage[0]?.message ?? null, source: 'file' }) as const
  const analystOf = (baseSec: number): Analyst => {
    run.analyst ??= openAnalyst(config, baseSec, visibility, (alert) => note(alert, true), {
      onDropped: (alert) => note(alert, false),
      onLook: (look) => search.see(look, baseSec, visibility),
    })
    run.analyst.onSeen(meter.seenSoFar())
    return run.analyst
  }
  // As in a replay: what is told of open flows, too, or its alerts would be others.
  const interim = { limits: watchLimits(config), onInterim: (told: Interim) => judgeInterim(told, analystOf(told.baseSec)) }
  const takeRows = (batch: FlowBatch): void => judge(batch, analystOf(batch.baseSec))
  const meter: Meter = new Meter(tableLimits(config.flow), takeRows, interim, healthOptions(config))
  const take = (slab: Parameters<Meter['meterSlab']>[0]): Promise<boolean> => {
    meter.meterSlab(slab)
    return Promise.resolve(true)
  }
  const state = (): { packets: number; packetTimeSec: null } => ({ packets: meter.counters.seen, packetTimeSec: null })
  await readCaptures(reading, { ...options, isReordered: true, take, state })
  meter.finish()
  run.analyst?.finish(meter.table.nowUs)
  return [...reading.failures, ...reading.damage.map(({ message }) => message)]
}

/** As `score` does it. */
async function judgeRecords(options: ExplainFlowOptions, search: FlowSearch, note: Note): Promise<readonly string[]> {
  const { config, signal, inputs, from } = options
  const reading = new RecordReading({ records: config.records, from, isInsideTaken: isDefaultHomeNet(config), signal })
  const run: { endUs: number; analyst: Analyst | null } = { endUs: 0, analyst: null }
  const analyst = (): Analyst => {
    const { baseSec } = reading
    run.analyst ??= openAnalyst(
      config,
      baseSec,
      () => reading.visibility(),
      (alert) => note(alert, true),
      {
        onDropped: (alert) => note(alert, false),
        onLook: (look) => search.see(look, baseSec, () => reading.visibility()),
        // A flow without hosts is shown to no detector.
        onPlainFlow: (event) => search.seePlain(event),
        ...(reading.ledger.sampling > 1 ? { kindsLeftOut: NOT_JUDGED_SAMPLED } : {}),
      },
    )
    return run.analyst
  }
  for await (const flows of reading.flows(inputs)) {
    for (const flow of flows) {
      analyst().onFlow(flow)
      run.endUs = Math.max(run.endUs, flow.endUs)
    }
  }
  run.analyst?.finish(run.endUs)
  const { count } = reading.faults
  return [...reading.failures.map(printable), ...(count === 0 ? [] : [`${countOf(count, 'line')} could not be read as a flow record`])]
}

/** Those of the kinds and actors whose entry test the flow met while they lasted. */
function episodesOf({ explanation }: ExplainedFlow, all: readonly { alert: AlertEvent; isAlert: boolean }[]): typeof all {
  const met = explanation.looked.filter((test) => test.isMet)
  return all.filter(({ alert }) => met.some((test) => test.kind === alert.kind && test.actor === alert.actor))
}
