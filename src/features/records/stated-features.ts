/**
 * The features that a record states itself, under our names.
 *
 * In:  a raw record of CICFlowMeter's, NetFlow's or our own columns. Out: numbers by our names, null where the cell is empty.
 * Not: kept ready: a record holds some hundred cells, and few records are ever reported.
 */
import type { RawRecord, RecordHeader } from '../../capture/record-file.ts'
import type { Measured } from '../../flow/flow.ts'
import { columnNamed } from '../aliases.ts'
import { WINDOW_COLUMNS } from '../netflow.ts'

interface StatedColumn {
  at: number
  name: string
  unit: number
  isWindow: boolean
}

const plans = new WeakMap<RecordHeader, readonly StatedColumn[]>()

export function statedFeatures({ header, cells }: RawRecord): Record<string, Measured> {
  return statedNumbers(planOf(header), cells, false)
}

export function statedWindow({ header, cells }: RawRecord): Record<string, Measured> {
  return statedNumbers(planOf(header), cells, true)
}

function statedNumbers(plan: readonly StatedColumn[], cells: readonly string[], isWindow: boolean): Record<string, Measured> {
  return Object.fromEntries(
    plan.filter((column) => column.isWindow === isWindow).map(({ at, name, unit }) => [name, measured(cells[at], unit)]),
  )
}

function measured(cell: string, unit: number): Measured {
  if (cell === '') return null
  const value = Number(cell)
  return Number.isFinite(value) ? value * unit : null
}

function planOf(header: RecordHeader): readonly StatedColumn[] {
  const known = plans.get(header)
  if (known !== undefined) return known
  const seen = new Set<string>()
  const plan = header.names.flatMap((spelling, at): StatedColumn[] => {
    const column = columnNamed(spelling)
    if (column === null || column.name === null || seen.has(column.name)) return []
    const isWindow = column.kind === 'window'
    if (!isWindow && column.kind !== 'feature') return []
    seen.add(column.name)
    return [
      {
        at,
        name: isWindow ? (WINDOW_COLUMNS.find((name) => name === column.name) ?? column.name) : column.name,
        unit: column.unit,
        isWindow,
      },
    ]
  })
  plans.set(header, plan)
  return plan
}
