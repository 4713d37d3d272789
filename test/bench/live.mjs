/**
 * How many packets a second the live sensor takes without loss: the driver table of DESIGN.md section 3 with this machine's numbers.
 *
 *   npm run build && node test/bench/live.mjs [--seconds 10] [--flows 1000] [--rates 100000,300000,600000,0] [--drivers cap,ring] [--record] [--first]
 *
 * Needs root. In network namespaces of its own: a sender of ours on core 0, the sensor with everything on (metering, analysis) on
 * core 1, 60-octet frames. Rate 0 is all that the sender can. Captured is counted against the sender's own count; CPU is what the
 * sensor's process used, user and system, while packets came. --record: with -w.
 * --first: before all other work on the machine (autogroup -19).
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
  },
})

/** Up to here a sender with one call a batch is fast and even enough; beyond, the kernel makes the frames itself. */
const FLOOD_RATE_MAX = 150_000

async function measure(lab, driver, rate) {
  const recording = values.record ? ['-w', lab.path('recording.pcapng')] : []
  const sensor = await lab.capture(
    ['-i', 'v1', '--driver', driver, '-l', lab.path(`${driver}-${rate}`), ...recording],
    ['taskset', '-c', '1'],
  )
  await sleep(500)
  const isFlood = rate > 0 && rate <= FLOOD_RATE_MAX
  const before = cpuSecondsOf(sensor.pid)
  const sent = await lab.sendFrom(0, isFlood ? 'v0' : 'v1', isFlood ? 'flood' : 'inject', String(rate), values.seconds, values.flows)
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
  let best = 0
  for (const driver of values.drivers.split(',')) {
    for (const rate of values.rates.split(',').map(Number)) {
      const result = await measure(lab, driver, rate)
      console.log(row(result))
      if (driver === 'ring' && result.captured === result.sent.frames) best = Math.max(best, result.sent.frames / result.sent.seconds)
    }
  }
  if (best > 0) console.log(`highest rate without loss: ${(best / 1000).toFixed(0)} k packets/s`)
} finally {
  lab.close()
}
