/**
 * A Flow from what a foreign record says, with null for all that it does not.
 *
 * In:  what the readers of the single formats found. Out: a Flow whose times are microseconds since 1970 until `rebase`.
 * Not: names of columns.
 * The invariant: what was not measured is null; an estimate is marked as one.
 */
import { parseAddress } from '../../base/address.ts'
import type { DirectionBasis, FlagCounts, Flow, ForeignRecord, Measured, Pair } from '../../flow/flow.ts'
import { ICMP, ICMPV6, TCP, UDP } from '../../flow/flow.ts'

const US_PER_S = 1e6
const IPV4_HEADER = 20
const IPV6_HEADER = 40
const UDP_HEADER = 8
/** A TCP header with the timestamps that nearly every connection carries, and the most that a SYN carries. */
const TCP_HEADER_USUAL = 32
const TCP_HEADER_SYN = 40

export interface FlowParts {
  proto: number
  addr: Pair<string>
  port: Pair<number>
  startUs: number
  lastUs: number
  packets: Pair<Measured>
  payloadBytes: Pair<Measured>
  ipBytes: Pair<Measured>
  directionBasis: DirectionBasis
  flags: Pair<FlagCounts> | null
  connState: string | null
  history: string | null
  firstFlags: number | null
  idleUs: Measured
  vlans: readonly number[]
  /** What its maker numbers it; null: from its key and start. */
  id: number | null
  record: ForeignRecord
}

export function foreignFlow(parts: FlowParts): Flow {
  const { id, ...rest } = parts
  return {
    ...rest,
    id: id ?? keyedId(parts),
    endUs: parts.lastUs,
    endReason: 'idle',
    isContinuation: false,
    icmpErrors: null,
    row: null,
  }
}

/** From microseconds since 1970 to those since the run's base second. */
export function rebase(flow: Flow, baseSec: number): Flow {
  const baseUs = baseSec * US_PER_S
  flow.startUs -= baseUs
  flow.lastUs -= baseUs
  flow.endUs -= baseUs
  return flow
}

/** An address as we write it; null for what is none. */
export function addressText(text: string): string | null {
  return parseAddress(text) === null ? null : text.toLowerCase()
}

/** Payload of one direction from its IP octets: exact for datagrams without IP options, an estimate for TCP. */
export function payloadFromIp(proto: number, address: string, packets: Measured, ipBytes: Measured): Measured {
  if (packets === null || ipBytes === null) return null
  const network = address.includes(':') ? IPV6_HEADER : IPV4_HEADER
  if (proto === TCP) {
    // SYN, ACK, FIN and RST alone fit under the longest headers: that is no payload.
    if (ipBytes <= packets * (network + TCP_HEADER_SYN)) return 0
    return ipBytes - packets * (network + TCP_HEADER_USUAL)
  }
  const transport = proto === UDP || proto === ICMP || proto === ICMPV6 ? UDP_HEADER : 0
  return Math.max(0, ipBytes - packets * (network + transport))
}

export function noFlags(): FlagCounts {
  return { fin: 0, syn: 0, rst: 0, psh: 0, ack: 0, urg: 0, ece: 0, cwr: 0, synAck: 0 }
}

/** 53 bits from the key and the start: the same on every run. */
function keyedId({ proto, addr, port, startUs, record }: FlowParts): number {
  const text = record.hasAddresses ? `${proto} ${addr.join(' ')} ${port.join(' ')} ${startUs}` : `line ${record.line} ${startUs}`
  let high = 0x243f6a88
  let low = 0x13198a2e
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    high = Math.imul(high ^ code, 0x9e3779b1) ^ (low >>> 15)
    low = Math.imul(low ^ code, 0x85ebca6b) ^ (high >>> 13)
  }
  return (high & 0x1fffff) * 2 ** 32 + (low >>> 0)
}
