/**
 * What the meter hands over, given to the analyst: the border between the two halves, in one place for replay, live runs and tests.
 *
 * In:  batches of finished rows, and what does not wait for a flow's end. Out: calls of the analyst, in order.
 */
import { FlowBatch } from './flow/batch.ts'
import type { Flow } from './flow/flow.ts'
import type { Interim } from './flow/interim.ts'
import { readFlow } from './flow/read-flow.ts'
import { RowView } from './flow/row-view.ts'
import type { Analyst } from './score/analyst.ts'

/** Hands a batch's rows to the analyst, in order. */
export function judge(batch: FlowBatch, analyst: Analyst): void {
  for (const flow of flowsOf(batch)) analyst.onFlow(flow)
}

/** A batch's rows, in order. */
export function* flowsOf(batch: FlowBatch): Generator<Flow> {
  const row = RowView.of(batch)
  for (let i = 0; i < batch.count; i++) yield readFlow(row.moveTo(batch, i))
}

/** Hands what does not wait for a flow's end to the analyst. */
export function judgeInterim(interim: Interim, analyst: Analyst): void {
  if (interim.kind === 'link') analyst.onLink(interim.sightings)
  else if (interim.kind === 'counters') for (const counters of interim.counters) analyst.onDestinationCounters(counters)
  else {
    analyst.onTime(interim.atUs)
    const batch = FlowBatch.of(interim.cells, interim.baseSec)
    const row = RowView.of(batch)
    for (let i = 0; i < batch.count; i++) analyst.onOpenFlow(readFlow(row.moveTo(batch, i)))
  }
}
