/**
 * The flow table: packets in, finished rows out.
 *
 * In:  decoded packets in packet-time order (what comes late takes its flow's last time), and the passing of packet time.
 * Out: batches of finished rows, in order, through `onBatch`; counters.
 * Not: ports or server tables to tell who is client: direction is SYN, else SYN+ACK, else first packet.
 * The invariant: what a row holds depends on packet times alone, never on where slabs or seconds of the wheel fall.
 */
import { ACK, Packet, RST, SYN } from '../decode/packet.ts'
import { countAck, isLateData, startAcks } from './ack-gaps.ts'
import { AgeList, ANSWERED, UNANSWERED } from './age-list.ts'
import { FlowBatch } from './batch.ts'
import { type CountLimits, countPacket, endRow } from './count.ts'
import { FlowIndex, NOT_FOUND } from './flow-index.ts'
import { isKeyAt, setKey, writeKey } from './flow-key.ts'
import { InterfaceHealth } from './interface-health.ts'
import { Prefetch } from './prefetch.ts'
import * as Row from './row.ts'
import { takeRows, wordsOf } from './row-memory.ts'
import { RowOrder } from './row-order.ts'
import { DONE, TimerWheel } from './timer-wheel.ts'
import type { Watch } from './watch.ts'

const US_PER_S = 1e6
const TCP = 6
const ICMP = 1
const ICMPV6 = 58

/** Packets of a connection within which a SYN the other way still corrects who began it (FEATURES.md A15). */
const DIRECTION_PACKETS_MAX = 3
/** A packet so much older than the newest one means that the clock was set back: a run starts over. */
const CLOCK_STEP_US = 30 * US_PER_S
const NOW_US = 0
const TURN_US = 1
const STEP_US = 2
const RELEASED_US = 3
const INDEX_STRIDE = 2
const ROWS_A_FINISH = 4096

export interface TableLimits extends CountLimits {
  maxFlows: number
  activeUs: number
  /** By TCP_NEW, TCP_ESTABLISHED, TCP_CLOSED. */
  idleTcpUs: readonly [number, number, number]
  idleUdpUs: number
  idleIcmpUs: number
  idleOtherUs: number
  isVlanInKey: boolean
  /** Starts the key's hash, so that nobody outside can choose addresses that collide. Changes no row and no order. */
  hashSeed: number
}

/** What happened in the table since the run began. */
export interface TableCounters {
  flowsCreated: number
  /** By END_REASONS. */
  rowsEnded: number[]
  /** Packets older than their flow's last one: they took its time. */
  latePackets: number
  /** Times the clock was set back by more than half a minute: all flows ended there. */
  clockSteps: number
  directionsCorrected: number
  /** ICMP errors that quote no flow in the table. */
  icmpErrorsUnmatched: number
}

export class FlowTable {
  readonly counters: TableCounters = {
    flowsCreated: 0,
    rowsEnded: Row.END_REASONS.map(() => 0),
    latePackets: 0,
    clockSteps: 0,
    directionsCorrected: 0,
    icmpErrorsUnmatched: 0,
  }
  /** Whole seconds since 1970 that packet times count from; set before the first packet. */
  baseSec = 0
  /** The books of the interface that the next packets come from. */
  health = new InterfaceHealth(0)
  /** The rows: cells, and the same as words. For `watch`, which reads them and writes none. */
  readonly cells: Float64Array<ArrayBuffer>
  readonly words: Uint32Array
  /** Told of what happens here while flows are open; null when nobody asks. */
  watch: Watch | null = null

  readonly #limits: TableLimits
  readonly #shortestIdleUs: number
  readonly #isVlanInKey: boolean
  readonly #onBatch: (batch: FlowBatch) => void
  readonly #onTurn: ((nowUs: number) => void) | null
  readonly #f: Float64Array<ArrayBuffer>
  readonly #w: Uint32Array
  readonly #hashes: Int32Array
  readonly #index: FlowIndex
  /** Told of what an ICMP error quotes and is not here; `quoted` is used again for the next. */
  onUnmatchedQuote: ((timeUs: number, quoted: Packet) => void) | null = null
  readonly #wheel: TimerWheel
  readonly #ages: AgeList
  readonly #order: RowOrder
  readonly #batch: FlowBatch
  /** Free slots as a stack. */
  readonly #free: Int32Array
  readonly #prefetch: Prefetch
  #freeCount: number
  /** Slots whose rows are finished and wait for the end of the second. */
  readonly #done: Int32Array
  #doneCount = 0
  /** Of those, handed on already; only while finishing. */
  #handedOn = 0
  /** NOW_US, the newest packet; TURN_US, when the next second begins; STEP_US, what is older than that is a clock
   * set back; RELEASED_US, up to when rows have been handed on. */
  readonly #clock = new Float64Array([-Infinity, -Infinity, -Infinity, -Infinity])
  /** The packet that an ICMP error quotes, as far as its key goes. */
  readonly #quoted = new Packet()

  /** @param onTurn told when packet time enters a later second, before anything ends by it. */
  constructor(limits: TableLimits, onBatch: (batch: FlowBatch) => void, onTurn: ((nowUs: number) => void) | null = null) {
    this.#onTurn = onTurn
    const { maxFlows } = limits
    this.#limits = limits
    this.#isVlanInKey = limits.isVlanInKey
    this.#shortestIdleUs = Math.min(...limits.idleTcpUs, limits.idleUdpUs, limits.idleIcmpUs, limits.idleOtherUs)
    this.#onBatch = onBatch
    this.#f = takeRows(maxFlows)
    this.#w = wordsOf(this.#f)
    this.cells = this.#f
    this.words = this.#w
    this.#batch = new FlowBatch(this.#f)
    this.#hashes = new Int32Array(maxFlows)
    this.#index = new FlowIndex(maxFlows)
    this.#prefetch = new Prefetch(this.#index, this.#w, limits)
    this.#wheel = new TimerWheel(maxFlows)
    this.#ages = new AgeList(maxFlows)
    this.#order = new RowOrder(this.#f, this.#w, maxFlows)
    this.#done = new Int32Array(maxFlows)
    this.#free = new Int32Array(maxFlows)
    for (let i = 0; i < maxFlows; i++) this.#free[i] = maxFlows - 1 - i
    this.#freeCount = maxFlows
  }

  /** Writes to every page, so that the system gives the memory now: a daemon does so at start; for a short capture it would be a waste. */
  takeMemory(): void {
    this.#f.fill(0)
  }

  get maxFlows(): number {
    return this.#limits.maxFlows
  }

  get hashSeed(): number {
    return this.#limits.hashSeed
  }

  /** Flows held now, finished rows that wait for the end of their second included. */
  get size(): number {
    return this.#limits.maxFlows - this.#freeCount
  }

  /** Time of the newest packet or tick. */
  get nowUs(): number {
    return this.#clock[NOW_US]
  }

  /** Makes ready to meter `count` packets, TOUCH_MAX at most. @returns what keeps the reads ahead from being optimised away */
  prepare(packets: readonly Packet[], count: number): number {
    return this.#prefetch.touch(packets, count)
  }

  /** Counts one decoded packet that `prepare` has seen. */
  meter(p: Packet): void {
    const t = p.timeUs
    const clock = this.#clock
    if (t >= clock[TURN_US] || t < clock[STEP_US]) this.advance(t)
    else if (t > clock[NOW_US]) clock[NOW_US] = t
    let slot = p.candidate
    if (slot === NOT_FOUND || !isKeyAt(this.#w, slot * Row.ROW_WORDS, p)) slot = this.#find(p)
    if (slot !== NOT_FOUND) slot = this.#continueOrEnd(slot, p, t)
    if (slot === NOT_FOUND) slot = this.#create(p, t)
    this.#count(slot, p, t)
    if (this.watch !== null && p.proto !== TCP && (isIcmp(p.proto) || !this.#isAnswered(slot))) this.watch.datagram(p, slot)
    if (p.quotedProto !== 0) this.#noteIcmpError(p)
  }

  /** The same for a packet that is several, merged by the capturing host: its flow remembers. */
  meterMerged(p: Packet): void {
    this.meter(p)
    const slot = this.#find(p)
    if (slot !== NOT_FOUND) this.#w[slot * Row.ROW_WORDS + Row.MERGED_PACKETS_W]++
  }

  /** Packet time passes: what is due ends. Also called for ticks on a silent line. */
  advance(t: number): void {
    const clock = this.#clock
    if (clock[TURN_US] !== -Infinity && (t >= clock[TURN_US] || t < clock[STEP_US])) {
      if (this.#onTurn !== null) this.#onTurn(t)
      if (this.watch !== null) this.watch.turn(t, clock[TURN_US])
    }
    if (t < clock[STEP_US]) {
      this.counters.clockSteps++
      while (this.finishSome());
    }
    if (t >= clock[TURN_US] || t < clock[STEP_US]) {
      const second = Math.floor(t / US_PER_S)
      // Second n of the wheel holds deadlines of second n − 1: it is looked at when a packet of second n shows that they have passed.
      if (t < clock[STEP_US] || clock[TURN_US] === -Infinity) this.#restart(second, t)
      else this.#wheel.advance(second, this.#look, this.#turned)
      clock[NOW_US] = t
      clock[TURN_US] = (second + 1) * US_PER_S
      clock[STEP_US] = t - CLOCK_STEP_US
    } else if (t > clock[NOW_US]) {
      clock[NOW_US] = t
    }
  }

  /**
   * Ends every flow, the run being over, and hands on some thousand rows: a caller with a slow sink waits between calls.
   *
   * @returns whether rows are left
   */
  finishSome(): boolean {
    this.#finishAll()
    const count = Math.min(this.#doneCount, this.#handedOn + ROWS_A_FINISH)
    while (this.#handedOn < count) this.#handOnRow(this.#done[this.#handedOn++])
    this.#handOn()
    if (this.#handedOn < this.#doneCount) return true
    this.#doneCount = 0
    this.#handedOn = 0
    return false
  }

  /** A filed flow is due: it ends, or it says when to look again. */
  readonly #look = (slot: number, due: number): number => {
    const at = slot * Row.ROW_CELLS
    const deadlineUs = this.#deadlineUs(at)
    if (deadlineUs >= due * US_PER_S) return Math.floor(deadlineUs / US_PER_S) + 1
    this.#expire(slot, due * US_PER_S)
    return DONE
  }

  readonly #turned = (second: number): void => {
    if (this.#doneCount > 0) this.#release()
    this.#clock[RELEASED_US] = second * US_PER_S
  }

  #restart(second: number, t: number): void {
    if (this.watch !== null) this.watch.start(t)
    this.#wheel.restart(second)
    this.#clock[RELEASED_US] = -Infinity
  }

  #idleUs(at: number): number {
    const w = this.#w
    const proto = w[at * 2 + Row.KEY_PROTO_W] & 0xff
    if (proto === TCP) return this.#limits.idleTcpUs[(w[at * 2 + Row.STATE_W] & Row.TCP_STATE_MASK) >> Row.TCP_STATE_SHIFT]
    if (proto === 17) return this.#limits.idleUdpUs
    return proto === ICMP || proto === ICMPV6 ? this.#limits.idleIcmpUs : this.#limits.idleOtherUs
  }

  /** The last instant at which a packet would still belong to the row; for a connection between rows, to the connection. */
  #deadlineUs(at: number): number {
    const idleAtUs = this.#f[at + Row.LAST_US] + this.#idleUs(at)
    if (this.#w[at * 2 + Row.PACKETS_W] === 0) return idleAtUs
    return Math.min(idleAtUs, this.#f[at + Row.ROW_START_US] + this.#limits.activeUs)
  }

  /** In: a slot whose deadline is before `nowUs`. The row ends; the connection too, unless only the active timeout has passed. */
  #expire(slot: number, nowUs: number): void {
    const at = slot * Row.ROW_CELLS
    if (this.#f[at + Row.LAST_US] + this.#idleUs(at) < nowUs) this.#expireNow(slot)
    else this.#cut(slot, this.#f[at + Row.ROW_START_US] + this.#limits.activeUs)
  }

  #idleReason(at: number): number {
    const state = this.#w[at * 2 + Row.STATE_W]
    if ((state & Row.TCP_STATE_MASK) >> Row.TCP_STATE_SHIFT !== Row.TCP_CLOSED) return Row.ENDED_IDLE
    return (state & Row.CLOSED_BY_RST) === 0 ? Row.ENDED_FIN : Row.ENDED_RST
  }

  /** The row is finished; the connection goes with it. */
  #end(slot: number, endUs: number, reason: number): void {
    this.#forget(slot)
    this.#finishRow(slot, endUs, reason)
  }

  #finishRow(slot: number, endUs: number, reason: number): void {
    const at = slot * Row.ROW_CELLS
    // A late packet can end a row in a second whose rows have left already: it ends now, and the order holds.
    endRow(this.#f, this.#w, at, Math.max(endUs, this.#clock[RELEASED_US]), reason)
    this.counters.rowsEnded[reason]++
    this.#done[this.#doneCount++] = slot
  }

  /** The connection is no longer looked up, timed or evicted; its slot is the caller's. */
  #forget(slot: number): void {
    this.#w[slot * Row.ROW_WORDS + Row.KEY_PROTO_W] &= ~Row.KEY_IS_LIVE
    this.#index.remove(this.#hashes[slot], slot)
    this.#wheel.remove(slot)
    this.#ages.remove(slot)
  }

  /** The active timeout: this row is finished, the connection lives on in a row of its own, empty until its next packet. */
  #cut(slot: number, endUs: number): number {
    const next = this.#takeSlot(slot)
    if (next === NOT_FOUND) {
      this.#end(slot, endUs, Row.ENDED_EVICTED)
      return NOT_FOUND
    }
    this.#startContinuation(slot, next)
    this.#hashes[next] = this.#hashes[slot]
    this.#index.replace(this.#hashes[slot], slot, next)
    this.#w[slot * Row.ROW_WORDS + Row.KEY_PROTO_W] &= ~Row.KEY_IS_LIVE
    this.#wheel.remove(slot)
    this.#ages.remove(slot)
    this.#ages.add(next, this.#isAnswered(next) ? ANSWERED : UNANSWERED)
    this.#finishRow(slot, endUs, Row.ENDED_ACTIVE)
    this.#fileAgain(next)
    if (this.watch !== null) this.watch.goesOn(next)
    return next
  }

  #fileAgain(slot: number): void {
    this.#wheel.file(slot, Math.floor(this.#deadlineUs(slot * Row.ROW_CELLS) / US_PER_S) + 1)
  }

  /** Copies what outlives a cut: key, state, windows, sequence numbers, history, the earlier rows' sums. */
  #startContinuation(slot: number, next: number): void {
    const f = this.#f
    const w = this.#w
    const from = slot * Row.ROW_CELLS
    const to = next * Row.ROW_CELLS
    f.fill(0, to, to + Row.ROW_CELLS)
    for (let i = 0; i < Row.CELLS_PER_LINE; i++) f[to + i] = f[from + i]
    for (let i = Row.CONNECTION_AT; i < Row.ROW_CELLS; i++) f[to + i] = f[from + i]
    for (let i = Row.SEQUENCE_AT; i < Row.SEQUENCE_AT + Row.SEQUENCE_CELLS; i++) f[to + i] = f[from + i]
    w[to * 2 + Row.STATE_W] = (w[from * 2 + Row.STATE_W] & ~(Row.HOLE_OPEN * 3)) | Row.IS_CONTINUATION
    w[to * 2 + Row.FLOW_IAT_SQ_CARRY_W] = 0
    w[to * 2 + Row.D_IAT_SQ_CARRY_W] = 0
    w[to * 2 + Row.D_IAT_SQ_CARRY_W + 1] = 0
    w[to * 2 + Row.EARLIER_PACKETS_W] += w[from * 2 + Row.PACKETS_W]
    for (let endpoint = 0; endpoint < 2; endpoint++) {
      const d = 2 * (Row.DIRECTION_AT + endpoint * Row.DIRECTION_CELLS)
      w[to * 2 + d + Row.D_INIT_WINDOW_W] = w[from * 2 + d + Row.D_INIT_WINDOW_W]
    }
  }

  #isAnswered(slot: number): boolean {
    return (this.#w[slot * Row.ROW_WORDS + Row.STATE_W] & (Row.SEEN * 3)) === Row.SEEN * 3
  }

  /** A packet has come for the connection in `slot`: where to count it, or NOT_FOUND when it opens a new one. */
  #continueOrEnd(slot: number, p: Packet, t: number): number {
    const at = slot * Row.ROW_CELLS
    // No timeout is shorter: a packet this soon after the last one, not a SYN, goes on without a look at the state.
    if (
      t - this.#f[at + Row.LAST_US] <= this.#shortestIdleUs &&
      t - this.#f[at + Row.ROW_START_US] <= this.#limits.activeUs &&
      (p.flags & SYN) === 0
    )
      return slot
    const lastUs = this.#f[at + Row.LAST_US]
    const state = this.#w[at * 2 + Row.STATE_W]
    let kept = slot
    if (t > this.#deadlineUs(at)) {
      if (t > lastUs + this.#idleUs(at)) {
        this.#expireNow(slot)
        return NOT_FOUND
      }
      kept = this.#cut(slot, this.#f[at + Row.ROW_START_US] + this.#limits.activeUs)
    }
    if (kept === NOT_FOUND || (p.flags & SYN) === 0 || p.proto !== TCP) return kept
    if ((state & Row.TCP_STATE_MASK) >> Row.TCP_STATE_SHIFT !== Row.TCP_CLOSED) return kept
    this.#endForReuse(kept, Math.max(t, lastUs))
    return NOT_FOUND
  }

  /** The connection is idle: its row, if it has one, ended at the earlier of its two deadlines. */
  #expireNow(slot: number): void {
    const at = slot * Row.ROW_CELLS
    if (this.#w[at * 2 + Row.PACKETS_W] === 0) {
      this.#forget(slot)
      this.#free[this.#freeCount++] = slot
      return
    }
    this.#forget(slot)
    this.#finishIdle(slot)
  }

  /** The row ends at the earlier of its two deadlines, both of which have passed or will not be waited for. */
  #finishIdle(slot: number): void {
    const at = slot * Row.ROW_CELLS
    const idleAtUs = this.#f[at + Row.LAST_US] + this.#idleUs(at)
    const activeAtUs = this.#f[at + Row.ROW_START_US] + this.#limits.activeUs
    if (activeAtUs < idleAtUs) this.#finishRow(slot, activeAtUs, Row.ENDED_ACTIVE)
    else this.#finishRow(slot, idleAtUs, this.#idleReason(at))
  }

  #endForReuse(slot: number, t: number): void {
    if (this.#w[slot * Row.ROW_WORDS + Row.PACKETS_W] > 0) {
      this.#end(slot, t, Row.ENDED_PORT_REUSE)
    } else {
      this.#forget(slot)
      this.#free[this.#freeCount++] = slot
    }
  }

  #create(p: Packet, t: number): number {
    const slot = this.#takeSlot(NOT_FOUND)
    const at = slot * Row.ROW_CELLS
    const w = this.#w
    this.#f.fill(0, at, at + Row.ROW_CELLS)
    writeKey(w, at * 2, p)
    this.#f[at + Row.LAST_US] = t
    this.#f[at + Row.ROW_START_US] = t
    this.#f[at + Row.CONNECTION_START_US] = t
    const isSyn = p.proto === TCP && (p.flags & SYN) !== 0
    const isReply = isSyn && (p.flags & ACK) !== 0
    const basis = isReply ? Row.BASIS_SYN_ACK : isSyn ? Row.BASIS_SYN : Row.BASIS_FIRST_PACKET
    const { endpoint } = p
    w[at * 2 + Row.STATE_W] = (isReply ? 1 - endpoint : endpoint) | (basis << Row.BASIS_SHIFT)
    if (p.vlanCount > 0) this.#noteVlans(at, p)
    if (p.tunnelDepth > 0) this.#noteTunnel(at * 2, p)
    this.#hashes[slot] = p.hash
    this.#index.insert(p.hash, slot)
    this.#ages.add(slot, UNANSWERED)
    this.counters.flowsCreated++
    if (this.watch !== null && basis === Row.BASIS_SYN) this.watch.syn(p, slot)
    return slot
  }

  #noteVlans(at: number, p: Packet): void {
    const w = this.#w
    w[at * 2 + Row.VLAN_COUNT_W] = p.vlanCount
    w[at * 2 + Row.VLAN_01_W] = p.vlans[0] | (p.vlans[1] << 16)
    w[at * 2 + Row.VLAN_23_W] = p.vlans[2] | (p.vlans[3] << 16)
  }

  #noteTunnel(atW: number, p: Packet): void {
    const w = this.#w
    const src = atW + (p.endpoint === 0 ? Row.OUTER_A_W : Row.OUTER_B_W)
    const dst = atW + (p.endpoint === 0 ? Row.OUTER_B_W : Row.OUTER_A_W)
    w[src] = p.outerSrcW0
    w[src + 1] = p.outerSrcW1
    w[src + 2] = p.outerSrcW2
    w[src + 3] = p.outerSrcW3
    w[dst] = p.outerDstW0
    w[dst + 1] = p.outerDstW1
    w[dst + 2] = p.outerDstW2
    w[dst + 3] = p.outerDstW3
    w[atW + Row.TUNNEL_ID_W] = p.tunnelId
    w[atW + Row.TUNNEL_KIND_W] = p.tunnelKind | (p.tunnelDepth << 8)
  }

  #count(slot: number, p: Packet, packetUs: number): void {
    const at = slot * Row.ROW_CELLS
    const w = this.#w
    const stateW = at * 2 + Row.STATE_W
    const lastUs = this.#f[at + Row.LAST_US]
    if (packetUs < lastUs) this.counters.latePackets++
    const t = Math.max(packetUs, lastUs)
    const before = w[stateW]
    const isFirst = w[at * 2 + Row.PACKETS_W] === 0
    if (p.proto === TCP && (p.flags & SYN) !== 0) this.#correctDirection(at, p)
    if ((before & Row.GAP_COUNTED) !== 0 && isLateData(w, at * 2, p)) this.health.ackGaps--
    countPacket(this.#f, w, at, p.endpoint, p, t, this.#limits)
    if ((before & Row.ACKS_COUNTED) !== 0 && (p.flags & (ACK | SYN | RST)) === ACK) countAck(w, at, p.endpoint, p.ack, this.health)
    // Only a row with a packet has an active deadline, which may be the nearer one.
    if (isFirst) this.#fileAgain(slot)
    const after = w[stateW]
    if (before === after) return
    if ((after & (Row.SEEN * 3)) === Row.SEEN * 3 && (before & (Row.SEEN * 3)) !== Row.SEEN * 3) {
      this.#ages.remove(slot)
      this.#ages.add(slot, ANSWERED)
      if (this.watch !== null && p.proto !== TCP && !isIcmp(p.proto)) this.watch.answered(p)
    }
    if ((~before & after & Row.ACKS_COUNTED) !== 0) startAcks(w, at * 2)
    const { idleTcpUs } = this.#limits
    const tcpBefore = (before & Row.TCP_STATE_MASK) >> Row.TCP_STATE_SHIFT
    const tcpAfter = (after & Row.TCP_STATE_MASK) >> Row.TCP_STATE_SHIFT
    if (idleTcpUs[tcpAfter] < idleTcpUs[tcpBefore]) this.#fileAgain(slot)
    if (this.watch !== null && p.proto === TCP && tcpBefore === Row.TCP_NEW && tcpAfter !== Row.TCP_NEW)
      this.watch.settled(slot, tcpAfter === Row.TCP_ESTABLISHED)
  }

  /** A SYN, or else a SYN+ACK, among a connection's first packets says who began it (FEATURES.md A15). */
  #correctDirection(at: number, p: Packet): void {
    const w = this.#w
    const stateW = at * 2 + Row.STATE_W
    const packets = w[at * 2 + Row.PACKETS_W]
    if (packets === 0 || packets + w[at * 2 + Row.EARLIER_PACKETS_W] >= DIRECTION_PACKETS_MAX) return
    const isReply = (p.flags & ACK) !== 0
    const basis = isReply ? Row.BASIS_SYN_ACK : Row.BASIS_SYN
    if (basis <= (w[stateW] & Row.BASIS_MASK) >> Row.BASIS_SHIFT) return
    const { endpoint } = p
    const orig = isReply ? 1 - endpoint : endpoint
    if ((w[stateW] & Row.ORIG_IS_B) !== orig) this.counters.directionsCorrected++
    w[stateW] = (w[stateW] & ~(Row.ORIG_IS_B | Row.BASIS_MASK)) | orig | (basis << Row.BASIS_SHIFT)
  }

  /** Marks the flow that an ICMP error quotes; the error itself was counted as a packet of its own flow. */
  #noteIcmpError(p: Packet): void {
    if (p.quotedProto === ICMP || p.quotedProto === ICMPV6) return
    const quoted = this.#quoted
    quoted.srcW0 = p.quotedSrcW0
    quoted.srcW1 = p.quotedSrcW1
    quoted.srcW2 = p.quotedSrcW2
    quoted.srcW3 = p.quotedSrcW3
    quoted.dstW0 = p.quotedDstW0
    quoted.dstW1 = p.quotedDstW1
    quoted.dstW2 = p.quotedDstW2
    quoted.dstW3 = p.quotedDstW3
    quoted.srcPort = p.quotedSrcPort
    quoted.dstPort = p.quotedDstPort
    quoted.proto = p.quotedProto
    quoted.tunnelKey = p.tunnelKey
    quoted.vlanCount = p.vlanCount
    for (let i = 0; i < p.vlanCount; i++) quoted.vlans[i] = p.vlans[i]
    setKey(quoted, this.#limits.hashSeed, this.#isVlanInKey)
    const slot = this.#find(quoted)
    if (slot !== NOT_FOUND) this.#w[slot * Row.ROW_WORDS + Row.ICMP_ERRORS_W]++
    else {
      this.counters.icmpErrorsUnmatched++
      if (this.onUnmatchedQuote !== null) this.onUnmatchedQuote(p.timeUs, quoted)
    }
  }

  /** A free slot; when there is none, finished rows are let go early, then the oldest unanswered flow but `spare` is evicted. */
  #takeSlot(spare: number): number {
    if (this.#freeCount === 0 && this.#doneCount > 0) this.#release()
    if (this.#freeCount === 0) {
      const victim = this.#ages.oldest()
      if (victim === spare) return NOT_FOUND
      if (this.#w[victim * Row.ROW_WORDS + Row.PACKETS_W] > 0) {
        this.#end(victim, this.#clock[NOW_US], Row.ENDED_EVICTED)
        this.#release()
      } else {
        this.#forget(victim)
        this.#free[this.#freeCount++] = victim
      }
    }
    return this.#free[--this.#freeCount]
  }

  /** Hands on the finished rows in order and frees their slots. */
  #release(): void {
    const count = this.#doneCount
    if (count > 1) this.#order.sort(this.#done, count)
    for (let i = 0; i < count; i++) this.#handOnRow(this.#done[i])
    this.#doneCount = 0
    this.#handOn()
  }

  #handOnRow(slot: number): void {
    this.#batch.append(slot * Row.ROW_CELLS)
    if (this.#batch.isFull) this.#handOn()
    this.#free[this.#freeCount++] = slot
  }

  #handOn(): void {
    if (this.#batch.count === 0) return
    this.#batch.baseSec = this.baseSec
    this.#onBatch(this.#batch)
    this.#batch.count = 0
  }

  readonly #finishOne = (slot: number): void => {
    const at = slot * Row.ROW_CELLS
    this.#w[at * 2 + Row.KEY_PROTO_W] &= ~Row.KEY_IS_LIVE
    if (this.#w[at * 2 + Row.PACKETS_W] === 0) this.#free[this.#freeCount++] = slot
    else if (this.#deadlineUs(at) < this.#clock[NOW_US]) this.#finishIdle(slot)
    else this.#finishRow(slot, this.#clock[NOW_US], Row.ENDED_SHUTDOWN)
  }

  /** Ends all flows and puts their rows in order, once. Index, wheel and ages are emptied whole, which is cheaper than flow by flow. */
  #finishAll(): void {
    if (this.#handedOn > 0) return
    if (this.watch !== null) this.watch.finish()
    this.#ages.forEach(this.#finishOne)
    this.#index.clear()
    this.#wheel.clear()
    this.#ages.clear()
    if (this.#doneCount > 1) this.#order.sort(this.#done, this.#doneCount)
  }

  #find(p: Packet): number {
    const { entries, mask } = this.#index
    const { hash } = p
    let i = hash & mask
    for (let entry = entries[i * INDEX_STRIDE + 1]; entry !== 0; entry = entries[i * INDEX_STRIDE + 1]) {
      if (entries[i * INDEX_STRIDE] === hash && isKeyAt(this.#w, (entry - 1) * Row.ROW_WORDS, p)) return entry - 1
      i = (i + 1) & mask
    }
    return NOT_FOUND
  }
}

function isIcmp(proto: number): boolean {
  return proto === ICMP || proto === ICMPV6
}
