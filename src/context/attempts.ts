/**
 * When one client went to one service, again and again: the timing that beacons and dead peers show.
 *
 * In:  contacts that begin a connection (never the later pieces of a long one), in rough order.
 * Out: the newest ATTEMPTS_KEPT starts in order, with what each carried; how many there were, failed, were answered.
 * Not: a verdict on the gaps. Starts within BURST_US of another are one: a browser opens six connections at once.
 */

import { NO_SLOT } from './activity.ts'
import { lengthened, rowOf } from './number-row.ts'

/** SCORER.md D9: a ring of 24 starts; one more gives 24 gaps. */
export const ATTEMPTS_KEPT = 25
const BURST_US = 0.5e6
const CLIENT_PORTS_COUNTED_MAX = 16

// What is in a series' row of numbers: its times, then its attempts. As objects with fields they would take three times the room.
const FIRST_US = 0
const LAST_US = 1
const SINCE_LAST_US = 2
const HEADER = 3
// What is in an attempt.
const FLOW_ID = 0
const AT_US = 1
const DURATION_US = 2
const CLIENT_BYTES = 3
const SERVER_BYTES = 4
const IS_ANSWERED = 5
const STRIDE = 6

export interface Attempt {
  flowId: number
  atUs: number
  durationUs: number
  clientBytes: number
  serverBytes: number
  isAnswered: boolean
}

export class AttemptSeries {
  /** Protocol and port (`serviceKey`). */
  readonly service: number
  total = 0
  failed = 0
  answered = 0
  /** The window of five minutes in which the service was counted last (activity.ts). */
  countedSlot = NO_SLOT
  /** Most services are asked once: room for more attempts is made when they come. */
  #cells: number[] = rowOf(lengthFor(1))
  /** Attempts kept, and where the oldest lies: once all room is taken, the newest takes the place of the oldest. */
  #kept = 0
  #oldest = 0
  #clientPorts: number[] | null = null
  #onlyPort = -1

  constructor(service: number) {
    this.service = service
    this.#cells[FIRST_US] = Number.POSITIVE_INFINITY
    this.#cells[LAST_US] = Number.NEGATIVE_INFINITY
    this.#cells[SINCE_LAST_US] = Number.POSITIVE_INFINITY
  }

  get firstUs(): number {
    return this.#cells[FIRST_US]
  }

  get lastUs(): number {
    return this.#cells[LAST_US]
  }

  /** From the last start before the newest one to that; infinite for the first. */
  get sinceLastUs(): number {
    return this.#cells[SINCE_LAST_US]
  }

  add(attempt: Attempt, hasFailed: boolean, clientPort: number): void {
    const cells = this.#cells
    const { atUs } = attempt
    this.total++
    if (hasFailed) this.failed++
    if (attempt.isAnswered) this.answered++
    cells[SINCE_LAST_US] = Math.max(0, atUs - cells[LAST_US])
    if (atUs < cells[FIRST_US]) cells[FIRST_US] = atUs
    if (atUs > cells[LAST_US]) cells[LAST_US] = atUs
    this.#notePort(clientPort)
    this.#keep(attempt)
  }

  /** In order of start, bursts merged. Made anew at each call. */
  get kept(): readonly Attempt[] {
    return Array.from({ length: this.#kept }, (_, i) => attemptOf(this.#cells, this.#placeOf(i)))
  }

  /** Writes their starts, in order, and gives how many: what is asked at each call wants no objects. */
  startsInto(out: Float64Array): number {
    for (let i = 0; i < this.#kept; i++) out[i] = this.#cells[this.#placeOf(i) + AT_US]
    return this.#kept
  }

  /** How many `kept` holds. */
  get keptCount(): number {
    return this.#kept
  }

  /** Up to CLIENT_PORTS_COUNTED_MAX: pieces of one long connection share one port. */
  get clientPorts(): number {
    return this.#clientPorts?.length ?? 1
  }

  #notePort(port: number): void {
    if (this.#onlyPort < 0 || port === this.#onlyPort) {
      this.#onlyPort = port
      return
    }
    this.#clientPorts ??= [this.#onlyPort]
    if (this.#clientPorts.length < CLIENT_PORTS_COUNTED_MAX && !this.#clientPorts.includes(port)) this.#clientPorts.push(port)
  }

  /** Where the cells of one of the kept attempts begin. */
  #placeOf(i: number): number {
    const place = this.#oldest + i
    return HEADER + (place < ATTEMPTS_KEPT ? place : place - ATTEMPTS_KEPT) * STRIDE
  }

  /** Rows come by their end, so that a start may belong before some that came earlier. */
  #keep(attempt: Attempt): void {
    const cells = this.#cells
    let i = this.#kept
    while (i > 0 && cells[this.#placeOf(i - 1) + AT_US] > attempt.atUs) i--
    if (this.#joins(i - 1, attempt) || this.#joins(i, attempt)) return
    if (this.#kept < ATTEMPTS_KEPT) {
      this.#makeRoom()
      this.#kept++
      for (let later = this.#kept - 1; later > i; later--) this.#move(later - 1, later)
      put(this.#cells, this.#placeOf(i), attempt)
    } else if (i === ATTEMPTS_KEPT) {
      put(cells, this.#placeOf(0), attempt)
      this.#oldest = this.#oldest + 1 < ATTEMPTS_KEPT ? this.#oldest + 1 : 0
    } else if (i > 0) {
      // The oldest goes, those before the new one move up.
      for (let earlier = 1; earlier < i; earlier++) this.#move(earlier, earlier - 1)
      put(cells, this.#placeOf(i - 1), attempt)
    }
  }

  /** Takes what is of the same burst as a kept attempt into that; false when it is not, or there is none. */
  #joins(i: number, attempt: Attempt): boolean {
    if (i < 0 || i >= this.#kept) return false
    const cells = this.#cells
    const at = this.#placeOf(i)
    if (Math.abs(cells[at + AT_US] - attempt.atUs) >= BURST_US) return false
    cells[at + DURATION_US] = Math.max(cells[at + DURATION_US], attempt.durationUs)
    cells[at + CLIENT_BYTES] += attempt.clientBytes
    cells[at + SERVER_BYTES] += attempt.serverBytes
    if (attempt.isAnswered) cells[at + IS_ANSWERED] = 1
    return true
  }

  /** For one more: twice as much as it takes now. */
  #makeRoom(): void {
    const cells = this.#cells
    if (cells.length > HEADER + this.#kept * STRIDE) return
    this.#cells = lengthened(cells, lengthFor(2 * this.#kept))
  }

  #move(from: number, to: number): void {
    const cells = this.#cells
    const source = this.#placeOf(from)
    const target = this.#placeOf(to)
    for (let i = 0; i < STRIDE; i++) cells[target + i] = cells[source + i]
  }
}

/** For so many attempts, up to all that are kept. */
function lengthFor(attempts: number): number {
  return HEADER + Math.min(attempts, ATTEMPTS_KEPT) * STRIDE
}

function put(cells: number[], at: number, attempt: Attempt): void {
  cells[at + FLOW_ID] = attempt.flowId
  cells[at + AT_US] = attempt.atUs
  cells[at + DURATION_US] = attempt.durationUs
  cells[at + CLIENT_BYTES] = attempt.clientBytes
  cells[at + SERVER_BYTES] = attempt.serverBytes
  cells[at + IS_ANSWERED] = attempt.isAnswered ? 1 : 0
}

function attemptOf(cells: readonly number[], at: number): Attempt {
  return {
    flowId: cells[at + FLOW_ID],
    atUs: cells[at + AT_US],
    durationUs: cells[at + DURATION_US],
    clientBytes: cells[at + CLIENT_BYTES],
    serverBytes: cells[at + SERVER_BYTES],
    isAnswered: cells[at + IS_ANSWERED] === 1,
  }
}
