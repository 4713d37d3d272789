/**
 * The reference meter against both CICFlowMeters: every cell of every row of all parity captures.
 *
 * Without the folder with these captures the comparison is skipped, and says so.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { openCapture } from '../../src/capture/open.ts'
import { referenceHeader, referenceLine } from '../../src/features/reference/columns.ts'
import type { PlainPacket } from '../../src/features/reference/plain-reader.ts'
import { ReferenceMeter } from '../../src/features/reference/reference-meter.ts'
import { type CompatProfile, RULES, type Rules, rulesOf } from '../../src/features/reference/rules.ts'
import { SHARED_DATA } from './shared-data.ts'

const folder = join(SHARED_DATA ?? '', 'parity/')
const names = (SHARED_DATA === null ? [] : readdirSync(folder))
  .filter((name) => name.endsWith('.pcap'))
  .map((name) => name.replace('.pcap', ''))
if (names.length === 0) process.stderr.write('skipped: reference meter against CICFlowMeter: no ../shared/data/parity here\n')

const TOOLS = [
  { profile: 'corrected', ending: 'corrected', columns: 94, rows: 302 },
  { profile: 'as-published', ending: 'original', columns: 84, rows: 520 },
] as const satisfies readonly { profile: CompatProfile; ending: string; columns: number; rows: number }[]

const TEXT_COLUMNS = ['Flow ID', 'Src IP', 'Dst IP', 'Timestamp', 'Label']
const RELATIVE = 1e-9

async function meterFile(profile: CompatProfile, path: string, rules: Rules = rulesOf(profile)): Promise<string[]> {
  const lines: string[] = []
  const meter = new ReferenceMeter(profile, (flow) => lines.push(referenceLine(profile, flow)), rules)
  const { bytes, reader } = await openCapture(path)
  for (let slab = await reader.next(); slab !== null; slab = await reader.next()) meter.meterSlab(slab)
  await bytes.close()
  meter.finish()
  return lines
}

function isEqual(column: string, a: string, b: string): boolean {
  if (TEXT_COLUMNS.includes(column)) return a === b
  const x = Number(a)
  const y = Number(b)
  return Object.is(x, y) || Math.abs(x - y) <= RELATIVE * Math.max(Math.abs(x), Math.abs(y))
}

/** Addresses, ports, protocol and start: what a row is matched by. */
function identity(line: string): string {
  return line.split(',').slice(0, 7).join(',')
}

function byIdentity(a: string, b: string): number {
  return identity(a) < identity(b) ? -1 : identity(a) > identity(b) ? 1 : 0
}

/** The differing cells, and how many cells were compared. */
function compare(header: readonly string[], got: readonly string[], wanted: readonly string[]): { faults: string[]; cells: number } {
  const faults: string[] = []
  let cells = 0
  wanted.forEach((line, row) => {
    const wantedCells = line.split(',')
    const gotCells = (got[row] ?? '').split(',')
    header.forEach((column, i) => {
      cells++
      if (!isEqual(column, gotCells[i] ?? '', wantedCells[i]))
        faults.push(`${identity(line)}: ${column}: ${gotCells[i]}, the tool has ${wantedCells[i]}`)
    })
  })
  return { faults, cells }
}

describe.each(TOOLS)('profile $profile', ({ profile, ending, columns, rows }) => {
  const compared = { captures: 0, rows: 0, cells: 0 }

  test.skipIf(names.length === 0).each(names)('%s: every cell', async (name) => {
    const [header, ...wanted] = readFileSync(`${folder}${name}.${ending}.csv`, 'utf8').trimEnd().split('\n')
    expect(referenceHeader(profile)).toBe(header)
    const got = await meterFile(profile, `${folder}${name}.pcap`)
    const { faults, cells } = compare(header.split(','), got.sort(byIdentity), wanted.sort(byIdentity))
    expect(faults).toEqual([])
    expect(got.length).toBe(wanted.length)
    compared.captures++
    compared.rows += wanted.length
    compared.cells += cells
  })

  test.skipIf(names.length === 0)('all of it was compared', () => {
    expect(compared).toEqual({ captures: 48, rows, cells: rows * columns })
  })
})

describe.skipIf(names.length === 0)('each rule shows in a capture', () => {
  test.each(RULES)('$number: $does', async ({ name, in: profile }) => {
    const rules = { ...rulesOf(profile), [name]: false }
    const meterAll = async (of: Rules): Promise<string[]> => {
      const perFile = await Promise.all(names.map((file) => meterFile(profile, `${folder}${file}.pcap`, of)))
      return perFile.flat()
    }
    expect(await meterAll(rules)).not.toEqual(await meterAll(rulesOf(profile)))
  })
})

describe('by hand', () => {
  const SYN = 0x02
  const ACK = 0x10
  const FIN = 0x01
  const PSH = 0x08

  function packet(direction: 0 | 1, timeUs: number, flags: number, payloadLen: number): PlainPacket {
    const ends = [
      { src: '192.0.2.1', srcPort: 40_000 },
      { src: '192.0.2.2', srcPort: 80 },
    ]
    const to = ends[1 - direction]
    return {
      ...ends[direction],
      dst: to.src,
      dstPort: to.srcPort,
      proto: 6,
      timeUs,
      headerLen: 20,
      payloadLen,
      flags,
      seq: timeUs,
      ack: 0,
      window: 100 + direction,
    }
  }

  const packets = [
    packet(0, 1e15, SYN, 0),
    packet(1, 1e15 + 1000, SYN | ACK, 0),
    packet(0, 1e15 + 2000, ACK | PSH, 10),
    packet(1, 1e15 + 3000, ACK | FIN, 30),
    packet(0, 1e15 + 4000, ACK | FIN, 0),
    packet(1, 1e15 + 5000, ACK, 0),
  ]

  function cellsOf(profile: CompatProfile, ...columns: string[]): string[][] {
    const header = referenceHeader(profile).split(',')
    const rows: string[][] = []
    const meter = new ReferenceMeter(profile, (flow) => {
      const line = referenceLine(profile, flow).split(',')
      rows.push(columns.map((column) => line[header.indexOf(column)]))
    })
    for (const p of packets) meter.meter(p)
    meter.finish()
    return rows
  }

  test('corrected: one flow until the last ACK', () => {
    const got = cellsOf('corrected', 'Flow ID', 'Timestamp', 'Flow Duration', 'Total Fwd Packet', 'Total Bwd packets', 'Fwd PSH Flags')
    expect(got).toEqual([['192.0.2.1-192.0.2.2-40000-80-6', '2001-09-09 01:46:40', '5000', '3', '3', '1']])
  })

  test('as published: the first FIN of the responder ends it, the rest is a stray flow', () => {
    const got = cellsOf('as-published', 'Flow ID', 'Timestamp', 'Flow Duration', 'Total Fwd Packet', 'Total Bwd packets', 'Fwd PSH Flags')
    expect(got).toEqual([
      ['192.0.2.1-192.0.2.2-40000-80-6', '09/09/2001 01:46:40 AM', '3000', '2', '2', '0'],
      ['192.0.2.1-192.0.2.2-40000-80-6', '09/09/2001 01:46:40 AM', '1000', '1', '1', '0'],
    ])
  })
})
