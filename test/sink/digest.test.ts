import { describe, expect, test } from 'vitest'
import { makeAlertLine } from '../../src/explain/alert-line.ts'
import { comparableLine, RunDigest } from '../../src/sink/digest.ts'
import { ENVELOPE, verticalScan } from '../explain/alert-samples.ts'

function digestOf(rows: readonly string[], lines: readonly string[]): string {
  const digest = new RunDigest()
  for (const row of rows) digest.addFlowRows(row)
  for (const line of lines) digest.addAlertLine(line)
  return digest.finish()
}

const { timestamp } = ENVELOPE
const FROM_FILE = makeAlertLine(verticalScan(), ENVELOPE).text
const live = { ...verticalScan(), sensor: { ...verticalScan().sensor, name: 'sensor-b' } }
const FROM_WIRE = makeAlertLine(
  { ...live, visibility: { ...live.visibility, source: 'live' } },
  { timestamp, in_iface: 'eth1', host: 'sensor-b' },
).text

describe('digest', () => {
  test('where the packets came from does not count', () => {
    expect(FROM_WIRE).not.toBe(FROM_FILE)
    expect(comparableLine(FROM_WIRE)).toBe(comparableLine(FROM_FILE))
    expect(digestOf(['a\n'], [FROM_WIRE])).toBe(digestOf(['a\n'], [FROM_FILE]))
  })

  test('everything else counts, rows and their order too', () => {
    const base = digestOf(['a\n', 'b\n'], [FROM_FILE])
    expect(base).toMatch(/^[0-9a-f]{64}$/)
    const other = makeAlertLine({ ...verticalScan(), likelihood: 0.967 }, ENVELOPE).text
    const all = [
      base,
      digestOf(['b\n', 'a\n'], [FROM_FILE]),
      digestOf(['a\n'], [FROM_FILE]),
      digestOf(['a\n', 'b\n'], []),
      digestOf(['a\n', 'b\n'], [other]),
    ]
    expect(new Set(all).size).toBe(all.length)
  })

  test('how rows are batched does not count', () => {
    const rows = Array.from({ length: 5000 }, (_, i) => `row ${i} ${'x'.repeat(40)}\n`)
    expect(digestOf(rows, [])).toBe(digestOf([rows.join('')], []))
  })

  test('an eve line of another kind passes', () => {
    expect(comparableLine('{"event_type":"stats","host":"a"}')).toBe('{"event_type":"stats"}')
  })
})
