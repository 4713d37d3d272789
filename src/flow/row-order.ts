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
    return this.#compareKeys(slotA * Row.ROW_WORDS, slotB * Row.ROW_WORDS)
  }

  #compareKeys(a: number, b: number): number {
    const w = this.#w
    for (let i = 0; i < Row.KEY_WORDS_COUNT; i++) {
      const difference = w[a + i] - w[b + i]
      if (difference !== 0) return difference
    }
    return 0
  }
}
