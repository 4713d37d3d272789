/**
 * What a stretch of traffic shows about the port that it was taken from, as plain numbers.
 *
 * In:  slabs as they come, in the order of the file or the line. Out: `Observation`.
 * Not: what is wrong with it (faults.ts). Not speed: each frame is decoded twice, here and in the meter that counts flows.
 * The invariant: at most CONVERSATIONS_MAX conversations are remembered; further ones are not asked about VLAN tags.
 */
import { i32le, u32le } from '../base/bytes.ts'
import { MARKER_MIN, REC_CAP_LEN, REC_HEADER_LEN, REC_NSEC, REC_SEC, REC_WIRE_LEN, type Slab } from '../capture/slab.ts'
import { decodeFrame } from '../decode/decode.ts'
import { DECODED, DROP_REASONS } from '../decode/drop-reason.ts'
import { Packet } from '../decode/packet.ts'
import { TUNNEL_KINDS } from '../decode/tunnel-kind.ts'
import type { FlowBatch } from '../flow/batch.ts'
import { type Flow, ORIG, RESP, TCP } from '../flow/flow.ts'
import type { Seen } from '../flow/health.ts'
import { Meter } from '../flow/meter.ts'
import { readFlow } from '../flow/read-flow.ts'
import { RowView } from '../flow/row-view.ts'
import type { TableLimits } from '../flow/table.ts'

const US_PER_S = 1e6
const CONVERSATIONS_MAX = 16_384
/** Interfaces whose time is followed apart. */
const CLOCKS_MAX = 256
/** Packets of one interface are a little out of order on many cards; a second is none of it. */
const BACK_STEP_US = US_PER_S
const LINK_ETHERNET = 1
const GROUP_BIT = 1
const MAPPED_PREFIX = 0xffff
const IPV6_MULTICAST = 0xff
const IPV4_GROUP_MIN = 0xe0

// What a conversation's two directions were seen with: a bit each for A's and B's.
const TAGGED = 1
const UNTAGGED = 4

export interface Observation {
  frames: number
  wireBytes: number
  /** Packet time from the first to the last. */
  seconds: number
  /** To broadcast or multicast addresses. */
  groupFrames: number
  /** From or to an address of this host; null for a file. */
  ownFrames: number | null
  /** Frames not decoded, by reason. */
  notDecoded: { reason: string; group: string; count: number }[]
  /** Kept shorter than they were, the most octets kept of such a frame, and those of which a header is missing. */
  cutShort: number
  snapLen: number
  headersCut: number
  /** Times that an interface's time went back by a second or more, the largest step, and packets a little out of order. */
  backSteps: number
  largestBackStep_s: number
  disordered: number
  /** TCP connections that prove a second direction, by whether it was seen. */
  bothDirections: number
  oneDirection: number
  /** Conversations seen both ways, and those that carry a VLAN tag on one way only. */
  twoWayConversations: number
  tagOnOneSide: number
  /** By kind: packets whose wrapper was opened. */
  wrappers: { kind: string; packets: number }[]
  /** Wrappers whose content was not decoded, by reason. */
  notOpened: { reason: string; count: number }[]
  /** The largest TCP packet, in octets of IP. */
  largestTcp: number
  seen: Seen
}

/** IP addresses as four words each. */
export type OwnAddresses = readonly (readonly number[])[]

export class Observer {
  readonly #meter: Meter
  readonly #own: OwnAddresses | null
  readonly #packet = new Packet()
  readonly #clocks = new Map<number, number>()
  readonly #wrappers = new Float64Array(TUNNEL_KINDS.length)
  readonly #conversations = new Map<number, number>()
  #firstUs = Infinity
  #lastUs = -Infinity
  #groupFrames = 0
  #ownFrames = 0
  #snapLen = 0
  #headersCut = 0
  #backSteps = 0
  #largestBackStepUs = 0
  #disordered = 0
  #bothDirections = 0
  #oneDirection = 0
  #largestTcp = 0

  /** @param own this host's addresses, where the traffic is live */
  constructor(limits: TableLimits, own: OwnAddresses | null) {
    this.#own = own
    this.#meter = new Meter(limits, (batch) => this.#takeRows(batch), null, { isDeduplicated: true, checksums: 'all' })
  }

  /** A file begins: its time has nothing to do with the one before. */
  startFile(): void {
    this.#clocks.clear()
  }

  take(slab: Slab): void {
    const { bytes, end, linkType, interfaceId } = slab
    for (let at = slab.start; at < end; ) {
      const capLen = u32le(bytes, at + REC_CAP_LEN)
      const wireLen = u32le(bytes, at + REC_WIRE_LEN)
      if (wireLen < MARKER_MIN) {
        this.#noteTime(interfaceId, u32le(bytes, at + REC_SEC) * US_PER_S + i32le(bytes, at + REC_NSEC) / 1000)
        this.#lookAt(bytes, at + REC_HEADER_LEN, capLen, wireLen, linkType)
      }
      at += REC_HEADER_LEN + capLen
    }
    this.#meter.meterSlab(slab)
  }

  #noteTime(interfaceId: number, timeUs: number): void {
    const before = this.#clocks.get(interfaceId) ?? -Infinity
    if (timeUs < before - BACK_STEP_US) {
      this.#backSteps++
      this.#largestBackStepUs = Math.max(this.#largestBackStepUs, before - timeUs)
    } else if (timeUs < before) {
      this.#disordered++
      return
    }
    if (before !== -Infinity || this.#clocks.size < CLOCKS_MAX) this.#clocks.set(interfaceId, timeUs)
    this.#firstUs = Math.min(this.#firstUs, timeUs)
    this.#lastUs = Math.max(this.#lastUs, timeUs)
  }

  #lookAt(bytes: Uint8Array, start: number, capLen: number, wireLen: number, linkType: number): void {
    const p = this.#packet
    const reason = decodeFrame(linkType, bytes, start, capLen, wireLen, p)
    if (capLen < wireLen) {
      this.#snapLen = Math.max(this.#snapLen, capLen)
      if (DROP_REASONS[reason].group === 'truncated') this.#headersCut++
    }
    const isGroupFrame = linkType === LINK_ETHERNET && capLen > 0 && (bytes[start] & GROUP_BIT) !== 0
    if (isGroupFrame || (reason === DECODED && isGroupAddress(p))) this.#groupFrames++
    if (reason !== DECODED) return
    if (p.tunnelDepth > 0) this.#wrappers[p.tunnelKind]++
    if (p.proto === TCP) this.#largestTcp = Math.max(this.#largestTcp, p.ipLen)
    if (this.#own?.some((address) => isFromOrTo(p, address))) this.#ownFrames++
    this.#noteTag(p)
  }

  #noteTag(p: Packet): void {
    const isSrcA = p.srcW3 !== p.dstW3 ? p.srcW3 < p.dstW3 : p.srcPort <= p.dstPort
    const key = isSrcA ? keyOf(p.srcW3, p.dstW3, p.srcPort, p.dstPort) : keyOf(p.dstW3, p.srcW3, p.dstPort, p.srcPort)
    const known = this.#conversations.get(key)
    if (known === undefined && this.#conversations.size >= CONVERSATIONS_MAX) return
    this.#conversations.set(key, (known ?? 0) | ((p.vlanCount > 0 ? TAGGED : UNTAGGED) << (isSrcA ? 0 : 1)))
  }

  #takeRows(batch: FlowBatch): void {
    const row = RowView.of(batch)
    for (let i = 0; i < batch.count; i++) {
      const flow = readFlow(row.moveTo(batch, i))
      if (flow.proto !== TCP || flow.isContinuation || !provesAnswer(flow)) continue
      if ((flow.packets[ORIG] ?? 0) > 0 && (flow.packets[RESP] ?? 0) > 0) this.#bothDirections++
      else this.#oneDirection++
    }
  }

  /** Ends the flows that are open, and sums up. */
  finish(): Observation {
    this.#meter.finish()
    const { counters } = this.#meter
    const byReason = (counts: Float64Array) => DROP_REASONS.map(({ name, group }, code) => ({ reason: name, group, count: counts[code] }))
    const tags = [...this.#conversations.values()].filter((bits) => hasBothWays(bits))
    return {
      frames: counters.seen,
      wireBytes: counters.wireBytes,
      seconds: this.#lastUs > this.#firstUs ? (this.#lastUs - this.#firstUs) / US_PER_S : 0,
      groupFrames: this.#groupFrames,
      ownFrames: this.#own === null ? null : this.#ownFrames,
      notDecoded: byReason(counters.dropped).filter(({ count }) => count > 0),
      cutShort: counters.cutShort,
      snapLen: this.#snapLen,
      headersCut: this.#headersCut,
      backSteps: this.#backSteps,
      largestBackStep_s: this.#largestBackStepUs / US_PER_S,
      disordered: this.#disordered,
      bothDirections: this.#bothDirections,
      oneDirection: this.#oneDirection,
      twoWayConversations: tags.length,
      tagOnOneSide: tags.filter((bits) => isTaggedOnOneSide(bits)).length,
      wrappers: TUNNEL_KINDS.map((kind, i) => ({ kind, packets: this.#wrappers[i] })).filter(({ packets }) => packets > 0),
      notOpened: byReason(counters.notOpened).filter(({ count }) => count > 0),
      largestTcp: this.#largestTcp,
      seen: this.#meter.seenSoFar(),
    }
  }
}

function isGroupAddress(p: Packet): boolean {
  const isIpv4 = p.dstW0 === 0 && p.dstW1 === 0 && p.dstW2 === MAPPED_PREFIX
  return isIpv4 ? p.dstW3 >>> 24 >= IPV4_GROUP_MIN : p.dstW0 >>> 24 === IPV6_MULTICAST
}

function isFromOrTo(p: Packet, [w0, w1, w2, w3]: readonly number[]): boolean {
  return (
    (p.srcW3 === w3 && p.srcW2 === w2 && p.srcW1 === w1 && p.srcW0 === w0) ||
    (p.dstW3 === w3 && p.dstW2 === w2 && p.dstW1 === w1 && p.dstW0 === w0)
  )
}

/** A few conversations with one key do no harm here. */
function keyOf(addressA: number, addressB: number, portA: number, portB: number): number {
  const h = Math.imul(addressA, 0x9e3779b1) ^ Math.imul(addressB, 0x85ebca6b)
  return (h ^ Math.imul((portA << 16) | portB, 0xc2b2ae35)) | 0
}

function hasBothWays(bits: number): boolean {
  return (bits & (TAGGED | UNTAGGED)) !== 0 && (bits & ((TAGGED | UNTAGGED) << 1)) !== 0
}

function isTaggedOnOneSide(bits: number): boolean {
  const isA = (bits & TAGGED) !== 0
  const isB = (bits & (TAGGED << 1)) !== 0
  return isA !== isB && (bits & (isA ? UNTAGGED : UNTAGGED << 1)) === 0
}

/** Data or a SYN+ACK: somebody answered somebody. A lone SYN or a probe proves nothing. */
function provesAnswer(flow: Flow): boolean {
  const bytes = (flow.payloadBytes[ORIG] ?? 0) + (flow.payloadBytes[RESP] ?? 0)
  return bytes > 0 || (flow.flags?.some((flags) => flags.synAck > 0) ?? false)
}
