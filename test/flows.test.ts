/**
 * `flows` to a file, in every profile and format, on a capture of our own.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, test } from 'vitest'
import { loadConfig } from '../src/config.ts'
import { CIC_HEADER } from '../src/features/cic.ts'
import { FLOW_PROFILES, type FlowFormatName, type FlowProfile, flowFormat, formatsOf } from '../src/features/formats.ts'
import { referenceHeader } from '../src/features/reference/columns.ts'
import { SILENT } from '../src/progress.ts'
import { type FlowsSummary, meterFlows } from '../src/sensor.ts'

const capture = fileURLToPath(new URL('../pcaps/brute-ssh-hydra.pcap', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'flowscribe-flows-'))
afterAll(() => rmSync(folder, { recursive: true }))

interface Written {
  summary: FlowsSummary
  header: string | null
  lines: string[]
}

async function flows(profile: FlowProfile, format: FlowFormatName, hasWindows = false): Promise<Written> {
  const output = join(folder, `${profile}.${format}`)
  const common = { config: loadConfig({}), progress: SILENT, signal: new AbortController().signal }
  const summary = await meterFlows({ ...common, inputs: [capture], output, profile, format, empty: '', hasWindows })
  if (format === 'none') return { summary, header: null, lines: [] }
  const lines = readFileSync(output, 'utf8').trimEnd().split('\n')
  return { summary, header: format === 'jsonl' ? null : (lines.shift() ?? ''), lines }
}

const HEADERS: Readonly<Record<FlowProfile, string>> = {
  flowscribe: CIC_HEADER,
  corrected: referenceHeader('corrected'),
  'as-published': referenceHeader('as-published'),
}

const CASES = FLOW_PROFILES.flatMap((profile) => formatsOf(profile).map((format) => [profile, format] as const))

test.each(CASES)('profile %s, format %s: the header, and a line a flow', async (profile, format) => {
  const { summary, header, lines } = await flows(profile, format)
  expect(header).toBe(format === 'cic' ? HEADERS[profile] : flowFormat(format).header)
  expect(summary.flows).toBeGreaterThan(50)
  expect(lines).toHaveLength(format === 'none' ? 0 : summary.flows)
  expect(summary.digestFlows).toMatch(format === 'none' ? /^$/ : /^[0-9a-f]{64}$/)
  const dropped = summary.notDecoded.reduce((sum, { count }) => sum + count, 0)
  expect(summary.packets).toBeGreaterThan(dropped)
})

describe('the profiles on the same packets', () => {
  test('packets of all flows: the default counts what the corrected tool counts, and protocols that it does not read', async () => {
    const [ours, corrected] = await Promise.all([flows('flowscribe', 'cic'), flows('corrected', 'cic')])
    const packets = ({ header, lines }: Written): number => {
      const columns = (header ?? '').split(',')
      const of = (cells: string[], name: string): number => Number(cells[columns.indexOf(name)])
      const readByBoth = lines.map((line) => line.split(',')).filter((cells) => ['6', '17'].includes(cells[columns.indexOf('Protocol')]))
      return readByBoth.reduce((sum, cells) => sum + of(cells, 'Total Fwd Packet') + of(cells, 'Total Bwd packets'), 0)
    }
    expect(packets(ours)).toBe(packets(corrected))
    expect(ours.summary.packets).toBe(corrected.summary.packets)
    expect(ours.summary.bytes).toBe(corrected.summary.bytes)
  })
})

test('--windows joins what both hosts did in the five minutes before; without it the cells are empty', async () => {
  const cellsOf = ({ header, lines }: Written, name: string): string[] => {
    const at = (header ?? '').split(',').indexOf(name)
    return lines.map((line) => line.split(',')[at])
  }
  const joined = await flows('flowscribe', 'netflow', true)
  const sources = cellsOf(joined, 'IP_SRC_ADDR')
  const flowsInWindow = cellsOf(joined, 'src_flows_in_window').map(Number)
  // The capture is shorter than the window: each source's flows are counted one by one.
  const seen = new Map<string, number>()
  for (const [i, source] of sources.entries()) {
    seen.set(source, (seen.get(source) ?? 0) + 1)
    expect(flowsInWindow[i]).toBe(seen.get(source))
  }
  expect(Math.max(...flowsInWindow)).toBeGreaterThan(80)
  for (const name of ['dst_flows_in_window', 'src_entropy_PROTOCOL', 'src_IN_PKTS_sum', 'src_flag_SYN']) {
    expect(cellsOf(joined, name).every((cell) => cell !== '' && Number.isFinite(Number(cell)))).toBe(true)
  }
  expect(new Set(cellsOf(await flows('flowscribe', 'netflow'), 'src_flows_in_window'))).toEqual(new Set(['']))
})
