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

/** A download over IPv6, where nothing has an identification; each segment is acknowledged `acks` times in the same words. */
function ipv6Download(segments: number, acks = 1): Frame[] {
  const c = conversation({ client: { address: 'fd00::5', port: 40_000 }, server: { address: '2001:db8::7', port: 443 } })
  const start = [c.tcp(0, '>', 'S'), c.tcp(0.01, '<', 'SA'), c.tcp(0.02, '>', 'A')]
  const body = Array.from({ length: segments }, (_, i) => {
    const at = 0.1 + i * 0.01
    const data = c.tcp(at, '<', 'A', 1000)
    return [data, ...Array.from({ length: acks }, (_, n) => c.tcp(at + 0.005 + n * 0.0001, '>', 'A'))]
  })
  return [...start, ...body.flat()]
}

/** A second copy of each frame that `isCopied` says, so many microseconds later. */
function mirrored(frames: readonly Frame[], laterUs: number, isCopied: (i: number) => boolean = () => true): Frame[] {
  const copies = frames.filter((_, i) => isCopied(i)).map((frame) => ({ ...frame, nsec: frame.nsec + 1000 * laterUs }))
  const whole = copies.map((frame) => (frame.nsec < 1e9 ? frame : { ...frame, sec: frame.sec + 1, nsec: frame.nsec - 1e9 }))
  return [...frames, ...whole].sort((a, b) => a.sec - b.sec || a.nsec - b.nsec)
}

describe('second copies of acknowledgements that nothing identifies', () => {
  test('go where the mirror doubles everything and they come at once', () => {
    const frames = ipv6Download(600)
    const { duplicates } = seenOf(mirrored(frames, 50))
    // Until enough is proven, some stay.
    expect(duplicates).toBeGreaterThan(frames.length * 0.93)
    expect(duplicates).toBeLessThanOrEqual(frames.length)
  })

  test('stay where a receiver says the same again, no mirror doubling, doubling a part, or one that is slower', () => {
    expect(seenOf(ipv6Download(600, 2)).duplicates).toBe(0)
    // Every tenth frame, data among them: their copies go, and no acknowledgement beside.
    const part = ipv6Download(600, 2)
    const isData = (i: number): boolean => (part[i].wireLen ?? 0) > 500
    const { duplicates } = seenOf(mirrored(part, 50, (i) => isData(i) && i % 10 === 0))
    expect(duplicates).toBeLessThanOrEqual(part.filter((_, i) => isData(i) && i % 10 === 0).length)
    const frames = ipv6Download(600)
    const slow = seenOf(mirrored(frames, 2000)).duplicates
    expect(slow).toBeLessThanOrEqual(frames.filter(({ wireLen = 0 }) => wireLen > 500).length + 3)
  })

  test('what a receiver says twice is there twice, though the mirror doubles it, too', () => {
    const frames = ipv6Download(600, 2)
    const { packets, duplicates } = seenOf(mirrored(frames, 50))
    expect(packets - duplicates).toBeGreaterThanOrEqual(frames.length)
  })
})

describe('checksums', () => {
  test('all, a sample by content, or none', async () => {
    const clean = await cleanFrames()
    const all = seenOf(clean, { checksums: 'all' })
    expect(all.checksumsLooked).toBeGreaterThan(2000)
    expect(all).toMatchObject({ checksumsBad: 0, checksumsEmpty: 0 })
    const sample = seenOf(clean)
    expect(sample.checksumsLooked).toBeGreaterThan(100)
    expect(sample.checksumsLooked).toBeLessThan(300)
    expect(seenOf(clean, { checksums: 'none' }).checksumsLooked).toBe(0)
    // The same packets are looked at when queues share them.
    const byFlow = [0, 1].map((queue) => clean.filter(({ bytes }) => ((bytes[29] ^ bytes[33]) & 1) === queue))
    const shared = byFlow.map((frames) => seenOf(frames, {}).checksumsLooked)
    expect(shared.every((looked) => looked > 0)).toBe(true)
    expect(shared[0] + shared[1]).toBe(sample.checksumsLooked)
  })

  test('ten minutes on, one in a thousand is looked at', () => {
    const lasting = datagrams(
      60_000,
      0.02,
      (i) => (i * 7919) & 0xffff,
      () => 0,
    )
    const looked = seenOf(lasting).checksumsLooked
    expect(looked / (30_000 / 16 + 30_000 / 1024)).toBeCloseTo(1, 1)
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
