/**
 * Mute rules of a live run: in force from the start, changed at SIGHUP, a faulty file refused.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import type { AlertEvent } from '../../src/score/evidence.ts'
import { freePort } from '../sink/rsyslog.ts'
import { type Lab, type Sensor, sleep } from './lab.ts'
import { PCAPS, useLab } from './use-lab.ts'

const scan = join(PCAPS, 'scan-syn-nmap.pcap')
const main = fileURLToPath(new URL('../../dist/main.js', import.meta.url))
let lab: Lab
useLab((made) => {
  lab = made
})

/** What a live run judges happens now. */
const rulesText = (until: string): string =>
  `mutes:\n- {id: m-1, kind: scan.vertical, actor: 10.20.1.0/24, owner: alice, reason: Nessus, until: ${until}}\n`

async function capture(folder: string, rules: string, ...settings: string[]): Promise<Sensor> {
  lab.link('set', 'lo', 'up')
  const all = ['flow.idle_tcp_new_s=1', 'flow.idle_tcp_closed_s=1', `mutes.file=${rules}`, ...settings]
  return await lab.capture(['-i', 'v1', '-l', folder, ...all.flatMap((setting) => ['--set', setting])])
}

function eventsIn(folder: string): AlertEvent[] {
  const path = join(folder, 'alerts.jsonl')
  const lines = existsSync(path) ? readFileSync(path, 'utf8').split('\n') : []
  return lines
    .filter((line) => line !== '')
    .map((line) => (JSON.parse(line) as { alert: { context: { flowscribe: AlertEvent } } }).alert.context.flowscribe)
}

async function toldOf(folder: string, count: number): Promise<AlertEvent[]> {
  for (let tries = 0; tries < 200 && eventsIn(folder).length < count; tries++) await sleep(100)
  return eventsIn(folder)
}

test('from the start: written and counted, no report; a faulty file at SIGHUP changes nothing', async () => {
  const folder = lab.path('muted')
  const rules = lab.path('mutes.yaml')
  writeFileSync(rules, rulesText('2090-01-01'))
  const listen = `127.0.0.1:${await freePort()}`
  const sensor = await capture(folder, rules, `metrics.listen=${listen}`)
  expect(await sensor.says('mute rules in force')).toBe(true)
  await lab.send('v0', 'file', scan, 'top')
  await toldOf(folder, 5)
  const ask = `fetch('http://${listen}/metrics').then(async (r) => console.log(await r.text()))`
  const page = spawnSync('nsenter', ['-t', String(sensor.pid), '-n', process.execPath, '-e', ask], { encoding: 'utf8' }).stdout
  expect(page).toContain('flowscribe_alerts_suppressed_total{rule="m-1"} 1\n')
  expect(page).not.toContain('flowscribe_alerts_total{')
  writeFileSync(rules, 'mutes:\n- {id: m-1}\n')
  sensor.signal('SIGHUP')
  expect(await sensor.says(`configuration not changed: ${rules}:2: mutes[0].kind: missing, but required`)).toBe(true)
  const { code, stderr } = await sensor.stop()
  expect(code).toBe(0)
  expect(stderr).toContain('alerts: none\n1 alert muted by 1 rule\n')
  const events = eventsIn(folder)
  expect(events.map(({ event }) => event)).toEqual(['open', 'update', 'update', 'update', 'update', 'close'])
  expect(new Set(events.map(({ suppressed }) => suppressed?.rule))).toEqual(new Set(['m-1']))
  expect(events.some(({ shouldNotify }) => shouldNotify)).toBe(false)
  expect(existsSync(join(folder, 'reports'))).toBe(false)
}, 60_000)

test('a rule that has expired is said and mutes nothing; one made of the alert and read at SIGHUP does', async () => {
  const folder = lab.path('expired')
  const rules = lab.path('expired.yaml')
  writeFileSync(rules, rulesText('2020-01-01'))
  const sensor = await capture(folder, rules)
  await lab.send('v0', 'file', scan, 'top')
  const [open] = await toldOf(folder, 5)
  expect(open).toMatchObject({ event: 'open', shouldNotify: true })
  expect(sensor.stderr.split('mute rule m-1 of alice (Nessus) ended 2020-01-01: it mutes nothing').length).toBe(2)
  const words = ['mute', open.id, '--for', '1d', '--reason', 'ours', '--alerts', join(folder, 'alerts.jsonl'), '--file', rules]
  const muted = spawnSync(process.execPath, [main, ...words], { encoding: 'utf8' })
  expect({ status: muted.status, stderr: muted.stderr }).toEqual({ status: 0, stderr: '' })
  sensor.signal('SIGHUP')
  expect(await sensor.says('mute rules in force', 2)).toBe(true)
  const { stderr } = await sensor.stop()
  expect(stderr).toContain('1 alert muted by 1 rule\n')
  const close = eventsIn(folder).at(-1)
  expect(close).toMatchObject({ event: 'close', suppressed: { reason: 'ours' }, shouldNotify: false })
  // The report is of the last event that was not muted, and that is the one it is held to.
  const report = join(folder, 'reports', open.episode.first.slice(0, 10), `${open.id}.md`)
  const verified = spawnSync(process.execPath, [main, 'verify', join(folder, 'alerts.jsonl'), report], { encoding: 'utf8' })
  expect(verified).toMatchObject({ status: 0, stdout: `${report}: verified\n` })
}, 60_000)

test('a faulty file at the start: exit 2, nothing captured', async () => {
  const rules = lab.path('faulty.yaml')
  writeFileSync(rules, 'mutes: [\n')
  const sensor = lab.start(['run', '-i', 'v1', '-l', lab.path('faulty'), '--set', `mutes.file=${rules}`])
  const { code, stderr } = await sensor.ended()
  expect(code).toBe(2)
  expect(stderr).toContain(`flowscribe: ${rules}:`)
  expect(stderr).toContain('not valid YAML')
  expect(existsSync(lab.path('faulty'))).toBe(false)
}, 60_000)
