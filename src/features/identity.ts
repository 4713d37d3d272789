/**
 * What says which flow a row is, and how it began and ended: the fields that stand before the features in JSON lines.
 *
 * In:  a row and its flow. Out: JSON values, null where there is none. Names are Suricata eve's where eve has the thing.
 * Not: numbers to be judged by: those are features.
 */
import { cicTime, eveTime, plainSecond } from '../base/packet-time.ts'
import { type EndReason, type Flow, ICMP, ICMPV6, protoName, SCTP, TCP, UDP } from '../flow/flow.ts'
import * as Row from '../flow/row.ts'
import type { RowView } from '../flow/row-view.ts'
import { communityIdOf } from './community-id.ts'

type JsonValue = string | number | boolean | null | readonly number[] | Readonly<Record<string, string | number>>

export interface IdentityField {
  name: string
  /** The same thing's column in the other dialects, today's name first. */
  cic?: string
  netflow?: readonly string[]
  definition: string
  of(row: RowView, flow: Flow): JsonValue
}

function tunnelOf(row: RowView): JsonValue {
  const { tunnel } = row
  if (tunnel === null) return null
  const [src_ip, dest_ip] = tunnel.outerAddr
  return { kind: tunnel.kind, id: tunnel.id, depth: tunnel.depth, src_ip, dest_ip }
}

interface EndWords {
  /** IPFIX flowEndReason, information element 136 (RFC 7012). */
  ipfix: number
  /** Suricata eve's `flow.reason`. */
  eve: string
}

export const END_WORDS: Readonly<Record<EndReason, EndWords>> = {
  idle: { ipfix: 1, eve: 'timeout' },
  active: { ipfix: 2, eve: 'timeout' },
  fin: { ipfix: 3, eve: 'timeout' },
  rst: { ipfix: 3, eve: 'timeout' },
  port_reuse: { ipfix: 3, eve: 'tcp_reuse' },
  evicted: { ipfix: 5, eve: 'forced' },
  shutdown: { ipfix: 4, eve: 'shutdown' },
}

const WITH_PORTS: readonly number[] = [TCP, UDP, SCTP]

export function hasPorts(proto: number): boolean {
  return WITH_PORTS.includes(proto)
}

export function isIcmp(proto: number): boolean {
  return proto === ICMP || proto === ICMPV6
}

/** eve's `flow.state`. */
function stateOf(row: RowView, flow: Flow): string {
  const state = row.word(Row.STATE_W)
  if (flow.proto !== TCP) return (state & (Row.SEEN * 3)) === Row.SEEN * 3 ? 'established' : 'new'
  return ['new', 'established', 'closed'][(state & Row.TCP_STATE_MASK) >> Row.TCP_STATE_SHIFT]
}

export const IDENTITY: readonly IdentityField[] = [
  {
    name: 'flow_id',
    netflow: ['ID'],
    definition:
      'Number of the connection, below 2^53: from its key and start, so that it is the same on every run; rows of one connection share it.',
    of: (_row, flow) => flow.id,
  },
  {
    name: 'start',
    cic: 'Timestamp',
    netflow: ['FIRST_SWITCHED'],
    definition: 'Time of the first packet, UTC.',
    of: (row) => eveTime(row.baseSec, row.startUs),
  },
  { name: 'end', netflow: ['LAST_SWITCHED'], definition: 'Time of the last packet, UTC.', of: (row) => eveTime(row.baseSec, row.lastUs) },
  {
    name: 'src_ip',
    cic: 'Src IP',
    netflow: ['IP_SRC_ADDR', 'IPV4_SRC_ADDR', 'IPV6_SRC_ADDR'],
    definition: "The initiator's address.",
    of: (_row, flow) => flow.addr[0],
  },
  {
    name: 'src_port',
    cic: 'Src Port',
    netflow: ['L4_SRC_PORT'],
    definition: "The initiator's port; null where the protocol has none.",
    of: (_row, flow) => (hasPorts(flow.proto) ? flow.port[0] : null),
  },
  {
    name: 'dest_ip',
    cic: 'Dst IP',
    netflow: ['IP_DST_ADDR', 'IPV4_DST_ADDR', 'IPV6_DST_ADDR'],
    definition: "The responder's address.",
    of: (_row, flow) => flow.addr[1],
  },
  {
    name: 'dest_port',
    cic: 'Dst Port',
    netflow: ['L4_DST_PORT'],
    definition: "The responder's port; null where the protocol has none.",
    of: (_row, flow) => (hasPorts(flow.proto) ? flow.port[1] : null),
  },
  {
    name: 'proto',
    cic: 'Protocol',
    netflow: ['PROTOCOL_NUM', 'PROTOCOL'],
    definition: 'Protocol as eve writes it: TCP, UDP, ICMP, IPv6-ICMP, SCTP, else the number as text. The other dialects have the number.',
    of: (_row, flow) => protoName(flow.proto),
  },
  { name: 'ip_v', definition: 'IP version.', of: (_row, flow) => (flow.addr[0].includes(':') ? 6 : 4) },
  {
    name: 'icmp_type',
    cic: 'ICMP Type',
    definition: "The initiator's ICMP type; null when not ICMP.",
    of: (_row, flow) => (isIcmp(flow.proto) ? flow.port[0] : null),
  },
  {
    name: 'icmp_code',
    cic: 'ICMP Code',
    definition: 'ICMP code of the first packet; null when not ICMP.',
    of: (_row, flow) => (isIcmp(flow.proto) ? flow.port[1] : null),
  },
  {
    name: 'vlan',
    definition: 'VLAN ids, outermost first; null when untagged.',
    of: (_row, flow) => (flow.vlans.length === 0 ? null : flow.vlans),
  },
  {
    name: 'tunnel',
    definition:
      'The innermost wrapper that the connection came in: kind, id, depth, and its own addresses by side (src_ip: where the initiator was); ' +
      'null when it came in none.',
    of: (row) => tunnelOf(row),
  },
  { name: 'community_id', definition: 'Community ID, version 1, seed 0.', of: (_row, flow) => communityIdOf(flow) },
  {
    name: 'direction_basis',
    definition: 'How the initiator is known: syn, synack or first_packet.',
    of: (_row, flow) => flow.directionBasis,
  },
  {
    name: 'is_continuation',
    definition: 'Whether this row goes on from one that the active timeout cut.',
    of: (_row, flow) => flow.isContinuation,
  },
  {
    name: 'end_reason',
    definition: 'Why the row ended: idle, active, fin, rst, port_reuse, evicted or shutdown.',
    of: (_row, flow) => flow.endReason,
  },
  {
    name: 'ipfix_end_reason',
    netflow: ['FLOW_END_REASON'],
    definition: 'The same as IPFIX flowEndReason (information element 136).',
    of: (_row, flow) => END_WORDS[flow.endReason].ipfix,
  },
  { name: 'eve_reason', definition: "The same as Suricata eve's flow.reason.", of: (_row, flow) => END_WORDS[flow.endReason].eve },
  { name: 'eve_state', definition: "Suricata eve's flow.state: new, established or closed.", of: stateOf },
  { name: 'conn_state', definition: "Zeek's conn_state.", of: (_row, flow) => flow.connState },
  { name: 'history', definition: "Zeek's history; null when not TCP.", of: (_row, flow) => (flow.history === '' ? null : flow.history) },
]

/** CICFlowMeter's identifying columns, in its order; ports are 0 and not null where the protocol has none. */
export function cicIdentity(row: RowView): string {
  const { proto } = row
  const [src, dst] = [row.address(0), row.address(1)]
  const [srcPort, dstPort] = hasPorts(proto) ? [row.port(0), row.port(1)] : [0, 0]
  return `${src}-${dst}-${srcPort}-${dstPort}-${proto},${src},${srcPort},${dst},${dstPort},${proto},${cicTime(row.baseSec, row.startUs)}`
}

/** `2026-08-23 10:11:12`, UTC: how collectors write the switched times. */
export function switchedTimes(row: RowView): [first: string, last: string] {
  return [plainSecond(row.baseSec, row.startUs), plainSecond(row.baseSec, row.lastUs)]
}
