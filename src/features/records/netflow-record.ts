/**
 * A record under NetFlow's field names, or of nfdump's: one direction of a conversation, or both when it has counts of what came back.
 *
 * In:  cells. Out: the parts of a Flow. Names: IPFIX and nProbe's (CONVENTIONS.md section 7), nfdump 1.6's and 1.7's CSV and JSON.
 * Not: payload, which NetFlow does not measure: it is worked out from IP octets later, and marked.
 *
 * Halves are paired in pairing.ts. A half's flags hold SYN and ACK on both sides of a whole connection: who began is decided there.
 */
import type { RecordFormatName } from '../../capture/record-format.ts'
import { type FlagCounts, type Measured, type Pair, TCP } from '../../flow/flow.ts'
import type { Cells } from './cells.ts'
import { noFlags } from './foreign-flow.ts'
import { type EndpointNames, endpointsOf } from './record-endpoints.ts'
import type { RecordParts } from './record-parts.ts'
import { recordTime } from './record-time.ts'
import { flagOctet, seenFlags, unionFlags } from './tcp-flags.ts'

interface Names {
  ends: EndpointNames
  start: readonly string[]
  end: readonly string[]
  durationMs: readonly string[]
  durationS: readonly string[]
  packets: Pair<readonly string[]>
  bytes: Pair<readonly string[]>
  /** Both directions' flags, or those of a half. */
  flags: readonly string[]
  flagsOf: Pair<readonly string[]>
  sampling: readonly string[]
  id: readonly string[]
}

const NAMES = {
  netflow: {
    ends: {
      proto: ['protocol_num', 'protocol', 'proto'],
      addr: [
        ['ip_src_addr', 'ipv4_src_addr', 'ipv6_src_addr', 'srcaddr', 'src_addr'],
        ['ip_dst_addr', 'ipv4_dst_addr', 'ipv6_dst_addr', 'dstaddr', 'dst_addr'],
      ],
      port: [
        ['l4_src_port', 'src_port', 'srcport'],
        ['l4_dst_port', 'dst_port', 'dstport'],
      ],
    },
    start: ['flow_start_milliseconds', 'flow_start_microseconds', 'first_switched', 'flow_start_seconds'],
    end: ['flow_end_milliseconds', 'flow_end_microseconds', 'last_switched', 'flow_end_seconds'],
    durationMs: ['flow_duration_milliseconds'],
    durationS: [],
    packets: [['in_pkts'], ['out_pkts']],
    bytes: [['in_bytes'], ['out_bytes']],
    flags: ['tcp_flags'],
    flagsOf: [['client_tcp_flags'], ['server_tcp_flags']],
    sampling: ['sampling_interval', 'sampling_rate'],
    id: ['id', 'flow_id'],
  },
  nfdump: {
    ends: {
      proto: ['pr', 'proto'],
      addr: [
        ['sa', 'srcaddr', 'src4_addr', 'src6_addr'],
        ['da', 'dstaddr', 'dst4_addr', 'dst6_addr'],
      ],
      port: [
        ['sp', 'srcport', 'src_port'],
        ['dp', 'dstport', 'dst_port'],
      ],
    },
    start: ['ts', 'firstseen', 'first', 't_first', 'tfs'],
    end: ['te', 'lastseen', 'last', 't_last', 'tle'],
    durationMs: [],
    durationS: ['td', 'duration', 'tdur'],
    packets: [
      ['ipkt', 'packets', 'in_packets', 'pkt'],
      ['opkt', 'outpackets', 'out_packets'],
    ],
    bytes: [
      ['ibyt', 'bytes', 'in_bytes', 'byt'],
      ['obyt', 'outbytes', 'out_bytes'],
    ],
    flags: ['flg', 'flags', 'tcp_flags', 'tcpflags'],
    flagsOf: [[], []],
    sampling: [],
    id: [],
  },
} as const satisfies Partial<Record<RecordFormatName, Names>>

export function netflowParts(cells: Cells, format: 'netflow' | 'nfdump'): RecordParts | null {
  const names: Names = NAMES[format]
  const ends = endpointsOf(cells, names.ends)
  if (ends === null) return null
  const start = cells.time(...names.start)
  if (start === null) return cells.fail(names.start[0], `no start time (${names.start.join(', ')})`)
  const packets: Pair<Measured> = [cells.count(...names.packets[0]), cells.count(...names.packets[1])]
  if (packets[0] === null) return cells.fail(names.packets[0][0], 'no count of packets')
  const out = packets[1]
  const bytes: Pair<Measured> = [cells.count(...names.bytes[0]), cells.count(...names.bytes[1])]
  // nfdump writes 0 for the direction that a record of one direction does not hold.
  const isHalf = out === null || (format === 'nfdump' && out === 0)
  const flags = ends.proto === TCP ? flagsOf(cells, names, isHalf ? null : out) : null
  const given = cells.number(...names.sampling)
  return {
    ...ends,
    start,
    durationUs: durationOf(cells, names, start.us),
    packets: [packets[0], isHalf ? 0 : out],
    payloadBytes: [null, null],
    ipBytes: [bytes[0], isHalf ? 0 : bytes[1]],
    directionBasis: flags !== null && isOpening(flags[0]) ? 'syn' : 'first_packet',
    flags,
    connState: null,
    history: null,
    firstFlags: null,
    idleUs: null,
    isHalf,
    id: cells.count(...names.id),
    ...(given !== null && given > 1 ? { sampling: given } : {}),
  }
}

/** A duration of its own is finer than two times of whole seconds. */
function durationOf(cells: Cells, names: Names, startUs: number): number | null {
  const ms = cells.count(...names.durationMs)
  if (ms !== null) return ms * 1000
  const seconds = cells.count(...names.durationS)
  if (seconds !== null) return Math.round(seconds * 1e6)
  const end = cells.text(...names.end)
  const time = end === null ? null : recordTime(end)
  return time === null ? null : Math.max(0, time.us - startUs)
}

function flagsOf(cells: Cells, names: Names, out: Measured): Pair<FlagCounts> | null {
  const sides = names.flagsOf.map((columns) => cells.text(...columns))
  if (sides[0] !== null && (sides[1] !== null || out === null || out === 0)) {
    const [client, server] = sides.map((text) => seenFlags(flagOctet(text ?? '0') ?? 0))
    return [client, { ...server, synAck: server.syn & server.ack }]
  }
  const text = cells.text(...names.flags)
  if (text === null) return null
  const octet = flagOctet(text)
  if (octet === null) return cells.fail(names.flags[0], `'${text.slice(0, 20)}' are no TCP flags`)
  return out === null ? [seenFlags(octet), noFlags()] : unionFlags(octet, out > 0)
}

function isOpening(flags: FlagCounts): boolean {
  return flags.syn === 1 && flags.ack === 0
}
