import { describe, expect, test } from 'vitest'
import { makeAlertLine } from '../../src/explain/alert-line.ts'
import { FlowBatch } from '../../src/flow/batch.ts'
import { ROW_CELLS } from '../../src/flow/row.ts'
import { comparableLine, RunDigest } from '../../src/sink/digest.ts'
import { ENVELOPE, verticalScan } from '../explain/alert-samples.ts'

/** A batch whose rows begin with these numbers. */
function batchOf(rows: readonly number[]): FlowBatch {
  const batch = new FlowBatch(new Float64Array(rows.length * ROW_CELLS))
  for (const [i, row] of rows.entries()) {
    batch.cells.fill(row, i * ROW_CELLS, (i + 1) * ROW_CELLS)
    batch.append(i * ROW_CELLS)
  }
  return batch
}

function digestOf(batches: readonly (readonly number[])[], lines: readonly string[]): { flows: string; alerts: string } {
  const digest = new RunDigest()
  for (const rows of batches) digest.addRows(batchOf(rows))
  for (const line of lines) digest.addAlertLine(line)
  return digest.digests()
}

const { timestamp } = ENVELOPE
const FROM_FILE = makeAlertLine(verticalScan(), ENVELOPE).text
const slice = { source: 'memory', heldFrom: timestamp, packetsMax: 9, bytesMax: 9, snapBytes: null } as const
const live = { ...verticalScan(), slice, sensor: { ...verticalScan().sensor, name: 'sensor-b' } }
const FROM_WIRE = makeAlertLine(
  { ...live, visibility: { ...live.visibility, source: 'live' } },
  { timestamp, in_iface: 'eth1', host: 'sensor-b' },
).text

describe('digest', () => {
  test('where the packets came from does not count', () => {
    expect(FROM_WIRE).not.toBe(FROM_FILE)
    expect(comparableLine(FROM_WIRE)).toBe(comparableLine(FROM_FILE))
    expect(digestOf([[1]], [FROM_WIRE])).toEqual(digestOf([[1]], [FROM_FILE]))
  })

  test('everything else counts, rows and their order too', () => {
    const base = digestOf([[1, 2]], [FROM_FILE])
    expect(base.flows).toMatch(/^[0-9a-f]{64}$/)
    expect(digestOf([[2, 1]], [FROM_FILE]).flows).not.toBe(base.flows)
    expect(digestOf([[1]], [FROM_FILE]).flows).not.toBe(base.flows)
    expect(digestOf([[1, 2]], []).alerts).not.toBe(base.alerts)
    const other = makeAlertLine({ ...verticalScan(), likelihood: 0.967 }, ENVELOPE).text
    expect(digestOf([[1, 2]], [other]).alerts).not.toBe(base.alerts)
  })

  test('how rows are batched does not count', () => {
    expect(digestOf([[1], [2, 3], [4]], [])).toEqual(digestOf([[1, 2, 3, 4]], []))
  })

  test('an eve line of another kind passes', () => {
    expect(comparableLine('{"event_type":"stats","host":"a"}')).toBe('{"event_type":"stats"}')
  })
})
