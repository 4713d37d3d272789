/**
 * The default profile against the corrected CICFlowMeter's output for 48 captures, cell by cell.
 *
 * Where a cell differs, a difference of FEATURES.md part A must excuse it, by its number, and by what the packets of that very flow
 * say: never by the file's name. The counts of compared and excused cells are asserted, so that an excuse cannot grow unseen.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { formatAddress } from '../../src/base/address.ts'
import { openCapture } from '../../src/capture/open.ts'
import { decodeFrame } from '../../src/decode/decode.ts'
import { DECODED, DROP_REASONS } from '../../src/decode/drop-reason.ts'
import { FIN, LATER_FRAGMENT, Packet, RST, SYN } from '../../src/decode/packet.ts'
import { CIC_COLUMNS, CIC_HEADER, cicLine } from '../../src/features/cic.ts'
import { Meter } from '../../src/flow/meter.ts'
import { IS_CONTINUATION, STATE_W } from '../../src/flow/row.ts'
import { RowView } from '../../src/flow/row-view.ts'
import type { TableLimits } from '../../src/flow/table.ts'
import { type ReadRecord, recordsOf } from '../capture/records.ts'
import { DEFAULT_LIMITS } from '../flow/run-meter.ts'
import { SHARED_DATA } from './shared-data.ts'

const FOLDER = SHARED_DATA === null ? null : join(SHARED_DATA, 'parity')
const RELATIVE = 1e-9

/** The numbers of FEATURES.md part A; F11 is the fork's bug of a Flow ID that names the other direction than the addresses do. */
type Excuse = 'A1' | 'A2' | 'A3' | 'A4' | 'A6' | 'A7' | 'A10' | 'A12' | 'A14' | 'F11'

/** A packet of a conversation as the file has it. */
interface Sighting {
  timeUs: number
  src: string
  flags: number
  /** It came out of a wrapper. */
  isInner: boolean
}

interface CicRow {
  cells: Record<string, string>
  startUs: number
  packets: number
  /** Ours only. */
  isContinuation: boolean
}

interface Counts {
  rows: number
  compared: number
  excused: Partial<Record<Excuse, number>>
  excusedRows: Partial<Record<Excuse, number>>
  faults: string[]
}

function keyOf(proto: string | number, a: string, aPort: string | number, b: string, bPort: string | number): string {
  return [...[`${a}:${aPort}`, `${b}:${bPort}`].sort(), proto].join(' ')
}

/** `2023-11-14 22:13:20[.123[456]]` UTC to µs. */
function timeOf(text: string): number {
  const [second, fraction = ''] = text.split('.')
  return Date.parse(`${second.replace(' ', 'T')}Z`) * 1000 + Number(fraction.padEnd(6, '0'))
}

function parseCsv(text: string): CicRow[] {
  const [header, ...lines] = text.trimEnd().split('\n')
  const names = header.split(',')
  return lines.map((line) => {
    const values = line.split(',')
    const cells = Object.fromEntries(names.map((name, i) => [name, values[i]]))
    const packets = Number(cells['Total Fwd Packet']) + Number(cells['Total Bwd packets'])
    return { cells, startUs: timeOf(cells.Timestamp), packets, isContinuation: false }
  })
}

function cellKey(row: CicRow): string {
  const { cells } = row
  return keyOf(cells.Protocol, cells['Src IP'], cells['Src Port'], cells['Dst IP'], cells['Dst Port'])
}

interface Read {
  rows: CicRow[]
  sightings: Map<string, Sighting[]>
  /** Times of TCP packets whose header goes on beyond the length that IP names: their reader took it from the captured octets. */
  headersBeyondIp: Set<number>
  /** Times of fragments after the first, by their two addresses. */
  laterFragments: Map<string, number[]>
  /** Times of opened wrappers, by their outer addresses. */
  wrappers: Map<string, number[]>
}

async function meterFile(path: string, limits: TableLimits): Promise<Read> {
  const rows: CicRow[] = []
  const read: Read = { rows, sightings: new Map(), headersBeyondIp: new Set(), laterFragments: new Map(), wrappers: new Map() }
  const meter = new Meter(limits, (batch) => {
    const view = RowView.of(batch)
    for (let i = 0; i < batch.count; i++) {
      view.moveTo(batch, i)
      if (view.proto !== 6 && view.proto !== 17) continue
      const [row] = parseCsv(`${CIC_HEADER}\n${cicLine(view, '')}`)
      rows.push({ ...row, isContinuation: (view.word(STATE_W) & IS_CONTINUATION) !== 0 })
    }
  })
  const { bytes, reader } = await openCapture(path)
  for (let slab = await reader.next(); slab !== null; slab = await reader.next()) {
    for (const record of recordsOf(slab)) note(record, read)
    meter.meterSlab(slab)
  }
  await bytes.close()
  meter.finish()
  return read
}

const packet = new Packet()

function pairOf(a: string, b: string): string {
  return [a, b].sort().join(' ')
}

function push<K, V>(to: Map<K, V[]>, key: K, value: V): void {
  const list = to.get(key)
  if (list === undefined) to.set(key, [value])
  else list.push(value)
}

function note(record: ReadRecord, read: Read): void {
  const p = packet
  const reason = decodeFrame(record.linkType, record.bytes, 0, record.capLen, record.wireLen, p)
  const timeUs = record.sec * 1e6 + Math.floor(record.nsec / 1000)
  // IP ends before the frame does, and inside the transport header.
  const isBeyond = DROP_REASONS[reason].name.startsWith('tcp_') && p.wireEnd < record.capLen
  if (isBeyond) read.headersBeyondIp.add(timeUs)
  if (reason !== DECODED) return
  const src = formatAddress(p.srcW0, p.srcW1, p.srcW2, p.srcW3)
  const dst = formatAddress(p.dstW0, p.dstW1, p.dstW2, p.dstW3)
  if (p.fragment === LATER_FRAGMENT) push(read.laterFragments, pairOf(src, dst), timeUs)
  if (p.tunnelDepth > 0) {
    const outerSrc = formatAddress(p.outerSrcW0, p.outerSrcW1, p.outerSrcW2, p.outerSrcW3)
    const outerDst = formatAddress(p.outerDstW0, p.outerDstW1, p.outerDstW2, p.outerDstW3)
    push(read.wrappers, pairOf(outerSrc, outerDst), timeUs)
  }
  if (p.fragment === LATER_FRAGMENT || (p.proto !== 6 && p.proto !== 17)) return
  const key = keyOf(p.proto, src, p.srcPort, dst, p.dstPort)
  push(read.sightings, key, { timeUs, src: `${src}:${p.srcPort}`, flags: p.flags, isInner: p.tunnelDepth > 0 })
}

function isSame(a: string, b: string): boolean {
  if (a === b) return true
  if (a === '' || b === '') return false
  const x = Number(a)
  const y = Number(b)
  return Math.abs(x - y) <= RELATIVE * Math.max(Math.abs(x), Math.abs(y))
}

const A7_COLUMNS = new Set(['Flow Bytes/s', 'Flow Packets/s', 'Fwd Packets/s', 'Bwd Packets/s'])
const A10_COLUMNS = new Set(['FWD Init Win Bytes', 'Bwd Init Win Bytes', 'Fwd Seg Size Min'])

/** Why this cell may differ; null when nothing excuses it. `ours` and `theirs` hold the same packets. */
function excuseOf(column: string, ours: CicRow, theirs: CicRow, all: readonly Sighting[]): Excuse | null {
  const src = ours.cells['Src IP']
  if (A7_COLUMNS.has(column) && Number(theirs.cells['Flow Duration']) === 0 && ours.cells[column] === '') return 'A7'
  if (src === ours.cells['Dst IP']) return 'A3'
  if (goesBack(all)) return 'A12'
  if (A10_COLUMNS.has(column)) {
    const first = all.find((s) => s.timeUs === ours.startUs)
    const isBackward = first !== undefined && first.src !== `${src}:${ours.cells['Src Port']}`
    if (ours.isContinuation || isBackward) return 'A10'
  }
  const theirId = theirs.cells['Flow ID']
  if (column === 'Flow ID' && theirId === reversedId(ours) && all[0].timeUs < ours.startUs) return 'F11'
  return null
}

function reversedId({ cells }: CicRow): string {
  return `${cells['Dst IP']}-${cells['Src IP']}-${cells['Dst Port']}-${cells['Src Port']}-${cells.Protocol}`
}

function goesBack(all: readonly Sighting[]): boolean {
  return all.some((s, i) => i > 0 && s.timeUs < all[i - 1].timeUs)
}

/** Why theirs may start a row where ours has none. */
function excuseOfTheirStart(theirs: CicRow | undefined, all: readonly Sighting[], read: Read): Excuse | null {
  if (goesBack(all)) return 'A12'
  if (theirs === undefined) return null
  if (read.headersBeyondIp.has(theirs.startUs)) return 'A4'
  return read.wrappers.get(addressesOf(theirs))?.includes(theirs.startUs) ? 'A14' : null
}

function addressesOf({ cells }: CicRow): string {
  return pairOf(cells['Src IP'], cells['Dst IP'])
}

/** Why ours may hold more packets: each one more is a later fragment between its addresses and in its time. */
function excuseOfMore(ours: CicRow, theirs: CicRow, read: Read): Excuse | null {
  const endUs = ours.startUs + Number(ours.cells['Flow Duration'])
  const fragments = read.laterFragments.get(addressesOf(ours))?.filter((time) => time >= ours.startUs && time <= endUs) ?? []
  return fragments.length > 0 && fragments.length === ours.packets - theirs.packets ? 'A6' : null
}

/** Why ours may start a row at a packet where theirs goes on with one. */
function excuseOfOurStart(startUs: number, all: readonly Sighting[], limits: TableLimits): Excuse | null {
  if (goesBack(all)) return 'A12'
  const at = all.findIndex((s) => s.timeUs === startUs)
  if (all[at]?.isInner) return 'A14'
  if (at <= 0) return null
  const before = all.slice(0, at)
  const gapUs = startUs - before[before.length - 1].timeUs
  const finFrom = new Set(before.filter((s) => (s.flags & FIN) !== 0).map((s) => s.src))
  const isClosed = before.some((s) => (s.flags & RST) !== 0) || finFrom.size === 2
  const isSyn = (all[at].flags & SYN) !== 0
  if (isClosed && (isSyn || gapUs > limits.idleTcpUs[2])) return 'A2'
  const idleUs = all[at].flags === 0 ? limits.idleUdpUs : Math.min(limits.idleTcpUs[0], limits.idleTcpUs[1])
  return gapUs > idleUs ? 'A1' : null
}

interface Conversation {
  /** For messages. */
  name: string
  ours: CicRow[]
  theirs: CicRow[]
  all: readonly Sighting[]
  read: Read
}

/**
 * Walks the times at which either tool began a row. Rows that began at the same packet and hold as many are compared; where one tool
 * began a row and the other went on, an excuse must say why, and holds until both begin a row at the same packet again.
 */
function compareConversation(conversation: Conversation, limits: TableLimits, counts: Counts): void {
  const { name, all, read } = conversation
  const inOurs = byStart(conversation.ours)
  const inTheirs = byStart(conversation.theirs)
  const times = [...new Set([...inOurs.keys(), ...inTheirs.keys()])].sort((a, b) => a - b)
  let cause: Excuse | null = null
  for (const [i, time] of times.entries()) {
    const ours = inOurs.get(time)
    const theirs = inTheirs.get(time)
    if (ours !== undefined && theirs !== undefined) cause = null
    else if (cause === null) cause = ours === undefined ? excuseOfTheirStart(theirs, all, read) : excuseOfOurStart(time, all, limits)
    if (theirs === undefined) {
      if (cause === null) counts.faults.push(`${name}: a row of ours starts at ${time}, and theirs goes on`)
      continue
    }
    if (ours !== undefined && ours.packets === theirs.packets) {
      compareRow(name, ours, theirs, all, counts)
      continue
    }
    const next = times[i + 1]
    const why = cause ?? (ours && excuseOfMore(ours, theirs, read)) ?? (next === undefined ? null : excuseOfOurStart(next, all, limits))
    if (why === null) counts.faults.push(`${name}: at ${time} a row of ${ours?.packets} packets, theirs of ${theirs.packets}`)
    else {
      counts.excusedRows[why] = (counts.excusedRows[why] ?? 0) + 1
      counts.excused[why] = (counts.excused[why] ?? 0) + CIC_COLUMNS.length
    }
  }
}

function byStart(rows: readonly CicRow[]): Map<number, CicRow> {
  return new Map(rows.map((row) => [row.startUs, row]))
}

function compareRow(name: string, ours: CicRow, theirs: CicRow, all: readonly Sighting[], counts: Counts): void {
  for (const column of CIC_COLUMNS) {
    const a = ours.cells[column]
    const b = theirs.cells[column]
    if (column === 'Timestamp' ? timeOf(a) === timeOf(b) : isSame(a, b)) {
      counts.compared++
      continue
    }
    const why = excuseOf(column, ours, theirs, all)
    if (why === null) counts.faults.push(`${name}: ${ours.cells['Flow ID']} ${ours.cells.Timestamp}: ${column} is ${a}, theirs ${b}`)
    else counts.excused[why] = (counts.excused[why] ?? 0) + 1
  }
}

async function compareAll(limits: TableLimits): Promise<Counts> {
  const counts: Counts = { rows: 0, compared: 0, excused: {}, excusedRows: {}, faults: [] }
  for (const file of readdirSync(FOLDER ?? '').filter((f) => f.endsWith('.pcap'))) {
    const name = basename(file, '.pcap')
    const theirs = parseCsv(readFileSync(join(FOLDER ?? '', `${name}.corrected.csv`), 'utf8'))
    const read = await meterFile(join(FOLDER ?? '', file), limits)
    counts.rows += theirs.length
    for (const key of new Set([...theirs, ...read.rows].map(cellKey))) {
      const of = (from: readonly CicRow[]): CicRow[] => from.filter((row) => cellKey(row) === key)
      const conversation = { name: `${name}: ${key}`, ours: of(read.rows), theirs: of(theirs), all: read.sightings.get(key) ?? [], read }
      compareConversation(conversation, limits, counts)
    }
  }
  return counts
}

const DAY_US = 86_400e6

describe.skipIf(FOLDER === null)('parity with the corrected CICFlowMeter (needs ../shared/data/parity)', () => {
  test.each([
    ['default timeouts', DEFAULT_LIMITS, { A1: 672, A2: 84, A3: 131, A4: 168, A6: 840, A7: 92, A10: 21, A12: 22, A14: 84, F11: 1 }],
    [
      // UDP's is the corrected tool's own: silence of more than 120 s begins a new dialogue (FEATURES.md 3.3).
      'idle timeouts so long that A1 excuses nothing',
      { ...DEFAULT_LIMITS, idleTcpUs: [DAY_US, DAY_US, DAY_US], idleUdpUs: 120e6 } as TableLimits,
      { A2: 84, A3: 131, A4: 168, A6: 840, A7: 92, A10: 22, A12: 22, A14: 84, F11: 1 },
    ],
  ])('%s', async (_, limits, excused) => {
    const counts = await compareAll(limits)
    process.stdout.write(
      `${counts.rows} rows, ${counts.compared} cells equal; excused ${JSON.stringify(counts.excused)}; rows ${JSON.stringify(counts.excusedRows)}\n`,
    )
    expect(counts.faults).toEqual([])
    expect(counts.excused).toEqual(excused)
    const excusedCells = Object.values(counts.excused).reduce((sum, n) => sum + n, 0)
    expect(counts.compared + excusedCells).toBe(counts.rows * CIC_COLUMNS.length)
  })
})
