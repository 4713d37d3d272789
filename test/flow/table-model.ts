/**
 * The flow table once more, as plainly as it can be said: a Map of objects, written from DESIGN.md section 4 and FEATURES.md, not from
 * the code. Rows keep all their packets; every number is worked out from them when the row ends.
 *
 * In:  packets, whose time may go back. Out: rows in the order (end, start, key).
 * Not: the cap, ICMP errors, VLANs.
 */

const S = 1e6
const TIMEOUTS = { active: 120 * S, tcp: { new: 60 * S, established: 600 * S, closed: 5 * S }, udp: 60 * S, icmp: 30 * S, other: 60 * S }
const ACTIVITY_GAP = 5 * S
const SUBFLOW_GAP = 1 * S
const BULK_GAP = 1 * S
const BULK_PACKETS = 4
/** Packets within which a SYN still corrects the direction. */
const DIRECTION_PACKETS = 3
/** In tests a clock is either late by less than this, or set back by more. */
export const CLOCK_STEP_US = 30 * S

export interface ModelKey {
  proto: number
  /** Sorted: 0 is the smaller (address, port). */
  ends: readonly [string, string]
  /** What a row's place among others with the same times follows from. */
  rank: number
}

export interface ModelPacket {
  key: ModelKey
  /** Which end sent it. */
  from: 0 | 1
  timeUs: number
  flags: { fin: boolean; syn: boolean; rst: boolean; psh: boolean; ack: boolean; urg: boolean; ece: boolean; cwr: boolean }
  seq: number
  window: number
  payload: number
  header: number
  ipLen: number
}

export interface ModelRow {
  key: ModelKey
  orig: 0 | 1
  basis: string
  isContinuation: boolean
  start: number
  last: number
  end: number
  reason: string
  connState: string | null
  packets: readonly [number, number]
  payload: readonly [number, number]
  /** Every feature; a function, since it is most of the work. */
  features(): Record<string, number | null>
}

/** A packet as its row has it: late ones at the row's last time. */
interface Counted {
  packet: ModelPacket
  time: number
  isRetransmitted: boolean
}

interface Connection {
  key: ModelKey
  orig: 0 | 1
  basis: 'first_packet' | 'synack' | 'syn'
  last: number
  tcp: 'new' | 'established' | 'closed'
  closedBy: 'fin' | 'rst'
  /** When its first packet came, whichever row that was counted in. */
  start: number
  seen: Set<string>
  nextSeq: [number | null, number | null]
  firstWindow: [number | null, number | null]
  firstOpenWindow: [number, number]
  packets: number
  isContinuation: boolean
  row: Counted[]
}

const OTHER = [1, 0] as const

export class ModelTable {
  readonly rows: ModelRow[] = []
  readonly #connections = new Map<ModelKey, Connection>()
  #ended: ModelRow[] = []
  #now = Number.NEGATIVE_INFINITY

  get now(): number {
    return this.#now
  }

  /** The open connection of a key, for tests that want to hit its timeouts. */
  lastOf(key: ModelKey): number | null {
    return this.#connections.get(key)?.last ?? null
  }

  meter(packet: ModelPacket): void {
    this.advance(packet.timeUs)
    let connection = this.#connections.get(packet.key)
    if (connection !== undefined && !this.#takes(connection, packet)) connection = undefined
    connection ??= this.#open(packet)
    count(connection, packet)
  }

  advance(time: number): void {
    if (time < this.#now - CLOCK_STEP_US) {
      this.finish()
      this.#now = time
    }
    const second = Math.floor(time / S)
    if (second > Math.floor(this.#now / S)) {
      // Only what has passed when the new second began; the rest is found out by the packets themselves, or in the next second.
      for (const connection of [...this.#connections.values()]) this.#expire(connection, second * S)
      this.#now = time
    }
    this.#now = Math.max(this.#now, time)
  }

  finish(): void {
    for (const connection of [...this.#connections.values()]) {
      this.#expire(connection, this.#now)
      if (this.#connections.get(connection.key) === connection && connection.row.length > 0) this.#endRow(connection, this.#now, 'shutdown')
    }
    this.#connections.clear()
    this.#ended.sort((a, b) => a.end - b.end || a.start - b.start || a.key.rank - b.key.rank)
    this.rows.push(...this.#ended)
    this.#ended = []
    this.#now = Number.NEGATIVE_INFINITY
  }

  /** Whether the packet goes on with the connection; if not, the connection has ended. */
  #takes(connection: Connection, packet: ModelPacket): boolean {
    this.#expire(connection, packet.timeUs)
    if (this.#connections.get(packet.key) !== connection) return false
    if (connection.tcp === 'closed' && packet.flags.syn) {
      if (connection.row.length > 0) this.#endRow(connection, Math.max(packet.timeUs, connection.last), 'port_reuse')
      this.#connections.delete(packet.key)
      return false
    }
    return true
  }

  /** Ends what lies before `time`: the row at the earlier of its deadlines, the connection at its idle one. */
  #expire(connection: Connection, time: number): void {
    const idleAt = connection.last + idleTimeout(connection)
    const activeAt = connection.row.length > 0 ? connection.row[0].time + TIMEOUTS.active : Number.POSITIVE_INFINITY
    if (Math.min(idleAt, activeAt) >= time) return
    if (connection.row.length > 0) {
      if (activeAt < idleAt) this.#endRow(connection, activeAt, 'active')
      else this.#endRow(connection, idleAt, connection.tcp === 'closed' ? connection.closedBy : 'idle')
    }
    if (idleAt < time) this.#connections.delete(connection.key)
  }

  #endRow(connection: Connection, end: number, reason: string): void {
    // A row that a late packet ends leaves now, not behind those that have left.
    const notBefore = Math.floor(this.#now / S) * S
    this.#ended.push(rowOf(connection, Math.max(end, notBefore), reason))
    connection.row = []
    connection.isContinuation = true
  }

  #open(packet: ModelPacket): Connection {
    const { syn, ack } = packet.flags
    const isTcp = packet.key.proto === 6
    const isReply = isTcp && syn && ack
    const connection: Connection = {
      key: packet.key,
      orig: isReply ? OTHER[packet.from] : packet.from,
      basis: isReply ? 'synack' : isTcp && syn ? 'syn' : 'first_packet',
      last: packet.timeUs,
      tcp: 'new',
      closedBy: 'fin',
      start: packet.timeUs,
      seen: new Set(),
      nextSeq: [null, null],
      firstWindow: [null, null],
      firstOpenWindow: [0, 0],
      packets: 0,
      isContinuation: false,
      row: [],
    }
    this.#connections.set(packet.key, connection)
    return connection
  }
}

function idleTimeout(connection: Connection): number {
  const { proto } = connection.key
  if (proto === 6) return TIMEOUTS.tcp[connection.tcp]
  return proto === 17 ? TIMEOUTS.udp : proto === 1 ? TIMEOUTS.icmp : TIMEOUTS.other
}

function count(connection: Connection, packet: ModelPacket): void {
  const time = Math.max(packet.timeUs, connection.last)
  connection.last = time
  if (packet.key.proto === 6) correctDirection(connection, packet)
  connection.packets++
  connection.seen.add(`spoke ${packet.from}`)
  const isRetransmitted = packet.key.proto === 6 && noteTcp(connection, packet)
  connection.row.push({ packet, time, isRetransmitted })
}

/** FEATURES.md A15: a SYN outdoes a SYN+ACK, which outdoes the first packet; not once a row of the connection has left. */
function correctDirection(connection: Connection, packet: ModelPacket): void {
  if (connection.row.length === 0 || connection.packets >= DIRECTION_PACKETS || !packet.flags.syn) return
  if (!packet.flags.ack && connection.basis !== 'syn') {
    connection.orig = packet.from
    connection.basis = 'syn'
  } else if (packet.flags.ack && connection.basis === 'first_packet') {
    connection.orig = OTHER[packet.from]
    connection.basis = 'synack'
  }
}

/** Windows, state and sequence numbers. Returns whether the segment is a retransmission (A11). */
function noteTcp(connection: Connection, packet: ModelPacket): boolean {
  const { from, flags, window } = packet
  const { seen } = connection
  connection.firstWindow[from] ??= window
  if (connection.firstOpenWindow[from] === 0) connection.firstOpenWindow[from] = window
  if (flags.rst && !seen.has('rst 0') && !seen.has('rst 1') && !seen.has(`fin ${from}`)) seen.add(`rst first ${from}`)
  if (flags.syn) seen.add(`${flags.ack ? 'synack' : 'syn'} ${from}`)
  if (flags.fin) seen.add(`fin ${from}`)
  if (flags.rst) seen.add(`rst ${from}`)
  if (packet.payload > 0) seen.add(`data ${from}`)
  const isAnswered = flags.ack && !flags.rst && seen.has(`synack ${OTHER[from]}`)
  const isMidStream =
    seen.has(`spoke ${OTHER[from]}`) && !seen.has('syn 0') && !seen.has('syn 1') && (seen.has('data 0') || seen.has('data 1'))
  if (connection.tcp === 'new' && (isAnswered || isMidStream)) connection.tcp = 'established'
  if (connection.tcp !== 'closed' && (flags.rst || (seen.has('fin 0') && seen.has('fin 1')))) {
    connection.tcp = 'closed'
    connection.closedBy = flags.rst ? 'rst' : 'fin'
  }
  return noteSequence(connection, packet)
}

const SPACE = 2 ** 32

/** How far `a` is ahead of `b` in a number space that wraps, from -2^31 on. */
function ahead(a: number, b: number): number {
  const distance = (((a - b) % SPACE) + SPACE) % SPACE
  return distance >= SPACE / 2 ? distance - SPACE : distance
}

function noteSequence(connection: Connection, { from, flags, seq, payload }: ModelPacket): boolean {
  const len = payload + (flags.syn ? 1 : 0) + (flags.fin ? 1 : 0)
  if (len === 0) return false
  const end = (seq + len) % SPACE
  const next = connection.nextSeq[from]
  if (next === null || ahead(end, next) > 0) connection.nextSeq[from] = end
  if (next === null || ahead(seq, next) >= 0) return false
  const isKeepAlive = ahead(seq, next) === -1 && payload <= 1 && !flags.syn && !flags.fin
  return !isKeepAlive
}

function connState({ key, seen, orig }: Connection): string {
  const has = (what: string, end: number): boolean => seen.has(`${what} ${end}`)
  const resp = OTHER[orig]
  if (key.proto !== 6) return has('spoke', orig) ? (has('spoke', resp) ? 'SF' : 'S0') : 'SHR'
  const isSyn = has('syn', orig)
  const isSynAck = has('synack', resp)
  const isBoth = isSyn && isSynAck
  if (has('rst first', orig)) return isBoth ? 'RSTO' : isSyn ? 'RSTOS0' : 'OTH'
  if (has('rst first', resp)) return isBoth ? 'RSTR' : isSyn ? 'REJ' : isSynAck ? 'RSTRH' : 'OTH'
  if (isBoth) return has('fin', orig) ? (has('fin', resp) ? 'SF' : 'S2') : has('fin', resp) ? 'S3' : 'S1'
  if (isSyn) return has('fin', orig) ? 'SH' : 'S0'
  return isSynAck && has('fin', resp) ? 'SHR' : 'OTH'
}

function rowOf(connection: Connection, end: number, reason: string): ModelRow {
  const { key, orig, basis, isContinuation, row } = connection
  const firstWindow: [number | null, number | null] = [...connection.firstWindow]
  const firstOpenWindow: [number, number] = [...connection.firstOpenWindow]
  return {
    key,
    orig,
    basis,
    isContinuation,
    start: row[0].time,
    last: row[row.length - 1].time,
    end,
    reason,
    connState: connState(connection),
    packets: [0, 1].map((end) => row.filter(({ packet }) => packet.from === end).length) as [number, number],
    payload: [0, 1].map((end) => sum(row.filter(({ packet }) => packet.from === end).map(({ packet }) => packet.payload))) as [
      number,
      number,
    ],
    features: () => featuresOf({ ...connection, firstWindow, firstOpenWindow, row }),
  }
}

const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0)

function statistics(name: string, values: readonly number[]): Record<string, number> {
  const n = values.length
  const mean = n === 0 ? 0 : sum(values) / n
  const variance = n < 2 ? 0 : sum(values.map((v) => (v - mean) ** 2)) / (n - 1)
  return {
    [`${name}_mean`]: mean,
    [`${name}_std`]: Math.sqrt(variance),
    [`${name}_max`]: n === 0 ? 0 : Math.max(...values),
    [`${name}_min`]: n === 0 ? 0 : Math.min(...values),
  }
}

function gapsOf(row: readonly Counted[]): number[] {
  return row.slice(1).map(({ time }, i) => time - row[i].time)
}

function featuresOf(connection: Connection): Record<string, number | null> {
  const { row, orig } = connection
  const gaps = gapsOf(row)
  const duration = sum(gaps)
  const pauses = gaps.filter((gap) => gap > SUBFLOW_GAP).length
  const payloads = row.map(({ packet }) => packet.payload)
  const rate = (amount: number): number | null => (duration > 0 ? (amount / duration) * S : null)
  const ends = [orig, OTHER[orig]] as const
  const of = ends.map((end) => row.filter(({ packet }) => packet.from === end))
  const all = statistics('payload', payloads)
  return {
    duration_us: duration,
    bytes_per_s: rate(sum(payloads)),
    packets_per_s: rate(row.length),
    ...all,
    payload_variance: all.payload_std ** 2,
    payload_average: all.payload_mean,
    ...statistics('flow_iat', gaps),
    ...flagsOf(row),
    down_up_ratio: of[0].length === 0 ? 0 : of[1].length / of[0].length,
    ...directionOf('fwd', of[0], pauses, rate),
    ...directionOf('bwd', of[1], pauses, rate),
    ...bulksOf('fwd', row, ends[0]),
    ...bulksOf('bwd', row, ends[1]),
    fwd_init_window: connection.firstWindow[ends[0]] ?? 0,
    bwd_init_window: connection.firstOpenWindow[ends[1]],
    retransmissions: row.filter((counted) => counted.isRetransmitted).length,
    connection_duration_us: row[row.length - 1].time - connection.start,
    ...periodsOf(row, gaps),
    subflow_count: pauses + 1,
  }
}

function flagsOf(row: readonly Counted[]): Record<string, number> {
  const names = ['fin', 'syn', 'rst', 'psh', 'ack', 'urg', 'cwr', 'ece'] as const
  return Object.fromEntries(names.map((name) => [`${name}_flag_count`, row.filter(({ packet }) => packet.flags[name]).length]))
}

function directionOf(
  name: string,
  row: readonly Counted[],
  pauses: number,
  rate: (amount: number) => number | null,
): Record<string, number | null> {
  const payloads = row.map(({ packet }) => packet.payload)
  const sizes = statistics(`${name}_payload`, payloads)
  const gaps = gapsOf(row)
  return {
    [`${name}_packets`]: row.length,
    [`${name}_payload_bytes`]: sum(payloads),
    ...sizes,
    [`${name}_segment_average`]: sizes[`${name}_payload_mean`],
    [`${name}_iat_total`]: sum(gaps),
    ...statistics(`${name}_iat`, gaps),
    [`${name}_psh_flags`]: row.filter(({ packet }) => packet.flags.psh).length,
    [`${name}_urg_flags`]: row.filter(({ packet }) => packet.flags.urg).length,
    [`${name}_rst_flags`]: row.filter(({ packet }) => packet.flags.rst).length,
    [`${name}_data_packets`]: payloads.filter((payload) => payload > 0).length,
    [`${name}_header_bytes`]: sum(row.map(({ packet }) => packet.header)),
    [`${name}_header_min`]: row.length === 0 ? 0 : Math.min(...row.map(({ packet }) => packet.header)),
    [`${name}_packets_per_s`]: rate(row.length),
    [`${name}_subflow_packets`]: pauses === 0 ? 0 : row.length / pauses,
    [`${name}_subflow_bytes`]: pauses === 0 ? 0 : sum(payloads) / pauses,
    [`${name}_bytes`]: sum(row.map(({ packet }) => packet.ipLen)),
    [`${name}_retransmissions`]: row.filter((counted) => counted.isRetransmitted).length,
    [`${name}_zero_windows`]: row.filter(
      ({ packet }) => packet.key.proto === 6 && packet.window === 0 && !packet.flags.syn && !packet.flags.rst,
    ).length,
  }
}

/** FEATURES.md 4.6, letter by letter: (a) to (d) for each packet of the direction, empty ones too. */
function bulksOf(name: string, row: readonly Counted[], end: number): Record<string, number> {
  let start: number | null = null
  let last = 0
  let lastOther: number | null = null
  let [run, size, bulks, packets, bytes, duration] = [0, 0, 0, 0, 0, 0]
  for (const { packet, time } of row) {
    if (packet.from !== end) {
      if (packet.payload > 0) lastOther = time
      continue
    }
    if (start !== null && lastOther !== null && lastOther > start) start = null
    if (packet.payload === 0) continue
    if (start === null || time - last > BULK_GAP) {
      start = time
      run = 1
      size = packet.payload
    } else {
      run++
      size += packet.payload
      if (run === BULK_PACKETS) {
        bulks++
        packets += BULK_PACKETS
        bytes += size
        duration += time - start
      } else if (run > BULK_PACKETS) {
        packets++
        bytes += packet.payload
        duration += time - last
      }
    }
    last = time
  }
  return {
    [`${name}_bulk_bytes_mean`]: bulks === 0 ? 0 : bytes / bulks,
    [`${name}_bulk_packets_mean`]: bulks === 0 ? 0 : packets / bulks,
    [`${name}_bulk_rate`]: duration === 0 ? 0 : (bytes / duration) * S,
  }
}

/** FEATURES.md 4.7. */
function periodsOf(row: readonly Counted[], gaps: readonly number[]): Record<string, number> {
  const active: number[] = []
  const idle: number[] = []
  let start = row[0].time
  for (const [i, gap] of gaps.entries()) {
    if (gap <= ACTIVITY_GAP) continue
    const end = row[i].time
    if (end > start) active.push(end - start)
    idle.push(gap)
    start = row[i + 1].time
  }
  return {
    ...statistics('active', active),
    ...statistics('idle', idle),
    idle_time_us: sum(idle),
    idle_count: idle.length,
    active_time_us: sum(gaps) - sum(idle),
  }
}
