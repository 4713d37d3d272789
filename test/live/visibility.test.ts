/**
 * What was not seen, live: losses of the kernel stand in each alert's visibility, and a recording replays to the same; doctor on real lines.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { countsOf, digestsOf, type Lab, sleep } from './lab.ts'
import { PCAPS, useLab } from './use-lab.ts'

let lab: Lab
useLab((made) => {
  lab = made
})

interface Told {
  visibility: { lostByKernel: number; packetsSeen: number; missingShare: number | null; source: string }
  benign: { code: string }[]
  likelihood: number
}

function alertsIn(folder: string): { told: Told; confidence: string }[] {
  const lines = readFileSync(join(folder, 'alerts.jsonl'), 'utf8').trim().split('\n')
  return lines.map((line) => {
    const { alert } = JSON.parse(line) as { alert: { metadata: { confidence: string[] }; context: { flowscribe: Told } } }
    return { told: alert.context.flowscribe, confidence: alert.metadata.confidence[0] }
  })
}

test('losses: in each alert, in its likelihood and confidence, and the same in the replay of what was recorded', async () => {
  const live = lab.path('lossy')
  const recording = lab.path('lossy.pcapng')
  const sensor = await lab.capture(['-i', 'v1', '-l', live, '-B', '64', '-w', recording])
  const scan = lab.send('v0', 'file', join(PCAPS, 'scan-syn-nmap.pcap'), 'recorded')
  await sleep(1500)
  // Nobody reads: the small buffer overflows, and the kernel counts.
  sensor.signal('SIGSTOP')
  await lab.send('v0', 'flood', '20000', '0.5', '10')
  sensor.signal('SIGCONT')
  await scan
  await sleep(9000)
  const { code, stderr } = await sensor.stop()
  const { droppedByKernel } = countsOf(stderr)
  expect(code).toBe(0)
  expect(droppedByKernel).toBeGreaterThan(1000)

  const alerts = alertsIn(live)
  expect(alerts.length).toBeGreaterThan(0)
  for (const { told } of alerts.slice(-1)) {
    const { visibility, benign, likelihood } = told
    expect(visibility).toMatchObject({ source: 'live', lostByKernel: droppedByKernel })
    expect(visibility.missingShare).toBeCloseTo(droppedByKernel / (droppedByKernel + visibility.packetsSeen), 3)
    expect(benign.map((item) => item.code)).toContain('B11.loss')
    expect(likelihood).toBeLessThanOrEqual(Math.max(0.6, 1 - (visibility.missingShare ?? 0)) + 1e-3)
  }
  expect(alerts.at(-1)?.confidence).toBe('Low')

  const again = lab.path('lossy-again')
  const replayed = await lab.start(['replay', recording, '-l', again]).ended()
  expect(digestsOf(replayed.stderr)).toEqual(digestsOf(stderr))
  expect(replayed.stderr).toMatch(/^not seen +[\d,]+ packets dropped while this was recorded/m)
  expect(alertsIn(again).map(({ told }) => told.visibility.lostByKernel)).toEqual(alerts.map(({ told }) => told.visibility.lostByKernel))
}, 60_000)

describe('doctor on a line', () => {
  async function doctor(device: string, seconds: number, before: readonly string[] = []) {
    const { code, stdout } = await lab.start(['doctor', '-i', device, '--for', `${seconds}s`, '--json'], before).ended()
    const { found } = JSON.parse(stdout) as { found: { id: string; severity: string; cures: string[] }[] }
    return {
      code,
      faults: found.filter(({ severity }) => severity === 'fault').map(({ id }) => id),
      cures: found.flatMap(({ cures }) => cures),
    }
  }

  test('no traffic', async () => {
    expect(await doctor('v1', 1)).toMatchObject({ code: 5, faults: ['no-traffic'] })
  }, 20_000)

  test('a line with both directions is fit', async () => {
    const looking = doctor('v1', 9)
    await sleep(2500)
    await lab.send('v0', 'file', join(PCAPS, 'scan-syn-nmap.pcap'), 'top')
    expect(await looking).toMatchObject({ code: 0, faults: [] })
  }, 30_000)

  test('an interface that is down; one that is not there; no right to capture', async () => {
    lab.addPair('d')
    lab.link('set', 'd1', 'down')
    expect(await doctor('d1', 1)).toMatchObject({
      code: 5,
      faults: ['interface-down'],
      cures: [expect.stringContaining('ip link set d1 up')],
    })
    expect(await doctor('nope', 1)).toMatchObject({ code: 5, faults: ['no-such-interface'] })
    const without = ['setpriv', '--bounding-set', '-net_raw,-net_admin', '--inh-caps', '-net_raw,-net_admin']
    expect(await doctor('v1', 1, without)).toMatchObject({
      code: 5,
      faults: ['no-privileges'],
      cures: [expect.stringContaining('setpriv')],
    })
  }, 30_000)

  test('true super-packets of the kernel: receive offload', async () => {
    lab.addPair('g')
    for (const [side, name, own, mac] of [
      ['sending', 'g0', '192.0.2.1', '02:00:00:00:00:01'],
      ['sensing', 'g1', '192.0.2.2', '02:00:00:00:00:02'],
    ] as const) {
      lab.run(side, 'ip', 'link', 'set', name, 'address', mac, 'mtu', '1500', 'arp', 'on')
      lab.run(side, 'ip', 'addr', 'add', `${own}/30`, 'dev', name)
      lab.run(side, 'ip', 'link', 'set', 'lo', 'up')
    }
    const receive = "require('net').createServer((s) => s.resume()).listen(5001); setTimeout(() => process.exit(0), 12000)"
    const send = "const s = require('net').connect(5001, '192.0.2.2', () => s.end(Buffer.alloc(4e6))); s.on('close', () => process.exit(0))"
    const receiver = lab.start([], [process.execPath, '-e', receive])
    const looking = doctor('g1', 6)
    await sleep(2500)
    lab.run('sending', process.execPath, '-e', send)
    const { code, faults, cures } = await looking
    receiver.signal('SIGKILL')
    expect(code).toBe(5)
    expect(faults).toContain('receive-offload')
    expect(cures).toContain('sudo ethtool -K g1 gro off lro off tso off gso off')
  }, 40_000)
})
