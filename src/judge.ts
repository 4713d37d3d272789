/**
 * What the meter hands over, given to the analyst: the border between the two halves, in one place for replay, live runs and tests.
 *
 * In:  batches of finished rows, and what does not wait for a flow's end. Out: calls of the analyst, in order.
 */
import type { Config } from './config.ts'
import { FlowBatch } from './flow/batch.ts'
import type { Flow } from './flow/flow.ts'
import type { Interim } from './flow/interim.ts'
import { readFlow } from './flow/read-flow.ts'
import { RowView } from './flow/row-view.ts'
import type { WatchLimits } from './flow/watch.ts'
import type { Analyst, Guarded } from './score/analyst.ts'

const US_PER_S = 1e6

/** Hands a batch's rows to the analyst, in order. */
export function judge(batch: FlowBatch, analyst: Analyst): void {
  for (const flow of flowsOf(batch)) analyst.onFlow(flow)
}

/** A batch's rows, in order, from one to before another. */
export function* flowsOf(batch: FlowBatch, from = 0, to = batch.count): Generator<Flow> {
  const row = RowView.of(batch)
  for (let i = from; i < to; i++) yield readFlow(row.moveTo(batch, i))
}

const unguarded: Guarded = (_what, _record, work) => work()

/**
 * Hands what does not wait for a flow's end to the analyst.
 * @param guarded live, what keeps a bug in the judging of one record from taking the others with it (bug-guard.ts)
 */
export function judgeInterim(interim: Interim, analyst: Analyst, guarded: Guarded = unguarded): void {
  if (interim.kind === 'minute' || interim.kind === 'quotes') return
  if (interim.kind === 'link') {
    for (const sighting of interim.sightings) guarded('sighting', sighting, () => analyst.onLink(sighting))
    return
  }
  const batch = FlowBatch.of(interim.cells, interim.baseSec)
  const row = RowView.of(batch)
  const flows = Array.from({ length: batch.count }, (_, i) => readFlow(row.moveTo(batch, i)))
  if (interim.kind === 'open') return analyst.onOpenFlows(flows, interim.atUs, guarded)
  for (const [i, counters] of interim.counters.entries()) {
    const example = flows[i]
    guarded('counters', { counters, example }, () => analyst.onDestinationCounters(counters, example))
  }
}

/** What the detectors want to know of open flows: no more than that is handed over. */
export function watchLimits({ flow, detectors_slow_http }: Config): WatchLimits {
  return {
    arrivalsPerSMin: flow.open_arrivals_per_s_min,
    openRowsEveryUs: flow.open_rows_every_s * US_PER_S,
    openTogetherMin: detectors_slow_http.connections_min,
  }
}
