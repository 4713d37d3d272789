/**
 * What every live source is: a giver of slabs that never ends by itself, and the facts of its interfaces.
 *
 * In:  interfaces and how to capture on them. Out: slabs with packets, ticks (slab.ts, TICK) and loss records (LOSS).
 * Not: a reader's damage and end (reader.ts): a live line has neither. An interface that goes away is a state, not an error.
 */
import type { LinkState } from './ring-addon.ts'
import type { Slab } from './slab.ts'

export interface LiveOptions {
  device: string
  /** Index of the interface in this run, from 0. */
  interfaceId: number
  filter: string
  snapLen: number
  bufferBytes: number
  isPromiscuous: boolean
  /** PACKET_FANOUT group; -1: none. */
  fanoutGroup: number
}

export interface LiveInterface {
  readonly device: string
  readonly interfaceId: number
  readonly linkType: number
  readonly snapLen: number
  /** How its packets' times were taken. */
  readonly timeSource: 'kernel, nanoseconds' | 'kernel, microseconds' | 'arrival'
  readonly state: LinkState
  /** Why it is not captured now; '' when it is. */
  readonly fault: string
  /** Times that it had to be opened again. */
  readonly reopenings: number
  /** Since the run began; null where the driver cannot know. */
  readonly received: number | null
  readonly droppedByKernel: number | null
  readonly droppedByInterface: number | null
}

export interface LiveSource {
  readonly interfaces: readonly LiveInterface[]
  /** The next slab, valid until the next call; null when about `waitMs` passed without a record. */
  next(waitMs: number): Promise<Slab | null>
  /** What is left when a run ends. */
  drain(): Iterable<Slab>
  close(): void
}

/** An interface could not be opened at start. */
export class OpenError extends Error {
  override readonly name = 'OpenError'
  readonly code: string
  readonly device: string

  constructor(device: string, code: string, message: string) {
    super(message)
    this.device = device
    this.code = code
  }
}
