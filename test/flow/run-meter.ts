/**
 * Frames through the meter, finished rows collected: what flow tests look at.
 *
 * Out: rows as plain objects that outlive their batch, in the order in which they left the table.
 */
import { defaultsOf } from '../../src/base/option.ts'
import type { Slab } from '../../src/capture/slab.ts'
import { featureVector } from '../../src/features/features.ts'
import type { FlowBatch } from '../../src/flow/batch.ts'
import type { Flow } from '../../src/flow/flow.ts'
import { tableLimits } from '../../src/flow/limits.ts'
import { Meter } from '../../src/flow/meter.ts'
import { FLOW_OPTIONS } from '../../src/flow/options.ts'
import { readFlow } from '../../src/flow/read-flow.ts'
import { ROW_WORDS } from '../../src/flow/row.ts'
import { RowView } from '../../src/flow/row-view.ts'
import type { TableLimits } from '../../src/flow/table.ts'
import { type Frame, slabsOf } from '../capture/records.ts'

export interface MeteredRow extends Flow {
  features: Record<string, number | null>
  /** Every octet of the row, as it would cross to another thread. */
  raw: Uint32Array
  baseSec: number
}

export interface Metered {
  rows: MeteredRow[]
  meter: Meter
}

export const DEFAULT_LIMITS: TableLimits = { ...tableLimits(defaultsOf(FLOW_OPTIONS)), maxFlows: 4096 }

/** Copies the rows of a batch out of it. */
export function collector(rows: MeteredRow[]): (batch: FlowBatch) => void {
  return (batch) => {
    const view = RowView.of(batch)
    for (let i = 0; i < batch.count; i++) {
      view.moveTo(batch, i)
      rows.push({
        ...readFlow(view),
        row: null,
        features: featureVector(view),
        raw: batch.words.slice(2 * batch.at(i), 2 * batch.at(i) + ROW_WORDS),
        baseSec: batch.baseSec,
      })
    }
  }
}

export function meterSlabs(slabs: Iterable<Slab>, limits: Partial<TableLimits> = {}): Metered {
  const rows: MeteredRow[] = []
  const meter = new Meter({ ...DEFAULT_LIMITS, ...limits }, collector(rows))
  for (const slab of slabs) meter.meterSlab(slab)
  meter.finish()
  return { rows, meter }
}

export function meterFrames(frames: readonly Frame[], limits: Partial<TableLimits> = {}): Metered {
  return meterSlabs(slabsOf(frames), limits)
}
