/**
 * Who is the client, who the server, and how did it end (SCORER.md section 3). Everything after this reads only `Judged`.
 *
 * In:  a flow as the meter oriented it (SYN, SYN-ACK or first packet), the server table, the networks that are inside.
 * Out: a canonical client-server record with the basis of its orientation, its direction, and its outcome.
 * Not: a verdict. `443 → 49210` alone is the server half of an HTTPS session and nothing else.
 * The invariant: a missing half is a failure only where the sensor would have seen an answer.
 */

import type { NetworkSet } from '../base/address.ts'
import type { Contact, Failure, Outcome } from '../context/contact.ts'
import { CLIENT, SERVER } from '../context/contact.ts'
import type { Services } from '../context/services.ts'
import type { FlagCounts, Flow, Measured, Pair } from '../flow/flow.ts'
import { ICMP, ICMPV6, TCP, UDP } from '../flow/flow.ts'
import type { Orientation } from './evidence.ts'

/** Inside to outside, outside to inside, inside to inside, outside to outside; unknown while no address of the capture is inside. */
export type Direction = 'out' | 'in' | 'lat' | 'ext' | 'unknown'

export interface Judged extends Contact {
  flow: Flow
  orientation: Orientation
  direction: Direction
  flags: Pair<FlagCounts> | null
}

/** Below this share of pairs seen in both directions, silence is a gap in what we see, not a fact. */
export const VISIBLE_SHARE_MIN = 0.8

/** A tool's segment and its repetition. */
const STRAY_PACKETS_MAX = 2
/** The same with its header in pieces of eight octets: at most eight of them each, and no more octets of options than a header has. */
const PIECES_MAX = 16
const PIECES_BYTES_MAX = 80
const WELL_KNOWN_END = 1024
/** Service ports above 1023 that clients don't pick by chance: IANA's registry, cut to what is common on real networks. */
const REGISTERED_PORTS: ReadonlySet<number> = new Set([
  1080, 1194, 1433, 1434, 1521, 1701, 1723, 1812, 1813, 1883, 1900, 2049, 2222, 2375, 2376, 3074, 3128, 3260, 3268, 3269, 3283, 3306, 3389,
  3478, 3702, 4500, 5000, 5060, 5061, 5222, 5223, 5228, 5353, 5355, 5432, 5555, 5671, 5672, 5683, 5900, 5984, 5985, 5986, 6379, 6443, 6667,
  7547, 8000, 8008, 8080, 8081, 8086, 8443, 8883, 8888, 9000, 9042, 9090, 9092, 9100, 9200, 9300, 10_050, 10_051, 11_211, 19_302, 27_017,
])

/** UDP above 1023 where a client expects a reply. Below 1024 every port counts but the ONE_WAY ones. */
const UDP_REPLY_PORTS: ReadonlySet<number> = new Set([1194, 1434, 1645, 1701, 1812, 1813, 2049, 3283, 3478, 4500, 5060, 5351, 5683, 11_211])
/** Trivial transfer (answers from another port), DHCP, NetBIOS, traps, syslog, routing: silence is their normal life. */
const UDP_ONE_WAY_PORTS: ReadonlySet<number> = new Set([67, 68, 69, 137, 138, 162, 514, 520, 521, 546, 547])
/** Where traceroute sends its probes: a path test, not a scan. */
const TRACEROUTE_START = 33_434
const TRACEROUTE_END = 33_690

const ECHO_REQUEST: ReadonlySet<number> = new Set([8, 128])
const ECHO_REPLY: ReadonlySet<number> = new Set([0, 129])

const FLAG_RST = 0x04
const FLAG_ACK = 0x10

const UNSAID: Pair<boolean | null> = [null, null]

/** Orients flows one after another; remembers only whether any address was ever inside. */
export class Orienter {
  #internal: NetworkSet
  readonly #services: Services
  #sawInside = false

  constructor(internal: NetworkSet, services: Services) {
    this.#internal = internal
    this.#services = services
  }

  /** Other networks are ours from now on. */
  change(internal: NetworkSet): void {
    this.#internal = internal
  }

  /** @param bothHalves share of pairs seen in both directions; null while unknown, which blocks nothing. */
  judge(flow: Flow, bothHalves: number | null): Judged {
    const oriented = orient(flow, this.#services)
    const client = oriented.clientIndex
    const isSilenceAFact = bothHalves === null || bothHalves >= VISIBLE_SHARE_MIN
    const packets = swapped(flow.packets, client)
    const payloadBytes = swapped(flow.payloadBytes, client)
    const flags = flow.flags === null ? null : swapped(flow.flags, client)
    const addr = swapped(flow.addr, client)
    const port = isIcmp(flow.proto) ? flow.port : swapped(flow.port, client)
    const halves = halvesOf(packets)
    const isToGroup = isGroupAddress(addr[SERVER])
    const view: View = { flow, isToGroup, port, packets, payloadBytes, flags, isFirst: client === 0 }
    const failure = failureOf(view)
    const isHidden = failure === 'silent' && !isSilenceAFact
    const inside = swapped(flow.record?.isInside ?? UNSAID, client)
    const isClientInternal = this.#isInside(addr[CLIENT], inside[CLIENT])
    const isServerInternal = this.#isInside(addr[SERVER], inside[SERVER])
    const judged: Judged = {
      flow,
      flowId: flow.id,
      proto: flow.proto,
      addr,
      port,
      packets,
      payloadBytes,
      flags,
      startUs: flow.startUs,
      lastUs: flow.lastUs,
      endUs: flow.endUs,
      outcome: outcomeOf(view, isHidden ? null : failure),
      failure: isHidden ? null : failure,
      hasSyn: flags !== null && flags[CLIENT].syn > flags[CLIENT].synAck,
      hasCompleted: flags !== null && flags[SERVER].synAck > 0 && flags[CLIENT].ack > 0,
      isMidway: flags !== null && flags[CLIENT].syn + flags[SERVER].syn === 0 && !flow.isContinuation,
      isStray: isStray(view) && isSilenceAFact,
      isClosing: flags !== null && flags[CLIENT].fin + flags[SERVER].fin > 0,
      isToGroup,
      isContinuation: flow.isContinuation,
      halves,
      hasExchange: hasExchange(flow.proto, payloadBytes, flags),
      isOrientationSure: oriented.confidence >= 0.9,
      isClientInternal,
      isServerInternal,
      orientation: { how: oriented.how, confidence: oriented.confidence, halves },
      direction: this.#direction(isClientInternal, isServerInternal),
    }
    if (flow.payloadSquares !== undefined) judged.payloadSquares = swapped(flow.payloadSquares, client)
    return judged
  }

  #direction(isClientInternal: boolean, isServerInternal: boolean): Direction {
    if (isClientInternal) return isServerInternal ? 'lat' : 'out'
    if (isServerInternal) return 'in'
    return this.#sawInside ? 'ext' : 'unknown'
  }

  /** @param isSaid what a foreign record says itself: one that knows its own networks is believed where ours do not name the address. */
  #isInside(address: string, isSaid: boolean | null): boolean {
    if (isSaid === true) {
      this.#sawInside = true
      return true
    }
    const isInside = this.#internal.has(address)
    this.#sawInside ||= isInside
    return isInside
  }
}

interface Oriented {
  clientIndex: 0 | 1
  how: Orientation['how']
  confidence: number
}

/** Evidence in order of strength; the first that applies decides. */
function orient(flow: Flow, services: Services): Oriented {
  if (flow.directionBasis !== 'first_packet') return { clientIndex: 0, how: flow.directionBasis, confidence: 0.99 }
  if (isIcmp(flow.proto)) return { clientIndex: ECHO_REPLY.has(flow.port[0]) ? 1 : 0, how: 'guess', confidence: 0.6 }
  if (isGroupAddress(flow.addr[1])) return { clientIndex: 0, how: 'port', confidence: 0.9 }
  const isServer = services.isKnownServer(flow.addr[0], flow.proto, flow.port[0])
  if (isServer !== services.isKnownServer(flow.addr[1], flow.proto, flow.port[1]))
    return { clientIndex: isServer ? 1 : 0, how: 'table', confidence: 0.97 }
  const isRegistered = isServicePort(flow.port[0])
  if (isRegistered !== isServicePort(flow.port[1])) return { clientIndex: isRegistered ? 1 : 0, how: 'port', confidence: 0.9 }
  return { clientIndex: guessedClient(flow), how: 'guess', confidence: 0.6 }
}

/**
 * No service port tells. A datagram, and a TCP probe without ACK, come from the one who asks: a server's half always carries ACK.
 * A TCP stream joined midway tells nothing by its first packet, so the lower port is the server's; a lone reset is an answer.
 */
function guessedClient(flow: Flow): 0 | 1 {
  if (flow.proto !== TCP || flow.port[0] === flow.port[1]) return 0
  const first = flow.firstFlags
  if (first !== null && (first & (FLAG_ACK | FLAG_RST)) === 0) return 0
  if (first !== null && (first & FLAG_RST) === FLAG_RST && flow.packets[1] === 0) return 1
  return flow.port[0] < flow.port[1] ? 1 : 0
}

interface View {
  flow: Flow
  /** To a multicast or broadcast address. */
  isToGroup: boolean
  port: Pair<number>
  packets: Pair<Measured>
  payloadBytes: Pair<Measured>
  flags: Pair<FlagCounts> | null
  /** The client also sent the row's first packet. */
  isFirst: boolean
}

function outcomeOf(view: View, failure: Failure | null): Outcome {
  if (failure !== null) return 'failed'
  const { packets, payloadBytes, flags } = view
  if (!packets[CLIENT] || !packets[SERVER] || view.isToGroup) return 'unclear'
  if (view.flow.proto !== TCP) return 'answered'
  // A foreign record without flags: payload alone tells an answer from a refusal.
  const isHandshake = flags !== null && flags[SERVER].synAck > 0
  return isHandshake || (payloadBytes[SERVER] ?? 0) > 0 ? 'answered' : 'unclear'
}

/** SCORER.md section 3, `fail`; null when it did not fail or nobody can say. */
function failureOf(view: View): Failure | null {
  const { flow, port, packets, payloadBytes } = view
  if (flow.isContinuation || !packets[CLIENT] || view.isToGroup) return null
  if ((payloadBytes[SERVER] ?? 0) > 0) return null
  if (flow.proto === TCP) return tcpFailure(view)
  if ((packets[SERVER] ?? 0) > 0) return null
  if (flow.proto === UDP && port[SERVER] >= TRACEROUTE_START && port[SERVER] < TRACEROUTE_END) return null
  if ((flow.icmpErrors ?? 0) > 0) return 'unreachable'
  if (packets[SERVER] === null) return null
  if (flow.proto === UDP) return expectsReply(port[SERVER]) ? 'silent' : null
  return isIcmp(flow.proto) && ECHO_REQUEST.has(port[0]) ? 'silent' : null
}

function tcpFailure(view: View): Failure | null {
  const { flow, packets, flags } = view
  if (flags === null || packets[SERVER] === null) return null
  const client = flags[CLIENT]
  const server = flags[SERVER]
  const isRefused = server.rst > 0
  if (client.syn > client.synAck) {
    if (isRefused) return 'refused'
    if (server.synAck > 0) return null
    if ((flow.icmpErrors ?? 0) > 0) return 'unreachable'
    // An ACK from the client acknowledges something that we did not see: a gap, not silence.
    return packets[SERVER] === 0 && client.ack === 0 && client.rst === 0 ? 'silent' : null
  }
  if (!isLoneProbe(view) || (packets[SERVER] > 0 && !isRefused)) return null
  if (((flow.firstFlags ?? 0) & FLAG_ACK) === FLAG_ACK) return 'probe'
  return isRefused ? 'refused' : 'silent'
}

/** FIN, NULL, XMAS, ACK, window probes: one packet, or its one repetition, that belongs to no connection. */
function isLoneProbe(view: View): boolean {
  const { flow, packets, payloadBytes, flags } = view
  if (!view.isFirst || flow.directionBasis !== 'first_packet' || flow.firstFlags === null || flags === null) return false
  if ((flow.firstFlags & FLAG_RST) === FLAG_RST) return false
  if (isInPieces(view)) return flags[SERVER].syn === 0
  return (packets[CLIENT] ?? 0) <= STRAY_PACKETS_MAX && payloadBytes[CLIENT] === 0 && flags[CLIENT].syn === 0 && flags[SERVER].syn === 0
}

/** A header in tiny fragments, of which the first holds no flag (decode/tcp.ts): no segment of a connection is without any. */
function isInPieces({ packets, payloadBytes, flags }: View): boolean {
  if (flags === null || (packets[CLIENT] ?? 0) <= 1 || (packets[CLIENT] ?? 0) > PIECES_MAX) return false
  const { syn, ack, fin, rst, psh, urg } = flags[CLIENT]
  return syn + ack + fin + rst + psh + urg === 0 && (payloadBytes[CLIENT] ?? 0) <= PIECES_BYTES_MAX
}

/** Segments of no connection, of any flags but SYN, as a tool makes them: an end of a connection has an answer that is no reset. */
function isStray(view: View): boolean {
  const { flow, packets, payloadBytes, flags } = view
  if (flags === null || !view.isFirst || flow.directionBasis !== 'first_packet' || flow.isContinuation) return false
  if (((packets[CLIENT] ?? 0) > STRAY_PACKETS_MAX && !isInPieces(view)) || packets[SERVER] === null || payloadBytes[SERVER] !== 0)
    return false
  return packets[SERVER] === flags[SERVER].rst && flags[CLIENT].syn === 0
}

function hasExchange(proto: number, payloadBytes: Pair<Measured>, flags: Pair<FlagCounts> | null): boolean {
  if (proto !== TCP) return false
  // A SYN may carry data that nobody ever took; data under an ACK cannot exist without the other side.
  for (let side = 0; side < 2; side++) {
    if ((payloadBytes[side] ?? 0) > 0 && (flags === null || flags[side].ack > 0)) return true
  }
  return false
}

function expectsReply(port: number): boolean {
  return port < WELL_KNOWN_END ? !UDP_ONE_WAY_PORTS.has(port) : UDP_REPLY_PORTS.has(port)
}

export function isServicePort(port: number): boolean {
  return (port > 0 && port < WELL_KNOWN_END) || REGISTERED_PORTS.has(port)
}

function isIcmp(proto: number): boolean {
  return proto === ICMP || proto === ICMPV6
}

/** Multicast and broadcast. A last octet of 255 is taken for a directed broadcast: networks larger than /24 have few such hosts. */
export function isGroupAddress(address: string): boolean {
  if (address.includes(':')) return address.startsWith('ff')
  return isMulticast(address) || address.endsWith('.255')
}

const ZERO = 0x30
const TWO = 0x32
const DOT = 0x2e

/** 224.0.0.0/4, by its digits: each flow is asked about. */
function isMulticast(address: string): boolean {
  if (address.charCodeAt(0) !== TWO || address.charCodeAt(3) !== DOT) return false
  const beyond200 = (address.charCodeAt(1) - ZERO) * 10 + address.charCodeAt(2) - ZERO
  return beyond200 >= 24 && beyond200 < 40
}

function halvesOf(packets: Pair<Measured>): Orientation['halves'] {
  if (packets[CLIENT] === 0) return 'resp'
  return packets[SERVER] === 0 ? 'orig' : 'both'
}

function swapped<T>(pair: Pair<T>, clientIndex: 0 | 1): Pair<T> {
  return clientIndex === 0 ? pair : [pair[1], pair[0]]
}
