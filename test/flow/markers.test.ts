/**
 * Records that are no frames: a tick lets time pass, a loss record updates the books, and neither counts as seen.
 */
import { expect, test } from 'vitest'
import { defaultsOf } from '../../src/base/option.ts'
import { LOSS, LOSS_LEN, type Slab, TICK } from '../../src/capture/slab.ts'
import type { FlowBatch } from '../../src/flow/batch.ts'
import { tableLimits } from '../../src/flow/limits.ts'
import { Meter } from '../../src/flow/meter.ts'
import { FLOW_OPTIONS } from '../../src/flow/options.ts'

const START_SEC = 1_800_000_000

interface Rec {
  sec: number
  wireLen: number
  octets?: Uint8Array
}

/** A UDP frame from a port, so that each port is a flow. */
function udp(port: number): Uint8Array {
  const hex = `ffffffffffff020000000001 0800 4500001c00004000 40110000 c0000201 c0000202 ${port.toString(16).padStart(4, '0')} 0035 0008 0000`
  return Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex'))
}

function slabOf(records: readonly Rec[]): Slab {
  const bytes = Buffer.concat(
    records.map(({ sec, wireLen, octets = new Uint8Array(0) }) => {
      const header = Buffer.alloc(16)
      header.writeUInt32LE(START_SEC + sec, 0)
      header.writeUInt32LE(octets.length, 8)
      header.writeUInt32LE(wireLen, 12)
      return Buffer.concat([header, octets])
    }),
  )
  return { bytes, start: 0, end: bytes.length, linkType: 1, interfaceId: 0 }
}

const tick = (sec: number): Rec => ({ sec, wireLen: TICK })
const frame = (sec: number, port: number, wireLen = 42): Rec => ({ sec, wireLen, octets: udp(port) })

function meterOf(onBatch: (batch: FlowBatch, meter: Meter) => void): Meter {
  const meter: Meter = new Meter(tableLimits({ ...defaultsOf(FLOW_OPTIONS), max_flows: 1024 }), (batch) => onBatch(batch, meter))
  return meter
}

test('a tick ends what is due, and is no frame', () => {
  const ends: number[] = []
  const meter = meterOf((batch) => ends.push(batch.count))
  meter.meterSlab(slabOf([frame(0, 5000), tick(59)]))
  expect(ends).toEqual([])
  meter.meterSlab(slabOf([tick(62)]))
  expect(ends).toEqual([1])
  expect(meter.counters).toMatchObject({ seen: 1, decoded: 1, wireBytes: 42, cutShort: 0 })
  expect(meter.table.nowUs).toBe(62e6)
})

test('a tick before the newest packet changes nothing', () => {
  const meter = meterOf(() => {})
  meter.meterSlab(slabOf([frame(0, 4999), frame(10, 5000), tick(9), frame(10, 5001)]))
  expect(meter.table.nowUs).toBe(10e6)
  expect(meter.table.counters).toMatchObject({ clockSteps: 0, latePackets: 0, flowsCreated: 3 })
})

test('a loss record fills the books of its interface, and lets no time pass', () => {
  const octets = Buffer.alloc(LOSS_LEN)
  octets.writeBigUInt64LE(2n ** 33n + 7n, 0)
  octets.writeBigUInt64LE(5n, 8)
  octets.writeBigUInt64LE(2n, 16)
  const meter = meterOf(() => {})
  meter.meterSlab({ ...slabOf([frame(0, 5000), { sec: 50, wireLen: LOSS, octets }, frame(1, 5001)]), interfaceId: 3 })
  expect([...meter.losses]).toEqual([[3, { received: 2 ** 33 + 7, byKernel: 5, byInterface: 2 }]])
  expect(meter.counters.seen).toBe(2)
  expect(meter.table.nowUs).toBe(1e6)
})

test('what was seen when a row left does not depend on where slabs were cut', () => {
  const records: Rec[] = []
  // Cut-short frames, frames that are no packets, and seconds that turn in the middle of a block.
  for (let i = 0; i < 1000; i++) {
    const isRefused = i % 17 === 0
    records.push(isRefused ? { sec: i >> 3, wireLen: 60, octets: new Uint8Array(7) } : frame(i >> 3, 1024 + i, i % 3 === 0 ? 900 : 42))
  }
  const seenWith = (cut: number): object[] => {
    const views: object[] = []
    const meter = meterOf((batch, at) => views.push({ rows: batch.count, ...at.seenSoFar() }))
    for (let i = 0; i < records.length; i += cut) meter.meterSlab(slabOf(records.slice(i, i + cut)))
    meter.finish()
    return views
  }
  const whole = seenWith(records.length)
  expect(whole.length).toBeGreaterThan(20)
  expect(whole.at(-1)).toEqual({ rows: expect.any(Number), seen: 1000, notDecoded: 59, withoutFlow: 0, cutShort: expect.any(Number) })
  for (const cut of [1, 7, 31, 100]) expect(seenWith(cut)).toEqual(whole)
})
