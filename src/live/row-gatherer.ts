/**
 * Finished rows on their way to another thread, gathered so that a message carries many of them.
 *
 *   batch of 1, batch of 1, batch of 3 … ─▶ one message: rows, and after how many of them what had been seen
 *
 * In:  batches in order, with what the meter had seen when each was handed on. Out: messages of rows in memory of their own.
 * Not: waiting. Whoever adds flushes before anything else is said, and before it waits for packets, so that no order changes.
 *
 * A table that is full hands on its rows one by one, each as it makes room for a new flow: as messages of their own they cost the
 * judging thread several times what their judging does.
 */
import { BATCH_CELLS, BATCH_ROWS_MAX, type FlowBatch } from '../flow/batch.ts'
import type { Seen } from '../flow/health.ts'
import { ROW_CELLS } from '../flow/row.ts'

/** Rows that were handed on together, and what the meter had seen by then. */
export interface Stretch {
  rows: number
  seen: Seen
}

export interface RowsMessage {
  kind: 'rows'
  baseSec: number
  cells: Float64Array<ArrayBuffer>
  /** What had been seen when the last of the rows were handed on. */
  seen: Seen
  /** The rows before those, in order; absent when there are none. */
  before?: readonly Stretch[]
}

export class RowGatherer {
  readonly #emit: (message: RowsMessage) => void
  readonly #cells = new Float64Array(BATCH_CELLS)
  #count = 0
  #baseSec = 0
  #stretches: Stretch[] = []

  constructor(emit: (message: RowsMessage) => void) {
    this.#emit = emit
  }

  add(batch: FlowBatch, seen: Seen): void {
    if (this.#count + batch.count > BATCH_ROWS_MAX) this.flush()
    if (batch.count === BATCH_ROWS_MAX) return this.#emit({ kind: 'rows', baseSec: batch.baseSec, cells: batch.takeCells(), seen })
    batch.copyRows(this.#cells.subarray(this.#count * ROW_CELLS))
    this.#count += batch.count
    this.#baseSec = batch.baseSec
    this.#stretches.push({ rows: batch.count, seen })
  }

  /** Says what was gathered. */
  flush(): void {
    const last = this.#stretches.pop()
    if (last === undefined) return
    const before = this.#stretches
    const cells = this.#cells.slice(0, this.#count * ROW_CELLS)
    this.#count = 0
    this.#stretches = []
    const message = { kind: 'rows' as const, baseSec: this.#baseSec, cells, seen: last.seen }
    this.#emit(before.length === 0 ? message : { ...message, before })
  }
}

/** The rows of a message, from the first to before the last, by what had been seen. */
export function* stretchesOf({ cells, seen, before = [] }: RowsMessage): Generator<{ from: number; to: number; seen: Seen }> {
  let from = 0
  for (const stretch of before) {
    yield { from, to: from + stretch.rows, seen: stretch.seen }
    from += stretch.rows
  }
  yield { from, to: cells.length / ROW_CELLS, seen }
}
