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

export interface Attempt {
  flowId: number
  atUs: number
  durationUs: number
  clientBytes: number
  serverBytes: number
  isAnswered: boolean
}

/** Never written to. */
const NONE: Attempt[] = []

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
  #kept: Attempt[] = NONE
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
    if (this.#kept === NONE) this.#kept = [attempt]
    else this.#keep(attempt)
  }

  /** In order of start, bursts merged. */
  get kept(): readonly Attempt[] {
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

  /** Rows come by their end, so that a start may belong before some that came earlier. */
  #keep(attempt: Attempt): void {
    let at = this.#kept.length
    while (at > 0 && this.#kept[at - 1].atUs > attempt.atUs) at--
    for (const near of [at - 1, at]) {
      const other = this.#kept[near]
      if (other === undefined || Math.abs(other.atUs - attempt.atUs) >= BURST_US) continue
      other.durationUs = Math.max(other.durationUs, attempt.durationUs)
      other.clientBytes += attempt.clientBytes
      other.serverBytes += attempt.serverBytes
      other.isAnswered ||= attempt.isAnswered
      return
    }
    this.#kept.splice(at, 0, attempt)
    if (this.#kept.length > ATTEMPTS_KEPT) this.#kept.shift()
  }
}
