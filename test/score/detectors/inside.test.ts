import { describe, expect, it, vi } from 'vitest'
import type { Flow } from '../../../src/flow/flow.ts'
import { datagram, judge, range, said, session, unanswered } from '../flows.ts'

// Thousands of flows a case: seconds on a busy machine.
vi.setConfig({ testTimeout: 60_000 })

const client = '10.0.0.7'
const away = '198.51.100.66'
const office = range(6).map((h) => session({ client: `10.0.1.${h + 1}`, server: `203.0.${h}.9`, port: 443, at: h }))
const upload = (over: Partial<{ bytes: number; back: number; port: number; server: string; at: number }> = {}): Flow =>
  session({ client, server: over.server ?? away, port: over.port ?? 22, at: over.at ?? 100 }, over.bytes ?? 8e7, over.back ?? 9e5, 110)

describe('exfil.volume', () => {
  it('finds a copy to a server that nobody else uses, capped without a baseline', () => {
    const [alert] = judge([...office, upload()]).alerts
    expect(`${alert.kind} ${alert.actor} ${alert.victims.addresses[0]}`).toBe(`exfil.volume ${client} ${away}`)
    expect(alert.likelihood).toBe(0.6)
    expect(alert.notEvaluated.map((n) => n.code)).toEqual(expect.arrayContaining(['D11.history', 'B9.recurring', 'B3.known_pair']))
  })

  it('adds up the pieces of a long connection', () => {
    const pieces = range(6).map((i): Flow => ({ ...upload({ bytes: 1.2e7, at: 100 + i * 120 }), id: 77, isContinuation: i > 0 }))
    expect(said(judge([...office, ...pieces]))).toEqual([`exfil.volume ${client}→${away} (1)`])
  })

  it.each<[string, Flow[]]>([
    ['a download', [...office, upload({ bytes: 9e5, back: 8e8, port: 443 })]],
    [
      'a video call',
      [
        ...office,
        datagram(
          { client, server: away, port: 3478, at: 0 },
          { packets: [400_000, 700_000], payloadBytes: [4.3e8, 8.3e8], lastUs: 3e9, endUs: 3.1e9 },
        ),
      ],
    ],
    ['a copy inside', [...office, upload({ server: '10.0.9.9' })]],
    ['forty megabytes', [...office, upload({ bytes: 4e7 })]],
    [
      'a cloud store by https that others use',
      [...office, ...range(3).map((h) => session({ client: `10.0.1.${h + 1}`, server: away, port: 443, at: 9 })), upload({ port: 443 })],
    ],
  ])('stays quiet: %s', (_name, flows) => {
    expect(said(judge(flows))).toEqual([])
  })
})

describe('context only', () => {
  it('sessions with many hosts stay below the limit without a baseline or an incident', () => {
    const run = judge(range(30).map((i) => session({ client, server: `10.0.2.${i + 1}`, port: [22, 445, 3389][i % 3], at: i * 5 })))
    expect([said(run), run.counters.candidates]).toEqual([[], 1])
  })

  it('a connection of hours is no alert, but a candidate', () => {
    const rows = range(40).map(
      (i): Flow => ({ ...session({ client, server: away, port: 5228, at: i * 120 }, 50, 50, 119), id: 9, isContinuation: i > 0 }),
    )
    const run = judge(rows)
    expect([said(run), run.counters.candidates]).toEqual([[], 1])
  })

  it('a new service of a known server, and TLS sessions that fetch much, are no alerts, but candidates', () => {
    const known = [session({ client, server: '10.0.2.1', port: 443, at: 0 }), session({ client, server: '10.0.2.1', port: 4444, at: 4000 })]
    expect([said(judge(known)), judge(known).counters.candidates]).toEqual([[], 1])
    const much = range(8).map((i) => session({ client: away, server: '10.0.2.1', port: 443, at: i * 9 }, 600, 65_000, 3))
    expect([said(judge(much)), judge(much).counters.candidates]).toEqual([[], 1])
  })
})

describe('scan.background', () => {
  const probe = (i: number): Flow =>
    unanswered({ client: `${20 + (i >> 8)}.9.8.${i & 255}`, server: '10.0.5.5', port: [23, 445, 3389][i % 3], at: i * 7 })

  it('one line a day and prefix, for information', () => {
    const run = judge([
      ...range(400).map(probe),
      ...range(400).map((i): Flow => ({ ...probe(i), startUs: 9e10 + i * 7e6, lastUs: 9e10 + i * 7e6, endUs: 9e10 + i * 7e6 + 6e7 })),
    ])
    expect(run.alerts.map((a) => `${a.kind} ${a.actor} ${a.severity}`)).toEqual(Array(2).fill('scan.background many info'))
    expect(run.events.some((e) => e.shouldNotify)).toBe(false)
  })

  it('says nothing of a few', () => {
    expect(said(judge(range(49).map(probe)))).toEqual([])
  })
})
