/**
 * The border between metering and analysis: finished rows, in order, a few hundred at a time.
 *
 * In:  rows copied out of the table. Out: plain typed arrays that could be transferred to another thread or written to a wire.
 * The invariant: rows stand in the order (deadline or end, start, key), whatever slabs the packets came in.
 */
import * as Row from './row.ts'

/** Version of the row layout; a reader of batches refuses any other. */
export const BATCH_VERSION = 2
const ROWS_MAX = 512

export class FlowBatch {
  readonly version = BATCH_VERSION
  /** Whole seconds since 1970 that all times of the rows count from. */
  baseSec = 0
  count = 0
  readonly cells = new Float64Array(ROWS_MAX * Row.ROW_CELLS)
  readonly words = new Uint32Array(this.cells.buffer)

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
