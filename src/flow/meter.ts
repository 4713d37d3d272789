/**
 * The per-packet path: a slab's records decoded and counted, one after the other.
 *
 * In:  slabs, in order. Out: the flow table brought up to date; counters of what was seen and what was dropped, by reason.
 * The invariant: seen = decoded + the sum over all drop reasons.
 */
import { i32le, u32le } from '../base/bytes.ts'
import { REC_CAP_LEN, REC_HEADER_LEN, REC_NSEC, REC_SEC, REC_WIRE_LEN, type Slab } from '../capture/slab.ts'
import { decodeFrame } from '../decode/decode.ts'
import { DECODED, DROP_REASONS, type DropReason } from '../decode/drop-reason.ts'
import { NOT_FRAGMENTED, Packet } from '../decode/packet.ts'
import type { FlowBatch } from './batch.ts'
import { Fragments } from './fragments.ts'
import { FlowTable, type TableLimits, TOUCH_MAX } from './table.ts'

const US_PER_S = 1e6
const NS_PER_US = 1000

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
  }
  readonly #packets = Array.from({ length: TOUCH_MAX }, () => new Packet())
  /** Keeps the reads of `prepare` from being optimised away. */
  #touched = 0
  #hasBase = false

  constructor(limits: TableLimits, onBatch: (batch: FlowBatch) => void) {
    this.table = new FlowTable(limits, onBatch)
  }

  /** Whole seconds since 1970 that all times of this run count from: the second of the first frame. */
  get baseSec(): number {
    return this.table.baseSec
  }

  meterSlab(slab: Slab): void {
    if (!this.#hasBase && slab.start < slab.end) {
      this.#hasBase = true
      this.table.baseSec = u32le(slab.bytes, slab.start + REC_SEC)
    }
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
    let cutShort = 0
    while (at < end && frames < TOUCH_MAX) {
      const capLen = u32le(bytes, at + REC_CAP_LEN)
      const wireLen = u32le(bytes, at + REC_WIRE_LEN)
      const packet = this.#packets[decoded]
      wireBytes += wireLen
      if (capLen < wireLen) cutShort++
      // Whole microseconds, as CICFlowMeter's features have them; a slab keeps the nanoseconds.
      packet.timeUs = (u32le(bytes, at + REC_SEC) - baseSec) * US_PER_S + ((i32le(bytes, at + REC_NSEC) / NS_PER_US) | 0)
      let reason = decodeFrame(linkType, bytes, at + REC_HEADER_LEN, capLen, wireLen, packet)
      if (reason === DECODED && (packet.fragment !== NOT_FRAGMENTED || packet.tunnelDepth !== 0 || packet.innerFault !== DECODED))
        reason = this.#settle(packet)
      at += REC_HEADER_LEN + capLen
      frames++
      if (reason === DECODED) {
        decoded++
      } else {
        counters.dropped[reason]++
        // Packet time passes with frames that are no packets, too: the packets before this one are counted first.
        this.#meterDecoded(decoded)
        table.advance(packet.timeUs)
        decoded = 0
      }
    }
    this.#meterDecoded(decoded)
    counters.seen += frames
    counters.wireBytes += wireBytes
    counters.cutShort += cutShort
    return at
  }

  /** What only fragments and wrappers need. */
  #settle(packet: Packet): DropReason {
    if (packet.innerFault !== DECODED) this.counters.notOpened[packet.innerFault]++
    return packet.fragment !== NOT_FRAGMENTED || (packet.tunnelDepth > 0 && packet.isOuterFragmented)
      ? this.fragments.resolve(packet)
      : DECODED
  }

  #meterDecoded(count: number): void {
    this.#touched += this.table.prepare(this.#packets, count)
    for (let i = 0; i < count; i++) this.table.meter(this.#packets[i])
    this.counters.decoded += count
  }

  /** The run is over: all flows end. */
  finish(): void {
    while (this.table.finishSome());
  }

  /** The same in parts: returns whether rows are left. */
  finishSome(): boolean {
    return this.table.finishSome()
  }
}
