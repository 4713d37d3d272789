/**
 * A record of CICFlowMeter's (any edition's header) or of our own `--format jsonl`.
 *
 * In:  cells; names as aliases.ts knows them. Out: the parts of a Flow.
 * Not: flags that cannot be: editions up to 2020 counted the flags of the first packet alone, some under the wrong header (FEATURES.md
 *      section 8). Each TCP packet carries SYN, ACK, RST or FIN; a record whose counts hold fewer than its packets is not believed there.
 *
 * CICFlowMeter counts SYN, ACK and FIN over both directions. Who sent them follows from the numbers of packets, the responder's first
 * window (a SYN-ACK has one, the RST of a closed port has 0) and the header octets.
 */
import { type FlagCounts, type Measured, type Pair, TCP } from '../../flow/flow.ts'
import { spellingsOf } from '../aliases.ts'
import type { Cells } from './cells.ts'
import { type FlowParts, noFlags } from './foreign-flow.ts'
import { type EndpointNames, endpointsOf } from './record-endpoints.ts'
import type { RecordParts } from './record-parts.ts'

/** Every spelling of a column, ours first. */
function spelled(ours: string, head: string): string[] {
  return [ours, head, ...spellingsOf(head)].map((name) => name.toLowerCase())
}

const ENDPOINTS: EndpointNames = {
  proto: spelled('proto', 'Protocol'),
  addr: [spelled('src_ip', 'Src IP'), spelled('dest_ip', 'Dst IP')],
  port: [spelled('src_port', 'Src Port'), spelled('dest_port', 'Dst Port')],
}
const START = spelled('start', 'Timestamp')
const DURATION = spelled('duration_us', 'Flow Duration')
const PACKETS = [spelled('fwd_packets', 'Total Fwd Packet'), spelled('bwd_packets', 'Total Bwd packets')] as const
const PAYLOAD = [
  spelled('fwd_payload_bytes', 'Total Length of Fwd Packet'),
  spelled('bwd_payload_bytes', 'Total Length of Bwd Packet'),
] as const
const FLAGS = (['fin', 'syn', 'rst', 'psh', 'ack', 'urg', 'ece', 'cwr'] as const).map(
  (flag) => [flag, spelled(`${flag}_flag_count`, `${flag.toUpperCase()} Flag Count`)] as const,
)
const BWD_WINDOW = spelled('bwd_init_window', 'Bwd Init Win Bytes')
const BWD_HEADERS = spelled('bwd_header_bytes', 'Bwd Header Length')
const RST = [
  ['fwd_rst_flags', 'fwd rst flags'],
  ['bwd_rst_flags', 'bwd rst flags'],
] as const
const TCP_HEADER = 20

export function cicParts(cells: Cells): RecordParts | null {
  const ends = endpointsOf(cells, ENDPOINTS)
  if (ends === null) return null
  const start = cells.time(...START)
  if (start === null) return cells.fail(START[0], 'no start time')
  const packets: Pair<Measured> = [cells.count(...PACKETS[0]), cells.count(...PACKETS[1])]
  const payloadBytes: Pair<Measured> = [cells.count(...PAYLOAD[0]), cells.count(...PAYLOAD[1])]
  const durationUs = cells.count(...DURATION)
  const isTcp = ends.proto === TCP
  const counted = isTcp ? countedFlags(cells) : null
  const isBelieved = counted !== null && packets[0] !== null && packets[1] !== null && areFlagsPossible(counted, packets[0] + packets[1])
  const flags = isBelieved ? splitFlags(counted, packets as Pair<number>, payloadBytes, cells) : null
  return {
    ...ends,
    start,
    durationUs,
    packets,
    payloadBytes,
    ipBytes: [cells.count('fwd_bytes'), cells.count('bwd_bytes')],
    // Both tools take the sender of the first packet for the initiator, and turn a flow that a SYN-ACK began.
    directionBasis: flags !== null && flags[0].syn > flags[0].synAck ? 'syn' : 'first_packet',
    flags,
    connState: cells.text('conn_state') ?? connStateOf(flags),
    history: cells.text('history'),
    firstFlags: null,
    idleUs: cells.count('idle_time_us'),
    hasUnusableFlags: isTcp && counted !== null && !isBelieved,
    id: cells.count('flow_id'),
  }
}

/** Flags as a foreign meter counted them, both directions together; null when it has no such columns. */
function countedFlags(cells: Cells): Omit<FlagCounts, 'synAck'> | null {
  const counts = FLAGS.map(([flag, names]) => [flag, cells.count(...names)] as const)
  if (counts.every(([, count]) => count === null)) return null
  return Object.fromEntries(counts.map(([flag, count]) => [flag, count ?? 0])) as unknown as Omit<FlagCounts, 'synAck'>
}

/** A NULL or XMAS probe is one packet, or its repetition, without any of the four. */
function areFlagsPossible({ syn, ack, rst, fin }: Omit<FlagCounts, 'synAck'>, packets: number): boolean {
  return syn + ack + rst + fin >= packets
}

function splitFlags(counted: Omit<FlagCounts, 'synAck'>, packets: Pair<number>, payload: Pair<Measured>, cells: Cells): Pair<FlagCounts> {
  const [fwd, bwd] = packets
  if (bwd === 0 || fwd === 0) {
    // One sender: a SYN that carries ACK has as many ACKs as packets.
    const synAck = counted.ack >= (bwd === 0 ? fwd : bwd) ? counted.syn : 0
    const all = { ...counted, synAck }
    return bwd === 0 ? [all, noFlags()] : [noFlags(), all]
  }
  const isRefusal = !isServerOpen(counted, bwd, payload[1], cells)
  const rst: Pair<number> = [
    cells.count(...RST[0]) ?? (isRefusal ? 0 : counted.rst),
    cells.count(...RST[1]) ?? (isRefusal ? counted.rst : 0),
  ]
  const serverSyn = isRefusal || counted.syn < 2 ? 0 : 1
  // All that the responder sends carries ACK, but for a bare RST.
  const serverAck = Math.min(bwd, counted.ack)
  const serverFin = counted.fin > 1 ? 1 : 0
  return [
    { ...counted, syn: counted.syn - serverSyn, ack: counted.ack - serverAck, rst: rst[0], fin: counted.fin - serverFin, synAck: 0 },
    { ...noFlags(), syn: serverSyn, synAck: serverSyn, ack: serverAck, rst: rst[1], fin: serverFin },
  ]
}

/** Did the responder send anything but refusals? */
function isServerOpen(counted: Omit<FlagCounts, 'synAck'>, bwd: number, payload: Measured, cells: Cells): boolean {
  if ((payload ?? 0) > 0 || counted.rst === 0 || bwd > counted.rst) return true
  const window = cells.count(...BWD_WINDOW)
  if (window !== null && window > 0) return true
  const headers = cells.count(...BWD_HEADERS)
  return headers !== null && headers > bwd * TCP_HEADER
}

/** Zeek's word where the flags leave no doubt. */
function connStateOf(flags: FlowParts['flags']): string | null {
  if (flags === null) return null
  const [orig, resp] = flags
  if (orig.syn === orig.synAck) return null
  if (resp.synAck === 0) return resp.rst > 0 ? 'REJ' : resp.ack === 0 && orig.fin === 0 && orig.rst === 0 ? 'S0' : null
  if (orig.rst + resp.rst > 0) return null
  return orig.fin > 0 && resp.fin > 0 ? 'SF' : orig.fin + resp.fin === 0 ? 'S1' : null
}
