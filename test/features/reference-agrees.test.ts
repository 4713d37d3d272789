/**
 * The fast meter against the reference meter: two ways to the corrected CICFlowMeter's columns that share no code of decoding, metering
 * or statistics. Every cell is equal, or a difference of FEATURES.md part A excuses it (excuses.ts); the counts are asserted.
 */
import { basename, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { referenceHeader, referenceLine } from '../../src/features/reference/columns.ts'
import { ReferenceMeter } from '../../src/features/reference/reference-meter.ts'
import { DEFAULT_LIMITS } from '../flow/run-meter.ts'
import { COLUMNS, type Counts, cellCount, compareCapture, countsText, newCounts, PARITY_WANTED, parseCsv, readBoth } from './excuses.ts'
import { listFiles, PROJECT_CAPTURES, SHARED_DATA } from './shared-data.ts'

const LIMITS = { ...DEFAULT_LIMITS, maxFlows: 1 << 16 }

/** One reading of the file for both meters. */
async function compareMeters(path: string, counts: Counts): Promise<void> {
  const lines = [referenceHeader('corrected')]
  const meter = new ReferenceMeter('corrected', (flow) => lines.push(referenceLine('corrected', flow)))
  const reading = await readBoth(path, LIMITS, (slab) => meter.meterSlab(slab))
  meter.finish()
  compareCapture(basename(path), reading, parseCsv(lines.join('\n')), LIMITS, counts)
}

async function compareFolder(folder: string): Promise<Counts> {
  const counts = newCounts()
  for (const path of listFiles(folder).filter((name) => /\.pcap(\.gz)?$/.test(name))) await compareMeters(path, counts)
  process.stdout.write(countsText(counts))
  expect(counts.faults).toEqual([])
  expect(cellCount(counts)).toBe(counts.rows * COLUMNS.length)
  return counts
}

describe('the default profile agrees with the reference meter in every cell that nothing excuses', () => {
  test('captures of this project', { timeout: 60_000 }, async () => {
    const { rows, excused, excusedRows, ownRows } = await compareFolder(PROJECT_CAPTURES)
    expect({ rows, excused, excusedRows, ownRows }).toEqual({
      rows: 12_355,
      excused: { A1: 92, A6: 93, A7: 17_168, A10: 8031, A11: 1443 },
      excusedRows: { A1: 1 },
      ownRows: { A1: 1 },
    })
  })

  test.skipIf(SHARED_DATA === null)('parity captures (needs ../shared/data/parity)', async () => {
    const { rows, excused, excusedRows, ownRows } = await compareFolder(join(SHARED_DATA ?? '', 'parity'))
    expect({ rows, excused, excusedRows, ownRows }).toEqual(PARITY_WANTED)
  })
})
