/**
 * A table with a hard limit: what was not used for long goes first, and what has been quiet too long is gone.
 *
 * In:  keys of a text, a second one and a number (a host; two hosts; two hosts and a service), packet times.
 * Out: entries; `evictedCount` says how often the limit took one that was not yet quiet too long.
 * Not: a clock: a replay forgets what the live run forgot. Not joined keys: a flow would make, hash and throw away a dozen texts.
 * The invariant: slots lie in arrays, in a line from `#oldest` to `#newest`, and in chains by hash; chains change no order and no result.
 *
 * Who is used is marked, and keeps its place: moving it would touch its neighbours, which lie anywhere in memory, at each look-up. Whose
 * turn to go it is, and who is marked, goes to the end of the line instead (second chance: Corbato, "A Paging Experiment with the Multics
 * System", 1968).
 *
 * Addresses are chosen by those who send. Hashes begin with a seed (`seedTables`), so that nobody can fill one chain on purpose.
 */

import { seededHash, tableSeed } from './key-hash.ts'

const US_PER_MS = 1000
const SLOTS_AT_START = 64
const NONE = -1
/** Not in the table. */
export const NO_SEAT = NONE

/** What a slot's numbers are, thirty-two octets that lie together: a look-up that waits for memory waits for one line of the cache. */
const SLOT_WORDS = 8
const HASH = 0
/** The slots beside it in the line. */
const OLDER = 1
const NEWER = 2
/** The next slot of the same chain, or of those given back. */
const NEXT = 3
/** In cells of eight octets. */
const SLOT_CELLS = 4
const NUMBER = 2
/** Below 0 for who was used since it got its place in the line. */
const USED_MS = 3
/** Look-ups are not to wait while a whole line of used ones goes by. */
const CHANCES_MAX = 64

/** A slot's two texts and its value, beside each other for the same reason. */
const SLOT_REFS = 3
const TEXT = 0
const OTHER = 1
const VALUE = 2

/** Packet time for all tables of a context: one, since time moves with every flow. Never goes back. */
export class TableClock {
  /** Milliseconds, from 1 on. */
  nowMs = 1

  advance(nowUs: number): void {
    const nowMs = 1 + nowUs / US_PER_MS
    if (nowMs > this.nowMs) this.nowMs = nowMs
  }
}

export class BoundedTable<V extends object> {
  evictedCount = 0
  readonly #max: number
  readonly #quietMs: number
  readonly #clock: TableClock
  readonly #noteSeat: ((value: V, seat: number) => void) | null
  readonly #seed = tableSeed()
  #size = 0
  #oldest = NONE
  #newest = NONE
  /** First of the slots that were given back. */
  #free = NONE
  /** Slots ever used. */
  #used = 0
  #words = new Int32Array(SLOTS_AT_START * SLOT_WORDS)
  /** The same memory as `#words`. */
  #cells = new Float64Array(this.#words.buffer)
  readonly #refs: (string | V | undefined)[] = []
  /** First slot of each chain; two chains a slot, so that they are short. */
  #chains = new Int32Array(2 * SLOTS_AT_START).fill(NONE)

  /**
   * @param quietUs an entry untouched for longer is forgotten.
   * @param noteSeat told where an entry sits, for `stay`; NO_SEAT once it has gone.
   */
  constructor(max: number, quietUs: number, clock: TableClock, noteSeat: ((value: V, seat: number) => void) | null = null) {
    this.#max = max
    this.#noteSeat = noteSeat
    this.#quietMs = Math.ceil(quietUs / US_PER_MS)
    this.#clock = clock
  }

  get(text: string, other = '', n = 0): V | undefined {
    if (this.#size === 0) return undefined
    const slot = this.#find(text, other, n, this.#hash(text, other, n))
    if (slot === NONE) return undefined
    if (this.#isQuiet(slot)) {
      this.#remove(slot)
      return undefined
    }
    this.#touch(slot)
    return this.#valueAt(slot)
  }

  /** A look that doesn't make the entry younger. */
  peek(text: string, other = '', n = 0): V | undefined {
    if (this.#size === 0) return undefined
    const slot = this.#find(text, other, n, this.#hash(text, other, n))
    return slot === NONE || this.#isQuiet(slot) ? undefined : this.#valueAt(slot)
  }

  /** A use of whoever sits there, without a look-up; false when it was quiet too long, or has gone. */
  stay(seat: number): boolean {
    if (seat === NO_SEAT || this.#isQuiet(seat)) return false
    this.#touch(seat)
    return true
  }

  getOrCreate(text: string, create: (text: string) => V, other = '', n = 0): V {
    const hash = this.#hash(text, other, n)
    const slot = this.#find(text, other, n, hash)
    if (slot !== NONE) {
      if (!this.#isQuiet(slot)) {
        this.#touch(slot)
        return this.#valueAt(slot)
      }
      this.#remove(slot)
    }
    const made = create(text)
    this.#insert(text, other, n, hash, made)
    return made
  }

  /** The quietest first; what is forgotten is left out. */
  *entries(): Generator<{ text: string; other: string; value: V }> {
    const slots: number[] = []
    for (let slot = this.#oldest; slot !== NONE; slot = this.#words[slot * SLOT_WORDS + NEWER]) if (!this.#isQuiet(slot)) slots.push(slot)
    for (const slot of slots.sort((a, b) => this.#usedMs(a) - this.#usedMs(b))) {
      const at = slot * SLOT_REFS
      yield { text: this.#refs[at + TEXT] as string, other: this.#refs[at + OTHER] as string, value: this.#valueAt(slot) }
    }
  }

  get size(): number {
    return this.#size
  }

  #hash(text: string, other: string, n: number): number {
    const first = seededHash(text, this.#seed)
    const both = other === '' ? first : Math.imul(first ^ (first >>> 15), 0x2c1b3c6d) ^ seededHash(other, this.#seed)
    const mixed = Math.imul(both ^ Math.imul(n, 0x9e3779b1), 0x85ebca6b)
    return mixed ^ (mixed >>> 16)
  }

  #find(text: string, other: string, n: number, hash: number): number {
    const words = this.#words
    const refs = this.#refs
    let slot = this.#chains[hash & (this.#chains.length - 1)]
    while (slot !== NONE) {
      const at = slot * SLOT_WORDS
      if (words[at + HASH] === hash && this.#cells[slot * SLOT_CELLS + NUMBER] === n) {
        const ref = slot * SLOT_REFS
        if (refs[ref + TEXT] === text && refs[ref + OTHER] === other) return slot
      }
      slot = words[at + NEXT]
    }
    return NONE
  }

  /** Only of slots in use. */
  #valueAt(slot: number): V {
    return this.#refs[slot * SLOT_REFS + VALUE] as V
  }

  #isQuiet(slot: number): boolean {
    return this.#clock.nowMs - this.#usedMs(slot) > this.#quietMs
  }

  #usedMs(slot: number): number {
    return Math.abs(this.#cells[slot * SLOT_CELLS + USED_MS])
  }

  #touch(slot: number): void {
    this.#cells[slot * SLOT_CELLS + USED_MS] = -this.#clock.nowMs
  }

  /** Puts whose turn to go it is at the end of the line when it was used since it came there. */
  #spare(slot: number): boolean {
    const at = slot * SLOT_CELLS + USED_MS
    if (this.#cells[at] >= 0) return false
    this.#cells[at] = -this.#cells[at]
    this.#unlink(slot)
    this.#linkNewest(slot)
    return true
  }

  /** Two go for one that comes, so that memory follows what lives. */
  #sweep(): void {
    for (let i = 0; i < 2 && this.#oldest !== NONE; i++) {
      if (this.#isQuiet(this.#oldest)) this.#remove(this.#oldest)
      else if (!this.#spare(this.#oldest)) return
    }
  }

  #evict(): void {
    for (let i = 0; i < CHANCES_MAX && this.#spare(this.#oldest); i++);
    this.#remove(this.#oldest)
    this.evictedCount++
  }

  #insert(text: string, other: string, n: number, hash: number, value: V): void {
    this.#sweep()
    if (this.#size >= this.#max) this.#evict()
    const slot = this.#takeSlot()
    const ref = slot * SLOT_REFS
    this.#refs[ref + TEXT] = text
    this.#refs[ref + OTHER] = other
    this.#refs[ref + VALUE] = value
    this.#cells[slot * SLOT_CELLS + NUMBER] = n
    this.#cells[slot * SLOT_CELLS + USED_MS] = this.#clock.nowMs
    this.#words[slot * SLOT_WORDS + HASH] = hash
    this.#chain(slot)
    this.#linkNewest(slot)
    this.#size++
    this.#noteSeat?.(value, slot)
  }

  #takeSlot(): number {
    const slot = this.#free
    if (slot !== NONE) {
      this.#free = this.#words[slot * SLOT_WORDS + NEXT]
      return slot
    }
    if (this.#used * SLOT_WORDS === this.#words.length) this.#grow()
    return this.#used++
  }

  #remove(slot: number): void {
    const words = this.#words
    this.#unlink(slot)
    const next = words[slot * SLOT_WORDS + NEXT]
    const chain = words[slot * SLOT_WORDS + HASH] & (this.#chains.length - 1)
    if (this.#chains[chain] === slot) this.#chains[chain] = next
    else {
      let before = this.#chains[chain]
      while (words[before * SLOT_WORDS + NEXT] !== slot) before = words[before * SLOT_WORDS + NEXT]
      words[before * SLOT_WORDS + NEXT] = next
    }
    const ref = slot * SLOT_REFS
    this.#noteSeat?.(this.#valueAt(slot), NO_SEAT)
    this.#refs[ref + TEXT] = ''
    this.#refs[ref + OTHER] = ''
    this.#refs[ref + VALUE] = undefined
    words[slot * SLOT_WORDS + NEXT] = this.#free
    this.#free = slot
    this.#size--
  }

  /** Puts a slot at the head of the chain of its hash. */
  #chain(slot: number): void {
    const chain = this.#words[slot * SLOT_WORDS + HASH] & (this.#chains.length - 1)
    this.#words[slot * SLOT_WORDS + NEXT] = this.#chains[chain]
    this.#chains[chain] = slot
  }

  #unlink(slot: number): void {
    const words = this.#words
    const older = words[slot * SLOT_WORDS + OLDER]
    const newer = words[slot * SLOT_WORDS + NEWER]
    if (older === NONE) this.#oldest = newer
    else words[older * SLOT_WORDS + NEWER] = newer
    if (newer === NONE) this.#newest = older
    else words[newer * SLOT_WORDS + OLDER] = older
  }

  #linkNewest(slot: number): void {
    const words = this.#words
    words[slot * SLOT_WORDS + OLDER] = this.#newest
    words[slot * SLOT_WORDS + NEWER] = NONE
    if (this.#newest === NONE) this.#oldest = slot
    else words[this.#newest * SLOT_WORDS + NEWER] = slot
    this.#newest = slot
  }

  /** Twice as many slots and chains. */
  #grow(): void {
    const words = new Int32Array(2 * this.#words.length)
    words.set(this.#words)
    this.#words = words
    this.#cells = new Float64Array(words.buffer)
    this.#chains = new Int32Array(2 * this.#chains.length).fill(NONE)
    // All are taken: it grows only when none was free.
    for (let slot = 0; slot < this.#used; slot++) this.#chain(slot)
  }
}
