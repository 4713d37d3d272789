/**
 * What arrives at one destination, second by second: the ground on which floods are judged.
 *
 * In:  finished rows (`noteRow`), whose packets are spread over the seconds from their first to their last; and, for flows
 *      still open, counters that the meter hands over each second (`noteCounters`).
 * Out: for a destination and protocol, the sums of single seconds and of ten seconds, and distinct sources.
 * Not: a threshold. A destination gets its windows once it has drawn WATCH_FLOWS_MIN flows or WATCH_PACKETS_MIN packets in ten
 *      seconds; what came before is in the first row's second only.
 * The invariant: rows and counters of one second measure the same packets, each a lower bound of them. A reading takes the greater
 *      of the two, never the sum, so that feeding both counts nothing twice and feeding one loses nothing.
 *
 * Seconds are those in which flows began: a flood's one-packet rows all expire together, a minute later.
 */

import { DESTINATION_CELLS, type DestinationCell, type DestinationCounters } from '../flow/destination-counters.ts'
import { BoundedTable } from './bounded-table.ts'
import { DistinctWindow } from './distinct-window.ts'

const US_PER_S = 1e6
/** Rows come up to two minutes after they began (active timeout), half-open ones after one. */
const SECONDS_KEPT = 256
const TEN_S = 10
const WATCH_FLOWS_MIN = 32
const WATCH_PACKETS_MIN = 500
const QUIET_US = SECONDS_KEPT * US_PER_S
const SOURCES_EXACT = 1024
const PORTS_COUNTED_MAX = 512

const CELL_COUNT = DESTINATION_CELLS.length
const CELL: Readonly<Record<DestinationCell, number>> = {
  packets: 0,
  bytes: 1,
  replies: 2,
  halfOpen: 3,
  completed: 4,
  refused: 5,
  stray: 6,
}

/** What a row adds: amounts over its whole duration. */
export interface DestinationRow {
  source: string
  /** Ports of the one who sent, and of the destination. */
  sourcePort: number
  port: number
  startUs: number
  lastUs: number
  packets: number
  bytes: number
  /** Σ of squared payload lengths; null when not measured. */
  squares: number | null
  replies: number
  outcome: 'halfOpen' | 'completed' | 'refused' | 'stray' | null
}

export class DestinationWindow {
  /** Sources by name or estimate, last ten to twenty seconds. */
  readonly sources = new DistinctWindow<string>(TEN_S * US_PER_S, SOURCES_EXACT)
  /** The destination's ports that flows went to, and source ports, with their flows; the first PORTS_COUNTED_MAX. */
  readonly ports = new Map<number, number>()
  readonly sourcePorts = new Map<number, number>()
  /** The busiest source: a majority vote, exact whenever one source sent more than half (Boyer and Moore 1981). */
  #leader = { source: '', votes: 0 }
  flows = 0
  packets = 0
  leaderPackets = 0
  bytes = 0
  squares: number | null = 0
  firstUs = Number.POSITIVE_INFINITY
  lastUs = Number.NEGATIVE_INFINITY
  readonly #rows = new Float64Array(SECONDS_KEPT * CELL_COUNT)
  readonly #counters = new Float64Array(SECONDS_KEPT * CELL_COUNT)
  #newestS = Number.NEGATIVE_INFINITY

  add(row: DestinationRow): void {
    const fromS = Math.floor(row.startUs / US_PER_S)
    const toS = Math.min(Math.floor(row.lastUs / US_PER_S), fromS + SECONDS_KEPT - 1)
    const share = 1 / (toS - fromS + 1)
    this.#advance(toS)
    for (let s = fromS; s <= toS; s++) {
      this.#add(s, 'packets', row.packets * share)
      this.#add(s, 'bytes', row.bytes * share)
      this.#add(s, 'replies', row.replies * share)
    }
    if (row.outcome !== null) this.#add(fromS, row.outcome, row.outcome === 'stray' ? row.packets : 1)
    this.#noteSource(row)
    this.flows++
    this.packets += row.packets
    this.bytes += row.bytes
    this.squares = row.squares === null || this.squares === null ? null : this.squares + row.squares
    this.firstUs = Math.min(this.firstUs, row.startUs)
    this.lastUs = Math.max(this.lastUs, row.lastUs)
    count(this.ports, row.port)
    count(this.sourcePorts, row.sourcePort)
  }

  addCounters(counters: DestinationCounters): void {
    const second = Math.floor(counters.atUs / US_PER_S)
    this.#advance(second)
    if (second <= this.#newestS - SECONDS_KEPT) return
    for (const { name } of DESTINATION_CELLS) this.#counters[this.#at(second, name)] = counters.amounts[name]
    for (const source of counters.sources) this.sources.add(source, counters.atUs)
    this.firstUs = Math.min(this.firstUs, counters.atUs)
    this.lastUs = Math.max(this.lastUs, counters.atUs)
  }

  /** A cell of the second that holds `timeUs`. */
  inSecond(timeUs: number, cell: DestinationCell): number {
    return this.#read(Math.floor(timeUs / US_PER_S), cell)
  }

  /** The largest of the ten seconds up to `timeUs`, and how many of them reach `atLeast`. */
  peak(timeUs: number, cell: DestinationCell, atLeast: number): { most: number; seconds: number } {
    const last = Math.floor(timeUs / US_PER_S)
    let most = 0
    let seconds = 0
    for (let s = last - TEN_S + 1; s <= last; s++) {
      const value = this.#read(s, cell)
      most = Math.max(most, value)
      if (value >= atLeast) seconds++
    }
    return { most, seconds }
  }

  /** The sum over the ten seconds up to `timeUs`. */
  inTenSeconds(timeUs: number, cell: DestinationCell): number {
    const last = Math.floor(timeUs / US_PER_S)
    let sum = 0
    for (let s = last - TEN_S + 1; s <= last; s++) sum += this.#read(s, cell)
    return sum
  }

  /** Amounts a second over the last minute up to `timeUs`, oldest first: what a picture draws. */
  lastMinute(timeUs: number, cell: DestinationCell): number[] {
    const last = Math.floor(timeUs / US_PER_S)
    return Array.from({ length: 60 }, (_, i) => this.#read(last - 59 + i, cell))
  }

  /** Of the whole watch: the source that sent at least nine in ten packets; null when there is none. */
  soleSource(): string | null {
    return this.leaderPackets >= 0.9 * this.packets && this.packets > 0 ? this.#leader.source : null
  }

  /** Standard deviation over mean of the packets' payload; null when not measured. */
  sizeVariation(): number | null {
    if (this.squares === null || this.packets === 0) return null
    const mean = this.bytes / this.packets
    return mean === 0 ? 0 : Math.sqrt(Math.max(0, this.squares / this.packets - mean ** 2)) / mean
  }

  #noteSource(row: DestinationRow): void {
    this.sources.add(row.source, row.startUs)
    if (row.source === this.#leader.source) {
      this.#leader.votes += row.packets
      this.leaderPackets += row.packets
    } else if (this.#leader.votes < row.packets) {
      this.#leader = { source: row.source, votes: row.packets - this.#leader.votes }
      this.leaderPackets = row.packets
    } else {
      this.#leader.votes -= row.packets
    }
  }

  #add(second: number, cell: DestinationCell, amount: number): void {
    if (second > this.#newestS - SECONDS_KEPT) this.#rows[this.#at(second, cell)] += amount
  }

  #read(second: number, cell: DestinationCell): number {
    if (second > this.#newestS || second <= this.#newestS - SECONDS_KEPT) return 0
    const at = this.#at(second, cell)
    return Math.max(this.#rows[at], this.#counters[at])
  }

  #advance(second: number): void {
    if (second <= this.#newestS) return
    for (let s = Math.max(this.#newestS + 1, second - SECONDS_KEPT + 1); s <= second; s++) {
      const at = this.#at(s, 'packets')
      this.#rows.fill(0, at, at + CELL_COUNT)
      this.#counters.fill(0, at, at + CELL_COUNT)
    }
    this.#newestS = second
  }

  #at(second: number, cell: DestinationCell): number {
    return (((second % SECONDS_KEPT) + SECONDS_KEPT) % SECONDS_KEPT) * CELL_COUNT + CELL[cell]
  }
}

function count(map: Map<number, number>, key: number): void {
  const known = map.get(key)
  if (known !== undefined) map.set(key, known + 1)
  else if (map.size < PORTS_COUNTED_MAX) map.set(key, 1)
}

/** A destination before it is worth a window. */
interface Waiting {
  isWatched: boolean
  sinceUs: number
  flows: number
  packets: number
}

export class DestinationWindows {
  readonly #waiting: BoundedTable<Waiting>
  readonly #watched: BoundedTable<DestinationWindow>

  constructor(hostsMax: number, windowsMax: number) {
    this.#waiting = new BoundedTable(hostsMax, QUIET_US)
    this.#watched = new BoundedTable(windowsMax, QUIET_US)
  }

  advance(nowUs: number): void {
    this.#waiting.advance(nowUs)
    this.#watched.advance(nowUs)
  }

  /** @returns the destination's window; null while it draws too little to be watched. */
  noteRow(destination: string, proto: number, row: DestinationRow): DestinationWindow | null {
    const key = `${destination} ${proto}`
    const waiting = this.#waiting.getOrCreate(key, () => ({ isWatched: false, sinceUs: row.startUs, flows: 0, packets: 0 }))
    if (!waiting.isWatched && !isWorthWatching(waiting, row)) return null
    waiting.isWatched = true
    const window = this.#watched.getOrCreate(key, newWindow)
    window.add(row)
    return window
  }

  /** Counters of a second that the meter hands over while flows are open. */
  noteCounters(counters: DestinationCounters): DestinationWindow {
    const window = this.#watched.getOrCreate(`${counters.destination} ${counters.proto}`, newWindow)
    window.addCounters(counters)
    return window
  }

  peek(destination: string, proto: number): DestinationWindow | null {
    return this.#watched.peek(`${destination} ${proto}`) ?? null
  }

  get counters(): Record<string, number> {
    return { destinationsEvicted: this.#waiting.evictedCount, destinationWindowsEvicted: this.#watched.evictedCount }
  }
}

function isWorthWatching(waiting: Waiting, row: DestinationRow): boolean {
  if (row.startUs - waiting.sinceUs > TEN_S * US_PER_S) {
    waiting.sinceUs = row.startUs
    waiting.flows = 0
    waiting.packets = 0
  }
  waiting.flows++
  waiting.packets += row.packets
  return waiting.flows >= WATCH_FLOWS_MIN || waiting.packets >= WATCH_PACKETS_MIN
}

function newWindow(): DestinationWindow {
  return new DestinationWindow()
}
