/**
 * Captures read one after the other: slabs out, with progress, damage and a way to stop early.
 *
 * In:  paths as given; a signal that ends reading.
 * Out: each slab to a callback; what was damaged, what could not be read at all, where it was interrupted.
 * Not: what is done with slabs. One bad input does not lose the others.
 */
import { RunError } from './base/errors.ts'
import { type OpenCapture, openCapture } from './capture/open.ts'
import type { Damage } from './capture/reader.ts'
import type { Slab } from './capture/slab.ts'
import type { Progress } from './progress.ts'

/** Slabs between two looks at signals and other events. */
const SLABS_A_TURN = 4

export interface Interruption {
  path: string
  offset: number
  /** Part of the input read; null when its size is unknown. */
  share: number | null
}

export interface Reading {
  damage: Damage[]
  /** Inputs that could not be read at all, each a line with its remedy. */
  failures: string[]
  interruptedAt: Interruption | null
}

export interface ReadingOptions {
  inputs: readonly string[]
  progress: Progress
  signal: AbortSignal
  /** Takes a slab; may wait for a slow sink. Returns false when nobody wants more. */
  take(slab: Slab, path: string): Promise<boolean>
  /** For progress: packets so far, and the newest one's time in seconds since 1970. */
  state(): { packets: number; packetTimeSec: number | null }
}

export function newReading(): Reading {
  return { damage: [], failures: [], interruptedAt: null }
}

/**
 * @param reading filled in as faults come up
 * @throws RunError when no input could be read
 */
export async function readCaptures(reading: Reading, options: ReadingOptions): Promise<void> {
  for (const path of options.inputs) {
    if (options.signal.aborted || !(await readOne(path, options, reading))) break
  }
  if (reading.failures.length === options.inputs.length) throw new RunError(reading.failures.join('\n'))
}

/** Returns false when reading is over. */
async function readOne(path: string, options: ReadingOptions, reading: Reading): Promise<boolean> {
  let capture: OpenCapture
  try {
    capture = await openCapture(path)
  } catch (error) {
    if (!(error instanceof RunError)) throw error
    reading.failures.push(error.message)
    return true
  }
  // A blocked read of a pipe ends when its source is closed.
  const stop = (): void => void capture.bytes.close()
  options.signal.addEventListener('abort', stop, { once: true })
  try {
    const goesOn = await readSlabs(path, capture, options, reading)
    const { damage } = capture.reader
    if (damage !== null && !options.signal.aborted) reading.damage.push(damage)
    return goesOn
  } finally {
    options.signal.removeEventListener('abort', stop)
    await capture.bytes.close()
  }
}

async function readSlabs(path: string, { bytes, reader }: OpenCapture, options: ReadingOptions, reading: Reading): Promise<boolean> {
  const { signal, progress } = options
  for (let turn = 1; ; turn++) {
    const slab = await nextSlab(reader, signal)
    if (signal.aborted) {
      const share = bytes.totalBytes === null || bytes.totalBytes === 0 ? null : bytes.doneBytes / bytes.totalBytes
      reading.interruptedAt = { path, offset: bytes.doneBytes, share }
      return false
    }
    if (slab === null) return true
    if (!(await options.take(slab, path))) return false
    const { packets, packetTimeSec } = options.state()
    progress.step(bytes.doneBytes, bytes.totalBytes, packets, packetTimeSec)
    if (turn % SLABS_A_TURN === 0) await new Promise((resolve) => setImmediate(resolve))
  }
}

/** Closing a source under a waiting read may make it fail: after a signal that is how it was meant to end. */
async function nextSlab(reader: OpenCapture['reader'], signal: AbortSignal): Promise<Slab | null> {
  try {
    return await reader.next()
  } catch (error) {
    if (signal.aborted) return null
    throw error
  }
}
