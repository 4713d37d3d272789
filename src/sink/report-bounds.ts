/**
 * How many reports are kept, how long, and in how much room: the oldest go first.
 *
 * In:  the folder of reports, limits, each report or slice that is written. Out: files removed; counters.
 * Not: what replay writes, which is kept whole.
 *
 * A report and all that lies beside it under its name (pictures, what the alert line had no room for, packets) is one thing: it is counted, and goes, together.
 * The invariant: only what is ours is removed: Markdown, pictures and JSON with our mark inside, and the packets of that very name.
 */
import { existsSync, readdirSync, rmdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { DAY_FOLDER, isOurs, type WrittenReport } from './report-folder.ts'
import { SLICE_ENDINGS, SLICE_FACTS_ENDING, stemOfFacts } from './slice-file.ts'

export interface ReportLimits {
  countMax: number
  ageMaxMs: number
  bytesMax: number
}

interface Kept {
  day: string
  stem: string
  bytes: number
  /** Of those, the packets'. */
  sliceBytes: number
  /** What lies there but for the packets, as far as it is known. */
  names: readonly string[]
  writtenMs: number
}

export class ReportBounds {
  readonly counters = { removed: 0, notRemoved: 0 }
  readonly #folder: string
  #limits: ReportLimits
  /** By day and stem, the least recently written first. */
  readonly #kept = new Map<string, Kept>()
  #bytes = 0

  constructor(folder: string, limits: ReportLimits) {
    this.#folder = folder
    this.#limits = limits
  }

  get count(): number {
    return this.#kept.size
  }

  get bytes(): number {
    return this.#bytes
  }

  limit(limits: ReportLimits): void {
    this.#limits = limits
  }

  /** Takes stock of what earlier runs left. Names only: what is inside is looked at before anything is removed. */
  scan(): void {
    this.#kept.clear()
    this.#bytes = 0
    const found = list(this.#folder)
      .filter((day) => DAY_FOLDER.test(day))
      .flatMap((day) => this.#reportsOf(day))
    found.sort((a, b) => a.writtenMs - b.writtenMs)
    for (const kept of found) this.#note(kept)
  }

  #reportsOf(day: string): Kept[] {
    const names = list(join(this.#folder, day))
    const reports = new Map(
      stemsIn(names).map((stem) => [
        stem,
        { day, stem, bytes: 0, sliceBytes: this.#sliceBytes(day, stem), names: [] as string[], writtenMs: 0 },
      ]),
    )
    for (const name of names) {
      const report = reports.get(stemOf(name, reports))
      if (report === undefined) continue
      const { size, mtimeMs } = facts(join(this.#folder, day, name))
      report.bytes += size
      if (!isSlice(name, report.stem)) report.names.push(name)
      report.writtenMs = Math.max(report.writtenMs, mtimeMs)
    }
    return [...reports.values()]
  }

  /**
   * A report was written, perhaps once more.
   * @param files what was; absent: looked for in its folder, which takes time where there are thousands.
   */
  written(day: string, stem: string, nowMs: number, files?: Pick<WrittenReport, 'names' | 'bytes'>): void {
    const kept = this.#kept.get(`${day}/${stem}`)
    const { names, bytes } =
      files !== undefined && kept?.names.every((name) => files.names.includes(name)) !== false ? files : this.#look(day, stem)
    const sliceBytes = kept?.sliceBytes ?? this.#sliceBytes(day, stem)
    this.#note({ day, stem, bytes: bytes + sliceBytes, sliceBytes, names, writtenMs: nowMs })
    this.enforce(nowMs)
  }

  #look(day: string, stem: string): Pick<WrittenReport, 'names' | 'bytes'> {
    const names = this.#filesOf(day, stem).filter((name) => !isSlice(name, stem))
    return { names, bytes: names.reduce((sum, name) => sum + facts(join(this.#folder, day, name)).size, 0) }
  }

  /** Packets were written beside a report, which may not be there yet. Looks at their files alone: there may be thousands of others. */
  sliced(day: string, stem: string, nowMs: number): void {
    const kept = this.#kept.get(`${day}/${stem}`)
    const sliceBytes = this.#sliceBytes(day, stem)
    const bytes = (kept?.bytes ?? 0) - (kept?.sliceBytes ?? 0) + sliceBytes
    this.#note({ day, stem, bytes, sliceBytes, names: kept?.names ?? [], writtenMs: nowMs })
    this.enforce(nowMs)
  }

  #sliceBytes(day: string, stem: string): number {
    return [...SLICE_ENDINGS, SLICE_FACTS_ENDING].reduce((sum, ending) => sum + facts(join(this.#folder, day, `${stem}${ending}`)).size, 0)
  }

  /** Removes what is too old or too much. */
  enforce(nowMs: number): void {
    const { countMax, ageMaxMs, bytesMax } = this.#limits
    for (const [key, kept] of this.#kept) {
      const isTooMuch = this.#kept.size > countMax || this.#bytes > bytesMax
      if (!isTooMuch && nowMs - kept.writtenMs <= ageMaxMs) return
      this.#kept.delete(key)
      this.#bytes -= kept.bytes
      this.#remove(kept)
    }
  }

  #note(kept: Kept): void {
    const key = `${kept.day}/${kept.stem}`
    this.#bytes += kept.bytes - (this.#kept.get(key)?.bytes ?? 0)
    this.#kept.delete(key)
    this.#kept.set(key, kept)
  }

  #filesOf(day: string, stem: string): string[] {
    const names = list(join(this.#folder, day))
    const stems = new Set(stemsIn(names))
    return names.filter((name) => name.startsWith(stem) && stemOf(name, stems) === stem)
  }

  /** The report last: what is left of one that could not be removed whole still has its mark. */
  #remove({ day, stem, names }: Kept): void {
    const folder = join(this.#folder, day)
    // Of a slice whose report was never written, its facts say whose it is.
    const mark = existsSync(join(folder, `${stem}.md`)) ? `${stem}.md` : `${stem}${SLICE_FACTS_ENDING}`
    if (mark.endsWith('.md') ? !isOurs(folder, mark) : stemOfFacts(folder, mark) !== stem) return
    try {
      const isBeside = (name: string): boolean =>
        isSlice(name, stem) ? !name.endsWith('.json') || stemOfFacts(folder, name) === stem : isOurs(folder, name)
      const beside = [...names, ...SLICE_NAMES.map((ending) => `${stem}${ending}`)].filter((name) => name !== mark && isBeside(name))
      for (const name of [...beside, mark]) rmSync(join(folder, name), { force: true })
      this.counters.removed++
    } catch {
      this.counters.notRemoved++
    }
    removeIfEmpty(folder)
  }
}

function stemsIn(names: readonly string[]): string[] {
  const stems = ['.md', SLICE_FACTS_ENDING].flatMap((ending) =>
    names.filter((name) => name.endsWith(ending)).map((name) => name.slice(0, -ending.length)),
  )
  return [...new Set(stems)]
}

/** The report that a file lies beside; '' for none. Stems may have dots: the longest one that there is a report of. */
function stemOf(name: string, stems: { has(stem: string): boolean }): string {
  for (let dot = name.lastIndexOf('.'); dot > 0; dot = name.lastIndexOf('.', dot - 1)) {
    if (stems.has(name.slice(0, dot))) return name.slice(0, dot)
  }
  return ''
}

/** A slice's files, and one on its way. */
const SLICE_NAMES = [...SLICE_ENDINGS, '.pcap.new', SLICE_FACTS_ENDING]

/** Packets have no room for a mark: their name is. */
function isSlice(name: string, stem: string): boolean {
  return SLICE_NAMES.some((ending) => name === `${stem}${ending}`)
}

function facts(path: string): { size: number; mtimeMs: number } {
  return statSync(path, { throwIfNoEntry: false }) ?? { size: 0, mtimeMs: 0 }
}

/** What cannot be read is not there for us: the next write will say why. */
function list(path: string): string[] {
  try {
    return readdirSync(path)
  } catch {
    return []
  }
}

function removeIfEmpty(folder: string): void {
  try {
    rmdirSync(folder)
  } catch {
    // Not empty.
  }
}
