/** A program for a test: meters a mix on the bundle and says how often the garbage collector ran meanwhile, as JSON. */
import { PerformanceObserver } from 'node:perf_hooks'
import { buildEntry } from '../bench/build-entry.mjs'
import { makeMix } from '../bench/mix.mjs'

const { defaultsOf, FLOW_OPTIONS, Meter, tableLimits } = await buildEntry('meter-entry.ts')

let collections = 0
new PerformanceObserver((list) => {
  collections += list.getEntries().length
}).observe({ entryTypes: ['gc'] })

const want = { flows: 30_000, concurrent: 20_000, packetsPerSecond: 5000, seed: 1 }
const limits = tableLimits({ ...defaultsOf(FLOW_OPTIONS), max_flows: 65_536 })
let rows = 0
let during = 0
let packets = 0
// The first round warms the code up: compiling it makes garbage of its own.
for (let round = 0; round < 2; round++) {
  const mix = makeMix({ ...want, packets: 400_000 })
  const take = (batch) => {
    rows += batch.count
  }
  const watch = { arrivalsPerSMin: 50, openRowsEveryUs: 5e6, openTogetherMin: 50 }
  const meter = new Meter(limits, take, process.argv[2] === 'watched' ? { limits: watch, onInterim() {} } : null)
  meter.table.takeMemory()
  await new Promise((resolve) => setTimeout(resolve, 100))
  const before = collections
  rows = 0
  for (const slab of mix.slabs) meter.meterSlab(slab)
  meter.finish()
  await new Promise((resolve) => setTimeout(resolve, 100))
  during = collections - before
  packets = meter.counters.seen
}
process.stdout.write(JSON.stringify({ packets, rows, collections: during }))
