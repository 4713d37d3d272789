/**
 * What every reader of a capture file is: a giver of slabs that notes where its input was damaged.
 *
 * In:  a ByteSource. Out: slabs in file order, then null.
 * Not: an exception for damaged input: the fault stands in `damage`, and all before it was handed on.
 */
import type { Slab } from './slab.ts'

export interface Damage {
  path: string
  /** Offset in the (unpacked) file at which the first unusable octet lies. */
  offset: number
  message: string
}

export interface CaptureReader {
  /** The next slab, valid until the next call; null at the end or at the first damage. */
  next(): Promise<Slab | null>
  readonly damage: Damage | null
  /** How far the (unpacked) file has been read and handed on, in octets. */
  readonly offset: number
}

/** `message` with its place, as one line. */
export function describeDamage(damage: Damage): string {
  return `${damage.path}: byte ${damage.offset}: ${damage.message}`
}
