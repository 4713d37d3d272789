/**
 * From a flow key's hash to the slot of its row: open addressing, linear probing, half full at most.
 *
 * In:  32-bit hashes and slots. Out: candidate slots in probe order; the caller compares the whole key.
 * The invariant: no tombstones. Removing shifts the entries behind it back, so a table that lives for months does not slow down.
 */

/** Two words an entry, in one cache line: the hash, and the slot plus one (0 is empty). */
const STRIDE = 2

export const NOT_FOUND = -1

export class FlowIndex {
  /** Open to the table's probe loop, which the compiler then keeps free of calls. */
  readonly entries: Int32Array
  readonly mask: number

  constructor(slotsMax: number) {
    const size = 1 << Math.ceil(Math.log2(slotsMax * 2))
    this.entries = new Int32Array(size * STRIDE)
    this.mask = size - 1
  }

  insert(hash: number, slot: number): void {
    const { entries, mask } = this
    let i = hash & mask
    while (entries[i * STRIDE + 1] !== 0) i = (i + 1) & mask
    entries[i * STRIDE] = hash
    entries[i * STRIDE + 1] = slot + 1
  }

  /** Puts `slot` in the place of the entry that names `oldSlot`. */
  replace(hash: number, oldSlot: number, slot: number): void {
    this.entries[this.#find(hash, oldSlot) * STRIDE + 1] = slot + 1
  }

  remove(hash: number, slot: number): void {
    const { entries, mask } = this
    let hole = this.#find(hash, slot)
    for (let i = (hole + 1) & mask; entries[i * STRIDE + 1] !== 0; i = (i + 1) & mask) {
      const home = entries[i * STRIDE] & mask
      // An entry may fill the hole unless its home lies behind the hole: then probing from its home would miss it.
      if (((i - home) & mask) >= ((i - hole) & mask)) {
        entries[hole * STRIDE] = entries[i * STRIDE]
        entries[hole * STRIDE + 1] = entries[i * STRIDE + 1]
        hole = i
      }
    }
    entries[hole * STRIDE + 1] = 0
  }

  clear(): void {
    this.entries.fill(0)
  }

  #find(hash: number, slot: number): number {
    const { entries, mask } = this
    let i = hash & mask
    while (entries[i * STRIDE + 1] !== slot + 1) {
      if (entries[i * STRIDE + 1] === 0) throw new Error(`flow index: slot ${slot} is not filed under hash ${hash}`)
      i = (i + 1) & mask
    }
    return i
  }
}
