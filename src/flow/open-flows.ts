/**
 * Connections that stay open and carry next to nothing, many between the same two hosts: what slow attacks are seen by.
 *
 *   established → waits OPEN_MIN_US in a queue → followed while it stays slow → its row so far handed over, every so often
 *
 * In:  established connections, those that the active timeout moved to a new row; ticks of packet time.
 * Out: slots of rows to hand over, in the order (start, key).
 * Not: connections that a client holds few of: web sockets, mail, consoles. Not a judgement.
 * The invariant: the rows are looked at, never touched; each list has a limit and a counter.
 */
import * as Row from './row.ts'

const TCP = 6
/** Open for so long before it is looked at. */
export const OPEN_MIN_US = 10e6
/** More than this, from the initiator or back, within a row is no trickle. */
const ORIG_BYTES_MAX = 6000
const RESP_BYTES_MAX = 2000
const FOLLOWED_MAX = 16_384
/** Rows handed over at one tick. */
const ROWS_MAX = 1024
const GROUP_MASK = 4095
const ADDRESS_WORDS = 4
const MULTIPLIER_A = 0x9e3779b1 | 0
const MULTIPLIER_B = 0x85ebca6b | 0

export interface OpenFlowCounters {
  /** Connections that no list had room for: they are judged when they end. */
  connectionsNotFollowed: number
  /** Rows that a tick did not hand over because it was full; the next ticks go on behind them. */
  rowsPutOff: number
}

export class OpenFlows {
  readonly counters: OpenFlowCounters = { connectionsNotFollowed: 0, rowsPutOff: 0 }
  readonly #f: Float64Array
  readonly #w: Uint32Array
  readonly #togetherMin: number
  /** A ring: slots of young connections, and when each began, which says whether the slot is still the same one's. */
  readonly #youngSlots: Int32Array
  readonly #youngStartUs: Float64Array
  #youngFirst = 0
  #youngCount = 0
  readonly #slots = new Int32Array(FOLLOWED_MAX)
  readonly #startUs = new Float64Array(FOLLOWED_MAX)
  #count = 0
  /** Where the next tick begins to hand over. */
  #cursor = 0
  readonly #groups = new Uint16Array(GROUP_MASK + 1)

  /** @param f, w the table's cells and words. @param togetherMin connections of two hosts and a service from which they are told. */
  constructor(f: Float64Array, w: Uint32Array, flowsMax: number, togetherMin: number) {
    this.#f = f
    this.#w = w
    this.#togetherMin = togetherMin
    this.#youngSlots = new Int32Array(flowsMax)
    this.#youngStartUs = new Float64Array(flowsMax)
  }

  /** The connection in `slot` was established, or goes on in this slot after a cut. */
  add(slot: number): void {
    const size = this.#youngSlots.length
    if (this.#youngCount === size) {
      this.counters.connectionsNotFollowed++
      return
    }
    const i = (this.#youngFirst + this.#youngCount++) % size
    this.#youngSlots[i] = slot
    this.#youngStartUs[i] = this.#f[slot * Row.ROW_CELLS + Row.CONNECTION_START_US]
  }

  /** Slots of the connections to tell of at `nowUs`, at most ROWS_MAX. */
  take(nowUs: number): number[] {
    this.#growUp(nowUs)
    this.#dropOthers()
    if (this.#count < this.#togetherMin) return []
    this.#groups.fill(0)
    for (let i = 0; i < this.#count; i++) this.#groups[this.#groupOf(this.#slots[i])]++
    const slots: number[] = []
    let beyond = 0
    const from = this.#cursor % this.#count
    for (let n = 0; n < this.#count; n++) {
      const i = (from + n) % this.#count
      const slot = this.#slots[i]
      if (this.#groups[this.#groupOf(slot)] < this.#togetherMin || this.#w[slot * Row.ROW_WORDS + Row.PACKETS_W] === 0) continue
      if (slots.length < ROWS_MAX) {
        slots.push(slot)
        this.#cursor = i + 1
      } else {
        beyond++
      }
    }
    this.counters.rowsPutOff += beyond
    if (beyond === 0) this.#cursor = 0
    return slots.sort((a, b) => this.#compare(a, b))
  }

  clear(): void {
    this.#youngCount = 0
    this.#count = 0
    this.#cursor = 0
  }

  /** Connections that have been open for long enough are followed from now on. */
  #growUp(nowUs: number): void {
    const size = this.#youngSlots.length
    for (; this.#youngCount > 0; this.#youngCount--) {
      const startUs = this.#youngStartUs[this.#youngFirst]
      if (startUs > nowUs - OPEN_MIN_US) return
      const slot = this.#youngSlots[this.#youngFirst]
      this.#youngFirst = (this.#youngFirst + 1) % size
      if (!this.#isSlow(slot, startUs)) continue
      if (this.#count === FOLLOWED_MAX) {
        this.counters.connectionsNotFollowed++
        continue
      }
      this.#slots[this.#count] = slot
      this.#startUs[this.#count++] = startUs
    }
  }

  #dropOthers(): void {
    let kept = 0
    for (let i = 0; i < this.#count; i++) {
      if (!this.#isSlow(this.#slots[i], this.#startUs[i])) continue
      this.#slots[kept] = this.#slots[i]
      this.#startUs[kept++] = this.#startUs[i]
    }
    this.#count = kept
  }

  /** Still the same connection, established, and a trickle so far. */
  #isSlow(slot: number, startUs: number): boolean {
    const at = slot * Row.ROW_CELLS
    const w = this.#w
    const keyProto = w[at * 2 + Row.KEY_PROTO_W]
    if ((keyProto & Row.KEY_IS_LIVE) === 0 || (keyProto & 0xff) !== TCP || this.#f[at + Row.CONNECTION_START_US] !== startUs) return false
    const state = w[at * 2 + Row.STATE_W]
    if ((state & Row.TCP_STATE_MASK) >> Row.TCP_STATE_SHIFT !== Row.TCP_ESTABLISHED) return false
    const orig = state & Row.ORIG_IS_B
    return this.#payload(at, orig) <= ORIG_BYTES_MAX && this.#payload(at, 1 - orig) <= RESP_BYTES_MAX
  }

  #payload(at: number, endpoint: number): number {
    return this.#f[at + Row.DIRECTION_AT + endpoint * Row.DIRECTION_CELLS + Row.D_PAYLOAD_SUM]
  }

  /** A cell for the initiator, the responder and its port; cells are shared, so that a group may be taken for larger than it is. */
  #groupOf(slot: number): number {
    const at = slot * Row.ROW_WORDS
    const w = this.#w
    const origIsB = w[at + Row.STATE_W] & Row.ORIG_IS_B
    const orig = at + origIsB * ADDRESS_WORDS
    const resp = at + (1 - origIsB) * ADDRESS_WORDS
    const ports = w[at + Row.KEY_PORTS_W]
    let h = Math.imul(w[orig + 3] ^ w[orig + 2], MULTIPLIER_A) ^ (origIsB === 0 ? ports & 0xffff : ports >>> 16)
    h = Math.imul(h ^ (h >>> 15) ^ w[resp + 3] ^ w[resp + 2], MULTIPLIER_B)
    return (h ^ (h >>> 13)) & GROUP_MASK
  }

  #compare(slotA: number, slotB: number): number {
    const f = this.#f
    const byStart = f[slotA * Row.ROW_CELLS + Row.CONNECTION_START_US] - f[slotB * Row.ROW_CELLS + Row.CONNECTION_START_US]
    if (byStart !== 0) return byStart
    for (let i = 0; i < Row.KEY_WORDS_COUNT; i++) {
      const byKey = this.#w[slotA * Row.ROW_WORDS + i] - this.#w[slotB * Row.ROW_WORDS + i]
      if (byKey !== 0) return byKey
    }
    return 0
  }
}
