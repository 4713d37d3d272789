/**
 * Two records of one direction each become one conversation, and pieces of a long conversation become one connection (SCORER.md section 3).
 *
 *   A → B ┐  mirrored addresses and ports, starts at most two seconds apart or times that overlap → one flow, both halves
 *   B → A ┘
 *
 * In:  flows in the order of their last packets; those that are halves have `record.isOneWay`. Times in µs since 1970.
 * Out: flows, each when its other half can no longer come: PAIR_WAIT_US after its end, or at `finish`.
 * Not: what exporters cut at their active timeout is not added up: as with our own meter a later piece is a row of its own, marked as
 *      one that goes on (`isContinuation`), under the first one's id.
 * The invariant: both tables are bounded; when full, the oldest entry leaves early and is counted.
 */
import type { FlagCounts, Flow, Measured, Pair } from '../../flow/flow.ts'
import { TCP } from '../../flow/flow.ts'

const PAIR_START_US = 2e6
/** Exporters' usual inactive timeouts are 15 to 60 s: the half that goes on longer ends within it. */
export const PAIR_WAIT_US = 60e6
/** An exporter that cuts long flows does so after 60 s at the least. */
const PIECE_US_MIN = 45e6
const PIECE_GAP_FACTOR = 1.5
/** A piece of the longest active timeout in use (30 min), and the gap after it. */
const CONNECTION_WAIT_US = 3600e6

export interface PairingCounters {
  /** Halves that found each other, counted once a pair. */
  paired: number
  /** Halves whose other one never came. */
  unpaired: number
  /** Rows that go on from an earlier one. */
  pieces: number
  /** Entries that left a full table early. */
  leftEarly: number
}

interface Connection {
  id: number
  lastUs: number
  /** How long its newest piece lasted. */
  pieceUs: number
  /** The endpoint that began it. */
  orig: string
  basis: Flow['directionBasis']
}

export class Pairing {
  readonly counters: PairingCounters = { paired: 0, unpaired: 0, pieces: 0, leftEarly: 0 }
  readonly #entriesMax: number
  readonly #waiting = new Map<string, Flow>()
  readonly #connections = new Map<string, Connection>()

  constructor(entriesMax: number) {
    this.#entriesMax = entriesMax
  }

  /** The flows that are whole by now. */
  take(flow: Flow): Flow[] {
    const whole = this.#leave(flow.endUs)
    if (flow.record?.isOneWay !== true) return [...whole, this.#join(flow)]
    const key = keyOf(flow)
    const other = this.#waiting.get(key)
    if (other !== undefined) {
      this.#waiting.delete(key)
      if (isMirrored(other, flow) && isSameTime(other, flow)) {
        this.counters.paired++
        return [...whole, this.#join(paired(other, flow))]
      }
      whole.push(this.#alone(other))
    }
    if (this.#waiting.size >= this.#entriesMax) {
      this.counters.leftEarly++
      whole.push(...this.#first())
    }
    this.#waiting.set(key, flow)
    return whole
  }

  finish(): Flow[] {
    const rest = [...this.#waiting.values()].map((flow) => this.#alone(flow))
    this.#waiting.clear()
    return rest
  }

  /** They wait in the order of their ends. */
  #leave(nowUs: number): Flow[] {
    const whole: Flow[] = []
    for (const flow of this.#waiting.values()) {
      if (nowUs - flow.endUs <= PAIR_WAIT_US) break
      this.#waiting.delete(keyOf(flow))
      whole.push(this.#alone(flow))
    }
    for (const [key, connection] of this.#connections) {
      if (nowUs - connection.lastUs <= CONNECTION_WAIT_US) break
      this.#connections.delete(key)
    }
    return whole
  }

  #first(): Flow[] {
    for (const [key, flow] of this.#waiting) {
      this.#waiting.delete(key)
      return [this.#alone(flow)]
    }
    return []
  }

  #alone(flow: Flow): Flow {
    this.counters.unpaired++
    return this.#join(flow)
  }

  /** Marks what goes on from an earlier piece. Only pieces long enough to have been cut are remembered. */
  #join(flow: Flow): Flow {
    // Zeek follows a connection to its end: what comes after it is another one.
    if (flow.record?.hasAddresses === false || flow.record?.format === 'zeek') return flow
    const key = keyOf(flow)
    const before = this.#connections.get(key)
    const lasted = flow.lastUs - flow.startUs
    const isPiece = before !== undefined && !isNewConnection(flow) && flow.startUs - before.lastUs <= PIECE_GAP_FACTOR * before.pieceUs
    const joined = isPiece ? goingOn(flow, before) : flow
    if (isPiece) this.counters.pieces++
    this.#connections.delete(key)
    if (lasted >= PIECE_US_MIN) {
      if (this.#connections.size >= this.#entriesMax) {
        this.counters.leftEarly++
        for (const oldest of this.#connections.keys()) {
          this.#connections.delete(oldest)
          break
        }
      }
      const { id, directionBasis: basis } = joined
      this.#connections.set(key, { id, lastUs: flow.lastUs, pieceUs: lasted, orig: endpoint(joined, 0), basis })
    }
    return joined
  }
}

/** One name for both directions. ICMP's types differ between question and answer. */
function keyOf(flow: Flow): string {
  const ends = [endpoint(flow, 0), endpoint(flow, 1)].sort()
  return `${flow.proto} ${ends[0]} ${ends[1]}`
}

function endpoint(flow: Flow, side: 0 | 1): string {
  return hasPorts(flow) ? `${flow.addr[side]} ${flow.port[side]}` : flow.addr[side]
}

function hasPorts({ proto }: Flow): boolean {
  return proto !== 1 && proto !== 58
}

function isMirrored(a: Flow, b: Flow): boolean {
  if (a.addr[0] !== b.addr[1] || a.addr[1] !== b.addr[0]) return false
  return hasPorts(a) ? a.port[0] === b.port[1] && a.port[1] === b.port[0] : a.port[0] !== b.port[0]
}

function isSameTime(a: Flow, b: Flow): boolean {
  if (Math.abs(a.startUs - b.startUs) <= PAIR_START_US) return true
  return a.startUs <= b.lastUs && b.startUs <= a.lastUs
}

/** A SYN without its answer's ACK among this piece's flags, or one that is known to begin it. */
function isNewConnection(flow: Flow): boolean {
  return flow.proto === TCP && (flow.directionBasis === 'syn' || (flow.flags?.some((side) => side.syn > 0) ?? false))
}

/** The initiator: who sent a SYN without ACK, else who sent first, else whose port is the higher one. */
function firstIsOrig(a: Flow, b: Flow): boolean {
  const opens = [a, b].map((half) => half.directionBasis === 'syn')
  if (opens[0] !== opens[1]) return opens[0]
  if (a.startUs !== b.startUs) return a.startUs < b.startUs
  if (!hasPorts(a)) return a.port[0] === 8 || a.port[0] === 128
  return a.port[0] >= a.port[1]
}

function paired(a: Flow, b: Flow): Flow {
  const [orig, resp] = firstIsOrig(a, b) ? [a, b] : [b, a]
  const both = (of: (flow: Flow) => Pair<Measured>): Pair<Measured> => [of(orig)[0], of(resp)[0]]
  const flags: Pair<FlagCounts> | null = orig.flags === null || resp.flags === null ? null : [orig.flags[0], answering(resp.flags[0])]
  const isOpen = flags !== null && flags[0].syn > 0 && (orig.directionBasis === 'syn' || orig.startUs < resp.startUs)
  const stated = orig.record
  const lastUs = Math.max(orig.lastUs, resp.lastUs)
  return {
    ...orig,
    startUs: Math.min(orig.startUs, resp.startUs),
    lastUs,
    endUs: lastUs,
    directionBasis: isOpen ? 'syn' : 'first_packet',
    packets: both((flow) => flow.packets),
    payloadBytes: both((flow) => flow.payloadBytes),
    ipBytes: both((flow) => flow.ipBytes),
    flags,
    ...(stated === undefined ? {} : { record: { ...stated, isOneWay: false } }),
  }
}

/** The responder's SYN is its answer. */
function answering(flags: FlagCounts): FlagCounts {
  return { ...flags, synAck: flags.syn & flags.ack }
}

function goingOn(flow: Flow, before: Connection): Flow {
  const { id, basis: directionBasis } = before
  if (endpoint(flow, 0) === before.orig) return { ...flow, id, directionBasis, isContinuation: true }
  const turned = <T>([a, b]: Pair<T>): Pair<T> => [b, a]
  const { record } = flow
  return {
    ...flow,
    id,
    directionBasis,
    isContinuation: true,
    addr: turned(flow.addr),
    port: hasPorts(flow) ? turned(flow.port) : flow.port,
    packets: turned(flow.packets),
    payloadBytes: turned(flow.payloadBytes),
    ipBytes: turned(flow.ipBytes),
    flags: flow.flags === null ? null : turned(flow.flags),
    ...(record === undefined
      ? {}
      : { record: { ...record, side: record.side === 0 ? 1 : 0, hasPort: turned(record.hasPort), isInside: turned(record.isInside) } }),
  }
}
