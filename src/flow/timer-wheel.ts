/**
 * When to look at a flow again: a wheel of one-second slots in packet time.
 *
 * In:  a slot of the table and the second in which it *might* have expired.
 * Out: per second, the slots filed there; the caller looks and files again what has not expired.
 * A packet costs the wheel nothing: a flow that spoke again is found still alive when its old time comes.
 * The invariant: a slot is filed at most once. A silence of years is crossed in one turn of the wheel.
 */

/** About 34 minutes; a time further off is filed at the horizon and looked at then. */
const SLOTS = 2048
const NONE = -1

/** What a look returns for an entry that is not to be filed again. No second, not even one before the run's base, is that. */
export const DONE = -Infinity

export class TimerWheel {
  readonly #heads = new Int32Array(SLOTS).fill(NONE)
  readonly #next: Int32Array
  readonly #prev: Int32Array
  /** The wheel slot that an entry is filed in, or NONE. */
  readonly #filedAt: Int32Array
  #second = 0
  #count = 0

  constructor(slotsMax: number) {
    this.#next = new Int32Array(slotsMax)
    this.#prev = new Int32Array(slotsMax)
    this.#filedAt = new Int32Array(slotsMax).fill(NONE)
  }

  /** The second up to and including which everything was looked at. */
  get second(): number {
    return this.#second
  }

  /** Starts over at `second`; only with nothing filed. */
  restart(second: number): void {
    if (this.#count !== 0) throw new Error(`timer wheel: restarted with ${this.#count} entries filed`)
    this.#second = second
  }

  /** Files `entry` to be looked at in `second`, the next one at the earliest; moves it if it is filed already. */
  file(entry: number, second: number): void {
    this.remove(entry)
    const due = Math.min(Math.max(second, this.#second + 1), this.#second + SLOTS - 1)
    const slot = due & (SLOTS - 1)
    const head = this.#heads[slot]
    this.#next[entry] = head
    this.#prev[entry] = NONE
    if (head !== NONE) this.#prev[head] = entry
    this.#heads[slot] = entry
    this.#filedAt[entry] = slot
    this.#count++
  }

  remove(entry: number): void {
    const slot = this.#filedAt[entry]
    if (slot === NONE) return
    const next = this.#next[entry]
    const prev = this.#prev[entry]
    if (next !== NONE) this.#prev[next] = prev
    if (prev === NONE) this.#heads[slot] = next
    else this.#next[prev] = next
    this.#filedAt[entry] = NONE
    this.#count--
  }

  /** Takes everything out. */
  clear(): void {
    this.#heads.fill(NONE)
    this.#filedAt.fill(NONE)
    this.#count = 0
  }

  /**
   * Goes on second by second to `second`; `look` is called for each entry that is due (and by then filed nowhere), `turn` after each second.
   * @param look returns the second to file the entry under again, or DONE
   */
  advance(second: number, look: (entry: number, due: number) => number, turn: (done: number) => void): void {
    while (this.#second < second && this.#count > 0) {
      const due = ++this.#second
      const slot = due & (SLOTS - 1)
      for (let entry = this.#heads[slot]; entry !== NONE; entry = this.#heads[slot]) {
        this.remove(entry)
        const again = look(entry, due)
        if (again !== DONE) this.file(entry, again)
      }
      turn(due)
    }
    if (this.#second < second) {
      this.#second = second
      turn(second)
    }
  }
}
