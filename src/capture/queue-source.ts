/**
 * One of several capture queues: a live source that begins at an instant on which all queues agree and leaves out no second.
 *
 * In:  a live source; when the run begins. Out: its slabs without what came before that, a tick at the beginning, and a tick at the start of
 *      each second in which the queue had no record.
 * Not: the order between queues (live/queues.ts), nor of their recording (record-merge.ts).
 * The invariant: every queue comes to the same seconds, also a silent one, so that what all have to say of a second can be put together.
 *
 * Before all queues have joined, the kernel spreads packets over those that have: a flow would be cut in two.
 */
import { putU32le, u32le } from '../base/bytes.ts'
import type { RingSource } from './live-merge.ts'
import { recordTimeUs } from './live-ring.ts'
import type { LiveSource } from './live-source.ts'
import { LOSS, REC_CAP_LEN, REC_HEADER_LEN, REC_NSEC, REC_SEC, REC_WIRE_LEN, type Slab, TICK } from './slab.ts'

const US_PER_S = 1e6
/** A clock set forward by more is no silence: seconds are not filled in. */
export const GAP_SECONDS_MAX = 60
/** As everywhere: what is older than that is a clock set back. */
const CLOCK_STEP_S = 30

export class QueueSource implements LiveSource {
  readonly #source: RingSource
  readonly #startUs: number
  readonly #pieces: Slab[]
  /** The newest second, and record; and whether any record but the first tick has come. */
  #second: number
  #newestUs: number
  #hasBegun = false

  constructor(source: RingSource, startUs: number) {
    this.#source = source
    this.#startUs = startUs
    this.#second = Math.floor(startUs / US_PER_S)
    this.#newestUs = startUs
    const { linkType, interfaceId } = source.interfaces[0]
    this.#pieces = [{ ...tickAt(startUs), linkType, interfaceId }]
  }

  get interfaces() {
    return this.#source.interfaces
  }

  /** No later record is older, in µs since 1970, but for what the kernel disorders. */
  get watermarkUs(): number {
    return Math.max(this.#newestUs, this.#pieces.length === 0 ? this.#source.watermarkUs : 0)
  }

  async next(waitMs: number): Promise<Slab | null> {
    for (;;) {
      const piece = this.#pieces.shift()
      if (piece !== undefined) return piece
      const slab = await this.#source.next(waitMs)
      if (slab === null) return null
      if (this.#split(slab)) return slab
      // All of it was from before the beginning: somebody may want us to stop.
      if (this.#pieces.length === 0) return null
    }
  }

  *drain(): Generator<Slab> {
    yield* this.#pieces.splice(0)
    for (const slab of this.#source.drain()) {
      if (this.#split(slab)) yield slab
      else yield* this.#pieces.splice(0)
    }
  }

  close(): void {
    this.#source.close()
  }

  /** Whether the slab can be handed on as it is; else its parts, and ticks between them, are in `#pieces`. */
  #split(slab: Slab): boolean {
    const { bytes, start, end } = slab
    let from = start
    let last = -1
    for (let at = start; at < end; at += REC_HEADER_LEN + u32le(bytes, at + REC_CAP_LEN)) {
      if (u32le(bytes, at + REC_WIRE_LEN) === LOSS) {
        // Counts since the handle was opened hold at the beginning, too. They let no time pass.
        if (recordTimeUs(bytes, at) < this.#startUs) putTime(bytes, at, this.#startUs)
        continue
      }
      if (!this.#hasBegun && recordTimeUs(bytes, at) < this.#startUs) {
        this.#cut(slab, from, at)
        from = at + REC_HEADER_LEN + u32le(bytes, at + REC_CAP_LEN)
        continue
      }
      this.#hasBegun = true
      last = at
      const second = u32le(bytes, at + REC_SEC)
      if (second <= this.#second && second >= this.#second - CLOCK_STEP_S) continue
      if (second > this.#second + 1 && second <= this.#second + GAP_SECONDS_MAX) {
        this.#cut(slab, from, at)
        from = at
        for (let missing = this.#second + 1; missing < second; missing++) this.#pieces.push({ ...slab, ...tickAt(missing * US_PER_S) })
      }
      this.#second = second
    }
    if (last >= 0) this.#newestUs = recordTimeUs(bytes, last)
    if (from === start && this.#pieces.length === 0) return true
    this.#cut(slab, from, end)
    return false
  }

  /** A slab is valid until the next read of its source, which comes when all pieces are gone. */
  #cut(slab: Slab, start: number, end: number): void {
    if (start < end) this.#pieces.push({ ...slab, start, end })
  }
}

/** A slab with nothing but a tick. */
export function tickAt(timeUs: number): Pick<Slab, 'bytes' | 'start' | 'end'> {
  const bytes = new Uint8Array(REC_HEADER_LEN)
  putTime(bytes, 0, timeUs)
  putU32le(bytes, REC_CAP_LEN, 0)
  putU32le(bytes, REC_WIRE_LEN, TICK)
  return { bytes, start: 0, end: REC_HEADER_LEN }
}

function putTime(bytes: Uint8Array, at: number, timeUs: number): void {
  const second = Math.floor(timeUs / US_PER_S)
  putU32le(bytes, at + REC_SEC, second)
  putU32le(bytes, at + REC_NSEC, Math.floor(timeUs - second * US_PER_S) * 1000)
}
