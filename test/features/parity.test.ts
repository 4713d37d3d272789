/**
 * The default profile against the corrected CICFlowMeter's output for 48 captures, cell by cell.
 *
 * Where a cell differs, a difference of FEATURES.md part A must excuse it (excuses.ts). The counts of compared and excused cells are
 * asserted, so that an excuse cannot grow unseen.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { TableLimits } from '../../src/flow/table.ts'
import { DEFAULT_LIMITS } from '../flow/run-meter.ts'
import { COLUMNS, cellCount, compareCapture, countsText, newCounts, PARITY_WANTED, parseCsv, readBoth } from './excuses.ts'
import { SHARED_DATA } from './shared-data.ts'

const FOLDER = SHARED_DATA === null ? null : join(SHARED_DATA, 'parity')

const DAY_US = 86_400e6

describe.skipIf(FOLDER === null)('parity with the corrected CICFlowMeter (needs ../shared/data/parity)', () => {
  test.each([
    ['default timeouts', DEFAULT_LIMITS, PARITY_WANTED],
    [
      // UDP's is the corrected tool's own: silence of more than 120 s begins a new dialogue (FEATURES.md 3.3).
      'idle timeouts so long that A1 excuses nothing',
      { ...DEFAULT_LIMITS, idleTcpUs: [DAY_US, DAY_US, DAY_US], idleUdpUs: 120e6 } as TableLimits,
      {
        rows: 302,
        excused: { A2: 92, A3: 141, A4: 184, A6: 257, A7: 92, A10: 263, A11: 211, A12: 23, A14: 92, F11: 1 },
        excusedRows: { A2: 1, A4: 2, A14: 1 },
        ownRows: { A2: 1, A14: 8 },
      },
    ],
  ])('%s', async (_, limits, wanted) => {
    const counts = newCounts()
    for (const file of readdirSync(FOLDER ?? '').filter((name) => name.endsWith('.pcap'))) {
      const name = basename(file, '.pcap')
      const theirs = parseCsv(readFileSync(join(FOLDER ?? '', `${name}.corrected.csv`), 'utf8'))
      compareCapture(name, await readBoth(join(FOLDER ?? '', file), limits), theirs, limits, counts)
    }
    process.stdout.write(countsText(counts))
    const { rows, excused, excusedRows, ownRows, faults } = counts
    expect(faults).toEqual([])
    expect({ rows, excused, excusedRows, ownRows }).toEqual(wanted)
    expect(cellCount(counts)).toBe(rows * COLUMNS.length)
  })
})
