/**
 * A reader's window on its file: one buffer, filled from behind while records are taken from its front.
 *
 * In:  a ByteSource. Out: `bytes[start, end)`, the octets read but not yet used, and the file offset of `start`.
 * The invariant: octets before `start` are free to be overwritten by the next `fill`.
 */
import type { ByteSource } from './byte-source.ts'
import { StreamDamage } from './byte-source.ts'
import { CAP_LEN_MAX, SLAB_LEN } from './slab.ts'

/** A slab's worth of whole records, and room for the one that straddles its end. */
export const BUFFER_LEN = SLAB_LEN + CAP_LEN_MAX

export class Refill {
  readonly bytes = new Uint8Array(BUFFER_LEN)
  start = 0
  end = 0
  /** File offset of bytes[start]. */
  offset = 0
  isAtEnd = false
  /** What broke the compressed stream; the octets before it are all here. */
  streamFault: string | null = null
  readonly #source: ByteSource

  constructor(source: ByteSource) {
    this.#source = source
  }

  get len(): number {
    return this.end - this.start
  }

  get path(): string {
    return this.#source.path
  }

  take(len: number): void {
    this.start += len
    this.offset += len
  }

  /** Moves the unused rest to the front and reads until at least `wanted` octets are there or the file ends. */
  async fill(wanted: number): Promise<boolean> {
    if (this.len >= wanted) return true
    this.bytes.copyWithin(0, this.start, this.end)
    this.end -= this.start
    this.start = 0
    while (this.len < wanted && !this.isAtEnd) await this.#readOnce(SLAB_LEN)
    return this.len >= wanted
  }

  /** Reads on: a slab's worth where the size is known (a file), what is there where it is not (a pipe, which may be live). */
  async fillSlab(): Promise<void> {
    this.bytes.copyWithin(0, this.start, this.end)
    this.end -= this.start
    this.start = 0
    do await this.#readOnce(SLAB_LEN)
    while (this.end < SLAB_LEN && !this.isAtEnd && this.#source.totalBytes !== null)
  }

  async #readOnce(limit: number): Promise<void> {
    const room = Math.max(limit - this.end, Math.min(1 << 16, BUFFER_LEN - this.end))
    try {
      const got = await this.#source.read(this.bytes, this.end, room)
      if (got === 0) this.isAtEnd = true
      this.end += got
    } catch (error) {
      if (!(error instanceof StreamDamage)) throw error
      this.isAtEnd = true
      this.streamFault = error.message
    }
  }
}
