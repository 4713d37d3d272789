/**
 * What counting for open flows costs: the same slabs through a meter with and without it, in turns, by processor time.
 *
 *   node test/bench/meter-watch.mjs [--packets 3000000 --flows 130000 --concurrent 20000 --fast-share 0.5 --rate 100000 --runs 5]
 *
 * Prints processor time a packet of both and the ratio of their medians.
 */
import { parseArgs } from 'node:util'
import { buildEntry } from './build-entry.mjs'
import { makeMix } from './mix.mjs'

const { defaultsOf, FLOW_OPTIONS, Meter, tableLimits } = await buildEntry('meter-entry.ts')

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

const mix = makeMix({
  packets: Number(values.packets),
  flows: Number(values.flows),
  concurrent: Number(values.concurrent),
  packetsPerSecond: Number(values.rate),
  fastShare: Number(values['fast-share']),
  seed: Number(values.seed),
})
const limits = tableLimits(defaultsOf(FLOW_OPTIONS))
const watch = { arrivalsPerSMin: 50, openRowsEveryUs: 5e6, openTogetherMin: 50 }

/** Processor time a packet, in nanoseconds. */
function run(isWatched) {
  const told = { counters: 0, open: 0 }
  const onInterim = (interim) => told[interim.kind]++
  const meter = new Meter(limits, () => {}, isWatched ? { limits: watch, onInterim } : null)
  meter.table.takeMemory()
  const before = process.cpuUsage()
  for (const slab of mix.slabs) meter.meterSlab(slab)
  meter.finish()
  const { user, system } = process.cpuUsage(before)
  return { ns: ((user + system) * 1000) / mix.packets, told }
}

const plain = []
const watched = []
run(false)
run(true)
for (let i = 0; i < Number(values.runs); i++) {
  plain.push(run(false).ns)
  const { ns, told } = run(true)
  watched.push(ns)
  console.log(
    `run ${i + 1}: ${plain[i].toFixed(0)} ns a packet alone, ${ns.toFixed(0)} ns with open flows watched; ${told.counters} seconds of counters, ${told.open} of rows`,
  )
}
const median = (list) => list.sort((a, b) => a - b)[list.length >> 1]
const least = (list) => Math.min(...list)
for (const [name, of] of Object.entries({ median, least })) {
  console.log(`${name}: ${of(plain).toFixed(1)} and ${of(watched).toFixed(1)} ns, ratio ${(of(watched) / of(plain)).toFixed(3)}`)
}
