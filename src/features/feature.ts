/**
 * What a feature is: one row of the table, with its name in each dialect, its unit and its definition.
 */
import type { RowView } from '../flow/row-view.ts'

export interface Feature {
  /** Our own name: what files, alerts and models say. */
  name: string
  /** CICFlowMeter's column (its HEAD, 2020 and later), verbatim; absent: a feature of ours. */
  cic?: string
  unit: 'µs' | 'B' | 'B²' | 'B/s' | 'packets' | 'packets/s' | 'ratio' | 'count' | 'flag'
  definition: string
  /** What an undefined value is written as: null (an empty cell) or 0. */
  empty: null | 0
  /** Differences of FEATURES.md part A that touch this column. */
  differences?: readonly string[]
  /** null when undefined; never NaN or Infinity. */
  compute(row: RowView): number | null
}
