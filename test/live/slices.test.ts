/**
 * Packets beside the reports of a live run: cut from memory while it captures, equal to those of its recording's replay; a thousand
 * alerts at once that cost no packet; a disk that is full.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { canMount } from '../sink/endings.ts'
import { countsOf, digestsOf, type Lab, type Sensor, sleep } from './lab.ts'
import { PCAPS, useLab } from './use-lab.ts'

const scan = join(PCAPS, 'scan-syn-nmap.pcap')
const arp = join(PCAPS, 'sweep-arp-nmap.pcap')
let lab: Lab
const { newOut } = useLab((made) => {
  lab = made
})

/** Rows leave soon, so that alerts come soon. */
const SOON = ['--set', 'flow.idle_tcp_new_s=1', '--set', 'flow.idle_tcp_closed_s=1']

interface Facts {
  file: string
  packets: number
  isComplete: boolean
  missing: string[]
}

function slicesIn(folder: string): { facts: Facts; bytes: Buffer; mode: number }[] {
  const reports = join(folder, 'reports')
  if (!existsSync(reports)) return []
  return readdirSync(reports, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.pcap.json'))
    .sort()
    .map((name) => {
      const facts = JSON.parse(readFileSync(join(reports, name), 'utf8')) as Facts
      const path = join(reports, name, '..', facts.file)
      return { facts, bytes: readFileSync(path), mode: statSync(path).mode & 0o777 }
    })
}

async function until(what: () => boolean, seconds = 20): Promise<boolean> {
  for (let tries = 0; tries < seconds * 10; tries++) {
    if (what()) return true
    await sleep(100)
  }
  return false
}

const linesIn = (folder: string): string[] => {
  const path = join(folder, 'alerts.jsonl')
  return existsSync(path) ? readFileSync(path, 'utf8').split('\n').filter(Boolean) : []
}

test.each([
  ['a scan', scan, '1'],
  ['a scan through two queues', scan, '2'],
  ['an ARP sweep', arp, '1'],
])(
  '%s: the slice is that of its recording, to the byte, and the digests are equal',
  async (_, capture, queues) => {
    const folder = newOut()
    const recording = `${folder}.pcapng`
    const sensor = await lab.capture(['-i', 'v1', '-l', folder, '-w', recording, '--queues', queues, ...SOON])
    const { frames } = await lab.send('v0', 'file', capture, 'top')
    await sleep(2500)
    const { code, stderr } = await sensor.stop()
    expect({ code, ...countsOf(stderr) }).toMatchObject({ code: 0, captured: frames, droppedByKernel: 0 })
    const again = newOut()
    const replayed = await lab.start(['replay', recording, '-l', again, ...SOON]).ended()
    // Through several queues the digest of flows alone is promised (queues.test.ts).
    const compared = queues === '1' ? 2 : 1
    expect(digestsOf(replayed.stderr).slice(0, compared)).toEqual(digestsOf(stderr).slice(0, compared))
    const live = slicesIn(folder)
    expect(live).toHaveLength(1)
    expect(live[0].facts).toMatchObject({ isComplete: true, missing: [] })
    expect(live[0].mode).toBe(0o640)
    expect(live[0].bytes.equals(slicesIn(again)[0].bytes)).toBe(true)
    const reports = readdirSync(join(folder, 'reports'), { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.md'))
    const report = join(folder, 'reports', reports[0])
    expect(readFileSync(report, 'utf8')).toContain("cut from the sensor's memory, which then held all since the run began.")
    expect((await lab.start(['verify', join(folder, 'alerts.jsonl'), report]).ended()).code).toBe(0)
  },
  60_000,
)

test('what the memory forgets between two words on an episode stays in its slice', async () => {
  const folder = newOut()
  const sensor = await lab.capture(['-i', 'v1', '-l', folder, '--set', 'capture.memory_MiB=1', ...SOON])
  await lab.send('v0', 'file', scan, 'top')
  await lab.send('v0', 'flood', '100', '3', '10')
  expect(await until(() => slicesIn(folder).some(({ facts }) => facts.isComplete))).toBe(true)
  await sleep(1000)
  const [before] = slicesIn(folder)
  // Fifteen times what the memory holds; then the episode closes, and its slice is cut again.
  await lab.send('v0', 'flood', '100000', '2', '10')
  const { code, stderr } = await sensor.stop()
  expect({ code, ...countsOf(stderr) }).toMatchObject({ code: 0, droppedByKernel: 0 })
  const closing = linesIn(folder).map(
    (line) => JSON.parse(line) as { alert: { context: { flowscribe: { event: string; slice: { heldFrom: string } } } } },
  )
  const last = closing.map((line) => line.alert.context.flowscribe).find(({ event }) => event === 'close')
  expect(last?.slice.heldFrom).toMatch(/^20/)
  // The flood is an alert, too.
  const after = slicesIn(folder).find(({ facts }) => facts.file === before.facts.file)
  expect(after?.facts).toMatchObject({ isComplete: true })
  expect(after?.bytes.equals(before.bytes)).toBe(true)
  expect(
    slicesIn(folder)
      .filter(({ facts }) => !facts.isComplete)
      .map(({ facts }) => facts.missing[0]),
  ).toEqual([expect.stringContaining('the memory (capture.memory_MiB) had forgotten them')])
}, 60_000)

const ACTORS = 1000
const TARGETS = 40

/** Each of a thousand hosts asks forty others for one port, and is refused. */
function scanners(path: string): number {
  const parts: Buffer[] = [Buffer.from('d4c3b2a1020004000000000000000000ffff000001000000', 'hex')]
  for (let target = 1; target <= TARGETS; target++) {
    for (let actor = 0; actor < ACTORS; actor++) {
      const from = [10, 1 + (actor >> 8), actor & 255, 7]
      const to = [10, 200, target, 9]
      parts.push(frame(from, to, 40_000 + target, 445, 0x02), frame(to, from, 445, 40_000 + target, 0x14))
    }
  }
  writeFileSync(path, Buffer.concat(parts))
  return 2 * ACTORS * TARGETS
}

function frame(from: readonly number[], to: readonly number[], fromPort: number, toPort: number, flags: number): Buffer {
  const b = Buffer.alloc(16 + 60)
  b.writeUInt32LE(1_700_000_000, 0)
  b.writeUInt32LE(60, 8)
  b.writeUInt32LE(60, 12)
  Buffer.from('0200000000010200000000020800', 'hex').copy(b, 16)
  Buffer.from([0x45, 0, 0, 40, 0, 0, 0, 0, 64, 6, 0, 0, ...from, ...to]).copy(b, 30)
  b.writeUInt16BE(fromPort, 50)
  b.writeUInt16BE(toPort, 52)
  b[62] = 0x50
  b[63] = flags
  return b
}

test('a thousand alerts at once, their packets cut, while the line goes on: no packet lost, no alert, no slice', async () => {
  const folder = newOut()
  const capture = lab.path('scanners.pcap')
  scanners(capture)
  const sensor = await lab.capture(['-i', 'v1', '-l', folder, ...SOON])
  const sent = await lab.send('v0', 'file', capture, 'top')
  const flood = await lab.send('v0', 'flood', '50000', '8', '1000')
  const actors = (): number => new Set(linesIn(folder).map((line) => (JSON.parse(line) as { src_ip: string }).src_ip)).size
  expect(await until(() => slicesIn(folder).length >= ACTORS, 60)).toBe(true)
  expect(actors()).toBeGreaterThanOrEqual(ACTORS)
  const slices = slicesIn(folder)
  expect(slices.filter(({ facts }) => !facts.isComplete)).toEqual([])
  // A thousand last words take their time on a busy machine: how long an end may take is daemon.test.ts's.
  sensor.signal('SIGTERM')
  const { code, stderr } = await sensor.ended()
  expect({ code, ...countsOf(stderr) }).toMatchObject({ code: 0, captured: sent.frames + flood.frames, droppedByKernel: 0 })
}, 180_000)

describe('a full disk', () => {
  test.skipIf(!canMount)(
    'costs slices, counted and said once, and no packet; when there is room they come (needs mount)',
    async () => {
      const folder = newOut()
      mkdirSync(folder)
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'none', folder])
      try {
        const sensor: Sensor = await lab.capture(['-i', 'v1', '-l', folder, ...SOON])
        const ballast = join(folder, 'ballast')
        spawnSync('dd', ['if=/dev/zero', `of=${ballast}`, 'bs=4k'])
        const { frames } = await lab.send('v0', 'file', scan, 'top')
        const flood = await lab.send('v0', 'flood', '100', '3', '10')
        expect(await sensor.says('no space left on the device')).toBe(true)
        rmSync(ballast)
        expect(await until(() => slicesIn(folder).length === 1)).toBe(true)
        const { code, stderr } = await sensor.stop()
        expect({ code, ...countsOf(stderr) }).toMatchObject({ code: 0, captured: frames + flood.frames, droppedByKernel: 0 })
        expect(slicesIn(folder)[0].facts.isComplete).toBe(true)
        const names = readdirSync(join(folder, 'reports'), { recursive: true, encoding: 'utf8' })
        expect(names.filter((name) => name.endsWith('.new'))).toEqual([])
      } finally {
        execFileSync('umount', ['-l', folder])
      }
    },
    60_000,
  )
})
