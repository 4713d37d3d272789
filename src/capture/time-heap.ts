/**
 * Records held in a heap by (time, arrival): the oldest is first, and of equals the one that came first.
 *
 * In:  records, copied into one buffer. Out: the first record's place, time and interface; `pop` lets it go.
 * The invariant: the buffer is compacted when its end is reached, which frees at least half of it: O(1) copies a record.
 */
import { CAP_LEN_MAX, REC_HEADER_LEN } from './slab.ts'

const ENTRY_WORDS = 4
const AT = 0
const LEN = 1
const LINK_TYPE = 2
const INTERFACE = 3

export class TimeHeap {
  /** Where records lie; may be another buffer after `push`. */
  bytes = new Uint8Array(0)
  bytesHeld = 0
  count = 0
  readonly #bytesMax: number
  /** By place in the heap. */
  #times = new Float64Array(0)
  #arrivals = new Float64Array(0)
  #slots = new Uint32Array(0)
  /** By slot. */
  #entries = new Uint32Array(0)
  #free = new Uint32Array(0)
  #freeCount = 0
  #end = 0
  #arrival = 0

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  /** Memory is taken with the first record: most inputs are in order and need none. */
  #allocate(): void {
    const held = this.#bytesMax + REC_HEADER_LEN + CAP_LEN_MAX
    const records = Math.ceil(held / REC_HEADER_LEN)
    this.bytes = new Uint8Array(2 * held)
    this.#times = new Float64Array(records)
    this.#arrivals = new Float64Array(records)
    this.#slots = new Uint32Array(records)
    this.#entries = new Uint32Array(records * ENTRY_WORDS)
    this.#free = new Uint32Array(records)
    for (let i = 0; i < records; i++) this.#free[i] = records - 1 - i
    this.#freeCount = records
  }

  get firstNs(): number {
    return this.#times[0]
  }

  get firstAt(): number {
    return this.#entries[this.#slots[0] * ENTRY_WORDS + AT]
  }

  get firstLen(): number {
    return this.#entries[this.#slots[0] * ENTRY_WORDS + LEN]
  }

  get firstLinkType(): number {
    return this.#entries[this.#slots[0] * ENTRY_WORDS + LINK_TYPE]
  }

  get firstInterfaceId(): number {
    return this.#entries[this.#slots[0] * ENTRY_WORDS + INTERFACE]
  }

  push(timeNs: number, from: Uint8Array, at: number, len: number, linkType: number, interfaceId: number): void {
    if (this.bytes.length === 0) this.#allocate()
    if (this.#end + len > this.bytes.length) this.#compact()
    copyRecord(from, at, len, this.bytes, this.#end)
    const slot = this.#free[--this.#freeCount]
    const entry = slot * ENTRY_WORDS
    this.#entries[entry + AT] = this.#end
    this.#entries[entry + LEN] = len
    this.#entries[entry + LINK_TYPE] = linkType
    this.#entries[entry + INTERFACE] = interfaceId
    this.#end += len
    this.bytesHeld += len
    this.#siftUp(this.count++, timeNs, this.#arrival++, slot)
  }

  pop(): void {
    const slot = this.#slots[0]
    this.bytesHeld -= this.#entries[slot * ENTRY_WORDS + LEN]
    this.#free[this.#freeCount++] = slot
    const last = --this.count
    if (last > 0) this.#siftDown(this.#times[last], this.#arrivals[last], this.#slots[last])
    else this.#end = 0
  }

  /** Moves the records held to the buffer's front, in the order in which they lie. */
  #compact(): void {
    const order = this.#slots.subarray(0, this.count).slice()
    order.sort((a, b) => this.#entries[a * ENTRY_WORDS + AT] - this.#entries[b * ENTRY_WORDS + AT])
    let end = 0
    for (const slot of order) {
      const entry = slot * ENTRY_WORDS
      const at = this.#entries[entry + AT]
      const len = this.#entries[entry + LEN]
      this.bytes.copyWithin(end, at, at + len)
      this.#entries[entry + AT] = end
      end += len
    }
    this.#end = end
  }

  #siftUp(from: number, timeNs: number, arrival: number, slot: number): void {
    let i = from
    while (i > 0) {
      const parent = (i - 1) >> 1
      if (this.#times[parent] < timeNs || (this.#times[parent] === timeNs && this.#arrivals[parent] < arrival)) break
      this.#move(parent, i)
      i = parent
    }
    this.#set(i, timeNs, arrival, slot)
  }

  #siftDown(timeNs: number, arrival: number, slot: number): void {
    let i = 0
    for (let child = 1; child < this.count; child = 2 * i + 1) {
      if (child + 1 < this.count && this.#isBefore(child + 1, child)) child++
      if (this.#times[child] > timeNs || (this.#times[child] === timeNs && this.#arrivals[child] > arrival)) break
      this.#move(child, i)
      i = child
    }
    this.#set(i, timeNs, arrival, slot)
  }

  #isBefore(a: number, b: number): boolean {
    return this.#times[a] < this.#times[b] || (this.#times[a] === this.#times[b] && this.#arrivals[a] < this.#arrivals[b])
  }

  #move(from: number, to: number): void {
    this.#set(to, this.#times[from], this.#arrivals[from], this.#slots[from])
  }

  #set(i: number, timeNs: number, arrival: number, slot: number): void {
    this.#times[i] = timeNs
    this.#arrivals[i] = arrival
    this.#slots[i] = slot
  }
}

const SHORT_LEN = 256

/** A view made only to copy from costs more than a short record's octets one by one. */
export function copyRecord(from: Uint8Array, at: number, len: number, to: Uint8Array, toAt: number): void {
  if (len > SHORT_LEN) {
    to.set(from.subarray(at, at + len), toAt)
    return
  }
  for (let i = 0; i < len; i++) to[toAt + i] = from[at + i]
}
