/**
 * One flow as CICFlowMeter keeps it: an object, brought up to date one packet at a time (FEATURES.md section 4).
 *
 * In:  packets of the flow, in the order in which they came. Out: the sums and statistics that the columns read.
 * Not: when a flow starts and ends: that is the reference meter. No packet is kept.
 */
import { ACK, CWR, ECE, FIN, PSH, RST, SYN, URG } from '../../decode/packet.ts'
import { TCP } from '../../flow/flow.ts'
import type { PlainPacket } from './plain-reader.ts'
import type { Rules } from './rules.ts'
import { RunningStatistics } from './running-statistics.ts'

export const FORWARD = 0
export const BACKWARD = 1
export type Direction = 0 | 1

const ACTIVITY_TIMEOUT_US = 5_000_000
const SUBFLOW_GAP_US = 1_000_000
const BULK_GAP_US = 1_000_000
const BULK_PACKETS_MIN = 4

/** Flag masks by the name in column headers. */
export const FLAGS = { FIN, SYN, RST, PSH, ACK, URG, CWR, ECE } as const
export type FlagName = keyof typeof FLAGS

function noFlags(): Record<FlagName, number> {
  return { FIN: 0, SYN: 0, RST: 0, PSH: 0, ACK: 0, URG: 0, CWR: 0, ECE: 0 }
}

/** Who the flow is between; the source is the one whose packets are forward. */
export interface Ends {
  src: string
  srcPort: number
  dst: string
  dstPort: number
}

export function endsOf(p: PlainPacket): Ends {
  return { src: p.src, srcPort: p.srcPort, dst: p.dst, dstPort: p.dstPort }
}

export function reversed(ends: Ends): Ends {
  return { src: ends.dst, srcPort: ends.dstPort, dst: ends.src, dstPort: ends.srcPort }
}

/** Bulk transfers of one direction (FEATURES.md 4.6). */
class BulkCounter {
  bulks = 0
  packets = 0
  bytes = 0
  durationUs = 0
  /** Time of the last packet with payload. */
  lastUs = 0
  #startUs = 0
  #runPackets = 0
  #runBytes = 0

  /** @param otherLastUs when the other direction last had payload; 0 for never */
  add(p: PlainPacket, otherLastUs: number): void {
    if (otherLastUs > this.#startUs) this.#startUs = 0
    if (p.payloadLen === 0) return
    if (this.#startUs === 0 || p.timeUs - this.lastUs > BULK_GAP_US) {
      this.#startUs = p.timeUs
      this.#runPackets = 1
      this.#runBytes = p.payloadLen
    } else {
      this.#runPackets++
      this.#runBytes += p.payloadLen
      if (this.#runPackets === BULK_PACKETS_MIN) this.#count(1, BULK_PACKETS_MIN, this.#runBytes, p.timeUs - this.#startUs)
      else if (this.#runPackets > BULK_PACKETS_MIN) this.#count(0, 1, p.payloadLen, p.timeUs - this.lastUs)
    }
    this.lastUs = p.timeUs
  }

  #count(bulks: number, packets: number, bytes: number, durationUs: number): void {
    this.bulks += bulks
    this.packets += packets
    this.bytes += bytes
    this.durationUs += durationUs
  }
}

/** What went one way. */
class Side {
  packets = 0
  readonly payload = new RunningStatistics()
  readonly iat = new RunningStatistics()
  readonly bulk = new BulkCounter()
  readonly flags = noFlags()
  lastUs = 0
  headerBytes = 0
  /** Stays 0 unless the flow's first packet went this way (F6). */
  headerMin = 0
  initWindow = 0
  dataPackets = 0
  retransmissions = 0
}

/** What a 120 s cut hands on to the next piece of a connection. */
export interface Connection {
  /** TCP segments seen, as text; grows without bound, as the tool's does (F12). */
  segments: Set<string>
  /** Durations of the pieces before this one, and the gaps between them. */
  earlierUs: number
}

export function newConnection(): Connection {
  return { segments: new Set(), earlierUs: 0 }
}

export type CloseState = 'open' | 'one FIN' | 'both FIN' | 'closed'

export class ReferenceFlow {
  readonly sides: readonly [Side, Side] = [new Side(), new Side()]
  /** Both directions' payload lengths; the first one twice in the original (O6). */
  readonly lengths = new RunningStatistics()
  readonly iat = new RunningStatistics()
  readonly active = new RunningStatistics()
  readonly idle = new RunningStatistics()
  readonly flags = noFlags()
  subflowGaps = 0
  lastUs: number
  /** How far the closing has come, and the FINs that count for it. */
  close: CloseState = 'open'
  readonly fins: [number, number] = [0, 0]
  readonly rules: Rules
  /** The table's key: what Flow ID says. */
  readonly id: string
  readonly ends: Ends
  readonly proto: number
  readonly startUs: number
  readonly connection: Connection
  #activeStartUs: number
  #activeEndUs: number

  /** @param direction overrules that of the first packet */
  constructor(rules: Rules, id: string, ends: Ends, first: PlainPacket, connection: Connection, direction?: Direction) {
    this.rules = rules
    this.id = id
    this.ends = ends
    this.proto = first.proto
    this.startUs = first.timeUs
    this.lastUs = first.timeUs
    this.#activeStartUs = first.timeUs
    this.#activeEndUs = first.timeUs
    this.connection = connection
    this.#addFirst(first, direction ?? this.directionOf(first))
  }

  get packets(): number {
    return this.sides[FORWARD].packets + this.sides[BACKWARD].packets
  }

  get durationUs(): number {
    return this.lastUs - this.startUs
  }

  /** By address alone: between two ports of one host every packet is forward (O23). */
  directionOf(p: PlainPacket): Direction {
    return p.src === this.ends.src ? FORWARD : BACKWARD
  }

  add(p: PlainPacket): void {
    const direction = this.directionOf(p)
    const side = this.sides[direction]
    this.#noteActivity(p.timeUs)
    const gapUs = p.timeUs - this.lastUs
    this.iat.add(gapUs)
    if (gapUs > SUBFLOW_GAP_US) this.subflowGaps++
    if (side.packets > 0) side.iat.add(p.timeUs - side.lastUs)
    this.#count(p, direction)
    side.headerMin = Math.min(side.headerMin, p.headerLen)
    if (direction === BACKWARD && (this.rules.lastBackwardWindow || side.initWindow === 0)) side.initWindow = p.window
  }

  #addFirst(p: PlainPacket, direction: Direction): void {
    const side = this.sides[direction]
    this.#count(p, direction)
    if (this.rules.firstLengthCountsTwice) this.lengths.add(p.payloadLen)
    if (this.rules.firstPacketIsNoData) side.dataPackets = 0
    side.headerMin = p.headerLen
    side.initWindow = p.window
  }

  #count(p: PlainPacket, direction: Direction): void {
    const side = this.sides[direction]
    const isFirst = this.packets === 0
    this.#countBulk(p, direction)
    this.lengths.add(p.payloadLen)
    side.packets++
    side.payload.add(p.payloadLen)
    side.headerBytes += p.headerLen
    side.lastUs = p.timeUs
    if (p.payloadLen > 0) side.dataPackets++
    for (const name of Object.keys(FLAGS) as FlagName[]) {
      if ((p.flags & FLAGS[name]) === 0) continue
      this.flags[name]++
      if (isFirst || !this.rules.flagsOfFirstPacketOnly) side.flags[name]++
    }
    if (p.proto === TCP && this.#isSegmentSeen(p)) side.retransmissions++
    this.lastUs = p.timeUs
  }

  #countBulk(p: PlainPacket, direction: Direction): void {
    if (this.rules.bulksMixDirections) this.sides[BACKWARD].bulk.add(p, 0)
    else this.sides[direction].bulk.add(p, this.sides[1 - direction].bulk.lastUs)
  }

  #isSegmentSeen(p: PlainPacket): boolean {
    const segment = `${p.src} ${p.seq} ${p.ack} ${p.payloadLen} ${p.window}`
    const isSeen = this.connection.segments.has(segment)
    this.connection.segments.add(segment)
    return isSeen
  }

  /** Active and idle periods (FEATURES.md 4.7). */
  #noteActivity(timeUs: number): void {
    const gapUs = timeUs - this.#activeEndUs
    if (gapUs > ACTIVITY_TIMEOUT_US) {
      const activeUs = this.#activeEndUs - this.#activeStartUs
      if (activeUs > 0) this.active.add(activeUs)
      this.idle.add(gapUs)
      this.#activeStartUs = timeUs
    }
    this.#activeEndUs = timeUs
  }
}
