/**
 * What the end of a run costs that has many episodes open: processor time of each part, as a live run shares it among its threads.
 *
 *   node test/bench/ending.mjs [--episodes 1000] [--targets 40]
 *
 * A report costs the thread that judges its line alone; rendering and writing are the writing thread's.
 *
 * Each of so many hosts asks so many others for one port and is refused. All is metered and judged, then the run ends.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { buildEntry } from './build-entry.mjs'

const { values } = parseArgs({ options: { episodes: { type: 'string', default: '1000' }, targets: { type: 'string', default: '40' } } })
const EPISODES = Number(values.episodes)
const TARGETS = Number(values.targets)
const LAST_WORDS_A_PASS = 64
const REC_LEN = 16 + 60

const entry = await buildEntry('ending-entry.ts', fileURLToPath(new URL('.', import.meta.url)), true)
const config = entry.loadConfig({ settings: ['flow.idle_tcp_new_s=1', 'flow.idle_tcp_closed_s=1'] })

function frame(b, at, from, to, fromPort, toPort, flags, sec) {
  b.writeUInt32LE(sec, at)
  b.writeUInt32LE(60, at + 8)
  b.writeUInt32LE(60, at + 12)
  Buffer.from('0200000000010200000000020800', 'hex').copy(b, at + 16)
  Buffer.from([0x45, 0, 0, 40, 0, 0, 0, 0, 64, 6, 0, 0, ...from, ...to]).copy(b, at + 30)
  b.writeUInt16BE(fromPort, at + 50)
  b.writeUInt16BE(toPort, at + 52)
  b[at + 62] = 0x50
  b[at + 63] = flags
}

/** A second of packet time a target. */
function* slabs() {
  for (let target = 1; target <= TARGETS; target++) {
    const b = Buffer.alloc(2 * EPISODES * REC_LEN)
    for (let actor = 0; actor < EPISODES; actor++) {
      const from = [10, 1 + (actor >> 8), actor & 255, 7]
      const to = [10, 200, target, 9]
      const sec = 1_700_000_000 + target
      frame(b, 2 * actor * REC_LEN, from, to, 40_000 + target, 445, 0x02, sec)
      frame(b, (2 * actor + 1) * REC_LEN, to, from, 445, 40_000 + target, 0x14, sec)
    }
    yield { bytes: new Uint8Array(b.buffer, b.byteOffset, b.length), start: 0, end: b.length, linkType: 1, interfaceId: 0 }
  }
}

const parts = new Map()
async function measured(name, work) {
  const before = process.cpuUsage()
  const result = await work()
  const { user, system } = process.cpuUsage(before)
  const part = parts.get(name) ?? { ms: 0, calls: 0, mostMs: 0 }
  part.ms += (user + system) / 1000
  part.mostMs = Math.max(part.mostMs, (user + system) / 1000)
  part.calls++
  parts.set(name, part)
  return result
}

const folder = mkdtempSync(join(tmpdir(), 'flowscribe-ending-'))
const block = entry.newMemoryBlock(64)
const memory = new entry.PacketMemory(block)
const visibility = () => ({ ...entry.NOTHING_COUNTED, bothHalves: null, inputDamage: null, source: 'live' })
let told = []
let analyst = null
const analystOf = (baseSec) => (analyst ??= entry.openAnalyst(config, baseSec, visibility, (event) => told.push(event)))
const interim = { limits: entry.watchLimits(config), onInterim: (one) => entry.judgeInterim(one, analystOf(one.baseSec)) }
const meter = new entry.Meter(entry.tableLimits(config.flow), (batch) => entry.judge(batch, analystOf(batch.baseSec)), interim)
for (const slab of slabs()) {
  memory.put(slab)
  await measured('metering and judging', () => meter.meterSlab(slab))
}
await measured('rows of the end judged', () => meter.finish())
const before = told.length
const inSlices = new entry.LiveSlicing({ folder: join(folder, 'reports'), memory: [block], isVlanInKey: config.flow.vlan_in_key })
const writing = new entry.LiveWriting({ folder, limits: { countMax: 1e6, ageMaxMs: 1e15, bytesMax: 1e15 } })
writing.answer({ kind: 'open' })
const wantsOf = (events) => events.map((event) => entry.sliceWantsOf(event)).filter((wants) => wants !== null)
/** What a live run does while it runs. */
async function deliver(events, when) {
  const lines = []
  for (const event of events)
    lines.push(
      await measured(`${when}: line made`, () =>
        entry.makeAlertLine(event, { timestamp: event.episode.last, in_iface: 'eth1', host: 'bench' }),
      ),
    )
  const wants = wantsOf(lines.map(({ alert }) => alert))
  for (let i = 0; i < lines.length; i += 256)
    await measured(`${when}: lines to the log`, () =>
      writing.answer({ kind: 'alerts', lines: lines.slice(i, i + 256).map(({ text }) => text) }),
    )
  for (const { text } of lines) await measured(`${when}: report written`, () => writing.answer({ kind: 'report', line: text }))
  for (let i = 0; i < wants.length; i += LAST_WORDS_A_PASS) {
    const some = wants.slice(i, i + LAST_WORDS_A_PASS)
    const answer = await measured(`${when}: slices cut`, () =>
      inSlices.answer({ kind: 'slices', wants: some, bounds: entry.sliceBoundsOf(config) }),
    )
    if (answer.kind === 'done')
      await measured(`${when}: slices counted`, () => writing.answer({ kind: 'sliced', places: answer.facts.places }))
    else process.stdout.write(`${answer.why}\n`)
  }
}
await deliver(told, 'before')
told = []
await measured('end: episodes judged', () => analyst.finish(meter.table.nowUs))
const after = told.length
await deliver(told, 'end')
rmSync(folder, { recursive: true, force: true })
process.stdout.write(`${EPISODES} episodes, ${before} words before the end, ${after} at the end\n`)
for (const [name, { ms, calls, mostMs }] of parts)
  process.stdout.write(
    `${name.padEnd(28)} ${ms.toFixed(0).padStart(7)} ms  ${calls} times, ${(ms / calls).toFixed(2)} ms each, dearest ${mostMs.toFixed(1)}\n`,
  )
