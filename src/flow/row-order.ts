/**
 * Puts finished rows into their order: (end, start, key).
 *
 * In:  slots of the table. Out: the same slots, sorted in place.
 * Not: Array.prototype.sort, which allocates: metering must give the garbage collector nothing to do.
 */
import * as Row from './row.ts'

/** Bottom-up merge sort with one scratch array taken at start. */
export class RowOrder {
  readonly #f: Float64Array
  readonly #w: Uint32Array
  readonly #scratch: Int32Array

  constructor(f: Float64Array, w: Uint32Array, slotsMax: number) {
    this.#f = f
    this.#w = w
    this.#scratch = new Int32Array(slotsMax)
  }

  sort(slots: Int32Array, count: number): void {
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
    let left = start
    let right = middle
    for (let i = start; i < end; i++) {
      const takesLeft = right >= end || (left < middle && this.#compare(from[left], from[right]) <= 0)
      to[i] = takesLeft ? from[left++] : from[right++]
    }
  }

  #compare(slotA: number, slotB: number): number {
    const f = this.#f
    const w = this.#w
    const a = slotA * Row.ROW_CELLS
    const b = slotB * Row.ROW_CELLS
    if (f[a + Row.END_US] !== f[b + Row.END_US]) return f[a + Row.END_US] - f[b + Row.END_US]
    if (f[a + Row.ROW_START_US] !== f[b + Row.ROW_START_US]) return f[a + Row.ROW_START_US] - f[b + Row.ROW_START_US]
    for (let i = 0; i < 12; i++) {
      const difference = w[2 * a + i] - w[2 * b + i]
      if (difference !== 0) return difference
    }
    return 0
  }
}
