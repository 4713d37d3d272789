/**
 * The border between metering and analysis: finished rows, in order, a few hundred at a time.
 *
 * In:  rows copied out of the table. Out: plain typed arrays that could be transferred to another thread or written to a wire.
 * The invariant: rows stand in the order (deadline or end, start, key), whatever slabs the packets came in.
 */
import * as Row from './row.ts'

/** Version of the row layout; a reader of batches refuses any other. */
export const BATCH_VERSION = 1
const ROWS_MAX = 512

export class FlowBatch {
  readonly version = BATCH_VERSION
  /** Whole seconds since 1970 that all times of the rows count from. */
  baseSec = 0
  count = 0
  readonly cells: Float64Array<ArrayBuffer>
  readonly words: Uint32Array

  constructor(cells = new Float64Array(ROWS_MAX * Row.ROW_CELLS)) {
    this.cells = cells
    this.words = new Uint32Array(cells.buffer)
  }

  /** The rows alone, in memory of their own: to hand to another thread. */
  takeCells(): Float64Array<ArrayBuffer> {
    return this.cells.slice(0, this.count * Row.ROW_CELLS)
  }

  /** What another thread took with `takeCells`. */
  static of(cells: Float64Array<ArrayBuffer>, baseSec: number): FlowBatch {
    const batch = new FlowBatch(cells)
    batch.count = cells.length / Row.ROW_CELLS
    batch.baseSec = baseSec
    return batch
  }

  get isFull(): boolean {
    return this.count === ROWS_MAX
  }

  /** Copies the row whose first cell is `from[at]`. */
  append(from: Float64Array, at: number): void {
    const to = this.count * Row.ROW_CELLS
    for (let i = 0; i < Row.ROW_CELLS; i++) this.cells[to + i] = from[at + i]
    this.count++
  }
}
