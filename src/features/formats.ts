/**
 * How flow rows are written: one row of the table a format.
 *
 * In:  a view on a finished row, and what stands for undefined values. Out: one line, without its newline.
 * Not: where the lines go: sink/. The compat profiles write CICFlowMeter's columns by their own meter: reference/.
 */
import type { RowView } from '../flow/row-view.ts'
import { CIC_HEADER, cicLine, type EmptyForm } from './cic.ts'
import { jsonLine } from './jsonl.ts'
import { NETFLOW_HEADER, netflowLine, type WindowFeatures } from './netflow.ts'
import { COMPAT_PROFILES, type CompatProfile } from './reference/rules.ts'

export interface FormatContext {
  /** What an undefined value is written as in CSV. */
  empty: EmptyForm
  /** Knows the windowed features of a flow; absent: their cells are empty. */
  windowFeatures?: WindowFeatures
}

interface FlowFormatRow {
  name: string
  /** For the help text. */
  what: string
  /** null: no header line. */
  header: string | null
  /** null: no line. */
  line(row: RowView, context: FormatContext): string | null
}

export const FLOW_FORMATS = [
  { name: 'cic', what: "CICFlowMeter's 84 columns", header: CIC_HEADER, line: (row, { empty }) => cicLine(row, empty) },
  {
    name: 'netflow',
    what: 'NetFlow names, one row a biflow',
    header: NETFLOW_HEADER,
    line: (row, { empty, windowFeatures }) => netflowLine(row, empty, windowFeatures),
  },
  { name: 'jsonl', what: 'our own names, one JSON object a line', header: null, line: (row) => jsonLine(row) },
  { name: 'none', what: 'nothing, to measure speed', header: null, line: () => null },
] as const satisfies readonly FlowFormatRow[]

export type FlowFormatName = (typeof FLOW_FORMATS)[number]['name']

export const FLOW_FORMAT_NAMES: readonly FlowFormatName[] = FLOW_FORMATS.map((format) => format.name)

export function flowFormat(name: FlowFormatName): FlowFormatRow {
  const rows: readonly FlowFormatRow[] = FLOW_FORMATS
  return rows.find((format) => format.name === name) ?? rows[0]
}

/** `flowscribe` is the default: the contract's own definitions. The others are CICFlowMeter's two, bugs included. */
export const FLOW_PROFILES = ['flowscribe', ...COMPAT_PROFILES] as const
export type FlowProfile = (typeof FLOW_PROFILES)[number]

/** The formats that a profile can be written in: the compat profiles have CICFlowMeter's columns only. */
export function formatsOf(profile: FlowProfile): readonly FlowFormatName[] {
  return isCompat(profile) ? ['cic', 'none'] : FLOW_FORMAT_NAMES
}

export function isCompat(profile: FlowProfile): profile is CompatProfile {
  return profile !== 'flowscribe'
}
