/**
 * The cells of one raw record, read by name.
 *
 * In:  a raw record. Out: text and numbers; null where the record has none. What should be a number and is none is the record's fault.
 * Not: names' meanings. One reader is moved from record to record.
 */
import { printableCut } from '../../base/printable.ts'
import type { RawRecord, RecordHeader } from '../../capture/record-file.ts'
import { type RecordTime, recordTime } from './record-time.ts'

/** What writers put where nothing was measured. A rate over no time is Infinity in CICFlowMeter's files. */
const NOTHING = new Set(['', 'nan', 'null', 'none', 'inf', 'infinity', '-infinity', '<none>', 'n/a', '(empty)'])
const SHOWN_LEN_MAX = 40

export interface CellFault {
  column: string
  why: string
}

export class Cells {
  /** The first thing found wrong with the record at hand. */
  fault: CellFault | null = null
  #cells: readonly string[] = []
  #header: RecordHeader = { format: 'cic', names: [], unset: null }
  #columns: ReadonlyMap<string, number> = new Map()
  readonly #known = new WeakMap<RecordHeader, ReadonlyMap<string, number>>()

  moveTo(record: RawRecord): this {
    this.fault = null
    this.#cells = record.cells
    if (record.header !== this.#header) {
      this.#header = record.header
      this.#columns = this.#known.get(record.header) ?? columnsOf(record.header)
      this.#known.set(record.header, this.#columns)
    }
    return this
  }

  has(...names: readonly string[]): boolean {
    return names.some((name) => this.#columns.has(name))
  }

  /** The first of these columns that holds something. Names in lower case. */
  text(...names: readonly string[]): string | null {
    for (const name of names) {
      const at = this.#columns.get(name)
      if (at === undefined) continue
      const cell = this.#cells[at]
      if (cell !== this.#header.unset && !NOTHING.has(cell.length > 9 ? cell : cell.toLowerCase())) return cell
    }
    return null
  }

  number(...names: readonly string[]): number | null {
    const text = this.text(...names)
    if (text === null) return null
    const value = Number(text)
    if (Number.isFinite(value)) return value
    this.#fail(names, `'${printableCut(text, SHOWN_LEN_MAX)}' is no number`)
    return null
  }

  /** A number that cannot be negative; CICFlowMeter's -1 stands for nothing. */
  count(...names: readonly string[]): number | null {
    const value = this.number(...names)
    if (value === null || value === -1) return null
    if (value >= 0 && value <= Number.MAX_SAFE_INTEGER) return value
    this.#fail(names, `${value} cannot be a count`)
    return null
  }

  port(...names: readonly string[]): number | null {
    const value = this.count(...names)
    if (value === null || (value <= 65_535 && Number.isInteger(value))) return value
    this.#fail(names, `${value} is no port: 0 to 65535`)
    return null
  }

  time(...names: readonly string[]): RecordTime | null {
    const text = this.text(...names)
    if (text === null) return null
    const time = recordTime(text)
    if (time === null) this.#fail(names, `'${printableCut(text, SHOWN_LEN_MAX)}' is no time in a form that I know`)
    return time
  }

  fail(column: string, why: string): null {
    this.fault ??= { column, why }
    return null
  }

  #fail(names: readonly string[], why: string): void {
    const name = names.find((one) => this.#columns.has(one)) ?? names[0]
    this.fault ??= { column: this.#header.names[this.#columns.get(name) ?? 0] ?? name, why }
  }
}

/** Of a name that comes twice the first counts: CICIDS2017's header has one such, and both hold the same. */
function columnsOf(header: RecordHeader): ReadonlyMap<string, number> {
  const columns = new Map<string, number>()
  for (const [i, name] of header.names.entries()) {
    const key = name.trim().toLowerCase()
    if (!columns.has(key)) columns.set(key, i)
  }
  return columns
}
