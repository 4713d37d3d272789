/**
 * Answers that nobody asked for: by destination and the port they come from.
 *
 * In:  one-way rows whose receiver sent the sender nothing for a minute.
 * Out: distinct senders and what they sent, over two rotating buckets of ten seconds.
 */

import { DistinctWindow } from './distinct-window.ts'

const BUCKET_US = 10e6
const SENDERS_EXACT = 1024

export class Reflection {
  readonly senders = new DistinctWindow<string>(BUCKET_US, SENDERS_EXACT)
  readonly flowIds: number[] = []
  firstUs = Number.POSITIVE_INFINITY
  lastUs = Number.NEGATIVE_INFINITY
  readonly #packets = [0, 0]
  readonly #bytes = [0, 0]
  #slot = Number.NEGATIVE_INFINITY

  add(row: { flowId: number; sender: string; startUs: number; lastUs: number; packets: number; bytes: number }): void {
    const slot = Math.floor(row.startUs / BUCKET_US)
    if (slot > this.#slot) this.#turn(slot)
    this.senders.add(row.sender, row.startUs)
    this.#packets[slot & 1] += row.packets
    this.#bytes[slot & 1] += row.bytes
    this.firstUs = Math.min(this.firstUs, row.startUs)
    this.lastUs = Math.max(this.lastUs, row.lastUs)
    if (this.flowIds.length < 10) this.flowIds.push(row.flowId)
  }

  packets(): number {
    return this.#packets[0] + this.#packets[1]
  }

  bytes(): number {
    return this.#bytes[0] + this.#bytes[1]
  }

  #turn(slot: number): void {
    if (slot !== this.#slot + 1) {
      this.#packets.fill(0)
      this.#bytes.fill(0)
      this.firstUs = Number.POSITIVE_INFINITY
      this.flowIds.length = 0
    }
    this.#slot = slot
    this.#packets[slot & 1] = 0
    this.#bytes[slot & 1] = 0
  }
}
