/**
 * Told by the table of what happens in it, so that analysis hears of floods and slow attacks while they run.
 *
 *   packets, SYNs, handshakes → arrivals.ts → 'counters' a second     established connections → open-flows.ts → 'open' every so often
 *
 * In:  the table's events; the turn of each second of packet time. Out: interim messages, copies that touch no row.
 * Not: rows that ended, which are the table's. A meter whose rows nobody judges (`flows`) has no watch and pays nothing.
 * The invariant: what is told, and its order, depends on packet times alone, wherever slabs are cut.
 */
import type { Packet } from '../decode/packet.ts'
import { type ArrivalCounters, Arrivals, type OnSecond } from './arrivals.ts'
import { endRow } from './count.ts'
import type { OnInterim } from './interim.ts'
import { type OpenFlowCounters, OpenFlows } from './open-flows.ts'
import * as Row from './row.ts'

const US_PER_S = 1e6
/** Rows of one message. */
const ROWS_A_MESSAGE = 512

/** What analysis asks for. */
export interface WatchLimits {
  /** Connections begun towards a destination, or other packets, in one second, from which it is told of. */
  arrivalsPerSMin: number
  /** How often rows so far are handed over. */
  openRowsEveryUs: number
  /** Slow connections of a client and a service from which their rows are handed over. */
  openTogetherMin: number
  /**
   * How many meters share the line; absent: this one has it alone. Each then tells from half of its share of the thresholds on, so that what
   * reaches them together is told by nearly all (queue-sums.ts adds up and compares).
   */
  queues?: number
}

/** What a meter without a watch did not tell: nothing. */
export const NO_WATCH: Watch['counters'] = { packetsNotCounted: 0, secondsWithoutFlow: 0, connectionsNotFollowed: 0, rowsPutOff: 0 }

/** What is read of the table. */
export interface WatchedTable {
  readonly cells: Float64Array<ArrayBuffer>
  readonly words: Uint32Array
  readonly maxFlows: number
  readonly hashSeed: number
  readonly baseSec: number
}

export class Watch {
  readonly #table: WatchedTable
  readonly #onInterim: OnInterim
  readonly #arrivals: Arrivals
  readonly #open: OpenFlows
  readonly #everyUs: number
  #openDueUs = Number.NEGATIVE_INFINITY

  constructor(table: WatchedTable, limits: WatchLimits, onInterim: OnInterim) {
    this.#table = table
    this.#onInterim = onInterim
    this.#everyUs = limits.openRowsEveryUs
    const queues = limits.queues ?? 1
    const own = (threshold: number): number => (queues === 1 ? threshold : Math.ceil(threshold / (2 * queues)))
    const thresholds = { perSecondMin: own(limits.arrivalsPerSMin), queues }
    this.#arrivals = new Arrivals(table.cells, table.words, table.hashSeed, thresholds)
    this.#open = new OpenFlows(table.cells, table.words, table.maxFlows, own(limits.openTogetherMin))
  }

  get counters(): Readonly<ArrivalCounters & OpenFlowCounters> {
    return { ...this.#arrivals.counters, ...this.#open.counters }
  }

  /** A packet was counted in `slot`: of a flow that is not TCP's and that nobody has answered, or of ICMP. */
  datagram(p: Packet, slot: number): void {
    const at = slot * Row.ROW_WORDS
    const { words } = this.#table
    const state = words[at + Row.STATE_W]
    if (p.endpoint !== (state & Row.ORIG_IS_B)) return this.#arrivals.answered(p)
    this.#arrivals.datagram(p, slot, words[at + Row.PACKETS_W] === 1 && (state & Row.IS_CONTINUATION) === 0)
  }

  /** A flow that is neither TCP's nor ICMP's got its first answer. */
  answered(p: Packet): void {
    this.#arrivals.answered(p)
  }

  /** A SYN opened a connection in `slot`. */
  syn(p: Packet, slot: number): void {
    this.#arrivals.syn(p, slot)
  }

  /** A connection that had been neither is now established or closed. */
  settled(slot: number, isEstablished: boolean): void {
    const state = this.#table.words[slot * Row.ROW_WORDS + Row.STATE_W]
    const responder = 1 - (state & Row.ORIG_IS_B)
    // What its own initiator resets stays half open: the system of a host that sends bare SYNs does so by itself.
    if (isEstablished || (state & (Row.RST_SEEN << responder)) !== 0) this.#arrivals.settled(slot, isEstablished)
    if (isEstablished) this.#open.add(slot)
  }

  /** A connection goes on in a row of its own. */
  goesOn(slot: number): void {
    if ((this.#table.words[slot * Row.ROW_WORDS + Row.STATE_W] & Row.TCP_STATE_MASK) >> Row.TCP_STATE_SHIFT === Row.TCP_ESTABLISHED)
      this.#open.add(slot)
  }

  /**
   * Packet time enters the second of `nowUs`.
   *
   * @param lastSecondEndUs end of the last second in which anything came: rows are told of as they stood then
   */
  turn(nowUs: number, lastSecondEndUs: number): void {
    // The clock was set back: all flows end, and the seconds start over.
    if (nowUs < lastSecondEndUs - US_PER_S) return this.finish()
    if (lastSecondEndUs >= this.#openDueUs) {
      this.#openDueUs = (Math.floor(lastSecondEndUs / this.#everyUs) + 1) * this.#everyUs
      this.#tellOpen(lastSecondEndUs)
    }
    this.#arrivals.turn(Math.floor(nowUs / US_PER_S), this.#tellSecond)
  }

  /** The first second of a run, or of what follows a clock set back. */
  start(nowUs: number): void {
    this.#openDueUs = (Math.floor(nowUs / this.#everyUs) + 1) * this.#everyUs
    this.#arrivals.turn(Math.floor(nowUs / US_PER_S), this.#tellSecond)
  }

  /** All flows end now: what is known of seconds is told before their rows come. */
  finish(): void {
    this.#arrivals.finish(this.#tellSecond)
    this.#open.clear()
  }

  readonly #tellSecond: OnSecond = (counters, slots) => {
    const endUs = counters[0].atUs + US_PER_S
    const { baseSec } = this.#table
    for (let from = 0; from < slots.length; from += ROWS_A_MESSAGE) {
      const to = from + ROWS_A_MESSAGE
      const cells = this.#copy(slots.slice(from, to), endUs)
      this.#onInterim({ kind: 'counters', baseSec, atUs: endUs, counters: counters.slice(from, to), cells })
    }
  }

  #tellOpen(atUs: number): void {
    const slots = this.#open.take(atUs)
    const { baseSec } = this.#table
    for (let from = 0; from < slots.length; from += ROWS_A_MESSAGE) {
      this.#onInterim({ kind: 'open', baseSec, atUs, cells: this.#copy(slots.slice(from, from + ROWS_A_MESSAGE), atUs) })
    }
  }

  /** Rows as if they ended at `atUs`. */
  #copy(slots: readonly number[], atUs: number): Float64Array<ArrayBuffer> {
    const cells = new Float64Array(slots.length * Row.ROW_CELLS)
    const words = new Uint32Array(cells.buffer)
    for (const [i, slot] of slots.entries()) {
      const from = slot * Row.ROW_CELLS
      const to = i * Row.ROW_CELLS
      cells.set(this.#table.cells.subarray(from, from + Row.ROW_CELLS), to)
      endRow(cells, words, to, Math.max(atUs, cells[to + Row.LAST_US]), Row.ENDED_ACTIVE)
      // As in a finished row: the flow's id is made from these words.
      words[to * 2 + Row.KEY_PROTO_W] &= ~Row.KEY_IS_LIVE
    }
    return cells
  }
}
