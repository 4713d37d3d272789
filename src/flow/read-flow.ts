/**
 * A finished row as a plain Flow, for the analysis side.
 *
 * In:  a view on a row. Out: a fresh object; its `row` is valid only while the batch is.
 */
import { type FlagCounts, type Flow, ICMP, ICMPV6, type Pair, TCP } from './flow.ts'
import { flowIdOf } from './flow-key.ts'
import { historyOf, otherConnState, tcpConnState } from './history.ts'
import * as Row from './row.ts'
import type { RowView } from './row-view.ts'

const US_PER_S = 1e6

function pair<T>(of: (direction: number) => T): Pair<T> {
  return [of(0), of(1)]
}

function flagCounts(row: RowView, direction: number): FlagCounts {
  return {
    fin: row.wordOf(direction, Row.D_FIN_W),
    syn: row.wordOf(direction, Row.D_SYN_W),
    rst: row.wordOf(direction, Row.D_RST_W),
    psh: row.wordOf(direction, Row.D_PSH_W),
    ack: row.wordOf(direction, Row.D_ACK_W),
    urg: row.wordOf(direction, Row.D_URG_W),
    ece: row.wordOf(direction, Row.D_ECE_W),
    cwr: row.wordOf(direction, Row.D_CWR_W),
    synAck: row.wordOf(direction, Row.D_SYN_ACK_W),
  }
}

export function readFlow(row: RowView): Flow {
  const proto = row.proto
  const isTcp = proto === TCP
  const firstPacket = row.word(Row.FIRST_PACKET_W)
  const state = row.word(Row.STATE_W)
  const mergedPackets = row.word(Row.MERGED_PACKETS_W)
  const isIcmp = proto === ICMP || proto === ICMPV6
  return {
    id: flowId(row),
    proto,
    addr: pair((d) => row.address(d)),
    // The initiator's type from the key: a row cut off a longer exchange may begin with the reply.
    port: isIcmp ? [row.port(0), (firstPacket >>> 16) & 0xff] : pair((d) => row.port(d)),
    vlans: row.vlans,
    startUs: row.startUs,
    lastUs: row.lastUs,
    endUs: row.cell(Row.END_US),
    endReason: row.endReason,
    directionBasis: row.directionBasis,
    isContinuation: (state & Row.IS_CONTINUATION) !== 0,
    ...(row.cell(Row.CONNECTION_START_US) === row.startUs ? {} : { connectionStartUs: row.cell(Row.CONNECTION_START_US) }),
    packets: pair((d) => row.wordOf(d, Row.D_PACKETS_W)),
    payloadBytes: pair((d) => row.cellOf(d, Row.D_PAYLOAD_SUM)),
    // Of merged packets the sizes are not those of the wire.
    payloadSquares: mergedPackets > 0 ? [null, null] : pair((d) => row.cellOf(d, Row.D_PAYLOAD_SUM_SQ)),
    ipBytes: pair((d) => row.cellOf(d, Row.D_IP_SUM)),
    flags: isTcp ? pair((d) => flagCounts(row, d)) : null,
    connState: isTcp ? tcpConnState(state) : otherConnState(state),
    history: isTcp ? historyOf(row.words, row.at) : '',
    icmpErrors: row.word(Row.ICMP_ERRORS_W),
    idleUs: row.cell(Row.IDLE_SUM_US),
    gapStdUs: mergedPackets > 0 ? null : gapStd(row),
    ...(mergedPackets > 0 ? { mergedPackets } : {}),
    firstFlags: isTcp ? firstPacket & 0xff : null,
    row: { cells: row.cells, words: row.words, at: row.at },
  }
}

/** In floating point: good enough to be put in a bin; the features of files are exact. */
function gapStd(row: RowView): number | null {
  const gaps = row.wordOf(0, Row.D_PACKETS_W) + row.wordOf(1, Row.D_PACKETS_W) - 1
  if (gaps < 2) return null
  const squares = row.cell(Row.FLOW_IAT_SQ) + row.word(Row.FLOW_IAT_SQ_CARRY_W) * 2 ** 52
  const sum = row.lastUs - row.startUs
  return Math.sqrt(Math.max(0, (squares - (sum * sum) / gaps) / (gaps - 1)))
}

/** The same on every run and for every row of a connection. */
export function flowId(row: RowView): number {
  const startUs = row.cell(Row.CONNECTION_START_US)
  const offsetSec = Math.floor(startUs / US_PER_S)
  return flowIdOf(row.words, row.at * 2, row.baseSec + offsetSec, startUs - offsetSec * US_PER_S)
}
