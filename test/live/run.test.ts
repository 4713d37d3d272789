/**
 * `flowscribe run` on a veth pair between two network namespaces: what is sent is what is seen, recorded and replayed; signals,
 * interfaces that come and go, and what is refused at start.
 */
import { spawnSync } from 'node:child_process'
import {
  closeSync,
  constants,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { countsOf, digestsOf, type Lab, sleep } from './lab.ts'
import { PCAPS, useLab } from './use-lab.ts'

let lab: Lab
const { newOut, unpacked } = useLab((made) => {
  lab = made
})

interface Replayed {
  captured: number
  sent: number
  live: string[]
  recording: string
  stderr: string
}

async function sendAndRecord(capture: string, pace: 'top' | 'recorded'): Promise<Replayed> {
  const folder = newOut()
  const recording = `${folder}.pcapng`
  const sensor = await lab.capture(['-i', 'v1', '-s', '0', '-l', folder, '-w', recording])
  const { frames } = await lab.send('v0', 'file', unpacked(capture), pace)
  // Silence, so that there are ticks.
  await sleep(2500)
  const { code, stderr } = await sensor.stop()
  expect({ code, ...countsOf(stderr) }).toEqual({ code: 0, captured: frames, received: frames, droppedByKernel: 0 })
  return { captured: countsOf(stderr).captured, sent: frames, live: digestsOf(stderr), recording, stderr }
}

async function replay(path: string) {
  return await lab.start(['replay', path, '-l', newOut()]).ended()
}

describe('what is sent is what is seen', () => {
  test('at top speed: every packet, and the recording replays to the same digests', async (context) => {
    const { live, recording } = await sendAndRecord('office-incident.pcap.gz', 'top')
    const again = await replay(recording)
    context.skip(again.stderr.includes('not a capture file'), 'pcapng files are not read yet')
    expect(again.code).toBe(0)
    expect(live.length).toBe(2)
    expect(digestsOf(again.stderr)).toEqual(live)
  }, 60_000)

  test('at recorded speed: the scan is found, and the recording replays to the same digests', async (context) => {
    const { live, recording, stderr } = await sendAndRecord('scan-syn-nmap.pcap', 'recorded')
    expect(stderr).toContain('alerts: 1 ')
    const again = await replay(recording)
    context.skip(again.stderr.includes('not a capture file'), 'pcapng files are not read yet')
    expect(digestsOf(again.stderr)).toEqual(live)
    // Against the file itself: the same flows with the same packets and octets.
    const keysOf = async (path: string): Promise<string[]> => {
      const { stdout } = await lab.start(['flows', path]).ended()
      const [head, ...rows] = stdout.trim().split('\n')
      const columns = ['Flow ID', 'Total Fwd Packet', 'Total Bwd packets', 'Total Length of Fwd Packet', 'Total Length of Bwd Packet']
      const at = columns.map((name) => head.split(',').indexOf(name))
      expect(at).not.toContain(-1)
      return rows.map((row) => at.map((i) => row.split(',')[i]).join(' ')).sort()
    }
    expect(await keysOf(recording)).toEqual(await keysOf(join(PCAPS, 'scan-syn-nmap.pcap')))
  }, 60_000)

  test('ARP is judged live as in the replay of the recording', async (context) => {
    const { live, recording, stderr } = await sendAndRecord('sweep-arp-nmap.pcap', 'top')
    expect(stderr).toContain('alerts: 1 ')
    const again = await replay(recording)
    context.skip(again.stderr.includes('not a capture file'), 'pcapng files are not read yet')
    expect(digestsOf(again.stderr)).toEqual(live)
  }, 60_000)

  test('two interfaces are one line', async () => {
    lab.addPair('w')
    const sensor = await lab.capture(['-i', 'v1', '-i', 'w1', '-l', newOut()])
    const sent = await Promise.all([lab.send('v0', 'flood', '5000', '1', '10'), lab.send('w0', 'flood', '3000', '1', '20')])
    await sleep(300)
    const { code, stderr } = await sensor.stop()
    expect({ code, ...countsOf(stderr) }).toMatchObject({ code: 0, captured: sent[0].frames + sent[1].frames, droppedByKernel: 0 })
    // The ten conversations of one are the first ten of the other.
    expect(stderr).toMatch(/^20 flows/m)
  }, 30_000)

  test('--count stops at that packet; a filter takes its own', async () => {
    const sensor = await lab.capture(['-i', 'v1', '-l', newOut(), '-f', 'udp src port 1027', '--count', '100'])
    await lab.send('v0', 'flood', '20000', '1', '10')
    const { code, stderr } = await sensor.ended()
    expect(code).toBe(0)
    expect(stderr).toMatch(/^100 packets captured$/m)
    expect(stderr).toMatch(/^1 flows/m)
  }, 30_000)

  test('the portable driver sees packets too, and says what it cannot', async (context) => {
    const sensor = lab.start(['run', '-i', 'v1', '--driver', 'cap', '-l', newOut()])
    const isThere = await sensor.says('"capturing"')
    context.skip(sensor.stderr.includes('cap is not installed'), 'the package cap is not installed')
    expect(isThere).toBe(true)
    const { frames } = await lab.send('v0', 'flood', '2000', '1', '10')
    await sleep(300)
    const { code, stderr } = await sensor.stop()
    expect(code).toBe(0)
    expect(countsOf(stderr).captured).toBe(frames)
    expect(stderr).toContain('times are of arrival, lost packets are not counted')
    expect(stderr).toMatch(/^unknown packets dropped by kernel$/m)
  }, 30_000)
})

describe('what is learnt stays', () => {
  test('over restarts; a recording replays with what the run began with; a damaged file is kept beside and learning begins anew', async () => {
    const state = lab.path('kept-state')
    const file = join(state, 'baseline.flowscribe')
    const capture = unpacked('scan-syn-nmap.pcap')
    const once = async (...more: string[]) => {
      const sensor = await lab.capture(['-i', 'v1', '-s', '0', '-l', newOut(), '--set', `baseline.folder=${state}`, ...more])
      await lab.send('v0', 'file', capture, 'top')
      await sleep(1500)
      return await sensor.stop()
    }
    const first = await once()
    expect([first.code, first.stderr]).toEqual([0, expect.stringMatching(/no baseline yet: learning.*baseline stored/s)])
    const recording = lab.path('with-baseline.pcapng')
    const second = await once('-w', recording)
    expect(second.stderr).toContain('baseline read')
    const again = await lab.start(['replay', recording, '--baseline', `${recording}.baseline`, '-l', newOut()]).ended()
    expect(digestsOf(again.stderr)).toEqual(digestsOf(second.stderr))
    truncateSync(file, 5000)
    const third = await once()
    expect([third.code, third.stderr]).toEqual([
      0,
      expect.stringMatching(/damaged.*learning anew, the file is kept as .*damaged.*baseline stored/s),
    ])
    expect(readFileSync(`${file}.damaged`).length).toBe(5000)
  }, 120_000)
})

describe('the life of a daemon', () => {
  test('an alert log that takes nothing for seconds loses no packet', async () => {
    const folder = newOut()
    const log = join(folder, 'alerts.jsonl')
    mkdirSync(folder)
    expect(spawnSync('mkfifo', [log]).status).toBe(0)
    // A full pipe: the first alert's write blocks until somebody reads.
    const pipe = openSync(log, constants.O_RDWR | constants.O_NONBLOCK)
    const full = Buffer.alloc(4096)
    expect(() => {
      for (;;) writeSync(pipe, full)
    }).toThrow('EAGAIN')
    const sensor = await lab.capture(['-i', 'v1', '-l', folder])
    const scan = await lab.send('v0', 'file', join(PCAPS, 'scan-syn-nmap.pcap'), 'top')
    // Rows of a closed connection leave after five seconds, and the scan is told; only the writing thread waits.
    await sleep(8000)
    sensor.signal('SIGUSR1')
    expect(await sensor.says('"sink":"alerts","length":5')).toBe(true)
    const flood = await lab.send('v0', 'flood', '50000', '2', '1000')
    const line = Buffer.alloc(1 << 20)
    const draining = setInterval(() => {
      try {
        readSync(pipe, line)
      } catch {
        // Empty for now.
      }
    }, 20)
    await sleep(1000)
    const { code, stderr } = await sensor.stop()
    clearInterval(draining)
    closeSync(pipe)
    expect({ code, ...countsOf(stderr) }).toMatchObject({ code: 0, captured: scan.frames + flood.frames, droppedByKernel: 0 })
  }, 60_000)

  test('TERM on a silent line, and INT on a busy one: flushed, exit 0 within 10 s', async () => {
    const silent = await lab.capture(['-i', 'v1', '-l', newOut()])
    const start = performance.now()
    expect((await silent.stop()).code).toBe(0)
    expect(performance.now() - start).toBeLessThan(3000)
    const busy = await lab.capture(['-i', 'v1', '-l', newOut()])
    const sending = lab.send('v0', 'flood', '20000', '3', '500')
    await sleep(1000)
    const ended = await busy.stop('SIGINT')
    expect(ended.code).toBe(0)
    expect(ended.stderr).toMatch(/^500 flows/m)
    await sending
  }, 30_000)

  test('HUP opens a moved alert log anew and keeps the configuration when the new one is bad; USR1 logs statistics', async () => {
    const folder = newOut()
    const config = lab.path('hup.yaml')
    writeFileSync(config, 'log:\n  level: info\n')
    const sensor = await lab.capture(['-i', 'v1', '-l', folder, '-c', config])
    renameSync(join(folder, 'alerts.jsonl'), join(folder, 'alerts.old'))
    writeFileSync(config, 'log:\n  level: loud\n')
    sensor.signal('SIGHUP')
    expect(await sensor.says('configuration not changed: ')).toBe(true)
    expect(sensor.stderr).toContain("hup.yaml:2: log.level: got 'loud'")
    writeFileSync(config, 'flow:\n  idle_udp_s: 30\n')
    sensor.signal('SIGHUP')
    expect(await sensor.says('files opened anew', 2)).toBe(true)
    expect(sensor.stderr).toContain('"keys":["flow.idle_udp_s"]')
    await lab.send('v0', 'file', join(PCAPS, 'scan-syn-nmap.pcap'), 'top')
    // What is known is told once a second, and the last packets wait for a tick to be put in order.
    await sleep(2600)
    sensor.signal('SIGUSR1')
    expect(await sensor.says('"statistics"')).toBe(true)
    expect(sensor.stderr).toContain('"packets":2006')
    expect((await sensor.stop()).code).toBe(0)
    expect(readFileSync(join(folder, 'alerts.old'), 'utf8')).toBe('')
    expect(readFileSync(join(folder, 'alerts.jsonl'), 'utf8')).toContain('"in_iface":"v1"')
  }, 30_000)

  test('an interface that goes down, comes back, vanishes and is made anew', async () => {
    lab.addPair('x')
    const sensor = await lab.capture(['-i', 'x1', '-l', newOut()])
    const first = await lab.send('x0', 'flood', '1000', '1', '10')
    lab.link('set', 'x1', 'down')
    expect(await sensor.says('interface is down')).toBe(true)
    lab.link('set', 'x1', 'up')
    expect(await sensor.says('interface is up')).toBe(true)
    const second = await lab.send('x0', 'flood', '1000', '1', '10')
    lab.link('del', 'x1')
    expect(await sensor.says('interface is gone')).toBe(true)
    lab.addPair('x')
    expect(await sensor.says('interface is captured again')).toBe(true)
    const third = await lab.send('x0', 'flood', '1000', '1', '10')
    await sleep(300)
    const { code, stderr } = await sensor.stop()
    expect({ code, ...countsOf(stderr) }).toMatchObject({ code: 0, captured: first.frames + second.frames + third.frames })
  }, 60_000)
})

describe('what is refused at start: one line, exit 1', () => {
  test.each<[string, string[], string]>([
    ['a filter that does not compile', ['-i', 'v1', '-f', 'tcp prt 80'], 'v1: the filter does not compile: '],
    ['an unknown interface', ['-i', 'nope'], 'nope: no such interface; there are: '],
    ['one of two that is unknown', ['-i', 'v1', '-i', 'nope'], 'nope: no such interface; there are: '],
    ['a filter file that is not there', ['-i', 'v1', '-F', '/no/such/file'], '/no/such/file: cannot be read (ENOENT)'],
    ['a recording that cannot be written', ['-i', 'v1', '-w', '/no/such/folder/x'], 'cannot write /no/such/folder/x'],
  ])('%s', async (_, args, message) => {
    const { code, stderr } = await lab.start(['run', ...args, '-l', newOut()]).ended()
    expect(stderr).toContain(`flowscribe: ${message}`)
    expect({ code, lines: stderr.trim().split('\n').length }).toEqual({ code: 1, lines: 1 })
  })

  test('no right to capture: the command that grants it', async () => {
    const without = ['setpriv', '--bounding-set', '-net_raw,-net_admin', '--inh-caps', '-net_raw,-net_admin']
    const { code, stderr } = await lab.start(['run', '-i', 'v1', '-l', newOut()], without).ended()
    expect(stderr).toMatch(/^flowscribe: v1: no right to capture\. Grant it with: sudo setpriv .*flowscribe run -i v1\n$/)
    expect(code).toBe(1)
  })

  test.each<[string[], string]>([
    [[], 'no interface given: -i IF; flowscribe devices lists them'],
    [['-i', 'v1', '-i', 'v1'], 'an interface is named twice'],
    [['-i', 'v1', '-s', 'x'], "option -s: got 'x'; allowed: a whole number from 0 to 262144"],
    [['-i', 'v1', '-f', 'udp', '-F', 'x'], '-f and -F are both given: name one'],
  ])('wrong usage %j: exit 2', async (args, message) => {
    const { code, stderr } = await lab.start(['run', ...args]).ended()
    expect(stderr).toContain(`flowscribe: ${message}\n`)
    expect(code).toBe(2)
  })

  test('devices lists what there is', async () => {
    const { code, stdout } = await lab.start(['devices']).ended()
    expect(code).toBe(0)
    expect(stdout).toMatch(/^v1 +up/m)
  })
})
