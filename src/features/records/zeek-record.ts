/**
 * A record of Zeek's conn.log.
 *
 * In:  cells by Zeek's field names. Out: the parts of a Flow; flags as far as the history names them: seen, or not.
 * Not: orig_bytes beyond what IP carried: Zeek counts payload by sequence numbers, which a reset or a gap can put anywhere.
 */
import { ACK, FIN, PSH, RST, SYN } from '../../decode/packet.ts'
import { type DirectionBasis, type FlagCounts, type Measured, type Pair, TCP } from '../../flow/flow.ts'
import type { Cells } from './cells.ts'
import { noFlags } from './foreign-flow.ts'
import { type EndpointNames, endpointsOf } from './record-endpoints.ts'
import type { RecordParts } from './record-parts.ts'

const ENDPOINTS: EndpointNames = {
  proto: ['proto'],
  addr: [['id.orig_h'], ['id.resp_h']],
  port: [['id.orig_p'], ['id.resp_p']],
}
const ICMP_NAMES: EndpointNames = { ...ENDPOINTS, port: [[], []] }

export function zeekParts(cells: Cells): RecordParts | null {
  const isIcmp = cells.text('proto')?.startsWith('icmp') === true
  const named = endpointsOf(cells, isIcmp ? ICMP_NAMES : ENDPOINTS)
  if (named === null) return null
  const ends = isIcmp ? icmpEnds(cells, named) : named
  const start = cells.time('ts')
  if (start === null) return cells.fail('ts', 'no start time')
  const duration = cells.number('duration')
  const isTcp = ends.proto === TCP
  const connState = cells.text('conn_state')
  const history = cells.text('history')
  const seen = isTcp && history !== null ? flagsOfHistory(history) : null
  const packets: Pair<Measured> = [cells.count('orig_pkts'), cells.count('resp_pkts')]
  const ipBytes: Pair<Measured> = [cells.count('orig_ip_bytes'), cells.count('resp_ip_bytes')]
  const flags = seen ?? (isTcp ? flagsOfState(connState) : null)
  return {
    ...ends,
    start,
    durationUs: duration === null ? null : Math.round(Math.max(0, duration) * 1e6),
    packets,
    payloadBytes: [carried(cells.count('orig_bytes'), ipBytes[0]), carried(cells.count('resp_bytes'), ipBytes[1])],
    ipBytes,
    directionBasis: basisOf(history, flags),
    flags,
    connState,
    history,
    firstFlags: isTcp && history !== null ? firstFlagsOf(history) : null,
    idleUs: null,
    id: null,
    name: cells.text('uid'),
    isInside: [flagOf(cells.text('local_orig')), flagOf(cells.text('local_resp'))],
  }
}

/** Zeek has ICMP's type and code in the two ports. */
function icmpEnds<T extends { port: Pair<number>; hasPort: Pair<boolean> }>(cells: Cells, ends: T): T {
  return { ...ends, port: [cells.port('id.orig_p') ?? 0, cells.port('id.resp_p') ?? 0], hasPort: [true, true] }
}

function carried(payload: Measured, ipBytes: Measured): Measured {
  return payload === null || ipBytes === null ? payload : Math.min(payload, ipBytes)
}

function flagOf(text: string | null): boolean | null {
  return text === 'T' || text === 'true' ? true : text === 'F' || text === 'false' ? false : null
}

/** A letter is an event of the originator in upper case, of the responder in lower. Zeek writes no letter for PSH. */
function flagsOfHistory(history: string): Pair<FlagCounts> {
  const side = (isUpper: boolean): FlagCounts => {
    const has = (letter: string): number => (history.includes(isUpper ? letter.toUpperCase() : letter) ? 1 : 0)
    // d is payload and a a bare ACK; both carry the flag, as a FIN of a connection that was does.
    const ack = has('a') | has('d') | has('h')
    return { ...noFlags(), syn: has('s') | has('h'), synAck: has('h'), ack, fin: has('f'), rst: has('r') }
  }
  return [side(true), side(false)]
}

/** Without a history: what the state says must have been there. */
const STATES: Readonly<Record<string, readonly [orig: Partial<FlagCounts>, resp: Partial<FlagCounts>]>> = {
  S0: [{ syn: 1 }, {}],
  S1: [
    { syn: 1, ack: 1 },
    { syn: 1, synAck: 1, ack: 1 },
  ],
  S2: [
    { syn: 1, ack: 1, fin: 1 },
    { syn: 1, synAck: 1, ack: 1 },
  ],
  S3: [
    { syn: 1, ack: 1 },
    { syn: 1, synAck: 1, ack: 1, fin: 1 },
  ],
  SF: [
    { syn: 1, ack: 1, fin: 1 },
    { syn: 1, synAck: 1, ack: 1, fin: 1 },
  ],
  REJ: [{ syn: 1 }, { rst: 1, ack: 1 }],
  RSTO: [
    { syn: 1, ack: 1, rst: 1 },
    { syn: 1, synAck: 1, ack: 1 },
  ],
  RSTR: [
    { syn: 1, ack: 1 },
    { syn: 1, synAck: 1, ack: 1, rst: 1 },
  ],
  RSTOS0: [{ syn: 1, rst: 1 }, {}],
  RSTRH: [{}, { syn: 1, synAck: 1, ack: 1, rst: 1 }],
  SH: [{ syn: 1, fin: 1 }, {}],
  SHR: [{}, { syn: 1, synAck: 1, ack: 1, fin: 1 }],
}

function flagsOfState(state: string | null): Pair<FlagCounts> | null {
  const row = state === null ? undefined : STATES[state]
  return row === undefined
    ? null
    : [
        { ...noFlags(), ...row[0] },
        { ...noFlags(), ...row[1] },
      ]
}

function basisOf(history: string | null, flags: Pair<FlagCounts> | null): DirectionBasis {
  if (flags === null) return 'first_packet'
  if (flags[0].syn > flags[0].synAck) return 'syn'
  // `^`: Zeek turned the connection, which it does for a SYN-ACK or for a likely server's port.
  return flags[1].synAck > 0 && (history === null || history.includes('^') || history.startsWith('h')) ? 'synack' : 'first_packet'
}

const FIRST_FLAGS: Readonly<Record<string, number>> = { s: SYN, h: SYN | ACK, a: ACK, d: PSH | ACK, f: FIN, r: RST }

/** Of a FIN or RST the history does not say whether it carried ACK: after one of its sender's it did. */
function firstFlagsOf(history: string): number | null {
  const first = history.replace(/^\^/, '').charAt(0).toLowerCase()
  return FIRST_FLAGS[first] ?? null
}
