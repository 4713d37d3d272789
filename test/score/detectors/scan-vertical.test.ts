import { describe, expect, it } from 'vitest'
import type { Flow } from '../../../src/flow/flow.ts'
import { datagram, datagramAnswered, flags, flow, judge, range, refused, said, session, unanswered } from '../flows.ts'

const pair = { client: '10.0.0.7', server: '10.0.0.9' }
const probe = (port: number, at: number, firstFlags: number, over: Partial<Flow> = {}): Flow =>
  flow(
    { ...pair, port, at, clientPort: 51_000 },
    { directionBasis: 'first_packet', firstFlags, flags: [flags(), flags()], connState: 'OTH', ...over },
  )

const SCANS: readonly [string, Flow[]][] = [
  ['15 refused ports in 5 minutes', range(15).map((i) => refused({ ...pair, port: 1000 + 7 * i, at: i }))],
  ['a thousand silent ports in 10 s', range(1000).map((i) => unanswered({ ...pair, port: 1 + ((i * 7) % 1000), at: i / 100 }))],
  ['retransmitted SYNs', range(20).map((i) => unanswered({ ...pair, port: 100 + i * 3, at: i }, 3))],
  [
    'refused and silent ports mixed, some open',
    [
      ...range(10).map((i) => refused({ ...pair, port: 20 + i, at: i })),
      ...range(10).map((i) => unanswered({ ...pair, port: 200 + i, at: i })),
      ...range(3).map((i) => session({ ...pair, port: 400 + i, at: i })),
    ],
  ],
  ['a slow scan of 40 ports in 50 minutes', range(40).map((i) => refused({ ...pair, port: 1000 + i * 11, at: i * 75 }))],
  ['FIN probes', range(30).map((i) => probe(1 + i, i / 10, 0x01))],
  [
    'NULL probes answered by resets',
    range(30).map((i) => probe(1 + i, i / 10, 0x00, { packets: [1, 1], flags: [flags(), flags({ rst: 1 })] })),
  ],
  ['ACK probes', range(30).map((i) => probe(1 + i, i / 10, 0x10, { flags: [flags({ ack: 1 }), flags()] }))],
  [
    'SYNs whose headers come in pieces of eight octets, refused',
    range(30).map((i) =>
      probe(1 + i, i / 10, 0x00, { packets: [3, 1], payloadBytes: [4, 0], flags: [flags(), flags({ rst: 1, ack: 1 })] }),
    ),
  ],
  ['SYNs in pieces that nobody answers', range(30).map((i) => probe(1 + i, i / 10, 0x00, { packets: [3, 0], payloadBytes: [4, 0] }))],
  [
    'IP protocols, some refused, most silent',
    range(60).map((i) => datagram({ ...pair, port: 0, clientPort: 0, at: i / 10 }, { proto: 60 + i, icmpErrors: i % 4 === 0 ? 1 : 0 })),
  ],
  ['UDP ports answered by ICMP unreachable', range(30).map((i) => datagram({ ...pair, port: 2000 + i, at: i }, { icmpErrors: 1 }))],
  [
    'an outside scanner of a public server',
    range(20).map((i) => refused({ client: '10.0.0.7', server: '198.51.100.4', port: 1 + i, at: i })),
  ],
]

const LOOK_ALIKES: readonly [string, Flow[]][] = [
  ['one closed port tried a hundred times', range(100).map((i) => refused({ ...pair, port: 8080, at: i }))],
  ['14 closed ports', range(14).map((i) => refused({ ...pair, port: 1000 + i, at: i }))],
  ['FTP passive: many ports that answer', range(200).map((i) => session({ ...pair, port: 30_000 + i, at: i }))],
  [
    'a busy client of many services, a few of them down',
    [
      ...range(40).map((i) => session({ ...pair, port: 49_152 + i, at: i })),
      ...range(16).map((i) => refused({ ...pair, port: 50_000 + i, at: i })),
    ],
  ],
  ['traceroute', range(90).map((i) => datagram({ ...pair, port: 33_434 + i, at: i / 10 }, { icmpErrors: 1 }))],
  ['syslog and other datagrams that want no reply', range(50).map((i) => datagram({ ...pair, port: 30_000 + i, at: i }))],
  [
    'a tunnel end: GRE, ESP, AH, IP in IP and routing, seen one way',
    range(50).map((i) => datagram({ ...pair, port: 0, clientPort: 0, at: i }, { proto: [4, 47, 50, 51, 89, 103, 112, 132][i % 8] })),
  ],
  [
    'many IP protocols that come back',
    range(50).map((i) => datagram({ ...pair, port: 0, clientPort: 0, at: i }, { proto: 60 + i, packets: [1, 1] })),
  ],
  [
    'segments of an open connection that came in fragments, on many ports',
    range(50).map((i) =>
      flow(
        { ...pair, port: 30_000 + i, at: i },
        { packets: [12, 9], payloadBytes: [9000, 300], flags: [flags({ syn: 1, ack: 5 }), flags({ syn: 1, synAck: 1, ack: 8 })] },
      ),
    ),
  ],
  ['a DNS client', range(200).map((i) => datagramAnswered({ ...pair, port: 53, at: i }))],
  [
    'server halves only: 443 to many client ports',
    range(100).map((i) =>
      flow(
        { client: '198.51.100.4', server: '10.0.0.7', port: 50_000 + i, clientPort: 443, at: i },
        {
          directionBasis: 'first_packet',
          firstFlags: 0x10,
          packets: [5, 0],
          payloadBytes: [5000, 0],
          flags: [flags({ ack: 5 }), flags()],
        },
      ),
    ),
  ],
  [
    'backscatter: lone resets to many ports',
    range(100).map((i) =>
      flow(
        { client: '198.51.100.4', server: '10.0.0.7', port: 50_000 + i, clientPort: 9999, at: i },
        {
          directionBasis: 'first_packet',
          firstFlags: 0x14,
          flags: [flags({ rst: 1, ack: 1 }), flags()],
        },
      ),
    ),
  ],
]

describe('scan.vertical', () => {
  it.each(SCANS)('finds: %s', (_name, flows) => {
    const run = judge(flows)
    expect(run.alerts).toHaveLength(1)
    const [alert] = run.alerts
    expect([alert.kind, alert.actor]).toEqual(['scan.vertical', '10.0.0.7'])
    expect(alert.likelihood).toBeGreaterThanOrEqual(0.5)
  })

  it.each(LOOK_ALIKES)('stays quiet: %s', (_name, flows) => {
    expect(said(judge(flows))).toEqual([])
  })

  it('counts every port in the closing event, and says how fast', () => {
    const [alert] = judge(range(1000).map((i) => unanswered({ ...pair, port: i + 1, at: i / 100 }))).alerts
    const first = alert.evidence.find((e) => e.code === 'D2.failed_ports')
    expect(first?.measured.map((m) => m.text)).toEqual(['1,000', '10 s', '100 %'])
    expect(alert.evidence.map((e) => e.code)).toContain('D2.order')
    expect(alert.severity).toBe('high')
  })

  it('an unanswered scan from outside is info whatever its likelihood, an answered one low', () => {
    const outside = { client: '198.51.100.4', server: '10.0.0.9' }
    const scan = range(200).map((i) => unanswered({ ...outside, port: 1 + i, at: i / 10 }))
    expect(judge(scan).alerts[0].severity).toBe('info')
    const [answered] = judge([...scan, session({ ...outside, port: 8080, at: 0 })]).alerts
    expect(answered.severity).toBe('low')
    expect(answered.attack.map((t) => t.id)).toEqual(['T1595.001'])
  })

  it('keeps a line under 64 KiB', () => {
    const events = judge(range(5000).map((i) => unanswered({ ...pair, port: i + 1, at: i / 100 }))).events
    for (const event of events) expect(JSON.stringify(event).length).toBeLessThan(65_536)
    const grid = events[events.length - 1].pictures[0]
    expect(grid.picture === 'grid' && grid.omitted > 0).toBe(true)
  })
})
