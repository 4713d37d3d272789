/**
 * Whether the sensor stays as it is: ten minutes of mixed traffic, floods and scans, and what became of its memory and descriptors.
 *
 *   npm run soak -- [--minutes 10] [--record] [--scale 1] [--collect]
 *
 * Needs root. In network namespaces of its own: a steady flood over 1,000 conversations, an office with its incident every ten seconds,
 * a port scan every twenty, every thirty a flood of forged senders, each of whom is new. In the first minute so many of these that the
 * tables of hosts and of pairs are full: from then on what is measured is measured at their limits, with something forgotten for
 * each host that comes. A line every ten seconds; at the end the slope of memory after the first minute (least squares), descriptors,
 * losses. Exit code 1 when packets were lost, descriptors leaked, tables never became full, or memory grew by more than SLOPE_MAX_MB_PER_MIN.
 * --scale: the floods' rates times this, for a machine that has other work.
 * --collect: garbage is collected before each sample. Judging makes and drops so much that memory goes up and down by some 70 MB between
 * collections, more than a slope of ten minutes can be told from; after them the heap is what is kept, and its slope
 * decides.
 * --record: with -w, to /dev/null. Memory is VmRSS of the whole process, both threads.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { gunzipSync } from 'node:zlib'
import { buildEntry } from './build-entry.mjs'

/** Of 600 MB it would take a day and more to double; what the collector leaves lying about is larger. */
const SLOPE_MAX_MB_PER_MIN = 0.5
const SETTLED_S = 60
const EVERY_S = 10
/** So that within the first minute each kind of traffic has been judged once. */
const IDLE_S = 15
/** Forged senders at the start: more than hosts and pairs are remembered, in good time to be judged. */
const FILL_PER_S = 5000
const FILL_S = 35

const root = fileURLToPath(new URL('../..', import.meta.url))
const { countsOf, Lab, lackOfLab, sleep } = await buildEntry('live-entry.ts')
const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    record: { type: 'boolean', default: false },
    scale: { type: 'string', default: '1' },
    collect: { type: 'boolean', default: false },
  },
})
const seconds = 60 * Number(values.minutes)
const rate = (packetsPerSecond) => String(packetsPerSecond * Number(values.scale))

function sampleOf(pid) {
  const field = (name) => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1024
  return { rss_MB: field('VmRSS'), anonymous_MB: field('RssAnon'), descriptors: readdirSync(`/proc/${pid}/fd`).length }
}

/** Least squares, in units a minute. */
function slopeOf(samples, key) {
  const n = samples.length
  const meanX = samples.reduce((sum, one) => sum + one.at_s, 0) / n
  const meanY = samples.reduce((sum, one) => sum + one[key], 0) / n
  const up = samples.reduce((sum, one) => sum + (one.at_s - meanX) * (one[key] - meanY), 0)
  return (60 * up) / samples.reduce((sum, one) => sum + (one.at_s - meanX) ** 2, 0)
}

/** Sends over and over until the time is up; returns how many frames. */
async function repeat(lab, until, pause_s, wordsOf) {
  let frames = 0
  for (let turn = 0; performance.now() < until; turn++) {
    frames += (await lab.send('v0', ...wordsOf(turn))).frames
    await sleep(1000 * pause_s)
  }
  return frames
}

const lack = lackOfLab(root)
if (lack !== '') {
  console.error(`cannot measure here: ${lack}`)
  process.exit(1)
}
const lab = new Lab(root)
try {
  const office = lab.path('office.pcap')
  writeFileSync(office, gunzipSync(readFileSync(join(root, 'pcaps', 'office-incident.pcap.gz'))))
  if (values.collect) process.env.NODE_OPTIONS = `--require ${JSON.stringify(join(root, 'test', 'bench', 'collect.cjs'))}`
  const sensor = await lab.capture([
    '-i',
    'v1',
    '-l',
    lab.path('out'),
    '--set',
    `flow.idle_udp_s=${IDLE_S}`,
    ...(values.record ? ['-w', '/dev/null'] : []),
  ])
  const start = performance.now()
  const until = start + 1000 * seconds
  const sending = Promise.all([
    lab.send('v0', 'forged', String(FILL_PER_S), String(FILL_S), '1').then(({ frames }) => frames),
    repeat(lab, until, 0, () => ['flood', rate(20_000), '10', '1000']),
    repeat(lab, until, 10, () => ['file', office, 'top']),
    repeat(lab, until, 20, () => ['file', join(root, 'pcaps', 'scan-syn-nmap.pcap'), 'top']),
    repeat(lab, until, 27, (turn) => ['forged', rate(60_000), '3', String(turn + 2)]),
  ])
  const samples = []
  console.log('second  VmRSS MB  anonymous MB  heap MB  array buffers MB  descriptors  clients forgotten  pairs forgotten')
  while (performance.now() < until) {
    await sleep(1000 * EVERY_S)
    sensor.signal('SIGUSR1')
    await sensor.says('"msg":"statistics"', samples.length + 1)
    const statistics = /.*"msg":"statistics"/g
    const last = JSON.parse(`${sensor.stderr.match(statistics)?.at(-1) ?? '{"x":0'}}`)
    const { clientsEvicted = 0, pairsEvicted = 0 } = last.analysis ?? {}
    const heap_MB = (last.heap_B ?? 0) / 2 ** 20
    const sample = { at_s: (performance.now() - start) / 1000, ...sampleOf(sensor.pid), heap_MB, clientsEvicted, pairsEvicted }
    samples.push(sample)
    const cells = [
      sample.at_s,
      sample.rss_MB,
      sample.anonymous_MB,
      sample.heap_MB,
      (last.arrayBuffers_B ?? 0) / 2 ** 20,
      sample.descriptors,
      clientsEvicted,
      pairsEvicted,
    ]
    console.log(cells.map((value) => value.toFixed(0).padStart(8)).join('  '))
  }
  const frames = (await sending).reduce((sum, count) => sum + count, 0)
  await sleep(1000)
  const { code, stderr } = await sensor.stop()
  const counts = countsOf(stderr)
  const settled = samples.filter((one) => one.at_s >= SETTLED_S)
  const slope = slopeOf(settled, 'rss_MB')
  const leaked = settled.at(-1).descriptors - settled[0].descriptors
  console.log(`frames sent ${frames}, captured ${counts.captured}, dropped by kernel ${counts.droppedByKernel}; exit code ${code}`)
  console.log(`descriptors: ${settled[0].descriptors} after the first ${SETTLED_S} s, ${settled.at(-1).descriptors} at the end`)
  console.log(
    `memory after the first ${SETTLED_S} s: ${settled[0].rss_MB.toFixed(0)} MB, at the end ${settled.at(-1).rss_MB.toFixed(0)} MB`,
  )
  const heapSlope = slopeOf(settled, 'heap_MB')
  console.log(
    `slope after the first ${SETTLED_S} s: VmRSS ${slope.toFixed(2)}, heap ${heapSlope.toFixed(2)} MB a minute over ${settled.length} samples`,
  )
  const isFull = settled[0].clientsEvicted > 0 && settled[0].pairsEvicted > 0
  if (!isFull) console.log(`the tables of hosts and pairs were not full after the first ${SETTLED_S} s: this says nothing`)
  const isFit =
    code === 0 &&
    counts.captured === frames &&
    counts.droppedByKernel === 0 &&
    leaked <= 0 &&
    isFull &&
    (values.collect ? heapSlope : slope) <= SLOPE_MAX_MB_PER_MIN
  process.exitCode = isFit ? 0 : 1
} finally {
  lab.close()
}
