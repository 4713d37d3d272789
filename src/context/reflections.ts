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

/** One row of answers. */
export interface AnswerRow {
  flowId: number
  sender: string
  startUs: number
  lastUs: number
  packets: number
  bytes: number
}

/** What is measured once there is more than one row: most ports of a flood from forged senders have one. */
interface Sums {
  senders: DistinctWindow<string>
  flowIds: readonly number[]
  firstUs: number
  lastUs: number
  slot: number
  /** Packets and octets of the two buckets by rows, then by counters. */
  cells: number[]
}

const BY_COUNTERS = 2 * CELLS

export class Reflection {
  #flowsByRows = 0
  #flowsByCounters = 0
  #first: AnswerRow | null = null
  #sums: Sums | null = null

  add(row: AnswerRow): void {
    this.#flowsByRows++
    if (this.#sums === null && this.#first === null) this.#first = row
    else addRow(this.#begun(), row)
  }

  /** One second, all of it from the port that this is about but for a tenth at most, which is left out. */
  addCounters({ atUs, firstUs, lastUs, amounts, sources, sourcePort }: DestinationCounters, flowId: number): void {
    const sums = this.#begun()
    const slot = turn(sums, atUs)
    for (const source of sources) sums.senders.add(source, atUs)
    sums.cells[BY_COUNTERS + (slot & 1) * CELLS] += sourcePort.packets
    sums.cells[BY_COUNTERS + (slot & 1) * CELLS + 1] += sourcePort.bytes
    this.#flowsByCounters += amounts.flows
    noteFlow(sums, flowId, firstUs, lastUs)
  }

  /** One row and nothing else: no reflection yet. */
  get isLone(): boolean {
    return this.#sums === null
  }

  /** Flows so far, open ones included. */
  get flows(): number {
    return Math.max(this.#flowsByRows, this.#flowsByCounters)
  }

  get senders(): DistinctWindow<string> {
    return this.#begun().senders
  }

  get flowIds(): readonly number[] {
    return this.#begun().flowIds
  }

  get firstUs(): number {
    return this.#begun().firstUs
  }

  get lastUs(): number {
    return this.#begun().lastUs
  }

  packets(): number {
    return this.#read(0)
  }

  bytes(): number {
    return this.#read(1)
  }

  #begun(): Sums {
    if (this.#sums !== null) return this.#sums
    const sums = {
      senders: new DistinctWindow<string>(BUCKET_US, SENDERS_EXACT),
      flowIds: NO_FLOWS,
      firstUs: Number.POSITIVE_INFINITY,
      lastUs: Number.NEGATIVE_INFINITY,
      slot: Number.NEGATIVE_INFINITY,
      cells: new Array<number>(2 * BY_COUNTERS).fill(0),
    }
    if (this.#first !== null) addRow(sums, this.#first)
    this.#first = null
    this.#sums = sums
    return sums
  }

  #read(cell: number): number {
    const { cells } = this.#begun()
    let sum = 0
    for (let at = cell; at < BY_COUNTERS; at += CELLS) sum += Math.max(cells[at], cells[BY_COUNTERS + at])
    return sum
  }
}

function addRow(sums: Sums, row: AnswerRow): void {
  const slot = turn(sums, row.startUs)
  sums.senders.add(row.sender, row.startUs)
  sums.cells[(slot & 1) * CELLS] += row.packets
  sums.cells[(slot & 1) * CELLS + 1] += row.bytes
  noteFlow(sums, row.flowId, row.startUs, row.lastUs)
}

function noteFlow(sums: Sums, flowId: number, firstUs: number, lastUs: number): void {
  sums.firstUs = Math.min(sums.firstUs, firstUs)
  sums.lastUs = Math.max(sums.lastUs, lastUs)
  if (sums.flowIds.length < FLOWS_NAMED_MAX && !sums.flowIds.includes(flowId)) sums.flowIds = [...sums.flowIds, flowId]
}

/** The bucket of a time; those that have passed are emptied. */
function turn(sums: Sums, timeUs: number): number {
  const slot = Math.floor(timeUs / BUCKET_US)
  if (slot <= sums.slot) return slot
  if (slot !== sums.slot + 1) {
    sums.cells.fill(0)
    sums.firstUs = Number.POSITIVE_INFINITY
    sums.flowIds = NO_FLOWS
  }
  sums.slot = slot
  const bucket = (slot & 1) * CELLS
  sums.cells.fill(0, bucket, bucket + CELLS)
  sums.cells.fill(0, BY_COUNTERS + bucket, BY_COUNTERS + bucket + CELLS)
  return slot
}
