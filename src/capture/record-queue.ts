/**
 * Blocks of a recording on their way to the thread that writes them: a ring of buffers in shared memory.
 *
 * In:  whole blocks (`QueueSink.put`), from the thread that meters. Out: the same, in order (`drainQueue`), in the thread that writes.
 * Not: waiting. When every buffer is full, blocks are refused: the recording loses them and says so, the capture loses nothing.
 *
 *   HEAD counts the buffers filled, TAIL those written; both only grow, and wrap as 32 bits do.
 */
import { closeSync } from 'node:fs'
import { RunError } from '../base/errors.ts'
import type { PcapngSink } from './pcapng-sink.ts'
import { BLOCKS_LEN_MAX } from './pcapng-writer.ts'

/** 64 MiB and a little: six seconds of a hundred thousand small packets a second. Only pages that were used take memory. */
const BUFFERS = 64

const HEAD = 0
const TAIL = 1
const STATE = 2
const FAULT_LEN = 3
const LENGTHS = 4

const OPEN = 0
/** No more will come. */
const ENDING = 1
/** What is not written by now is given up. */
const GIVEN_UP = 2
const ENDED = 3
const FAILED = 4

const FAULT_BYTES = 1024
/** At the end: without a single buffer written for so long, the disk has had its time. */
const PATIENCE_MS = 2500
/** And at most so long however it gets on: the process must be gone ten seconds after a signal. */
const END_MS_MAX = 6000
const LOOK_EVERY_MS = 100

/** Crosses to the writing thread as worker data. */
export interface RecordQueue {
  words: Int32Array<SharedArrayBuffer>
  fault: Uint8Array<SharedArrayBuffer>
  buffers: Uint8Array<SharedArrayBuffer>
  /** One number: no block that is still to come has a time before this, in µs since 1970. */
  watermarkUs: BigInt64Array<SharedArrayBuffer>
}

export function newRecordQueue(): RecordQueue {
  return {
    words: new Int32Array(new SharedArrayBuffer(4 * (LENGTHS + BUFFERS))),
    fault: new Uint8Array(new SharedArrayBuffer(FAULT_BYTES)),
    buffers: new Uint8Array(new SharedArrayBuffer(BUFFERS * BLOCKS_LEN_MAX)),
    watermarkUs: new BigInt64Array(new SharedArrayBuffer(8)),
  }
}

export class QueueSink implements PcapngSink {
  readonly #queue: RecordQueue
  readonly #fd: number | null

  /** @param fd closed here, in the thread that opened it; null: not ours to close */
  constructor(queue: RecordQueue, fd: number | null) {
    this.#queue = queue
    this.#fd = fd
  }

  put(blocks: Uint8Array, isLast: boolean): boolean {
    const { words, buffers } = this.#queue
    if (Atomics.load(words, STATE) === FAILED) throw this.#fault()
    const head = Atomics.load(words, HEAD)
    // One is kept for what the recording says of itself at its end.
    if (((head - Atomics.load(words, TAIL)) | 0) >= (isLast ? BUFFERS : BUFFERS - 1)) return false
    const slot = slotOf(head)
    buffers.set(blocks, slot * BLOCKS_LEN_MAX)
    words[LENGTHS + slot] = blocks.length
    Atomics.store(words, HEAD, (head + 1) | 0)
    Atomics.notify(words, HEAD)
    return true
  }

  passTime(timeUs: number): void {
    Atomics.store(this.#queue.watermarkUs, 0, BigInt(Math.floor(timeUs)))
  }

  close(): void {
    try {
      this.#waitForEnd()
    } finally {
      if (this.#fd !== null) closeSync(this.#fd)
    }
  }

  /** As long as the writer gets on, within the time that there is. */
  #waitForEnd(): void {
    const { words } = this.#queue
    endInput(this.#queue)
    let tail = Atomics.load(words, TAIL)
    let quietMs = 0
    const untilMs = performance.now() + END_MS_MAX
    while (Atomics.load(words, STATE) < ENDED) {
      Atomics.wait(words, TAIL, tail, LOOK_EVERY_MS)
      const now = Atomics.load(words, TAIL)
      quietMs = now === tail ? quietMs + LOOK_EVERY_MS : 0
      tail = now
      if (quietMs === PATIENCE_MS) Atomics.store(words, STATE, GIVEN_UP)
      if (quietMs > 2 * PATIENCE_MS) throw new RunError('the recording was not written to its end: the disk does not answer')
      if (performance.now() > untilMs) throw new RunError('the recording was not written to its end: the disk is too slow')
    }
    if (Atomics.load(words, STATE) === FAILED) throw this.#fault()
  }

  #fault(): RunError {
    const { words, fault } = this.#queue
    return new RunError(new TextDecoder().decode(fault.slice(0, Atomics.load(words, FAULT_LEN))))
  }
}

/** No more blocks will be put. */
export function endInput({ words }: RecordQueue): void {
  Atomics.compareExchange(words, STATE, OPEN, ENDING)
  Atomics.notify(words, HEAD)
}

/** Whether the other side no longer waits for what a slow pipe has not taken. */
export function isGivenUp({ words }: RecordQueue): boolean {
  return Atomics.load(words, STATE) === GIVEN_UP
}

/** The writing thread's whole life: writes what comes, until the end. */
export function drainQueue(queue: RecordQueue, sink: PcapngSink): void {
  try {
    for (;;) {
      const isEnding = hasEnded(queue)
      const blocks = firstOf(queue)
      if (blocks !== null) {
        sink.put(blocks, false)
        dropFirst(queue)
      } else if (isEnding) break
      else waitForMore(queue, LOOK_EVERY_MS)
    }
    endQueue(queue)
  } catch (error) {
    failQueue(queue, error as Error)
  }
}

// The writing thread's side, in parts: record-merge.ts reads several queues.

/** The buffer to be written next; null when none is waiting. It is valid until `dropFirst`. */
export function firstOf({ words, buffers }: RecordQueue): Uint8Array | null {
  const tail = Atomics.load(words, TAIL)
  if (Atomics.load(words, HEAD) === tail) return null
  const start = slotOf(tail) * BLOCKS_LEN_MAX
  return buffers.subarray(start, start + words[LENGTHS + slotOf(tail)])
}

/** It is written, or need not be. */
export function dropFirst({ words }: RecordQueue): void {
  Atomics.store(words, TAIL, (Atomics.load(words, TAIL) + 1) | 0)
  Atomics.notify(words, TAIL)
}

/** To be asked before `firstOf`: true, and then no buffer waiting, says that none will come. */
export function hasEnded({ words }: RecordQueue): boolean {
  return Atomics.load(words, STATE) !== OPEN
}

/** Until a buffer comes, at most so long. */
export function waitForMore({ words }: RecordQueue, ms: number): void {
  Atomics.wait(words, HEAD, Atomics.load(words, TAIL), ms)
}

/** All is written. */
export function endQueue({ words }: RecordQueue): void {
  Atomics.store(words, STATE, ENDED)
  Atomics.notify(words, TAIL)
}

/** Nothing will be written any more. */
export function failQueue({ words, fault }: RecordQueue, { message }: Error): void {
  const { written } = new TextEncoder().encodeInto(message, new Uint8Array(FAULT_BYTES))
  fault.set(new TextEncoder().encode(message).subarray(0, written))
  Atomics.store(words, FAULT_LEN, written)
  Atomics.store(words, STATE, FAILED)
  Atomics.notify(words, TAIL)
}

function slotOf(count: number): number {
  return (count >>> 0) % BUFFERS
}
