/**
 * Detectors and benign explanations that compare with what a host, a server, a pair or a network is known for: each with a history
 * that makes the same traffic an alert, and one that makes it a habit.
 */
import { describe, expect, it, vi } from 'vitest'
import type { HistoriesRecord, PairHistory } from '../../../src/context/histories.ts'
import { HostHistory, type HourTally } from '../../../src/context/host-history.ts'
import { newServedTally, ServedHistory, type ServedTally } from '../../../src/context/served-history.ts'
import type { Flow } from '../../../src/flow/flow.ts'
import type { AlertEvent } from '../../../src/score/evidence.ts'
import type { Snapshot } from '../../../src/score/surprisal/snapshot.ts'
import { analyst, BASE_SEC, datagram, inRowOrder, range, refused, session, unanswered } from '../flows.ts'

// Thousands of flows a case: seconds on a busy machine.
vi.setConfig({ testTimeout: 60_000 })

const HOUR = Math.floor(BASE_SEC / 3600)
const TODAY = Math.floor(HOUR / 24)
const DAYS = 30
const client = '10.0.0.7'
const server = '10.0.0.9'
const away = '198.51.100.66'
const office = range(6).map((h) => session({ client: `10.0.1.${h + 1}`, server: `203.0.${h}.9`, port: 443, at: h }))

/** A month of hours, each alike. */
function livedAs(hour: Partial<HourTally>, address = client): HistoriesRecord['hosts'][number] {
  const history = new HostHistory(HOUR - DAYS * 24)
  const tally: HourTally = {
    address,
    hour: HOUR,
    uploadBytes: 1e6,
    dnsBytes: 1e4,
    adminServers: 0,
    services: 5,
    unusual: 0,
    ports: [],
    uploads: null,
    isSuspect: false,
    ...hour,
  }
  for (const h of range(DAYS * 24)) history.learn(tally, HOUR - DAYS * 24 + h)
  const { firstHour, lastHour, cells, ports } = history
  return { address, firstHour, lastHour, cells: [...cells], ports }
}

function servedAs(hour: Partial<ServedTally>): NonNullable<HistoriesRecord['servers']>[number] {
  const history = new ServedHistory(HOUR - DAYS * 24)
  for (const h of range(DAYS * 24)) history.learn({ ...newServedTally(server, HOUR), ...hour }, HOUR - DAYS * 24 + h)
  const { firstHour, lastHour, cells } = history
  return { address: server, firstHour, lastHour, cells: [...cells] }
}

const paired = (from: string, to: string, over: Partial<PairHistory> = {}): HistoriesRecord['pairs'][number] => ({
  key: `${from} ${to}`,
  firstDay: TODAY - 40,
  lastDay: TODAY - 1,
  days: 20,
  jobs: [],
  ...over,
})

function baselineOf(histories: Partial<HistoriesRecord>): Snapshot {
  const empty = analyst(() => undefined).snapshot()
  return { ...empty, histories: { ...empty.histories, ...histories } }
}

/** The last word on each episode of the kind, alerts and candidates. */
function judged(
  kind: string,
  flows: readonly Flow[],
  histories: Partial<HistoriesRecord> = {},
): { alerts: AlertEvent[]; below: AlertEvent[] } {
  const events: AlertEvent[] = []
  const below: AlertEvent[] = []
  const it = analyst((event) => events.push(event), undefined, { baseline: baselineOf(histories), onDropped: (event) => below.push(event) })
  const rows = inRowOrder(flows)
  for (const row of rows) it.onFlow(row)
  it.finish(rows[rows.length - 1].endUs)
  const isOfKind = (event: AlertEvent): boolean => event.kind === kind && event.event === 'close'
  return { alerts: events.filter(isOfKind), below: below.filter(isOfKind) }
}

const codes = (event: AlertEvent): string[] => [...event.evidence, ...event.benign.filter(({ lr }) => lr < 0)].map(({ code }) => code)

describe('D9 c2.beacon, B3', () => {
  const calls = range(24).map((i) => session({ client, server: away, port: 8444, at: 10 + i * 60 + (i % 3) / 10 }, 420 + (i % 3), 700, 0.4))

  it('a server that a host of a month never used counts; nothing is capped for want of a baseline', () => {
    const [alert] = judged('c2.beacon', [...office, ...calls], { hosts: [livedAs({})] }).alerts
    expect(codes(alert)).toContain('D9.first_seen')
    expect(alert.notEvaluated.map(({ code }) => code)).not.toContain('B3.known_pair')
    expect(alert.cap).toBeNull()
  })

  it('a server that it has used for six weeks is known', () => {
    const [known] = judged('c2.beacon', [...office, ...calls], { hosts: [livedAs({})], pairs: [paired(client, away)] }).alerts
    const [unknown] = judged('c2.beacon', [...office, ...calls], { hosts: [livedAs({})] }).alerts
    expect(codes(known)).toContain('B3.known_pair')
    expect(codes(known)).not.toContain('D9.first_seen')
    expect(known.likelihood).toBeLessThan(unknown.likelihood)
  })
})

describe('D8 brute.login', () => {
  const guesses = range(30).map((i) => session({ client, server, port: 22, at: i * 4 }, 1900 + (i % 3) * 40, 2400, 3))

  it('a server that the host never used adds to it', () => {
    const [alert] = judged('brute.login', guesses, { hosts: [livedAs({})] }).alerts
    expect(codes(alert)).toContain('D8.new_client')
    const [known] = judged('brute.login', guesses, { hosts: [livedAs({})], pairs: [paired(client, server)] }).alerts
    expect(codes(known)).not.toContain('D8.new_client')
  })
})

describe('D10 c2.deadpeer', () => {
  const attempts = range(40).map((i) => refused({ client, server: away, port: 4782, at: i * 60 }))

  it('a server that answered this week is one that is down', () => {
    expect(judged('c2.deadpeer', attempts, { pairs: [paired(client, away)] })).toEqual({ alerts: [], below: [] })
  })

  it('one that answered last month is not, and one that never did says so', () => {
    expect(judged('c2.deadpeer', attempts, { pairs: [paired(client, away, { lastDay: TODAY - 20 })] }).alerts).toHaveLength(1)
    const [alert] = judged('c2.deadpeer', attempts, { hosts: [livedAs({})] }).alerts
    expect(alert.notEvaluated.map(({ code }) => code)).not.toContain('D10.worked_before')
  })
})

describe('D11 exfil.volume, B9', () => {
  const upload = session({ client, server: away, port: 22, at: 100 }, 8e7, 9e5, 110)
  const job = { day: TODAY - 1, hour: HOUR % 24, bytes: 8e7 }

  it('more than the host ever sent, to a server that it never used', () => {
    const [alert] = judged('exfil.volume', [...office, upload], { hosts: [livedAs({ uploadBytes: 1e6 })] }).alerts
    expect(codes(alert)).toEqual(expect.arrayContaining(['D11.own_history', 'D11.new_server']))
    expect(alert.likelihood).toBeGreaterThan(0.6)
  })

  it('as much as it sends every hour is nothing', () => {
    expect(judged('exfil.volume', [...office, upload], { hosts: [livedAs({ uploadBytes: 6e7 })] })).toEqual({ alerts: [], below: [] })
  })

  it('what came at this hour on three days is a job', () => {
    const jobs = range(3).map((i) => ({ ...job, day: TODAY - 1 - i }))
    const known = { hosts: [livedAs({ uploadBytes: 1e6 })], pairs: [paired(client, away, { jobs })] }
    const { alerts, below } = judged('exfil.volume', [...office, upload], known)
    expect(alerts).toEqual([])
    expect(codes(below[0])).toEqual(expect.arrayContaining(['B9.recurring', 'B3.known_pair']))
  })

  it('what was fetched from file servers before counts, and other fetching does not', () => {
    const fetched = (port: number, bytes: number): Flow[] =>
      range(4).map((i) => session({ client, server: `10.0.9.${i + 1}`, port, at: i * 5 }, 2000, bytes, 4))
    const before = { hosts: [livedAs({})] }
    const stagedCodes = (port: number, bytes: number): string[] =>
      codes(judged('exfil.volume', [...office, ...fetched(port, bytes), upload], before).alerts[0])
    expect(stagedCodes(445, 3e7)).toContain('D11.staged')
    expect(stagedCodes(445, 1e7)).not.toContain('D11.staged')
    expect(stagedCodes(443, 3e7)).not.toContain('D11.staged')
  })
})

describe('D12 dns.tunnel', () => {
  const look = (i: number, bytes: number): Flow =>
    datagram(
      { client, server: '203.0.113.53', port: 53, at: i / 20 },
      { packets: [1, 1], payloadBytes: [bytes, 250], payloadSquares: [bytes ** 2, 250 ** 2] },
    )
  const lookUps = range(4000).map((i) => look(i, 95 + (i % 9)))

  it('ten times its own volume adds to it; as much as every hour does not', () => {
    const quiet = judged('dns.tunnel', lookUps, { hosts: [livedAs({ dnsBytes: 1e4 })] })
    expect(codes([...quiet.alerts, ...quiet.below][0])).toContain('D12.own_history')
    const busy = judged('dns.tunnel', lookUps, { hosts: [livedAs({ dnsBytes: 1e6 })] })
    expect(codes([...busy.alerts, ...busy.below][0])).not.toContain('D12.own_history')
  })

  it('by its volume alone, where the questions are small, it stays below the limit', () => {
    const small = range(6000).map((i) => look(i, 40))
    const { alerts, below } = judged('dns.tunnel', small, { hosts: [livedAs({ dnsBytes: 1e4 })] })
    expect(alerts).toEqual([])
    expect(codes(below[0])).toContain('D12.own_history')
  })
})

describe('D15 lateral.fanout', () => {
  const sessions = range(8).map((i) => session({ client, server: `10.0.2.${i + 1}`, port: [22, 445, 3389][i % 3], at: i * 5 }))

  it('beyond its habit it is told', () => {
    const [alert] = judged('lateral.fanout', sessions, { hosts: [livedAs({ adminServers: 0 })] }).alerts
    expect(codes(alert)).toEqual(expect.arrayContaining(['D15.beyond_habit', 'D15.services']))
  })

  it('a host that does as much every hour is not', () => {
    expect(judged('lateral.fanout', sessions, { hosts: [livedAs({ adminServers: 12 })] })).toEqual({ alerts: [], below: [] })
  })

  it('to servers that it knows it is not either', () => {
    const pairs = range(8).map((i) => paired(client, `10.0.2.${i + 1}`))
    expect(judged('lateral.fanout', sessions, { hosts: [livedAs({ adminServers: 0 })], pairs })).toEqual({ alerts: [], below: [] })
  })
})

describe('D5, D6: ten times what a server usually gets', () => {
  const halfOpen = (perSecond: number): Flow[] =>
    range(perSecond * 5).map((i) => unanswered({ client: '10.0.0.7', server, port: 80, at: i / perSecond }))
  const readings = (perSecond: number): Flow[] => [
    datagram(
      { client: '10.0.0.7', server, port: 4433, at: 0 },
      {
        lastUs: 10e6,
        endUs: 70e6,
        packets: [perSecond * 10, 0],
        payloadBytes: [perSecond * 640, 0],
        payloadSquares: [perSecond * 640 * 64, 0],
      },
    ),
  ]
  const requests = range(4500).map((i) => session({ client: '10.0.0.7', server, port: 80, at: i / 150 }, 240, 900, 0.05))
  const kinds = { syn: 'flood.syn', udp: 'flood.udp', http: 'flood.http' } as const

  it.each<[string, keyof typeof kinds, Flow[], Partial<ServedTally>]>([
    ['half-open connections, three hundred a second', 'syn', halfOpen(300), { halfOpen: 20 }],
    ['datagrams, six thousand a second', 'udp', readings(6000), { packets: 300 }],
    ['readings of one size, a thousand a second', 'udp', readings(1000), { packets: 30 }],
    ['requests of an inside program, a hundred and fifty a second', 'http', requests, { completed: 3 }],
  ])('finds: %s', (_name, kind, flows, usual) => {
    const [alert] = judged(kinds[kind], flows, { servers: [servedAs(usual)] }).alerts
    expect(alert.evidence.map(({ code }) => code).some((code) => code.endsWith('.usual_rate'))).toBe(true)
    expect(alert.notEvaluated.some(({ code }) => code.endsWith('.usual_rate'))).toBe(false)
  })

  it.each<[string, keyof typeof kinds, Flow[], Partial<ServedTally>]>([
    ['a server of which as many are left half open on other days', 'syn', halfOpen(300), { halfOpen: 60 }],
    ['a collector that gets a third of it every hour', 'udp', readings(6000), { packets: 2000 }],
    ['a collector of readings', 'udp', readings(1000), { packets: 300 }],
    ['a service whose clients open a connection for each request', 'http', requests, { completed: 60 }],
  ])('stays quiet: %s', (_name, kind, flows, usual) => {
    expect(judged(kinds[kind], flows, { servers: [servedAs(usual)] }).alerts).toEqual([])
  })

  it('a day of a server is learnt from what it gets, but for the hour of a flood', () => {
    const it = analyst(() => undefined)
    const hour = (h: number): Flow[] =>
      range(60).map((i) => session({ client: `10.0.3.${i + 1}`, server, port: 80, at: h * 3600 + 60 + i / 20 }))
    const flood = halfOpen(600).map((f): Flow => ({ ...f, startUs: f.startUs + 6e8, lastUs: f.lastUs + 6e8, endUs: f.endUs + 6e8 }))
    for (const row of inRowOrder([...range(30).flatMap(hour), ...flood])) it.onFlow(row)
    it.finish(31 * 3600e6)
    const [known] = (it.snapshot().histories.servers ?? []).filter(({ address }) => address === server)
    const history = new ServedHistory(known.firstHour, Float32Array.from(known.cells), known.lastHour)
    expect(history.isUsable).toBe(true)
    expect(history.quantile('completed', 0.99)).toBeGreaterThan(15)
    expect(history.quantile('completed', 0.99)).toBeLessThan(40)
    expect(history.quantile('halfOpen', 0.99)).toBe(0)
  })
})

describe('D3 scan.background', () => {
  const probes = range(400).map((i) => unanswered({ client: `${20 + (i >> 8)}.9.8.${i & 255}`, server: '10.0.5.5', port: 23, at: i * 7 }))
  const noise = (sources: number): Partial<HistoriesRecord> => ({
    noise: [{ prefix: '10.0.5.0/24', days: range(5).map((i) => ({ day: TODAY - 5 + i, sources: sources + i })) }],
  })

  it('three times as many sources as on other days are low, and not only information', () => {
    const [alert] = judged('scan.background', probes, noise(60)).alerts
    expect([alert.severity, codes(alert).includes('D3.more_than_usual')]).toEqual(['low', true])
  })

  it('as many as on other days are information, and so is the first day', () => {
    expect(judged('scan.background', probes, noise(300)).alerts.map(({ severity }) => severity)).toEqual(['info'])
    const [first] = judged('scan.background', probes).alerts
    expect([first.severity, first.notEvaluated.map(({ code }) => code)]).toEqual(['info', expect.arrayContaining(['D3.median'])])
  })

  it('a day is remembered with its sources', () => {
    const it = analyst(() => undefined)
    for (const row of inRowOrder(probes)) it.onFlow(row)
    expect(it.snapshot().histories.noise).toEqual([{ prefix: '10.0.5.0/24', days: [{ day: TODAY, sources: 400 }] }])
  })
})
