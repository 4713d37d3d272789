/**
 * Puts finished rows into their order: (end, start, key).
 *
 * In:  slots of the table. Out: the same slots, sorted in place.
 * Not: Array.prototype.sort, which allocates: metering must give the garbage collector nothing to do.
 */
import * as Row from './row.ts'

/** Bottom-up merge sort with scratch arrays taken at start. End and start are copied out first: rows lie far apart, and a sort looks often. */
export class RowOrder {
  readonly #f: Float64Array
  readonly #w: Uint32Array
  readonly #endUs: Float64Array
  readonly #startUs: Float64Array
  readonly #scratch: Int32Array

  constructor(f: Float64Array, w: Uint32Array, slotsMax: number) {
    this.#f = f
    this.#w = w
    this.#endUs = new Float64Array(slotsMax)
    this.#startUs = new Float64Array(slotsMax)
    this.#scratch = new Int32Array(slotsMax)
  }

  sort(slots: Int32Array, count: number): void {
    for (let i = 0; i < count; i++) {
      const at = slots[i] * Row.ROW_CELLS
      this.#endUs[slots[i]] = this.#f[at + Row.END_US]
      this.#startUs[slots[i]] = this.#f[at + Row.ROW_START_US]
    }
    let from = slots
    let to = this.#scratch
    for (let width = 1; width < count; width *= 2) {
      for (let start = 0; start < count; start += 2 * width)
        this.#merge(from, to, start, Math.min(start + width, count), Math.min(start + 2 * width, count))
      const swapped = from
      from = to
      to = swapped
    }
    if (from !== slots) for (let i = 0; i < count; i++) slots[i] = from[i]
  }

  #merge(from: Int32Array, to: Int32Array, start: number, middle: number, end: number): void {
    // Flows are filed in nearly the order in which they began: halves that stand in order already are only carried over.
    if (middle >= end || this.#compare(from[middle - 1], from[middle]) <= 0) {
      for (let i = start; i < end; i++) to[i] = from[i]
      return
    }
    let left = start
    let right = middle
    for (let i = start; i < end; i++) {
      const takesLeft = right >= end || (left < middle && this.#compare(from[left], from[right]) <= 0)
      to[i] = takesLeft ? from[left++] : from[right++]
    }
  }

  #compare(slotA: number, slotB: number): number {
    const endUs = this.#endUs
    if (endUs[slotA] !== endUs[slotB]) return endUs[slotA] - endUs[slotB]
    const startUs = this.#startUs
    if (startUs[slotA] !== startUs[slotB]) return startUs[slotA] - startUs[slotB]
    return compareKeys(this.#w, slotA * Row.ROW_WORDS, this.#w, slotB * Row.ROW_WORDS)
  }
}

/** A row in memory of its own: the first cell of it, and the cells as words. */
export interface PlacedRow {
  readonly cells: Float64Array
  readonly words: Uint32Array
  readonly at: number
}

/** The same order, of rows that lie in different places: those of several meters. */
export function compareRows(a: PlacedRow, b: PlacedRow): number {
  const byEnd = a.cells[a.at + Row.END_US] - b.cells[b.at + Row.END_US]
  if (byEnd !== 0) return byEnd
  const byStart = a.cells[a.at + Row.ROW_START_US] - b.cells[b.at + Row.ROW_START_US]
  return byStart !== 0 ? byStart : compareKeys(a.words, a.at * 2, b.words, b.at * 2)
}

/** By the words of two rows' keys, which begin at `a` and `b`. */
export function compareKeys(wordsA: Uint32Array, a: number, wordsB: Uint32Array, b: number): number {
  for (let i = 0; i < Row.KEY_WORDS_COUNT; i++) {
    const difference = wordsA[a + i] - wordsB[b + i]
    if (difference !== 0) return difference
  }
  return 0
}
