/**
 * Captures read as one stretch of time: slabs out, in time order, with progress, damage and a way to stop early.
 *
 * In:  paths as given; a signal that ends reading.
 * Out: each slab to a callback; what was damaged, what could not be read at all, where it was interrupted.
 * Not: what is done with slabs. One bad input does not lose the others.
 */
import { RunError } from './base/errors.ts'
import { CaptureChain, expandInputs } from './capture/inputs.ts'
import type { CaptureReader, Damage } from './capture/reader.ts'
import { Reorder, type ReorderCounters } from './capture/reorder.ts'
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
  /** The file at hand. */
  path: string
  damage: readonly Damage[]
  /** Inputs that could not be read at all, each a line with its remedy. */
  failures: string[]
  interruptedAt: Interruption | null
  order: Readonly<ReorderCounters>
}

export interface ReadingOptions {
  inputs: readonly string[]
  progress: Progress
  signal: AbortSignal
  /** Whether slightly disordered packets are put in order; the compat profiles take them as they come. */
  isReordered: boolean
  /** Takes a slab; may wait for a slow sink. Returns false when nobody wants more. */
  take(slab: Slab): Promise<boolean>
  /** For progress: packets so far, and the newest one's time in seconds since 1970. */
  state(): { packets: number; packetTimeSec: number | null }
}

export function newReading(): Reading {
  return { path: '', damage: [], failures: [], interruptedAt: null, order: { reordered: 0, tooLate: 0 } }
}

/**
 * @param reading filled in as faults come up
 * @throws RunError when no input could be read
 */
export async function readCaptures(reading: Reading, options: ReadingOptions): Promise<void> {
  const inputs = await expandInputs(options.inputs)
  const chain = new CaptureChain(inputs)
  const reorder = new Reorder(chain)
  const source = options.isReordered ? reorder : chain
  reading.damage = chain.damages
  reading.order = reorder.counters
  for (const note of chain.notes) options.progress.note(note)
  // A blocked read of a pipe ends when its source is closed.
  const stop = (): void => void chain.close()
  options.signal.addEventListener('abort', stop, { once: true })
  try {
    await readSlabs(chain, source, options, reading)
  } finally {
    options.signal.removeEventListener('abort', stop)
    await chain.close()
    reading.failures = chain.failures.map(({ message }) => message)
  }
  if (chain.failures.length > 0 && chain.failures.length >= inputs.files.length + inputs.failures.length) {
    throw new RunError(reading.failures.join('\n'))
  }
  if (inputs.files.length === 0) throw new RunError(`${options.inputs.join(', ')}: no capture in there`)
}

async function readSlabs(chain: CaptureChain, source: CaptureReader, options: ReadingOptions, reading: Reading): Promise<void> {
  const { signal, progress } = options
  for (let turn = 1; ; turn++) {
    const { offset } = source
    const slab = await nextSlab(source, signal)
    reading.path = chain.currentPath
    if (signal.aborted) {
      const { doneBytes, totalBytes } = chain
      reading.interruptedAt = {
        path: chain.currentPath,
        offset,
        share: totalBytes === null || totalBytes === 0 ? null : doneBytes / totalBytes,
      }
      return
    }
    if (slab === null || !(await options.take(slab))) return
    const { packets, packetTimeSec } = options.state()
    progress.step(chain.doneBytes, chain.totalBytes, packets, packetTimeSec)
    if (turn % SLABS_A_TURN === 0) await new Promise((resolve) => setImmediate(resolve))
  }
}

/** Closing a source under a waiting read may make it fail: after a signal that is how it was meant to end. */
async function nextSlab(source: CaptureReader, signal: AbortSignal): Promise<Slab | null> {
  try {
    return await source.next()
  } catch (error) {
    if (signal.aborted) return null
    throw error
  }
}
