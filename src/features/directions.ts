/**
 * The two directions of a flow in words and in numbers: what feature rows for both directions are made from.
 *
 * Out: `both`, which makes a row for the initiator and one for the responder from one function, so that the two cannot differ by a slip.
 */
import * as Row from '../flow/row.ts'
import type { RowView } from '../flow/row-view.ts'
import type { Feature } from './feature.ts'

export const ORIG = 0
export const RESP = 1

export interface DirectionWords {
  index: number
  /** Prefix of our names. */
  name: 'fwd' | 'bwd'
  /** CICFlowMeter's word. */
  cic: 'Fwd' | 'Bwd'
  /** NetFlow's word. */
  netflow: 'IN' | 'OUT'
  /** In definitions. */
  who: 'initiator' | 'responder'
}

const DIRECTIONS: readonly [DirectionWords, DirectionWords] = [
  { index: ORIG, name: 'fwd', cic: 'Fwd', netflow: 'IN', who: 'initiator' },
  { index: RESP, name: 'bwd', cic: 'Bwd', netflow: 'OUT', who: 'responder' },
]

/**
 * The same features for both directions, the initiator's first. All of them differ from CICFlowMeter's where it cannot tell the directions
 * apart (A3).
 */
export function both(make: (d: DirectionWords) => Feature | Feature[]): Feature[] {
  return DIRECTIONS.flatMap(make).map((feature) => ({ ...feature, differences: ['A3', ...(feature.differences ?? [])] }))
}

export const packetsOf = (row: RowView, d: number): number => row.wordOf(d, Row.D_PACKETS_W)
export const payloadOf = (row: RowView, d: number): number => row.cellOf(d, Row.D_PAYLOAD_SUM)
export const allPackets = (row: RowView): number => row.word(Row.PACKETS_W)
export const allPayload = (row: RowView): number => payloadOf(row, ORIG) + payloadOf(row, RESP)

/** Shortest transport header; 0 where no packet had one (nothing sent, or later fragments alone). */
export function headerMinOf(row: RowView, d: number): number {
  const min = row.wordOf(d, Row.D_HEADER_MIN_W)
  return packetsOf(row, d) === 0 || min === Row.NO_MINIMUM ? 0 : min
}
