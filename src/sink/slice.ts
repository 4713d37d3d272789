/**
 * The packets of one alert, as they are found: at most so many, shared fairly by its telling flows.
 *
 * In:  what the alert's telling flows are (`SliceWants`), and records that were found to be theirs. Out: copies of the records, each with
 *      the flow that it belongs to; how many there were and how many there was room for.
 * Not: the search (slice-cutter.ts) and the file (slice-file.ts).
 *
 * The first packets of each flow come first, since those are what a report names: a flow that needs less than its share leaves the
 * rest to the others, and what nobody is known to need goes to whoever asks, as second copies do.
 */
import { type AddressWords, parseAddress } from '../base/address.ts'
import { putU32le, u32le } from '../base/bytes.ts'
import { REC_CAP_LEN, REC_HEADER_LEN, REC_NSEC, REC_SEC, REC_WIRE_LEN } from '../capture/slab.ts'
import { isMac } from '../explain/facts.ts'
import { reportPlace } from '../explain/report.ts'
import { ICMP, ICMPV6, PROTO_ARP } from '../flow/flow.ts'
import type { AlertEvent, KeptFlow } from '../score/evidence.ts'

const US_PER_S = 1e6
/** Link header and record header, beside what IP says: enough for wrappers, and a bound is no promise. */
const AROUND_IP_B = 64

export interface SliceBounds {
  packetsMax: number
  bytesMax: number
  /** Octets kept of a frame. */
  snapLen: number
}

export interface WantedFlow {
  id: number
  communityId: string | null
  proto: number
  words: readonly [AddressWords, AddressWords]
  /** [0, 0] for ICMP, whose types are not ports. */
  ports: readonly [number, number]
  /** First and last packet, µs since 1970. */
  fromUs: number
  toUs: number
  /** When the connection began: its id is made from that. */
  startSec: number
  startUs: number
  /** Packets as metered; null where they were not. */
  packets: number | null
  octets: number | null
}

/** Messages of ARP: who sent them, or whom they answer. */
export interface WantedArp {
  /** Cards and addresses. */
  names: ReadonlySet<string>
  /** Card or address of the actor, whose answers count too. */
  actor: string
}

export interface SliceWants {
  alertId: string
  day: string
  stem: string
  flows: readonly WantedFlow[]
  arp: WantedArp | null
  fromUs: number
  toUs: number
}

/** null where an alert names no packet that could be found. */
export function sliceWantsOf(alert: AlertEvent): SliceWants | null {
  const place = { alertId: alert.id, ...reportPlace(alert) }
  if (alert.proto === PROTO_ARP) {
    const fromUs = eveUs(alert.episode.first)
    const toUs = eveUs(alert.episode.last)
    const evidence = alert.evidence.flatMap((item) => item.names)
    const names = new Set([alert.actor, ...evidence].filter((name) => isMac(name) || parseAddress(name) !== null))
    return fromUs === null || toUs === null ? null : { ...place, flows: [], arp: { names, actor: alert.actor }, fromUs, toUs }
  }
  const flows = alert.flows.map(wantedFlow).filter((flow) => flow !== null)
  if (flows.length === 0) return null
  const fromUs = Math.min(...flows.map((flow) => flow.fromUs))
  return { ...place, flows, arp: null, fromUs, toUs: Math.max(...flows.map((flow) => flow.toUs)) }
}

function wantedFlow(flow: KeptFlow): WantedFlow | null {
  const [a, b] = flow.addr.map((address) => (address === null ? null : parseAddress(address)))
  const fromUs = eveUs(flow.start)
  const connectionUs = flow.connectionStart === undefined ? fromUs : eveUs(flow.connectionStart)
  // Records that something else metered came without packets.
  if (a === null || b === null || fromUs === null || connectionUs === null || flow.record !== undefined) return null
  const hasPorts = flow.proto !== ICMP && flow.proto !== ICMPV6
  const startSec = Math.floor(connectionUs / US_PER_S)
  return {
    id: flow.id,
    communityId: flow.communityId,
    proto: flow.proto,
    words: [a, b],
    ports: hasPorts ? [flow.port[0] ?? 0, flow.port[1] ?? 0] : [0, 0],
    fromUs,
    toUs: fromUs + flow.durationUs,
    startSec,
    startUs: connectionUs - startSec * US_PER_S,
    packets: sumOf(flow.packets),
    octets: sumOf(flow.ipBytes),
  }
}

function sumOf([a, b]: readonly (number | null)[]): number | null {
  return a === null || b === null ? null : a + b
}

/** µs since 1970, exact; null for a text that is no eve time. */
export function eveUs(eve: string): number | null {
  const match = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\.(\d{6})\+0000$/.exec(eve)
  const ms = match === null ? Number.NaN : Date.parse(`${match[1]}Z`)
  return match === null || Number.isNaN(ms) ? null : ms * 1000 + Number(match[2])
}

export interface SliceRecord {
  linkType: number
  /** Index into the wanted flows; 0 for ARP. */
  flow: number
  /** Header and frame as in a slab. */
  bytes: Uint8Array
}

/** A share of packets and octets that is nobody's yet. */
interface Room {
  packets: number
  octets: number
}

export class Slice {
  readonly wants: SliceWants
  readonly bounds: SliceBounds
  records: SliceRecord[] = []
  /** Octets of `records`. */
  bytesAtHand = 0
  /** By wanted flow: what was found, whether or not there was room. */
  readonly found: number[]
  /** By wanted flow: what there was no room for. */
  readonly leftOut: number[]
  readonly #rooms: Room[]
  readonly #spare: Room
  /** Records of an earlier cut, by what tells them apart: the same packet may be found again. */
  readonly #known = new Map<string, number>()

  constructor(wants: SliceWants, bounds: SliceBounds) {
    this.wants = wants
    this.bounds = bounds
    const needs: readonly Pick<WantedFlow, 'packets' | 'octets'>[] = wants.arp === null ? wants.flows : [{ packets: null, octets: null }]
    const packets = fairShares(
      needs.map((flow) => flow.packets ?? Infinity),
      bounds.packetsMax,
    )
    const octets = fairShares(
      needs.map((flow) => octetsOf(flow, bounds)),
      bounds.bytesMax,
    )
    this.found = needs.map(() => 0)
    this.leftOut = needs.map(() => 0)
    this.#rooms = needs.map((_, i) => ({ packets: packets[i], octets: octets[i] }))
    this.#spare = {
      packets: bounds.packetsMax - packets.reduce((sum, share) => sum + share, 0),
      octets: bounds.bytesMax - octets.reduce((sum, share) => sum + share, 0),
    }
  }

  /** Takes a record of an earlier cut of the same alert. */
  takeAgain(flow: number, linkType: number, bytes: Uint8Array, at: number): void {
    const mark = markOf(bytes, at)
    this.#known.set(mark, (this.#known.get(mark) ?? 0) + 1)
    this.#take(flow, linkType, bytes, at)
  }

  take(flow: number, linkType: number, bytes: Uint8Array, at: number): void {
    if (this.#known.size > 0 && this.#isKnown(bytes, at)) return
    this.#take(flow, linkType, bytes, at)
  }

  #isKnown(bytes: Uint8Array, at: number): boolean {
    const mark = markOf(bytes, at)
    const count = this.#known.get(mark) ?? 0
    if (count > 0) this.#known.set(mark, count - 1)
    return count > 0
  }

  #take(flow: number, linkType: number, bytes: Uint8Array, at: number): void {
    this.found[flow]++
    const capLen = Math.min(u32le(bytes, at + REC_CAP_LEN), this.bounds.snapLen)
    const len = REC_HEADER_LEN + capLen
    const room = [this.#rooms[flow], this.#spare].find((one) => one.packets >= 1 && one.octets >= len)
    if (room === undefined) {
      this.leftOut[flow]++
      return
    }
    room.packets--
    room.octets -= len
    const copy = new Uint8Array(len)
    copy.set(bytes.subarray(at, at + len))
    putU32le(copy, REC_CAP_LEN, capLen)
    this.records.push({ linkType, flow, bytes: copy })
    this.bytesAtHand += len
  }
}

function octetsOf({ packets, octets }: Pick<WantedFlow, 'packets' | 'octets'>, { snapLen }: SliceBounds): number {
  if (packets === null || octets === null) return Infinity
  return Math.min(octets + packets * (AROUND_IP_B + REC_HEADER_LEN), packets * (snapLen + REC_HEADER_LEN))
}

/** Nobody gets more than he needs, and nobody less than another who gets more than he. */
export function fairShares(needs: readonly number[], total: number): number[] {
  const shares = needs.map(() => 0)
  const bySize = needs.map((_, i) => i).sort((a, b) => (needs[a] < needs[b] ? -1 : 1))
  let left = total
  for (const [rank, i] of bySize.entries()) {
    shares[i] = Math.min(needs[i], Math.floor(left / (needs.length - rank)))
    left -= shares[i]
  }
  return shares
}

const MARK_OCTETS = 64

/** Two records alike in this are one packet: time, wire length, and what headers hold. */
function markOf(bytes: Uint8Array, at: number): string {
  const end = at + REC_HEADER_LEN + Math.min(u32le(bytes, at + REC_CAP_LEN), MARK_OCTETS)
  let hash = 0x811c9dc5
  for (let i = at + REC_HEADER_LEN; i < end; i++) hash = Math.imul(hash ^ bytes[i], 0x01000193)
  return `${u32le(bytes, at + REC_SEC)} ${u32le(bytes, at + REC_NSEC)} ${u32le(bytes, at + REC_WIRE_LEN)} ${hash}`
}
