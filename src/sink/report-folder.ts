/**
 * reports/<day>/<alert id>.md with its pictures beside it, and <alert id>.json for what the alert line had no room for.
 *
 * In:  reports. Out: files that are whole at every moment: each is written beside its place and moved there.
 * Not: ours to touch is only what we wrote: files are known by their names and by a mark inside.
 *
 * A file whose text is that which was written last is left alone: most pictures of an episode stay as they are from one word on it to the next,
 * and making a file costs more than drawing it.
 *
 * The invariant: one report an episode; the latest event wins, and pictures it no longer has are gone.
 */
import { createHash } from 'node:crypto'
import {
  closeSync,
  fstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { BEYOND_MARK } from '../explain/alert-line.ts'
import type { Report } from '../explain/report.ts'
import { removeSlice } from './slice-file.ts'
import { errorCode, writeFault } from './write-fault.ts'

export const DAY_FOLDER = /^(\d{4}-\d\d-\d\d|undated)$/
/** Ends of the names that we write; `.new` is a file on its way. */
const OUR_NAME = /\.(md|svg|json)(\.new)?$/
/** Near the end of a whole report, near the start of any, near the start of a picture. */
const MARKS = {
  reportEnd: 'wrote this report from the alert line alone',
  reportStart: '· confidence stage: ',
  picture: '<!-- drawn by flowscribe -->',
} as const

/** Reports whose files are remembered, the newest; of an older one each file is written again. */
const REMEMBERED_MAX = 20_000

/** What lies there of a report now. */
export interface WrittenReport {
  path: string
  /** The report's file among them. */
  names: readonly string[]
  bytes: number
}

/** By name, what was written: its length in octets and a hash. */
type FilesOfReport = ReadonlyMap<string, { bytes: number; hash: string }>

export class ReportFolder {
  readonly path: string
  readonly #written = new Map<string, FilesOfReport>()

  constructor(path: string) {
    this.path = path
  }

  /** Removes what an earlier replay left here, and nothing else. */
  clear(): void {
    for (const day of listFolder(this.path)) {
      if (!DAY_FOLDER.test(day)) continue
      const folder = join(this.path, day)
      for (const name of listFolder(folder)) {
        removeSlice(folder, name)
        if (isOurs(folder, name)) attempt(join(folder, name), (path) => rmSync(path, { force: true }))
      }
      removeIfEmpty(folder)
    }
  }

  pathOf(report: Pick<Report, 'day' | 'stem'>): string {
    return join(this.path, report.day, `${report.stem}.md`)
  }

  /** Writes a report and its pictures, and what the alert line had no room for. @throws RunError */
  write(report: Report, beyond?: string): WrittenReport {
    const folder = join(this.path, report.day)
    attempt(folder, (path) => mkdirSync(path, { recursive: true, mode: 0o750 }))
    const before = this.#written.get(report.stem)
    const now = new Map<string, { bytes: number; hash: string }>()
    const place = (name: string, text: string): void => {
      const file = { bytes: Buffer.byteLength(text), hash: createHash('sha256').update(text).digest('base64') }
      const path = join(folder, name)
      if (before?.get(name)?.hash !== file.hash || statSync(path, { throwIfNoEntry: false })?.size !== file.bytes) replaceFile(path, text)
      now.set(name, file)
    }
    this.#remember(report.stem, new Map([...(before ?? [])].map(([name, file]) => [name, { ...file, hash: '' }])))
    // Pictures first: a report never names one that is not there yet.
    for (const picture of report.pictures) place(picture.name, picture.svg)
    if (beyond !== undefined) place(`${report.stem}.json`, `${beyond}\n`)
    place(`${report.stem}.md`, report.markdown)
    for (const old of before?.keys() ?? []) if (!now.has(old)) attempt(join(folder, old), (path) => rmSync(path, { force: true }))
    this.#remember(report.stem, now)
    return { path: this.pathOf(report), names: [...now.keys()], bytes: [...now.values()].reduce((sum, { bytes }) => sum + bytes, 0) }
  }

  /** While a report is written, that its files may be others: a fault in between leaves nothing taken for written. */
  #remember(stem: string, files: FilesOfReport): void {
    this.#written.delete(stem)
    this.#written.set(stem, files)
    const [oldest] = this.#written.size > REMEMBERED_MAX ? this.#written.keys() : []
    if (oldest !== undefined) this.#written.delete(oldest)
  }
}

/**
 * Whole or not at all: written beside, then moved over. Not flushed to the disk: that takes a tenth of a second a report, and what a power cut takes `flowscribe report` makes again from the log, which is flushed.
 */
function replaceFile(path: string, text: string): void {
  const beside = `${path}.new`
  try {
    const fd = openSync(beside, 'w', 0o640)
    try {
      writeFileSync(fd, text)
    } finally {
      closeSync(fd)
    }
    renameSync(beside, path)
  } catch (error) {
    discard(beside)
    throw writeFault(path, error)
  }
}

/** The write's own fault is the one to report. */
function discard(path: string): void {
  try {
    rmSync(path, { force: true })
  } catch {
    // Left as `.new`: the next clearing takes it.
  }
}

function attempt(path: string, act: (path: string) => void): void {
  try {
    act(path)
  } catch (error) {
    throw writeFault(path, error)
  }
}

function listFolder(path: string): string[] {
  try {
    return readdirSync(path).sort()
  } catch (error) {
    // Nothing there yet, or a file in the way that the first write will report.
    if (errorCode(error) === 'ENOENT' || errorCode(error) === 'ENOTDIR') return []
    throw writeFault(path, error)
  }
}

function removeIfEmpty(folder: string): void {
  try {
    rmdirSync(folder)
  } catch {
    // Others' files are in it: theirs.
  }
}

const MARK_SEARCH_LEN = 4096

/** Known by name and by a mark inside; a report on its way may have no end yet. */
export function isOurs(folder: string, name: string): boolean {
  const match = OUR_NAME.exec(name)
  if (match === null) return false
  const path = join(folder, name)
  if (match[1] === 'json') return headOf(path).startsWith(BEYOND_MARK)
  if (match[1] === 'svg') return headOf(path).includes(MARKS.picture)
  return headOf(path).includes(MARKS.reportStart) && (match[2] !== undefined || tailOf(path).includes(MARKS.reportEnd))
}

function headOf(path: string): string {
  return partOf(path, () => 0)
}

function tailOf(path: string): string {
  return partOf(path, (size) => Math.max(0, size - MARK_SEARCH_LEN))
}

function partOf(path: string, startOf: (size: number) => number): string {
  try {
    const fd = openSync(path, 'r')
    try {
      const stat = fstatSync(fd)
      if (!stat.isFile()) return ''
      const part = Buffer.alloc(MARK_SEARCH_LEN)
      return part.toString('utf8', 0, readSync(fd, part, 0, part.length, startOf(stat.size)))
    } finally {
      closeSync(fd)
    }
  } catch {
    // Not readable: not known to be ours.
    return ''
  }
}
