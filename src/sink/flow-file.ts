/**
 * Flow rows as text, to a file or to standard output.
 *
 * In:  whole rows, newline included. Out: the file or stream; a `RunError` when the world says no.
 * Not: what a row looks like: features/ knows.
 *
 * `add` never waits and never throws; `drain` writes what was added and waits until it is taken, which is the back-pressure.
 * A reader that went away (EPIPE) is no fault: `isClosed` tells the caller that nobody listens, and rows are dropped.
 * The invariant: a file ends with a whole row, also when the disk fills up.
 */
import { closeSync, fstatSync, ftruncateSync, openSync, writeSync } from 'node:fs'
import type { Writable } from 'node:stream'
import { errorCode, writeFault } from './write-fault.ts'

/** Rows are gathered to this many characters before `drain` is worth its call. */
const GATHERED_LEN = 256 * 1024
const NEWLINE = 0x0a

/** Where text goes; resolves to false when the reader went away. */
interface Target {
  readonly name: string
  take: (text: string) => Promise<boolean>
  close: () => void
}

export class FlowFile {
  readonly #target: Target
  #parts: string[] = []
  #gatheredLen = 0
  #isClosed = false

  private constructor(target: Target) {
    this.#target = target
  }

  /** A file of this path, replaced. @throws RunError when it cannot be opened. */
  static toPath(path: string): FlowFile {
    return new FlowFile(new FileTarget(path))
  }

  /** Standard output: a pipe or terminal as a stream, a redirection like a file (Node's own stream forgets short writes there). */
  static toStdout(): FlowFile {
    const stat = fstatSync(process.stdout.fd)
    return stat.isFile() || (stat.isCharacterDevice() && !process.stdout.isTTY)
      ? new FlowFile(new FileTarget('standard output', process.stdout.fd))
      : FlowFile.toStream(process.stdout, 'standard output')
  }

  /** Any stream. @param name what to call it in an error. */
  static toStream(stream: Writable, name: string): FlowFile {
    return new FlowFile(new StreamTarget(stream, name))
  }

  /** Nobody takes rows any more: metering on is in vain. */
  get isClosed(): boolean {
    return this.#isClosed
  }

  /** Time to `await drain()`. */
  get isFull(): boolean {
    return this.#gatheredLen >= GATHERED_LEN
  }

  /** @param text one row or several, each with its newline. */
  add(text: string): void {
    if (this.#isClosed) return
    this.#parts.push(text)
    this.#gatheredLen += text.length
  }

  async drain(): Promise<void> {
    if (this.#parts.length === 0 || this.#isClosed) return
    const text = this.#parts.join('')
    this.#parts = []
    this.#gatheredLen = 0
    if (!(await this.#target.take(text))) this.#isClosed = true
  }

  /** Drains and lets go of the target; standard output itself stays open. */
  async close(): Promise<void> {
    try {
      await this.drain()
    } finally {
      this.#isClosed = true
      this.#target.close()
    }
  }
}

class FileTarget implements Target {
  readonly name: string
  readonly #fd: number
  readonly #isForeign: boolean
  /** We know where it begins, so a torn row can be cut. */
  readonly #canCut: boolean
  #wholeBytes = 0
  #isOpen = true

  /** @param fd one that is open already: written to, neither cut nor closed. */
  constructor(name: string, fd?: number) {
    this.name = name
    try {
      this.#fd = fd ?? openSync(name, 'w', 0o640)
      this.#canCut = fd === undefined && fstatSync(this.#fd).isFile()
    } catch (error) {
      throw writeFault(name, error)
    }
    this.#isForeign = fd !== undefined
  }

  /** Synchronous: a disk has no reader to wait for, and one large write costs less than a turn of the event loop. */
  take(text: string): Promise<boolean> {
    const bytes = Buffer.from(text)
    let at = 0
    try {
      while (at < bytes.length) at += writeSync(this.#fd, bytes, at)
    } catch (error) {
      if (errorCode(error) === 'EPIPE') return Promise.resolve(false)
      this.#cutTornRow(bytes.subarray(0, at))
      return Promise.reject(writeFault(this.name, error))
    }
    this.#wholeBytes += bytes.length
    return Promise.resolve(true)
  }

  #cutTornRow(written: Uint8Array): void {
    if (!this.#canCut) return
    try {
      ftruncateSync(this.#fd, this.#wholeBytes + written.lastIndexOf(NEWLINE) + 1)
    } catch {
      // The write's own fault is the one to report.
    }
  }

  close(): void {
    if (this.#isOpen && !this.#isForeign) closeSync(this.#fd)
    this.#isOpen = false
  }
}

class StreamTarget implements Target {
  readonly name: string
  readonly #stream: Writable
  #fault: unknown = null
  readonly #onError = (error: unknown): void => {
    this.#fault ??= error
  }

  constructor(stream: Writable, name: string) {
    this.name = name
    this.#stream = stream
    // Without a listener a broken pipe would end the process with a stack trace, and later than the write it belongs to.
    stream.on('error', this.#onError)
  }

  async take(text: string): Promise<boolean> {
    if (this.#fault === null && this.#stream.writable) {
      try {
        const error = await new Promise<Error | null | undefined>((resolve) => this.#stream.write(text, resolve))
        this.#fault ??= error ?? null
      } catch (error) {
        // A synchronous stream may throw where others call back.
        this.#fault ??= error
      }
    }
    if (this.#fault === null) return this.#stream.writable
    if (isGone(this.#fault)) return false
    throw writeFault(this.name, this.#fault)
  }

  close(): void {
    // The listener stays: a late EPIPE must not surface as a crash after the last row.
  }
}

/** The reader closed its end, before or while we wrote. */
function isGone(error: unknown): boolean {
  return ['EPIPE', 'ECONNRESET', 'ERR_STREAM_DESTROYED', 'ERR_STREAM_WRITE_AFTER_END'].includes(errorCode(error))
}
