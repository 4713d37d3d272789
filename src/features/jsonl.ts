/**
 * A row in our own names, as one line of JSON: who, when and how it ended, then every feature of the table.
 *
 * In:  a view on a finished row. Out: one object a line; a value that is undefined is null, whatever --empty says.
 * `fwd_bytes` and `bwd_bytes` are octets from the IP header on, as NetFlow counts them; payload octets have names of their own.
 */
import { readFlow } from '../flow/read-flow.ts'
import type { RowView } from '../flow/row-view.ts'
import { featureSetId, featureVector } from './features.ts'
import { IDENTITY } from './identity.ts'

export function jsonLine(row: RowView): string {
  const flow = readFlow(row)
  const identity = IDENTITY.map((field) => [field.name, field.of(row, flow)])
  return JSON.stringify({ ...Object.fromEntries(identity), ...featureVector(row), feature_set: featureSetId })
}
