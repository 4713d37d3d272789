/**
 * Metering speed on one core: preloaded slabs through decode and flow table, rows counted and let go.
 *
 *   npm run bench [-- --packets 3000000 --flows 130000 --concurrent 20000 --fast-share 0.5 --runs 5]
 *
 * Prints the input's make-up, then packets/s, flows/s, garbage collections and peak memory of each run and their median.
 */
import { PerformanceObserver } from 'node:perf_hooks'
import { parseArgs } from 'node:util'
import { buildEntry } from './build-entry.mjs'
import { makeMix } from './mix.mjs'

const { defaultsOf, FLOW_OPTIONS, Meter, ROW_BYTES, tableLimits } = await buildEntry('meter-entry.ts')

const { values } = parseArgs({
  options: {
    packets: { type: 'string', default: '3000000' },
    flows: { type: 'string', default: '130000' },
    concurrent: { type: 'string', default: '20000' },
    'fast-share': { type: 'string', default: '0.5' },
    rate: { type: 'string', default: '100000' },
    runs: { type: 'string', default: '5' },
    seed: { type: 'string', default: '1' },
  },
})

let collections = 0
new PerformanceObserver((list) => {
  collections += list.getEntries().length
}).observe({ entryTypes: ['gc'] })

const mix = makeMix({
  packets: Number(values.packets),
  flows: Number(values.flows),
  concurrent: Number(values.concurrent),
  packetsPerSecond: Number(values.rate),
  fastShare: Number(values['fast-share']),
  seed: Number(values.seed),
})
console.log(
  `input: ${mix.packets} packets of ${mix.flows} flows in ${mix.seconds.toFixed(0)} s of packet time, ${(mix.bytes / 1e6).toFixed(0)} MB of records, 96 octets a frame; up to ${values.concurrent} flows open at once, ${Number(values['fast-share']) * 100} % of the packets from the fastest hundredth of them`,
)
for (const { kind, flows } of mix.makeUp) console.log(`       ${String(flows).padStart(7)} flows: ${kind}`)

const limits = tableLimits(defaultsOf(FLOW_OPTIONS))
const rates = []
for (let run = 0; run < Number(values.runs); run++) {
  let rows = 0
  const meter = new Meter(limits, (batch) => {
    rows += batch.count
  })
  // As the daemon does at start, so that the system's handing out of pages is not measured.
  meter.table.takeMemory()
  // Let what the set-up left behind be collected before the clock starts.
  await new Promise((resolve) => setTimeout(resolve, 50))
  const collectionsBefore = collections
  const start = performance.now()
  for (const slab of mix.slabs) meter.meterSlab(slab)
  meter.finish()
  const seconds = (performance.now() - start) / 1000
  await new Promise((resolve) => setTimeout(resolve, 50))
  rates.push(mix.packets / seconds)
  console.log(
    `run ${run + 1}: ${(mix.packets / seconds / 1e6).toFixed(2)} M packets/s, ${(rows / seconds / 1e3).toFixed(0)} k flows/s, ${rows} rows, ${collections - collectionsBefore} garbage collections`,
  )
}
rates.sort((a, b) => a - b)
console.log(
  `median: ${(rates[rates.length >> 1] / 1e6).toFixed(2)} M packets/s; ${ROW_BYTES} octets a row; peak memory ${(process.resourceUsage().maxRSS / 1024).toFixed(0)} MiB, of which ${(mix.bytes / 2 ** 20).toFixed(0)} MiB are the input`,
)
