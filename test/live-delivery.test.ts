/**
 * Alerts of a live run on their way to the disk: many at once, reports that cannot be written, limits, another configuration.
 */
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import pino from 'pino'
import { beforeEach, describe, expect, test } from 'vitest'
import { type Config, loadConfig } from '../src/config.ts'
import { makeAlertLine } from '../src/explain/alert-line.ts'
import { LiveDelivery } from '../src/live/delivery.ts'
import { RunDigest } from '../src/sink/digest.ts'
import { SAMPLES } from './explain/alert-samples.ts'
import { temporaryFolder } from './sink/endings.ts'
import { sleep } from './sink/rsyslog.ts'

const programs = new URL('../dist/', import.meta.url)
const isBuilt = existsSync(fileURLToPath(new URL('writing-worker.js', programs)))

beforeEach((context) => context.skip(!isBuilt, 'dist/ is not built: npm run build'))

async function open(folder: string, settings: readonly string[] = []): Promise<{ delivery: LiveDelivery; said: string[]; config: Config }> {
  const said: string[] = []
  const log = pino({ level: 'info' }, { write: (line: string) => said.push(line) })
  const config = loadConfig({ settings })
  const options = { folder, config, sensorName: 'test', inIface: 'eth1', digest: new RunDigest(), log, programs }
  return { delivery: await LiveDelivery.open(options), said, config }
}

function alertOf(i: number, event: 'open' | 'update' | 'close' = 'open') {
  return { ...SAMPLES[i % SAMPLES.length](), id: `n${i}`, event }
}

const idsIn = (path: string): string[] =>
  readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => (JSON.parse(line) as { alert: { context: { flowscribe: { id: string } } } }).alert.context.flowscribe.id)

const reportsIn = (folder: string): string[] =>
  readdirSync(join(folder, 'reports'), { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.md'))

const dropsOf = (delivery: LiveDelivery): Record<string, number> =>
  Object.fromEntries(delivery.sinks.map(({ sink, dropped }) => [sink, dropped]))

describe('live delivery', () => {
  test('a thousand alerts at once: none is lost, all in order; reports come later, in order, and hold up no alert', async () => {
    const folder = temporaryFolder()
    const { delivery } = await open(folder)
    for (let i = 0; i < 1000; i++) delivery.write(alertOf(i))
    while (delivery.sinks[0].length > 0) await sleep(5)
    expect(idsIn(delivery.alertsPath)).toEqual(Array.from({ length: 1000 }, (_, i) => `n${i}`))
    expect(delivery.sinks[1].delivered).toBeLessThan(1000)
    while (delivery.sinks[1].delivered < 50) await sleep(5)
    expect(await delivery.close()).toBe(0)
    const [alerts, reports] = delivery.sinks
    expect(alerts).toMatchObject({ delivered: 1000, dropped: 0, length: 0 })
    // The end does not wait for a thousand reports: those that it left out are counted.
    expect(reports.delivered + reports.dropped).toBe(1000)
    const names = new Set(reportsIn(folder).map((name) => name.replace(/^.*\/|\.md$/g, '')))
    expect(names.size).toBeGreaterThanOrEqual(reports.delivered)
    expect(Array.from({ length: reports.delivered }, (_, i) => `n${i}`).filter((name) => !names.has(name))).toEqual([])
  }, 60_000)

  test('reports that cannot be written hold up no alert; when they can be, they are', async () => {
    const folder = temporaryFolder()
    writeFileSync(join(folder, 'reports'), 'a file in the way')
    const { delivery, said } = await open(folder)
    for (let i = 0; i < 5; i++) delivery.write(alertOf(i))
    while (idsIn(delivery.alertsPath).length < 5) await sleep(20)
    await sleep(200)
    expect(said.filter((line) => line.includes('reports: cannot write')).length).toBe(1)
    rmSync(join(folder, 'reports'))
    expect(await delivery.close()).toBe(0)
    expect(reportsIn(folder).length).toBe(5)
    expect(dropsOf(delivery)).toEqual({ alerts: 0, reports: 0 })
  }, 30_000)

  test('limits on reports hold at start, while running, and when they change', async () => {
    const folder = temporaryFolder()
    const { delivery, config } = await open(folder, ['output.reports_max=4'])
    for (let i = 0; i < 9; i++) delivery.write(alertOf(i))
    while (delivery.sinks.some(({ length }) => length > 0)) await sleep(20)
    expect(reportsIn(folder).length).toBe(4)
    expect(delivery.files).toMatchObject({ reports: 4, reportsRemoved: 5 })
    delivery.apply({ ...config, output: { ...config.output, reports_max: 2 } })
    await delivery.reopen()
    expect(reportsIn(folder).length).toBe(2)
    delivery.apply({ ...config, output: { ...config.output, reports: false } })
    delivery.write(alertOf(10))
    expect(await delivery.close()).toBe(0)
    expect(reportsIn(folder).length).toBe(2)
    const again = await open(folder, ['output.reports_max=1'])
    expect(reportsIn(folder).length).toBe(1)
    expect(await again.delivery.close()).toBe(0)
  }, 30_000)

  test('lines that do not fit while the log cannot be written are counted, and said once', async () => {
    const folder = temporaryFolder()
    const { delivery, said } = await open(folder, ['output.queue_MB=0.1'])
    // The log is opened anew after a fault: a folder of its name is one that stays.
    rmSync(delivery.alertsPath)
    mkdirSync(delivery.alertsPath)
    await delivery.reopen().catch(() => {})
    for (let i = 0; i < 100; i++) delivery.write(alertOf(i))
    await sleep(300)
    const [alerts] = delivery.sinks
    expect(alerts).toMatchObject({ sink: 'alerts', delivered: 0, isAway: true })
    expect(alerts.dropped).toBe(100 - alerts.length)
    expect(alerts.dropped).toBeGreaterThan(50)
    expect(said.filter((line) => line.includes('this is a folder')).length).toBe(1)
    expect(said.filter((line) => line.includes('too much waits')).length).toBe(1)
    rmSync(delivery.alertsPath, { recursive: true })
    expect(await delivery.close()).toBe(0)
    expect(idsIn(delivery.alertsPath).length).toBe(alerts.length)
  }, 30_000)

  test('a folder that cannot be made, a log that is none: refused at start', async () => {
    const folder = temporaryFolder()
    writeFileSync(join(folder, 'file'), '')
    await expect(open(join(folder, 'file', 'x'))).rejects.toThrow(/cannot write .*: a part of the path is a file|a file is in the way/)
    writeFileSync(join(folder, 'alerts.jsonl'), 'Dear reader')
    await expect(open(folder)).rejects.toThrow(/its end is no alert line/)
  })
})

describe('many words at once', () => {
  test('while reports wait, a later word on an episode takes the place of an earlier one', async () => {
    const folder = temporaryFolder()
    writeFileSync(join(folder, 'reports'), 'a file in the way')
    const { delivery } = await open(folder)
    for (const event of ['open', 'update', 'update', 'close'] as const) for (let i = 0; i < 5; i++) delivery.write(alertOf(i, event))
    while (idsIn(delivery.alertsPath).length < 20) await sleep(20)
    // The first was on its way when its next came.
    expect(delivery.sinks[1].length).toBeLessThanOrEqual(6)
    rmSync(join(folder, 'reports'))
    expect(await delivery.close()).toBe(0)
    expect(reportsIn(folder).length).toBe(5)
    for (const name of reportsIn(folder)) expect(readFileSync(join(folder, 'reports', name), 'utf8')).toContain('episode closed')
    expect(dropsOf(delivery)).toEqual({ alerts: 0, reports: 0 })
  }, 30_000)

  test('who has more alerts than may wait, and waits for room, loses none; not for ever', async () => {
    const { delivery } = await open(temporaryFolder(), ['output.queue_MB=0.3'])
    for (let i = 0; i < 100; i++) {
      delivery.write(alertOf(i))
      if (i % 8 === 7) await delivery.room(performance.now() + 10_000)
    }
    expect(await delivery.close()).toBe(0)
    expect(dropsOf(delivery).alerts).toBe(0)
    expect(idsIn(delivery.alertsPath)).toHaveLength(100)
    const { delivery: stuck } = await open(temporaryFolder(), ['output.queue_MB=0.1'])
    rmSync(stuck.alertsPath)
    mkdirSync(stuck.alertsPath)
    await stuck.reopen().catch(() => {})
    for (let i = 0; i < 9; i++) stuck.write(alertOf(i))
    const startMs = performance.now()
    await stuck.room(startMs + 200)
    expect(performance.now() - startMs).toBeLessThan(5000)
    rmSync(stuck.alertsPath, { recursive: true })
    await stuck.close()
  }, 30_000)
})

describe('what a line has no room for', () => {
  test('lies beside its report, as in a replay, and goes with it; half a queue keeps no place for it', async () => {
    const folder = temporaryFolder()
    const { delivery, config } = await open(folder, ['output.queue_MB=0.6'])
    const ports = Array.from({ length: 4000 }, (_, i) => i + 1)
    const cells = ports.map((_, port) => ({ target: 0, port, outcome: 'failed' as const }))
    const large = (i: number) => ({
      ...alertOf(3 * i),
      pictures: [{ picture: 'grid' as const, targets: ['10.0.0.9'], ports, cells, omitted: 0 }],
    })
    const { beyond = '' } = makeAlertLine(large(0), { timestamp: large(0).episode.last })
    expect(beyond.length).toBeGreaterThan(100_000)
    delivery.write(large(0))
    delivery.write(large(1))
    delivery.write(large(2))
    while (delivery.sinks.some(({ length }) => length > 0)) await sleep(20)
    expect(dropsOf(delivery)).toEqual({ alerts: 0, reports: 0 })
    const [day] = readdirSync(join(folder, 'reports'))
    const besides = (): string[] => readdirSync(join(folder, 'reports', day)).filter((name) => name.endsWith('.json'))
    expect(besides()).toEqual(['n0.json'])
    expect(readFileSync(join(folder, 'reports', day, 'n0.json'), 'utf8')).toBe(`${beyond}\n`)
    expect(delivery.files?.reportBytes).toBeGreaterThan(beyond.length)
    delivery.apply({ ...config, output: { ...config.output, reports_max: 1 } })
    await delivery.reopen()
    expect(besides()).toEqual([])
    expect(reportsIn(folder).length).toBe(1)
    // The same episode told again, by a line that has room for all.
    delivery.write(large(3))
    while (delivery.sinks.some(({ length }) => length > 0)) await sleep(20)
    expect(besides()).toEqual(['n9.json'])
    delivery.write(alertOf(9, 'close'))
    expect(await delivery.close()).toBe(0)
    expect(besides()).toEqual([])
  }, 30_000)
})

describe('muted alerts', () => {
  test('in the log, counted by rule, without report and not forwarded, unless asked', async () => {
    const server = createSocket('udp4').bind(0, '127.0.0.1')
    await once(server, 'listening')
    const got: string[] = []
    server.on('message', (message) => got.push(String(message)))
    const suppressed = { rule: 'm-1', owner: 'alice', until: '2090-01-01', reason: 'ours' }
    const target = `syslog.target=127.0.0.1:${server.address().port}`
    for (const isAsked of [false, true]) {
      const folder = temporaryFolder()
      got.length = 0
      const asked = ['mutes.reports', 'mutes.forward'].map((key) => `${key}=${isAsked}`)
      const { delivery, said } = await open(folder, [target, 'syslog.transport=udp', ...asked])
      for (const event of ['open', 'close'] as const) {
        delivery.write(alertOf(0, event))
        delivery.write({ ...alertOf(1, event), severity: 'high', shouldNotify: false, suppressed })
      }
      expect(delivery.muted()).toEqual({ alerts: 1, rules: 1 })
      expect(delivery.opened.map(({ count }) => count)).toEqual([1])
      expect(delivery.suppressed([{ id: 'm-1' }, { id: 'm-2' }])).toEqual([
        { rule: 'm-1', count: 1 },
        { rule: 'm-2', count: 0 },
      ])
      expect(await delivery.close()).toBe(0)
      for (let tries = 0; tries < 100 && got.length < (isAsked ? 4 : 2); tries++) await sleep(20)
      expect(idsIn(delivery.alertsPath)).toEqual(['n0', 'n1', 'n0', 'n1'])
      expect(
        reportsIn(folder)
          .map((name) => name.replace(/^.*\//, ''))
          .sort(),
      ).toEqual(isAsked ? ['n0.md', 'n1.md'] : ['n0.md'])
      expect(got.map((message) => /id="(n\d)"/.exec(message)?.[1])).toEqual(isAsked ? ['n0', 'n1', 'n0', 'n1'] : ['n0', 'n0'])
      // Facility local5, severity informational.
      if (isAsked) expect(got[1]).toMatch(/^<174>1 .* muted="m-1"\] /)
      expect(said.filter((line) => line.includes('"id":"n1"'))).toEqual([])
    }
    server.close()
  }, 30_000)
})
