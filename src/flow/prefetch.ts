/**
 * What a block of packets will touch, read ahead.
 *
 *   keys and hashes of all → index entries of all → the lines of all their rows
 *
 * In:  decoded packets. Out: their keys' words and hashes, and the slot that the index names first for each, on the packets.
 * Not: a result. It is a hint: a slot may be another flow's, or free by the time its packet is metered.
 *
 * One by one, each packet of a flow that is not in the core's cache would wait for memory three times over. The reads of a step do not
 * depend on each other; with nothing else between them the core has them all under way at once.
 */
import type { Packet } from '../decode/packet.ts'
import { type FlowIndex, NOT_FOUND } from './flow-index.ts'
import { setKey } from './flow-key.ts'
import * as Row from './row.ts'

/** Packets that are made ready together. */
export const TOUCH_MAX = 32
const INDEX_STRIDE = 2

export class Prefetch {
  readonly #index: FlowIndex
  readonly #w: Uint32Array
  readonly #hashSeed: number
  readonly #isVlanInKey: boolean
  /** By packet: where its index entry names a slot, then that slot; and from a row's start to the lines of its endpoint, in words. */
  readonly #places = new Int32Array(TOUCH_MAX)
  readonly #directions = new Int32Array(TOUCH_MAX)

  /** @param w the table's words */
  constructor(index: FlowIndex, w: Uint32Array, { hashSeed, isVlanInKey }: { hashSeed: number; isVlanInKey: boolean }) {
    this.#index = index
    this.#w = w
    this.#hashSeed = hashSeed
    this.#isVlanInKey = isVlanInKey
  }

  /** @returns a number that depends on what was read */
  touch(packets: readonly Packet[], count: number): number {
    const { entries, mask } = this.#index
    const w = this.#w
    const places = this.#places
    const directions = this.#directions
    for (let i = 0; i < count; i++) {
      const p = packets[i]
      setKey(p, this.#hashSeed, this.#isVlanInKey)
      places[i] = (p.hash & mask) * INDEX_STRIDE + 1
      directions[i] = 2 * (Row.DIRECTION_AT + p.endpoint * Row.DIRECTION_CELLS)
    }
    for (let i = 0; i < count; i++) places[i] = entries[places[i]] - 1
    let read = 0
    for (let i = 0; i < count; i++) {
      // For no slot the first row is read: cheaper than a branch that is not foreseen.
      const at = Math.max(places[i], NOT_FOUND + 1) * Row.ROW_WORDS
      const d = at + directions[i]
      read ^= w[at] ^ w[at + Row.STATE_W] ^ w[d] ^ w[d + Row.D_ACK_W]
    }
    for (let i = 0; i < count; i++) packets[i].candidate = places[i]
    return read
  }
}
