/**
 * What a feature is: one row of the table, with its name in each dialect, its unit and its definition.
 */
import type { RowView } from '../flow/row-view.ts'
import type { DeviationNumber } from './deviations.ts'
import type { DifferenceNumber } from './differences.ts'

export interface Feature {
  /** Our own name: what files, alerts and models say. */
  name: string
  /** CICFlowMeter's column (its HEAD, 2020 and later), verbatim. */
  cic?: string
  /** The column of the corrected CICFlowMeter, where the original has none. */
  cicCorrected?: string
  /** The column of NetFlow collectors and of the NF data sets. */
  netflow?: string
  /** One of the NetFlow column's units in ours: 1000 when it is in ms and we in µs; absent: 1. */
  netflowUnit?: number
  unit: 'µs' | 'B' | 'B²' | 'B/s' | 'packets' | 'packets/s' | 'ratio' | 'count'
  definition: string
  /** What an undefined value is written as: null (an empty cell) or 0. */
  empty: null | 0
  /** Deliberate differences from the corrected CICFlowMeter that touch this column. */
  differences?: readonly DifferenceNumber[]
  /** Bugs of the CICFlowMeters in this column. */
  deviations?: readonly DeviationNumber[]
  /** null when undefined; never NaN or Infinity. */
  compute(row: RowView): number | null
}
