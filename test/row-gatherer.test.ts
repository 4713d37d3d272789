/** Rows handed on one by one come in few messages, and each still with what had been seen when it left. */
import { expect, test } from 'vitest'
import type { Seen } from '../src/flow/health.ts'
import { Meter } from '../src/flow/meter.ts'
import { ROW_CELLS } from '../src/flow/row.ts'
import { RowGatherer, type RowsMessage, stretchesOf } from '../src/live/row-gatherer.ts'
import { slabsOf } from './capture/records.ts'
import { conversation } from './flow/conversation.ts'
import { DEFAULT_LIMITS } from './flow/run-meter.ts'
import { range } from './score/flows.ts'

interface Told {
  cells: number[]
  seen: Seen
}

/** A flood of more flows than the table holds: each new flow takes the place of one, and its row leaves alone. */
const flood = slabsOf(
  range(3000).map((i) => {
    const client = { address: `20.0.${i >> 8}.${i & 255}`, port: 1024 + i }
    return conversation({ client, server: { address: '10.0.0.9', port: 53 } }).udp(1 + i / 1000, '>')
  }),
)

test('rows of a full table: few messages, the same rows, each with what had been seen', () => {
  const direct: Told[] = []
  const messages: RowsMessage[] = []
  const rows = new RowGatherer((message) => messages.push(message))
  const meter = new Meter({ ...DEFAULT_LIMITS, maxFlows: 256 }, (batch) => {
    const seen = meter.seenSoFar()
    const cells = Array.from(batch.takeCells())
    for (const i of range(batch.count)) direct.push({ cells: cells.slice(i * ROW_CELLS, (i + 1) * ROW_CELLS), seen })
    rows.add(batch, seen)
  })
  for (const slab of flood) {
    meter.meterSlab(slab)
    rows.flush()
  }
  meter.finish()
  rows.flush()
  const gathered = messages.flatMap((message): Told[] =>
    [...stretchesOf(message)].flatMap(({ from, to, seen }) =>
      range(to - from).map((i) => ({
        cells: Array.from(message.cells.subarray((from + i) * ROW_CELLS, (from + i + 1) * ROW_CELLS)),
        seen,
      })),
    ),
  )
  expect(direct).toHaveLength(3000)
  expect(gathered).toEqual(direct)
  // As many hand-overs as evictions; the last flows leave together.
  expect(new Set(direct.map(({ seen }) => seen)).size).toBeGreaterThan(2500)
  expect(messages.length).toBeLessThan(30)
  expect(messages.every(({ cells }) => cells.length <= 512 * ROW_CELLS)).toBe(true)
})

test('nothing gathered, nothing said', () => {
  const messages: RowsMessage[] = []
  new RowGatherer((message) => messages.push(message)).flush()
  expect(messages).toEqual([])
})
