/**
 * Sums over the last five minutes in whole minutes, a few cells a minute.
 *
 * In:  amounts by cell with their packet time. Out: a cell's sum over the present minute and the five before it.
 * Not: the time inside a minute. What comes late counts in the present minute.
 */

const MINUTE_US = 60e6
/** The present minute and the five before. */
const SLOTS = 6

export class MinuteRing {
  readonly #cells: Float64Array
  readonly #stride: number
  #minute = Number.NEGATIVE_INFINITY

  constructor(stride: number) {
    this.#stride = stride
    this.#cells = new Float64Array(SLOTS * stride)
  }

  add(timeUs: number, cell: number, amount: number): void {
    this.#advance(timeUs)
    this.#cells[this.#offset(this.#minute) + cell] += amount
  }

  sum(timeUs: number, cell: number): number {
    this.#advance(timeUs)
    let sum = 0
    for (let i = cell; i < this.#cells.length; i += this.#stride) sum += this.#cells[i]
    return sum
  }

  /** Wipes the minutes that passed since the last call. */
  #advance(timeUs: number): void {
    const minute = Math.floor(timeUs / MINUTE_US)
    if (minute <= this.#minute) return
    for (let m = Math.max(this.#minute + 1, minute - SLOTS + 1); m <= minute; m++) {
      this.#cells.fill(0, this.#offset(m), this.#offset(m) + this.#stride)
    }
    this.#minute = minute
  }

  #offset(minute: number): number {
    return (((minute % SLOTS) + SLOTS) % SLOTS) * this.#stride
  }
}
