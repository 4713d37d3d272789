import { describe, expect, it } from 'vitest'
import type { Flow } from '../../../src/flow/flow.ts'
import type { AlertEvent } from '../../../src/score/evidence.ts'
import { reply, request } from '../arp-messages.ts'
import { analyst, datagram, inRowOrder, judge, range, refused, said, session, unanswered } from '../flows.ts'

const client = '10.0.0.7'
const host = (i: number): string => `10.1.${i >> 8}.${1 + (i & 127)}`
const outside = (i: number): string => `198.51.${i >> 7}.${1 + (i & 127)}`

const SCANS: readonly [string, Flow[]][] = [
  ['ssh on 20 inside hosts', range(20).map((i) => unanswered({ client, server: host(i), port: 22, at: i }))],
  [
    'two ports on 100 hosts, a few answer',
    range(100).flatMap((i) => [
      i % 10 === 0 ? session({ client, server: host(i), port: 80, at: i }) : refused({ client, server: host(i), port: 80, at: i }),
      unanswered({ client, server: host(i), port: 443, at: i }),
    ]),
  ],
  ['seven unused inside addresses', range(8).map((i) => unanswered({ client, server: host(i), port: 445, at: i }, 3))],
  ['outside hosts by telnet', range(60).map((i) => unanswered({ client, server: outside(i), port: 23, at: i }))],
  ['DNS servers by UDP', range(40).map((i) => datagram({ client, server: outside(i), port: 53, at: i }))],
]

const LOOK_ALIKES: readonly [string, Flow[]][] = [
  ['a busy web client', range(300).map((i) => session({ client, server: outside(i), port: 443, at: i }))],
  [
    'a web client that meets a few dead servers',
    range(300).map((i) =>
      i % 12 === 0
        ? unanswered({ client, server: outside(i), port: 443, at: i })
        : session({ client, server: outside(i), port: 443, at: i }),
    ),
  ],
  [
    'a browser racing two addresses: one fails, is then reached',
    range(60).flatMap((i) => [
      refused({ client, server: outside(i), port: 443, at: i }),
      session({ client, server: outside(i), port: 443, at: i + 0.3 }),
    ]),
  ],
  ['monitoring that reaches 60 hosts', range(300).map((i) => session({ client, server: host(i % 60), port: 22, at: i }))],
  [
    'monitoring whose 60 hosts all go down later',
    [
      ...range(60).map((i) => session({ client, server: host(i), port: 443, at: i })),
      ...range(60).map((i) => unanswered({ client, server: host(i), port: 443, at: 200 + i })),
    ],
  ],
  [
    'peer-to-peer: every peer has its own port',
    range(100).map((i) => unanswered({ client, server: outside(i), port: 20_000 + 37 * i, at: i })),
  ],
  ['peer-to-peer by UDP, most peers silent', range(200).map((i) => datagram({ client, server: outside(i), port: 20_000 + 37 * i, at: i }))],
  [
    'a web server with many clients behind it',
    range(200).map((i) => session({ client: outside(i), server: '10.0.0.9', port: 443, at: i })),
  ],
  ['service discovery to group addresses', range(40).map((i) => datagram({ client, server: `239.255.${i}.250`, port: 53, at: i }))],
  ['DHCP renewals to silent relays', range(40).map((i) => datagram({ client, server: host(i), port: 67, at: i }))],
  ['six dead servers', range(6).map((i) => unanswered({ client, server: host(i), port: 22, at: i }))],
]

describe('scan.horizontal', () => {
  it.each(SCANS)('finds: %s', (_name, flows) => {
    const { alerts } = judge(flows)
    expect(alerts.map((a) => a.kind)).toEqual(['scan.horizontal'])
    expect(alerts[0].actor).toBe(client)
    expect(alerts[0].likelihood).toBeGreaterThanOrEqual(0.5)
    expect(flows.some((f) => f.connState !== 'SF' && f.addr[1] === alerts[0].victims.addresses[0])).toBe(true)
  })

  it.each(LOOK_ALIKES)('stays quiet: %s', (_name, flows) => {
    expect(said(judge(flows))).toEqual([])
  })

  it('counts the victims that failed before the entry test was met', () => {
    const [alert] = judge(range(40).map((i) => unanswered({ client, server: host(i), port: 22, at: i }))).alerts
    expect(alert.victims.count).toBe(40)
    expect(alert.victims.addresses).toHaveLength(16)
    expect(alert.servicePort).toBe(22)
  })

  it('weighs unused inside addresses, worm ports and bare probes', () => {
    const [alert] = judge(range(120).map((i) => unanswered({ client, server: host(i), port: 445, at: i / 10 }))).alerts
    const codes = ['D1.first_contacts', 'D1.many_servers', 'D1.dark', 'D1.spread', 'D1.flat', 'D1.scan_port']
    expect(alert.evidence.map((e) => e.code).sort()).toEqual(codes.sort())
    expect(alert.cap?.limit).toBe(0.99)
  })

  it('does not call a one-sided mirror port a scan', () => {
    const oneSided = range(20).map((i): Flow => {
      const whole = session({ client: `10.2.0.${i + 1}`, server: outside(i), port: 443, at: i })
      return { ...whole, packets: [8, 0], payloadBytes: [500, 0], endUs: whole.lastUs + 60e6 }
    })
    const silent = range(60).map((i) => unanswered({ client, server: outside(300 + i), port: 443, at: 200 + i }))
    expect(said(judge([...oneSided, ...silent]))).toEqual([])
    expect(said(judge(silent))).toHaveLength(1)
  })
})

describe('scan.horizontal of its own segment', () => {
  const station = (n: number): string => `10.0.0.${n}`
  /** A search by ARP of addresses 20 to 99, of which `alive` answer, then a port of those alive. */
  const searched = (asked: number, alive: number, probe: (n: number, i: number) => Flow): string[] => {
    const events: AlertEvent[] = []
    const it = analyst((event) => events.push(event))
    const search = range(asked).flatMap((i) => {
      const question = request(client, station(20 + i), i / 100)
      return i < alive ? [question, reply(station(20 + i), client, i / 100 + 0.001)] : [question]
    })
    for (const sighting of search) it.onLink(sighting)
    for (const row of inRowOrder(range(alive).map((i) => probe(20 + i, i)))) it.onFlow(row)
    it.finish(200e6)
    return events.filter(({ event }) => event === 'close').map(({ kind }) => kind)
  }
  const closed = (n: number, i: number): Flow => refused({ client, server: station(n), port: 80, at: 1 + i / 10 })
  const open = (n: number, i: number): Flow => session({ client, server: station(n), port: 80, at: 1 + i / 10 })

  it('finds: a search by ARP, then a port of the six hosts that there are', () => {
    expect(searched(80, 6, closed)).toEqual(expect.arrayContaining(['sweep.arp', 'scan.horizontal']))
    expect(searched(80, 6, (n, i) => (i === 0 ? open(n, i) : closed(n, i)))).toContain('scan.horizontal')
  })

  it.each<[string, number, number, (n: number, i: number) => Flow]>([
    ['an inventory whose hosts mostly answer', 80, 30, (n, i) => (i % 4 === 0 ? closed(n, i) : open(n, i))],
    ['four hosts that refuse', 80, 4, closed],
    ['a handful of hosts that are gone, and six that refuse', 16, 6, closed],
  ])('stays quiet: %s', (_name, asked, alive, probe) => {
    expect(searched(asked, alive, probe)).not.toContain('scan.horizontal')
  })
})
