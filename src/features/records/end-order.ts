/**
 * Flows put in the order of their last packets, as the analyst wants them, as far as a bounded number of them can be held back.
 *
 * In:  flows in any order. Out: flows by (end, start, arrival); those that came too late for it are counted and go out at once.
 * Not: a sort of the whole: a file of any length passes with `heldMax` flows in memory.
 */
import type { Flow } from '../../flow/flow.ts'

export class EndOrder {
  /** Flows that came after one that was later was handed on. */
  tooLate = 0
  /** Flows that came after a later one, and were put in order. */
  reordered = 0
  readonly #heldMax: number
  readonly #heap: { flow: Flow; arrival: number }[] = []
  #arrival = 0
  #newestUs = Number.NEGATIVE_INFINITY
  #givenUs = Number.NEGATIVE_INFINITY

  constructor(heldMax: number) {
    this.#heldMax = heldMax
  }

  /** The flow that leaves for this one; null while there is room. */
  push(flow: Flow): Flow | null {
    if (flow.endUs < this.#givenUs) {
      this.tooLate++
      return flow
    }
    if (flow.endUs < this.#newestUs) this.reordered++
    else this.#newestUs = flow.endUs
    this.#siftUp({ flow, arrival: this.#arrival++ })
    return this.#heap.length > this.#heldMax ? this.pop() : null
  }

  /** Those that ended by then, in order. */
  popUntil(us: number): Flow[] {
    const due: Flow[] = []
    while (this.#heap.length > 0 && this.#heap[0].flow.endUs <= us) {
      const first = this.pop()
      if (first !== null) due.push(first)
    }
    return due
  }

  /** The earliest; null when none is held. */
  pop(): Flow | null {
    const [first] = this.#heap
    if (first === undefined) return null
    const last = this.#heap.pop()
    if (last !== undefined && last !== first) this.#siftDown(last)
    this.#givenUs = Math.max(this.#givenUs, first.flow.endUs)
    return first.flow
  }

  #siftUp(entry: { flow: Flow; arrival: number }): void {
    let at = this.#heap.length
    this.#heap.push(entry)
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (!isBefore(entry, this.#heap[parent])) break
      this.#heap[at] = this.#heap[parent]
      at = parent
    }
    this.#heap[at] = entry
  }

  #siftDown(entry: { flow: Flow; arrival: number }): void {
    const { length } = this.#heap
    let at = 0
    for (let child = 1; child < length; child = 2 * at + 1) {
      if (child + 1 < length && isBefore(this.#heap[child + 1], this.#heap[child])) child++
      if (!isBefore(this.#heap[child], entry)) break
      this.#heap[at] = this.#heap[child]
      at = child
    }
    this.#heap[at] = entry
  }
}

function isBefore(a: { flow: Flow; arrival: number }, b: { flow: Flow; arrival: number }): boolean {
  if (a.flow.endUs !== b.flow.endUs) return a.flow.endUs < b.flow.endUs
  return a.flow.startUs !== b.flow.startUs ? a.flow.startUs < b.flow.startUs : a.arrival < b.arrival
}
