/**
 * alerts.jsonl: one alert event a line, the record of truth.
 *
 * In:  lines without their newline. Out: the file; a `RunError` with path and remedy when it cannot be written.
 * Not: patience. A live run's lines wait in a queue (delivery-queue.ts) while the disk does not take them.
 *
 * The invariant: the file ends with a whole line, whatever happens: a line that does not fit is taken back, and a
 * torn one that a crash left is cut off when the log is opened to append.
 */
import { closeSync, fdatasyncSync, fstatSync, fsyncSync, ftruncateSync, mkdirSync, openSync, readSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import { RunError } from '../base/errors.ts'
import { writeFault } from './write-fault.ts'

/** Replay replaces what an earlier replay left; a live run goes on. */
export type AlertLogMode = 'replace' | 'append'

const NEWLINE = 0x0a

export class AlertLog {
  readonly path: string
  /** Bytes of a torn last line that were cut off at opening. */
  readonly repairedBytes: number
  readonly #fd: number
  readonly #isDurable: boolean
  /** Where the last whole line ends; null for what has no length (a pipe, a terminal). */
  #wholeBytes: number | null
  #isOpen = true

  /** @throws RunError when the file cannot be opened, or is no alert log. */
  constructor(path: string, mode: AlertLogMode) {
    this.path = path
    this.#isDurable = mode === 'append'
    this.#fd = open(path, mode)
    try {
      const stat = fstatSync(this.#fd)
      const torn = mode === 'append' && stat.isFile() ? tornBytes(this.#fd, stat.size, path) : 0
      if (torn > 0) ftruncateSync(this.#fd, stat.size - torn)
      this.repairedBytes = torn
      this.#wholeBytes = stat.isFile() ? stat.size - torn : null
    } catch (error) {
      closeSync(this.#fd)
      throw error instanceof RunError ? error : writeFault(path, error)
    }
  }

  /** Appends one line. When this throws, the file is as it was before. */
  write(line: string): void {
    this.writeBatch([line])
  }

  /** Appends lines with one flush to the disk for all of them. When this throws, the file is as it was before. */
  writeBatch(lines: readonly string[]): void {
    if (!this.#isOpen) throw new Error(`${this.path} is closed`)
    const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(''))
    try {
      for (let at = 0; at < bytes.length; ) at += writeSync(this.#fd, bytes, at)
      // An alert is rare, and must outlive a power cut; a replay can be run again.
      if (this.#isDurable && this.#wholeBytes !== null) fdatasyncSync(this.#fd)
    } catch (error) {
      this.#takeBack()
      throw writeFault(this.path, error)
    }
    if (this.#wholeBytes !== null) this.#wholeBytes += bytes.length
  }

  #takeBack(): void {
    if (this.#wholeBytes === null) return
    try {
      ftruncateSync(this.#fd, this.#wholeBytes)
    } catch {
      // The write's own fault is the one to report; the torn line is cut when the log is opened next.
    }
  }

  close(): void {
    if (!this.#isOpen) return
    this.#isOpen = false
    try {
      // What is durable was flushed line by line.
      if (this.#wholeBytes !== null && !this.#isDurable) fsyncSync(this.#fd)
    } catch (error) {
      throw writeFault(this.path, error)
    } finally {
      closeSync(this.#fd)
    }
  }
}

function open(path: string, mode: AlertLogMode): number {
  try {
    mkdirSync(dirname(path), { recursive: true })
    // 'a+' reads too: the end is looked at for a torn line.
    return openSync(path, mode === 'replace' ? 'w' : 'a+', 0o640)
  } catch (error) {
    throw writeFault(path, error)
  }
}

const TAIL_LEN = 64 * 1024

/** How many bytes after the last newline: a line that was being written when the sensor died. */
function tornBytes(fd: number, size: number, path: string): number {
  const tail = Buffer.alloc(Math.min(size, TAIL_LEN))
  readSync(fd, tail, 0, tail.length, size - tail.length)
  const torn = tail.length - (tail.lastIndexOf(NEWLINE) + 1)
  // Lines are shorter than the tail and begin with a brace: anything else is not ours to cut.
  const isOurs = torn === 0 || (torn < LINE_BYTES_MAX && tail[tail.length - torn] === 0x7b)
  if (!isOurs)
    throw new RunError(`cannot append to ${path}: its end is no alert line. Move the file away, or choose another folder with -l`)
  return torn
}

/** A line is under 64 KiB (REPORT.md section 4). */
const LINE_BYTES_MAX = TAIL_LEN
