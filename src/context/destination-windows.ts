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
import { BoundedTable, type TableClock } from './bounded-table.ts'
import { DistinctWindow } from './distinct-window.ts'

const US_PER_S = 1e6
const US_PER_MS = 1000
const MS_PER_S = 1000
/** Rows come up to two minutes after they began (active timeout), half-open ones after one. */
const SECONDS_KEPT = 2 ** 8
const TEN_S = 10
const WATCH_FLOWS_MIN = 32
const WATCH_PACKETS_MIN = 500
const QUIET_US = SECONDS_KEPT * US_PER_S
const SOURCES_EXACT = 1024
const PORTS_COUNTED_MAX = 512
const SEVERAL = -1

const CELL_COUNT = DESTINATION_CELLS.length
const CELL = Object.fromEntries(DESTINATION_CELLS.map(({ name }, i) => [name, i])) as Readonly<Record<DestinationCell, number>>

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
  /** The destination said that nobody there wants it. */
  isUnreachable: boolean
}

/** What was summed up over the whole watch, and the busiest source in it. */
class Sums {
  flows = 0
  packets = 0
  bytes = 0
  firstUs = Number.POSITIVE_INFINITY
  lastUs = Number.NEGATIVE_INFINITY
  /** By majority vote: exact whenever one source sent more than half (Boyer and Moore 1981). */
  leader = ''
  leaderPackets = 0
  #votes = 0

  note(flows: number, packets: number, bytes: number, firstUs: number, lastUs: number): void {
    this.flows += flows
    this.packets += packets
    this.bytes += bytes
    this.firstUs = Math.min(this.firstUs, firstUs)
    this.lastUs = Math.max(this.lastUs, lastUs)
  }

  noteSource(source: string, packets: number): void {
    if (source === this.leader) {
      this.#votes += packets
      this.leaderPackets += packets
    } else if (this.#votes < packets) {
      this.leader = source
      this.#votes = packets - this.#votes
      this.leaderPackets = packets
    } else {
      this.#votes -= packets
    }
  }
}

/** From this share of the packets on, a source is the one that floods; it stays so down to the second. */
const SOLE_SHARE_MIN = 0.9
const SOLE_SHARE_KEPT = 0.5

export class DestinationWindow {
  /** Sources by name or estimate, last ten to twenty seconds. */
  readonly sources = new DistinctWindow<string>(TEN_S * US_PER_S, SOURCES_EXACT)
  /** The destination's ports that flows went to, and source ports, with their flows; the first PORTS_COUNTED_MAX. */
  readonly ports = new Map<number, number>()
  readonly sourcePorts = new Map<number, number>()
  /** Ports as counters have them: the sum of each second's, and the one port, -1 for several. */
  #counterPorts = 0
  #counterPort: number | null = null
  /** Packets by the port that most of a second's came from; the first PORTS_COUNTED_MAX. */
  readonly #counterSourcePorts = new Map<number, number>()
  readonly #rowSums = new Sums()
  readonly #counterSums = new Sums()
  #squares: number | null = 0
  /** Rows to which the destination answered that nobody listens. */
  unreachable = 0
  /** Of completed connections: how many, what their clients sent, and its squares. */
  #requests = 0
  #requestBytes = 0
  #requestSquares = 0
  readonly #rows = new Float64Array(SECONDS_KEPT * CELL_COUNT)
  readonly #counters = new Float64Array(SECONDS_KEPT * CELL_COUNT)
  #newestS = Number.NEGATIVE_INFINITY
  /** What was said of who floods, by the detector that asked. */
  readonly #said = new Map<string, string | null>()

  /** Of the same packets, what knows more of them: rows, or counters while the rows are still open. */
  get #sums(): Sums {
    return this.#counterSums.packets > this.#rowSums.packets ? this.#counterSums : this.#rowSums
  }

  get flows(): number {
    return Math.max(this.#rowSums.flows, this.#counterSums.flows)
  }

  get packets(): number {
    return this.#sums.packets
  }

  get bytes(): number {
    return this.#sums.bytes
  }

  get firstUs(): number {
    return Math.min(this.#rowSums.firstUs, this.#counterSums.firstUs)
  }

  get lastUs(): number {
    return Math.max(this.#rowSums.lastUs, this.#counterSums.lastUs)
  }

  add(row: DestinationRow): void {
    const fromS = Math.floor(row.startUs / US_PER_S)
    const toS = Math.min(Math.floor(row.lastUs / US_PER_S), fromS + SECONDS_KEPT - 1)
    const share = 1 / (toS - fromS + 1)
    this.#advance(toS)
    for (let s = fromS; s <= toS; s++) {
      this.#add(s, CELL.packets, row.packets * share)
      this.#add(s, CELL.bytes, row.bytes * share)
      this.#add(s, CELL.replies, row.replies * share)
    }
    this.#add(fromS, CELL.flows, 1)
    if (row.outcome !== null) this.#add(fromS, CELL[row.outcome], row.outcome === 'stray' ? row.packets : 1)
    this.sources.add(row.source, row.startUs)
    this.#rowSums.note(1, row.packets, row.bytes, row.startUs, row.lastUs)
    this.#rowSums.noteSource(row.source, row.packets)
    if (row.isUnreachable) this.unreachable++
    if (row.outcome === 'completed') this.#noteRequest(row.bytes)
    this.#squares = row.squares === null || this.#squares === null ? null : this.#squares + row.squares
    count(this.ports, row.port)
    count(this.sourcePorts, row.sourcePort)
  }

  addCounters(counters: DestinationCounters): void {
    const second = Math.floor(counters.atUs / US_PER_S)
    this.#advance(second)
    if (second <= this.#newestS - SECONDS_KEPT) return
    const at = rowOf(second)
    for (const { name } of DESTINATION_CELLS) this.#counters[at + CELL[name]] = counters.amounts[name]
    for (const source of counters.sources) this.sources.add(source, counters.atUs)
    const { amounts, leader } = counters
    this.#counterSums.note(amounts.flows, amounts.packets, amounts.bytes, counters.firstUs, counters.lastUs)
    this.#counterSums.noteSource(leader.source, leader.packets)
    this.#counterPorts += counters.ports
    count(this.#counterSourcePorts, counters.sourcePort.port, counters.sourcePort.packets)
    this.#counterPort = counters.ports === 1 && (this.#counterPort ?? counters.port) === counters.port ? counters.port : SEVERAL
  }

  /** A cell of the second that holds `timeUs`. */
  inSecond(timeUs: number, cell: DestinationCell): number {
    return this.#read(Math.floor(timeUs / US_PER_S), CELL[cell])
  }

  /** The largest of the ten seconds up to `timeUs`, and how many of them reach `atLeast`. */
  peak(timeUs: number, cell: DestinationCell, atLeast: number): { most: number; seconds: number } {
    const last = Math.floor(timeUs / US_PER_S)
    const column = CELL[cell]
    let most = 0
    let seconds = 0
    for (let s = last - TEN_S + 1; s <= last; s++) {
      const value = this.#read(s, column)
      most = Math.max(most, value)
      if (value >= atLeast) seconds++
    }
    return { most, seconds }
  }

  /** The sum over the ten seconds up to `timeUs`. */
  inTenSeconds(timeUs: number, cell: DestinationCell): number {
    const last = Math.floor(timeUs / US_PER_S)
    const column = CELL[cell]
    let sum = 0
    for (let s = last - TEN_S + 1; s <= last; s++) sum += this.#read(s, column)
    return sum
  }

  /** Amounts a second over the last minute up to `timeUs`, oldest first: what a picture draws. */
  lastMinute(timeUs: number, cell: DestinationCell): number[] {
    const last = Math.floor(timeUs / US_PER_S)
    return Array.from({ length: 60 }, (_, i) => this.#read(last - 59 + i, CELL[cell]))
  }

  /** As far as rows know: the sum over the ten seconds up to `timeUs`, to set against what only rows tell of. */
  rowsInTenSeconds(timeUs: number, cell: DestinationCell): number {
    const last = Math.floor(timeUs / US_PER_S)
    let sum = 0
    for (let s = last - TEN_S + 1; s <= last; s++) if (this.#isKept(s)) sum += this.#rows[rowOf(s) + CELL[cell]]
    return sum
  }

  /**
   * Of the whole watch: the source that sent at least nine in ten packets; null when there is none. Who was once said to flood stays
   * so while it sends half of them, and many stay many: one flood is one episode, whether counters or rows tell of it.
   */
  soleSource(asker: string): string | null {
    const { leader, leaderPackets, packets } = this.#sums
    const said = this.#said.get(asker)
    if (said === null) return null
    const share = said !== undefined && said === leader ? SOLE_SHARE_KEPT : SOLE_SHARE_MIN
    return leaderPackets >= share * packets && packets > 0 ? leader : null
  }

  /** Flows and the ports that they went to; of counters, the ports of each second. */
  spread(): { flows: number; ports: number } {
    if (this.#counterSums.flows > this.#rowSums.flows) return { flows: this.#counterSums.flows, ports: this.#counterPorts }
    // Of the ports that are counted one by one: past their limit, they stand for the others.
    const flows = [...this.ports.values()].reduce((sum, n) => sum + n, 0)
    return { flows, ports: this.ports.size }
  }

  /** Share of the flows, or of counters' packets, that came from this port of their senders: whichever says more. */
  sourcePortShare(port: number): number {
    const byRows = (this.sourcePorts.get(port) ?? 0) / Math.max(1, this.#rowSums.flows)
    const byCounters = (this.#counterSourcePorts.get(port) ?? 0) / Math.max(1, this.#counterSums.packets)
    return Math.max(byRows, byCounters)
  }

  /** What rows alone know: sizes are measured in them only, and a burst is told by sizes. */
  burst(): { packets: number; spanUs: number } {
    const { packets, firstUs, lastUs } = this.#rowSums
    return { packets, spanUs: Math.max(0, lastUs - firstUs) }
  }

  /** All went to one port. */
  hasOnePort(): boolean {
    return (
      this.ports.size + (this.#counterPort === SEVERAL ? 2 : 0) === 1 ||
      (this.ports.size === 0 && (this.#counterPort ?? SEVERAL) !== SEVERAL)
    )
  }

  /** What `soleSource` gave was told. */
  noteSaid(asker: string, sole: string | null): void {
    this.#said.set(asker, sole)
  }

  /** Standard deviation over mean of the packets' payload, as rows have it; null when not measured. */
  sizeVariation(): number | null {
    const { packets, bytes } = this.#rowSums
    if (this.#squares === null || packets === 0) return null
    const mean = bytes / packets
    return mean === 0 ? 0 : Math.sqrt(Math.max(0, this.#squares / packets - mean ** 2)) / mean
  }

  /** Standard deviation over mean of what the clients of completed connections sent in each; null without any. */
  requestVariation(): number | null {
    if (this.#requests === 0 || this.#requestBytes === 0) return null
    const mean = this.#requestBytes / this.#requests
    return Math.sqrt(Math.max(0, this.#requestSquares / this.#requests - mean ** 2)) / mean
  }

  get meanRequestBytes(): number {
    return this.#requests === 0 ? 0 : this.#requestBytes / this.#requests
  }

  #noteRequest(bytes: number): void {
    this.#requests++
    this.#requestBytes += bytes
    this.#requestSquares += bytes * bytes
  }

  /** @param column of a cell; its name is looked up once for a whole reading. */
  #add(second: number, column: number, amount: number): void {
    if (second > this.#newestS - SECONDS_KEPT) this.#rows[rowOf(second) + column] += amount
  }

  #read(second: number, column: number): number {
    if (!this.#isKept(second)) return 0
    const at = rowOf(second) + column
    return Math.max(this.#rows[at], this.#counters[at])
  }

  #isKept(second: number): boolean {
    return second <= this.#newestS && second > this.#newestS - SECONDS_KEPT
  }

  #advance(second: number): void {
    if (second <= this.#newestS) return
    for (let s = Math.max(this.#newestS + 1, second - SECONDS_KEPT + 1); s <= second; s++) {
      const at = rowOf(s)
      this.#rows.fill(0, at, at + CELL_COUNT)
      this.#counters.fill(0, at, at + CELL_COUNT)
    }
    this.#newestS = second
  }
}

/** Where a second's cells begin. */
function rowOf(second: number): number {
  return (second & (SECONDS_KEPT - 1)) * CELL_COUNT
}

function count(map: Map<number, number>, key: number, n = 1): void {
  const known = map.get(key)
  if (known !== undefined) map.set(key, known + n)
  else if (map.size < PORTS_COUNTED_MAX) map.set(key, n)
}

/** A destination before it is worth a window, for one protocol. What a server gets of its first protocol it remembers itself. */
export interface Waiting {
  waitingProto: number
  isWatched: boolean
  waitingSinceMs: number
  waitingFlows: number
  waitingPackets: number
  /** When it was asked about last. */
  waitingUsedMs: number
}

/** Nothing has come yet. */
export const NO_PROTO = -1

export class DestinationWindows {
  readonly #clock: TableClock
  readonly #waiting: BoundedTable<Waiting>
  readonly #watched: BoundedTable<DestinationWindow>

  constructor(hostsMax: number, windowsMax: number, clock: TableClock) {
    this.#clock = clock
    this.#waiting = new BoundedTable(hostsMax, QUIET_US, clock)
    this.#watched = new BoundedTable(windowsMax, QUIET_US, clock)
  }

  /**
   * @param own what the destination remembers itself; null when it is no host, or not known as a server.
   * @returns the destination's window, which then wants the row; null while it draws too little to be watched.
   */
  windowFor(destination: string, proto: number, startUs: number, packets: number, own: Waiting | null = null): DestinationWindow | null {
    const isOwn = own !== null && (own.waitingProto === NO_PROTO || own.waitingProto === proto)
    const waiting = isOwn ? this.#renewed(own, proto) : this.#waiting.getOrCreate(destination, newWaiting, '', proto)
    if (!waiting.isWatched && !isWorthWatching(waiting, startUs, packets)) return null
    waiting.isWatched = true
    return this.#watched.getOrCreate(destination, newWindow, '', proto)
  }

  /** As it is, or as new after as long as the tables remember. */
  #renewed(own: Waiting, proto: number): Waiting {
    const nowMs = Math.floor(this.#clock.nowMs)
    if (nowMs - own.waitingUsedMs > QUIET_US / US_PER_MS) Object.assign(own, newWaiting())
    own.waitingProto = proto
    own.waitingUsedMs = nowMs
    return own
  }

  /** Counters of a second that the meter hands over while flows are open. @param name what rows call the destination. */
  noteCounters(counters: DestinationCounters, name = counters.destination): DestinationWindow {
    const window = this.#watched.getOrCreate(name, newWindow, '', counters.proto)
    window.addCounters(counters)
    return window
  }

  peek(destination: string, proto: number): DestinationWindow | null {
    return this.#watched.peek(destination, '', proto) ?? null
  }

  get counters(): Record<string, number> {
    return { destinationsEvicted: this.#waiting.evictedCount, destinationWindowsEvicted: this.#watched.evictedCount }
  }
}

function isWorthWatching(waiting: Waiting, startUs: number, packets: number): boolean {
  const startMs = Math.floor(startUs / US_PER_MS)
  if (waiting.waitingFlows === 0) waiting.waitingSinceMs = startMs
  else if (startMs - waiting.waitingSinceMs > TEN_S * MS_PER_S) {
    waiting.waitingSinceMs = startMs
    waiting.waitingFlows = 0
    waiting.waitingPackets = 0
  }
  waiting.waitingFlows++
  waiting.waitingPackets += packets
  return waiting.waitingFlows >= WATCH_FLOWS_MIN || waiting.waitingPackets >= WATCH_PACKETS_MIN
}

function newWaiting(): Waiting {
  return { waitingProto: NO_PROTO, isWatched: false, waitingSinceMs: 0, waitingFlows: 0, waitingPackets: 0, waitingUsedMs: 0 }
}

function newWindow(): DestinationWindow {
  return new DestinationWindow()
}
