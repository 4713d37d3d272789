/** What comes out does not depend on how the kernel or a file cut the packets into slabs: octet for octet the same rows. */
import { expect, test } from 'vitest'
import type { Slab } from '../../src/capture/slab.ts'
import type { OnInterim } from '../../src/flow/interim.ts'
import { Meter } from '../../src/flow/meter.ts'
import { concat, hex } from '../base/hex.ts'
import { type Random, seeded } from '../base/seeded.ts'
import { type Frame, slabsOf } from '../capture/records.ts'
import { conversation } from './conversation.ts'
import { DEFAULT_LIMITS, type MeteredRow, meterSlabs } from './run-meter.ts'

const FLAGS = ['S', 'SA', 'A', 'PA', 'PA', 'PA', 'FA', 'R', 'RA']

/** TCP, UDP, ICMP with quotes, tags, frames that are no packets; times that stand still, jump and go back. */
function traffic(random: Random, count: number): Frame[] {
  const address = (): string => random.pick(['10.0.0.1', '10.0.0.2', '192.0.2.7', 'fd00::1', 'fd00::2'])
  let timeS = 0
  return Array.from({ length: count }, () => {
    timeS += random.pick([
      0,
      0,
      0.001,
      0.3,
      1,
      6,
      random.below(50) === 0 ? 130 : 0,
      random.below(50) === 0 ? -3 : 0,
      random.below(200) === 0 ? -90 : 0,
    ])
    const client = { address: address(), port: 1 + random.below(4) }
    const isIpv6 = client.address.includes(':')
    const server = { address: isIpv6 ? 'fd00::3' : '10.0.0.3', port: 53 }
    const c = conversation({ client, server, vlans: random.below(5) === 0 ? [random.below(4)] : [] })
    const arrow = random.pick(['>', '<'] as const)
    const kind = random.below(10)
    if (kind < 5) return c.tcp(timeS, arrow, random.pick(FLAGS), random.below(2) * random.below(1400), { seq: random.below(9000) })
    if (kind < 8) return c.udp(timeS, arrow, random.below(500))
    if (kind === 8)
      return c.icmp(
        timeS,
        arrow,
        random.pick(isIpv6 ? [128, 129, 1] : [8, 0, 3, 13]),
        random.below(3),
        Uint8Array.of(0, random.below(3), 0, 0),
      )
    const arp = c.udp(timeS, '>')
    return { ...arp, bytes: arp.bytes.map((octet, i) => (i === 12 ? 8 : i === 13 ? 6 : octet)) }
  })
}

test.each([21, 22, 23, 24, 25, 26])('one record a slab, any number a slab, all in one: the same rows (seed %d)', (seed) => {
  const frames = traffic(seeded(seed), 3000)
  const random = seeded(seed + 100)
  const pieces: Frame[][] = []
  for (let at = 0; at < frames.length; ) {
    const len = 1 + random.below(random.pick([2, 40, 500]))
    pieces.push(frames.slice(at, at + len))
    at += len
  }
  const whole = meterSlabs(slabsOf(frames))
  const single = meterSlabs(slabsOf(frames, 1, 1))
  const random1 = meterSlabs(pieces.flatMap((piece) => slabsOf(piece)))
  expect(whole.rows.length).toBeGreaterThan(100)
  const octets = (rows: readonly MeteredRow[]): string[] => rows.map((row) => Buffer.from(row.raw.buffer).toString('hex'))
  expect(octets(single.rows)).toEqual(octets(whole.rows))
  expect(octets(random1.rows)).toEqual(octets(whole.rows))
  for (const other of [single, random1]) {
    expect(other.meter.counters).toEqual(whole.meter.counters)
    expect(other.meter.table.counters).toEqual(whole.meter.table.counters)
  }
})

test.each([31, 32, 33])('rows leave in the order of end, start and key, but where the clock was set back (seed %d)', (seed) => {
  const frames = traffic(seeded(seed), 5000)
  const { rows, meter } = meterSlabs(slabsOf(frames))
  const isAfter = (a: MeteredRow, b: MeteredRow): boolean => {
    if (a.endUs !== b.endUs) return a.endUs < b.endUs
    if (a.startUs !== b.startUs) return a.startUs < b.startUs
    const i = a.raw.subarray(0, 12).findIndex((word, at) => word !== b.raw[at])
    return i === -1 || a.raw[i] < b.raw[i]
  }
  const breaks = rows.slice(1).filter((row, i) => !isAfter(rows[i], row)).length
  expect(rows.length).toBeGreaterThan(500)
  expect(meter.table.counters.clockSteps).toBeGreaterThan(0)
  expect(breaks).toBeLessThanOrEqual(meter.table.counters.clockSteps)
})

test('the same digestible octets whatever the maximum of flows and the hash seed, while nothing is evicted', () => {
  const frames = traffic(seeded(41), 3000)
  const octets = (rows: readonly MeteredRow[]): string[] => rows.map((row) => Buffer.from(row.raw.buffer).toString('hex'))
  const plain = octets(meterSlabs(slabsOf(frames)).rows)
  expect(octets(meterSlabs(slabsOf(frames), { maxFlows: 1024 }).rows)).toEqual(plain)
  expect(octets(meterSlabs(slabsOf(frames), { hashSeed: 12_345 }).rows)).toEqual(plain)
})

/** What the meter sees of the link layer: which messages and packets, in which second they were handed on. */
function sightingsOf(slabs: readonly Slab[]): { handed: string[]; notJudged: number } {
  const handed: string[] = []
  const limits = { arrivalsPerSMin: 50, openRowsEveryUs: 5e6, openTogetherMin: 50 }
  const onInterim: OnInterim = (interim) => {
    if (interim.kind === 'link') handed.push(JSON.stringify(interim.sightings))
  }
  const meter = new Meter(DEFAULT_LIMITS, () => undefined, { limits, onInterim })
  for (const slab of slabs) meter.meterSlab(slab)
  meter.finish()
  return { handed, notJudged: meter.counters.arpNotJudged }
}

function withArp(frames: readonly Frame[]): Frame[] {
  const message = hex('0806 0001 0800 06 04 0001 020000000001 0a000001 000000000000 0a000002')
  return frames.map((frame, i) => (i % 5 === 0 ? { ...frame, bytes: concat(frame.bytes.subarray(0, 12), message) } : frame))
}

test('ARP messages and carriers of packets are handed on alike, and never more of a second than is said', () => {
  const frames = withArp(traffic(seeded(31), 3000))
  const whole = sightingsOf(slabsOf(frames))
  expect(whole.handed.length).toBeGreaterThan(100)
  expect(sightingsOf(slabsOf(frames, 1, 1))).toEqual(whole)
  const storm = Array.from({ length: 5000 }, (_, i) => ({ ...frames[0], sec: 1000, nsec: i }))
  const { handed, notJudged } = sightingsOf(slabsOf(storm))
  expect(handed.length).toBe(1)
  expect((JSON.parse(handed[0]) as { kind: string }[]).filter(({ kind }) => kind === 'arp').length).toBe(1024)
  expect(notJudged).toBe(5000 - 1024)
})
