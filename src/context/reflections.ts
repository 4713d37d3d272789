/**
 * Answers that nobody asked for: by destination and the port they come from.
 *
 * In:  one-way rows whose receiver sent the sender nothing for a minute; counters of a second of the same, while the rows are open.
 * Out: distinct senders and what they sent, over two rotating buckets of ten seconds.
 * The invariant: rows and counters measure the same packets, each a lower bound of them; a reading takes the greater, never the sum.
 */

import type { DestinationCounters } from '../flow/destination-counters.ts'
import { DistinctWindow } from './distinct-window.ts'

const BUCKET_US = 10e6
const SENDERS_EXACT = 1024
/** Packets and octets of a bucket. */
const CELLS = 2

const FLOWS_NAMED_MAX = 10
/** Never written to: lists are made as long as they need to be. */
const NO_FLOWS: readonly number[] = []

export class Reflection {
  readonly senders = new DistinctWindow<string>(BUCKET_US, SENDERS_EXACT)
  flowIds: readonly number[] = NO_FLOWS
  firstUs = Number.POSITIVE_INFINITY
  lastUs = Number.NEGATIVE_INFINITY
  /** Packets and octets of the two buckets, by rows and by counters. */
  readonly #byRows = new Array<number>(2 * CELLS).fill(0)
  readonly #byCounters = new Array<number>(2 * CELLS).fill(0)
  #flowsByRows = 0
  #flowsByCounters = 0
  #slot = Number.NEGATIVE_INFINITY

  add(row: { flowId: number; sender: string; startUs: number; lastUs: number; packets: number; bytes: number }): void {
    const slot = Math.floor(row.startUs / BUCKET_US)
    if (slot > this.#slot) this.#turn(slot)
    this.senders.add(row.sender, row.startUs)
    this.#byRows[(slot & 1) * CELLS] += row.packets
    this.#byRows[(slot & 1) * CELLS + 1] += row.bytes
    this.#flowsByRows++
    this.#note(row.flowId, row.startUs, row.lastUs)
  }

  /** One second, all of it from the port that this is about but for a tenth at most, which is left out. */
  addCounters({ atUs, firstUs, lastUs, amounts, sources, sourcePort }: DestinationCounters, flowId: number): void {
    const slot = Math.floor(atUs / BUCKET_US)
    if (slot > this.#slot) this.#turn(slot)
    for (const source of sources) this.senders.add(source, atUs)
    this.#byCounters[(slot & 1) * CELLS] += sourcePort.packets
    this.#byCounters[(slot & 1) * CELLS + 1] += sourcePort.bytes
    this.#flowsByCounters += amounts.flows
    this.#note(flowId, firstUs, lastUs)
  }

  /** Flows so far, open ones included. */
  get flows(): number {
    return Math.max(this.#flowsByRows, this.#flowsByCounters)
  }

  packets(): number {
    return this.#read(0)
  }

  bytes(): number {
    return this.#read(1)
  }

  #read(cell: number): number {
    return [0, CELLS].reduce((sum, bucket) => sum + Math.max(this.#byRows[bucket + cell], this.#byCounters[bucket + cell]), 0)
  }

  #note(flowId: number, firstUs: number, lastUs: number): void {
    this.firstUs = Math.min(this.firstUs, firstUs)
    this.lastUs = Math.max(this.lastUs, lastUs)
    if (this.flowIds.length < FLOWS_NAMED_MAX && !this.flowIds.includes(flowId)) this.flowIds = [...this.flowIds, flowId]
  }

  #turn(slot: number): void {
    if (slot !== this.#slot + 1) {
      this.#byRows.fill(0)
      this.#byCounters.fill(0)
      this.firstUs = Number.POSITIVE_INFINITY
      this.flowIds = NO_FLOWS
    }
    this.#slot = slot
    const bucket = (slot & 1) * CELLS
    this.#byRows.fill(0, bucket, bucket + CELLS)
    this.#byCounters.fill(0, bucket, bucket + CELLS)
  }
}
