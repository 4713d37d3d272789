/**
 * A SYN flood of two million distinct flows through a table capped at a tenth of them: memory stays within what src/README.md says of
 * a flow, speed within half of an uncapped table's, and every eviction is counted. In a process of its own (test/bench/flood.mjs).
 */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test, vi } from 'vitest'
import { ROW_BYTES } from '../../src/flow/row.ts'
import { FlowTable } from '../../src/flow/table.ts'
import { fromEnvironment } from '../base/seeded.ts'
import { DEFAULT_LIMITS } from './run-meter.ts'

const FLOWS = fromEnvironment('FLOWSCRIBE_FLOOD_FLOWS', 2_000_000)
const UNCAPPED_FLOWS = fromEnvironment('FLOWSCRIBE_FLOOD_UNCAPPED_FLOWS', 400_000)
const CAP = FLOWS / 10
/** The program, the runtime and what is not per flow. */
const REST_BYTES = 150e6

const bench = fileURLToPath(new URL('../bench/flood.mjs', import.meta.url))
const readme = readFileSync(new URL('../../src/README.md', import.meta.url), 'utf8').replaceAll('\n', ' ')
const SAYS = /A flow takes (\d+) octets for its row and at most (\d+) for index, timers and lists, (\d+) in all/
const [rowBytes, otherBytes, flowBytes] = (SAYS.exec(readme) ?? []).slice(1).map(Number)

interface Outcome {
  capped: { flows: number; evicted: number; held: number; rows: number; packetsPerSecond: number }
  uncapped: { flows: number; evicted: number; rows: number; packetsPerSecond: number }
  peakBytes: number
}

function flood(): Outcome {
  const args = [bench, `--flows=${FLOWS}`, `--cap=${CAP}`, `--uncapped-flows=${UNCAPPED_FLOWS}`]
  return JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' })) as Outcome
}

/** The octets of all arrays that a table makes. What the runtime says of its buffers changes with every garbage collection. */
function arrayBytes(maxFlows: number): number {
  let bytes = 0
  for (const type of [Float64Array, Uint32Array, Int32Array, Int8Array, Uint8Array]) {
    const construct = (_: unknown, args: unknown[]): object => {
      const array: ArrayBufferView = Reflect.construct(type, args)
      // A second view of a buffer takes none.
      if (typeof args[0] === 'number') bytes += array.byteLength
      return array
    }
    vi.stubGlobal(type.name, new Proxy(type, { construct }))
  }
  try {
    new FlowTable({ ...DEFAULT_LIMITS, maxFlows }, () => undefined)
  } finally {
    vi.unstubAllGlobals()
  }
  return bytes
}

test('a flow takes what src/README.md says', () => {
  expect(rowBytes).toBe(ROW_BYTES)
  expect(flowBytes).toBe(ROW_BYTES + otherBytes)
  // The index is a power of two: just past one it is emptiest, and a flow's share of it largest.
  const few = 1 << 12
  expect((arrayBytes(2 * few + 1) - arrayBytes(few + 1)) / few).toBe(flowBytes)
})

test(`${FLOWS} SYNs through a table of ${CAP} flows`, { timeout: 300_000 }, () => {
  let outcome = flood()
  // Another process may have taken the cache: the speed has one more try.
  if (outcome.capped.packetsPerSecond < outcome.uncapped.packetsPerSecond / 2) outcome = flood()
  const { capped, uncapped, peakBytes } = outcome
  const [rate, freeRate] = [capped, uncapped].map(({ packetsPerSecond }) => (packetsPerSecond / 1e6).toFixed(2))
  process.stdout.write(`SYN flood: ${rate} M packets/s capped, ${freeRate} uncapped; peak ${(peakBytes / 1e6).toFixed(0)} MB\n`)
  expect(capped).toMatchObject({ flows: FLOWS, evicted: FLOWS - CAP, held: CAP, rows: FLOWS })
  expect(uncapped).toMatchObject({ flows: UNCAPPED_FLOWS, evicted: 0, rows: UNCAPPED_FLOWS })
  expect(peakBytes).toBeLessThan(flowBytes * CAP + REST_BYTES)
  expect(capped.packetsPerSecond).toBeGreaterThan(uncapped.packetsPerSecond / 2)
})
