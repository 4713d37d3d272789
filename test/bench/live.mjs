/**
 * How many packets a second the live sensor takes without loss: the driver table of DESIGN.md section 3 with this machine's numbers.
 *
 *   npm run build && node test/bench/live.mjs [--seconds 10] [--flows 1000] [--rates 100000,300000,600000,0] [--drivers cap,ring] [--record] [--first] [--search]
 *
 * Needs root. In network namespaces of its own: a sender of ours on core 0, the sensor with everything on (metering, analysis) on
 * core 1, 60-octet frames. Rate 0 is all that the sender can. Captured is counted against the sender's own count; CPU is what the
 * sensor's process used, user and system, while packets came. --record: with -w.
 * --first: before all other work on the machine (autogroup -19).
 * --search: then the highest lossless rate, to SEARCH_STEP: between the highest of these rates that lost nothing and the lowest that did,
 * halving, SEARCH_S seconds each.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { buildEntry } from './build-entry.mjs'

const root = fileURLToPath(new URL('../..', import.meta.url))
const { countsOf, cpuSecondsOf, Lab, lackOfLab, sleep } = await buildEntry('live-entry.ts')
const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '10' },
    flows: { type: 'string', default: '1000' },
    rates: { type: 'string', default: '100000,300000,600000,0' },
    drivers: { type: 'string', default: 'cap,ring' },
    record: { type: 'boolean', default: false },
    first: { type: 'boolean', default: false },
    search: { type: 'boolean', default: false },
  },
})

/** Up to here a sender with one call a batch is fast and even enough; beyond, the kernel makes the frames itself. */
const FLOOD_RATE_MAX = 150_000

const SEARCH_STEP = 50_000
const SEARCH_S = 5
/** The sender may be slower than it is asked to be: then halving does not come to an end. */
const SEARCH_TURNS_MAX = 8

const isLossless = ({ captured, sent }) => captured === sent.frames
const rateOf = ({ sent }) => sent.frames / sent.seconds

async function measure(lab, driver, rate, seconds = values.seconds) {
  const recording = values.record ? ['-w', lab.path('recording.pcapng')] : []
  const sensor = await lab.capture(
    ['-i', 'v1', '--driver', driver, '-l', lab.path(`${driver}-${rate}`), ...recording],
    ['taskset', '-c', '1'],
  )
  await sleep(500)
  const isFlood = rate > 0 && rate <= FLOOD_RATE_MAX
  const before = cpuSecondsOf(sensor.pid)
  const sent = await lab.sendFrom(0, isFlood ? 'v0' : 'v1', isFlood ? 'flood' : 'inject', String(rate), String(seconds), values.flows)
  const cpuSeconds = cpuSecondsOf(sensor.pid) - before
  await sleep(500)
  const { stderr } = await sensor.stop()
  return { driver, sent, cpuSeconds, ...countsOf(stderr) }
}

function row({ driver, sent, cpuSeconds, captured, droppedByKernel }) {
  const share = captured === sent.frames ? '100 %' : `${((100 * captured) / sent.frames).toFixed(2)} %`
  const lost = Number.isNaN(droppedByKernel) ? 'not counted' : String(droppedByKernel)
  const offered = `${(sent.frames / sent.seconds / 1000).toFixed(0)} k/s for ${sent.seconds.toFixed(1)} s`
  return `| \`${driver}\` | ${offered} | ${sent.frames} | ${captured} (${share}) | ${lost} | ${((1e6 * cpuSeconds) / captured).toFixed(2)} µs |`
}

/** Prints each rate tried. @param results of the driver ring so far @returns them and those tried */
async function search(lab, results) {
  const all = [...results]
  for (let turn = 0; turn < SEARCH_TURNS_MAX; turn++) {
    const lossless = Math.max(0, ...all.filter(isLossless).map(rateOf))
    const lossy = Math.min(...all.filter((one) => !isLossless(one)).map(rateOf))
    // Nothing was ever lost, or the sender cannot tell the two rates apart.
    if (lossy === Infinity || lossy - lossless <= SEARCH_STEP) return all
    const result = await measure(lab, 'ring', Math.round((lossless + lossy) / 2), SEARCH_S)
    console.log(row(result))
    all.push(result)
  }
  return all
}

const lack = lackOfLab(root)
if (lack !== '') {
  console.error(`cannot measure here: ${lack}`)
  process.exit(1)
}
if (values.first) writeFileSync('/proc/self/autogroup', '-19')
console.log(`load before: ${readFileSync('/proc/loadavg', 'utf8').split(' ')[0]}; Node ${process.versions.node}`)
console.log('| driver | offered | frames sent | captured | dropped by kernel, as it says | CPU per packet |')
console.log('|---|---|---|---|---|---|')
const lab = new Lab(root)
try {
  let results = []
  for (const driver of values.drivers.split(',')) {
    for (const rate of values.rates.split(',').map(Number)) {
      const result = await measure(lab, driver, rate)
      console.log(row(result))
      if (driver === 'ring') results.push(result)
    }
  }
  if (values.search) results = await search(lab, results)
  const best = Math.max(0, ...results.filter(isLossless).map(rateOf))
  if (best > 0) console.log(`highest rate without loss: ${(best / 1000).toFixed(0)} k packets/s`)
} finally {
  lab.close()
}
