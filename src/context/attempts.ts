/**
 * When one client went to one service, again and again: the timing that beacons and dead peers show.
 *
 * In:  contacts that begin a connection (never the later pieces of a long one), in rough order.
 * Out: the newest ATTEMPTS_KEPT starts in order, with what each carried; how many there were, failed, were answered.
 * Not: a verdict on the gaps. Starts within BURST_US of another are one: a browser opens six connections at once.
 */

import { NO_SLOT } from './activity.ts'

/** SCORER.md D9: a ring of 24 starts; one more gives 24 gaps. */
const ATTEMPTS_KEPT = 25
const BURST_US = 0.5e6
const CLIENT_PORTS_COUNTED_MAX = 16

// What an attempt is kept as, in a row of numbers: as an object with fields it would take three times the room.
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

/** Never written to. */
const NONE: number[] = []

export class AttemptSeries {
  /** Protocol and port (`serviceKey`). */
  readonly service: number
  total = 0
  failed = 0
  answered = 0
  firstUs = Number.POSITIVE_INFINITY
  lastUs = Number.NEGATIVE_INFINITY
  /** From the last start before the newest one to that; infinite for the first. */
  sinceLastUs = Number.POSITIVE_INFINITY
  /** The window of five minutes in which the service was counted last (activity.ts). */
  countedSlot = NO_SLOT
  /** Most services are asked once: lists are made when there is something to list. */
  #cells: number[] = NONE
  #clientPorts: number[] | null = null
  #onlyPort = -1

  constructor(service: number) {
    this.service = service
  }

  add(attempt: Attempt, hasFailed: boolean, clientPort: number): void {
    this.total++
    if (hasFailed) this.failed++
    if (attempt.isAnswered) this.answered++
    this.sinceLastUs = Math.max(0, attempt.atUs - this.lastUs)
    this.firstUs = Math.min(this.firstUs, attempt.atUs)
    this.lastUs = Math.max(this.lastUs, attempt.atUs)
    this.#notePort(clientPort)
    if (this.#cells === NONE) this.#cells = cellsOf(attempt)
    else this.#keep(attempt)
  }

  /** In order of start, bursts merged. Made anew at each call. */
  get kept(): readonly Attempt[] {
    return Array.from({ length: this.keptCount }, (_, i) => attemptOf(this.#cells, i * STRIDE))
  }

  /** How many `kept` holds. */
  get keptCount(): number {
    return this.#cells.length / STRIDE
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

  /** Rows come by their end, so that a start may belong before some that came earlier. */
  #keep(attempt: Attempt): void {
    const cells = this.#cells
    let at = cells.length
    while (at > 0 && cells[at - STRIDE + AT_US] > attempt.atUs) at -= STRIDE
    for (const near of [at - STRIDE, at]) {
      if (near < 0 || near >= cells.length || Math.abs(cells[near + AT_US] - attempt.atUs) >= BURST_US) continue
      cells[near + DURATION_US] = Math.max(cells[near + DURATION_US], attempt.durationUs)
      cells[near + CLIENT_BYTES] += attempt.clientBytes
      cells[near + SERVER_BYTES] += attempt.serverBytes
      if (attempt.isAnswered) cells[near + IS_ANSWERED] = 1
      return
    }
    if (cells.length < ATTEMPTS_KEPT * STRIDE) {
      // As long as it needs to be: an array that is pushed to keeps half as much again in hand.
      this.#cells = cells.concat(cellsOf(attempt))
      this.#cells.copyWithin(at + STRIDE, at, cells.length)
      put(this.#cells, at, attempt)
    } else if (at > 0) {
      // The oldest goes.
      cells.copyWithin(0, STRIDE, at)
      put(cells, at - STRIDE, attempt)
    }
  }
}

function cellsOf(attempt: Attempt): number[] {
  const { flowId, atUs, durationUs, clientBytes, serverBytes, isAnswered } = attempt
  return [flowId, atUs, durationUs, clientBytes, serverBytes, isAnswered ? 1 : 0]
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
