import { describe, expect, it, vi } from 'vitest'
import type { Flow } from '../../../src/flow/flow.ts'
import { ICMP } from '../../../src/flow/flow.ts'
import type { AlertEvent } from '../../../src/score/evidence.ts'
import { analyst, datagram, flags, flow, judge, range, refused, said, session, unanswered } from '../flows.ts'

// Thousands of flows a case: seconds on a busy machine.
vi.setConfig({ testTimeout: 60_000 })

const victim = '10.0.0.9'
const spoofed = (i: number): string => `${20 + (i >> 16)}.${(i >> 8) & 255}.${i & 255}.7`
const kinds = (flows: readonly Flow[]): string[] => said(judge(flows)).filter((text) => !text.startsWith('scan.background'))

const SYN_FLOODS: readonly [string, Flow[], string][] = [
  ['from forged sources', range(3000).map((i) => unanswered({ client: spoofed(i), server: victim, port: 80, at: i / 1500 })), 'many'],
  [
    'from one host to one port',
    range(2000).map((i) => unanswered({ client: '10.0.0.7', server: victim, port: 80, at: i / 400 })),
    '10.0.0.7',
  ],
  [
    'answered, never completed',
    range(2500).map((i) =>
      flow(
        { client: spoofed(i), server: victim, port: 443, at: i / 500 },
        { packets: [1, 2], flags: [flags({ syn: 1 }), flags({ syn: 2, synAck: 2, ack: 2 })], connState: 'S1' },
      ),
    ),
    'many',
  ],
  [
    'reset by the system of the host that sent them',
    range(2500).map((i) =>
      flow(
        { client: '10.0.0.7', server: victim, port: 80, at: i / 500 },
        { packets: [2, 1], flags: [flags({ syn: 1, rst: 1 }), flags({ syn: 1, synAck: 1, ack: 1 })], connState: 'RSTO' },
      ),
    ),
    '10.0.0.7',
  ],
  [
    'from forged sources, sixty a second',
    range(1200).map((i) => unanswered({ client: spoofed(i), server: victim, port: 80, at: i / 60 })),
    'many',
  ],
  [
    'the first twentieth of a second of a fast one',
    range(400).map((i) => unanswered({ client: spoofed(i), server: victim, port: 80, at: i / 8000 })),
    'many',
  ],
]
const SYN_LOOK_ALIKES: readonly [string, Flow[]][] = [
  [
    'a flash crowd',
    range(3000).map((i) => session({ client: spoofed(i), server: victim, port: 443, at: i / 500 }, 300 + ((i * 613) % 900))),
  ],
  ['a server that refuses all', range(2000).map((i) => refused({ client: spoofed(i % 200), server: victim, port: 80, at: i / 400 }))],
  [
    'two hundred clients that try a dead server again and again',
    range(1200).map((i) => unanswered({ client: spoofed(i % 200), server: victim, port: 80, at: i / 60 })),
  ],
  ['some clients of a slow server', range(300).map((i) => unanswered({ client: spoofed(i % 40), server: victim, port: 80, at: i / 10 }))],
]

describe('flood.syn', () => {
  it.each(SYN_FLOODS)('finds: %s', (_name, flows, actor) => {
    expect(kinds(flows)).toEqual([`flood.syn ${actor}→${victim} (1)`])
  })

  it.each(SYN_LOOK_ALIKES)('stays quiet: %s', (_name, flows) => {
    expect(kinds(flows)).toEqual([])
  })

  it('a fast scan of silent ports is a scan and no flood', () => {
    const scan = range(1500).map((i) => unanswered({ client: '10.0.0.7', server: victim, port: 1 + i, at: i / 700 }))
    expect(kinds(scan)).toEqual([`scan.vertical 10.0.0.7→${victim} (1)`])
  })
})

const stray = (i: number, perSecond: number, over: Partial<Flow> = {}): Flow =>
  flow(
    { client: spoofed(i), server: victim, port: 80, at: i / perSecond },
    { directionBasis: 'first_packet', flags: [flags({ ack: 1 }), flags()], connState: 'OTH', firstFlags: 0x10, ...over },
  )
const RESET_BACK: Partial<Flow> = { packets: [1, 1], flags: [flags({ ack: 1 }), flags({ rst: 1 })] }

describe('flood.tcp', () => {
  it.each<[string, Flow[], string]>([
    ['acknowledgements from forged sources', range(3000).map((i) => stray(i, 1000)), 'many'],
    ['each answered by a reset', range(3000).map((i) => stray(i, 1000, { ...RESET_BACK, addr: ['10.0.0.7', victim] })), '10.0.0.7'],
    ['resets', range(3000).map((i) => stray(i, 1000, { flags: [flags({ rst: 1 }), flags()], firstFlags: 0x04 })), 'many'],
    ['with data in each', range(3000).map((i) => stray(i, 1000, { payloadBytes: [100, 0], addr: ['10.0.0.7', victim] })), '10.0.0.7'],
  ])('finds: %s', (_name, flows, actor) => {
    expect(kinds(flows)).toEqual([`flood.tcp ${actor}→${victim} (1)`])
  })

  it.each<[string, Flow[]]>([
    ['clients of a server that was restarted', range(900).map((i) => stray(i, 900, RESET_BACK))],
    [
      'connections joined midway',
      range(3000).map((i) => stray(i, 1000, { packets: [2, 2], flags: [flags({ ack: 2 }), flags({ ack: 2 })], payloadBytes: [0, 2800] })),
    ],
    ['uploads joined midway', range(3000).map((i) => stray(i, 1000, { packets: [2, 1], flags: [flags({ ack: 2 }), flags({ ack: 1 })] }))],
    ['late ends of connections', range(600).map((i) => stray(i, 60))],
  ])('stays quiet: %s', (_name, flows) => {
    expect(kinds(flows)).toEqual([])
  })

  it('a scan with bare acknowledgements is a scan and no flood', () => {
    const scan = range(1500).map((i) => stray(i, 700, { ...RESET_BACK, addr: ['10.0.0.7', victim], port: [50_000, 1 + i] }))
    expect(kinds(scan)).toEqual([`scan.vertical 10.0.0.7→${victim} (1)`])
  })
})

const burst = (i: number, over: Partial<Flow> = {}): Flow =>
  datagram(
    { client: '198.51.100.4', server: victim, port: 9999, at: i / 10_000, clientPort: 1024 + i },
    { payloadBytes: [512, 0], payloadSquares: [512 * 512, 0], ...over },
  )
const long = (over: Partial<Flow>): Flow =>
  datagram({ client: '198.51.100.4', server: victim, port: 4433, at: 0 }, { lastUs: 10e6, endUs: 70e6, ...over })

describe('flood.udp and flood.icmp', () => {
  it.each<[string, Flow[], string]>([
    ['ten thousand source ports', range(10_000).map((i) => burst(i)), 'flood.udp 198.51.100.4→10.0.0.9 (1)'],
    ['one conversation of many packets', [long({ packets: [200_000, 0], payloadBytes: [2e8, 0] })], 'flood.udp 198.51.100.4→10.0.0.9 (1)'],
    [
      'a thousand sources, slowly',
      range(4000).map((i) => burst(i, { addr: [spoofed(i), victim], startUs: i * 2500, lastUs: i * 2500, endUs: i * 2500 + 60e6 })),
      'flood.udp many→10.0.0.9 (1)',
    ],
    [
      'pings',
      [long({ proto: ICMP, port: [8, 0], packets: [30_000, 0], payloadBytes: [1.7e6, 0] })],
      'flood.icmp 198.51.100.4→10.0.0.9 (1)',
    ],
    [
      'pings from forged sources',
      range(8000).map((i) => burst(i, { proto: ICMP, port: [8, 0], addr: [spoofed(i), victim], startUs: i * 250, lastUs: i * 250 })),
      'flood.icmp many→10.0.0.9 (1)',
    ],
    [
      'pings that are answered',
      [long({ proto: ICMP, port: [8, 0], packets: [30_000, 30_000], payloadBytes: [1.7e6, 1.7e6] })],
      'flood.icmp 198.51.100.4→10.0.0.9 (1)',
    ],
    [
      'a thousand small ones a second to a port where nobody listens',
      range(8000).map((i) =>
        burst(i, {
          addr: ['10.0.0.7', victim],
          startUs: i * 1000,
          lastUs: i * 1000,
          endUs: i * 1000 + 60e6,
          payloadBytes: [64, 0],
          payloadSquares: [64 * 64, 0],
          icmpErrors: i % 1000 === 0 ? 1 : 0,
        }),
      ),
      'flood.udp 10.0.0.7→10.0.0.9 (1)',
    ],
    [
      'the same from outside, dropped in silence',
      range(8000).map((i) =>
        burst(i, { startUs: i * 1000, lastUs: i * 1000, endUs: i * 1000 + 60e6, payloadBytes: [64, 0], payloadSquares: [64 * 64, 0] }),
      ),
      'flood.udp 198.51.100.4→10.0.0.9 (1)',
    ],
    [
      'requests for addresses by all',
      [
        datagram(
          { client: '0.0.0.0', server: '255.255.255.255', port: 67, clientPort: 68, at: 0 },
          { lastUs: 20e6, endUs: 80e6, packets: [2000, 0], payloadBytes: [6e5, 0] },
        ),
      ],
      'flood.udp many→255.255.255.255 (1)',
    ],
  ])('finds: %s', (_name, flows, expected) => {
    expect(kinds(flows)).toEqual([expected])
  })

  it.each<[string, Flow[]]>([
    ['a download by QUIC', [long({ addr: [victim, '198.51.100.4'], packets: [20_000, 90_000], payloadBytes: [1e6, 1.2e8] })]],
    ['a picture of a stream in one burst', [long({ packets: [400, 0], payloadBytes: [4e5, 0], payloadSquares: [4e8, 0], lastUs: 20_000 })]],
    [
      'a camera that sends its picture to the recorder, from inside and from outside',
      ['10.0.0.7', '198.51.100.4'].map((camera) =>
        long({ addr: [camera, victim], packets: [10_000, 3], payloadBytes: [1.3e7, 300], payloadSquares: [1.3e7 * 1300, 3e4] }),
      ),
    ],
    [
      'lines of log to a collector, a thousand a second',
      [long({ addr: ['10.0.0.7', victim], packets: [10_000, 0], payloadBytes: [1.2e6, 0], payloadSquares: [1.2e6 * 150, 0] })],
    ],
    [
      'an inside sensor that sends a thousand readings a second',
      [long({ addr: ['10.0.0.7', victim], packets: [10_000, 0], payloadBytes: [6.4e5, 0], payloadSquares: [6.4e5 * 64, 0] })],
    ],
    [
      'calls of a hundred lines with one provider',
      [long({ packets: [50_000, 48_000], payloadBytes: [8e6, 7.7e6], payloadSquares: [8e6 * 160, 7.7e6 * 160] })],
    ],
    ['a call', [long({ packets: [500, 480], payloadBytes: [80_000, 77_000] })]],
    ['a speed test both ways', [long({ packets: [100_000, 100_000], payloadBytes: [1.2e8, 1.2e8] })]],
    ['television to all', [long({ addr: ['10.0.0.3', '239.1.2.3'], packets: [90_000, 0], payloadBytes: [1.1e8, 0] })]],
    [
      'a building that powers up',
      range(100).map((i) =>
        datagram({ client: '0.0.0.0', server: '255.255.255.255', port: 67, clientPort: 68, at: i }, { packets: [4, 0] }),
      ),
    ],
    [
      'pings of monitoring',
      range(60).map((i) =>
        long({ addr: ['10.0.0.3', `10.0.2.${i}`], proto: ICMP, port: [8, 0], packets: [10, 10], payloadBytes: [560, 560] }),
      ),
    ],
  ])('stays quiet: %s', (_name, flows) => {
    expect(kinds(flows)).toEqual([])
  })
})

const request = (i: number, rate: number, over: Partial<{ client: string; port: number; bytes: number }> = {}): Flow =>
  session({ client: over.client ?? '198.51.100.4', server: victim, port: over.port ?? 80, at: i / rate }, over.bytes ?? 240, 900, 0.05)

describe('flood.http', () => {
  it.each<[string, Flow[]]>([
    ['one client, all alike', range(4000).map((i) => request(i, 400))],
    ['one client, a hundred and fifty a second, for half a minute', range(4500).map((i) => request(i, 150))],
    ['ten clients', range(8000).map((i) => request(i, 800, { client: `198.51.100.${i % 10}` }))],
  ])('finds: %s', (_name, flows) => {
    expect(judge(flows).alerts.map((a) => `${a.kind} ${a.victims.addresses[0]}`)).toContain(`flood.http ${victim}`)
  })

  it.each<[string, Flow[]]>([
    ['a loop of one request after another', range(900).map((i) => request(i, 130))],
    ['the proxy of an office outside, as busy', range(4500).map((i) => request(i, 150, { bytes: 200 + ((i * 613) % 900) }))],
    ['a program inside that opens a connection for each request', range(4500).map((i) => request(i, 150, { client: '10.0.0.7' }))],
    ['checks of a content network, ten a second', range(600).map((i) => request(i, 10))],
    ['a page with many parts', range(60).map((i) => request(i, 200, { bytes: 300 + i * 9 }))],
    ['a flash crowd', range(6000).map((i) => request(i, 600, { client: spoofed(i % 3000), bytes: 200 + ((i * 613) % 900) }))],
    ['a time series database used hard', range(4000).map((i) => request(i, 400, { port: 8086 }))],
  ])('stays quiet: %s', (_name, flows) => {
    expect(kinds(flows)).toEqual([])
  })
})

const held = (i: number, over: Partial<{ client: string; port: number; bytes: number; seconds: number; reply: number }> = {}): Flow =>
  session(
    { client: over.client ?? '198.51.100.4', server: victim, port: over.port ?? 80, at: i / 20 },
    over.bytes ?? 230 + (i % 5),
    over.reply ?? 0,
    over.seconds ?? 100,
  )

describe('slow.http', () => {
  it('finds one client that holds two hundred connections open', () => {
    const [alert] = judge(range(200).map((i) => held(i))).alerts
    expect(`${alert.kind} ${alert.actor} ${alert.victims.addresses[0]}`).toBe(`slow.http 198.51.100.4 ${victim}`)
    expect(alert.servicePort).toBe(80)
  })

  it('finds them where the capture began after they were opened, and no few that idle so', () => {
    const begun = (i: number): Flow => ({
      ...held(i),
      flags: [flags({ ack: 6, psh: 6 }), flags({ ack: 6 })],
      connState: 'OTH',
      history: 'DA',
    })
    expect(kinds(range(200).map(begun))).toEqual([`slow.http 198.51.100.4→${victim} (1)`])
    expect(kinds(range(40).map(begun))).toEqual([])
  })

  it('connections whose last FIN was lost are not held open', () => {
    const halfClosed = (i: number, over: Partial<Flow> = {}): Flow => ({
      ...session({ client: '198.51.100.4', server: victim, port: 80, at: i / 10 }, 152, 305, 0.002),
      endReason: 'shutdown',
      flags: [flags({ syn: 1, ack: 5, fin: 1 }), flags({ syn: 1, synAck: 1, ack: 4 })],
      ...over,
    })
    const openFor = (flows: readonly Flow[]): string[] => {
      const events: AlertEvent[] = []
      const it = analyst((event) => events.push(event))
      it.onOpenFlows(flows, 60e6, (_what, _flow, work) => work())
      it.finish(61e6)
      return events.map(({ kind, event }) => `${event} ${kind}`)
    }
    expect(openFor(range(200).map((i) => halfClosed(i)))).toEqual([])
    const waiting = range(200).map((i) =>
      halfClosed(i, { payloadBytes: [152, 0], flags: [flags({ syn: 1, ack: 5 }), flags({ syn: 1, synAck: 1, ack: 4 })] }),
    )
    expect(openFor(waiting)).toContain('open slow.http')
  })

  it.each<[string, Flow[]]>([
    ['six websockets', range(6).map((i) => held(i))],
    [
      'long polls, one after another',
      range(200).map((i) => ({ ...held(i, { seconds: 20 }), startUs: i * 21e6, lastUs: (i * 21 + 20) * 1e6, endUs: (i * 21 + 25) * 1e6 })),
    ],
    ['a pool of database connections', range(200).map((i) => held(i, { port: 5432 }))],
    ['many clients, one each', range(200).map((i) => held(i, { client: spoofed(i) }))],
    ['uploads', range(100).map((i) => held(i, { bytes: 2e6 }))],
  ])('stays quiet: %s', (_name, flows) => {
    expect(kinds(flows)).toEqual([])
  })
})

/** An answer of a server on `port`, to a host that has not asked. */
const answer = (i: number, port = 123): Flow =>
  datagram(
    { client: spoofed(i), server: victim, port: 30_000 + (i % 50), clientPort: port, at: i / 200 },
    { packets: [3, 0], payloadBytes: [1300, 0] },
  )

describe('amp.victim and amp.reflector', () => {
  it.each<[string, Flow[]]>([
    ['twenty time servers with large answers', range(20).map((i) => answer(i))],
    ['three hundred servers with small answers', range(300).map((i) => ({ ...answer(i, 161), payloadBytes: [90, 0] as const }))],
    ['an unknown port, large answers, many servers', range(300).map((i) => answer(i, 33_333))],
  ])('finds: %s', (_name, flows) => {
    expect(judge(flows).alerts.map((a) => `${a.kind} ${a.actor}→${a.victims.addresses.join()}`)).toContain(`amp.victim many→${victim}`)
  })

  it.each<[string, Flow[]]>([
    [
      'answers to questions',
      range(300).map((i) =>
        datagram({ client: victim, server: spoofed(i), port: 53, at: i / 100 }, { packets: [1, 3], payloadBytes: [40, 3000] }),
      ),
    ],
    [
      'answers a moment after the question was metered',
      range(30).flatMap((i) => [{ ...datagram({ client: victim, server: spoofed(i), port: 123, at: i }), endUs: i * 1e6 }, answer(i)]),
    ],
    ['peers that greet', range(300).map((i) => ({ ...answer(i, 6881), port: [51_413, 6881] as const, payloadBytes: [100, 0] as const }))],
  ])('stays quiet: %s', (_name, flows) => {
    expect(said(judge(flows)).filter((text) => text.startsWith('amp'))).toEqual([])
  })

  it('an inside name server that answers an outside host far too much is a reflector', () => {
    const asks = range(40).map((i) =>
      datagram({ client: '198.51.100.9', server: '10.0.0.53', port: 53, at: i * 3 }, { packets: [20, 60], payloadBytes: [900, 80_000] }),
    )
    expect(said(judge(asks)).filter((text) => text.startsWith('amp'))).toEqual(['amp.reflector 10.0.0.53→198.51.100.9 (1)'])
    expect(said(judge(asks.map((f): Flow => ({ ...f, addr: ['10.0.0.4', '10.0.0.53'] })))).filter((t) => t.startsWith('amp'))).toEqual([])
  })
})
