/**
 * Sums over the last five minutes in whole minutes, a few cells a minute.
 *
 * In:  amounts by cell with their packet time. Out: a cell's sum over the present minute and the five before it.
 * Not: the time inside a minute. What comes late counts in the present minute. Amounts are whole numbers, so that sums stay exact while
 * minutes are added and taken out.
 */

const MINUTE_US = 60e6
/** The present minute and the five before. */
const SLOTS = 6
const NO_MINUTE = -(2 ** 30)

export class MinuteRing {
  /**
   * The sums, then the cells of each minute. Of the first minute, the sums are all there is until there is a second one: most hosts of a
   * flood or a sweep are heard of once.
   */
  #cells: number[]
  readonly #stride: number
  #minute = NO_MINUTE
  /** Where the present minute's cells begin; 0 while there is only one. */
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
    this.#cells[cell] += amount
    if (this.#at > 0) this.#cells[this.#at + cell] += amount
  }

  sum(timeUs: number, cell: number): number {
    this.advance(timeUs)
    return this.sumNow(cell)
  }

  /** As of the last call that told a time. */
  sumNow(cell: number): number {
    return this.#cells[cell]
  }

  /** Takes the minutes that passed since the last call out of the sums. */
  advance(timeUs: number): void {
    const minute = Math.floor(timeUs / MINUTE_US)
    if (minute > this.#minute) this.#turn(minute)
  }

  #turn(minute: number): void {
    const last = this.#minute
    this.#minute = minute
    if (last === NO_MINUTE) return
    const isAlone = this.#at === 0
    if (isAlone && minute - last >= SLOTS) {
      this.#cells.fill(0)
      return
    }
    if (isAlone) this.#unfold(last)
    for (let m = Math.max(last + 1, minute - SLOTS + 1); m <= minute; m++) this.#wipe(this.#offset(m))
    this.#at = this.#offset(minute)
  }

  /** What the sums hold came in one minute. */
  #unfold(minute: number): void {
    const sums = this.#cells
    this.#cells = zeros((1 + SLOTS) * this.#stride)
    const at = this.#offset(minute)
    for (let i = 0; i < this.#stride; i++) {
      this.#cells[i] = sums[i]
      this.#cells[at + i] = sums[i]
    }
  }

  #wipe(at: number): void {
    const cells = this.#cells
    for (let i = 0; i < this.#stride; i++) {
      cells[i] -= cells[at + i]
      cells[at + i] = 0
    }
  }

  #offset(minute: number): number {
    return (1 + (((minute % SLOTS) + SLOTS) % SLOTS)) * this.#stride
  }
}

/** As many as any ring needs. */
const ZEROS: readonly number[] = new Array<number>(128).fill(0)

/** Of numbers, not a typed array: that would take a thousand octets for a dozen cells. */
function zeros(count: number): number[] {
  return ZEROS.slice(0, count)
}
