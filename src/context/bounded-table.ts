/**
 * A table with a hard limit: least recently used goes first, and what has been quiet too long is as good as gone.
 *
 * In:  text keys, packet times. Out: entries; `evictedCount` says how often the limit took one.
 * Not: a clock. Ages are packet time, so a replay forgets what the live run forgot.
 * The invariant: slots are linked in the order of their last use, from the quietest to the newest; free slots are linked, too.
 *
 * Slots and not linked objects: an old object that points to a young one is work for the garbage collector at every use.
 */

const NONE = -1
const SLOTS_AT_FIRST = 64
/** Quiet entries given back at each step of time: more than one flow can add to a table. */
const RELEASED_A_STEP_MAX = 4

export class BoundedTable<V extends object> {
  evictedCount = 0
  readonly #max: number
  readonly #quietUs: number
  readonly #slots = new Map<string, number>()
  readonly #keys: string[] = []
  readonly #values: (V | undefined)[] = []
  #usedUs = new Float64Array(SLOTS_AT_FIRST)
  #older = new Int32Array(SLOTS_AT_FIRST)
  #newer = new Int32Array(SLOTS_AT_FIRST)
  #quietest = NONE
  #newest = NONE
  /** Slots once used and empty again, linked by `#newer`. */
  #free = NONE
  #slotsUsed = 0
  #nowUs = 0

  /** @param quietUs an entry untouched for longer is forgotten. */
  constructor(max: number, quietUs: number) {
    this.#max = max
    this.#quietUs = quietUs
  }

  /** Packet time moves on; never back. */
  advance(nowUs: number): void {
    if (nowUs <= this.#nowUs) return
    this.#nowUs = nowUs
    for (let i = 0; i < RELEASED_A_STEP_MAX; i++) {
      if (this.#quietest === NONE || !this.#isForgotten(this.#quietest)) return
      this.#remove(this.#quietest)
    }
  }

  get(key: string): V | undefined {
    const slot = this.#slots.get(key)
    if (slot === undefined) return undefined
    if (this.#isForgotten(slot)) {
      this.#remove(slot)
      return undefined
    }
    this.#usedUs[slot] = this.#nowUs
    if (slot !== this.#newest) {
      this.#unlink(slot)
      this.#append(slot)
    }
    return this.#values[slot]
  }

  /** A look that doesn't make the entry younger. */
  peek(key: string): V | undefined {
    const slot = this.#slots.get(key)
    return slot === undefined || this.#isForgotten(slot) ? undefined : this.#values[slot]
  }

  getOrCreate(key: string, create: () => V): V {
    const found = this.get(key)
    if (found !== undefined) return found
    const made = create()
    this.#add(key, made)
    return made
  }

  /** The quietest first; what is forgotten is left out. */
  *entries(): Generator<[string, V]> {
    for (let slot = this.#quietest; slot !== NONE; slot = this.#newer[slot]) {
      const value = this.#values[slot]
      if (value !== undefined && !this.#isForgotten(slot)) yield [this.#keys[slot], value]
    }
  }

  get size(): number {
    return this.#slots.size
  }

  #add(key: string, value: V): void {
    if (this.#slots.size >= this.#max) {
      this.#remove(this.#quietest)
      this.evictedCount++
    }
    const slot = this.#takeSlot()
    this.#slots.set(key, slot)
    this.#keys[slot] = key
    this.#values[slot] = value
    this.#usedUs[slot] = this.#nowUs
    this.#append(slot)
  }

  #takeSlot(): number {
    const free = this.#free
    if (free !== NONE) {
      this.#free = this.#newer[free]
      return free
    }
    if (this.#slotsUsed === this.#usedUs.length) this.#grow()
    return this.#slotsUsed++
  }

  #grow(): void {
    const slots = Math.min(this.#max, this.#usedUs.length * 2)
    const usedUs = new Float64Array(slots)
    const older = new Int32Array(slots)
    const newer = new Int32Array(slots)
    usedUs.set(this.#usedUs)
    older.set(this.#older)
    newer.set(this.#newer)
    this.#usedUs = usedUs
    this.#older = older
    this.#newer = newer
  }

  #isForgotten(slot: number): boolean {
    return this.#nowUs - this.#usedUs[slot] > this.#quietUs
  }

  #remove(slot: number): void {
    this.#slots.delete(this.#keys[slot])
    this.#keys[slot] = ''
    this.#values[slot] = undefined
    this.#unlink(slot)
    this.#newer[slot] = this.#free
    this.#free = slot
  }

  #append(slot: number): void {
    this.#older[slot] = this.#newest
    this.#newer[slot] = NONE
    if (this.#newest === NONE) this.#quietest = slot
    else this.#newer[this.#newest] = slot
    this.#newest = slot
  }

  #unlink(slot: number): void {
    const older = this.#older[slot]
    const newer = this.#newer[slot]
    if (older === NONE) this.#quietest = newer
    else this.#newer[older] = newer
    if (newer === NONE) this.#newest = older
    else this.#older[newer] = older
  }
}
