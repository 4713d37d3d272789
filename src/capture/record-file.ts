/**
 * A file of flow records, record by record: CSV with a header, Zeek's tab-separated log, or JSON objects.
 *
 * In:  a path (plain, .gz, .zst, or '-' for standard input); the format, when the user names one.
 * Out: raw records in blocks: the names of the columns, the cells as text, the line. Damaged lines are counted with place and reason.
 * Not: what a column means, and no time order. A line that is no record never ends the reading.
 * The invariant: streaming; memory is a chunk, whatever the file's size.
 */
import { RunError } from '../base/errors.ts'
import { printableCut } from '../base/printable.ts'
import { type ByteSource, openBytes, StreamDamage } from './byte-source.ts'
import { csvCells } from './csv-line.ts'
import { nameFileKind } from './file-kind.ts'
import { JsonObjects, type JsonText } from './json-objects.ts'
import { formatOfNames, RECORD_FORMATS, type RecordFormatName } from './record-format.ts'
import { type TextLine, textLines } from './text-lines.ts'

/** The names of the columns, one object for all records that share them. */
export interface RecordHeader {
  format: RecordFormatName
  names: readonly string[]
  /** What stands in a cell for "was not there", beside nothing at all. */
  unset: string | null
}

export interface RawRecord {
  header: RecordHeader
  /** As many as names. */
  cells: readonly string[]
  /** From 1. */
  line: number
}

/** Where and why something in a file was not used. */
export interface RecordFault {
  path: string
  line: number
  /** Name of the column at fault; '' when it is the whole line. */
  column: string
  why: string
}

/** Faults told one by one; the others are counted. */
const FAULTS_TOLD_MAX = 20
const SHOWN_LEN_MAX = 60
const CAPTURE_MAGICS = ['d4c3b2a1', 'a1b2c3d4', '4d3cb2a1', 'a1b23c4d', '0a0d0d0a', '34cdb2a1', 'a1b2cd34']
const SNIFFED_LINES_MAX = 50
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what tells that this is no text
const NOT_TEXT = /[\u0000-\u0008\u000e-\u001f\ufffd]/

/** The faults of all files of a run: the first ones, and how many. */
export class RecordFaults {
  readonly told: RecordFault[] = []
  count = 0

  add(fault: RecordFault): void {
    this.count++
    if (this.told.length < FAULTS_TOLD_MAX) this.told.push(fault)
  }
}

/** `conn.log:12: column 'duration': 'abc' is no number` */
export function describeFault({ path, line, column, why }: RecordFault): string {
  return `${path}:${line}: ${column === '' ? '' : `column '${column}': `}${why}`
}

export class RecordFile {
  readonly path: string
  readonly #source: ByteSource
  readonly #faults: RecordFaults
  readonly #from: RecordFormatName | null
  #layout: Layout | null = null
  #sniffed = 0

  private constructor(source: ByteSource, faults: RecordFaults, from: RecordFormatName | null) {
    this.path = source.path
    this.#source = source
    this.#faults = faults
    this.#from = from
  }

  /** @throws RunError when the file cannot be opened. */
  static async open(path: string, faults: RecordFaults, from: RecordFormatName | null = null): Promise<RecordFile> {
    try {
      return new RecordFile(await openBytes(path), faults, from)
    } catch (error) {
      if (error instanceof RunError && error.message.includes('is a directory'))
        throw new RunError(`${path}: is a directory; name the files in it`)
      throw error
    }
  }

  get totalBytes(): number | null {
    return this.#source.totalBytes
  }

  get doneBytes(): number {
    return this.#source.doneBytes
  }

  close(): Promise<void> {
    return this.#source.close()
  }

  /** Blocks of records to the end of the file. @throws RunError when it holds no flow records. */
  async *records(): AsyncGenerator<RawRecord[]> {
    let lastLine = 0
    try {
      for await (const lines of textLines(this.#source)) {
        lastLine = lines[lines.length - 1].number
        const records = lines.flatMap((line) => this.#take(line))
        if (records.length > 0) yield records
      }
    } catch (error) {
      if (!(error instanceof StreamDamage)) throw error
      this.#fault(lastLine + 1, error.message)
    }
    for (const object of this.#layout?.objects?.end() ?? []) this.#fault(object.number, object.why)
    // A header alone is an empty log, which is a fact; a file without one is not a log.
    if (this.#layout === null) throw this.#notRecords(lastLine === 0 ? 'the file is empty' : 'no line in it is a header of flow records')
  }

  #take(line: TextLine): RawRecord[] {
    if (this.#layout?.objects) return this.#takeJson(this.#layout.objects, line)
    if (line.text === null) {
      if (this.#layout === null) throw this.#notRecords('its first line is longer than any header')
      this.#fault(line.number, 'the line is too long for a flow record')
      return []
    }
    if (this.#layout === null) return this.#begin(line, line.text)
    return this.#takeLine(this.#layout, line.number, line.text)
  }

  /** The lines before the first record: a header, or what a record needs none for. */
  #begin(line: TextLine, text: string): RawRecord[] {
    if (this.#sniffed === 0) this.#refuseOther(text)
    if (text.trim() === '') return []
    if (++this.#sniffed > SNIFFED_LINES_MAX) throw this.#notRecords(`its first ${SNIFFED_LINES_MAX} lines hold no header of flow records`)
    if (text.startsWith('#')) {
      this.#layout = this.#zeekLayout(text)
      return []
    }
    if (/^\s*[[{]/.test(text)) {
      this.#layout = { objects: new JsonObjects(), headers: new Map() }
      return this.#take(line)
    }
    const names = csvCells(text)
    const format = names === null ? null : (this.#from ?? formatOfNames(names))
    if (names === null || format === null) throw this.#notRecords(`its first line is no header that I know: '${shown(text)}'`, line.number)
    this.#layout = { header: { format, names, unset: null }, split: csvCells, headers: new Map() }
    return []
  }

  #refuseOther(text: string): void {
    const bytes = Buffer.from(text.slice(0, 4), 'latin1').toString('hex')
    // The first octets of a capture are no UTF-8; their replacement still tells.
    if (CAPTURE_MAGICS.includes(bytes) || /^(\ufffd\ufffd\ufffd\ufffd|\ufffdò\ufffd|\ufffd\u00f2|\n\r\r\n)/.test(text))
      throw new RunError(
        `${this.path}: looks like a packet capture; judge it with 'flowscribe replay', or meter it with 'flowscribe flows'`,
      )
    const kind = nameFileKind(Buffer.from(text.slice(0, 64), 'latin1'), 0, Math.min(64, text.length))
    if (NOT_TEXT.test(text)) throw this.#notRecords(kind === '' ? 'it is not text' : `it is ${kind}`)
  }

  #zeekLayout(text: string): Layout | null {
    // '#separator \x09' comes first, '#fields' names the columns; what stands between says how cells are written.
    const match = /^#fields\s(.+)$/.exec(text)
    if (match === null) {
      const separator = /^#separator (.+)$/.exec(text)
      if (separator !== null) this.#separator = unescapedHex(separator[1])
      const unset = /^#unset_field.(.*)$/.exec(text)
      if (unset !== null) this.#unset = unset[1]
      return null
    }
    const names = match[1].split(this.#separator)
    const format = this.#from ?? formatOfNames(names)
    if (format !== 'zeek')
      throw this.#notRecords(`it is a Zeek log of something else: it has no id.orig_h, id.resp_h and proto but '${shown(names.join(' '))}'`)
    const separator = this.#separator
    return { header: { format, names, unset: this.#unset }, split: (line) => line.split(separator), headers: new Map() }
  }

  #separator = '\t'
  #unset = '-'

  #takeLine(layout: Layout, number: number, text: string): RawRecord[] {
    if (text.trim() === '' || layout.header === undefined || layout.split === undefined || layout.isOver) return []
    if (text.startsWith('#')) {
      // A log that was rotated and joined again brings its header with it.
      if (text.startsWith('#fields')) this.#layout = this.#zeekLayout(text)
      return []
    }
    // nfdump ends its list with totals, under a header of their own.
    if (layout.header.format === 'nfdump' && /^(Summary|No matching flows)$/.test(text.trim())) {
      layout.isOver = true
      return []
    }
    const cells = layout.split(text)
    if (cells === null) return this.#fault(number, 'a quote is not closed')
    const { names } = layout.header
    // Joined files repeat the header.
    if (cells.length === names.length && cells.every((cell, i) => cell === names[i])) return []
    // Old editions of nfdump add a column to the lines that their header lacks.
    const isLonger = cells.length > names.length && layout.header.format === 'nfdump'
    if (cells.length !== names.length && !isLonger)
      return this.#fault(
        number,
        `${cells.length} cells where the header names ${names.length}${cells.length < names.length ? ' (cut short?)' : ''}`,
      )
    return [{ header: layout.header, cells, line: number }]
  }

  #takeJson(objects: JsonObjects, line: TextLine): RawRecord[] {
    return objects.take(line).flatMap((object) => this.#jsonRecord(object))
  }

  #jsonRecord({ number, text, why }: JsonText): RawRecord[] {
    if (text === null) return this.#fault(number, why)
    let value: unknown
    try {
      value = JSON.parse(text)
    } catch {
      return this.#fault(number, 'not JSON')
    }
    const flat = flattened(value)
    const names = [...flat.keys()]
    const header = this.#jsonHeader(names)
    if (header === null) {
      const known = RECORD_FORMATS.map(({ name }) => name).join(', ')
      return this.#fault(number, `an object of none of the formats ${known}: its keys are '${shown(names.join(' '))}'`)
    }
    return [{ header, cells: [...flat.values()], line: number }]
  }

  /** Records with the same keys share a header. */
  #jsonHeader(names: readonly string[]): RecordHeader | null {
    const headers = this.#layout?.headers ?? new Map<string, RecordHeader>()
    const key = names.join('\n')
    const known = headers.get(key)
    if (known !== undefined) return known
    const format = this.#from ?? formatOfNames(names)
    if (format === null) return null
    // Exporters leave out what a record has not: some dozens of combinations, never thousands.
    if (headers.size >= HEADERS_MAX) headers.clear()
    const header = { format, names, unset: null }
    headers.set(key, header)
    return header
  }

  #fault(line: number, why: string): [] {
    this.#faults.add({ path: this.path, line, column: '', why })
    return []
  }

  #notRecords(why: string, line?: number): RunError {
    const place = line === undefined ? this.path : `${this.path}:${line}`
    const formats = RECORD_FORMATS.map(({ name, what }) => `${name} (${what})`).join(', ')
    return new RunError(
      `${place}: no flow records: ${why}; known are ${formats}; name the format with --from when the header has other words`,
    )
  }
}

const HEADERS_MAX = 1024

interface Layout {
  header?: RecordHeader
  split?: (line: string) => string[] | null
  objects?: JsonObjects
  headers: Map<string, RecordHeader>
  /** The records end before the file does. */
  isOver?: boolean
}

/** Nested objects as dotted names (`id.orig_h`); null and lists of nothing are left out: they were not there. */
function flattened(value: unknown): Map<string, string> {
  const flat = new Map<string, string>()
  const walk = (part: unknown, prefix: string, depth: number): void => {
    if (part === null || part === undefined) return
    if (typeof part === 'object' && !Array.isArray(part) && depth < 3) {
      for (const [name, item] of Object.entries(part)) walk(item, prefix === '' ? name : `${prefix}.${name}`, depth + 1)
    } else if (prefix !== '') flat.set(prefix, typeof part === 'object' ? JSON.stringify(part) : String(part))
  }
  walk(value, '', 0)
  return flat
}

function unescapedHex(text: string): string {
  const hex = /^\\x([0-9a-f]{2})$/i.exec(text.trim())
  return hex === null ? text.trim() : String.fromCharCode(Number.parseInt(hex[1], 16))
}

function shown(text: string): string {
  return printableCut(text, SHOWN_LEN_MAX)
}
