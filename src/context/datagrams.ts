/**
 * What one client and one server say to each other in datagrams, lately: how many, how large, how varied. For names and echoes.
 *
 * In:  rows with packets, payload and its squares each way. Out: sums over two rotating buckets of five minutes.
 * Not: single packets; a row counts with its sums.
 */

import type { Contact } from './contact.ts'
import { CLIENT, SERVER } from './contact.ts'

const BUCKET_US = 5 * 60e6
const CELLS = 9
const ROWS = 0
/** Client's packets, octets, squares; then the server's. */
const SIDE = 1
const SIDE_CELLS = 3
/** Rows in which the client sent ten packets or more from one port. */
const REUSED = 7
const REUSED_PACKETS_MIN = 10
/** Packets of both sides in rows of the first asker whose answers can be the questions sent back. */
const REPEATED = 8
/** Of the questions at most this share may have stayed without an answer, for that to be seen; one always may. */
const LOST_SHARE_MAX = 0.1
/** The sums of squares passed through a division. */
const ROUNDING = 1e-6

const FLOWS_NAMED_MAX = 10
/** Never written to: lists are made as long as they need to be, since most have one entry and one that is pushed to has room for seventeen. */
const NO_FLOWS: readonly number[] = []

export interface SideSums {
  packets: number
  bytes: number
  meanBytes: number
  /** Standard deviation over mean; null when the squares were not measured. */
  variation: number | null
}

export class Datagrams {
  firstUs = Number.POSITIVE_INFINITY
  lastUs = Number.NEGATIVE_INFINITY
  flowIds: readonly number[] = NO_FLOWS
  /** Who asked first; `side` counts from its point of view. */
  readonly client: string
  readonly #cells = new Array<number>(2 * CELLS).fill(0)
  #slot = Number.NEGATIVE_INFINITY
  #hasSquares = true

  constructor(client: string) {
    this.client = client
  }

  add(contact: Contact): void {
    const slot = Math.floor(contact.lastUs / BUCKET_US)
    if (slot > this.#slot) this.#turn(slot)
    const at = (this.#slot & 1) * CELLS
    this.#cells[at + ROWS]++
    const isSwapped = contact.addr[CLIENT] !== this.client
    for (const side of [CLIENT, SERVER]) {
      const cell = at + SIDE + (isSwapped ? 1 - side : side) * SIDE_CELLS
      this.#cells[cell] += contact.packets[side] ?? 0
      this.#cells[cell + 1] += contact.payloadBytes[side] ?? 0
      this.#cells[cell + 2] += contact.payloadSquares?.[side] ?? 0
    }
    if (contact.payloadSquares === undefined) this.#hasSquares = false
    if ((contact.packets[CLIENT] ?? 0) >= REUSED_PACKETS_MIN) this.#cells[at + REUSED]++
    if (!isSwapped && isRepeated(contact)) this.#cells[at + REPEATED] += (contact.packets[CLIENT] ?? 0) + (contact.packets[SERVER] ?? 0)
    this.firstUs = Math.min(this.firstUs, contact.startUs)
    this.lastUs = Math.max(this.lastUs, contact.lastUs)
    if (this.flowIds.length < FLOWS_NAMED_MAX) this.flowIds = [...this.flowIds, contact.flowId]
  }

  rows(): number {
    return this.#cells[ROWS] + this.#cells[CELLS + ROWS]
  }

  reusedRows(): number {
    return this.#cells[REUSED] + this.#cells[CELLS + REUSED]
  }

  /** Where both sides ask, each can carry data in its questions, and the repeated answers show nothing: those of one side count. */
  repeatedPackets(): number {
    return this.#cells[REPEATED] + this.#cells[CELLS + REPEATED]
  }

  side(side: 0 | 1): SideSums {
    const at = SIDE + side * SIDE_CELLS
    const [packets, bytes, squares] = [0, 1, 2].map((i) => this.#cells[at + i] + this.#cells[CELLS + at + i])
    const meanBytes = packets === 0 ? 0 : bytes / packets
    const deviation = packets === 0 ? 0 : Math.sqrt(Math.max(0, squares / packets - meanBytes ** 2))
    return { packets, bytes, meanBytes, variation: this.#hasSquares && meanBytes > 0 ? deviation / meanBytes : null }
  }

  #turn(slot: number): void {
    // Both buckets are out of date when more than one passed.
    if (slot !== this.#slot + 1) {
      this.#cells.fill(0)
      this.firstUs = Number.POSITIVE_INFINITY
    }
    this.#slot = slot
    this.#cells.fill(0, (slot & 1) * CELLS, (slot & 1) * CELLS + CELLS)
  }
}

/**
 * Whether the answers of a row can be its questions sent back, as those to pings are. When all were answered the sums agree; when n
 * stayed without answer, those carried b octets with squares q, and b²/n <= q <= b² (Cauchy and Schwarz). Sizes that merely have the
 * same mean seldom pass: for n = 1, q must be b².
 */
function isRepeated({ packets, payloadBytes, payloadSquares }: Contact): boolean {
  if (payloadSquares === undefined) return false
  const [asked, answered] = payloadSquares
  if (asked === null || answered === null) return false
  const lost = (packets[CLIENT] ?? 0) - (packets[SERVER] ?? 0)
  if (lost < 0 || lost > Math.max(1, LOST_SHARE_MAX * (packets[CLIENT] ?? 0))) return false
  const bytes = (payloadBytes[CLIENT] ?? 0) - (payloadBytes[SERVER] ?? 0)
  const squares = asked - answered
  const slack = ROUNDING * asked
  return bytes >= 0 && squares >= (lost === 0 ? 0 : bytes ** 2 / lost) - slack && squares <= (lost === 0 ? 0 : bytes ** 2) + slack
}
