/**
 * Several live interfaces brought into one order of time: a tap gives each direction on a port of its own.
 *
 * In:  interfaces, each in its own order. Out: stretches of their slabs, none copied, such that no stretch begins before the last one ended.
 * Not: order inside one interface, which is the kernel's.
 *
 * A record may go on when every other interface has shown a later one, or has been silent for long enough (its watermark).
 */
import { u32le } from '../base/bytes.ts'
import { RingInterface, recordTimeUs } from './live-ring.ts'
import type { LiveOptions, LiveSource } from './live-source.ts'
import type { RingAddon } from './ring-addon.ts'
import { REC_CAP_LEN, REC_HEADER_LEN, type Slab } from './slab.ts'

/** How long to wait for one silent interface before the others are looked at again. */
const TURN_MS = 5

/** What of an interface's slab was not yet handed on. */
interface Pending {
  from: RingInterface
  at: number
  end: number
}

export class RingSource implements LiveSource {
  readonly interfaces: readonly RingInterface[]
  readonly #pending: readonly Pending[]
  readonly #stretch: Slab = { bytes: new Uint8Array(0), start: 0, end: 0, linkType: 0, interfaceId: 0 }

  /** @throws OpenError when one of them cannot be captured now. */
  constructor(ring: RingAddon, options: readonly LiveOptions[]) {
    const opened: RingInterface[] = []
    try {
      for (const one of options) opened.push(new RingInterface(ring, one))
    } catch (error) {
      for (const one of opened) one.close()
      throw error
    }
    this.interfaces = opened
    this.#pending = opened.map((from) => ({ from, at: 0, end: 0 }))
  }

  next(waitMs: number): Promise<Slab | null> {
    return Promise.resolve(this.interfaces.length === 1 ? this.#nextOfOne(this.interfaces[0], waitMs) : this.#nextOfMany(waitMs))
  }

  #nextOfOne(only: RingInterface, waitMs: number): Slab | null {
    return only.fill(waitMs) ? only.slab : null
  }

  #nextOfMany(waitMs: number): Slab | null {
    const deadlineMs = performance.now() + waitMs
    let turnMs = 0
    do {
      for (const one of this.#pending) if (one.at === one.end) refill(one, turnMs)
      const first = this.#earliest()
      const stretch = first === null ? null : this.#stretchOf(first)
      if (stretch !== null) return stretch
      turnMs = TURN_MS
    } while (performance.now() < deadlineMs)
    return null
  }

  #earliest(): Pending | null {
    let first: Pending | null = null
    for (const one of this.#pending) if (one.at < one.end && (first === null || headUs(one) < headUs(first))) first = one
    return first
  }

  /** The records of `first` that no other interface can undercut; null when there are none yet. */
  #stretchOf(first: Pending): Slab | null {
    let limitUs = Infinity
    for (const one of this.#pending) if (one !== first) limitUs = Math.min(limitUs, one.at < one.end ? headUs(one) : one.from.watermarkUs)
    const { bytes, linkType, interfaceId } = first.from.slab
    const start = first.at
    while (first.at < first.end && headUs(first) <= limitUs) first.at += REC_HEADER_LEN + u32le(bytes, first.at + REC_CAP_LEN)
    if (first.at === start) return null
    return Object.assign(this.#stretch, { bytes, start, end: first.at, linkType, interfaceId })
  }

  /** No later record is older than this, in µs since 1970; but for what the kernel disorders in one interface. */
  get watermarkUs(): number {
    return Math.min(...this.#pending.map((one) => (one.at < one.end ? headUs(one) : one.from.watermarkUs)))
  }

  /** On all interfaces, or on none. @throws OpenError */
  changeFilter(filter: string): void {
    const before = this.interfaces.map((one) => one.filter)
    try {
      for (const one of this.interfaces) one.changeFilter(filter)
    } catch (error) {
      this.interfaces.forEach((one, i) => {
        if (one.filter !== before[i]) one.changeFilter(before[i])
      })
      throw error
    }
  }

  /** What is left when a run ends: all of it, interface by interface, then the last losses. */
  *drain(): Generator<Slab> {
    for (const one of this.#pending) {
      const { slab } = one.from
      if (one.at < one.end) yield { ...slab, start: one.at, end: one.end }
      one.at = one.end
      if (one.from.takeLosses()) yield slab
    }
  }

  close(): void {
    for (const one of this.interfaces) one.close()
  }
}

function headUs(one: Pending): number {
  return recordTimeUs(one.from.slab.bytes, one.at)
}

function refill(one: Pending, waitMs: number): void {
  one.at = 0
  one.end = one.from.fill(waitMs) ? one.from.slab.end : 0
}
