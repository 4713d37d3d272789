/**
 * How many different things came by lately, and which.
 *
 * In:  keys (numbers or text) with their packet time, roughly in order.
 * Out: a distinct count and, up to `exactMax` a bucket, the list of keys, over two rotating buckets of `widthUs`: what is
 *      counted lies between one and two widths back. `spanUs` is the time really covered; texts state that, never the width.
 * Not: exact counts past `exactMax`: there a HyperLogLog of 256 registers goes on (standard error 6.5 %).
 * The invariant: memory is bounded by 2 × `exactMax` keys and two register arrays, whatever comes.
 *
 * Flajolet et al., "HyperLogLog", AofA 2007; linear counting for small estimates as given there.
 */

import { KeySet } from './key-set.ts'

const REGISTERS = 256
const REGISTER_BITS = 8
/** alpha_m of the paper for m = 256. */
const ALPHA = 0.7213 / (1 + 1.079 / REGISTERS)

/** 2 to the minus n: what a register counts for. */
const SHARES = Float64Array.from({ length: 33 }, (_, n) => 2 ** -n)

interface Bucket<K extends string | number> {
  exact: KeySet<K>
  registers: Uint8Array | null
  firstUs: number
  lastUs: number
}

/** Never added to: stands where nothing came, since most windows live for one bucket. */
const NOTHING: Bucket<never> = {
  exact: new KeySet<never>(),
  registers: null,
  firstUs: Number.POSITIVE_INFINITY,
  lastUs: Number.NEGATIVE_INFINITY,
}

export class DistinctWindow<K extends string | number> {
  readonly #widthUs: number
  readonly #exactMax: number
  #slot = Number.NEGATIVE_INFINITY
  #now: Bucket<K> = NOTHING
  #before: Bucket<K> = NOTHING
  /** Keys in `#now` that are not in `#before`. */
  #newCount = 0
  /** Registers over both buckets, once one of them has given up its list; and the estimate read from them, until one changes. */
  #union: Uint8Array | null = null
  #estimate: number | null = null

  constructor(widthUs: number, exactMax: number) {
    this.#widthUs = widthUs
    this.#exactMax = exactMax
  }

  /** True when the key was not among those that the window holds exactly. */
  add(key: K, timeUs: number): boolean {
    this.advance(timeUs)
    if (this.#now === NOTHING) this.#now = emptyBucket()
    const bucket = this.#now
    bucket.firstUs = Math.min(bucket.firstUs, timeUs)
    bucket.lastUs = Math.max(bucket.lastUs, timeUs)
    const isFull = bucket.exact.size >= this.#exactMax
    // Registers hold what the full list holds: noting it once more changes nothing, and costs less than looking for it.
    if ((bucket.registers === null || !isFull) && bucket.exact.has(key)) return false
    if (isFull) {
      bucket.registers ??= registersOf(bucket.exact.list())
      note(bucket.registers, key)
      this.#noteUnion(key)
      return false
    }
    bucket.exact.add(key)
    if (bucket.registers !== null) note(bucket.registers, key)
    if (this.#union !== null) this.#noteUnion(key)
    if (this.#before.exact.has(key)) return false
    this.#newCount++
    return true
  }

  /** Takes back a key that turned out not to belong; only possible while it is held exactly. */
  remove(key: K): boolean {
    const inNow = this.#now.exact.delete(key)
    const inBefore = this.#before.exact.delete(key)
    if (inNow && !inBefore) this.#newCount--
    return inNow || inBefore
  }

  has(key: K): boolean {
    return this.#now.exact.has(key) || this.#before.exact.has(key)
  }

  /** Drops what is older than two widths before `timeUs`. */
  advance(timeUs: number): void {
    const slot = Math.floor(timeUs / this.#widthUs)
    if (slot <= this.#slot) return
    this.#before = slot === this.#slot + 1 ? this.#now : NOTHING
    this.#now = NOTHING
    this.#newCount = 0
    this.#union = null
    this.#estimate = null
    this.#slot = slot
  }

  count(): number {
    const exact = this.#before.exact.size + this.#newCount
    if (!this.isEstimate()) return exact
    this.#estimate ??= Math.round(estimate(this.#unionRegisters()))
    return Math.max(exact, this.#estimate)
  }

  #noteUnion(key: K): void {
    if (note(this.#unionRegisters(), key)) this.#estimate = null
  }

  #unionRegisters(): Uint8Array {
    if (this.#union !== null) return this.#union
    const union = registersOf(this.#now.exact.list())
    mergeInto(union, this.#now.registers)
    mergeInto(union, this.#before.registers)
    for (const key of this.#before.exact.list()) note(union, key)
    this.#union = union
    this.#estimate = null
    return union
  }

  /** True once a bucket has given up its exact list: `count` is then an estimate. */
  isEstimate(): boolean {
    return this.#now.registers !== null || this.#before.registers !== null
  }

  /** The keys held exactly, in order of first arrival. */
  keys(): K[] {
    const keys = this.#before.exact.list()
    for (const key of this.#now.exact.list()) if (!this.#before.exact.has(key)) keys.push(key)
    return keys
  }

  firstUs(): number {
    return Math.min(this.#before.firstUs, this.#now.firstUs)
  }

  lastUs(): number {
    return Math.max(this.#before.lastUs, this.#now.lastUs)
  }

  spanUs(): number {
    return Math.max(0, this.lastUs() - this.firstUs())
  }
}

function emptyBucket<K extends string | number>(): Bucket<K> {
  return { exact: new KeySet(), registers: null, firstUs: Number.POSITIVE_INFINITY, lastUs: Number.NEGATIVE_INFINITY }
}

function registersOf(keys: readonly (string | number)[]): Uint8Array {
  const registers = new Uint8Array(REGISTERS)
  for (const key of keys) note(registers, key)
  return registers
}

/** True when a register rose. */
function note(registers: Uint8Array, key: string | number): boolean {
  const hash = hash32(key)
  const register = hash & (REGISTERS - 1)
  const rank = Math.clz32(hash >>> REGISTER_BITS) - REGISTER_BITS + 1
  if (rank <= registers[register]) return false
  registers[register] = rank
  return true
}

function mergeInto(target: Uint8Array, source: Uint8Array | null): void {
  if (source === null) return
  for (let i = 0; i < REGISTERS; i++) if (source[i] > target[i]) target[i] = source[i]
}

function estimate(registers: Uint8Array): number {
  let sum = 0
  let zeros = 0
  for (let i = 0; i < REGISTERS; i++) {
    sum += SHARES[registers[i]]
    if (registers[i] === 0) zeros++
  }
  const raw = (ALPHA * REGISTERS * REGISTERS) / sum
  return raw <= 2.5 * REGISTERS && zeros > 0 ? REGISTERS * Math.log(REGISTERS / zeros) : raw
}

/** A flow's client and its server are counted in several windows, one after another. */
let lastKey: string | number = ''
let lastHash = hashOf('')
let beforeKey: string | number = ''
let beforeHash = lastHash

/** FNV-1a over the key's text, then MurmurHash3's finaliser, so that neighbouring addresses spread over all bits. */
export function hash32(key: string | number): number {
  if (key === lastKey) return lastHash
  if (key === beforeKey) return beforeHash
  beforeKey = lastKey
  beforeHash = lastHash
  lastKey = key
  lastHash = hashOf(typeof key === 'number' ? String(key) : key)
  return lastHash
}

function hashOf(text: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}
