/**
 * Per-destination counters of one second of packet time: how floods are seen while their flows are open.
 *
 * Out: plain records, which cross a thread as they are.
 * Not: windows over more than a second; those are context/'s.
 */

/** What one second of one destination and protocol is counted in. */
export const DESTINATION_CELLS = [
  { name: 'packets', meaning: 'packets sent to the destination' },
  { name: 'bytes', meaning: 'octets of payload sent to the destination' },
  { name: 'replies', meaning: 'packets that the destination sent back' },
  { name: 'halfOpen', meaning: 'connections begun with a SYN and neither completed nor refused' },
  { name: 'completed', meaning: 'connections begun and completed' },
  { name: 'refused', meaning: 'connections begun and reset by the destination' },
  { name: 'stray', meaning: 'TCP segments, one or two of a kind, that belong to no connection and brought no answer but a reset' },
] as const

export type DestinationCell = (typeof DESTINATION_CELLS)[number]['name']
/** What the meter counted in one second of packet time for one destination and protocol, open flows included. */
export interface DestinationCounters {
  destination: string
  proto: number
  /** Start of the second. */
  atUs: number
  amounts: Readonly<Record<DestinationCell, number>>
  /** Some of the sources, those that the meter can name. */
  sources: readonly string[]
}
