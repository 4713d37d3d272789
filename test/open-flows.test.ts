/**
 * Floods and slow attacks are found while they run: packets through meter and analyst, and when, in packet time, the first alert was
 * there. Their harmless look-alikes stay silent. All traffic goes on at the end: no row of it has ended by then.
 */
import { fileURLToPath } from 'node:url'
import { describe, expect, test, vi } from 'vitest'
import type { Slab } from '../src/capture/slab.ts'
import { loadConfig } from '../src/config.ts'
import type { FlowBatch } from '../src/flow/batch.ts'
import { tableLimits } from '../src/flow/limits.ts'
import { Meter } from '../src/flow/meter.ts'
import { judge, judgeInterim, watchLimits } from '../src/judge.ts'
import type { Analyst } from '../src/score/analyst.ts'
import type { AlertEvent } from '../src/score/evidence.ts'
import { meteredSoFar, openAnalyst } from '../src/sensor.ts'
import { readCapture } from './capture/read-capture.ts'
import { type Frame, slabsOf } from './capture/records.ts'
import { type Conversation, conversation } from './flow/conversation.ts'
import { range } from './score/flows.ts'

// Ten thousands of frames a case: seconds on a busy machine.
vi.setConfig({ testTimeout: 120_000 })

const VICTIM = '10.0.0.9'
const CLIENT = '10.0.0.50'
const from = (address: string, port: number, to = VICTIM, toPort = 80): Conversation =>
  conversation({ client: { address, port }, server: { address: to, port: toPort } })
const forged = (i: number): string => `${20 + (i % 97)}.${(i * 7) % 251}.${(i * 13) % 249}.${1 + (i % 241)}`

interface Said {
  /** Seconds of packet time, since the first packet, at which an alert came; the end of the run is Infinity. */
  at: number
  event: string
  alert: AlertEvent
}

/** @param isEnded the run ends after the last packet, and all flows with it. */
function saidOf(slabs: Iterable<Slab>, isEnded = false): Said[] {
  const config = loadConfig({})
  const said: Said[] = []
  const run: { analyst: Analyst | null; hasEnded: boolean } = { analyst: null, hasEnded: false }
  const analystOf = (): Analyst => {
    const visibility = () => ({ ...meteredSoFar(meter), bothHalves: null, inputDamage: null, source: 'file' as const })
    run.analyst ??= openAnalyst(config, meter.baseSec, visibility, (alert) => {
      const at = run.hasEnded ? Infinity : meter.table.nowUs / 1e6
      said.push({ at, event: `${alert.event} ${alert.kind} ${alert.actor}→${alert.victims.addresses[0]}`, alert })
    })
    return run.analyst
  }
  const takeRows = (batch: FlowBatch): void => judge(batch, analystOf())
  const meter: Meter = new Meter({ ...tableLimits(config.flow), maxFlows: 32_768 }, takeRows, {
    limits: watchLimits(config),
    onInterim: (interim) => judgeInterim(interim, analystOf()),
  })
  for (const slab of slabs) meter.meterSlab(slab)
  if (isEnded) {
    run.hasEnded = true
    meter.finish()
    run.analyst?.finish(meter.table.nowUs)
  }
  return said
}

const inOrder = (frames: Frame[]): Frame[] => frames.sort((a, b) => a.sec - b.sec || a.nsec - b.nsec)
const opened = (said: Said[]): string[] => said.filter(({ alert }) => alert.event === 'open').map(({ event }) => event)
const firstAt = (frames: Frame[]): { event: string; at: number } => {
  const [first] = saidOf(slabsOf(inOrder(frames)))
  return { event: first?.event ?? 'nothing', at: first?.at ?? Infinity }
}

/** hping3 --rand-source: `perSecond` SYNs, each from another address. */
const synFlood = (perSecond: number, seconds: number): Frame[] =>
  range(perSecond * seconds).map((i) => from(forged(i), 1024 + (i % 50_000)).tcp(2 + i / perSecond, '>', 'S'))

/** Connections of one client that send a header line every ten seconds (slowloris). */
const slowloris = (connections: number, seconds: number): Frame[] =>
  range(connections).flatMap((i) => {
    const c = from(CLIENT, 20_000 + i)
    const at = 1 + i / 20
    const open = [c.tcp(at, '>', 'S'), c.tcp(at + 0.001, '<', 'SA'), c.tcp(at + 0.002, '>', 'A'), c.tcp(at + 0.01, '>', 'PA', 230)]
    const lines = range(Math.floor((seconds - at) / 10)).flatMap((n) => [
      c.tcp(at + 10 * (n + 1), '>', 'PA', 24),
      c.tcp(at + 10 * (n + 1) + 0.001, '<', 'A'),
    ])
    return [...open, ...lines]
  })

/** Time passes although nothing of interest comes: a name is looked up each half second. */
const heartbeat = (seconds: number): Frame[] =>
  range(2 * seconds).flatMap((i) => {
    const c = from('10.0.0.77', 30_000 + i, '10.0.0.2', 53)
    return [c.udp(i / 2, '>', 30), c.udp(i / 2 + 0.01, '<', 90)]
  })

describe('found while it runs', () => {
  test('SYN flood with forged sources, four times the threshold', () => {
    const { event, at } = firstAt([...heartbeat(25), ...synFlood(400, 20)])
    expect(event).toBe(`open flood.syn many→${VICTIM}`)
    // Met after three seconds over the threshold: at 5 s.
    expect(at).toBeGreaterThan(4)
    expect(at).toBeLessThanOrEqual(10)
  })

  test('SYN flood of one source with one port: it is named, and the alert stays one when its rows come', () => {
    const frames = range(300 * 15).map((i) => from(CLIENT, 1024 + i).tcp(2 + i / 300, '>', 'S'))
    const said = saidOf(slabsOf(inOrder([...heartbeat(120), ...frames])), true)
    expect(opened(said)).toEqual([`open flood.syn ${CLIENT}→${VICTIM}`])
    expect(said[0].at).toBeLessThanOrEqual(10)
    const last = said[said.length - 1].alert
    expect(last.event).toBe('close')
    // Of 4,500 flows, each once: what came before the destination was counted is not in the counters, but in the rows.
    expect(last.episode.flows).toBeGreaterThan(4400)
    expect(last.episode.flows).toBeLessThanOrEqual(4500)
  })

  test('UDP flood with forged sources and few packets a second', () => {
    const flood = range(300 * 25).map((i) => from(forged(i), 1024 + (i % 50_000), VICTIM, 9999).udp(2 + i / 300, '>', 200))
    const { event, at } = firstAt([...heartbeat(30), ...flood])
    expect(event).toBe(`open flood.udp many→${VICTIM}`)
    // 500 sources in ten seconds are there after 2 s; some 60 of each second are named.
    expect(at).toBeLessThanOrEqual(30)
  })

  test('one flow alone that floods, far shorter than its active timeout', () => {
    const c = from('198.51.100.7', 4000, VICTIM, 5060)
    const flood = range(6500 * 6).map((i) => c.udp(1 + i / 6500, '>', 60))
    const { event, at } = firstAt([...heartbeat(10), ...flood])
    expect(event).toBe(`open flood.udp 198.51.100.7→${VICTIM}`)
    expect(at).toBeLessThanOrEqual(6)
  })

  test('ICMP flood', () => {
    const c = from('198.51.100.7', 0, VICTIM, 0)
    const flood = range(1500 * 6).map((i) => c.icmp(1 + i / 1500, '>', 8, 0))
    const { event, at } = firstAt([...heartbeat(10), ...flood])
    expect(event).toBe(`open flood.icmp 198.51.100.7→${VICTIM}`)
    expect(at).toBeLessThanOrEqual(6)
  })

  test('reflected flood: servers answer a host that asked none of them', () => {
    const flood = range(40 * 100).map((i) => from(`198.51.${i % 40}.53`, 53, VICTIM, 40_000).udp(1 + i / 200, '>', 900))
    const { event, at } = firstAt([...heartbeat(25), ...flood])
    expect(event).toBe(`open amp.victim many→${VICTIM}`)
    expect(at).toBeLessThanOrEqual(6)
  })

  test('slowloris: within half a minute of fifty connections being ten seconds old', () => {
    const said = saidOf(slabsOf(inOrder([...heartbeat(100), ...slowloris(60, 95)])), true)
    expect(opened(said)).toEqual([`open slow.http ${CLIENT}→${VICTIM}`])
    // The fiftieth begins at 3.5 s and is ten seconds old at 13.5 s.
    expect(said[0].at).toBeGreaterThanOrEqual(13.5)
    expect(said[0].at).toBeLessThanOrEqual(30)
    expect(said[said.length - 1].alert.episode.flows).toBe(60)
  })

  test('slow read: connections on which nothing at all moves', () => {
    const held = range(80).flatMap((i) => {
      const c = from(CLIENT, 20_000 + i)
      const at = 1 + i / 40
      return [c.tcp(at, '>', 'S'), c.tcp(at, '<', 'SA'), c.tcp(at, '>', 'A'), c.tcp(at, '>', 'PA', 180), c.tcp(at, '<', 'PA', 512)]
    })
    const { event, at } = firstAt([...heartbeat(45), ...held])
    expect(event).toBe(`open slow.http ${CLIENT}→${VICTIM}`)
    expect(at).toBeLessThanOrEqual(30)
  })
})

/** A whole answered connection, still open. */
const page = (c: Conversation, at: number, answer: number): Frame[] => [
  c.tcp(at, '>', 'S'),
  c.tcp(at + 0.001, '<', 'SA'),
  c.tcp(at + 0.002, '>', 'A'),
  c.tcp(at + 0.003, '>', 'PA', 400),
  c.tcp(at + 0.01, '<', 'PA', answer),
]

describe('silent while it runs', () => {
  const silence: [string, () => Frame[]][] = [
    [
      'a busy web server: 400 connections a second, all completed',
      () => range(4000).flatMap((i) => page(from(forged(i % 3000), 1024 + i), 1 + i / 400, 900)),
    ],
    [
      'a server far away: handshakes take most of a second',
      () =>
        range(2400).flatMap((i) => {
          const c = from(CLIENT, 1024 + i, '198.51.100.9', 443)
          const at = 1 + i / 300
          return [
            c.tcp(at, '>', 'S'),
            c.tcp(at + 0.8, '<', 'SA'),
            c.tcp(at + 0.81, '>', 'A'),
            c.tcp(at + 0.82, '>', 'PA', 300),
            c.tcp(at + 1.7, '<', 'PA', 2900),
          ]
        }),
    ],
    [
      'a download over TCP',
      () => {
        const c = from(CLIENT, 5000)
        return [...page(c, 1, 1400), ...range(30_000).map((i) => c.tcp(1.1 + i / 5000, '<', 'A', 1400))]
      },
    ],
    [
      'a download over UDP with few acknowledgements',
      () => {
        const c = from(CLIENT, 5000, '198.51.100.9', 443)
        return [
          c.udp(1, '>', 1200),
          c.udp(1.01, '<', 1200),
          ...range(40_000).map((i) => c.udp(1.1 + i / 8000, i % 40 === 0 ? '>' : '<', i % 40 === 0 ? 40 : 1200)),
        ]
      },
    ],
    [
      'the same, joined midway',
      () => {
        const c = from(CLIENT, 5000, '198.51.100.9', 443)
        return range(48_000).map((i) => c.udp(1.1 + i / 8000, i % 40 === 39 ? '>' : '<', i % 40 === 39 ? 40 : 1200))
      },
    ],
    [
      'a call: fifty packets a second each way',
      () => {
        const c = from(CLIENT, 5000, VICTIM, 16_384)
        return range(1000).flatMap((i) => [c.udp(1 + i / 50, '>', 160), c.udp(1.005 + i / 50, '<', 160)])
      },
    ],
    [
      'a busy resolver: 1,500 questions a second of 900 clients, all answered',
      () =>
        range(9000).flatMap((i) => {
          const c = from(`10.1.${i % 9}.${1 + (i % 100)}`, 1024 + i, '10.0.0.2', 53)
          return [c.udp(1 + i / 1500, '>', 40), c.udp(1.02 + i / 1500, '<', 120)]
        }),
    ],
    [
      'long polling: twelve clients with five requests each',
      () => range(60).flatMap((i) => page(from(`10.0.3.${1 + (i % 12)}`, 20_000 + i), 1 + i / 20, 0)),
    ],
    [
      'a fast scan of a host that drops what it does not like is a scan, not a flood',
      () => range(3000).map((i) => from(CLIENT, 40_000, VICTIM, 1 + i).tcp(1 + i / 600, '>', 'S')),
    ],
  ]

  test.each(silence)('%s', (_, frames) => {
    expect(opened(saidOf(slabsOf(inOrder([...heartbeat(40), ...frames()])))).filter((event) => !event.includes('scan'))).toEqual([])
  })
})

test('what is said, and when, does not depend on how slabs are cut', () => {
  const mixed = (): Frame[] => inOrder([...heartbeat(60), ...synFlood(250, 8), ...slowloris(60, 55)])
  const frames = mixed()
  const words = (said: Said[]): string => JSON.stringify(said)
  const whole = words(saidOf(slabsOf(frames), true))
  expect(opened(saidOf(slabsOf(frames), true)).filter((event) => !event.includes('scan'))).toEqual([
    `open flood.syn many→${VICTIM}`,
    `open slow.http ${CLIENT}→${VICTIM}`,
  ])
  for (const size of [1, 7, 500]) expect(words(saidOf(slabsOf(frames, 1, size), true)) === whole, `${size} frames a slab`).toBe(true)
})

describe('real tools, while they run', () => {
  test.each([
    ['flood-syn-hping3.pcap', `flood.syn many→10.20.1.3`, 15],
    ['flood-udp-hping3.pcap', `flood.udp many→10.20.1.20`, 15],
    ['slow-headers-slowhttptest.pcap', `slow.http 10.20.1.14→10.20.1.3`, 30],
    ['slow-read-slowhttptest.pcap', `slow.http 10.20.1.14→10.20.1.3`, 30],
  ])('%s: %s within %d s of its first packet', async (file, event, seconds) => {
    const { records } = await readCapture(fileURLToPath(new URL(`../pcaps/${file}`, import.meta.url)))
    const first = saidOf(slabsOf(records)).find((one) => one.event === `open ${event}`)
    expect(first?.at ?? Infinity).toBeLessThanOrEqual(seconds)
  })
})
