/**
 * The per-packet path: a slab's records decoded and counted, one after the other.
 *
 * In:  slabs, in order. Out: the flow table brought up to date; counters of what was seen and what was dropped, by reason.
 *      A tick lets packet time pass, a loss record updates the books of its interface; neither is a frame.
 * The invariant: seen = decoded + the sum over all drop reasons.
 */
import { i32le, u32le, u64le } from '../base/bytes.ts'
import {
  LOSS,
  LOSS_BY_INTERFACE,
  LOSS_BY_KERNEL,
  LOSS_RECEIVED,
  MARKER_MIN,
  REC_CAP_LEN,
  REC_HEADER_LEN,
  REC_NSEC,
  REC_SEC,
  REC_WIRE_LEN,
  type Slab,
} from '../capture/slab.ts'
import { readArp } from '../decode/arp.ts'
import { decodeFrame } from '../decode/decode.ts'
import { ARP, DECODED, DROP_REASONS, type DropReason, DUPLICATE, NOTHING_MISSING, TCP_TRUNCATED } from '../decode/drop-reason.ts'
import { LINK_ETHERNET, readCarried } from '../decode/ethernet.ts'
import type { LinkSighting } from '../decode/link-sighting.ts'
import { NOT_FRAGMENTED, Packet } from '../decode/packet.ts'
import { isHeaderPiece } from '../decode/tcp.ts'
import type { FlowBatch } from './batch.ts'
import { writeKey } from './flow-key.ts'
import { Fragments } from './fragments.ts'
import { HEALTH_DEFAULTS, Health, type HealthOptions, type Seen } from './health.ts'
import type { OnInterim } from './interim.ts'
import { TOUCH_MAX } from './prefetch.ts'
import type { Quote } from './quotes.ts'
import { ENDED_EVICTED, KEY_WORDS_COUNT } from './row.ts'
import { FlowTable, type TableLimits } from './table.ts'
import { Watch, type WatchLimits } from './watch.ts'

const US_PER_S = 1e6
const US_PER_MINUTE = 60e6
const NS_PER_US = 1000
/**
 * Of each second of packet time: ARP messages handed to analysis, and IPv4 packets looked at for who carries them. The first is far more
 * than a segment has outside of storms; the second finds every router of a busy line in a second and costs a fast one nothing.
 */
const ARP_PER_SECOND_MAX = 1024
/** Errors that quote what other queues hold: hosts limit what they send, routers too. */
const QUOTES_PER_SECOND_MAX = 4096
const CARRIED_PER_SECOND_MAX = 32

export interface MeterCounters {
  /** Frames in the slabs. */
  seen: number
  decoded: number
  /** Frames not metered, by index into DROP_REASONS. */
  dropped: Float64Array
  /** Wrappers metered as themselves because what they carry was not decoded, by index into DROP_REASONS; a part of `decoded`. */
  notOpened: Float64Array
  /** Frames of which the capture kept less than the wire carried. */
  cutShort: number
  /** Octets on the wire, link header included. */
  wireBytes: number
  /** ARP messages beyond what analysis takes in a second; a part of those dropped as `arp`. */
  arpNotJudged: number
}

/** What does not wait for a flow's end, and who is told. */
export interface MeterInterim {
  limits: WatchLimits
  onInterim: OnInterim
  /** Told first when packet time enters a later second, of which `nowUs` is the first record; and when the run ends. */
  onTurn?: (nowUs: number) => void
}

export class Meter {
  readonly table: FlowTable
  readonly fragments = new Fragments()
  readonly counters: MeterCounters = {
    seen: 0,
    decoded: 0,
    dropped: new Float64Array(DROP_REASONS.length),
    notOpened: new Float64Array(DROP_REASONS.length),
    cutShort: 0,
    wireBytes: 0,
    arpNotJudged: 0,
  }
  readonly health: Health
  readonly #onInterim: OnInterim | null
  readonly #onTurn: ((nowUs: number) => void) | null
  /** ARP messages and carried packets of the second at hand, and how many more of each are taken. */
  #sightings: LinkSighting[] = []
  #arpLeft = 0
  #carriedLeft = 0
  /** What ICMP errors of the second at hand quote of other queues. */
  #quotes: Quote[] = []
  /** Of the packets at hand: where their frames begin, in which octets; null where frames have no MAC addresses. */
  readonly #frameAt = new Int32Array(TOUCH_MAX)
  #frames: Uint8Array | null = null
  readonly #packets = Array.from({ length: TOUCH_MAX }, () => new Packet())
  /** Keeps the reads of `prepare` from being optimised away. */
  #touched = 0
  #hasBase = false
  /** Of the decoded packets at hand: how many are counted by the table, and which are of cut-short frames, a bit each. */
  #meteredAtHand = 0
  #cutShortAtHand = 0
  /** Of those before the packet at hand, copies: they are among the dropped. */
  #copiesAtHand = 0
  #minute = -Infinity

  /** @param interim absent: nothing of the kind is gathered. */
  constructor(
    limits: TableLimits,
    onBatch: (batch: FlowBatch) => void,
    interim: MeterInterim | null = null,
    health: HealthOptions = HEALTH_DEFAULTS,
  ) {
    this.#onInterim = interim?.onInterim ?? null
    this.#onTurn = interim?.onTurn ?? null
    this.#refillSightings()
    this.health = new Health(health, limits.isVlanInKey, TOUCH_MAX)
    this.table = new FlowTable(limits, onBatch, interim === null ? null : (nowUs) => this.#tellInterim(nowUs))
    if (interim?.onTurn !== undefined) this.table.onUnmatchedQuote = (timeUs, quoted) => this.#noteQuote(timeUs, quoted)
    if (interim !== null) this.table.watch = new Watch(this.table, interim.limits, interim.onInterim)
  }

  /** Whole seconds since 1970 that all times of this run count from: the second of the first frame. */
  get baseSec(): number {
    return this.table.baseSec
  }

  /**
   * Frames up to the packet at hand, whatever block it was decoded with: what an alert says of them must not depend on where
   * slabs were cut.
   */
  seenSoFar(): Seen {
    const { counters, health, table } = this
    const dropped = counters.dropped.reduce((sum, count) => sum + count, 0)
    return {
      atUs: table.nowUs,
      packets: counters.decoded + this.#meteredAtHand - this.#copiesAtHand + dropped,
      notDecoded: NOTHING_MISSING.reduce((rest, reason) => rest - counters.dropped[reason], dropped),
      cutShort: counters.cutShort + bitCount(this.#cutShortAtHand & ((1 << this.#meteredAtHand) - 1)),
      late: table.counters.latePackets,
      evictedFlows: table.counters.rowsEnded[ENDED_EVICTED],
      lostByKernel: health.sumOf('lostByKernel'),
      lostByInterface: health.sumOf('lostByInterface'),
      duplicates: health.sumOf('duplicates'),
      acks: health.sumOf('acks'),
      ackGaps: health.sumOf('ackGaps'),
      oversize: health.sumOf('oversize'),
      checksumsLooked: health.sumOf('checksumsLooked'),
      checksumsBad: health.sumOf('checksumsBad'),
      checksumsEmpty: health.sumOf('checksumsEmpty'),
      clockSteps: table.counters.clockSteps,
    }
  }

  meterSlab(slab: Slab): void {
    if (!this.#hasBase && slab.start < slab.end) {
      this.#hasBase = true
      this.table.baseSec = u32le(slab.bytes, slab.start + REC_SEC)
    }
    this.table.health = this.health.enter(slab.interfaceId)
    for (let at = slab.start; at < slab.end; ) at = this.#meterBlock(slab, at)
  }

  /** Decodes a block of frames, makes the table ready for all of them, then counts them in order. Returns where the block ends. */
  #meterBlock(slab: Slab, start: number): number {
    const { bytes, end, linkType } = slab
    const { counters, table } = this
    const { baseSec } = table
    let at = start
    let frames = 0
    let decoded = 0
    let wireBytes = 0
    this.#frames = linkType === LINK_ETHERNET ? bytes : null
    while (at < end && frames < TOUCH_MAX) {
      const capLen = u32le(bytes, at + REC_CAP_LEN)
      const wireLen = u32le(bytes, at + REC_WIRE_LEN)
      const packet = this.#packets[decoded]
      // Whole microseconds, as CICFlowMeter's features have them; a slab keeps the nanoseconds.
      packet.timeUs = (u32le(bytes, at + REC_SEC) - baseSec) * US_PER_S + ((i32le(bytes, at + REC_NSEC) / NS_PER_US) | 0)
      if (wireLen >= MARKER_MIN) {
        this.#meterDecoded(bytes, decoded)
        decoded = 0
        this.#takeMarker(slab, at, packet.timeUs)
        at += REC_HEADER_LEN + capLen
        continue
      }
      wireBytes += wireLen
      let reason = decodeFrame(linkType, bytes, at + REC_HEADER_LEN, capLen, wireLen, packet)
      if (reason === DECODED && (packet.fragment !== NOT_FRAGMENTED || packet.tunnelDepth !== 0 || packet.innerFault !== DECODED))
        reason = this.#settle(packet)
      at += REC_HEADER_LEN + capLen
      frames++
      if (reason === DECODED) {
        if (capLen < wireLen) this.#cutShortAtHand |= 1 << decoded
        this.#frameAt[decoded] = at - capLen
        decoded++
      } else {
        // Packet time passes with frames that are no packets, too: the packets before this one are counted first.
        this.#meterDecoded(bytes, decoded)
        decoded = 0
        table.health.packets++
        if (capLen < wireLen) this.#countCutShort(1)
        counters.dropped[reason]++
        table.advance(packet.timeUs)
        if (reason === ARP) this.#noteArp(bytes, packet)
      }
    }
    this.#meterDecoded(bytes, decoded)
    counters.seen += frames
    counters.wireBytes += wireBytes
    return at
  }

  /**
   * What only fragments and wrappers need. TCP headers in pieces make rows where flows are judged, since scanners send them; a table of
   * flows leaves them out, as CICFlowMeter does.
   */
  #settle(packet: Packet): DropReason {
    if (this.#onInterim === null && isHeaderPiece(packet)) return TCP_TRUNCATED
    if (packet.innerFault !== DECODED) this.counters.notOpened[packet.innerFault]++
    return packet.fragment !== NOT_FRAGMENTED || (packet.tunnelDepth > 0 && packet.isOuterFragmented)
      ? this.fragments.resolve(packet)
      : DECODED
  }

  #meterDecoded(bytes: Uint8Array, count: number): void {
    const { health, table } = this
    this.#touched ^= table.prepare(this.#packets, count)
    if (health.inspect(bytes, this.#packets, count)) this.#meterInspected(count)
    else
      for (let i = 0; i < count; i++) {
        this.#meteredAtHand = i
        table.meter(this.#packets[i])
        if (this.#carriedLeft > 0) this.#noteCarried(i)
      }
    this.counters.decoded += count - this.#copiesAtHand
    table.health.packets += count
    this.#meteredAtHand = 0
    this.#copiesAtHand = 0
    if (this.#cutShortAtHand === 0) return
    this.#countCutShort(bitCount(this.#cutShortAtHand))
    this.#cutShortAtHand = 0
  }

  /** A block in which something was found. */
  #meterInspected(count: number): void {
    const { health, table } = this
    for (let i = 0; i < count; i++) {
      const packet = this.#packets[i]
      this.#meteredAtHand = i
      if (health.settle(i)) {
        table.advance(packet.timeUs)
        this.counters.dropped[DUPLICATE]++
        this.#copiesAtHand++
      } else if (health.isOversize(i)) table.meterMerged(packet)
      else table.meter(packet)
      // Also of a copy: who put it on the wire is what ARP spoofing shows by.
      if (this.#carriedLeft > 0) this.#noteCarried(i)
    }
  }

  #countCutShort(count: number): void {
    this.counters.cutShort += count
    this.table.health.cutShort += count
  }

  /** In: packet time has come to this message, so that it belongs to the second at hand. */
  #noteArp(bytes: Uint8Array, packet: Packet): void {
    if (this.#onInterim === null) return
    if (this.#arpLeft > 0) {
      this.#arpLeft--
      this.#sightings.push(readArp(bytes, packet))
    } else this.counters.arpNotJudged++
  }

  #noteQuote(atUs: number, quoted: Packet): void {
    if (this.#quotes.length >= QUOTES_PER_SECOND_MAX) return
    const key = new Uint32Array(KEY_WORDS_COUNT)
    writeKey(key, 0, quoted)
    this.#quotes.push({ atUs, key: Array.from(key) })
  }

  #noteCarried(i: number): void {
    if (this.#frames === null) return
    this.#carriedLeft--
    const carried = readCarried(this.#frames, this.#frameAt[i], this.#packets[i])
    if (carried !== null) this.#sightings.push(carried)
  }

  /** A second of packet time is over; `nowUs` is the packet that shows it. */
  #tellInterim(nowUs: number): void {
    if (this.#onInterim === null) return
    if (this.#onTurn !== null) this.#onTurn(nowUs)
    const minute = Math.floor(nowUs / US_PER_MINUTE)
    if (minute !== this.#minute) {
      this.#minute = minute
      this.#onInterim({ kind: 'minute', baseSec: this.baseSec })
    }
    if (this.#quotes.length > 0) this.#onInterim({ kind: 'quotes', baseSec: this.baseSec, quotes: this.#quotes })
    this.#quotes = []
    this.#refillSightings()
    if (this.#sightings.length === 0) return
    const sightings = this.#sightings
    this.#sightings = []
    this.#onInterim({ kind: 'link', baseSec: this.baseSec, sightings })
  }

  #refillSightings(): void {
    this.#arpLeft = ARP_PER_SECOND_MAX
    this.#carriedLeft = this.#onInterim === null ? 0 : CARRIED_PER_SECOND_MAX
  }

  #takeMarker({ bytes }: Slab, at: number, timeUs: number): void {
    if (u32le(bytes, at + REC_WIRE_LEN) !== LOSS) {
      this.table.advance(timeUs)
      return
    }
    const body = at + REC_HEADER_LEN
    const { health } = this.table
    health.received = u64le(bytes, body + LOSS_RECEIVED)
    health.lostByKernel = u64le(bytes, body + LOSS_BY_KERNEL)
    health.lostByInterface = u64le(bytes, body + LOSS_BY_INTERFACE)
  }

  /** The run is over: all flows end. */
  finish(): void {
    this.#tellInterim(this.table.nowUs)
    while (this.table.finishSome());
  }

  /** The same in parts: returns whether rows are left. */
  finishSome(): boolean {
    this.#tellInterim(this.table.nowUs)
    return this.table.finishSome()
  }
}

function bitCount(word: number): number {
  let count = 0
  for (let rest = word; rest !== 0; rest &= rest - 1) count++
  return count
}
