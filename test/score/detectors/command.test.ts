import { describe, expect, it, vi } from 'vitest'
import { NetworkSet } from '../../../src/base/address.ts'
import type { Flow } from '../../../src/flow/flow.ts'
import type { AlertEvent } from '../../../src/score/evidence.ts'
import { analyst, judge, range, refused, said, session, unanswered } from '../flows.ts'

// Thousands of flows a case: seconds on a busy machine.
vi.setConfig({ testTimeout: 60_000 })

const client = '10.0.0.7'
const away = '198.51.100.66'
/** Deterministic jitter in [-1, 1). */
const wobble = (i: number): number => ((i * 7919) % 1000) / 500 - 1
const call = (i: number, over: { port?: number; server?: string; period?: number; jitter?: number } = {}): Flow => {
  const period = over.period ?? 60
  const at = 10 + i * period + wobble(i) * (over.jitter ?? 0.02) * period
  return session({ client, server: over.server ?? away, port: over.port ?? 8444, at }, 420 + (i % 3), 700, 0.4)
}
/** Others of the office, whose habits say what is unusual. */
const office = range(6).flatMap((h) =>
  range(10).map((i) =>
    session({ client: `10.0.1.${h + 1}`, server: `203.0.113.${(i % 5) + 1}`, port: 443, at: h * 7 + i * 97.3 + ((i * i * 13) % 50) }),
  ),
)

const BEACONS: readonly [string, Flow[]][] = [
  ['every minute to the second', [...office, ...range(24).map((i) => call(i))]],
  ['every ten seconds, give or take two', [...office, ...range(40).map((i) => call(i, { period: 10, jitter: 0.2 }))]],
  [
    'every eleven seconds by https, give or take a fifth',
    [...office, ...range(40).map((i) => call(i, { port: 443, period: 11, jitter: 0.2 }))],
  ],
  [
    'every fifth call missed',
    [
      ...office,
      ...range(40)
        .filter((i) => i % 5 !== 3)
        .map((i) => call(i, { period: 30 })),
    ],
  ],
  [
    'a new connection every three seconds for the same answer',
    range(40).map((i) => session({ client, server: away, port: 443, at: i * 3 + wobble(i) * 0.2 }, 420, 6000 + (i % 30), 0.2)),
  ],
  ['a host alone in its capture, unusual port', range(24).map((i) => call(i))],
]

const LOOK_ALIKES: readonly [string, Flow[]][] = [
  ['seven calls', range(7).map((i) => call(i))],
  ['update checks by https', [...office, ...range(40).map((i) => call(i, { port: 443 }))]],
  ['news by https every half minute, each time anew', [...office, ...range(40).map((i) => call(i, { port: 443, period: 30 }))]],
  [
    'checks of three inside services every ten seconds',
    [...office, ...range(120).map((i) => call(i, { server: '10.0.3.3', port: [80, 443, 22][i % 3], period: 10 / 3 }))],
  ],
  ['a package mirror polled by http', [...office, ...range(40).map((i) => call(i, { port: 80, period: 300 }))]],
  ['mail fetched every minute', [...office, ...range(60).map((i) => call(i, { port: 993 }))]],
  ['monitoring of an inside service', [...office, ...range(60).map((i) => call(i, { server: '10.0.3.3', port: 9100 }))]],
  [
    'monitoring of a neighbour where no network is known to be inside',
    range(60).map((i) =>
      session({ client: '198.51.100.7', server: '198.51.100.9', port: 9100, at: i * 5 + wobble(i) * 0.1 }, 420, 700, 0.1),
    ),
  ],
  [
    'a reader of pages, a new connection and another size every five seconds',
    range(40).map((i) => session({ client, server: away, port: 80, at: i * 5 + wobble(i) * 0.4 }, 92, 2500 + ((i * 2311) % 6000), 0.2)),
  ],
  [
    'an agent that everybody has',
    [
      ...office,
      ...range(6).flatMap((h) =>
        range(24).map((i) => session({ client: `10.0.1.${h + 1}`, server: away, port: 443, at: 5 * h + i * 60 }, 420, 700, 0.4)),
      ),
    ],
  ],
  [
    'a person who browses one site',
    range(40).map((i) => session({ client, server: away, port: 8444, at: (i * i * 37.7) % 4000 }, 400 + ((i * 613) % 3000), 9000, 2)),
  ],
  [
    'one long connection in pieces',
    range(30).map(
      (i): Flow => ({ ...session({ client, server: away, port: 8444, at: i * 120, clientPort: 50_123 }), isContinuation: i > 0 }),
    ),
  ],
]

describe('c2.beacon', () => {
  it.each(BEACONS)('finds: %s', (_name, flows) => {
    const { alerts } = judge(flows)
    expect(alerts.map((a) => `${a.kind} ${a.actor} ${a.victims.addresses.join()}`)).toEqual([`c2.beacon ${client} ${away}`])
    expect(alerts[0].actorSide).toBe('inside')
  })

  it.each(LOOK_ALIKES)('stays quiet: %s', (_name, flows) => {
    expect(said(judge(flows))).toEqual([])
  })

  it('without a second kind of evidence than timing stays capped and says why', () => {
    const quick = range(30).map((i) => call(i, { port: 443, period: 3 }))
    const [alert] = judge(quick).alerts
    expect(alert.likelihood).toBeLessThanOrEqual(0.6)
    expect(alert.notEvaluated.map((n) => n.code)).toEqual(
      expect.arrayContaining(['D9.prevalence', 'D9.first_seen', 'B3.known_pair', 'B2.common']),
    )
  })
})

const DEAD: readonly [string, Flow[]][] = [
  ['an odd port, refused every minute', range(40).map((i) => refused({ client, server: away, port: 4782, at: i * 60 + wobble(i) }))],
  ['an odd port, silent, jittered', range(120).map((i) => unanswered({ client, server: away, port: 5552, at: i * 20 + 4 * wobble(i) }, 3))],
]
const NOT_DEAD: readonly [string, Flow[]][] = [
  ['nine attempts', range(9).map((i) => refused({ client, server: away, port: 4782, at: i * 60 }))],
  [
    'a server that answers one in ten',
    range(60).map((i) => (i % 10 === 0 ? call(i) : refused({ client, server: away, port: 8444, at: 10 + i * 60 + wobble(i) * 25 }))),
  ],
  ['an inside server that is down', range(60).map((i) => unanswered({ client, server: '10.0.3.9', port: 4782, at: i * 60 }))],
  ['a burst of retries', range(200).map((i) => refused({ client, server: away, port: 4782, at: i / 100 }))],
  ['a time server that never answers', range(40).map((i) => unanswered({ client, server: away, port: 123, at: i * 64 }))],
]

describe('c2.deadpeer', () => {
  it.each(DEAD)('finds: %s', (_name, flows) => {
    expect(judge(flows).alerts.map((a) => `${a.kind} ${a.actor} ${a.victims.addresses[0]}`)).toEqual([`c2.deadpeer ${client} ${away}`])
  })

  it('an own server that the configuration forgot is an outage, as any inside server', () => {
    const events: AlertEvent[] = []
    const it = analyst((event) => events.push(event), undefined, { internal: new NetworkSet(['10.1.0.0/16']) })
    for (const row of range(120).map((i) => refused({ client, server: '10.22.22.138', port: 10_138, at: i * 20 + wobble(i) })))
      it.onFlow(row)
    it.finish(3000e6)
    expect(events.filter(({ event }) => event === 'close')).toEqual([])
  })

  it.each(NOT_DEAD)('stays quiet: %s', (_name, flows) => {
    expect(said(judge(flows)).filter((text) => text.startsWith('c2.deadpeer'))).toEqual([])
  })
})
