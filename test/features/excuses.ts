/**
 * The default profile's rows beside the corrected CICFlowMeter's, cell by cell, and why the two may differ.
 *
 * In:  a capture read by both: rows of either tool, and each packet with who saw it. Out: counts of equal and of excused cells; faults.
 * Not: the tool's rows themselves: a CSV file of CICFlowMeter's or the reference meter has them.
 * The invariant: an excuse is a number of FEATURES.md part A and rests on what the packets of that very row say, never on a file's name.
 * Where a difference says what our value is (A10, A11, totals of A6), the excuse holds for that value only.
 */
import { formatAddress } from '../../src/base/address.ts'
import { openCapture } from '../../src/capture/open.ts'
import type { Slab } from '../../src/capture/slab.ts'
import { decodeFrame } from '../../src/decode/decode.ts'
import { DECODED, DROP_REASONS, TCP_TRUNCATED } from '../../src/decode/drop-reason.ts'
import { FIN, FIRST_FRAGMENT, LATER_FRAGMENT, Packet, RST, SYN } from '../../src/decode/packet.ts'
import { isHeaderPiece } from '../../src/decode/tcp.ts'
import { CIC_HEADER, cicLine } from '../../src/features/cic.ts'
import { FEATURES } from '../../src/features/features.ts'
import { type PlainPacket, plainFrames } from '../../src/features/reference/plain-reader.ts'
import { Meter } from '../../src/flow/meter.ts'
import { IS_CONTINUATION, KEY_TUNNEL_W, STATE_W } from '../../src/flow/row.ts'
import { RowView } from '../../src/flow/row-view.ts'
import type { TableLimits } from '../../src/flow/table.ts'
import { type ReadRecord, recordsOf } from '../capture/records.ts'

const RELATIVE = 1e-9

/** The numbers of FEATURES.md part A; F11 is the fork's bug of a Flow ID that names the other direction than the addresses do. */
export type Excuse = 'A1' | 'A2' | 'A3' | 'A4' | 'A6' | 'A7' | 'A10' | 'A11' | 'A12' | 'A14' | 'A15' | 'F11'

/** A packet of a conversation as the file has it. */
interface Sighting {
  timeUs: number
  src: string
  flags: number
  seq: number
  window: number
  headerLen: number
  payloadLen: number
  seenBy: 'both' | 'ours' | 'theirs'
  /** Why only one of the two saw it; null for no reason that is known. */
  why: Excuse | null
}

export interface CicRow {
  cells: Record<string, string>
  startUs: number
  packets: number
  /** Ours only: the row goes on from one that was cut; and when its connection began. */
  isContinuation: boolean
  connectionStartUs: number
}

export interface Counts {
  /** Theirs. */
  rows: number
  compared: number
  /** Cells of their rows. */
  excused: Partial<Record<Excuse, number>>
  /** Of these, whole rows; then rows of ours that they have nothing for. */
  excusedRows: Partial<Record<Excuse, number>>
  ownRows: Partial<Record<Excuse, number>>
  faults: string[]
}

export function newCounts(): Counts {
  return { rows: 0, compared: 0, excused: {}, excusedRows: {}, ownRows: {}, faults: [] }
}

/** What the parity captures come to with the default timeouts, whether CICFlowMeter or the reference meter wrote the other rows. */
export const PARITY_WANTED = {
  rows: 302,
  excused: { A1: 737, A2: 92, A3: 141, A4: 184, A6: 257, A7: 92, A10: 256, A11: 211, A12: 23, A14: 92, F11: 1 },
  excusedRows: { A1: 8, A2: 1, A4: 2, A14: 1 },
  ownRows: { A1: 6, A2: 1, A14: 8 },
} as const

function add(to: Partial<Record<Excuse, number>>, why: Excuse, n: number): void {
  to[why] = (to[why] ?? 0) + n
}

function keyOf(proto: string | number, a: string, aPort: string | number, b: string, bPort: string | number): string {
  return [...[`${a}:${aPort}`, `${b}:${bPort}`].sort(), proto].join(' ')
}

/** `2023-11-14 22:13:20[.123[456]]` UTC to µs. */
function timeOf(text: string): number {
  const [second, fraction = ''] = text.split('.')
  return Date.parse(`${second.replace(' ', 'T')}Z`) * 1000 + Number(fraction.padEnd(6, '0'))
}

/** Rows of a CSV text with CICFlowMeter's header. */
export function parseCsv(text: string): CicRow[] {
  const [header, ...lines] = text.trimEnd().split('\n')
  const names = header.split(',')
  return lines.map((line) => {
    const values = line.split(',')
    const cells = Object.fromEntries(names.map((name, i) => [name, values[i]]))
    const packets = Number(cells['Total Fwd Packet']) + Number(cells['Total Bwd packets'])
    const startUs = timeOf(cells.Timestamp)
    return { cells, startUs, packets, isContinuation: false, connectionStartUs: startUs }
  })
}

function cellKey({ cells }: CicRow): string {
  return keyOf(cells.Protocol, cells['Src IP'], cells['Src Port'], cells['Dst IP'], cells['Dst Port'])
}

const ADDITIONS = FEATURES.flatMap((feature) => (feature.cicCorrected === undefined ? [] : [{ ...feature, cic: feature.cicCorrected }]))

/** What is compared: the original's 84 columns and the corrected tool's additions; not its two of ICMP, which the plain reader never reads. */
export const COLUMNS: readonly string[] = [...CIC_HEADER.split(','), ...ADDITIONS.map(({ cic }) => cic)]

function cellsOf(view: RowView): CicRow {
  const [row] = parseCsv(`${CIC_HEADER}\n${cicLine(view, '')}`)
  for (const { cic, compute } of ADDITIONS) row.cells[cic] = String(compute(view) ?? '')
  return { ...row, isContinuation: (view.word(STATE_W) & IS_CONTINUATION) !== 0 }
}

/** A capture as the two tools see it, by conversation. */
export interface Reading {
  /** Ours, TCP and UDP. */
  rows: Map<string, CicRow[]>
  sightings: Map<string, Sighting[]>
}

function listOf<T>(lists: Map<string, T[]>, key: string): T[] {
  const list = lists.get(key) ?? []
  lists.set(key, list)
  return list
}

/** @param also sees each slab: another meter */
export async function readBoth(path: string, limits: TableLimits, also?: (slab: Slab) => void): Promise<Reading> {
  const rows = new Map<string, CicRow[]>()
  const witness = new Witness()
  const meter = new Meter(
    limits,
    (batch) => {
      const view = RowView.of(batch)
      for (let i = 0; i < batch.count; i++) {
        view.moveTo(batch, i)
        if (view.proto !== 6 && view.proto !== 17) continue
        const row = cellsOf(view)
        listOf(rows, inTunnel(cellKey(row), view.tunnel !== null, view.word(KEY_TUNNEL_W))).push(row)
      }
    },
    null,
    { isDeduplicated: false, checksums: 'none' },
  )
  const { bytes, reader } = await openCapture(path)
  for (let slab = await reader.next(); slab !== null; slab = await reader.next()) {
    const plain = [...plainFrames(slab)]
    for (const [i, record] of recordsOf(slab).entries()) witness.note(record, plain[i].packet)
    meter.meterSlab(slab)
    also?.(slab)
  }
  await bytes.close()
  meter.finish()
  return { rows, sightings: witness.sightings }
}

/** Conversations inside a wrapper are none of those outside, nor of another wrapper's. */
function inTunnel(key: string, isInside: boolean, tunnel: number): string {
  return isInside ? `${key} in ${tunnel >>> 0}` : key
}

/** How long a first fragment is remembered. */
const FRAGMENTS_KEPT_US = 30e6

/** Who saw which packet: the decoder of the default profile, and the plain reader of the other. */
class Witness {
  readonly sightings = new Map<string, Sighting[]>()
  readonly #packet = new Packet()
  /** First fragments, by all that makes fragments one packet. */
  readonly #firsts = new Map<string, { key: string; src: string; timeUs: number }>()

  note(record: ReadRecord, theirs: PlainPacket | null): void {
    const p = this.#packet
    const timeUs = record.sec * 1e6 + Math.floor(record.nsec / 1000)
    const decoded = decodeFrame(record.linkType, record.bytes, 0, record.capLen, record.wireLen, p)
    // A table of flows leaves headers in pieces out.
    const reason = decoded === DECODED && isHeaderPiece(p) ? TCP_TRUNCATED : decoded
    const ours = reason === DECODED ? this.#seenByUs(timeUs) : null
    const theirKey = theirs === null ? null : keyOf(theirs.proto, theirs.src, theirs.srcPort, theirs.dst, theirs.dstPort)
    if (ours !== null) {
      const { flags, seq, window, l4HeaderLen: headerLen, payloadLen } = p
      const isBoth = ours.key === theirKey
      const why = isBoth ? null : p.fragment === LATER_FRAGMENT ? 'A6' : p.tunnelDepth > 0 ? 'A14' : null
      const sighting = { timeUs, src: ours.src, flags, seq: seq >>> 0, window, headerLen, payloadLen }
      listOf(this.sightings, ours.key).push({ ...sighting, seenBy: isBoth ? 'both' : 'ours', why })
    }
    if (theirs === null || theirKey === null || theirKey === ours?.key) return
    // IP ends before the frame does, and inside the transport header: their reader took the rest of it from the captured octets.
    const isBeyondIp = DROP_REASONS[reason].name.startsWith('tcp_') && p.wireEnd < record.capLen
    const why = reason === DECODED && p.tunnelDepth > 0 ? 'A14' : isBeyondIp ? 'A4' : null
    listOf(this.sightings, theirKey).push({ ...theirs, timeUs, src: `${theirs.src}:${theirs.srcPort}`, seenBy: 'theirs', why })
  }

  /** Conversation and sender; null for what is neither TCP nor UDP, and for a later fragment whose first was not seen. */
  #seenByUs(timeUs: number): { key: string; src: string } | null {
    const p = this.#packet
    const src = formatAddress(p.srcW0, p.srcW1, p.srcW2, p.srcW3)
    const dst = formatAddress(p.dstW0, p.dstW1, p.dstW2, p.dstW3)
    // IPv6 tells fragments apart without the protocol (RFC 8200, section 4.5).
    const id = [src, dst, p.ipId, src.includes(':') ? '' : p.proto, p.tunnelKey].join(' ')
    if (p.fragment === LATER_FRAGMENT) {
      const first = this.#firsts.get(id)
      return first === undefined || timeUs - first.timeUs > FRAGMENTS_KEPT_US ? null : first
    }
    if (p.proto !== 6 && p.proto !== 17) return null
    const key = inTunnel(keyOf(p.proto, src, p.srcPort, dst, p.dstPort), p.tunnelDepth > 0, p.tunnelKey)
    const seen = { key, src: `${src}:${p.srcPort}`, timeUs }
    if (p.fragment === FIRST_FRAGMENT) this.#firsts.set(id, seen)
    return seen
  }
}

function isSame(column: string, a: string, b: string): boolean {
  if (column === 'Timestamp') return timeOf(a) === timeOf(b)
  if (a === b) return true
  if (a === '' || b === '') return false
  const x = Number(a)
  const y = Number(b)
  return Math.abs(x - y) <= RELATIVE * Math.max(Math.abs(x), Math.abs(y))
}

function goesBack(all: readonly Sighting[]): boolean {
  return all.some((s, i) => i > 0 && s.timeUs < all[i - 1].timeUs)
}

interface Conversation {
  /** For messages. */
  name: string
  ours: readonly CicRow[]
  theirs: readonly CicRow[]
  all: readonly Sighting[]
  limits: TableLimits
}

/** Two rows that began at the same packet. */
interface Pair {
  ours: CicRow
  theirs: CicRow
  /** The packets until either of them began another row. */
  span: readonly Sighting[]
  conversation: Conversation
}

/** A cell that differs: why it may; null when nothing excuses it. */
function excuseOf(column: string, pair: Pair): Excuse | null {
  const { ours, theirs, conversation } = pair
  const { all } = conversation
  if (A7_COLUMNS.has(column) && Number(theirs.cells['Flow Duration']) === 0 && ours.cells[column] === '') return 'A7'
  if (ours.cells['Src IP'] === ours.cells['Dst IP'] && /fwd|bwd|down/i.test(column)) return 'A3'
  if (goesBack(all)) return 'A12'
  if (isByFragments(column, pair)) return 'A6'
  if (isTrueWindow(column, pair) || isTrueHeaderMin(column, pair)) return 'A10'
  if (isBySequence(column, pair)) return 'A11'
  if (column === 'Total Connection Flow Time') return excuseOfConnectionStart(pair)
  if (column === 'Flow ID' && theirs.cells[column] === reversedId(ours) && all[0].timeUs < ours.startUs) return 'F11'
  return null
}

const A7_COLUMNS = new Set(['Flow Bytes/s', 'Flow Packets/s', 'Fwd Packets/s', 'Bwd Packets/s'])

function sourceOf({ cells }: CicRow): string {
  return `${cells['Src IP']}:${cells['Src Port']}`
}

function reversedId({ cells }: CicRow): string {
  return `${cells['Dst IP']}-${cells['Src IP']}-${cells['Dst Port']}-${cells['Src Port']}-${cells.Protocol}`
}

/** Columns of one direction that the other's packets have no part in, and those that any packet can change. */
const OF_ONE_DIRECTION = /^(?:Total (?:Length of )?)?(Fwd|Bwd) (?:[Pp]ackets?$|Packet Length|IAT|Segment Size Avg|Act Data Pkts)/
const OF_ANY_PACKET =
  /^(?:Flow (?:Duration|Bytes|Packets|IAT)|(?:Fwd|Bwd) (?:Packets\/s|Bytes\/Bulk|Packet\/Bulk|Bulk Rate)|Packet Length|Average Packet|Down\/Up|Subflow|Active|Idle|Total Connection)/

/** Later fragments add to packets, payload and times; they have no flags, header or window. Totals must be more by just them. */
function isByFragments(column: string, { ours, theirs, span }: Pair): boolean {
  const later = span.filter(({ why }) => why === 'A6')
  if (later.length === 0) return false
  const direction = OF_ONE_DIRECTION.exec(column)?.[1]
  if (direction === undefined) return OF_ANY_PACKET.test(column)
  const those = later.filter(({ src }) => (src === sourceOf(ours)) === (direction === 'Fwd'))
  const more = Number(ours.cells[column]) - Number(theirs.cells[column])
  if (/^Total Length/.test(column)) return more === those.reduce((sum, { payloadLen }) => sum + payloadLen, 0)
  if (/^Total/.test(column)) return more === those.length
  return those.length > 0
}

/** The connection's windows, where theirs are those of a cut row, or 0 because it starts with a backward packet. */
function isTrueWindow(column: string, pair: Pair): boolean {
  const { ours, span } = pair
  if (!/^(FWD|Bwd) Init Win Bytes$/.test(column)) return false
  if (!ours.isContinuation && span[0].src === sourceOf(ours)) return false
  const isForward = column.startsWith('FWD')
  const sent = connectionSoFar(pair).filter(({ src }) => (src === sourceOf(ours)) === isForward)
  const windows = sent.map(({ window }) => window)
  return Number(ours.cells[column]) === ((isForward ? windows[0] : windows.find((window) => window > 0)) ?? 0)
}

/** The transport headers of our connection, from its first packet to the row's last. */
function connectionSoFar({ ours, span, conversation }: Pair): Sighting[] {
  const untilUs = span[span.length - 1].timeUs
  return conversation.all.filter(
    ({ seenBy, why, timeUs }) => seenBy !== 'theirs' && why !== 'A6' && timeUs >= ours.connectionStartUs && timeUs <= untilUs,
  )
}

/** The true minimum, where theirs is 0 because the row starts the other way. */
function isTrueHeaderMin(column: string, { ours, theirs, span }: Pair): boolean {
  if (!/^(Fwd|Bwd) Seg Size Min$/.test(column) || Number(theirs.cells[column]) !== 0) return false
  const isForward = column.startsWith('Fwd')
  const startsForward = span[0].src === sourceOf(ours)
  const headers = span.filter((s) => s.seenBy === 'both' && (s.src === sourceOf(ours)) === isForward).map((s) => s.headerLen)
  return startsForward !== isForward && Number(ours.cells[column]) === Math.min(...headers)
}

/** Our counts are what the rule of A11 gives, worked out from the connection's packets. */
function isBySequence(column: string, pair: Pair): boolean {
  const { ours } = pair
  const which = /^(Fwd|Bwd|Total) TCP Retrans\. Count$/.exec(column)?.[1]
  if (which === undefined) return false
  const all = connectionSoFar(pair)
  const counts = [true, false].map((isForward) => {
    const sent = all.filter(({ src }) => (src === sourceOf(ours)) === isForward)
    return retransmissions(sent, (s) => s.timeUs >= ours.startUs)
  })
  const wanted = which === 'Fwd' ? counts[0] : which === 'Bwd' ? counts[1] : counts[0] + counts[1]
  return Number(ours.cells[column]) === wanted
}

const SEQUENCE_SPACE = 2 ** 32

/** Segments with payload, SYN or FIN that start below the highest sequence number sent; a keep-alive is none. */
function retransmissions(sent: readonly Sighting[], isCounted: (s: Sighting) => boolean): number {
  const ahead = (a: number, b: number): number => ((a - b + 1.5 * SEQUENCE_SPACE) % SEQUENCE_SPACE) - SEQUENCE_SPACE / 2
  let next: number | null = null
  let count = 0
  for (const s of sent) {
    const len = s.payloadLen + ((s.flags & SYN) === 0 ? 0 : 1) + ((s.flags & FIN) === 0 ? 0 : 1)
    if (len === 0) continue
    const isKeepAlive = s.payloadLen <= 1 && len === s.payloadLen && next !== null && ahead(s.seq, next) === -1
    if (next !== null && ahead(s.seq, next) < 0 && !isKeepAlive && isCounted(s)) count++
    const end = (s.seq + len) % SEQUENCE_SPACE
    if (next === null || ahead(end, next) > 0) next = end
  }
  return count
}

/** Our connection began at a packet at which theirs went on. */
function excuseOfConnectionStart({ ours, theirs, conversation }: Pair): Excuse | null {
  const theirStartUs = theirs.startUs + Number(theirs.cells['Flow Duration']) - Number(theirs.cells['Total Connection Flow Time'])
  return theirStartUs < ours.connectionStartUs ? excuseOfOurStart(ours.connectionStartUs, conversation) : null
}

/** Why theirs may start a row where ours has none. */
function excuseOfTheirStart(startUs: number, { all }: Conversation): Excuse | null {
  if (goesBack(all)) return 'A12'
  return all.find((s) => s.timeUs === startUs && s.seenBy === 'theirs')?.why ?? null
}

/** Why ours may start a row where theirs goes on with one, or has none. */
function excuseOfOurStart(startUs: number, { all, limits }: Conversation): Excuse | null {
  if (goesBack(all)) return 'A12'
  const at = all.findIndex((s) => s.timeUs === startUs && s.seenBy !== 'theirs')
  if (at < 0) return null
  if (all[at].seenBy === 'ours') return all[at].why
  const before = all.slice(0, at).filter((s) => s.seenBy !== 'theirs')
  // All that theirs has had so far we did not take for packets of this conversation.
  if (before.length === 0) return at === 0 ? null : all[0].why
  const gapUs = startUs - before[before.length - 1].timeUs
  const finFrom = new Set(before.filter((s) => (s.flags & FIN) !== 0).map((s) => s.src))
  const isClosed = before.some((s) => (s.flags & RST) !== 0) || finFrom.size === 2
  const isSyn = (all[at].flags & SYN) !== 0
  if (isClosed && (isSyn || gapUs > limits.idleTcpUs[2])) return 'A2'
  const idleUs = all[at].flags === 0 ? limits.idleUdpUs : Math.min(limits.idleTcpUs[0], limits.idleTcpUs[1])
  return gapUs > idleUs ? 'A1' : null
}

/** The difference in packets is that of what only one of the two saw in the row. */
function excuseOfUnshared({ ours, theirs, span }: Pair): Excuse | null {
  const unshared = span.filter(({ seenBy }) => seenBy !== 'both')
  const balance = unshared.reduce((sum, { seenBy }) => sum + (seenBy === 'ours' ? 1 : -1), 0)
  if (unshared.length === 0 || ours.packets - theirs.packets !== balance) return null
  const reasons = new Set(unshared.map(({ why }) => why))
  return reasons.size === 1 ? unshared[0].why : null
}

/**
 * Walks the times at which either tool began a row. Rows that began at the same packet and hold as many, later fragments apart, are
 * compared; where one tool began a row and the other went on, an excuse must say why, and holds until both begin a row at the same
 * packet again.
 */
function compareConversation(conversation: Conversation, counts: Counts): void {
  const { name, all } = conversation
  const inOurs = byStart(conversation.ours, name, counts)
  const inTheirs = byStart(conversation.theirs, name, counts)
  const times = [...new Set([...inOurs.keys(), ...inTheirs.keys()])].sort((a, b) => a - b)
  let cause: Excuse | null = null
  for (const [i, time] of times.entries()) {
    const ours = inOurs.get(time)
    const theirs = inTheirs.get(time)
    if (ours !== undefined && theirs !== undefined) cause = null
    else cause ??= ours === undefined ? excuseOfTheirStart(time, conversation) : excuseOfOurStart(time, conversation)
    const next = times[i + 1] ?? Number.POSITIVE_INFINITY
    const span = all.filter(({ timeUs }) => timeUs >= time && timeUs < next)
    if (theirs === undefined) noteOwnRow(conversation, ours, cause, span, counts)
    else if (ours === undefined) excuseRow(conversation, theirs, undefined, cause, counts)
    else {
      const pair = { ours, theirs, span, conversation }
      const unshared = excuseOfUnshared(pair)
      if (ours.packets === theirs.packets || unshared === 'A6') compareRow(pair, counts)
      else excuseRow(conversation, theirs, ours, unshared ?? excuseOfNextStart(next, inOurs, inTheirs, conversation), counts)
    }
  }
}

function excuseOfNextStart(
  next: number,
  inOurs: ReadonlyMap<number, CicRow>,
  inTheirs: ReadonlyMap<number, CicRow>,
  conversation: Conversation,
): Excuse | null {
  if (inOurs.has(next) === inTheirs.has(next)) return null
  return inOurs.has(next) ? excuseOfOurStart(next, conversation) : excuseOfTheirStart(next, conversation)
}

function noteOwnRow(
  { name }: Conversation,
  ours: CicRow | undefined,
  cause: Excuse | null,
  span: readonly Sighting[],
  counts: Counts,
): void {
  const packets = span.filter(({ seenBy, why }) => seenBy === 'ours' && why === cause).length
  if (cause === null || ((cause === 'A6' || cause === 'A14') && packets !== ours?.packets))
    counts.faults.push(`${name}: a row of ours starts at ${ours?.startUs}, and theirs goes on or has none (${cause})`)
  else add(counts.ownRows, cause, 1)
}

function excuseRow({ name }: Conversation, theirs: CicRow, ours: CicRow | undefined, why: Excuse | null, counts: Counts): void {
  if (why === null) {
    counts.faults.push(`${name}: at ${theirs.startUs} a row of ${ours?.packets ?? 'no'} packets, theirs of ${theirs.packets}`)
    return
  }
  add(counts.excusedRows, why, 1)
  add(counts.excused, why, COLUMNS.length)
}

function byStart(rows: readonly CicRow[], name: string, counts: Counts): Map<number, CicRow> {
  const byTime = new Map(rows.map((row) => [row.startUs, row]))
  if (byTime.size !== rows.length) counts.faults.push(`${name}: two rows start at the same time`)
  return byTime
}

function compareRow(pair: Pair, counts: Counts): void {
  const { ours, theirs, conversation } = pair
  for (const column of COLUMNS) {
    const a = ours.cells[column]
    const b = theirs.cells[column]
    if (isSame(column, a, b)) {
      counts.compared++
      continue
    }
    const why = excuseOf(column, pair)
    if (why !== null) add(counts.excused, why, 1)
    else counts.faults.push(`${conversation.name}: ${ours.cells['Flow ID']} ${ours.cells.Timestamp}: ${column} is ${a}, theirs ${b}`)
  }
}

/** A row's connection began with the last row that is no continuation. */
function withConnectionStarts(rows: readonly CicRow[]): CicRow[] {
  let connectionStartUs = 0
  return [...rows]
    .sort((a, b) => a.startUs - b.startUs)
    .map((row) => {
      if (!row.isContinuation) connectionStartUs = row.startUs
      return { ...row, connectionStartUs }
    })
}

/** All conversations of a capture. */
export function compareCapture(name: string, reading: Reading, theirs: readonly CicRow[], limits: TableLimits, counts: Counts): void {
  counts.rows += theirs.length
  const theirRows = new Map<string, CicRow[]>()
  for (const row of theirs) listOf(theirRows, cellKey(row)).push(row)
  for (const key of new Set([...theirRows.keys(), ...reading.rows.keys()])) {
    const ours = withConnectionStarts(reading.rows.get(key) ?? [])
    const all = reading.sightings.get(key) ?? []
    compareConversation({ name: `${name}: ${key}`, ours, theirs: theirRows.get(key) ?? [], all, limits }, counts)
  }
}

/** Every cell of their rows is equal or excused. */
export function cellCount({ compared, excused }: Counts): number {
  return Object.values(excused).reduce((sum, n) => sum + n, compared)
}

/** For those who watch the tests. */
export function countsText({ rows, compared, excused, excusedRows, ownRows }: Counts): string {
  return `${rows} rows, ${compared} cells equal; excused ${JSON.stringify({ excused, excusedRows, ownRows })}\n`
}
