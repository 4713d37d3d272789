/**
 * What a flow is measured by. One row is one feature: its name is what files, alerts and models say.
 *
 * In:  a finished row. Out: every feature's value, and the id of the whole table.
 * Not: the identifiers (addresses, ports, times), which each format writes itself.
 */
import { createHash } from 'node:crypto'
import type { RowView } from '../flow/row-view.ts'
import { CIC_TABLE } from './cic-features.ts'
import type { Feature } from './feature.ts'
import { OWN_TABLE } from './own-features.ts'

/** All features, CICFlowMeter's 76 first and in its order. */
export const FEATURES: readonly Feature[] = [...CIC_TABLE, ...OWN_TABLE]

/** The features that have a CICFlowMeter column, in its order. */
export const CIC_FEATURES: readonly (Feature & { cic: string })[] = FEATURES.filter(
  (feature): feature is Feature & { cic: string } => feature.cic !== undefined,
)

/** Every feature of a row by name; null where undefined. */
export function featureVector(row: RowView): Record<string, number | null> {
  return Object.fromEntries(FEATURES.map((feature) => [feature.name, feature.compute(row)]))
}

/** To be raised when a compute function, or what it reads from the meter, changes without its row: a test pins all outputs to the id. */
const FEATURE_SET_VERSION = 1
const ID_HEX_LEN = 8

/** Names this feature table; another one whenever a name, unit, definition, empty value or the order changes. */
export const featureSetId = `fs-${FEATURE_SET_VERSION}-${hashOf(FEATURES)}`

function hashOf(features: readonly Feature[]): string {
  const facts = features.map(({ name, unit, definition, empty }) => [name, unit, definition, empty])
  return createHash('sha256').update(JSON.stringify(facts)).digest('hex').slice(0, ID_HEX_LEN)
}
