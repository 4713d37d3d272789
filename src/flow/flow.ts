/**
 * A finished flow as the analysis side sees it: one row, oriented by the meter, in plain values.
 *
 * In:  made by `readFlow` from a batch of finished rows, or by a reader of flow records metered elsewhere.
 * Out: a plain object; pairs are [orig, resp]: index 0 is what the initiator sent, 1 the responder.
 * Not: a judgement of who is client or server: ports and the server table orient only in score/.
 *
 * A value that was not measured is null, never 0. Times are microseconds relative to the run's base second.
 * Addresses and ports that a foreign record does not name are NO_ADDRESS and 0, and its `record` says so: who the hosts were is then
 * unknown, and such a flow enters no host's window.
 */

/** What the meter or a foreign record did not say. */
export type Measured = number | null

/** [orig, resp]: direction is an index. */
export type Pair<T> = readonly [T, T]

export const ORIG = 0
export const RESP = 1

export type EndReason = 'idle' | 'active' | 'fin' | 'rst' | 'port_reuse' | 'evicted' | 'shutdown'

/** How the meter knew the initiator (CONVENTIONS.md section 0). */
export type DirectionBasis = 'syn' | 'synack' | 'first_packet'

/**
 * Packets with each TCP flag. `syn` counts every SYN; `synAck` those of them that also carry ACK. Foreign records that say only
 * which flags were seen have 1 for each: at least one.
 */
export interface FlagCounts {
  fin: number
  syn: number
  rst: number
  psh: number
  ack: number
  urg: number
  ece: number
  cwr: number
  synAck: number
}

/** One of a row's first packets, kept for the timeline. */
export interface TimelinePacket {
  /** 0 from the initiator, 1 from the responder. */
  direction: 0 | 1
  /** Since the row's previous packet, µs; 0 for the first. */
  gapUs: number
  payloadLen: number
  /** The TCP flags octet; 0 for other protocols. */
  flags: number
}

export interface Flow {
  /** Stable over runs: from the key and the connection's start; below 2^53 (eve's flow_id). */
  id: number
  /** IANA protocol number of the metered (innermost) packet. */
  proto: number
  addr: Pair<string>
  /** Ports; for ICMP [type, code] of the first packet as Community ID uses them; 0 where the protocol has none. */
  port: Pair<number>
  /** Outermost first; empty when untagged. */
  vlans: readonly number[]
  startUs: number
  /** Time of the last packet. */
  lastUs: number
  /** When the row ended: its deadline, or the packet that ended it. */
  endUs: number
  endReason: EndReason
  directionBasis: DirectionBasis
  /** This row goes on from an earlier one of the same connection, which the active timeout cut. */
  isContinuation: boolean
  /** When the connection began; absent where the row began with it. */
  connectionStartUs?: number
  packets: Pair<Measured>
  /** L4 payload octets. */
  payloadBytes: Pair<Measured>
  /** Σ of the squares of each packet's payload octets; absent when not measured. */
  payloadSquares?: Pair<Measured>
  /** Octets from the IP header on, as the wire carried them. */
  ipBytes: Pair<Measured>
  /** null for what is not TCP. */
  flags: Pair<FlagCounts> | null
  /** Zeek's conn_state. */
  connState: string | null
  /** Zeek's history string. */
  history: string | null
  /** ICMP errors (unreachable and kin) that quote a packet of this flow. */
  icmpErrors: Measured
  /** Seconds of silence longer than the activity gap, per row. */
  idleUs: Measured
  /** Standard deviation of the gaps between packets, µs; absent when not measured. */
  gapStdUs?: Measured
  /** Packets of the connection so far that are several, merged by the capturing host; absent when there are none. */
  mergedPackets?: number
  /** SYN with payload, FIN only and so on: the flags octet of the row's first packet; null when not TCP. */
  firstFlags: number | null
  /** Where the row's numbers lie while its batch is alive; null for foreign records. */
  row: RowRef | null
  /** What a record metered elsewhere says beside the above; absent for our own rows. */
  record?: ForeignRecord
}

/** An address that a foreign record does not name. */
export const NO_ADDRESS = ''

export interface ForeignRecord {
  format: string
  /** The file's name without its folder, and the line in it, from 1. */
  file: string
  line: number
  /** What its maker calls it: Zeek's uid; null when it has no name. */
  name: string | null
  /** false: it names no hosts. */
  hasAddresses: boolean
  /** By endpoint, [orig, resp]. */
  hasPort: Pair<boolean>
  /** Which endpoint the record calls its source, where the record is one direction of a conversation; else ORIG. */
  side: 0 | 1
  /** The exporter writes each direction as a record of its own, and the other one's never came. */
  isOneWay: boolean
  /** Payload was worked out from IP octets less the usual headers: right to a few octets a packet, for TCP only. */
  isPayloadEstimated: boolean
  /** The record has flag columns that no connection can have: they were not used. */
  hasUnusableFlags: boolean
  /** Who its maker says is inside, [orig, resp]; null where it does not say. */
  isInside: Pair<boolean | null>
  /** Features that it states, by our names; what is not in here was not measured. Worked out when asked for. */
  features: () => Readonly<Record<string, Measured>>
  /** What it states of the minutes around it, by NetFlow's names. */
  windowFeatures: () => Readonly<Record<string, Measured>>
}

/** A row inside a batch: valid only until the batch is handed back. */
export interface RowRef {
  cells: Float64Array
  words: Uint32Array
  /** Index of the row's first cell in `cells`. */
  at: number
}

export const TCP = 6
export const UDP = 17
export const ICMP = 1
export const ICMPV6 = 58
export const SCTP = 132
/** No IP protocol but an ether type, which none of those numbers reaches: alerts about ARP have no flow. */
export const PROTO_ARP = 0x0806

const PROTO_NAMES: Readonly<Record<number, string>> = { 1: 'ICMP', 6: 'TCP', 17: 'UDP', 58: 'IPv6-ICMP', 132: 'SCTP', [PROTO_ARP]: 'ARP' }

/** eve's `proto`: a name where it has one, else the number as text. */
export function protoName(proto: number): string {
  return PROTO_NAMES[proto] ?? String(proto)
}
