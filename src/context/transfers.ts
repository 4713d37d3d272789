/**
 * How much one client and one server sent each other over the last hour.
 *
 * In:  payload octets of rows, by the time of their last packet: pieces of a long connection add up by themselves.
 * Out: sums over the present five minutes and the eleven before; the first and last time.
 */

const SLOT_US = 5 * 60e6
const SLOTS = 12

export class Transfers {
  /** Distinct rows that carried it. */
  rows = 0
  firstUs = Number.POSITIVE_INFINITY
  lastUs = Number.NEGATIVE_INFINITY
  readonly #sums = new Float64Array(SLOTS * 2)
  #slot = Number.NEGATIVE_INFINITY

  add(clientBytes: number, serverBytes: number, startUs: number, lastUs: number): void {
    this.#advance(lastUs)
    const at = this.#offset(this.#slot)
    this.#sums[at] += clientBytes
    this.#sums[at + 1] += serverBytes
    this.rows++
    this.firstUs = Math.min(this.firstUs, startUs)
    this.lastUs = Math.max(this.lastUs, lastUs)
  }

  /** [client, server] octets of each five minutes of the last hour, the oldest first. */
  slots(): [number, number][] {
    return Array.from({ length: SLOTS }, (_, i) => {
      const at = this.#offset(this.#slot - SLOTS + 1 + i)
      return [this.#sums[at], this.#sums[at + 1]]
    })
  }

  /** [client, server] octets of the last hour. */
  sums(): [number, number] {
    const sums: [number, number] = [0, 0]
    for (let i = 0; i < this.#sums.length; i += 2) {
      sums[0] += this.#sums[i]
      sums[1] += this.#sums[i + 1]
    }
    return sums
  }

  #advance(timeUs: number): void {
    const slot = Math.floor(timeUs / SLOT_US)
    if (slot <= this.#slot) return
    for (let s = Math.max(this.#slot + 1, slot - SLOTS + 1); s <= slot; s++) this.#sums.fill(0, this.#offset(s), this.#offset(s) + 2)
    this.#slot = slot
  }

  #offset(slot: number): number {
    return (((slot % SLOTS) + SLOTS) % SLOTS) * 2
  }
}
