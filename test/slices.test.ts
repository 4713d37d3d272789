/**
 * The packets beside a report (REPORT.md section 3 part 12): of every capture in pcaps/, held to tshark's own reading of the capture;
 * bounds, pipes, disks that are full, and what is said when something is missing.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { verifyFiles } from '../src/commands/verify.ts'
import { loadConfig } from '../src/config.ts'
import { type AlertLine, parseAlertLine } from '../src/explain/alert-line.ts'
import { SILENT } from '../src/progress.ts'
import type { KeptFlow } from '../src/score/evidence.ts'
import { type ReplaySummary, replay } from '../src/sensor.ts'
import { temporaryFolder } from './sink/endings.ts'
import { eveMs } from './slice-facts.ts'

const pcaps = fileURLToPath(new URL('../pcaps/', import.meta.url))
const hasTshark = spawnSync('tshark', ['--version']).status === 0

interface Facts {
  file: string
  packets: number
  isComplete: boolean
  missing: string[]
  memoryFrom: string | null
  flows: { id: number; metered: number | null; packets: number; first: string | null; last: string | null }[]
}

interface Cut {
  folder: string
  summary: ReplaySummary
  /** The last word on each episode. */
  closed: { line: AlertLine; facts: Facts; path: string }[]
}

async function cut(inputs: readonly string[], settings: readonly string[] = [], folder = temporaryFolder()): Promise<Cut> {
  const config = loadConfig({ settings })
  const summary = await replay({ inputs, config, progress: SILENT, signal: new AbortController().signal, outputDir: folder })
  const lines = readFileSync(summary.alertsPath, 'utf8').split('\n').filter(Boolean)
  const closed = lines
    .map((text) => parseAlertLine(text, 'line'))
    .filter(({ alert }) => alert.event === 'close')
    .map((line) => {
      const beside = join(folder, 'reports', line.alert.episode.first.slice(0, 10), line.alert.id)
      const facts = JSON.parse(readFileSync(`${beside}.pcap.json`, 'utf8')) as Facts
      return { line, facts, path: join(beside, '..', facts.file) }
    })
  return { folder, summary, closed }
}

/** Time and wire length of each frame, in the file's order. */
function framesOf(path: string, filter = ''): string[] {
  const words = [
    '-n',
    '-o',
    'ip.defragment:FALSE',
    '-r',
    path,
    '-T',
    'fields',
    '-e',
    'frame.time_epoch',
    '-e',
    'frame.len',
    ...(filter === '' ? [] : ['-Y', filter]),
  ]
  const out = execFileSync('tshark', words, { encoding: 'utf8', maxBuffer: 1e9, stdio: ['ignore', 'pipe', 'ignore'] })
  return out.split('\n').filter(Boolean)
}

const NAMES: ReadonlyMap<number, string> = new Map([
  [1, 'icmp'],
  [6, 'tcp'],
  [17, 'udp'],
  [58, 'icmp'],
])

/** Later fragments have no ports; their time tells whose they are. */
function portsOf(layer: string, ports: readonly (number | null)[]): string[] {
  return [`((${ports.map((port) => `${layer}.port == ${port}`).join(' && ')}) || ip.frag_offset > 0)`]
}

/** What tshark finds of a flow, by no word of ours but the alert's. */
function filterOf(flow: KeptFlow): string {
  const family = flow.addr[0]?.includes(':') ? 'ipv6' : 'ip'
  const from = eveMs(flow.start)
  const to = eveMs(flow.start, flow.durationUs)
  const ends = flow.addr.map((address) => `${family}.addr == ${address}`)
  // An ICMP error quotes a packet, whose addresses and ports tshark would find, too.
  const layer = NAMES.get(flow.proto)
  const transport = layer === undefined ? [`ip.proto == ${flow.proto}`] : layer === 'icmp' ? ['icmp'] : portsOf(layer, flow.port)
  return `(${[...ends, ...(layer === 'icmp' ? [] : ['!icmp']), ...transport, `frame.time_epoch >= ${from}`, `frame.time_epoch <= ${to}`].join(' && ')})`
}

const captures = readdirSync(pcaps).filter((name) => /\.pcap(\.gz)?$/.test(name) && !name.startsWith('benign'))

describe.each(captures)('%s', (name) => {
  test('tshark finds in each slice the packets of the telling flows and no others', { timeout: 60_000 }, async (context) => {
    context.skip(!hasTshark, 'no tshark (apt-get install tshark)')
    const { closed, summary } = await cut([join(pcaps, name)])
    expect(closed.length).toBeGreaterThan(0)
    expect(summary.slices?.written).toBe(new Set(closed.map(({ line }) => line.alert.id)).size)
    for (const { line, facts, path } of closed) {
      const { flows } = line.alert
      const frames = framesOf(path)
      expect(frames).toHaveLength(facts.packets)
      if (flows.length === 0) {
        expect(framesOf(path, 'arp')).toEqual(frames)
        continue
      }
      const wanted = framesOf(join(pcaps, name), flows.map(filterOf).join(' || '))
      // The telling flow of a long upload is cut; its beginning is there.
      expect(frames).toEqual(facts.isComplete ? wanted : wanted.slice(0, facts.packets))
      for (const [i, flow] of flows.entries()) {
        const { id, metered, packets, first, last } = facts.flows[i]
        expect({ id, metered, first }).toEqual({ id: flow.id, metered: sum(flow.packets), first: flow.start })
        if (facts.isComplete)
          expect({ packets, last: eveMs(last ?? '') }).toEqual({ packets: metered, last: eveMs(flow.start, flow.durationUs) })
      }
    }
  })
})

function sum([a, b]: readonly (number | null)[]): number {
  return (a ?? 0) + (b ?? 0)
}

const brute = join(pcaps, 'brute-ssh-hydra.pcap')

describe('bounds', { timeout: 60_000 }, () => {
  test('packets are shared fairly, each flow from its beginning; what is missing is said in report and facts, and verifies', async () => {
    const { closed, folder, summary } = await cut([brute], ['output.slice_packets_max=100'])
    const [{ facts, line }] = closed
    // Seven short flows have theirs before the long one has more.
    expect(facts.packets).toBe(100)
    expect(facts.flows.every(({ packets }) => packets >= 12)).toBe(true)
    expect(facts).toMatchObject({
      isComplete: false,
      missing: ['408 packets for which output.slice_packets_max and output.slice_MB left no room'],
    })
    expect(summary.slices).toMatchObject({ written: 1, whole: 0 })
    const report = join(folder, 'reports', line.alert.episode.first.slice(0, 10), `${line.alert.id}.md`)
    expect(readFileSync(report, 'utf8')).toContain('**Incomplete**: it has room for 100 packets and 1 MB.')
    expect((await verifyFiles(summary.alertsPath, [report])).lines).toEqual([`${report}: verified`])
  })

  test('octets, and octets of each frame', async () => {
    const { closed } = await cut([brute], ['output.slice_MB=0.02', 'output.slice_snap_B=64'])
    const [{ facts, path }] = closed
    expect(statSync(path).size).toBeLessThan(20_100)
    expect(statSync(path).size).toBeGreaterThan(18_000)
    expect(facts.isComplete).toBe(false)
  })

  test('as many slices as are wanted; without slices or reports none, and no word of them', async () => {
    const office = join(pcaps, 'office-incident.pcap.gz')
    const few = loadConfig({ settings: ['output.slices_max=2'] })
    const run = { inputs: [office], progress: SILENT, signal: new AbortController().signal }
    const summary = await replay({ ...run, config: few, outputDir: temporaryFolder() })
    expect(summary.slices).toMatchObject({ written: 2, leftOut: 3 })
    for (const setting of ['output.slices=false', 'output.reports=false']) {
      const folder = temporaryFolder()
      const without = await replay({ ...run, config: loadConfig({ settings: [setting] }), outputDir: folder })
      expect(without.slices).toBeNull()
      expect(readFileSync(without.alertsPath, 'utf8')).not.toContain('"slice"')
      expect(readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((one) => one.includes('.pcap'))).toEqual([])
    }
  })
})

describe('a replay into a folder that holds an earlier one', { timeout: 60_000 }, () => {
  test('takes away its slices, and nothing of others', async () => {
    const { folder } = await cut([brute])
    const day = join(folder, 'reports', readdirSync(join(folder, 'reports'))[0])
    writeFileSync(join(day, 'mine.pcap'), 'mine')
    writeFileSync(join(day, 'mine.pcap.json'), '{"mine":1}')
    await cut([join(pcaps, 'benign-office.pcap')], [], folder)
    expect(readdirSync(day).sort()).toEqual(['mine.pcap', 'mine.pcap.json'])
  })
})

describe('a pipe', { timeout: 60_000 }, () => {
  const main = fileURLToPath(new URL('../dist/main.js', import.meta.url))

  function piped(name: string, memoryMiB: number): { facts: Facts[]; folder: string; stderr: string } {
    const folder = temporaryFolder()
    const input = readFileSync(join(pcaps, name))
    const words = [main, 'replay', '-', '-l', folder, '--set', `capture.memory_MiB=${memoryMiB}`]
    const { stderr, status } = spawnSync(process.execPath, words, { input, encoding: 'utf8' })
    expect(status, stderr).toBe(0)
    const reports = join(folder, 'reports')
    const facts = readdirSync(reports, { recursive: true, encoding: 'utf8' })
      .filter((one) => one.endsWith('.pcap.json'))
      .sort()
      .map((one) => JSON.parse(readFileSync(join(reports, one), 'utf8')) as Facts)
    return { facts, folder, stderr }
  }

  test('is remembered: the same slices as from the file', async (context) => {
    context.skip(!existsSync(main), 'dist/ is not built: npm run build')
    const { facts, folder } = piped('brute-ssh-hydra.pcap', 64)
    const { closed } = await cut([brute])
    expect(facts).toEqual([{ ...closed[0].facts, from: 'memory' }])
    const [name] = readdirSync(join(folder, 'reports'), { recursive: true, encoding: 'utf8' }).filter((one) => one.endsWith('.pcap'))
    expect(readFileSync(join(folder, 'reports', name)).equals(readFileSync(closed[0].path))).toBe(true)
  })

  test('with little memory: what was forgotten is missing, and said', (context) => {
    context.skip(!existsSync(main), 'dist/ is not built: npm run build')
    const { facts, folder, stderr } = piped('office-incident.pcap.gz', 1)
    expect(stderr).toMatch(/evidence +5 slices of packets beside the reports, \d incomplete/)
    const missing = facts.flatMap((one) => one.missing)
    expect(missing.some((text) => text.includes('the memory (capture.memory_MiB) had forgotten them'))).toBe(true)
    const reports = readdirSync(join(folder, 'reports'), { recursive: true, encoding: 'utf8' }).filter((one) => one.endsWith('.md'))
    const texts = reports.map((one) => readFileSync(join(folder, 'reports', one), 'utf8'))
    expect(texts.some((text) => text.includes('**Incomplete**: what is older than that'))).toBe(true)
  })

  test('no memory, no slices', (context) => {
    context.skip(!existsSync(main), 'dist/ is not built: npm run build')
    expect(piped('brute-ssh-hydra.pcap', 0).facts).toEqual([])
  })
})

describe('reports on flows without an alert', () => {
  async function plain(settings: readonly string[] = []) {
    const outputDir = temporaryFolder()
    const options = { config: loadConfig({ settings }), progress: SILENT, signal: new AbortController().signal, outputDir }
    const summary = await replay({ ...options, inputs: [join(pcaps, 'benign-office.pcap')], isReportingAll: true })
    const path = summary.plain?.path ?? ''
    const flows = readFileSync(path, 'utf8')
      .trimEnd()
      .split('\n')
      .map((text) => parseAlertLine(text, 'plain').alert)
    const beside = ({ id, episode }: (typeof flows)[number]): string => join(outputDir, 'reports', episode.first.slice(0, 10), id)
    return { summary, path, flows, beside }
  }

  test('have their packets beside them, as alerts do; each is whole', { timeout: 60_000 }, async () => {
    const { summary, path, flows, beside } = await plain()
    expect(flows.length).toBeGreaterThan(50)
    expect(summary.slices).toMatchObject({ leftOut: 0, isInterrupted: false })
    for (const flow of flows) {
      const facts = JSON.parse(readFileSync(`${beside(flow)}.pcap.json`, 'utf8')) as Facts
      expect(facts, flow.id).toMatchObject({ isComplete: true, missing: [] })
      expect(facts.packets).toBeGreaterThanOrEqual((flow.flows[0].packets[0] ?? 0) + (flow.flows[0].packets[1] ?? 0))
    }
    const reports = flows.map((flow) => `${beside(flow)}.md`)
    expect(readFileSync(reports[0], 'utf8')).toContain('.pcap` beside this report keeps their ')
    expect((await verifyFiles(path, reports)).isVerified).toBe(true)
  })

  test('beyond the room for slices they say that there is none, and why', { timeout: 60_000 }, async () => {
    const { summary, path, flows, beside } = await plain(['output.slices_max=3'])
    expect(summary.slices?.written).toBe(3)
    const texts = flows.map((flow) => readFileSync(`${beside(flow)}.md`, 'utf8'))
    expect(texts.filter((text) => text.includes('beside this report keeps')).length).toBe(3)
    expect(texts.filter((text) => text.includes('No packets lie beside this report: none were asked for')).length).toBe(flows.length - 3)
    expect(flows.filter((flow) => existsSync(`${beside(flow)}.pcap`)).length).toBe(3)
    expect((await verifyFiles(path, [`${beside(flows[9])}.md`])).isVerified).toBe(true)
  })
})
