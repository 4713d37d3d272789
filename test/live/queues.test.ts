/**
 * `flowscribe run --queues N` on a veth pair: what one queue finds, several find, too; their recording is one capture.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { countsOf, digestsOf, Lab, lackOfLab, sleep } from './lab.ts'

const lack = lackOfLab()
const pcaps = fileURLToPath(new URL('../../pcaps/', import.meta.url))
let lab: Lab
let out = 0

beforeAll(() => {
  if (lack === '') lab = new Lab()
})
afterAll(() => {
  if (lack === '') lab.close()
})
beforeEach((context) => context.skip(lack !== '', lack))

function newOut(): string {
  return lab.path(`out-${out++}`)
}

function unpacked(name: string): string {
  if (!name.endsWith('.gz')) return join(pcaps, name)
  const path = lab.path(name.slice(0, -3))
  writeFileSync(path, gunzipSync(readFileSync(join(pcaps, name))))
  return path
}

interface Alert {
  kind: string
  event: string
  actor: string
}

/** What was told, without when: times differ from run to run. */
function alertsIn(folder: string): Alert[] {
  return readFileSync(join(folder, 'alerts.jsonl'), 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const event = JSON.parse(line) as { src_ip?: string; alert: { signature: string; context: { flowscribe: { event: string } } } }
      return { kind: event.alert.signature, event: event.alert.context.flowscribe.event, actor: event.src_ip ?? '' }
    })
}

interface Run {
  live: string[]
  replayed: string[]
  alerts: Alert[]
  replayedAlerts: Alert[]
  /** Keys, packets and octets of every flow of the recording. */
  flows: string[]
  stderr: string
}

const COLUMNS = ['Flow ID', 'Total Fwd Packet', 'Total Bwd packets', 'Total Length of Fwd Packet', 'Total Length of Bwd Packet']

async function flowsOf(path: string): Promise<string[]> {
  const { stdout } = await lab.start(['flows', path]).ended()
  const [head, ...rows] = stdout.trim().split('\n')
  const at = COLUMNS.map((name) => head.split(',').indexOf(name))
  expect(at).not.toContain(-1)
  return rows.map((row) => at.map((i) => row.split(',')[i]).join(' ')).sort()
}

async function seeWith(queues: number, capture: string, pace: 'top' | 'recorded' = 'recorded'): Promise<Run> {
  const folder = newOut()
  const recording = lab.path(`${out}.pcapng`)
  const sensor = await lab.capture(['-i', 'v1', '-s', '0', '-l', folder, '-w', recording, '--queues', String(queues)])
  const { frames } = await lab.send('v0', 'file', unpacked(capture), pace)
  await sleep(1500)
  const { code, stderr } = await sensor.stop()
  expect({ code, ...countsOf(stderr) }, stderr).toEqual({ code: 0, captured: frames, received: frames, droppedByKernel: 0 })
  const again = newOut()
  const replay = await lab.start(['replay', recording, '-l', again]).ended()
  expect(replay.code).toBe(0)
  return {
    live: digestsOf(stderr),
    replayed: digestsOf(replay.stderr),
    alerts: alertsIn(folder),
    replayedAlerts: alertsIn(again),
    flows: await flowsOf(recording),
    stderr,
  }
}

test('the same capture with one queue and with two: the same flows and alerts, and a recording that replays to the same flow digest', async () => {
  const one = await seeWith(1, 'scan-syn-nmap.pcap')
  const two = await seeWith(2, 'scan-syn-nmap.pcap')
  expect(two.flows).toEqual(one.flows)
  expect(one.flows).toEqual(await flowsOf(unpacked('scan-syn-nmap.pcap')))
  expect(one.alerts.length).toBeGreaterThan(0)
  expect(two.alerts).toEqual(one.alerts)
  expect(two.live[0]).toBe(two.replayed[0])
  expect(two.replayedAlerts).toEqual(two.alerts)
}, 60_000)

test('at top speed, with three queues: every packet once, and the recording replays to the same flow digest', async () => {
  const { live, replayed, alerts, replayedAlerts } = await seeWith(3, 'office-incident.pcap.gz', 'top')
  expect(live[0]).toBe(replayed[0])
  expect(replayedAlerts).toEqual(alerts)
}, 60_000)
