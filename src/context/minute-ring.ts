/**
 * Sums over the last five minutes in whole minutes, a few cells a minute.
 *
 * In:  amounts by cell with their packet time. Out: a cell's sum over the present minute and the five before it.
 * Not: the time inside a minute. What comes late counts in the present minute.
 */

const MINUTE_US = 60e6
/** The present minute and the five before. */
const SLOTS = 6
const NO_MINUTE = -(2 ** 30)

export class MinuteRing {
  /** The present minute alone until there is a second one: most hosts of a flood or a sweep are heard of once. */
  #cells: number[]
  readonly #stride: number
  #minute = NO_MINUTE
  /** When the next minute begins. */
  #nextUs = Number.NEGATIVE_INFINITY
  /** Where the present minute's cells begin. */
  #at = 0

  constructor(stride: number) {
    this.#stride = stride
    this.#cells = zeros(stride)
  }

  add(timeUs: number, cell: number, amount: number): void {
    this.advance(timeUs)
    this.addNow(cell, amount)
  }

  /** To the minute of the last call that told a time. */
  addNow(cell: number, amount: number): void {
    this.#cells[this.#at + cell] += amount
  }

  sum(timeUs: number, cell: number): number {
    this.advance(timeUs)
    return this.sumNow(cell)
  }

  /** As of the last call that told a time. */
  sumNow(cell: number): number {
    let sum = 0
    for (let i = cell; i < this.#cells.length; i += this.#stride) sum += this.#cells[i]
    return sum
  }

  /** Wipes the minutes that passed since the last call. */
  advance(timeUs: number): void {
    if (timeUs < this.#nextUs) return
    const minute = Math.floor(timeUs / MINUTE_US)
    this.#nextUs = (minute + 1) * MINUTE_US
    if (this.#cells.length === this.#stride && this.#minute !== NO_MINUTE) this.#unfold(minute)
    if (this.#minute === NO_MINUTE) this.#minute = minute
    for (let m = Math.max(this.#minute + 1, minute - SLOTS + 1); m <= minute; m++) {
      this.#cells.fill(0, this.#offset(m), this.#offset(m) + this.#stride)
    }
    this.#minute = minute
    this.#at = this.#offset(minute)
  }

  #unfold(minute: number): void {
    if (minute - this.#minute >= SLOTS) return
    const first = this.#cells
    this.#cells = zeros(SLOTS * this.#stride)
    const at = this.#offset(this.#minute)
    for (let i = 0; i < this.#stride; i++) this.#cells[at + i] = first[i]
  }

  #offset(minute: number): number {
    if (this.#cells.length === this.#stride) return 0
    return (((minute % SLOTS) + SLOTS) % SLOTS) * this.#stride
  }
}

/** As many as any ring needs. */
const ZEROS: readonly number[] = new Array<number>(128).fill(0)

/** Of numbers, not a typed array: that would take a thousand octets for a dozen cells. */
function zeros(count: number): number[] {
  return ZEROS.slice(0, count)
}
