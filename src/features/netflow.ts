/**
 * A row in NetFlow's dialect: one CSV line a biflow, IN_ being what the initiator sent and OUT_ what the responder sent.
 *
 * In:  a view on a finished row; a function that knows the flow's windowed features, where there is one.
 * Out: eighteen columns by the names that collectors and the NF data sets use, then more of their names that are measured here.
 * Not: columns that are not measured (TTLs, longest packet, windows, layer 7): they are left out, not 0.
 */
import { ACK, CWR, ECE, FIN, PSH, RST, SYN, URG } from '../decode/packet.ts'
import { type Flow, type Measured, TCP } from '../flow/flow.ts'
import { flowId, readFlow } from '../flow/read-flow.ts'
import * as Row from '../flow/row.ts'
import type { RowView } from '../flow/row-view.ts'
import { FEATURES } from './features.ts'
import { END_WORDS, hasPorts, isIcmp, switchedTimes } from './identity.ts'

/** What the hosts of a flow did in the minutes before its end, by WINDOW_COLUMNS; null or absent where it is not known. */
export type WindowFeatures = (flow: Flow) => Readonly<Record<string, Measured>>

interface NetflowColumn {
  name: string
  unit: string
  definition: string
  of(row: RowView): Measured | string
}

const US_PER_MS = 1000
const INITIATOR = 0
const RESPONDER = 1

/** Flag masks and where a direction counts them. */
const FLAG_WORDS: readonly (readonly [mask: number, word: number])[] = [
  [FIN, Row.D_FIN_W],
  [SYN, Row.D_SYN_W],
  [RST, Row.D_RST_W],
  [PSH, Row.D_PSH_W],
  [ACK, Row.D_ACK_W],
  [URG, Row.D_URG_W],
  [ECE, Row.D_ECE_W],
  [CWR, Row.D_CWR_W],
]

/** The flags that one direction's packets had, together; null when not TCP. */
function flagsOf(row: RowView, direction: number): Measured {
  if (row.proto !== TCP) return null
  return FLAG_WORDS.reduce((flags, [mask, word]) => (row.wordOf(direction, word) > 0 ? flags | mask : flags), 0)
}

function bothFlags(row: RowView): Measured {
  const [orig, resp] = [flagsOf(row, INITIATOR), flagsOf(row, RESPONDER)]
  return orig === null || resp === null ? null : orig | resp
}

function spanMs(row: RowView, direction: number): number {
  return (row.cellOf(direction, Row.D_LAST_US) - row.cellOf(direction, Row.D_FIRST_US)) / US_PER_MS
}

function meanGapMs(row: RowView): Measured {
  const packets = row.wordOf(INITIATOR, Row.D_PACKETS_W)
  return packets < 2 ? null : spanMs(row, INITIATOR) / (packets - 1)
}

function meanPacketBytes(row: RowView): Measured {
  const packets = row.wordOf(INITIATOR, Row.D_PACKETS_W)
  return packets === 0 ? null : row.cellOf(INITIATOR, Row.D_IP_SUM) / packets
}

function portOf(row: RowView, direction: number): number {
  return hasPorts(row.proto) ? row.port(direction) : 0
}

const IPFIX_BIFLOW_DIRECTION = { syn: 1, synack: 1, first_packet: 0 } as const
const ICMP_CODE_SHIFT = 16

/** Type × 256 + code, as exporters write it; of the initiator. */
function icmpType(row: RowView): Measured {
  return isIcmp(row.proto) ? row.port(INITIATOR) * 256 + ((row.word(Row.FIRST_PACKET_W) >>> ICMP_CODE_SHIFT) & 0xff) : null
}

const IDENTIFIERS: readonly NetflowColumn[] = [
  { name: 'ID', unit: '', definition: 'flow_id.', of: flowId },
  { name: 'IP_SRC_ADDR', unit: '', definition: "The initiator's address.", of: (row) => row.address(INITIATOR) },
  { name: 'IP_DST_ADDR', unit: '', definition: "The responder's address.", of: (row) => row.address(RESPONDER) },
  { name: 'L4_SRC_PORT', unit: '', definition: "The initiator's port, or 0.", of: (row) => portOf(row, INITIATOR) },
  { name: 'L4_DST_PORT', unit: '', definition: "The responder's port, or 0.", of: (row) => portOf(row, RESPONDER) },
  { name: 'PROTOCOL_NUM', unit: '', definition: 'IANA protocol number.', of: (row) => row.proto },
  { name: 'FIRST_SWITCHED', unit: 'UTC', definition: 'Second of the first packet.', of: (row) => switchedTimes(row)[0] },
  { name: 'LAST_SWITCHED', unit: 'UTC', definition: 'Second of the last packet.', of: (row) => switchedTimes(row)[1] },
]

const DERIVED: readonly NetflowColumn[] = [
  {
    name: 'avg_in_packet_size',
    unit: 'B',
    definition: 'IN_BYTES by IN_PKTS; undefined when the initiator sent none.',
    of: meanPacketBytes,
  },
  {
    name: 'inter_arrival_ms',
    unit: 'ms',
    definition: 'Mean time between consecutive packets of the initiator; undefined with fewer than two.',
    of: meanGapMs,
  },
]

/** These five come from outside the flow; their definitions stand where they are computed, in context/. */
export const WINDOW_COLUMNS = [
  'dst_flows_in_window',
  'src_entropy_PROTOCOL',
  'src_IN_PKTS_sum',
  'src_flows_in_window',
  'src_flag_SYN',
] as const

const FURTHER: readonly NetflowColumn[] = [
  { name: 'TCP_FLAGS', unit: '', definition: 'All TCP flags seen, as an octet; undefined when not TCP.', of: bothFlags },
  { name: 'CLIENT_TCP_FLAGS', unit: '', definition: "The initiator's TCP flags.", of: (row) => flagsOf(row, INITIATOR) },
  { name: 'SERVER_TCP_FLAGS', unit: '', definition: "The responder's TCP flags.", of: (row) => flagsOf(row, RESPONDER) },
  { name: 'DURATION_IN', unit: 'ms', definition: 'First to last packet of the initiator.', of: (row) => spanMs(row, INITIATOR) },
  { name: 'DURATION_OUT', unit: 'ms', definition: 'First to last packet of the responder.', of: (row) => spanMs(row, RESPONDER) },
  { name: 'ICMP_TYPE', unit: '', definition: 'Type × 256 + code; undefined when not ICMP.', of: icmpType },
  { name: 'SRC_VLAN', unit: '', definition: 'Outermost VLAN id; undefined when untagged.', of: (row) => row.vlans[0] ?? null },
  { name: 'FLOW_END_REASON', unit: '', definition: 'IPFIX flowEndReason.', of: (row) => END_WORDS[row.endReason].ipfix },
  {
    name: 'BIFLOW_DIRECTION',
    unit: '',
    definition: 'IPFIX biflowDirection: 1, the initiator is known from a SYN; 0, it is whoever sent the first packet seen.',
    of: (row) => IPFIX_BIFLOW_DIRECTION[row.directionBasis],
  },
]

/** Columns that are features, by the name in the feature table. */
function featureColumns(...names: string[]): NetflowColumn[] {
  return names.map((name) => {
    const feature = FEATURES.find((row) => row.netflow === name)
    if (feature === undefined) throw new Error(`no feature has the NetFlow name ${name}`)
    const per = feature.netflowUnit ?? 1
    const of = (row: RowView): Measured => {
      const value = feature.compute(row)
      return value === null ? null : value / per
    }
    return { name, unit: per === US_PER_MS ? 'ms' : feature.unit, definition: feature.definition, of }
  })
}

const BEFORE_WINDOWS: readonly NetflowColumn[] = [
  ...IDENTIFIERS,
  ...featureColumns('IN_PKTS', 'IN_BYTES', 'FLOW_DURATION_MILLISECONDS'),
  ...DERIVED,
]

const AFTER_WINDOWS: readonly NetflowColumn[] = [
  ...featureColumns('OUT_PKTS', 'OUT_BYTES', 'RETRANSMITTED_IN_PKTS', 'RETRANSMITTED_OUT_PKTS'),
  ...FURTHER,
]

/** What a reader of the contract is told; the windowed five stand between the two halves. */
export const NETFLOW_COLUMNS: readonly NetflowColumn[] = [...BEFORE_WINDOWS, ...AFTER_WINDOWS]

export const NETFLOW_HEADER = [...BEFORE_WINDOWS.map((c) => c.name), ...WINDOW_COLUMNS, ...AFTER_WINDOWS.map((c) => c.name)].join(',')

/** @param empty stands for what is undefined; a windowed feature that nobody computed is an empty cell in any case */
export function netflowLine(row: RowView, empty: string, windowFeatures?: WindowFeatures): string {
  const cell = (column: NetflowColumn): string => String(column.of(row) ?? empty)
  const windows = windowFeatures?.(readFlow(row)) ?? {}
  const windowCells = WINDOW_COLUMNS.map((name) => String(windows[name] ?? ''))
  return [...BEFORE_WINDOWS.map(cell), ...windowCells, ...AFTER_WINDOWS.map(cell)].join(',')
}
