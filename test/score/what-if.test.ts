/**
 * "What would change this" against the scorer itself: by flows, so that nothing of the search is trusted, and at every verdict of the captures
 * in pcaps/.
 */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, vi } from 'vitest'
import { NetworkSet } from '../../src/base/address.ts'
import { loadConfig } from '../../src/config.ts'
import { NOTHING_COUNTED } from '../../src/context/capture-history.ts'
import type { LinkSighting } from '../../src/decode/link-sighting.ts'
import type { Flow } from '../../src/flow/flow.ts'
import type { Interim } from '../../src/flow/interim.ts'
import { tableLimits } from '../../src/flow/limits.ts'
import { Meter } from '../../src/flow/meter.ts'
import { judge as judgeBatch, judgeInterim, watchLimits } from '../../src/judge.ts'
import { SILENT } from '../../src/progress.ts'
import { newReading, readCaptures } from '../../src/reading.ts'
import { Analyst } from '../../src/score/analyst.ts'
import { DETECTORS, type DetectorSection } from '../../src/score/detectors/table.ts'
import type { AlertEvent, Change } from '../../src/score/evidence.ts'
import { explainFlow } from '../../src/score/what-if/explain-flow.ts'
import { measuresOf } from '../../src/score/what-if/table.ts'
import { openAnalyst } from '../../src/sensor.ts'
import { announcement, carried, judgeLink, mac, reply, request } from './arp-messages.ts'
import { judge, range, refused, session, unanswered } from './flows.ts'

vi.setConfig({ testTimeout: 120_000 })

const actor = '10.0.0.14'
const server = '10.0.0.20'
const office = range(6).map((h) => session({ client: `10.0.1.${h + 1}`, server: `203.0.${h}.9`, port: 443, at: h }))

function alertOf(flows: readonly Flow[], kind: string): AlertEvent | undefined {
  return judge([...office, ...flows]).alerts.find((alert) => alert.kind === kind)
}

function changeOf(alert: AlertEvent | undefined, what: string): Change {
  const change = alert?.counterfactual?.changes.find((one) => one.what === what)
  if (change === undefined) throw new Error(`no change of '${what}' in ${JSON.stringify(alert?.counterfactual)}`)
  return change
}

interface Case {
  kind: string
  what: string
  /** Traffic in which this much is measured. */
  traffic: (value: number) => Flow[]
  start: number
}

const CASES: readonly Case[] = [
  {
    kind: 'scan.vertical',
    what: 'ports that failed',
    traffic: (n) => range(n).map((i) => refused({ client: actor, server, port: 1 + i * 3, at: 10 + i / 10 })),
    start: 60,
  },
  {
    kind: 'scan.horizontal',
    what: 'servers that failed',
    traffic: (n) => range(n).map((i) => unanswered({ client: actor, server: `10.0.9.${i + 1}`, port: 445, at: 10 + i / 10 })),
    start: 90,
  },
  {
    kind: 'brute.login',
    what: 'sessions of nearly the same size',
    traffic: (n) => range(n).map((i) => session({ client: actor, server, port: 22, at: 20 + i * 3 }, 1900 + (i % 3), 2400, 2)),
    start: 40,
  },
  {
    kind: 'exfil.volume',
    what: 'payload sent within an hour',
    traffic: (bytes) => [session({ client: actor, server: '198.51.100.77', port: 8801, at: 900 }, Math.round(bytes), 200, 100)],
    start: 4e8,
  },
]

describe('what would change an alert, tried with other traffic', () => {
  it.each(CASES)(
    '$kind: with the stated $what there is no alert, with half the change there still is',
    ({ kind, what, traffic, start }) => {
      const change = changeOf(alertOf(traffic(start), kind), what)
      // A spread over hosts is measured anew when it has grown by one in eight.
      expect(change.from.v).toBeGreaterThan(start * 0.88)
      expect(alertOf(traffic(change.to.v), kind)).toBeUndefined()
      const half = alertOf(traffic(change.half.v), kind)
      expect(half?.likelihood).toBeGreaterThanOrEqual(0.5)
      // The smallest one: a tenth of the way back and it is there again.
      const nearer = Math.ceil(change.to.v + 0.1 * (change.from.v - change.to.v))
      expect(alertOf(traffic(nearer), kind)).toBeDefined()
    },
  )

  it('two observations are told, the one that moves it most first, and each moves it', () => {
    const alert = alertOf(CASES[0].traffic(60), 'scan.vertical')
    const observations = alert?.counterfactual?.observations ?? []
    expect(observations).toHaveLength(2)
    const moves = observations.map((one) => Math.abs(one.likelihood - (alert?.likelihood ?? 0)))
    expect(moves[0]).toBeGreaterThanOrEqual(moves[1])
    expect(moves[1]).toBeGreaterThan(0.05)
    expect(alert?.wouldChange).toHaveLength(2)
  })
})

const gateway = '10.0.0.1'
const evil = mac('10.0.0.66')
/** So that answers are known to be seen. */
const life = [request('10.0.0.3', gateway, 0), reply(gateway, '10.0.0.3', 0.001)]
const search = (count: number, answering: number): LinkSighting[] =>
  range(count).flatMap((i) => {
    const target = `10.0.1.${i}`
    return [request(actor, target, i / 10), ...(i < answering ? [reply(target, actor, i / 10 + 0.01)] : [])]
  })
/** The victim knows its gateway, the attacker asks for it as everybody. */
const known = [
  request(actor, gateway, 0),
  reply(gateway, actor, 0.001),
  request('10.0.0.66', gateway, 1),
  reply(gateway, '10.0.0.66', 1.001),
]
const told = (count: number): LinkSighting[] => range(count).map((i) => reply(gateway, actor, 10 + i * 2, evil))
const handedOn = (card: string, count: number, from: number): LinkSighting[] =>
  range(count).map((i) => carried(card, mac(actor), `203.0.113.${i % 4}`, actor, from + i))

interface ArpCase extends Omit<Case, 'traffic'> {
  traffic: (value: number) => LinkSighting[]
}

const ARP_CASES: readonly ArpCase[] = [
  {
    kind: 'sweep.arp',
    what: 'addresses asked for',
    traffic: (n) => [...life, ...search(n, Math.round(n / 40))],
    start: 200,
  },
  { kind: 'sweep.arp', what: 'of the addresses that answered', traffic: (n) => [...life, ...search(200, n)], start: 5 },
  {
    kind: 'mitm.arp',
    what: 'unasked replies for the address that it claims most',
    traffic: (n) => [...known, ...told(n), carried(mac(gateway), mac('10.0.0.3'), '203.0.113.1', '10.0.0.3', 11)],
    start: 9,
  },
  {
    kind: 'mitm.arp',
    what: 'times that it talked over another card',
    traffic: (n) => [
      ...known,
      ...range(n).flatMap((i) => [
        announcement(gateway, 10 + i * 5, evil),
        request(actor, gateway, 12 + i * 5),
        reply(gateway, actor, 12.001 + i * 5),
      ]),
    ],
    start: 8,
  },
  {
    kind: 'mitm.arp',
    what: 'packets diverted over it, of those looked at',
    traffic: (n) => [...handedOn(mac(gateway), 4, 0), ...told(1), ...handedOn(evil, n, 12)],
    start: 6,
  },
]

describe('what would change an alert about ARP, tried with other messages', () => {
  const alertAmong = (messages: readonly LinkSighting[], kind: string): AlertEvent | undefined =>
    judgeLink(messages).find((alert) => alert.kind === kind)

  it.each(ARP_CASES)(
    '$kind: with the stated $what there is no alert, with half the change there still is',
    ({ kind, what, traffic, start }) => {
      const change = changeOf(alertAmong(traffic(start), kind), what)
      expect(change.from.v).toBe(start)
      expect(alertAmong(traffic(change.to.v), kind)).toBeUndefined()
      const half = alertAmong(traffic(change.half.v), kind)
      expect(half?.likelihood).toBeGreaterThanOrEqual(0.5)
      // The smallest one: a step back and it is there again.
      const nearer = change.to.v < change.from.v ? change.to.v + 1 : change.to.v - 1
      expect(alertAmong(traffic(nearer), kind)).toBeDefined()
    },
  )
})

const root = join(import.meta.dirname, '../..')
const captures = readdirSync(join(root, 'pcaps')).filter((name) => /\.pcap(\.gz)?$/.test(name))

async function alertsOf(file: string): Promise<AlertEvent[]> {
  const config = loadConfig({})
  const events: AlertEvent[] = []
  const reading = newReading()
  const run: { analyst: Analyst | null } = { analyst: null }
  const analystOf = (baseSec: number): Analyst => {
    run.analyst ??= openAnalyst(
      config,
      baseSec,
      () => ({ ...NOTHING_COUNTED, bothHalves: null, inputDamage: null, source: 'file' }),
      (event) => events.push(event),
    )
    return run.analyst
  }
  // What is told of open flows, and of ARP, too.
  const interim = { limits: watchLimits(config), onInterim: (told: Interim) => judgeInterim(told, analystOf(told.baseSec)) }
  const meter = new Meter(tableLimits(config.flow), (batch) => judgeBatch(batch, analystOf(batch.baseSec)), interim)
  await readCaptures(reading, {
    inputs: [join(root, 'pcaps', file)],
    progress: SILENT,
    signal: new AbortController().signal,
    isReordered: true,
    take: (slab) => {
      meter.meterSlab(slab)
      return Promise.resolve(true)
    },
    state: () => ({ packets: 0, packetTimeSec: null }),
  })
  meter.finish()
  run.analyst?.finish(meter.table.nowUs)
  return events
}

describe('every alert of the captures', () => {
  it.each(captures)('%s: says a change, and what it says is under the threshold, half of it over', async (file) => {
    const found = await alertsOf(file)
    if (file.includes('arp')) expect(found.length).toBeGreaterThan(0)
    for (const { kind, counterfactual, likelihood } of found) {
      expect(counterfactual, kind).toBeDefined()
      const { threshold, changes, observations } = counterfactual ?? { threshold: 0, changes: [], observations: [] }
      expect(likelihood).toBeGreaterThanOrEqual(threshold)
      expect(changes.length, kind).toBeGreaterThan(0)
      // A roll-up of the day's probes has one piece of evidence, and nothing harmless to hold against it.
      expect(observations.length, kind).toBeGreaterThanOrEqual(kind === 'scan.background' ? 1 : 2)
      for (const change of changes) {
        expect(change.likelihood ?? 0, `${kind}: ${change.what}`).toBeLessThan(threshold)
        expect(change.likelihoodAtHalf, `${kind}: ${change.what}`).toBeGreaterThanOrEqual(threshold)
        expect(Math.abs(change.half.v - change.from.v)).toBeLessThan(Math.abs(change.to.v - change.from.v))
      }
    }
  })
})

describe('measures', () => {
  it('what is changed is read back as it was set, and the looked-at flow is left as it was', () => {
    const score = loadConfig({})
    let tried = 0
    const it = new Analyst({
      score,
      baseSec: 1_780_000_000,
      internal: new NetworkSet(['10.0.0.0/8']),
      visibility: () => ({ ...NOTHING_COUNTED, bothHalves: null, inputDamage: null, source: 'file' }),
      featureVector: () => ({}),
      timeline: () => [],
      communityId: () => '1:x',
      emit: () => undefined,
      sensor: { name: 'test', version: '0', configDigest: '0' },
      featureSet: 'test',
      onLook: (look) => {
        for (const section of Object.keys(DETECTORS) as DetectorSection[]) {
          for (const measure of measuresOf(section)) {
            const now = measure.read(look, score[section])
            // How gaps keep to a clock follows from where the middle one lies, too.
            if (now === null || now < 4 || measure.change === null || /clock|difference/.test(measure.what)) continue
            const value = measure.side === 'at least' ? Math.floor(now / 2) : now * 2
            const changed = measure.change(look, value, score[section])
            expect(Math.abs((measure.read(changed, score[section]) ?? 0) - value), `${section} ${measure.what}`).toBeLessThan(1.01)
            expect(measure.read(look, score[section])).toBe(now)
            tried++
          }
        }
      },
    })
    const flows = [...office, ...CASES.flatMap(({ traffic, start }) => traffic(start))].sort(
      (a, b) => a.endUs - b.endUs || a.startUs - b.startUs,
    )
    for (const flow of flows) it.onFlow(flow)
    expect(tried).toBeGreaterThan(100)
  })

  it('one flow explained: nearest first, each with its bound; a name for what it looks like', () => {
    const score = loadConfig({})
    const explained: ReturnType<typeof explainFlow>[] = []
    const it = new Analyst({
      score,
      baseSec: 1_780_000_000,
      internal: new NetworkSet(['10.0.0.0/8']),
      visibility: () => ({ ...NOTHING_COUNTED, bothHalves: null, inputDamage: null, source: 'file' }),
      featureVector: () => ({}),
      timeline: () => [],
      communityId: () => '1:x',
      emit: () => undefined,
      sensor: { name: 'test', version: '0', configDigest: '0' },
      featureSet: 'test',
      onLook: (look) => explained.push(explainFlow(look, score)),
    })
    for (const flow of range(10).map((i) => refused({ client: actor, server, port: 1 + i * 3, at: 10 + i / 10 }))) it.onFlow(flow)
    const last = explained[explained.length - 1]
    expect(last.looked[0].kind).toBe('scan.vertical')
    expect(last.looked[0].isMet).toBe(false)
    expect(last.looked[0].measures[0]).toMatchObject({
      what: 'ports that failed',
      holds: false,
      measured: { text: '10' },
      bound: { text: '15' },
    })
    expect(last.pattern.name).toBe('unclassified')
    expect([...last.looked.map((test) => test.kind), ...last.notConcerned].sort()).toEqual(
      Object.values(DETECTORS)
        .map((d) => d.kind)
        .sort(),
    )
  })
})
