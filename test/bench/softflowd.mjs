/**
 * Metering beside softflowd, the fastest C meter tried, on the same packets in one run:
 *
 *   node test/bench/softflowd.mjs [--packets 3000000] [--rounds 5]
 *
 * softflowd reads the mix from a file and says how long it took; ours is timed twice: metering alone, from memory (`npm run bench`'s
 * figure), and as a whole process on the same file, start-up included. Needs Debian's softflowd and `npm run build`.
 */
import { spawnSync } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { buildEntry } from './build-entry.mjs'
import { makeMix } from './mix.mjs'

const { values } = parseArgs({ options: { packets: { type: 'string', default: '3000000' }, rounds: { type: 'string', default: '5' } } })
const { defaultsOf, FLOW_OPTIONS, Meter, tableLimits } = await buildEntry('meter-entry.ts')
const mix = makeMix({
  packets: Number(values.packets),
  flows: 130_000,
  concurrent: 20_000,
  packetsPerSecond: 100_000,
  fastShare: 0.5,
  seed: 1,
})

const folder = mkdtempSync(join(tmpdir(), 'flowscribe-softflowd-'))
const file = join(folder, 'mix.pcap')
writePcap(file, mix.slabs)
const main = fileURLToPath(new URL('../../dist/main.js', import.meta.url))
const limits = tableLimits(defaultsOf(FLOW_OPTIONS))

function writePcap(path, slabs) {
  const header = Buffer.alloc(24)
  header.writeUInt32LE(0xa1b23c4d, 0)
  header.writeUInt16LE(2, 4)
  header.writeUInt16LE(4, 6)
  header.writeUInt32LE(262_144, 16)
  header.writeUInt32LE(1, 20)
  const fd = openSync(path, 'w')
  writeSync(fd, header)
  for (const { bytes, start, end } of slabs) writeSync(fd, bytes, start, end - start)
  closeSync(fd)
}

/** Seconds that the work took. */
function secondsOf(work) {
  const start = performance.now()
  work()
  return (performance.now() - start) / 1000
}

function run(command, args) {
  const { status, error } = spawnSync(command, args, { stdio: 'ignore' })
  if (error !== undefined || status !== 0) throw new Error(`${command}: ${error?.message ?? `exit ${status}`}`)
}

const median = (numbers) => [...numbers].sort((a, b) => a - b)[numbers.length >> 1]

try {
  const seconds = { softflowd: [], metering: [], process: [] }
  for (let round = 0; round < Number(values.rounds); round++) {
    seconds.softflowd.push(secondsOf(() => run('softflowd', ['-r', file, '-m', '400000', '-t', 'maxlife=120'])))
    const meter = new Meter(limits, () => {})
    meter.table.takeMemory()
    seconds.metering.push(
      secondsOf(() => {
        for (const slab of mix.slabs) meter.meterSlab(slab)
        meter.finish()
      }),
    )
    seconds.process.push(secondsOf(() => run(process.execPath, [main, 'flows', '-q', '--format', 'none', file])))
  }
  const rate = (name) => mix.packets / median(seconds[name]) / 1e6
  console.log(`${mix.packets} packets of ${mix.flows} flows, medians of ${values.rounds} rounds`)
  console.log(`softflowd -r               ${rate('softflowd').toFixed(2)} M packets/s`)
  console.log(
    `flowscribe, metering       ${rate('metering').toFixed(2)} M packets/s, ${(rate('metering') / rate('softflowd')).toFixed(2)} x softflowd`,
  )
  console.log(
    `flowscribe flows, process  ${rate('process').toFixed(2)} M packets/s, ${(rate('process') / rate('softflowd')).toFixed(2)} x softflowd`,
  )
} finally {
  rmSync(folder, { recursive: true, force: true })
}
