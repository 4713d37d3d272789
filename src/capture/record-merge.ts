/**
 * The recordings of several capture queues written as one file, in order of time, so that a replay meets packets as one queue would have.
 *
 * In:  blocks of each queue (record-queue.ts), each queue's in its own order. Out: one section with each interface described once.
 * Not: sorting. A queue that fills its buffers before a slower one has shown how far its time has come loses blocks, which it counts itself.
 *
 * A block goes on when every other queue has a later one, has said that none earlier will come, or has ended. Loss counts and counts of what
 * is missing are kept a queue; the file says the sum, as one handle on the interface would have counted.
 */
import { putU32le, u32le, u64le } from '../base/bytes.ts'
import type { PcapngSink } from './pcapng-sink.ts'
import {
  BLOCKS_LEN_MAX,
  GAP_COMMENT,
  gapBlock,
  INTERFACE_DESCRIPTION,
  INTERFACE_STATISTICS,
  ISB_IFDROP,
  OPT_COMMENT,
  SECTION_HEADER,
} from './pcapng-writer.ts'
import { dropFirst, endQueue, failQueue, firstOf, hasEnded, type RecordQueue, waitForMore } from './record-queue.ts'

const NS_PER_US = 1000
const WAIT_MS = 20

// Places in a block.
const LEN_AT = 4
const ID_AT = 8
const TIME_HIGH_AT = 12
const TIME_LOW_AT = 16
const OPTION_AT = 20
const TEXT_AT = OPTION_AT + 4
/** pcapng-writer.ts writes the three counts of a loss in this order: interface, received, kernel; each an option of 12 octets. */
const COUNTS_AT = [TEXT_AT, TEXT_AT + 12, TEXT_AT + 24]
/** Every handle is told of all that the card lost: the first count is not a queue's own. */
const LOST_BY_INTERFACE = 0

interface Inlet {
  queue: RecordQueue
  blocks: Uint8Array | null
  at: number
  /** Of the block at hand; Infinity when there is none and none will come. */
  timeUs: number
  /** By the ids that this queue gives its interfaces: those of the file. */
  ids: number[]
  /** By interface of the file: the last counts of losses. */
  counts: Map<number, number[]>
  missing: number
}

/** The writing thread's whole life: writes what comes from all queues, until they end. */
export function drainQueues(queues: readonly RecordQueue[], sink: PcapngSink): void {
  try {
    const merge = new RecordMerge(queues, sink)
    while (merge.step());
    for (const queue of queues) endQueue(queue)
  } catch (error) {
    for (const queue of queues) failQueue(queue, error as Error)
  }
}

class RecordMerge {
  readonly #inlets: readonly Inlet[]
  readonly #sink: PcapngSink
  readonly #out = new Uint8Array(BLOCKS_LEN_MAX)
  #len = 0
  #hasSection = false
  /** Descriptions in the file, as text, in order. */
  readonly #described: string[] = []

  constructor(queues: readonly RecordQueue[], sink: PcapngSink) {
    this.#inlets = queues.map((queue) => ({ queue, blocks: null, at: 0, timeUs: 0, ids: [], counts: new Map(), missing: 0 }))
    this.#sink = sink
  }

  /** Writes what can be written, or waits a little; false at the end. */
  step(): boolean {
    let first: Inlet | null = null
    let limitUs = Infinity
    for (const inlet of this.#inlets) {
      const isThere = this.#refill(inlet)
      if (isThere && (first === null || inlet.timeUs < first.timeUs)) first = inlet
    }
    for (const inlet of this.#inlets) if (inlet !== first) limitUs = Math.min(limitUs, inlet.timeUs)
    if (first !== null && first.timeUs <= limitUs) {
      this.#takeUntil(first, limitUs)
      return true
    }
    this.#flush()
    if (first === null && limitUs === Infinity) return false
    const slowest = this.#inlets.find((inlet) => inlet !== first && inlet.timeUs === limitUs)
    waitForMore((slowest ?? this.#inlets[0]).queue, WAIT_MS)
    return true
  }

  /** Whether the inlet has a block at hand; its time is that of the block, else of what may still come. */
  #refill(inlet: Inlet): boolean {
    const { queue } = inlet
    for (;;) {
      const isEnding = hasEnded(queue)
      // Before the look for blocks: what was put meanwhile is not older.
      const watermarkUs = Number(Atomics.load(queue.watermarkUs, 0))
      inlet.blocks ??= firstOf(queue)
      if (inlet.blocks === null) {
        inlet.timeUs = isEnding ? Infinity : watermarkUs
        return false
      }
      if (inlet.at < inlet.blocks.length && !this.#takeDescription(inlet, inlet.blocks)) {
        inlet.timeUs = timeOf(inlet.blocks, inlet.at)
        return true
      }
      if (inlet.at < inlet.blocks.length) continue
      inlet.blocks = null
      inlet.at = 0
      dropFirst(queue)
    }
  }

  /** The section begins once, and each interface is described once. */
  #takeDescription(inlet: Inlet, blocks: Uint8Array): boolean {
    const type = u32le(blocks, inlet.at)
    if (type !== SECTION_HEADER && type !== INTERFACE_DESCRIPTION) return false
    const block = blocks.subarray(inlet.at, inlet.at + u32le(blocks, inlet.at + LEN_AT))
    inlet.at += block.length
    if (type === SECTION_HEADER) {
      if (!this.#hasSection) this.#put(block)
      this.#hasSection = true
      return true
    }
    const text = Buffer.from(block).toString('latin1')
    if (!this.#described.includes(text)) {
      this.#described.push(text)
      this.#put(block)
    }
    inlet.ids.push(this.#described.indexOf(text))
    return true
  }

  /** Blocks of one inlet, as far as no other can undercut them, or to the end of the buffer. */
  #takeUntil(inlet: Inlet, limitUs: number): void {
    const { blocks } = inlet
    if (blocks === null) return
    do {
      const block = blocks.subarray(inlet.at, inlet.at + u32le(blocks, inlet.at + LEN_AT))
      this.#takeBlock(inlet, block)
      inlet.at += block.length
      if (inlet.at === blocks.length || u32le(blocks, inlet.at) === INTERFACE_DESCRIPTION) return
      inlet.timeUs = timeOf(blocks, inlet.at)
    } while (inlet.timeUs <= limitUs)
  }

  #takeBlock(inlet: Inlet, block: Uint8Array): void {
    const id = inlet.ids[u32le(block, ID_AT)]
    putU32le(block, ID_AT, id)
    if (u32le(block, 0) === INTERFACE_STATISTICS) {
      const code = u32le(block, OPTION_AT) & 0xffff
      if (code === ISB_IFDROP) this.#addUpLosses(inlet, id, block)
      else if (code === OPT_COMMENT) {
        const missing = missingIn(block)
        if (missing !== null) {
          inlet.missing = missing
          const sum = this.#inlets.reduce((total, one) => total + one.missing, 0)
          return this.#put(gapBlock(block.subarray(ID_AT, OPTION_AT), sum))
        }
      }
    }
    this.#put(block)
  }

  #addUpLosses(inlet: Inlet, id: number, block: Uint8Array): void {
    inlet.counts.set(
      id,
      COUNTS_AT.map((at) => u64le(block, at)),
    )
    for (const [i, at] of COUNTS_AT.entries()) {
      const own = this.#inlets.map(({ counts }) => counts.get(id)?.[i] ?? 0)
      const count = i === LOST_BY_INTERFACE ? Math.max(...own) : own.reduce((sum, one) => sum + one, 0)
      putU32le(block, at, count % 2 ** 32)
      putU32le(block, at + 4, Math.floor(count / 2 ** 32))
    }
  }

  #put(block: Uint8Array): void {
    if (this.#len + block.length > this.#out.length) this.#flush()
    this.#out.set(block, this.#len)
    this.#len += block.length
  }

  #flush(): void {
    if (this.#len === 0) return
    this.#sink.put(this.#out.subarray(0, this.#len), false)
    this.#len = 0
  }
}

/** To a quarter of a microsecond, which is enough to put blocks in order. */
function timeOf(blocks: Uint8Array, at: number): number {
  return (u32le(blocks, at + TIME_HIGH_AT) * 2 ** 32 + u32le(blocks, at + TIME_LOW_AT)) / NS_PER_US
}

/** How many packets a gap's block says are missing; null when it is none. */
function missingIn(block: Uint8Array): number | null {
  const length = u32le(block, OPTION_AT) >>> 16
  const text = Buffer.from(block.buffer, block.byteOffset + TEXT_AT, length).toString()
  return text.startsWith(GAP_COMMENT) ? Number(text.slice(GAP_COMMENT.length)) : null
}
