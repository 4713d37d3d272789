/**
 * A recording of what a live run saw, as pcapng (draft-ietf-opsawg-pcapng): packets, ticks and losses, in their order.
 *
 *   section header, one interface description each (if_name, if_tsresol 9)
 *   packet:  enhanced packet block, time in nanoseconds
 *   tick:    interface statistics block with its time, the comment 'flowscribe tick' and no counters
 *   losses:  interface statistics block: isb_filteraccept (received), isb_osdrop (kernel), isb_ifdrop (interface)
 *
 *   gap:     interface statistics block with GAP_COMMENT and how many packets in all are missing up to here
 *
 * In:  slabs. Out: blocks, for a file that Wireshark's tools read, and whose replay gives the run's flows and alerts.
 * Not: ring files by size or age. Not the file itself, and no waiting for it: what the sink has no room for is lost, counted and said.
 *
 * The invariant: what a sink is given is whole blocks, and every block's interface was described in blocks that the sink took.
 */
import { putU32le, u32le, u64le } from '../base/bytes.ts'
import type { LiveInterface } from './live-source.ts'
import { FileSink, openRecording, type PcapngSink } from './pcapng-sink.ts'
import {
  CAP_LEN_MAX,
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
  TICK,
} from './slab.ts'

export const TICK_COMMENT = 'flowscribe tick'
/** Before a number: packets seen by the run that are not in its recording, counted from its start. */
export const GAP_COMMENT = 'flowscribe packets not recorded: '

export const SECTION_HEADER = 0x0a0d0d0a
export const INTERFACE_DESCRIPTION = 1
export const INTERFACE_STATISTICS = 5
const ENHANCED_PACKET = 6
const BYTE_ORDER_MAGIC = 0x1a2b3c4d

export const OPT_COMMENT = 1
const IF_NAME = 2
const IF_TSRESOL = 9
export const ISB_IFDROP = 5
export const ISB_FILTERACCEPT = 6
export const ISB_OSDROP = 7

const PACKET_HEADER_LEN = 28
const BLOCK_END_LEN = 4
const BUFFER_LEN = 1 << 20
const BLOCK_LEN_MAX = PACKET_HEADER_LEN + CAP_LEN_MAX + 4 + BLOCK_END_LEN
/** The most that a sink is given at once: a full buffer, and before its last block a description and a gap. */
export const BLOCKS_LEN_MAX = BUFFER_LEN + BLOCK_LEN_MAX + 1024

export type Described = Pick<LiveInterface, 'device' | 'linkType' | 'snapLen'>

export class PcapngWriter {
  readonly #sink: PcapngSink
  readonly #buffer = Buffer.alloc(BLOCKS_LEN_MAX)
  readonly #interfaces: readonly Described[]
  #len = 0
  #packetsAtHand = 0
  /** By interfaceId: the number of its description in the file, and the link type it was described with. */
  #described: { id: number; linkType: number }[] = []
  #descriptions = 0
  /** `#described` as the file has it, should the blocks at hand be refused. */
  #inFile: { described: { id: number; linkType: number }[]; descriptions: number } = { described: [], descriptions: 0 }
  /** Packets that the sink had no room for. */
  lostPackets = 0
  /** Of those, what the file says; what the blocks at hand say. */
  #told = 0
  #telling = 0

  /** @throws RunError when nothing can be written. */
  constructor(interfaces: readonly Described[], sink: PcapngSink) {
    this.#sink = sink
    this.#interfaces = interfaces
    // Section length unknown: -1.
    this.#block(SECTION_HEADER, [words(BYTE_ORDER_MAGIC, 1, 0xffffffff, 0xffffffff)])
    interfaces.forEach((one, i) => {
      this.#describe(i, one.linkType)
    })
    this.#flush()
  }

  /** A file written in this thread, at once. @throws RunError when it cannot be written. */
  static open(path: string, interfaces: readonly Described[]): PcapngWriter {
    return new PcapngWriter(interfaces, new FileSink(path, openRecording(path)))
  }

  #describe(interfaceId: number, linkType: number): number {
    const { device, snapLen } = this.#interfaces[interfaceId]
    const options = [option(IF_NAME, Buffer.from(device)), option(IF_TSRESOL, Buffer.from([9])), words(0)]
    this.#block(INTERFACE_DESCRIPTION, [words(linkType, snapLen), ...options])
    this.#described[interfaceId] = { id: this.#descriptions, linkType }
    return this.#descriptions++
  }

  /** @throws RunError when the disk says no; the file then ends with its last whole block. */
  write({ bytes, start, end, linkType, interfaceId }: Slab): void {
    for (let at = start; at < end; ) {
      const known = this.#described[interfaceId]
      // An interface that came back as another kind is another interface to pcapng.
      const id = known?.linkType === linkType ? known.id : this.#describe(interfaceId, linkType)
      if (this.lostPackets > this.#told && this.#telling < this.lostPackets) this.#gap(id, bytes, at)
      const capLen = u32le(bytes, at + REC_CAP_LEN)
      const wireLen = u32le(bytes, at + REC_WIRE_LEN)
      if (wireLen < MARKER_MIN) this.#packet(id, bytes, at, capLen, wireLen)
      else this.#statistics(id, bytes, at, wireLen === TICK)
      at += REC_HEADER_LEN + capLen
      if (this.#len >= BUFFER_LEN) this.#flush()
    }
  }

  /** Here packets are missing, so many in all up to now: whoever replays the file must know that it is not the run. */
  #gap(id: number, bytes: Uint8Array, at: number): void {
    const head = new Uint8Array(12)
    putU32le(head, 0, id)
    putTime(head, 4, u32le(bytes, at + REC_SEC), u32le(bytes, at + REC_NSEC))
    this.#put(gapBlock(head, this.lostPackets))
    this.#telling = this.lostPackets
  }

  #packet(id: number, bytes: Uint8Array, at: number, capLen: number, wireLen: number): void {
    const to = this.#buffer
    const start = this.#len
    const padded = (capLen + 3) & ~3
    const blockLen = PACKET_HEADER_LEN + padded + BLOCK_END_LEN
    putU32le(to, start, ENHANCED_PACKET)
    putU32le(to, start + 4, blockLen)
    putU32le(to, start + 8, id)
    putTime(to, start + 12, u32le(bytes, at + REC_SEC), u32le(bytes, at + REC_NSEC))
    putU32le(to, start + 20, capLen)
    putU32le(to, start + 24, wireLen)
    to.set(bytes.subarray(at + REC_HEADER_LEN, at + REC_HEADER_LEN + capLen), start + PACKET_HEADER_LEN)
    to.fill(0, start + PACKET_HEADER_LEN + capLen, start + PACKET_HEADER_LEN + padded)
    putU32le(to, start + PACKET_HEADER_LEN + padded, blockLen)
    this.#len = start + blockLen
    this.#packetsAtHand++
  }

  #statistics(id: number, bytes: Uint8Array, at: number, isTick: boolean): void {
    const head = new Uint8Array(12)
    putU32le(head, 0, id)
    putTime(head, 4, u32le(bytes, at + REC_SEC), u32le(bytes, at + REC_NSEC))
    const counter = (code: number, offset: number): Uint8Array => {
      const value = Buffer.alloc(8)
      value.writeBigUInt64LE(BigInt(u64le(bytes, at + REC_HEADER_LEN + offset)))
      return option(code, value)
    }
    const options = isTick
      ? [option(OPT_COMMENT, Buffer.from(TICK_COMMENT))]
      : [counter(ISB_IFDROP, LOSS_BY_INTERFACE), counter(ISB_FILTERACCEPT, LOSS_RECEIVED), counter(ISB_OSDROP, LOSS_BY_KERNEL)]
    this.#block(INTERFACE_STATISTICS, [head, ...options, words(0)])
    // A line is silent, or the second is over: whoever follows the file sees what there is.
    this.#flush()
  }

  /** A block of small parts, each padded to 4 octets already. */
  #block(type: number, parts: readonly Uint8Array[]): void {
    this.#put(blockOf(type, parts))
  }

  #put(block: Uint8Array): void {
    this.#buffer.set(block, this.#len)
    this.#len += block.length
  }

  #flush(isLast = false): void {
    if (this.#len === 0) return
    if (this.#sink.put(this.#buffer.subarray(0, this.#len), isLast)) {
      this.#inFile = { described: [...this.#described], descriptions: this.#descriptions }
      this.#told = Math.max(this.#told, this.#telling)
    } else {
      this.lostPackets += this.#packetsAtHand
      this.#described = [...this.#inFile.described]
      this.#descriptions = this.#inFile.descriptions
      this.#telling = this.#told
    }
    this.#len = 0
    this.#packetsAtHand = 0
  }

  /** Nothing older than this is still to be written. @throws RunError when the disk says no. */
  passTime(timeUs: number): void {
    this.#flush()
    this.#sink.passTime?.(timeUs)
  }

  /** @throws RunError when the end could not be written. */
  close(): void {
    this.#flush()
    if (this.lostPackets > this.#told) {
      this.#gap(0, new Uint8Array(REC_HEADER_LEN), 0)
      this.#flush(true)
    }
    this.#sink.close()
  }
}

function blockOf(type: number, parts: readonly Uint8Array[]): Uint8Array {
  const blockLen = 12 + parts.reduce((sum, part) => sum + part.length, 0)
  return Buffer.concat([words(type, blockLen), ...parts, words(blockLen)])
}

/** @param head interface and time, as in every statistics block. @param lost packets missing in all up to here */
export function gapBlock(head: Uint8Array, lost: number): Uint8Array {
  return blockOf(INTERFACE_STATISTICS, [head, option(OPT_COMMENT, Buffer.from(`${GAP_COMMENT}${lost}`)), words(0)])
}

function words(...values: number[]): Uint8Array {
  const bytes = new Uint8Array(4 * values.length)
  values.forEach((value, i) => {
    putU32le(bytes, 4 * i, value)
  })
  return bytes
}

/** code u16 | length u16 | value, padded to 4 octets. */
function option(code: number, value: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(4 + ((value.length + 3) & ~3))
  putU32le(bytes, 0, code | (value.length << 16))
  bytes.set(value, 4)
  return bytes
}

const NS_PER_S = 1e9

/** sec · 10⁹ + nsec as two words, high first: 64 bits, which a number holds only in parts. */
function putTime(to: Uint8Array, at: number, sec: number, nsec: number): void {
  const upper = (sec >>> 16) * NS_PER_S
  const lower = (sec & 0xffff) * NS_PER_S + nsec
  const rest = (upper % 2 ** 16) * 2 ** 16 + lower
  putU32le(to, at, Math.floor(upper / 2 ** 16) + Math.floor(rest / 2 ** 32))
  putU32le(to, at + 4, rest % 2 ** 32)
}
