/**
 * A row in CICFlowMeter's dialect: 84 columns, its names verbatim and in its order.
 *
 * In:  a view on a finished row. Out: one CSV line; numbers as JavaScript writes them (shortest form that reads back the same).
 * Not: quoting: no value can hold a comma. Times are UTC in the corrected tool's form.
 */
import type { RowView } from '../flow/row-view.ts'
import { CIC_FEATURES } from './features.ts'
import { cicIdentity } from './identity.ts'

/** What an undefined rate is written as. */
export const EMPTY_FORMS = ['', '0', '-1', 'nan'] as const
export type EmptyForm = (typeof EMPTY_FORMS)[number]

/** Columns before the features; CICFlowMeter's identifiers. */
const IDENTIFIERS = ['Flow ID', 'Src IP', 'Src Port', 'Dst IP', 'Dst Port', 'Protocol', 'Timestamp'] as const
/** CICFlowMeter's constant last column, for labelling by hand. */
const LABEL_COLUMN = 'Label'
const LABEL = 'NeedManualLabel'

export const CIC_COLUMNS: readonly string[] = [...IDENTIFIERS, ...CIC_FEATURES.map((feature) => feature.cic), LABEL_COLUMN]

export const CIC_HEADER = CIC_COLUMNS.join(',')

export function cicLine(row: RowView, empty: EmptyForm): string {
  let line = cicIdentity(row)
  for (const feature of CIC_FEATURES) {
    const value = feature.compute(row)
    line += `,${value === null ? empty : value}`
  }
  return `${line},${LABEL}`
}
