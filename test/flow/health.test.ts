/**
 * What was not seen: gaps that acknowledgements tell of, second copies, super-packets, checksums; and what must not be taken for one.
 */
import { describe, expect, test } from 'vitest'
import { LOSS, LOSS_LEN, type Slab } from '../../src/capture/slab.ts'
import { loadConfig } from '../../src/config.ts'
import { DROP_REASONS } from '../../src/decode/drop-reason.ts'
import { HEALTH_DEFAULTS, type HealthOptions, type Seen } from '../../src/flow/health.ts'
import { Meter } from '../../src/flow/meter.ts'
import { watchLimits } from '../../src/judge.ts'
import { type Frame, slabsOf } from '../capture/records.ts'
import { cleanFrames, doubled } from '../doctor/faulty-captures.ts'
import { conversation } from './conversation.ts'
import { DEFAULT_LIMITS } from './run-meter.ts'

function meterOf(frames: readonly Frame[], options: Partial<HealthOptions> = {}, framesPerSlab = 100): Meter {
  const meter = new Meter(DEFAULT_LIMITS, () => undefined, null, { ...HEALTH_DEFAULTS, ...options })
  for (const slab of slabsOf(frames, 1, framesPerSlab)) meter.meterSlab(slab)
  meter.finish()
  return meter
}

const seenOf = (frames: readonly Frame[], options: Partial<HealthOptions> = {}): Seen => meterOf(frames, options).seenSoFar()

/** `segments` of 1000 octets from the server, each acknowledged; `lost` frames are taken out. */
function download(segments: number, lost: (index: number) => boolean): Frame[] {
  const c = conversation()
  const frames = [c.tcp(0, '>', 'S'), c.tcp(0.01, '<', 'SA'), c.tcp(0.02, '>', 'A')]
  for (let i = 0; i < segments; i++) {
    const data = c.tcp(0.1 + i * 0.01, '<', 'A', 1000)
    const ack = c.tcp(0.105 + i * 0.01, '>', 'A')
    frames.push(...(lost(i) ? [ack] : [data, ack]))
  }
  return frames
}

describe('acknowledgements of data that was never seen', () => {
  test('each lost segment is a gap, no other', () => {
    expect(seenOf(download(50, () => false))).toMatchObject({ acks: 50, ackGaps: 0 })
    expect(seenOf(download(50, (i) => i === 7 || i === 30 || i === 49))).toMatchObject({ acks: 50, ackGaps: 3 })
  })

  test('a hole that later data has passed over counts once it is acknowledged', () => {
    const c = conversation()
    const start = [c.tcp(0, '>', 'S'), c.tcp(0.01, '<', 'SA'), c.tcp(0.02, '>', 'A')]
    const [a, b, d] = [c.tcp(0.1, '<', 'A', 1000), c.tcp(0.11, '<', 'A', 1000), c.tcp(0.12, '<', 'A', 1000)]
    const ack = c.tcp(0.2, '>', 'A')
    expect(seenOf([...start, a, d, ack])).toMatchObject({ acks: 1, ackGaps: 0 + 1 })
    // Retransmitted before the acknowledgement, or only out of order: nothing is missing.
    expect(seenOf([...start, a, d, b, ack])).toMatchObject({ acks: 1, ackGaps: 0 })
    expect(seenOf([...start, d, b, a, ack])).toMatchObject({ acks: 1, ackGaps: 0 })
  })

  test('data that comes after its acknowledgement was disorder', () => {
    const c = conversation()
    const start = [c.tcp(0, '>', 'S'), c.tcp(0.01, '<', 'SA'), c.tcp(0.02, '>', 'A')]
    const data = c.tcp(0.1, '<', 'A', 1000)
    const ack = c.tcp(0.1, '>', 'A')
    expect(seenOf([...start, ack, data])).toMatchObject({ acks: 1, ackGaps: 0 })
  })

  test('connections seen from the middle, or in one direction, tell nothing', () => {
    const frames = download(20, (i) => i % 3 === 0)
    expect(seenOf(frames.slice(3))).toMatchObject({ acks: 0, ackGaps: 0 })
    expect(seenOf(frames.filter(({ bytes }) => bytes[29] === 1))).toMatchObject({ acks: 0, ackGaps: 0 })
  })
})

/** UDP from one sender, `id` by packet number. */
function datagrams(count: number, gapS: number, id: (i: number) => number, payload: (i: number) => number): Frame[] {
  const c = conversation()
  return Array.from({ length: count }, (_, i) => {
    const frame = c.udp(i * gapS, '>', 100 + payload(i))
    const bytes = frame.bytes.slice()
    bytes[18] = id(i) >> 8
    bytes[19] = id(i)
    return { ...frame, bytes }
  })
}

describe('second copies', () => {
  test('a routed mirror: every copy that is proven goes, and the flows are as without', async () => {
    const clean = await cleanFrames()
    const once = meterOf(clean)
    const twice = meterOf(doubled(clean))
    expect(once.seenSoFar().duplicates).toBe(0)
    const { duplicates, packets } = twice.seenSoFar()
    expect(packets).toBe(doubled(clean).length)
    expect(duplicates / (packets - clean.length)).toBeGreaterThan(0.97)
    expect(twice.counters.dropped[DROP_REASONS.findIndex(({ name }) => name === 'duplicate')]).toBe(duplicates)
    expect(packets).toBe(twice.counters.decoded + twice.counters.dropped.reduce((sum, count) => sum + count, 0))
    expect(meterOf(doubled(clean), { isDeduplicated: false }).seenSoFar().duplicates).toBe(0)
  })

  test('what a sender says twice is real: without identifications, with one that never changes, or later than the window', () => {
    expect(
      seenOf(
        datagrams(
          1000,
          0.001,
          () => 0,
          () => 0,
        ),
      ).duplicates,
    ).toBe(0)
    expect(
      seenOf(
        datagrams(
          1000,
          0.001,
          () => 1,
          () => 0,
        ),
      ).duplicates,
    ).toBe(0)
    expect(
      seenOf(
        datagrams(
          1000,
          0.02,
          (i) => (i >> 1) + 1,
          () => 0,
        ),
      ).duplicates,
    ).toBe(0)
  })

  test('a flood of equal packets is not thinned out', () => {
    // The sender changed its identification before, so that equal ones prove something; but not for the third time.
    const flood = datagrams(
      5000,
      0.0001,
      (i) => (i < 10 ? i + 1 : 99),
      () => 0,
    )
    expect(seenOf(flood).duplicates).toBeLessThanOrEqual(1)
  })

  test('an equal identification and another payload length is another packet', () => {
    expect(
      seenOf(
        datagrams(
          1000,
          0.0001,
          (i) => (i >> 1) + 1,
          (i) => i & 1,
        ),
      ).duplicates,
    ).toBe(0)
    expect(
      seenOf(
        datagrams(
          1000,
          0.0001,
          (i) => (i >> 1) + 1,
          () => 0,
        ),
      ).duplicates,
    ).toBe(499)
  })

  test('after thousands of packets without one, a mirror that begins to double is still found', () => {
    const clean = datagrams(
      20_000,
      0.0001,
      (i) => (i % 65_535) + 1,
      () => 0,
    )
    const c = datagrams(
      10_000,
      0.0001,
      (i) => ((i >> 1) % 65_535) + 1,
      () => 0,
    ).map((frame) => ({ ...frame, sec: frame.sec + 100 }))
    expect(seenOf([...clean, ...c]).duplicates).toBeGreaterThan(4900)
  })
})

describe('checksums', () => {
  test('all, a sample by count, or none', async () => {
    const clean = await cleanFrames()
    const all = seenOf(clean, { checksums: 'all' })
    expect(all.checksumsLooked).toBeGreaterThan(2000)
    expect(all).toMatchObject({ checksumsBad: 0, checksumsEmpty: 0 })
    const sample = seenOf(clean)
    expect(sample.checksumsLooked).toBeGreaterThan(100)
    expect(sample.checksumsLooked).toBeLessThan(300)
    expect(seenOf(clean, { checksums: 'none' }).checksumsLooked).toBe(0)
  })
})

test('all of it is the same wherever slabs are cut', async () => {
  const frames = doubled(await cleanFrames()).filter((_, i) => i % 50 !== 3)
  const views = (cut: number): Seen[] => {
    const seen: Seen[] = []
    const meter: Meter = new Meter(DEFAULT_LIMITS, () => seen.push(meter.seenSoFar()), {
      limits: watchLimits(loadConfig({})),
      onInterim: () => seen.push(meter.seenSoFar()),
    })
    for (const slab of slabsOf(frames, 1, cut)) meter.meterSlab(slab)
    meter.finish()
    seen.push(meter.seenSoFar())
    return seen
  }
  const whole = views(frames.length)
  expect(whole.at(-1)?.ackGaps).toBeGreaterThan(0)
  expect(whole.at(-1)?.duplicates).toBeGreaterThan(0)
  for (const cut of [1, 7, 33]) expect(views(cut)).toEqual(whole)
})

test('losses are kept by interface, and summed', () => {
  const meter = new Meter(DEFAULT_LIMITS, () => undefined)
  const loss = (interfaceId: number, byKernel: number): Slab => {
    const bytes = Buffer.alloc(16 + LOSS_LEN)
    bytes.writeUInt32LE(LOSS_LEN, 8)
    bytes.writeUInt32LE(LOSS, 12)
    bytes.writeBigUInt64LE(BigInt(byKernel), 24)
    return { bytes, start: 0, end: bytes.length, linkType: 1, interfaceId }
  }
  for (const slab of [loss(0, 5), loss(1, 7), loss(0, 9)]) meter.meterSlab(slab)
  expect(meter.health.interfaces.map(({ interfaceId, lostByKernel }) => ({ interfaceId, lostByKernel }))).toEqual([
    { interfaceId: 0, lostByKernel: 9 },
    { interfaceId: 1, lostByKernel: 7 },
  ])
  expect(meter.seenSoFar().lostByKernel).toBe(16)
})
