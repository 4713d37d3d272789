/**
 * A table with a hard limit: least recently used goes first, and what has been quiet too long is gone.
 *
 * In:  keys of a text, a second one and a number (a host; two hosts; two hosts and a service), packet times.
 * Out: entries; `evictedCount` says how often the limit took one that was not yet quiet too long.
 * Not: a clock: a replay forgets what the live run forgot. Not joined keys: a flow would make, hash and throw away a dozen texts.
 * The invariant: slots lie in arrays, in the order of last use from `#oldest` to `#newest`, and in chains by hash; chains change no
 * order and no result.
 *
 * Addresses are chosen by those who send. Hashes begin with a seed (`seedTables`), so that nobody can fill one chain on purpose.
 */

import { seededHash, tableSeed } from './key-hash.ts'

const US_PER_MS = 1000
const SLOTS_AT_START = 64
const NONE = -1

export class BoundedTable<V extends object> {
  evictedCount = 0
  readonly #max: number
  readonly #quietMs: number
  readonly #seed = tableSeed()
  #nowMs = 1
  #size = 0
  #oldest = NONE
  #newest = NONE
  /** First of the slots that were given back; their chain goes by `#next`. */
  #free = NONE
  /** Slots ever used. */
  #used = 0
  #texts: string[] = []
  #others: string[] = []
  #values: (V | undefined)[] = []
  #numbers = new Float64Array(SLOTS_AT_START)
  #touchedMs = new Float64Array(SLOTS_AT_START)
  #hashes = new Int32Array(SLOTS_AT_START)
  /** The slot used just before, and just after. */
  #older = new Int32Array(SLOTS_AT_START)
  #newer = new Int32Array(SLOTS_AT_START)
  /** The next slot of the same chain. */
  #next = new Int32Array(SLOTS_AT_START)
  #chains = new Int32Array(SLOTS_AT_START).fill(NONE)

  /** @param quietUs an entry untouched for longer is forgotten. */
  constructor(max: number, quietUs: number) {
    this.#max = max
    this.#quietMs = Math.ceil(quietUs / US_PER_MS)
  }

  /** Packet time moves on; never back. */
  advance(nowUs: number): void {
    const nowMs = 1 + nowUs / US_PER_MS
    if (nowMs > this.#nowMs) this.#nowMs = nowMs
  }

  get(text: string, other = '', n = 0): V | undefined {
    const slot = this.#find(text, other, n, this.#hash(text, other, n))
    if (slot === NONE) return undefined
    if (this.#isQuiet(slot)) {
      this.#remove(slot)
      return undefined
    }
    this.#touch(slot)
    return this.#values[slot]
  }

  /** A look that doesn't make the entry younger. */
  peek(text: string, other = '', n = 0): V | undefined {
    const slot = this.#find(text, other, n, this.#hash(text, other, n))
    return slot === NONE || this.#isQuiet(slot) ? undefined : this.#values[slot]
  }

  getOrCreate(text: string, create: () => V, other = '', n = 0): V {
    const hash = this.#hash(text, other, n)
    const slot = this.#find(text, other, n, hash)
    if (slot !== NONE) {
      if (!this.#isQuiet(slot)) {
        this.#touch(slot)
        return this.#values[slot] as V
      }
      this.#remove(slot)
    }
    const made = create()
    this.#insert(text, other, n, hash, made)
    return made
  }

  /** The quietest first; what is forgotten is left out. */
  *entries(): Generator<{ text: string; other: string; value: V }> {
    for (let slot = this.#oldest; slot !== NONE; slot = this.#newer[slot]) {
      if (!this.#isQuiet(slot)) yield { text: this.#texts[slot], other: this.#others[slot], value: this.#values[slot] as V }
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
    const hashes = this.#hashes
    let slot = this.#chains[hash & (this.#chains.length - 1)]
    while (slot !== NONE) {
      if (hashes[slot] === hash && this.#numbers[slot] === n && this.#texts[slot] === text && this.#others[slot] === other) return slot
      slot = this.#next[slot]
    }
    return NONE
  }

  #isQuiet(slot: number): boolean {
    return this.#nowMs - this.#touchedMs[slot] > this.#quietMs
  }

  #touch(slot: number): void {
    this.#touchedMs[slot] = this.#nowMs
    if (slot === this.#newest) return
    this.#unlink(slot)
    this.#linkNewest(slot)
  }

  #insert(text: string, other: string, n: number, hash: number, value: V): void {
    // In order of use, so that the quiet ones lie at the old end: two go for one that comes, and memory follows what lives.
    for (let i = 0; i < 2 && this.#oldest !== NONE && this.#isQuiet(this.#oldest); i++) this.#remove(this.#oldest)
    if (this.#size >= this.#max) {
      this.#remove(this.#oldest)
      this.evictedCount++
    }
    const slot = this.#takeSlot()
    this.#texts[slot] = text
    this.#others[slot] = other
    this.#values[slot] = value
    this.#numbers[slot] = n
    this.#hashes[slot] = hash
    this.#touchedMs[slot] = this.#nowMs
    const chain = hash & (this.#chains.length - 1)
    this.#next[slot] = this.#chains[chain]
    this.#chains[chain] = slot
    this.#linkNewest(slot)
    this.#size++
  }

  #takeSlot(): number {
    const slot = this.#free
    if (slot !== NONE) {
      this.#free = this.#next[slot]
      return slot
    }
    if (this.#used === this.#hashes.length) this.#grow()
    return this.#used++
  }

  #remove(slot: number): void {
    this.#unlink(slot)
    const chain = this.#hashes[slot] & (this.#chains.length - 1)
    if (this.#chains[chain] === slot) this.#chains[chain] = this.#next[slot]
    else {
      let before = this.#chains[chain]
      while (this.#next[before] !== slot) before = this.#next[before]
      this.#next[before] = this.#next[slot]
    }
    this.#texts[slot] = ''
    this.#others[slot] = ''
    this.#values[slot] = undefined
    this.#next[slot] = this.#free
    this.#free = slot
    this.#size--
  }

  #unlink(slot: number): void {
    const older = this.#older[slot]
    const newer = this.#newer[slot]
    if (older === NONE) this.#oldest = newer
    else this.#newer[older] = newer
    if (newer === NONE) this.#newest = older
    else this.#older[newer] = older
  }

  #linkNewest(slot: number): void {
    this.#older[slot] = this.#newest
    this.#newer[slot] = NONE
    if (this.#newest === NONE) this.#oldest = slot
    else this.#newer[this.#newest] = slot
    this.#newest = slot
  }

  /** Twice as many slots and chains. */
  #grow(): void {
    const size = 2 * this.#hashes.length
    this.#numbers = grown(this.#numbers, new Float64Array(size))
    this.#touchedMs = grown(this.#touchedMs, new Float64Array(size))
    this.#hashes = grown(this.#hashes, new Int32Array(size))
    this.#older = grown(this.#older, new Int32Array(size))
    this.#newer = grown(this.#newer, new Int32Array(size))
    this.#next = grown(this.#next, new Int32Array(size))
    this.#chains = new Int32Array(size).fill(NONE)
    // All are taken: it grows only when none was free.
    for (let slot = 0; slot < this.#used; slot++) {
      const chain = this.#hashes[slot] & (size - 1)
      this.#next[slot] = this.#chains[chain]
      this.#chains[chain] = slot
    }
  }
}

function grown<T extends Float64Array | Int32Array>(from: T, to: T): T {
  to.set(from)
  return to
}
