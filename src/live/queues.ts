/**
 * The hand-overs of several capture queues brought into the one order that a single queue would have given.
 *
 *   queue 0: turn 7 [link, open, counters, rows] through · turn 8 …  ┐
 *   queue 1: turn 7 [link, open, counters, rows] through · …         ├─▶ turn 7 of all: link, open, counters, rows
 *
 * In:  the messages of each queue's meter, in that queue's order; a turn is a second of packet time that begins. Out: messages as of one
 *      meter: sightings in order of time, counters of one destination added up, rows in the order (end, start, key).
 * Not: threads (live/threads.ts). Not the judging.
 * The invariant: a turn is handed on when every queue is through with it, whatever the order in which messages of different queues come.
 *
 * A queue that others are LEAD_TURNS_MAX turns ahead of is not waited for: what it brings later goes on as it comes, and that is counted.
 * Rows are bounded by whoever meters, as without queues (live/metering.ts, ROWS_WAITING).
 */
import type { LinkSighting } from '../decode/link-sighting.ts'
import { BATCH_ROWS_MAX } from '../flow/batch.ts'
import type { Seen } from '../flow/health.ts'
import type { Interim } from '../flow/interim.ts'
import { addUpCounters, type CountedSecond, openTogether } from '../flow/queue-sums.ts'
import { PendingQuotes } from '../flow/quotes.ts'
import * as Row from '../flow/row.ts'
import { compareRows } from '../flow/row-order.ts'
import type { LiveMessage, QueueMessage } from './metering.ts'

/** Seconds of packet time that the other queues wait for one. A tick a second says that a silent one still lives. */
const LEAD_TURNS_MAX = 30
/** A clock set back begins a new epoch: its turns come after all of the one before. */
const EPOCH = 2 ** 33

export interface MergeLimits {
  /** As the meters' own (flow/watch.ts), for all queues together. */
  arrivalsPerSMin: number
  openTogetherMin: number
}

/** @param rowsOf of a message with rows: how many are of each queue */
export type EmitMerged = (message: Extract<LiveMessage, { kind: 'rows' | 'interim' }>, rowsOf: readonly number[] | null) => void

interface Rows {
  baseSec: number
  cells: Float64Array<ArrayBuffer>
}

/** What one queue hands over at one turn. */
interface Turn {
  key: number
  seen: Seen
  interims: Interim[]
  rows: Rows[]
}

interface Queue {
  epoch: number
  lastSec: number
  lastKey: number
  /** Turns up to this key are complete. */
  throughKey: number
  /** Those not handed on yet, in order. */
  turns: Turn[]
  seen: Seen
}

export class QueueMerge {
  /** Turns that were handed on without a queue that was too far behind. */
  notWaitedFor = 0
  readonly #queues: readonly Queue[]
  readonly #limits: MergeLimits
  readonly #emit: EmitMerged
  readonly #quotes = new PendingQuotes()

  constructor(count: number, limits: MergeLimits, emit: EmitMerged) {
    this.#queues = Array.from({ length: count }, () => ({
      epoch: 0,
      lastSec: -Infinity,
      lastKey: -Infinity,
      throughKey: -Infinity,
      turns: [],
      seen: NOTHING_SEEN,
    }))
    this.#limits = limits
    this.#emit = emit
  }

  take(index: number, message: QueueMessage): void {
    const queue = this.#queues[index]
    if (message.kind === 'turn') this.#begin(queue, message.sec, message.seen)
    else if (message.kind === 'through') queue.throughKey = queue.lastKey
    else {
      const turn = turnAtHand(queue, message.seen)
      if (message.kind === 'interim') turn.interims.push(message.interim)
      else turn.rows.push({ baseSec: message.baseSec, cells: message.cells })
      // Rows of evicted flows come between turns, and their meter may be waiting for them to be judged.
      if (queue.throughKey < queue.lastKey) return
    }
    this.#handOn()
  }

  /** What all queues have seen so far, as far as it was handed on. */
  get seen(): Seen {
    return sumOfSeen(this.#queues.map(({ seen }) => seen))
  }

  #begin(queue: Queue, sec: number, seen: Seen): void {
    if (sec < queue.lastSec) queue.epoch++
    queue.lastSec = sec
    queue.lastKey = queue.epoch * EPOCH + sec
    // Whatever belongs to earlier turns has been handed over; to this one, nothing yet.
    queue.throughKey = Math.max(queue.throughKey, queue.lastKey - 1)
    queue.turns.push({ key: queue.lastKey, seen, interims: [], rows: [] })
  }

  #handOn(): void {
    for (;;) {
      const limit = Math.min(...this.#queues.map(({ throughKey }) => throughKey))
      const key = Math.min(...this.#queues.map(({ turns }) => turns[0]?.key ?? Infinity))
      const isDue = key <= limit && this.#queues.some(({ turns }) => turns.length > 0)
      if (!isDue && !this.#isTooFarAhead(key)) return
      this.#tell(this.#queues.map((queue) => takeTurns(queue, key)))
    }
  }

  /** A queue holds so many turns that the slowest is not waited for any longer. */
  #isTooFarAhead(key: number): boolean {
    const ahead = this.#queues.find(({ turns }) => turns.length > LEAD_TURNS_MAX)
    if (ahead === undefined) return false
    for (const queue of this.#queues) {
      // It missed a clock that was set back: from now on it counts as the others do.
      if (queue.throughKey < key) queue.epoch = Math.max(queue.epoch, Math.floor(key / EPOCH))
    }
    this.notWaitedFor++
    return true
  }

  /** One turn of all queues. In: the turns of each, none where it had none. */
  #tell(turns: readonly (readonly Turn[])[]): void {
    turns.forEach((own, index) => {
      const queue = this.#queues[index]
      // Between two of its turns a queue saw nothing: what the next one says held now already.
      queue.seen = own.at(-1)?.seen ?? queue.turns[0]?.seen ?? queue.seen
    })
    const { seen } = this
    const interims = turns.map((own) => own.flatMap((turn) => turn.interims))
    // Before any row that they may quote.
    for (const interim of interims.flat()) if (interim.kind === 'quotes') this.#quotes.add(interim.quotes)
    const quoted = interims.flat().map((one) => ('cells' in one ? { ...one, cells: this.#quotes.noted(one.cells) } : one))
    for (const interim of this.#mergeInterims(quoted)) this.#emit({ kind: 'interim', interim, seen }, null)
    this.#tellRows(
      turns.map((own) => own.flatMap((turn) => turn.rows)),
      seen,
    )
  }

  /** In the order in which one meter tells (flow/interim.ts). */
  #mergeInterims(all: readonly Interim[]): Interim[] {
    const merged: Interim[] = []
    const minute = all.find(({ kind }) => kind === 'minute')
    if (minute !== undefined) merged.push(minute)
    const sightings = all.flatMap((one): readonly LinkSighting[] => (one.kind === 'link' ? one.sightings : []))
    if (sightings.length > 0) {
      merged.push({ kind: 'link', baseSec: all[0].baseSec, sightings: [...sightings].sort((a, b) => a.atUs - b.atUs) })
    }
    const open = all.flatMap((one) => (one.kind === 'open' ? [one] : []))
    if (open.length > 0) {
      const atUs = Math.max(...open.map((one) => one.atUs))
      const messages = openTogether(
        open.map(({ cells }) => cells),
        this.#limits.openTogetherMin,
      )
      for (const cells of messages) merged.push({ kind: 'open', baseSec: open[0].baseSec, atUs, cells })
    }
    const counted = all.flatMap((one): CountedSecond[] => (one.kind === 'counters' ? [one] : []))
    for (const second of addUpCounters(counted, this.#limits.arrivalsPerSMin)) {
      merged.push({ kind: 'counters', baseSec: all[0].baseSec, ...second })
    }
    return merged
  }

  /** Rows of all queues, each queue's in order already. */
  #tellRows(rows: readonly (readonly Rows[])[], seen: Seen): void {
    const cursors = rows.map((own) => new RowCursor(own))
    let left = cursors.reduce((sum, { count }) => sum + count, 0)
    const baseSec = rows.flat()[0]?.baseSec ?? 0
    while (left > 0) {
      const count = Math.min(left, BATCH_ROWS_MAX)
      const cells = new Float64Array(count * Row.ROW_CELLS)
      const words = new Uint32Array(cells.buffer)
      const rowsOf = rows.map(() => 0)
      for (let i = 0; i < count; i++) {
        rowsOf[takeFirst(cursors, cells, i * Row.ROW_CELLS)]++
        this.#quotes.settle(cells, words, i * Row.ROW_CELLS)
      }
      left -= count
      this.#emit({ kind: 'rows', baseSec, cells, seen }, rowsOf)
    }
  }
}

/** Rows that leave between two turns, as those of evicted flows do, go with the turn before. */
function turnAtHand(queue: Queue, seen: Seen): Turn {
  const last = queue.turns.at(-1)
  if (last !== undefined && last.key === queue.lastKey) return last
  const made = { key: queue.lastKey, seen, interims: [], rows: [] }
  queue.turns.push(made)
  return made
}

function takeTurns(queue: Queue, key: number): Turn[] {
  const taken: Turn[] = []
  for (let turn = queue.turns[0]; turn !== undefined && turn.key <= key; turn = queue.turns[0]) {
    taken.push(turn)
    queue.turns.shift()
  }
  return taken
}

/** Where one queue's rows of a turn are read. */
class RowCursor {
  readonly count: number
  readonly #batches: readonly Rows[]
  #batch = 0
  cells: Float64Array<ArrayBuffer>
  words: Uint32Array
  at = 0

  constructor(batches: readonly Rows[]) {
    this.#batches = batches.filter(({ cells }) => cells.length > 0)
    this.count = this.#batches.reduce((sum, { cells }) => sum + cells.length / Row.ROW_CELLS, 0)
    this.cells = this.#batches[0]?.cells ?? new Float64Array(0)
    this.words = new Uint32Array(this.cells.buffer)
  }

  get isAtEnd(): boolean {
    return this.at === this.cells.length
  }

  step(): void {
    this.at += Row.ROW_CELLS
    if (!this.isAtEnd || this.#batch + 1 >= this.#batches.length) return
    this.cells = this.#batches[++this.#batch].cells
    this.words = new Uint32Array(this.cells.buffer)
    this.at = 0
  }
}

/** Copies the first row of all; returns whose it was. */
function takeFirst(cursors: readonly RowCursor[], to: Float64Array, toAt: number): number {
  let first = -1
  for (let i = 0; i < cursors.length; i++) {
    if (cursors[i].isAtEnd) continue
    if (first === -1 || compareRows(cursors[i], cursors[first]) < 0) first = i
  }
  const { cells, at } = cursors[first]
  to.set(cells.subarray(at, at + Row.ROW_CELLS), toAt)
  cursors[first].step()
  return first
}

const NOTHING_SEEN: Seen = {
  atUs: -Infinity,
  packets: 0,
  notDecoded: 0,
  cutShort: 0,
  late: 0,
  evictedFlows: 0,
  lostByKernel: 0,
  lostByInterface: 0,
  duplicates: 0,
  acks: 0,
  ackGaps: 0,
  oversize: 0,
  checksumsLooked: 0,
  checksumsBad: 0,
  checksumsEmpty: 0,
  clockSteps: 0,
}

/** One clock steps for all queues, and each queue is told of all that the card lost; all else adds up. */
export function sumOfSeen(all: readonly Seen[]): Seen {
  const sum = { ...NOTHING_SEEN }
  for (const one of all) {
    for (const key of Object.keys(sum) as (keyof Seen)[]) {
      sum[key] = key === 'atUs' || key === 'clockSteps' || key === 'lostByInterface' ? Math.max(sum[key], one[key]) : sum[key] + one[key]
    }
  }
  return sum
}
