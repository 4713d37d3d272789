/**
 * The single sessions of one client with one service, lately.
 *
 * In:  sessions with payload both ways, by their start. Out: the newest of the last five to ten minutes, by start,
 *      at most 2 × SESSIONS_MAX.
 * Not: long connections' later pieces: they belong to the session that began them; nor what remains of sessions that had begun before the
 *      capture: it says nothing about their size.
 */

import { lengthened } from './number-row.ts'

const BUCKET_US = 5 * 60e6
/** Per bucket; then a new one takes the place of the oldest, which is only counted. */
const SESSIONS_MAX = 256

export interface Session {
  flowId: number
  atUs: number
  durationUs: number
  /** Payload octets from the client, and from the server. */
  clientBytes: number
  serverBytes: number
}

// What a session is kept as, in a row of numbers.
const FLOW_ID = 0
const AT_US = 1
const DURATION_US = 2
const CLIENT_BYTES = 3
const SERVER_BYTES = 4
const STRIDE = 5

const NO_SLOT = -(2 ** 30)
/** Never written to. */
const NONE: number[] = []

export class SessionWindow {
  #slot = NO_SLOT
  #now = NONE
  #nowCount = 0
  #before = NONE
  #beforeCount = 0
  #nowBeyond = 0

  add(session: Session): void {
    const slot = Math.floor(session.atUs / BUCKET_US)
    if (slot > this.#slot) this.#turn(slot)
    if (this.#nowCount === SESSIONS_MAX) {
      put(this.#now, this.#nowBeyond++ % SESSIONS_MAX, session)
      return
    }
    if (this.#now.length === this.#nowCount * STRIDE) {
      this.#now = lengthened(this.#now, Math.min(SESSIONS_MAX, Math.max(1, 2 * this.#nowCount)) * STRIDE)
    }
    put(this.#now, this.#nowCount++, session)
  }

  /** How many `since` can give. */
  get keptCount(): number {
    return this.#nowCount + this.#beforeCount
  }

  /** Those that began at or after `fromUs`, by start. */
  since(fromUs: number): Session[] {
    const since: Session[] = []
    addSince(since, this.#before, this.#beforeCount, fromUs)
    addSince(since, this.#now, this.#nowCount, fromUs)
    return since.length > 1 ? since.sort((a, b) => a.atUs - b.atUs) : since
  }

  /** Sessions of the present bucket that are no longer kept. */
  beyondCount(): number {
    return this.#nowBeyond
  }

  #turn(slot: number): void {
    const isNext = slot === this.#slot + 1
    this.#before = isNext ? this.#now : NONE
    this.#beforeCount = isNext ? this.#nowCount : 0
    this.#now = NONE
    this.#nowCount = 0
    this.#nowBeyond = 0
    this.#slot = slot
  }
}

function put(row: number[], place: number, session: Session): void {
  const at = place * STRIDE
  row[at + FLOW_ID] = session.flowId
  row[at + AT_US] = session.atUs
  row[at + DURATION_US] = session.durationUs
  row[at + CLIENT_BYTES] = session.clientBytes
  row[at + SERVER_BYTES] = session.serverBytes
}

function addSince(out: Session[], row: readonly number[], count: number, fromUs: number): void {
  for (let at = 0; at < count * STRIDE; at += STRIDE) {
    if (row[at + AT_US] < fromUs) continue
    out.push({
      flowId: row[at + FLOW_ID],
      atUs: row[at + AT_US],
      durationUs: row[at + DURATION_US],
      clientBytes: row[at + CLIENT_BYTES],
      serverBytes: row[at + SERVER_BYTES],
    })
  }
}
