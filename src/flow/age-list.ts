/**
 * Flows in the order in which they came, unanswered ones apart from answered ones: who goes first when the table is full.
 *
 * In:  slots. Out: the oldest slot of a class, in O(1).
 * The invariant: a slot is in one list at most.
 */

export const UNANSWERED = 0
export const ANSWERED = 1
const CLASSES = 2
const NONE = -1

export class AgeList {
  readonly #next: Int32Array
  readonly #prev: Int32Array
  readonly #class: Int8Array
  readonly #oldest = new Int32Array(CLASSES).fill(NONE)
  readonly #youngest = new Int32Array(CLASSES).fill(NONE)

  constructor(slotsMax: number) {
    this.#next = new Int32Array(slotsMax)
    this.#prev = new Int32Array(slotsMax)
    this.#class = new Int8Array(slotsMax).fill(NONE)
  }

  add(slot: number, ageClass: number): void {
    const youngest = this.#youngest[ageClass]
    this.#prev[slot] = youngest
    this.#next[slot] = NONE
    if (youngest === NONE) this.#oldest[ageClass] = slot
    else this.#next[youngest] = slot
    this.#youngest[ageClass] = slot
    this.#class[slot] = ageClass
  }

  remove(slot: number): void {
    const ageClass = this.#class[slot]
    if (ageClass === NONE) return
    const next = this.#next[slot]
    const prev = this.#prev[slot]
    if (next === NONE) this.#youngest[ageClass] = prev
    else this.#prev[next] = prev
    if (prev === NONE) this.#oldest[ageClass] = next
    else this.#next[prev] = next
    this.#class[slot] = NONE
  }

  /** The flow to give up first: the oldest that nobody answered, else the oldest; -1 when there is none. */
  oldest(): number {
    const unanswered = this.#oldest[UNANSWERED]
    return unanswered === NONE ? this.#oldest[ANSWERED] : unanswered
  }

  /** Each slot, unanswered ones first, the oldest first; the list must not change meanwhile. */
  forEach(visit: (slot: number) => void): void {
    for (let ageClass = 0; ageClass < CLASSES; ageClass++) {
      for (let slot = this.#oldest[ageClass]; slot !== NONE; slot = this.#next[slot]) visit(slot)
    }
  }

  clear(): void {
    this.#class.fill(NONE)
    this.#oldest.fill(NONE)
    this.#youngest.fill(NONE)
  }
}
