/**
 * What analysis must know before a flow ends, or of frames that are no flows: the other half of the border, beside finished rows.
 *
 * In:  what the meter gathered in the seconds of packet time that are over. Out: plain data, which crosses a thread or a wire as it is.
 * Not: finished rows, which are batch.ts's; nothing here is counted a second time when a flow's row comes.
 * The invariant: one is handed on when packet time enters a new second, before the rows that ended meanwhile, wherever slabs are cut.
 */
import type { LinkSighting } from '../decode/link-sighting.ts'
import type { DestinationCounters } from './destination-counters.ts'
import type { Quote } from './quotes.ts'

/** `baseSec`: whole seconds since 1970 that all times count from. */
export type Interim =
  /** ARP messages and carried packets of one second, in order. */
  | { kind: 'link'; baseSec: number; sightings: readonly LinkSighting[] }
  /** Of one second: what ICMP errors quote and this table does not hold. Only for whoever merges the tables of several queues. */
  | { kind: 'quotes'; baseSec: number; quotes: readonly Quote[] }
  /** A minute of packet time begins: nothing but an occasion to say what was seen so far. */
  | { kind: 'minute'; baseSec: number }
  /** One second, which ended at `atUs`. The i-th row is of a flow towards the i-th destination, as far as it has come. */
  | { kind: 'counters'; baseSec: number; atUs: number; counters: readonly DestinationCounters[]; cells: Float64Array<ArrayBuffer> }
  /** Rows so far of flows that are still open at `atUs`, one after the other, as takeCells packs them. */
  | { kind: 'open'; baseSec: number; atUs: number; cells: Float64Array<ArrayBuffer> }

export type OnInterim = (interim: Interim) => void
