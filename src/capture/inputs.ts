/**
 * The captures that a command was given, as one stretch of time: files, folders and rotating files, one after the other.
 *
 * In:  paths as given: files keep their order; a folder stands for its captures, by the time of their first packet, then by name.
 * Out: `CaptureChain`, a reader over all of them, so that flows live on from file to file.
 * Not: subfolders, unless asked; what is no capture in a folder is passed over with a note. A file that cannot be read, and one
 *      named by the user that is no capture, is a failure; the others are read all the same.
 */
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { u32le } from '../base/bytes.ts'
import { RunError } from '../base/errors.ts'
import type { ByteSource } from './byte-source.ts'
import { NotACapture, type OpenCapture, openCapture } from './open.ts'
import type { CaptureReader, Damage } from './reader.ts'
import { REC_NSEC, REC_SEC, type Slab } from './slab.ts'

const STANDARD_INPUT = '-'

/** An input that gave nothing; one line with its path. */
export interface InputFailure {
  path: string
  message: string
}

export interface InputFile {
  path: string
  /** null when it cannot be known (a pipe). */
  sizeBytes: number | null
}

export interface InputList {
  files: InputFile[]
  /** What was passed over, one line each. */
  notes: string[]
  failures: InputFailure[]
}

export interface ExpandOptions {
  /** Follow subfolders. */
  isRecursive?: boolean
}

export async function expandInputs(paths: readonly string[], options: ExpandOptions = {}): Promise<InputList> {
  const list: InputList = { files: [], notes: [], failures: [] }
  for (const path of paths) {
    const kind = await kindOf(path)
    if (kind.isFolder) await expandFolder(path, options.isRecursive ?? false, list)
    // What does not exist fails when it is opened, with the message of any other file.
    else list.files.push({ path, sizeBytes: kind.sizeBytes })
  }
  return list
}

interface PathKind {
  isFolder: boolean
  isFile: boolean
  sizeBytes: number | null
}

async function kindOf(path: string): Promise<PathKind> {
  if (path === STANDARD_INPUT) return { isFolder: false, isFile: false, sizeBytes: null }
  try {
    const found = await stat(path)
    return { isFolder: found.isDirectory(), isFile: found.isFile(), sizeBytes: found.isFile() ? found.size : null }
  } catch {
    return { isFolder: false, isFile: false, sizeBytes: 0 }
  }
}

interface TimedFile extends InputFile {
  /** Of the first packet; -1 for a capture without packets. */
  sec: number
  nsec: number
}

async function expandFolder(folder: string, isRecursive: boolean, list: InputList): Promise<void> {
  const found: TimedFile[] = []
  const failuresBefore = list.failures.length
  await collect(folder, isRecursive, found, list)
  found.sort((a, b) => a.sec - b.sec || a.nsec - b.nsec || compareNames(a.path, b.path))
  for (const { path, sizeBytes } of found) list.files.push({ path, sizeBytes })
  if (found.length === 0 && list.failures.length === failuresBefore)
    list.failures.push({ path: folder, message: `${folder}: no capture file in this folder` })
}

async function collect(folder: string, isRecursive: boolean, found: TimedFile[], list: InputList): Promise<void> {
  let names: string[]
  try {
    names = await readdir(folder)
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? String(error)
    list.failures.push({ path: folder, message: `${folder}: the folder cannot be read (${code})` })
    return
  }
  for (const name of names.sort(compareNames)) {
    const path = join(folder, name)
    const kind = await kindOf(path)
    if (kind.isFolder) {
      if (isRecursive) await collect(path, isRecursive, found, list)
      else list.notes.push(`${path}: a subfolder, passed over`)
    } else if (!kind.isFile) {
      list.notes.push(`${path}: not a regular file, passed over`)
    } else {
      await lookInside(path, kind.sizeBytes, found, list)
    }
  }
}

async function lookInside(path: string, sizeBytes: number | null, found: TimedFile[], list: InputList): Promise<void> {
  let capture: OpenCapture | null = null
  try {
    capture = await openCapture(path)
    const slab = await capture.reader.next()
    const sec = slab === null ? -1 : u32le(slab.bytes, slab.start + REC_SEC)
    const nsec = slab === null ? 0 : u32le(slab.bytes, slab.start + REC_NSEC)
    found.push({ path, sizeBytes, sec, nsec })
  } catch (error) {
    if (error instanceof NotACapture) list.notes.push(`${error.message}; passed over`)
    else if (error instanceof RunError) list.failures.push({ path, message: error.message })
    else throw error
  } finally {
    await capture?.bytes.close()
  }
}

/** By code unit: the same order on every machine. */
function compareNames(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

export class CaptureChain implements CaptureReader {
  /** One for each damaged file, in order; everything before the damage was handed on. */
  readonly damages: Damage[] = []
  readonly notes: string[]
  /** Files that gave nothing, or broke off by a fault of the disk. */
  readonly failures: InputFailure[]
  readonly #files: readonly InputFile[]
  #nextFile = 0
  #bytes: ByteSource | null = null
  #reader: CaptureReader | null = null
  /** Of the files that are done. */
  #doneBytes = 0
  #currentPath = ''

  constructor(list: InputList) {
    this.#files = list.files
    this.notes = [...list.notes]
    this.failures = [...list.failures]
  }

  /** The last one found. */
  get damage(): Damage | null {
    return this.damages.at(-1) ?? null
  }

  get currentPath(): string {
    return this.#currentPath
  }

  get offset(): number {
    return this.#reader?.offset ?? 0
  }

  /** Octets read from disk or pipe, for progress. */
  get doneBytes(): number {
    return this.#doneBytes + (this.#bytes?.doneBytes ?? 0)
  }

  /** null when a pipe is among the inputs. */
  get totalBytes(): number | null {
    let sum = 0
    for (const { sizeBytes } of this.#files) {
      if (sizeBytes === null) return null
      sum += sizeBytes
    }
    return sum
  }

  async next(): Promise<Slab | null> {
    for (;;) {
      if (this.#reader === null && !(await this.#openNext())) return null
      const slab = await this.#read()
      if (slab !== null) return slab
      await this.close()
    }
  }

  /** Ends the file at hand. */
  async close(): Promise<void> {
    const bytes = this.#bytes
    if (bytes === null) return
    this.#doneBytes += bytes.doneBytes
    this.#bytes = null
    this.#reader = null
    await bytes.close()
  }

  /** False when no file is left. One that cannot be opened is noted, and `#reader` stays null. */
  async #openNext(): Promise<boolean> {
    while (this.#nextFile < this.#files.length) {
      const file = this.#files[this.#nextFile++]
      this.#currentPath = file.path
      try {
        const { bytes, reader } = await openCapture(file.path)
        this.#bytes = bytes
        this.#reader = reader
        return true
      } catch (error) {
        this.#noteFailure(file.path, error)
        this.#doneBytes += file.sizeBytes ?? 0
      }
    }
    return false
  }

  async #read(): Promise<Slab | null> {
    const reader = this.#reader
    if (reader === null) return null
    try {
      const slab = await reader.next()
      if (slab === null && reader.damage !== null) this.damages.push(reader.damage)
      return slab
    } catch (error) {
      this.#noteFailure(this.#currentPath, error)
      return null
    }
  }

  #noteFailure(path: string, error: unknown): void {
    if (!(error instanceof RunError)) throw error
    this.failures.push({ path, message: error.message })
  }
}
