import { describe, expect, it } from 'vitest'
import type { Flow } from '../../../src/flow/flow.ts'
import type { Seen } from '../../../src/flow/health.ts'
import type { AlertEvent } from '../../../src/score/evidence.ts'
import { analyst, flags, judge, range, said, session } from '../flows.ts'

const NOTHING_SEEN: Seen = {
  atUs: 0,
  packets: 0,
  notDecoded: 0,
  cutShort: 0,
  late: 0,
  evictedFlows: 0,
  lostByKernel: 0,
  lostByInterface: 0,
  duplicates: 0,
  acks: 0,
  ackGaps: 0,
  oversize: 0,
  checksumsLooked: 0,
  checksumsBad: 0,
  checksumsEmpty: 0,
  clockSteps: 0,
}

const ends = { client: '10.0.0.7', server: '10.0.0.9', port: 22 }
const guess = (i: number, over: Partial<typeof ends> = {}): Flow =>
  session({ ...ends, ...over, at: i * 4 }, 1900 + (i % 3) * 40, 2400 + (i % 2) * 30, 3)

/** What is left of a session that had begun before the capture. */
const remains = (i: number): Flow => ({
  ...session({ ...ends, at: i / 10 }, 84, 76, 2),
  flags: [flags({ ack: 3, fin: 1 }), flags({ ack: 3, fin: 1 })],
  connState: 'OTH',
  history: 'DadFf',
})

const ATTACKS: readonly [string, Flow[]][] = [
  ['ssh, 12 guesses', range(12).map((i) => guess(i))],
  ['ftp, 40 guesses with names of different length', range(40).map((i) => session({ ...ends, port: 21, at: i * 2 }, 30 + (i % 9), 180, 2))],
  ['rdp from outside', range(60).map((i) => session({ client: '198.51.100.4', server: '10.0.0.9', port: 3389, at: i }, 900, 1400, 1))],
  [
    'a guess every six seconds, which the server takes five to refuse',
    range(40).map((i) => session({ ...ends, at: i * 6 }, 1900, 2400, 5)),
  ],
  [
    'from outside, a guess every ten seconds',
    range(60).map((i) => session({ client: '198.51.100.4', server: '10.0.0.9', port: 22, at: i * 10 }, 1900, 2400, 1)),
  ],
  [
    'a guess every second, which the server takes half of it to refuse',
    range(60).map((i) => session({ ...ends, port: 21, at: i }, 40, 180, 0.5)),
  ],
  ['a capture that begins among them', [...range(4).map(remains), ...range(14).map((i) => guess(i + 1))]],
  [
    'some that the server closes early',
    [...range(30).map((i) => guess(i)), ...range(5).map((i) => session({ ...ends, at: i * 9 }, 21, 40, 0.1))],
  ],
  ['guesses, then a login that works', [...range(30).map((i) => guess(i)), session({ ...ends, at: 130 }, 30_000, 400_000, 110)]],
]

const LOOK_ALIKES: readonly [string, Flow[]][] = [
  ['nine sessions', range(9).map((i) => guess(i))],
  ['a key job every minute', range(60).map((i) => session({ ...ends, at: i * 60 }, 2600, 3400, 2))],
  [
    'Ansible: each task has another size',
    range(40).map((i) => session({ ...ends, at: i * 5 }, 5000 + ((i * 7919) % 60_000), 4000 + ((i * 104_729) % 9000), 3)),
  ],
  ['rsync of flat but large files', range(40).map((i) => session({ ...ends, at: i * 5 }, 250_000, 9000, 3))],
  ['flat sessions that carry more than a failed login', range(40).map((i) => session({ ...ends, at: i * 5 }, 6200 + (i % 4), 5100, 3))],
  ['ends of sessions, and nine guesses', [...range(9).map(remains), ...range(9).map((i) => guess(i + 1))]],
  [
    'a server that closes every second one early',
    range(40).map((i) => (i % 2 === 0 ? guess(i) : session({ ...ends, at: i * 4 }, 21, 40, 0.1))),
  ],
  ['a browser polling one API', range(200).map((i) => session({ ...ends, port: 443, at: i }, 700, 1500, 1))],
  ['health checks that connect and close', range(100).map((i) => session({ ...ends, at: i * 2 }, 0, 0, 0.01))],
  [
    'mail client: mixed sessions',
    range(40).map((i) => session({ ...ends, port: 993, at: i * 5 }, 900 + ((i * 613) % 4000), 3000 + ((i * 7919) % 200_000), 4)),
  ],
  ['a check of ssh every ten seconds', range(60).map((i) => session({ ...ends, at: i * 10 + (i % 3) / 10 }, 21, 1120, 0.05))],
  [
    'mail looked for every twenty seconds',
    range(60).map((i) => session({ ...ends, server: '198.51.100.40', port: 993, at: i * 20 + (i % 7) / 5 }, 1150 + (i % 3), 3300, 0.3)),
  ],
  [
    'the same mail, where no address belongs to the own networks',
    range(60).map((i) =>
      session({ client: '203.0.113.14', server: '198.51.100.40', port: 993, at: i * 20 + (i % 7) / 5 }, 1150 + (i % 3), 3300, 0.3),
    ),
  ],
  [
    "a load balancer's check of a database every two seconds",
    range(150).map((i) => session({ ...ends, port: 3306, at: i * 2 + (i % 5) / 100 }, 60, 95, 0.01)),
  ],
  ['many clients of one server', range(60).map((i) => guess(i, { client: `10.2.0.${i + 1}` }))],
]

describe('brute.login', () => {
  it.each(ATTACKS)('finds: %s', (_name, flows) => {
    const { alerts } = judge(flows)
    expect(alerts.map((a) => a.kind)).toEqual(['brute.login'])
    expect([alerts[0].actor, alerts[0].victims.addresses]).toEqual([flows[0].addr[0], [flows[0].addr[1]]])
    expect(alerts[0].likelihood).toBeGreaterThanOrEqual(0.5)
  })

  it.each(LOOK_ALIKES)('stays quiet: %s', (_name, flows) => {
    expect(said(judge(flows))).toEqual([])
  })

  it('a session that stands out after the guesses raises severity and is told first', () => {
    const guesses = range(30).map((i) => guess(i))
    const entry = session({ ...ends, at: 130 }, 30_000, 400_000, 110)
    const before = judge(guesses).alerts[0]
    const after = judge([...guesses, entry]).alerts[0]
    expect([before.severity, after.severity]).toEqual(['high', 'critical'])
    expect(after.evidence.map((e) => e.code)).toContain('D8.success')
    expect(after.flows[0].id).toBe(entry.id)
    const picture = after.pictures[0]
    expect(picture.picture === 'sessions' && picture.sessions.filter((s) => s.odd)).toHaveLength(1)
  })

  it('packets known to be missing explain why guesses differ; without that they do not count as alike', () => {
    // As if one packet in twenty had not come.
    const thinned = range(30).map((i) =>
      session({ ...ends, at: i * 4 }, 1900 - (i % 4 === 0 ? 800 : 0), 2400 - (i % 5 === 0 ? 1000 : 0), 3),
    )
    const judgedAt = (ackGaps: number): AlertEvent[] => {
      const events: AlertEvent[] = []
      const it = analyst((event) => events.push(event))
      it.onSeen({ ...NOTHING_SEEN, atUs: -1 })
      it.onSeen({ ...NOTHING_SEEN, atUs: 1, packets: 800, acks: 400, ackGaps })
      for (const row of thinned) it.onFlow(row)
      it.finish(200e6)
      return events.filter(({ event }) => event === 'close')
    }
    expect(judgedAt(0)).toEqual([])
    const [alert] = judgedAt(20)
    expect(alert.evidence.map(({ code }) => code)).toContain('D8.nearly_flat')
    expect(alert.likelihood).toBeGreaterThanOrEqual(0.5)
  })

  it('three servers make it spraying, in one episode', () => {
    const servers = ['10.0.0.9', '10.0.0.10', '10.0.0.11']
    const { alerts } = judge(range(45).map((i) => guess(i, { server: servers[i % 3] })))
    expect(alerts).toHaveLength(1)
    expect(alerts[0].victims.count).toBe(3)
    expect(alerts[0].evidence.map((e) => e.code)).toContain('D8.targets')
    expect(alerts[0].attack.map((t) => t.id)).toEqual(['T1110.001', 'T1110.003'])
  })
})
