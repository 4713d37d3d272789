/**
 * Damage from a seed: bits flipped, octets cut, records spliced, lengths set to extremes; in frames, and in whole capture files.
 *
 *   FLOWSCRIBE_FUZZ_SEED=7 FLOWSCRIBE_FUZZ_PACKETS=20000000 npm test -- test/flow/fuzz.test.ts
 *
 * Nothing may throw; seen = decoded + the sum of all reasons; every feature is a finite number or null.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { RunError } from '../../src/base/errors.ts'
import { openCapture } from '../../src/capture/open.ts'
import { MARKER_MIN, type Slab } from '../../src/capture/slab.ts'
import { cicLine } from '../../src/features/cic.ts'
import { FEATURES } from '../../src/features/features.ts'
import type { FlowBatch } from '../../src/flow/batch.ts'
import { Meter } from '../../src/flow/meter.ts'
import { readFlow } from '../../src/flow/read-flow.ts'
import { RowView } from '../../src/flow/row-view.ts'
import { concat } from '../base/hex.ts'
import { fromEnvironment, type Random, seeded } from '../base/seeded.ts'
import { temporaryFile } from '../capture/read-capture.ts'
import { type Frame, recordsOf, slabRecord, slabsOf } from '../capture/records.ts'
import { listFiles, PROJECT_CAPTURES, SHARED_DATA } from '../features/shared-data.ts'
import { conversation } from './conversation.ts'
import { DEFAULT_LIMITS } from './run-meter.ts'

const SEED = fromEnvironment('FLOWSCRIBE_FUZZ_SEED', 1)
const PACKETS = fromEnvironment('FLOWSCRIBE_FUZZ_PACKETS', 220_000)
const FILES = fromEnvironment('FLOWSCRIBE_FUZZ_FILES', 400)

/** Frames of a few kinds of our own, so that there is something to damage where no capture is. */
function ownFrames(): { frames: Frame[]; linkType: number }[] {
  const four = conversation({ vlans: [5] })
  const six = conversation({ client: { address: 'fd00::1', port: 1 }, server: { address: 'fd00::2', port: 2 } })
  const quote = Uint8Array.of(0, 0, 0, 0, ...four.udp(0, '>').bytes.subarray(18))
  const frames = [four, six].flatMap((c) => [
    c.tcp(0, '>', 'S', 0, { optionsLen: 20 }),
    c.tcp(0, '<', 'SA'),
    c.tcp(0.1, '>', 'PA', 100),
    c.udp(1, '>', 300),
    c.icmp(2, '<', 3, 3, quote),
    c.icmp(2, '<', 1, 4, quote),
  ])
  return [1, 0, 101, 113, 276].map((linkType) => ({ frames, linkType }))
}

const SHARED_FOLDERS = ['format', 'parity', 'attack', 'benign/proto', 'benign/app'].map((folder) => join(SHARED_DATA ?? '', folder))
const SOURCES = [PROJECT_CAPTURES, ...(SHARED_DATA === null ? [] : SHARED_FOLDERS)]
  .flatMap(listFiles)
  .filter((path) => /\.(pcap|pcapng|cap)(\.gz)?$/.test(path))

const FRAMES_PER_CAPTURE = 60

async function firstFrames(path: string): Promise<{ frames: Frame[]; linkType: number } | null> {
  try {
    const { bytes, reader } = await openCapture(path)
    const slab = await reader.next()
    const frames = slab === null ? [] : recordsOf(slab).filter(({ wireLen }) => (wireLen ?? 0) < MARKER_MIN)
    const records = frames.slice(0, FRAMES_PER_CAPTURE)
    await bytes.close()
    return records.length === 0 ? null : { frames: records, linkType: records[0].linkType }
  } catch (error) {
    if (error instanceof RunError) return null
    throw error
  }
}

const EXTREMES = [0, 1, 4, 7, 0x3f, 0x40, 0x45, 0x4f, 0x60, 0x7f, 0x80, 0xfe, 0xff]

/** One to four wounds to a frame. */
function damage(random: Random, frame: Frame, other: Frame): Frame {
  let bytes: Uint8Array = Uint8Array.from(frame.bytes)
  let wireLen = frame.wireLen ?? bytes.length
  for (let wounds = 1 + random.below(4); wounds > 0; wounds--) {
    const at = random.below(Math.max(1, Math.min(bytes.length, random.pick([24, 64, 2000]))))
    switch (random.below(7)) {
      case 0:
        bytes[at] ^= 1 << random.below(8)
        break
      case 1:
        bytes[at] = random.pick(EXTREMES)
        break
      case 2:
        // A 16-bit length, at its extremes.
        bytes[at] = random.pick([0, 0xff])
        bytes[at + 1] = random.pick(EXTREMES)
        break
      case 3:
        bytes = bytes.subarray(0, at)
        break
      case 4:
        bytes = concat(bytes.subarray(0, at), other.bytes.subarray(random.below(other.bytes.length + 1)))
        break
      case 5:
        wireLen = random.pick([0, 1, bytes.length, 65_535, 2 ** 31, MARKER_MIN - 1, random.below(MARKER_MIN)])
        // With a length of 0 in an untagged frame's IPv4 or IPv6 header, the frame says how long the packet is.
        if (random.below(2) === 0) bytes.fill(0, bytes[12] === 8 ? 16 : 18, bytes[12] === 8 ? 18 : 20)
        break
      default:
        bytes = concat(
          bytes.subarray(0, at),
          Uint8Array.from({ length: random.below(60) }, () => random.below(256)),
          bytes.subarray(at),
        )
    }
  }
  const step = random.below(300)
  return {
    sec: step === 0 ? random.below(2 ** 32) : frame.sec + random.below(3),
    nsec: step === 1 ? 2 ** 32 - 1 : random.below(1e9),
    bytes,
    wireLen,
  }
}

/** Checks every row of a batch as it passes by. */
function checkRows(faults: string[], place: () => string): (batch: FlowBatch) => void {
  return (batch) => {
    const view = RowView.of(batch)
    for (let i = 0; i < batch.count; i++) {
      view.moveTo(batch, i)
      const flow = readFlow(view)
      for (const feature of FEATURES) {
        const value = feature.compute(view)
        if (value !== null && !Number.isFinite(value)) faults.push(`${place()}: ${feature.name} is ${value}`)
      }
      if (/NaN|Infinity|undefined/.test(cicLine(view, ''))) faults.push(`${place()}: ${cicLine(view, '')}`)
      if (!Number.isSafeInteger(flow.id) || flow.lastUs < flow.startUs || flow.connState === null)
        faults.push(`${place()}: ${JSON.stringify(flow)}`)
    }
  }
}

function checkSum(meter: Meter): void {
  const { seen, decoded, dropped } = meter.counters
  expect(seen).toBe(decoded + dropped.reduce((a, b) => a + b, 0))
  expect(dropped[0]).toBe(0)
}

test(`${PACKETS} damaged frames: no throw, every number finite (seed ${SEED})`, { timeout: 60_000 + PACKETS / 5 }, async () => {
  const random = seeded(SEED)
  const own = ownFrames()
  const corpora = [...own, ...(await Promise.all(SOURCES.map(firstFrames))).filter((read) => read !== null)]
  const faults: string[] = []
  let count = 0
  const meter = new Meter(
    DEFAULT_LIMITS,
    checkRows(faults, () => `seed ${SEED}, in the first ${count} frames`),
  )
  while (count < PACKETS) {
    // Ours often: few flows, so that damaged packets meet in one row, and every kind of header.
    const { frames, linkType } = random.pick(random.below(3) === 0 ? own : corpora)
    const damaged = Array.from({ length: 100 }, () => damage(random, random.pick(frames), random.pick(frames)))
    // Sometimes the frames are taken for another link's.
    const [slab] = slabsOf(damaged, random.below(20) === 0 ? random.pick([0, 1, 12, 101, 108, 113, 147, 276, random.below(300)]) : linkType)
    try {
      meter.meterSlab(slab)
    } catch (error) {
      throw new Error(`seed ${SEED}, frames ${count} to ${count + 99}, link type ${slab.linkType}: ${firstCulprit(slab)}`, { cause: error })
    }
    count += damaged.length
  }
  meter.finish()
  expect(faults).toEqual([])
  expect(meter.counters.seen).toBe(count)
  checkSum(meter)
  // Damage that nothing notices, and damage that ends all, would test nothing.
  expect(meter.counters.decoded / count).toBeGreaterThan(0.2)
  expect(meter.counters.decoded / count).toBeLessThan(0.9)
})

/** The hex of the first frame that throws on its own. */
function firstCulprit(slab: Slab): string {
  for (const record of recordsOf(slab)) {
    const meter = new Meter({ ...DEFAULT_LIMITS, maxFlows: 64 }, () => undefined)
    const bytes = slabRecord(record)
    try {
      meter.meterSlab({ ...slab, bytes, start: 0, end: bytes.length })
    } catch {
      return Buffer.from(bytes).toString('hex')
    }
  }
  return 'only together'
}

async function meterFile(path: string, faults: string[]): Promise<Meter> {
  const meter = new Meter(
    DEFAULT_LIMITS,
    checkRows(faults, () => path),
  )
  const { bytes, reader } = await openCapture(path)
  try {
    for (let slab = await reader.next(); slab !== null; slab = await reader.next()) {
      for (const record of recordsOf(slab)) if (record.capLen !== record.bytes.length) faults.push(`${path}: a record leaves its slab`)
      meter.meterSlab(slab)
    }
  } finally {
    await bytes.close()
  }
  meter.finish()
  checkSum(meter)
  return meter
}

test(`${FILES} damaged capture files end in packets, damage or a refusal (seed ${SEED})`, { timeout: 60_000 + FILES * 100 }, async () => {
  const random = seeded(SEED + 1)
  const small = SOURCES.map((path) => ({ path, bytes: path.endsWith('.gz') ? gunzipSync(readFileSync(path)) : readFileSync(path) })).filter(
    ({ bytes }) => bytes.length < 300_000,
  )
  if (small.length === 0) return
  const faults: string[] = []
  for (let i = 0; i < FILES; i++) {
    const { path, bytes } = random.pick(small)
    const file = Uint8Array.from(bytes)
    for (let wounds = 1 + random.below(5); wounds > 0; wounds--) {
      const at = random.below(Math.min(file.length, random.pick([24, 64, 1000, file.length])))
      if (random.below(2) === 0) file[at] ^= 1 << random.below(8)
      else file.fill(random.pick([0, 0xff, 0x7f]), at, at + random.pick([1, 2, 4]))
    }
    const damaged = temporaryFile(file.subarray(0, random.below(3) === 0 ? random.below(file.length + 1) : file.length))
    try {
      await meterFile(damaged, faults)
    } catch (error) {
      if (!(error instanceof RunError)) throw new Error(`seed ${SEED}, file ${i}, from ${path}`, { cause: error })
      expect(error.message).toMatch(/: byte \d+: /)
    }
  }
  expect(faults).toEqual([])
})

describe.skipIf(SHARED_DATA === null)('hostile and unusual files (needs ../shared/data)', () => {
  const files = ['hostile', 'format'].flatMap((folder) => listFiles(join(SHARED_DATA ?? '', folder)))
  const MS_MAX = 2000

  test('each ends in under two seconds, without a throw but a refusal in words', { timeout: 120_000 }, async () => {
    const faults: string[] = []
    let metered = 0
    for (const path of files) {
      const start = process.cpuUsage()
      try {
        await meterFile(path, faults)
        metered++
      } catch (error) {
        if (!(error instanceof RunError)) throw new Error(path, { cause: error })
        expect(error.message).toMatch(/: byte \d+: /)
      }
      // Of the processor: on a busy machine the clock says little.
      const { user, system } = process.cpuUsage(start)
      const ms = (user + system) / 1000
      if (ms > MS_MAX) faults.push(`${path}: ${ms.toFixed(0)} ms`)
    }
    expect(faults).toEqual([])
    expect(files.length).toBeGreaterThan(400)
    expect(metered).toBeGreaterThan(300)
  })
})
