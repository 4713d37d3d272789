/**
 * What each reader of a format gives: the parts of a Flow that it found, before all formats are treated alike.
 *
 * Pairs are [what the record calls source, destination]. Times are microseconds since 1970.
 */
import type { FlowParts } from './foreign-flow.ts'
import type { Endpoints } from './record-endpoints.ts'
import type { RecordTime } from './record-time.ts'

type Given = 'packets' | 'payloadBytes' | 'ipBytes' | 'directionBasis' | 'flags' | 'connState' | 'history' | 'firstFlags' | 'idleUs' | 'id'

export interface RecordParts extends Endpoints, Pick<FlowParts, Given> {
  start: RecordTime
  /** null: not measured; then the last packet's time is the first one's. */
  durationUs: number | null
  hasUnusableFlags?: boolean
  /** This record is one direction; the other one is a record of its own. */
  isHalf?: boolean
  /** One packet in so many was counted; absent: all. */
  sampling?: number
  /** Its maker's name for it. */
  name?: string | null
  isInside?: readonly [boolean | null, boolean | null]
}
