/**
 * Where the blocks of a recording go: a file, at once.
 *
 * In:  whole blocks. Out: the file. Not: another thread's disk, which is record-queue.ts's.
 * The invariant: the file ends with a whole block, also when the disk fills up.
 */
import { closeSync, constants, ftruncateSync, openSync, writeSync } from 'node:fs'
import { RunError } from '../base/errors.ts'

export interface PcapngSink {
  /**
   * Takes whole blocks; false when there is no room for them now, and then they are lost. For the last ones there is always room.
   * @throws RunError when none will ever be taken
   */
  put(blocks: Uint8Array, isLast: boolean): boolean
  /** No block that is still to come has a time before this, in µs since 1970. */
  passTime?(timeUs: number): void
  /** Due also after a failed `put`. @throws RunError when not all that was taken could be written */
  close(): void
}

const RETRY_MS = 5

/** @throws RunError when it cannot be written. */
export function openRecording(path: string): number {
  try {
    // A pipe whose reader is slow must not hold us in the kernel, where no signal reaches us.
    return openSync(path, constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_NONBLOCK, 0o640)
  } catch (error) {
    const isPipe = (error as NodeJS.ErrnoException).code === 'ENXIO'
    throw new RunError(
      `cannot write ${path}: ${isPipe ? 'nobody reads from the pipe yet: start its reader first' : (error as Error).message}`,
    )
  }
}

export class FileSink implements PcapngSink {
  readonly #path: string
  readonly #fd: number
  readonly #isGivenUp: () => boolean
  #wholeBytes = 0

  /** @param isGivenUp asked while a pipe is full: true ends the waiting */
  constructor(path: string, fd: number, isGivenUp: () => boolean = () => false) {
    this.#path = path
    this.#fd = fd
    this.#isGivenUp = isGivenUp
  }

  put(blocks: Uint8Array): boolean {
    try {
      for (let at = 0; at < blocks.length; ) {
        const written = this.#tryWrite(blocks, at)
        if (written === 0 && this.#isGivenUp()) throw new Error('its reader takes nothing')
        at += written
      }
      this.#wholeBytes += blocks.length
      return true
    } catch (error) {
      return this.#giveUp(error)
    }
  }

  /** 0 when a pipe is full, after a while. */
  #tryWrite(blocks: Uint8Array, at: number): number {
    try {
      return writeSync(this.#fd, blocks, at)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, RETRY_MS)
      return 0
    }
  }

  #giveUp(cause: unknown): never {
    try {
      ftruncateSync(this.#fd, this.#wholeBytes)
    } catch {
      // Not a regular file: what was written stays.
    }
    throw new RunError(`cannot write ${this.#path}: ${(cause as Error).message}; the recording ends at byte ${this.#wholeBytes}`)
  }

  close(): void {
    closeSync(this.#fd)
  }
}
