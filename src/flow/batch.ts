/**
 * The border between metering and analysis: finished rows, in order, a few hundred at a time.
 *
 * In:  rows that lie in the table. Out: where they lie; plain typed arrays and numbers, which `copyRows` packs for another thread or a wire.
 * The invariant: rows stand in the order (deadline or end, start, key), whatever slabs the packets came in. A batch is valid only while
 * its receiver is called: then its rows' places are given to other flows.
 */
import * as Row from './row.ts'
import { wordsOf } from './row-memory.ts'

/** Version of the row layout; a reader of batches refuses any other. */
export const BATCH_VERSION = 4
export const BATCH_ROWS_MAX = 512

export class FlowBatch {
  readonly version = BATCH_VERSION
  /** Whole seconds since 1970 that all times of the rows count from. */
  baseSec = 0
  count = 0
  readonly cells: Float64Array<ArrayBuffer>
  readonly words: Uint32Array
  /** First cell of each row, in order. */
  readonly #at = new Int32Array(BATCH_ROWS_MAX)

  constructor(cells: Float64Array<ArrayBuffer>) {
    this.cells = cells
    this.words = wordsOf(cells)
  }

  /** What another thread packed with `takeCells`. */
  static of(cells: Float64Array<ArrayBuffer>, baseSec: number): FlowBatch {
    const batch = new FlowBatch(cells)
    batch.baseSec = baseSec
    for (let at = 0; at < cells.length; at += Row.ROW_CELLS) batch.append(at)
    return batch
  }

  /** The rows alone, in memory of their own: to hand to another thread. */
  takeCells(): Float64Array<ArrayBuffer> {
    const cells = new Float64Array(this.count * Row.ROW_CELLS)
    this.copyRows(cells)
    return cells
  }

  get isFull(): boolean {
    return this.count === BATCH_ROWS_MAX
  }

  /** Adds the row whose first cell is `cells[at]`. */
  append(at: number): void {
    this.#at[this.count++] = at
  }

  /** First cell of the row at `index`. */
  at(index: number): number {
    return this.#at[index]
  }

  /** Copies the rows into `to`, one after the other; there must be room for `count` rows. */
  copyRows(to: Float64Array): void {
    for (let index = 0; index < this.count; index++) {
      const from = this.#at[index]
      const start = index * Row.ROW_CELLS
      for (let i = 0; i < Row.ROW_CELLS; i++) to[start + i] = this.cells[from + i]
    }
  }
}

/** Room for the rows of one batch. */
export const BATCH_CELLS = BATCH_ROWS_MAX * Row.ROW_CELLS
