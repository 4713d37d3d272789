/**
 * `flowscribe run --queues N` on a veth pair: what one queue finds, several find, too; their recording is one capture.
 */
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { countsOf, digestsOf, Lab, sleep } from './lab.ts'
import { buildSeams } from './seams/build-seams.ts'
import { PCAPS, useLab } from './use-lab.ts'

let lab: Lab
const { newOut, unpacked } = useLab((made) => {
  lab = made
})

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
  const recording = `${folder}.pcapng`
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

test('the same capture with one queue and with two: the same flows and alerts, and a recording that replays to the same digests', async () => {
  const one = await seeWith(1, 'scan-syn-nmap.pcap')
  const two = await seeWith(2, 'scan-syn-nmap.pcap')
  expect(two.flows).toEqual(one.flows)
  expect(one.flows).toEqual(await flowsOf(unpacked('scan-syn-nmap.pcap')))
  expect(one.alerts.length).toBeGreaterThan(0)
  expect(two.alerts).toEqual(one.alerts)
  expect(two.live).toEqual(two.replayed)
  expect(two.live).toHaveLength(2)
  expect(two.replayedAlerts).toEqual(two.alerts)
}, 60_000)

test('at top speed, with three queues: every packet once, and the recording replays to the same digests', async () => {
  const { live, replayed, alerts, replayedAlerts } = await seeWith(3, 'benign-busy-servers.pcap', 'top')
  expect(live).toEqual(replayed)
  expect(replayedAlerts).toEqual(alerts)
}, 60_000)

test('attacks of several kinds at top speed, with ICMP errors about flows of other queues: the recording replays to the same digests', async () => {
  const { live, replayed, alerts, replayedAlerts } = await seeWith(3, 'office-incident.pcap.gz', 'top')
  expect(new Set(alerts.map(({ kind }) => kind)).size).toBeGreaterThan(2)
  expect(replayedAlerts).toEqual(alerts)
  expect(live).toEqual(replayed)
}, 60_000)

test('ARP is judged as with one queue', async () => {
  const { live, replayed, alerts, replayedAlerts } = await seeWith(2, 'sweep-arp-nmap.pcap', 'top')
  expect(alerts.length).toBeGreaterThan(0)
  expect(replayedAlerts).toEqual(alerts)
  expect(live).toEqual(replayed)
}, 60_000)

/** The packets of a capture that begin at an address, or the others. */
function directionOf(path: string, address: readonly number[], isFrom: boolean): string {
  const file = readFileSync(path)
  const parts = [file.subarray(0, 24)]
  for (let at = 24; at < file.length; ) {
    const end = at + 16 + file.readUInt32LE(at + 8)
    if (address.every((octet, i) => file[at + 16 + 26 + i] === octet) === isFrom) parts.push(file.subarray(at, end))
    at = end
  }
  const to = lab.path(`half-${isFrom}.pcap`)
  writeFileSync(to, Buffer.concat(parts))
  return to
}

test('the two ports of a tap, one direction each: both halves of a flow come to one queue', async () => {
  lab.addPair('w')
  const recording = lab.path('tap.pcapng')
  const sensor = await lab.capture(['-i', 'v1', '-i', 'w1', '-s', '0', '-l', newOut(), '-w', recording, '--queues', '3'])
  const whole = join(PCAPS, 'scan-syn-nmap.pcap')
  const attacker = [10, 20, 1, 14]
  const sent = await Promise.all([
    lab.send('v0', 'file', directionOf(whole, attacker, true), 'recorded'),
    lab.send('w0', 'file', directionOf(whole, attacker, false), 'recorded'),
  ])
  await sleep(1500)
  const { code, stderr } = await sensor.stop()
  const captured = sent.reduce((sum, { frames }) => sum + frames, 0)
  expect({ code, ...countsOf(stderr) }, stderr).toEqual({ code: 0, captured, received: captured, droppedByKernel: 0 })
  const again = await lab.start(['replay', recording, '-l', newOut()]).ended()
  expect(digestsOf(stderr)[0]).toBe(digestsOf(again.stderr)[0])
  // A few more than the capture's thousand, where an answer overtook its question between two senders; halves apart would be 1,600.
  expect(Number(/^(\d+) flows/m.exec(stderr)?.[1])).toBeLessThan(1050)
}, 60_000)

test('a reload changes the filter of all queues, or of none; statistics are sums', async () => {
  const config = lab.path('queues.yaml')
  writeFileSync(config, 'capture:\n  queues: 2\n')
  const sensor = await lab.capture(['-i', 'v1', '-l', newOut(), '-c', config])
  const first = await lab.send('v0', 'flood', '2000', '1', '50')
  writeFileSync(config, 'capture:\n  queues: 2\n  filter: udp src port 1027\n')
  sensor.signal('SIGHUP')
  expect(await sensor.says('"keys":["capture.filter"]')).toBe(true)
  const second = await lab.send('v0', 'flood', '1000', '1', '50')
  writeFileSync(config, 'capture:\n  queues: 3\n  filter: udp prt 1027\n')
  sensor.signal('SIGHUP')
  expect(await sensor.says('configuration not changed: ')).toBe(true)
  const expected = first.frames + Math.ceil(second.frames / 50)
  // Facts come once a second from each queue.
  for (let turn = 0; turn < 10 && !sensor.stderr.includes(`"packets":${expected}`); turn++) {
    await sleep(1000)
    sensor.signal('SIGUSR1')
    await sleep(200)
  }
  expect(sensor.stderr).toContain(`"packets":${expected}`)
  expect(sensor.stderr).toContain('"queues":2')
  const { code, stderr } = await sensor.stop()
  expect({ code, captured: countsOf(stderr).captured }).toEqual({ code: 0, captured: expected })
}, 60_000)

test('an interface that vanishes and comes back is captured by all queues again', async () => {
  lab.addPair('x')
  const sensor = await lab.capture(['-i', 'x1', '-l', newOut(), '--queues', '2'])
  const first = await lab.send('x0', 'flood', '1000', '1', '50')
  lab.link('del', 'x1')
  expect(await sensor.says('interface is gone')).toBe(true)
  lab.addPair('x')
  expect(await sensor.says('interface is captured again')).toBe(true)
  await sleep(1500)
  const second = await lab.send('x0', 'flood', '1000', '1', '50')
  await sleep(300)
  const { code, stderr } = await sensor.stop()
  expect({ code, ...countsOf(stderr) }, stderr).toMatchObject({ code: 0, captured: first.frames + second.frames })
}, 60_000)

test('a thread that ends by itself ends the run, with the others, in a clear line', async () => {
  const build = buildSeams()
  const seams = new Lab()
  try {
    seams.useBuild(build)
    const sensor = await seams.capture(['-i', 'v1', '-l', seams.path('out'), '--queues', '3', '-w', seams.path('seen.pcapng')])
    const frame = Buffer.from('02000000000202000000000188b574', 'hex')
    const path = seams.path('throw.pcap')
    const head = Buffer.from('d4c3b2a1020004000000000000000000ffff000001000000', 'hex')
    const record = Buffer.alloc(16)
    record.writeUInt32LE(frame.length, 8)
    record.writeUInt32LE(frame.length, 12)
    writeFileSync(path, Buffer.concat([head, record, frame]))
    for (let turn = 0; turn < 20 && sensor.isRunning; turn++) {
      await seams.send('v0', 'file', path, 'top')
      await sleep(200)
    }
    const start = performance.now()
    const { code, stderr } = await sensor.ended()
    expect(performance.now() - start).toBeLessThan(10_000)
    expect({ code, isSaid: stderr.includes('more than 10 faults of the program in a minute') }, stderr).toEqual({ code: 1, isSaid: true })
  } finally {
    seams.close()
    rmSync(build, { recursive: true, force: true })
  }
}, 90_000)

test.each<[string[], string]>([
  [['--queues', '0'], "option --queues: got '0'; allowed: a whole number from 1 to 64"],
  [['--queues', 'many'], "option --queues: got 'many'; allowed: a whole number from 1 to 64"],
  [['--queues', '2', '--driver', 'cap'], '--driver cap has one queue: --queues is of the driver ring'],
  [['--queues', '2', '--count', '9'], '--count needs --queues 1: of several queues, none knows which packet is the last'],
])('wrong usage %j: exit 2', async (args, message) => {
  const { code, stderr } = await lab.start(['run', '-i', 'v1', ...args]).ended()
  expect(stderr).toContain(`flowscribe: ${message}\n`)
  expect(code).toBe(2)
})

test.each<[string, string[], string]>([
  ['an unknown interface', ['-i', 'nope'], 'nope: no such interface; there are: '],
  ['a filter that does not compile', ['-i', 'v1', '-f', 'tcp prt 80'], 'v1: the filter does not compile: '],
  ['a recording that cannot be written', ['-i', 'v1', '-w', '/no/such/folder/x'], 'cannot write /no/such/folder/x'],
])('refused at start, one line: %s', async (_, args, message) => {
  const { code, stderr } = await lab.start(['run', ...args, '--queues', '2', '-l', newOut()]).ended()
  expect(stderr).toContain(`flowscribe: ${message}`)
  const lines = stderr.split('\n').filter((line) => line !== '' && !line.startsWith('{'))
  expect({ code, lines: lines.length }).toEqual({ code: 1, lines: 1 })
})
