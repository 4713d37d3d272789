/**
 * Per-destination counters of one second of packet time: how floods are seen while their flows are open.
 *
 * Out: plain records, which cross a thread as they are.
 * Not: windows over more than a second; those are context/'s.
 */

/** What one second of one destination and protocol is counted in. */
export const DESTINATION_CELLS = [
  {
    name: 'packets',
    meaning: 'packets sent to the destination; while flows are open, of those not answered yet, and of TCP the ones that open a connection',
  },
  { name: 'bytes', meaning: 'octets of payload sent to the destination' },
  { name: 'replies', meaning: 'packets that the destination sent back; while flows are open, the first of each, all of ICMP, none of TCP' },
  { name: 'flows', meaning: 'flows begun towards the destination' },
  { name: 'halfOpen', meaning: 'connections begun with a SYN and neither completed nor refused' },
  { name: 'completed', meaning: 'connections begun and completed' },
  { name: 'refused', meaning: 'connections begun and reset by the destination' },
  {
    name: 'stray',
    meaning: 'TCP segments, one or two of a kind, that belong to no connection and brought no answer but a reset: in rows only',
  },
] as const

export type DestinationCell = (typeof DESTINATION_CELLS)[number]['name']

/** What the meter counted in one second of packet time for one destination and protocol, open flows included. */
export interface DestinationCounters {
  destination: string
  proto: number
  /** Start of the second; its first and last counted packet. */
  atUs: number
  firstUs: number
  lastUs: number
  /** Each a lower bound: what came before the destination was busy enough to be counted is missing. */
  amounts: Readonly<Record<DestinationCell, number>>
  /** Some of the sources, those that the meter can name. */
  sources: readonly string[]
  /** How many ports of the destination, about; and one of them. */
  ports: number
  port: number
  /** A source that sent more than half, if there is one, and packets of its; else any. */
  leader: { source: string; packets: number }
  /** The same of the sender's port; 0 for protocols without ports. */
  sourcePort: { port: number; packets: number; bytes: number }
}
