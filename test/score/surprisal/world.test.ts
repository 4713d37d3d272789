/**
 * The anomaly model over days of a small office: what it learns, what it refuses to learn, what it may say, and that it can be stored.
 */
import { describe, expect, test, vi } from 'vitest'
import type { Flow } from '../../../src/flow/flow.ts'
import type { AlertEvent } from '../../../src/score/evidence.ts'
import { anomalyLr, flowLikelihood } from '../../../src/score/flow-likelihood.ts'
import { fuse } from '../../../src/score/fusion.ts'
import { defaultScoreOptions } from '../../../src/score/options.ts'
import type { Snapshot } from '../../../src/score/surprisal/snapshot.ts'
import { encodeBaseline } from '../../../src/sink/baseline-file.ts'
import { analyst, datagram, inRowOrder, range, refused, session } from '../flows.ts'
import { DAY_S, HOUR_S, hostName, office } from './world.ts'

// Tens of thousands of flows a case: seconds on a busy machine.
vi.setConfig({ testTimeout: 120_000 })

interface Seen {
  events: AlertEvent[]
  /** p of each flow, in order; by flow id. */
  ps: Map<number, number | null>
  likelihoods: Map<number, number>
  /** Sum of contributions less the score: must be nothing. */
  worstSum: number
  snapshot: Snapshot
  state: string
  counters: Readonly<Record<string, number>>
}

function watch(flows: readonly Flow[], baseline?: Snapshot): Seen {
  const seen = { events: [] as AlertEvent[], ps: new Map<number, number | null>(), likelihoods: new Map<number, number>(), worstSum: 0 }
  const it = analyst((event) => seen.events.push(event), defaultScoreOptions(), {
    ...(baseline === undefined ? {} : { baseline }),
    onFlowJudged: ({ judged, surprise, likelihood }) => {
      seen.ps.set(judged.flowId, surprise.p)
      seen.likelihoods.set(judged.flowId, likelihood)
      const sum = surprise.contributions.reduce((a, b) => a + b, 0)
      seen.worstSum = Math.max(seen.worstSum, Math.abs(sum - surprise.score))
    },
  })
  for (const flow of flows) it.onFlow(flow)
  const snapshot = it.snapshot()
  const { state } = it.baseline
  it.finish(flows.length === 0 ? 0 : flows[flows.length - 1].endUs)
  return { ...seen, snapshot, state, counters: it.counters }
}

const closed = (seen: Seen, kind: string): AlertEvent[] => seen.events.filter((e) => e.event === 'close' && e.kind === kind)

const WORLD = { seed: 7, days: 2, hosts: 12, everySec: 150 }
const usual = office(WORLD)
const quiet = watch(usual)

/** A host that at 14:00 of the second day speaks to servers and in ways that nobody here does. */
const STRANGE_AT = DAY_S + 14 * HOUR_S
const strange = range(8).map((i) =>
  session(
    { client: hostName(3), server: `198.18.${i}.${i + 1}`, port: 6000 + 111 * i, at: STRANGE_AT + i * 7 },
    9e5 * (i + 1),
    3e7 * (i + 1),
    200 + i,
  ),
)

describe('life-cycle', () => {
  const stateAfter = (hours: number): string => watch(usual.filter((f) => f.endUs < hours * HOUR_S * 1e6)).state

  test('learning for an hour, partial for a day, then ready', () => {
    expect([0.5, 2, 23, 25].map(stateAfter)).toEqual(['learning', 'partial', 'partial', 'ready'])
  })

  test('an alert line says how far it has come', () => {
    const scan = range(40).map((i) => refused({ client: hostName(1), server: '10.0.0.9', port: 1000 + i, at: 2 * HOUR_S + i }))
    const flows = inRowOrder([...usual.filter((f) => f.endUs < 2.2 * HOUR_S * 1e6), ...scan])
    const [alert] = closed(watch(flows), 'scan.vertical')
    expect(alert.baselineState).toBe('partial')
    expect(alert.baseline?.remaining?.text).toMatch(/^2[12] h/)
    expect(Number(alert.baseline?.votes.v)).toBeGreaterThan(100)
  })

  test('hours in which nothing was seen are not watched', () => {
    const late = usual
      .slice(0, 200)
      .map((f) => ({ ...f, startUs: f.startUs + 30 * DAY_S * 1e6, lastUs: f.lastUs + 30 * DAY_S * 1e6, endUs: f.endUs + 30 * DAY_S * 1e6 }))
    expect(watch([...usual.slice(0, 200), ...late]).state).not.toBe('ready')
  })
})

describe('scores', () => {
  test('the contributions are the score', () => {
    expect(quiet.worstSum).toBeLessThan(1e-9)
  })

  test('one in N is what it says: of the second day about one flow in a hundred is rarer than one in a hundred', () => {
    const second = usual.filter((f) => f.startUs > DAY_S * 1e6).map((f) => quiet.ps.get(f.id) ?? 1)
    const share = (level: number): number => second.filter((p) => p <= level).length / second.length
    expect(share(0.01)).toBeGreaterThan(0.002)
    expect(share(0.01)).toBeLessThan(0.03)
    expect(share(0.001)).toBeLessThan(0.006)
  })

  test('what nobody does here is rare, and an ordinary flow is not', () => {
    const seen = watch(inRowOrder([...usual, ...strange]))
    for (const flow of strange) expect(seen.ps.get(flow.id) ?? 1).toBeLessThan(1e-3)
    const ordinary = usual.filter((f) => f.startUs > DAY_S * 1e6).map((f) => seen.ps.get(f.id) ?? 1)
    expect(ordinary.sort((a, b) => a - b)[ordinary.length >> 1]).toBeGreaterThan(0.2)
  })

  test('the same flows give the same scores, events and baseline', () => {
    const again = watch(usual)
    expect([...again.ps.values()]).toEqual([...quiet.ps.values()])
    expect(again.events).toEqual(quiet.events)
    expect(encodeBaseline(again.snapshot, '').equals(encodeBaseline(quiet.snapshot, ''))).toBe(true)
  })

  test('what a record does not say is left out: it is not taken for nothing', () => {
    const bare = (flow: Flow): Flow => {
      const { payloadSquares: _, ...rest } = flow
      return { ...rest, packets: [null, null], payloadBytes: [null, null], ipBytes: [null, null], idleUs: null, connState: null }
    }
    const seen = watch(usual.map((f, i) => (i === usual.length - 1 ? bare(f) : f)))
    expect(seen.ps.get(usual[usual.length - 1].id) ?? 1).toBeGreaterThan(0.01)
  })
})

describe('what is learnt', () => {
  test('the flows of a scan do not move the baseline', () => {
    const scan = range(3000).map((i) =>
      refused({ client: hostName(5), server: `10.0.9.${1 + (i % 200)}`, port: 20 + (i % 60), at: DAY_S + 9 * HOUR_S + i / 5 }),
    )
    const seen = watch(inRowOrder([...usual, ...scan]))
    expect(seen.events.some((e) => e.kind.startsWith('scan.') && e.actor === hostName(5))).toBe(true)
    const votes = (s: Seen): number => s.snapshot.header.votes
    // Its first probes come before the entry test is met: a handful of votes of some thousands.
    expect(Math.abs(votes(seen) - votes(quiet)) / votes(quiet)).toBeLessThan(0.01)
    expect(seen.counters.flowsJudged - quiet.counters.flowsJudged).toBe(3000)
  })

  test('noise from outside that nobody answers is not learnt at all', () => {
    const noise = range(2000).map((i) => refused({ client: `192.0.2.${i % 250}`, server: hostName(i % 12), port: 23, at: HOUR_S + i * 20 }))
    const seen = watch(inRowOrder([...usual, ...noise]))
    // A commit may fall a moment earlier: nothing else differs.
    expect(Math.abs(seen.snapshot.header.votes - quiet.snapshot.header.votes)).toBeLessThan(1)
  })

  test('a host has one vote a minute and service, however much it does', () => {
    const burst = range(1000).map((i) =>
      datagram({ client: hostName(2), server: '10.0.0.53', port: 53, at: 100 + i * 0.01 }, { packets: [1, 1], payloadBytes: [30, 90] }),
    )
    const seen = watch(inRowOrder(burst))
    // 1 + ½ + … + 1/1000 in at most two minutes.
    expect(seen.snapshot.header.votes).toBeLessThan(16)
  })
})

describe('what the anomaly may say', () => {
  test('alone it never makes a flow likelier than 25 %, whatever p is', () => {
    for (const p of [1, 1e-2, 1e-3, 1e-9, 1e-300, Number.MIN_VALUE]) {
      expect(flowLikelihood({ claimedBy: null, actorOf: null, p, weight: 1 })).toBeLessThanOrEqual(0.25)
    }
    expect(flowLikelihood({ claimedBy: null, actorOf: null, p: 1e-2, weight: 1 })).toBeCloseTo(0.001, 4)
    expect(flowLikelihood({ claimedBy: null, actorOf: null, p: 1e-9, weight: 0 })).toBeCloseTo(0.001, 4)
    expect(flowLikelihood({ claimedBy: 0.9, actorOf: 0.9, p: null, weight: 1 })).toBe(0.9)
    expect(flowLikelihood({ claimedBy: null, actorOf: 0.9, p: null, weight: 1 })).toBe(0.45)
  })

  test('in an episode it adds at most half a power of ten, and nothing while learning', () => {
    expect([1e-3, 1e-4, 1e-6, 1e-12].map((p) => anomalyLr(p, 1))).toEqual([0, expect.closeTo(1 / 6, 9), expect.closeTo(0.5, 9), 0.5])
    expect(anomalyLr(1e-12, 0)).toBe(0)
    expect(fuse(-2, [{ id: 'E1', lr: 0.5, group: 'anomaly' }], []).likelihood).toBeLessThan(0.05)
  })

  const seen = watch(inRowOrder([...usual, ...strange]))

  test('a host that does many rare things at once is told, at 25 % at most, and who it was', () => {
    const [alert] = closed(seen, 'unusual.host')
    expect(alert.actor).toBe(hostName(3))
    expect(alert.likelihood).toBeLessThanOrEqual(0.25)
    expect(alert.evidence.some((e) => e.baseline !== undefined && e.baseline.n > 0)).toBe(true)
    expect(['info', 'low']).toContain(alert.severity)
  })

  test('no flow that only the anomaly speaks about exceeds 25 %', () => {
    const alone = [...seen.likelihoods].filter(([id]) => strange.some((f) => f.id === id)).map(([, likelihood]) => likelihood)
    expect(Math.max(...alone)).toBeLessThanOrEqual(0.25)
    expect(Math.max(...alone)).toBeGreaterThan(0.005)
  })

  test('two quiet days: no more of them than the budget', () => {
    expect(closed(quiet, 'unusual.host').length).toBeLessThanOrEqual(6)
    expect(quiet.events.filter((e) => e.likelihood >= 0.5)).toEqual([])
  })
})

describe('stored and taken up again', () => {
  test('a baseline read back judges as the one it was made from', () => {
    const taken = watch(usual)
    const day3 = office({ ...WORLD, seed: 8, days: 0.2 })
    const first = watch(day3, taken.snapshot)
    const second = watch(day3, structuredClone(taken.snapshot))
    expect(first.state).toBe('ready')
    expect([...second.ps.values()]).toEqual([...first.ps.values()])
    expect([...first.ps.values()].every((p) => p !== null)).toBe(true)
  })

  test('a short capture is judged against yesterday from its first flow on', () => {
    const short = strange.map((f) => ({
      ...f,
      startUs: f.startUs - STRANGE_AT * 1e6,
      lastUs: f.lastUs - STRANGE_AT * 1e6,
      endUs: f.endUs - STRANGE_AT * 1e6,
    }))
    expect(closed(watch(short, quiet.snapshot), 'unusual.host').map((a) => a.actor)).toEqual([hostName(3)])
    expect(closed(watch(short), 'unusual.host')).toEqual([])
  })
})

describe('drift', () => {
  const OTHER = { seed: 3, days: 10, hosts: 8, everySec: 900 }

  test('a network that becomes another one is told, as information, and the baseline follows', () => {
    const seen = watch(office({ ...OTHER, changesAtSec: 8 * DAY_S }))
    const told = seen.events.filter((e) => e.kind === 'network.changed' && e.event === 'open')
    expect(told.length).toBeGreaterThan(0)
    expect(told[0].severity).toBe('info')
    expect(told[0].likelihood).toBeLessThanOrEqual(0.1)
    expect(told[0].baselineState).toBe('drifting')
  })

  test('a network that stays as it is says nothing', () => {
    expect(watch(office(OTHER)).events.filter((e) => e.kind === 'network.changed')).toEqual([])
  })
})
