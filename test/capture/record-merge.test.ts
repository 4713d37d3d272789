/**
 * Recordings of several queues as one file: packets in order of time, each interface once, losses and gaps added up.
 */
import { describe, expect, test } from 'vitest'
import { putU32le, putU64le, u64le } from '../../src/base/bytes.ts'
import type { PcapngSink } from '../../src/capture/pcapng-sink.ts'
import { gapBlock, PcapngWriter, TICK_COMMENT } from '../../src/capture/pcapng-writer.ts'
import { drainQueues } from '../../src/capture/record-merge.ts'
import { endInput, newRecordQueue, QueueSink, type RecordQueue } from '../../src/capture/record-queue.ts'
import {
  LOSS,
  LOSS_BY_INTERFACE,
  LOSS_BY_KERNEL,
  LOSS_LEN,
  LOSS_RECEIVED,
  REC_CAP_LEN,
  REC_HEADER_LEN,
  REC_NSEC,
  REC_SEC,
  REC_WIRE_LEN,
  type Slab,
  TICK,
} from '../../src/capture/slab.ts'
import { seeded } from '../seeded.ts'
import { readBytes } from './read-capture.ts'

const BASE_SEC = 1_800_000_000
const DEVICES = [
  { device: 'eth1', linkType: 1, snapLen: 96 },
  { device: 'eth2', linkType: 1, snapLen: 96 },
]

function record(ms: number, wireLen: number, body: Uint8Array, interfaceId = 0): Slab {
  const bytes = new Uint8Array(REC_HEADER_LEN + body.length)
  putU32le(bytes, REC_SEC, BASE_SEC + Math.floor(ms / 1000))
  putU32le(bytes, REC_NSEC, (ms % 1000) * 1e6)
  putU32le(bytes, REC_CAP_LEN, body.length)
  putU32le(bytes, REC_WIRE_LEN, wireLen)
  bytes.set(body, REC_HEADER_LEN)
  return { bytes, start: 0, end: bytes.length, linkType: 1, interfaceId }
}

const packet = (ms: number, name: number, interfaceId = 0): Slab => record(ms, 60, Uint8Array.of(name >> 8, name & 255), interfaceId)
const tick = (ms: number): Slab => record(ms, TICK, new Uint8Array(0))

function loss(ms: number, received: number, byKernel: number, byInterface: number): Slab {
  const body = new Uint8Array(LOSS_LEN)
  putU64le(body, LOSS_RECEIVED, received)
  putU64le(body, LOSS_BY_KERNEL, byKernel)
  putU64le(body, LOSS_BY_INTERFACE, byInterface)
  return record(ms, LOSS, body)
}

class Memory implements PcapngSink {
  readonly parts: Uint8Array[] = []

  put(blocks: Uint8Array): boolean {
    this.parts.push(blocks.slice())
    return true
  }

  close(): void {}
}

function queueOf(slabs: readonly Slab[]): RecordQueue {
  const queue = newRecordQueue()
  const writer = new PcapngWriter(DEVICES, new QueueSink(queue, null))
  for (const slab of slabs) writer.write(slab)
  writer.passTime(0)
  endInput(queue)
  return queue
}

function merged(queues: readonly RecordQueue[]): Buffer {
  const memory = new Memory()
  drainQueues(queues, memory)
  return Buffer.concat(memory.parts)
}

const timesUs = async (file: Buffer): Promise<number[]> =>
  (await readBytes(file, 'merged.pcapng')).records.map(({ sec, nsec }) => (sec - BASE_SEC) * 1e6 + nsec / 1e3)

describe('one file of several recordings', () => {
  test.each([1, 2, 3])('seed %i: every packet once, in order of time, whichever queue it came through', async (seed) => {
    const chance = seeded(seed)
    const slabs = Array.from({ length: 5000 }, (_, i) => packet(i, i, i % 2))
    const count = 2 + seed
    const queues = Array.from({ length: count }, (): Slab[] => [])
    for (const slab of slabs) queues[Math.floor(chance() * count)].push(slab)
    const { records, damage } = await readBytes(merged(queues.map(queueOf)), 'merged.pcapng')
    expect(damage).toBeNull()
    expect(records.map(({ bytes }) => (bytes[0] << 8) + bytes[1])).toEqual(slabs.map((_, i) => i))
  })

  test('has one section and describes each interface once', () => {
    const text = merged([queueOf([packet(1, 1)]), queueOf([packet(2, 2, 1)])]).toString('latin1')
    expect(text.split('eth1').length - 1).toBe(1)
    expect(text.split('eth2').length - 1).toBe(1)
    expect(text.split('\x0a\x0d\x0d\x0a').length - 1).toBe(1)
  })

  test('keeps ticks of all, in order', async () => {
    const file = merged([queueOf([tick(0), packet(5, 1)]), queueOf([tick(0), tick(3), tick(9)])])
    expect(file.toString('latin1').split(TICK_COMMENT).length - 1).toBe(4)
    expect(await timesUs(file)).toEqual([0, 0, 3000, 5000, 9000])
  })

  test('says of losses what one handle would have counted: sums, but the card’s own count once', async () => {
    const file = merged([queueOf([loss(1, 10, 1, 7), loss(5, 100, 2, 9)]), queueOf([loss(3, 1000, 40, 8)])])
    const { records } = await readBytes(file, 'merged.pcapng')
    const counts = records.map(({ bytes }) => [LOSS_RECEIVED, LOSS_BY_KERNEL, LOSS_BY_INTERFACE].map((at) => u64le(bytes, at)))
    expect(counts).toEqual([
      [10, 1, 7],
      [1010, 41, 8],
      [1100, 42, 9],
    ])
  })

  test('says how many packets are missing in all', () => {
    const withGap = (lost: number): RecordQueue => {
      const queue = newRecordQueue()
      const sink = new QueueSink(queue, null)
      new PcapngWriter(DEVICES, sink)
      sink.put(gapBlock(new Uint8Array(12), lost), false)
      endInput(queue)
      return queue
    }
    const text = merged([withGap(5), withGap(300)]).toString('latin1')
    expect(text).toContain('not recorded: 5')
    expect(text).toContain('not recorded: 305')
  })
})

test('a disk that is full is told to every queue', () => {
  const queues = [queueOf([packet(1, 1)]), queueOf([packet(2, 2)])]
  const full: PcapngSink = {
    put: () => {
      throw new Error('no space left')
    },
    close: () => {},
  }
  drainQueues(queues, full)
  for (const queue of queues) expect(() => new QueueSink(queue, null).close()).toThrow('no space left')
})
