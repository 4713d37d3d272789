/**
 * Hand-overs of several queues as those of one: the same rows in the same order whatever the threads' luck, sums, watermarks, bounds.
 */
import { describe, expect, test, vi } from 'vitest'
import { tickAt } from '../src/capture/queue-source.ts'
import type { Slab } from '../src/capture/slab.ts'
import type { DestinationCounters } from '../src/flow/destination-counters.ts'
import type { Seen } from '../src/flow/health.ts'
import type { Interim } from '../src/flow/interim.ts'
import { Meter } from '../src/flow/meter.ts'
import * as Row from '../src/flow/row.ts'
import { AFTER_ALL_SEC, type LiveMessage, type QueueMessage } from '../src/live/metering.ts'
import { QueueMerge, sumOfSeen } from '../src/live/queues.ts'
import type { Frame } from './capture/records.ts'
import { slabsOf } from './capture/records.ts'
import { ipPacket, udpDatagram } from './decode/frames.ts'
import { BASE_SEC, conversation } from './flow/conversation.ts'
import { DEFAULT_LIMITS } from './flow/run-meter.ts'
import { seeded } from './seeded.ts'

// Random flows, many times over: seconds on a busy machine.
vi.setConfig({ testTimeout: 60_000 })

const WATCH = { arrivalsPerSMin: 50, openRowsEveryUs: 5e6, openTogetherMin: 20 }
const MERGE = { arrivalsPerSMin: 50, openTogetherMin: 20 }
const SECONDS = 30

type Merged = Extract<LiveMessage, { kind: 'rows' | 'interim' }>

interface Flow {
  frames: Frame[]
  /** What a router says of it: a flow of its own, which may come to another queue. */
  error?: Frame
}

const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i)

/** Connections, refused ones, datagrams that nobody answers, connections held open; a few hundred, all over the time. */
function someFlows(chance: () => number): Flow[] {
  const addressOf = (n: number): string => `10.0.${Math.floor(n / 200)}.${1 + (n % 200)}`
  return range(400).map((i) => {
    const client = { address: addressOf(Math.floor(chance() * 300)), port: 1024 + i }
    const c = conversation({ client, server: { address: addressOf(300 + Math.floor(chance() * 5)), port: 80 } })
    // Whole milliseconds: some begin, and end, at the same instant.
    const at = Math.floor(chance() * 20_000) / 1000
    const kind = chance()
    if (kind < 0.4)
      return { frames: [c.tcp(at, '>', 'S'), c.tcp(at, '<', 'SA'), c.tcp(at + 0.1, '>', 'FA', 99), c.tcp(at + 0.2, '<', 'FA')] }
    if (kind < 0.7) return { frames: [c.tcp(at, '>', 'S'), c.tcp(at + 0.001, '<', 'RA')] }
    if (kind < 0.8) return { frames: [c.udp(at, '>'), c.udp(at + 1, '>')] }
    if (kind < 0.9) {
      // At once, or when the flow's five seconds are nearly over, or over.
      const later = chance() < 0.5 ? 0.005 : 4 + chance() * 3
      const quoted = ipPacket(client.address, '10.0.1.250', udpDatagram(1024 + i, 80, 100))
      const router = conversation({ client: { address: `10.9.${i >> 8}.${i & 255}`, port: 0 }, server: client })
      const d = conversation({ client, server: { address: '10.0.1.250', port: 80 } })
      return {
        frames: [d.udp(at, '>')],
        error: router.icmp(at + later, '>', 3, 3, Buffer.concat([new Uint8Array(4), quoted.subarray(0, 28)])),
      }
    }
    return { frames: [c.tcp(at, '>', 'S'), c.tcp(at, '<', 'SA'), c.tcp(at, '>', 'A'), c.tcp(at + 9, '>', 'A', 5)] }
  })
}

const timeOf = ({ sec, nsec }: Frame): number => sec * 1e9 + nsec
const inOrder = (frames: readonly Frame[]): Frame[] => [...frames].sort((a, b) => timeOf(a) - timeOf(b))

/** Frames with a tick at the beginning of each second, as QueueSource leaves none out. */
function* slabsWithTicks(frames: readonly Frame[]): Generator<Slab> {
  for (const second of range(SECONDS)) {
    yield { ...tickAt((BASE_SEC + second) * 1e6), linkType: 1, interfaceId: 0 }
    yield* slabsOf(frames.filter(({ sec }) => sec === BASE_SEC + second))
  }
  yield { ...tickAt((BASE_SEC + SECONDS) * 1e6), linkType: 1, interfaceId: 0 }
}

/** What the thread of one queue says (live/metering.ts), as a list. */
function messagesOf(frames: readonly Frame[], queues: number): QueueMessage[] {
  const messages: QueueMessage[] = []
  let isFinishing = false
  const meter: Meter = new Meter(
    { ...DEFAULT_LIMITS, idleUdpUs: 5e6 },
    (batch) => messages.push({ kind: 'rows', baseSec: batch.baseSec, cells: batch.takeCells(), seen: meter.seenSoFar() }),
    {
      limits: { ...WATCH, queues },
      onInterim: (interim) => messages.push({ kind: 'interim', interim, seen: meter.seenSoFar() }),
      onTurn: (nowUs) =>
        messages.push({ kind: 'turn', sec: isFinishing ? AFTER_ALL_SEC : Math.floor(nowUs / 1e6), seen: meter.seenSoFar() }),
    },
  )
  for (const slab of slabsWithTicks(frames)) {
    meter.meterSlab(slab)
    messages.push({ kind: 'through' })
  }
  isFinishing = true
  meter.finish()
  return [...messages, { kind: 'through' }]
}

/** Each queue's messages in their order, the queues' among each other by chance. */
function mergeByChance(lists: readonly QueueMessage[][], chance: () => number): { told: Merged[]; notWaitedFor: number } {
  const told: Merged[] = []
  const merge = new QueueMerge(lists.length, MERGE, (message) => told.push(message))
  const at = lists.map(() => 0)
  for (;;) {
    const left = range(lists.length).filter((i) => at[i] < lists[i].length)
    if (left.length === 0) return { told, notWaitedFor: merge.notWaitedFor }
    // Some run ahead for a while: up to some hundred messages.
    const i = left[Math.floor(chance() * left.length)]
    for (let n = Math.floor(chance() * 20); n >= 0 && at[i] < lists[i].length; n--) merge.take(i, lists[i][at[i]++])
  }
}

const rowsIn = (told: readonly (Merged | QueueMessage)[]): string[] =>
  told.flatMap((one) =>
    one.kind === 'rows'
      ? range(one.cells.length / Row.ROW_CELLS).map((i) => Buffer.from(one.cells.buffer, i * Row.ROW_BYTES, Row.ROW_BYTES).toString('hex'))
      : [],
  )

describe('several queues tell what one tells', () => {
  test.each([1, 2, 3, 4, 5])('seed %i: rows of random flows in the same order, whoever is ahead', (seed) => {
    const chance = seeded(seed)
    const flows = someFlows(chance)
    const errors = flows.flatMap(({ error }) => (error === undefined ? [] : [error]))
    const alone = messagesOf(inOrder([...flows.flatMap(({ frames }) => frames), ...errors]), 1)
    const count = 2 + (seed % 3)
    const queueOf = flows.map(() => Math.floor(chance() * count))
    const lists = range(count).map((queue) =>
      messagesOf(
        inOrder([
          ...flows.filter((_, i) => queueOf[i] === queue).flatMap(({ frames }) => frames),
          ...errors.filter((_, i) => i % count === queue),
        ]),
        count,
      ),
    )
    const { told, notWaitedFor } = mergeByChance(lists, chance)
    expect(errors.length).toBeGreaterThan(20)
    expect({ rows: rowsIn(told).length, notWaitedFor }).toEqual({ rows: 400 + errors.length, notWaitedFor: 0 })
    expect(rowsIn(told)).toEqual(rowsIn(alone))
    // The same order again when the threads have other luck.
    expect(rowsIn(mergeByChance(lists, seeded(seed + 100)).told)).toEqual(rowsIn(told))
    const last = (all: readonly (Merged | QueueMessage)[]): Seen | undefined => all.findLast((one) => one.kind === 'rows')?.seen
    expect(last(told)?.packets).toBe(last(alone)?.packets)
  })

  test('connections held open, spread over queues, are told of as one client’s', () => {
    const client = (i: number) => ({ address: '10.0.0.1', port: 5000 + i })
    const flows = range(30).map((i) => {
      const c = conversation({ client: client(i), server: { address: '10.0.0.9', port: 80 } })
      return [c.tcp(0.1, '>', 'S'), c.tcp(0.1, '<', 'SA'), c.tcp(0.1, '>', 'A')]
    })
    const part = (queue: number): Frame[] => inOrder(flows.filter((_, i) => i % 2 === queue).flat())
    const openRows = (told: readonly (Merged | QueueMessage)[]): number[] =>
      told.flatMap((one) => (one.kind === 'interim' && one.interim.kind === 'open' ? [one.interim.cells.length / Row.ROW_CELLS] : []))
    const expected = openRows(messagesOf(inOrder(flows.flat()), 1))
    expect(expected.length).toBeGreaterThan(1)
    const { told } = mergeByChance([messagesOf(part(0), 2), messagesOf(part(1), 2)], seeded(7))
    expect(openRows(told)).toEqual(expected)
  })

  test('a flood from many sources is added up: every packet but those before its destination was busy', () => {
    const frames = range(200).map((i) =>
      conversation({ client: { address: '10.0.1.1', port: 1024 + i }, server: { address: '10.0.0.9', port: 53 } }).udp(
        3 + i / 250,
        '>',
        10,
      ),
    )
    const part = (queue: number): Frame[] => frames.filter((_, i) => i % 2 === queue)
    const counted = (told: readonly (Merged | QueueMessage)[]): DestinationCounters[] =>
      told.flatMap((one) => (one.kind === 'interim' && one.interim.kind === 'counters' ? one.interim.counters : []))
    const [expected] = counted(messagesOf(frames, 1))
    const lists = [messagesOf(part(0), 2), messagesOf(part(1), 2)]
    const [sum, ...others] = counted(mergeByChance(lists, seeded(3)).told)
    expect(others).toEqual([])
    expect(sum.amounts.packets).toBeGreaterThanOrEqual(expected.amounts.packets - 2)
    expect(sum.amounts.packets).toBeLessThanOrEqual(200)
    expect(sum.leader).toEqual({ source: '10.0.1.1', packets: sum.amounts.packets })
    expect(sum.amounts.bytes).toBe(10 * sum.amounts.packets)
  })
})

const SEEN = sumOfSeen([])
const seen = (packets: number): Seen => ({ ...SEEN, atUs: packets, packets })
const turn = (sec: number, packets = 0): QueueMessage => ({ kind: 'turn', sec, seen: seen(packets) })
const through: QueueMessage = { kind: 'through' }
const link = (...atUs: number[]): QueueMessage => {
  const sightings = atUs.map((us) => ({
    kind: 'carried' as const,
    atUs: us,
    fromMac: '',
    toMac: '',
    sourceAddress: '',
    destinationAddress: '',
  }))
  return { kind: 'interim', interim: { kind: 'link', baseSec: 0, sightings }, seen: SEEN }
}
const row = (endUs: number, port = 0): QueueMessage => {
  const cells = new Float64Array(Row.ROW_CELLS)
  cells[Row.END_US] = endUs
  new Uint32Array(cells.buffer)[Row.KEY_PORTS_W] = port
  return { kind: 'rows', baseSec: 0, cells, seen: SEEN }
}

function mergeOf(count: number) {
  const told: string[] = []
  const merge = new QueueMerge(count, MERGE, (message, rowsOf) => {
    if (message.kind === 'rows') {
      const ends = range(message.cells.length / Row.ROW_CELLS).map((i) => message.cells[i * Row.ROW_CELLS + Row.END_US])
      told.push(`rows ${ends.join(' ')} of ${rowsOf?.join('+')} after ${message.seen.packets}`)
    } else told.push(interimText(message.interim))
  })
  const take = (queue: number, ...messages: QueueMessage[]): void => {
    for (const one of messages) merge.take(queue, one)
  }
  return { merge, told, take }
}

function interimText(interim: Interim): string {
  return interim.kind === 'link' ? `link ${interim.sightings.map(({ atUs }) => atUs).join(' ')}` : interim.kind
}

describe('the watermark', () => {
  test('nothing is told before the slowest queue is through; then in order, with what all have seen', () => {
    const { told, take } = mergeOf(2)
    take(0, turn(1, 5), link(3, 9), row(10), row(30), through)
    expect(told).toEqual([])
    take(1, turn(1, 2), link(4), row(20))
    expect(told).toEqual([])
    take(1, through)
    expect(told).toEqual(['link 3 4 9', 'rows 10 20 30 of 2+1 after 7'])
  })

  test('a later turn says that the one before is over', () => {
    const { told, take } = mergeOf(2)
    take(0, turn(1), row(10), turn(2), row(20))
    take(1, turn(1), row(15), turn(2))
    expect(told).toEqual(['rows 10 15 of 1+1 after 0'])
  })

  test('rows at one instant stand in the order of their keys', () => {
    const keys: number[] = []
    const merge = new QueueMerge(2, MERGE, (message) => {
      if (message.kind !== 'rows') return
      const words = new Uint32Array(message.cells.buffer)
      for (const i of range(words.length / Row.ROW_WORDS)) keys.push(words[i * Row.ROW_WORDS + Row.KEY_PORTS_W])
    })
    for (const one of [turn(1), row(10, 2), row(10, 3), through]) merge.take(0, one)
    for (const one of [turn(1), row(10, 1), row(10, 4), through]) merge.take(1, one)
    expect(keys).toEqual([1, 2, 3, 4])
  })

  test('rows of evicted flows, between turns, go on at once: their meter may wait for them', () => {
    const { told, take } = mergeOf(2)
    take(0, turn(1), through)
    take(1, turn(1), through)
    take(0, row(5))
    expect(told).toEqual(['rows 5 of 1+0 after 0'])
  })

  test('the last turn waits for all, too', () => {
    const { told, take } = mergeOf(2)
    take(0, turn(AFTER_ALL_SEC), row(20), through)
    take(1, turn(AFTER_ALL_SEC), row(10))
    expect(told).toEqual([])
    take(1, through)
    expect(told).toEqual(['rows 10 20 of 1+1 after 0'])
  })

  test('a clock set back is a new epoch: nobody waits until time has caught up', () => {
    const { told, take } = mergeOf(2)
    take(0, turn(1000), through, turn(100), row(1), through)
    take(1, turn(1000), through)
    expect(told).toEqual([])
    take(1, turn(100), row(2), through)
    expect(told).toEqual(['rows 1 2 of 1+1 after 0'])
    take(0, turn(101), row(3), through)
    take(1, turn(101), through)
    expect(told.at(-1)).toBe('rows 3 of 1+0 after 0')
  })
})

describe('bounds', () => {
  test('a queue that stays behind is waited for thirty seconds of the others, and counted', () => {
    const { merge, told, take } = mergeOf(2)
    take(1, turn(1), through)
    for (let sec = 1; sec <= 31; sec++) take(0, turn(sec), row(sec), through)
    expect({ told: told.length, notWaitedFor: merge.notWaitedFor }).toEqual({ told: 1, notWaitedFor: 0 })
    for (let sec = 32; sec <= 1031; sec++) take(0, turn(sec), row(sec), through)
    expect({ told: told.length, notWaitedFor: merge.notWaitedFor }).toEqual({ told: 1001, notWaitedFor: 1000 })
    // What it brings when it comes back is not lost, and all goes on in order.
    take(1, turn(2), row(1.5), through, turn(1031), through)
    expect(told.at(-1)).toBe('rows 1031 of 1+0 after 0')
    expect(told).toContain('rows 1.5 of 0+1 after 0')
    take(0, turn(1032), through)
    expect(merge.notWaitedFor).toBe(1000)
  })

  test('one that missed a clock set back is taken along', () => {
    const { merge, told, take } = mergeOf(2)
    take(0, turn(100), through, turn(50), through)
    take(1, turn(70), through)
    for (let sec = 51; sec <= 90; sec++) take(0, turn(sec), row(sec), through)
    expect(merge.notWaitedFor).toBeGreaterThan(0)
    const late = merge.notWaitedFor
    for (let sec = 71; sec <= 90; sec++) take(1, turn(sec), through)
    expect(told.length).toBe(40)
    take(0, turn(91), row(91), through)
    take(1, turn(91), through)
    expect({ last: told.at(-1), notWaitedFor: merge.notWaitedFor }).toEqual({ last: 'rows 91 of 1+0 after 0', notWaitedFor: late })
  })

  test('no message holds more rows than a batch', () => {
    const { told, take } = mergeOf(2)
    for (const queue of [0, 1]) take(queue, turn(1), ...range(400).map((i) => row(i)), through)
    expect(told.map((line) => line.replace(/rows .* of/, 'rows of'))).toEqual(['rows of 256+256 after 0', 'rows of 144+144 after 0'])
  })
})
