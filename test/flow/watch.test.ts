/** What the meter tells of open flows: seconds of destinations, rows so far; exact, bounded, and the same however slabs are cut. */
import { describe, expect, test, vi } from 'vitest'
import type { Slab } from '../../src/capture/slab.ts'
import { FlowBatch } from '../../src/flow/batch.ts'
import type { DestinationCounters } from '../../src/flow/destination-counters.ts'
import type { Flow } from '../../src/flow/flow.ts'
import type { Interim } from '../../src/flow/interim.ts'
import { Meter } from '../../src/flow/meter.ts'
import { readFlow } from '../../src/flow/read-flow.ts'
import { RowView } from '../../src/flow/row-view.ts'
import type { TableLimits } from '../../src/flow/table.ts'
import { type Frame, slabsOf } from '../capture/records.ts'
import { type Conversation, conversation } from './conversation.ts'
import { collector, DEFAULT_LIMITS, type MeteredRow } from './run-meter.ts'

vi.setConfig({ testTimeout: 60_000 })

const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i)
const between = (client: string, port: number, server: string, toPort: number): Conversation =>
  conversation({ client: { address: client, port }, server: { address: server, port: toPort } })
const inOrder = (frames: Frame[]): Frame[] => frames.sort((a, b) => a.sec - b.sec || a.nsec - b.nsec)

interface Told {
  interims: Interim[]
  counters: DestinationCounters[]
  open: { atUs: number; flows: Flow[] }[]
  rows: MeteredRow[]
  meter: Meter
}

function toldOf(slabs: Iterable<Slab>, limits: Partial<TableLimits> = {}): Told {
  const rows: MeteredRow[] = []
  const interims: Interim[] = []
  const watch = { arrivalsPerSMin: 50, openRowsEveryUs: 5e6, openTogetherMin: 20 }
  const meter = new Meter({ ...DEFAULT_LIMITS, maxFlows: 1 << 15, ...limits }, collector(rows), {
    limits: watch,
    onInterim: (interim) => interims.push(interim),
  })
  for (const slab of slabs) meter.meterSlab(slab)
  meter.finish()
  const counters = interims.flatMap((one) => (one.kind === 'counters' ? one.counters : []))
  const open = interims.flatMap((one) => (one.kind === 'open' ? [{ atUs: one.atUs, flows: flowsOf(one.cells, one.baseSec) }] : []))
  return { interims, counters, open, rows, meter }
}

function flowsOf(cells: Float64Array<ArrayBuffer>, baseSec: number): Flow[] {
  const batch = FlowBatch.of(cells, baseSec)
  const row = RowView.of(batch)
  return range(batch.count).map((i) => readFlow(row.moveTo(batch, i)))
}

/** The counters of a second, the run's first being 1. */
const of = (told: Told, second: number): DestinationCounters | undefined => told.counters.find((c) => c.atUs === (second - 1) * 1e6)

describe('seconds of busy destinations', () => {
  test('connections begun, completed, refused and left half open, in the second in which they began', () => {
    const frames = range(400).flatMap((i) => {
      const d = between('fd00::1', 1024 + i, 'fd00::9', 443)
      const at = 1 + i / 100
      const begun = [d.tcp(at, '>', 'S')]
      if (i % 4 === 0) begun.push(d.tcp(at + 0.9, '<', 'SA'), d.tcp(at + 0.95, '>', 'A'))
      if (i % 4 === 1) begun.push(d.tcp(at + 0.001, '<', 'RA'))
      return begun
    })
    const told = toldOf(slabsOf(inOrder(frames)))
    // What came before the destination was busy is missing in the first second; afterwards all of it is there.
    expect(of(told, 1)?.amounts.flows).toBe(75)
    for (const second of [2, 3, 4]) {
      const { amounts, destination, port, ports } = of(told, second) ?? {}
      expect(amounts).toEqual({ packets: 100, bytes: 0, replies: 0, flows: 100, halfOpen: 50, completed: 25, refused: 25, stray: 0 })
      expect([destination, port, ports]).toEqual(['fd00::9', 443, 1])
    }
  })

  test('datagrams until they are answered, the first answers, who sent most and from where', () => {
    const loud = between('198.51.100.7', 4000, '10.0.0.9', 53)
    const frames = range(600).flatMap((i) => {
      const quiet = between(`20.0.0.${i % 200}`, 1024 + i, '10.0.0.9', 53)
      const at = 1 + i / 300
      const asked = [loud.udp(at, '>', 500), loud.udp(at, '>', 500), quiet.udp(at, '>', 40)]
      return i % 2 === 0 ? [...asked, quiet.udp(at + 0.0001, '<', 90)] : asked
    })
    const second = of(toldOf(slabsOf(inOrder(frames))), 2)
    expect(second?.amounts).toMatchObject({ packets: 900, replies: 150, bytes: 600 * 500 + 300 * 40, flows: 300 })
    expect(second?.leader.source).toBe('198.51.100.7')
    expect(second?.sourcePort.port).toBe(4000)
    expect(second?.sources.length).toBeGreaterThan(40)
    expect(second?.sources.length).toBeLessThanOrEqual(64)
    expect(new Set(second?.sources).size).toBe(second?.sources.length)
  })

  test('many ports are told from one', () => {
    const scan = range(1000).map((i) => between('10.0.0.1', 4000, '10.0.0.9', 1 + i).tcp(1 + i / 500, '>', 'S'))
    const { ports = 0 } = of(toldOf(slabsOf(scan)), 2) ?? {}
    expect(ports).toBeGreaterThan(460)
    expect(ports).toBeLessThan(540)
  })

  test('quiet destinations are not told of, and the table of busy ones has a limit and a counter', () => {
    const frames = range(600).flatMap((d) =>
      range(120).map((i) => between('10.0.0.1', 4000 + d, `10.${1 + (d >> 8)}.${d & 255}.9`, 9999).udp(1 + i / 60, '>', 40)),
    )
    const calm = range(20).flatMap((d) => range(80).map((i) => between('10.0.0.1', 4000 + d, `10.9.0.${d}`, 9999).udp(1 + i / 20, '>', 40)))
    const told = toldOf(slabsOf(inOrder(frames)))
    const { packetsNotCounted } = told.meter.table.watch?.counters ?? {}
    expect(new Set(told.counters.map((c) => c.destination)).size).toBe(512)
    expect(packetsNotCounted).toBeGreaterThan(0)
    expect(toldOf(slabsOf(inOrder(calm))).counters).toEqual([])
  })
})

describe('rows so far of slow connections', () => {
  const held = (count: number, client = '10.0.0.50'): Frame[] =>
    range(count).flatMap((i) => {
      const c = between(client, 20_000 + i, '10.0.0.9', 80)
      const at = 1 + i / 100
      return [c.tcp(at, '>', 'S'), c.tcp(at, '<', 'SA'), c.tcp(at, '>', 'A'), c.tcp(at, '>', 'PA', 200)]
    })
  const clock = (seconds: number): Frame[] => range(seconds).map((i) => between('10.0.0.77', 9, '10.0.0.2', 9).udp(i, '>', 1))

  test('told every five seconds once they are ten seconds old, in order, with the id that the finished row has', () => {
    const told = toldOf(slabsOf(inOrder([...clock(40), ...held(30)])))
    expect(told.open.map(({ atUs, flows }) => [atUs / 1e6, flows.length])).toEqual([
      [15, 30],
      [20, 30],
      [25, 30],
      [30, 30],
      [35, 30],
    ])
    const [{ flows }] = told.open
    expect(flows.map((flow) => flow.startUs)).toEqual(flows.map((flow) => flow.startUs).sort((a, b) => a - b))
    const ended = new Map(told.rows.map((row) => [row.id, row]))
    for (const flow of flows) expect(ended.get(flow.id)).toMatchObject({ startUs: flow.startUs, payloadBytes: flow.payloadBytes })
  })

  test('not told: few of one client, those that carry data, those that closed', () => {
    const few = range(4).flatMap((host) => held(15, `10.0.0.${60 + host}`))
    const busy = range(30).flatMap((i) => {
      const c = between('10.0.1.1', 20_000 + i, '10.0.0.9', 80)
      return [c.tcp(1, '>', 'S'), c.tcp(1, '<', 'SA'), c.tcp(1, '>', 'A'), c.tcp(2, '<', 'PA', 1400), c.tcp(3, '<', 'PA', 1400)]
    })
    const closed = range(30).flatMap((i) => {
      const c = between('10.0.1.2', 20_000 + i, '10.0.0.9', 80)
      return [c.tcp(1, '>', 'S'), c.tcp(1, '<', 'SA'), c.tcp(1, '>', 'A'), c.tcp(2, '>', 'FA'), c.tcp(2, '<', 'FA')]
    })
    expect(toldOf(slabsOf(inOrder([...clock(40), ...few, ...busy, ...closed]))).open).toEqual([])
  })

  test('a tick tells of a thousand at most; the next ones go on behind, and what waited is counted', () => {
    const told = toldOf(slabsOf(inOrder([...clock(40), ...held(1500)])))
    const full = told.open.filter(({ atUs }) => atUs >= 30e6)
    expect(full.every(({ flows }) => flows.length <= 512)).toBe(true)
    expect(new Set(full.flatMap(({ flows }) => flows.map((flow) => flow.id))).size).toBe(1500)
    expect(told.meter.table.watch?.counters.rowsPutOff).toBeGreaterThan(0)
  })

  test('a connection that the active timeout cut goes on being told of', () => {
    const c = range(30).map((i) => between('10.0.0.50', 20_000 + i, '10.0.0.9', 80))
    const frames = c.flatMap((one) => [
      ...[one.tcp(1, '>', 'S'), one.tcp(1, '<', 'SA'), one.tcp(1, '>', 'A')],
      ...range(20).map((n) => one.tcp(5 + 10 * n, '>', 'PA', 20)),
    ])
    const told = toldOf(slabsOf(inOrder([...clock(200), ...frames])))
    const last = told.open[told.open.length - 1]
    expect(last.atUs).toBe(195e6)
    expect(last.flows).toHaveLength(30)
    expect(last.flows.every((flow) => flow.isContinuation)).toBe(true)
  })
})

test('the same words in the same order, wherever slabs are cut and whatever the hash seed', () => {
  const flood = range(3000).map((i) => between(`20.${i % 250}.1.${i % 199}`, 1024 + i, '10.0.0.9', 80).tcp(1 + i / 500, '>', 'S'))
  const slow = range(40).flatMap((i) => {
    const c = between('10.0.0.50', 20_000 + i, '10.0.0.9', 80)
    return [c.tcp(1, '>', 'S'), c.tcp(1, '<', 'SA'), c.tcp(1, '>', 'A'), ...range(5).map((n) => c.tcp(2 + 9 * n, '>', 'PA', 9))]
  })
  // A clock set back by more than half a minute, and all of it again.
  const frames = [...inOrder([...flood, ...slow]), ...inOrder([...flood, ...slow])]
  const words = (told: Told): string => JSON.stringify(told.interims, (_, value) => (value instanceof Float64Array ? [...value] : value))
  const whole = toldOf(slabsOf(frames))
  expect(whole.meter.table.counters.clockSteps).toBe(1)
  expect(whole.counters.length).toBeGreaterThan(10)
  expect(whole.open.length).toBeGreaterThan(4)
  for (const size of [1, 33, 900]) expect(words(toldOf(slabsOf(frames, 1, size))) === words(whole), `${size} a slab`).toBe(true)
  expect(words(toldOf(slabsOf(frames), { hashSeed: 77 })) === words(whole)).toBe(true)
})
