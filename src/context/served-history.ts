/**
 * What usually arrives at one inside server, hour by hour, over weeks: its busiest second of each hour (SCORER.md D5, D6).
 *
 * In:  one tally an hour in which the server was used. Out: quantiles of those seconds, by what was counted in them.
 * Not: who came; and hours in which the server was the victim of an open flood: what is suspected does not become usual.
 * The invariant: one array a server, whatever arrives. An hour weighs half after seven days.
 */

import { DECAY_A_QUARTER_DAY, quantile, USUAL_HOURS_MIN } from './host-history.ts'

/** Datagrams and echoes, connections left half open, connections completed: the most in one second. */
export const SERVED_CELLS = ['packets', 'halfOpen', 'completed'] as const
export type ServedCell = (typeof SERVED_CELLS)[number]

/** Up to a million a second. */
const BINS = 40
const BINS_AN_OCTAVE = 2
const HOURS = SERVED_CELLS.length * BINS
export const SERVED_HISTORY_CELLS = HOURS + 1

/** What a server got in the busiest seconds of one hour. */
export interface ServedTally extends Record<ServedCell, number> {
  address: string
  /** Since 1970. */
  hour: number
  /** Victim of an open flood: not learnt. */
  isSuspect: boolean
}

export function newServedTally(address: string, hour: number): ServedTally {
  return { address, hour, packets: 0, halfOpen: 0, completed: 0, isSuspect: false }
}

export class ServedHistory {
  readonly cells: Float32Array
  /** Hours since 1970. */
  firstHour: number
  lastHour: number

  constructor(hour: number, cells = new Float32Array(SERVED_HISTORY_CELLS), lastHour = hour) {
    this.firstHour = hour
    this.lastHour = lastHour
    this.cells = cells
  }

  learn(tally: ServedTally, hour: number): void {
    const { cells } = this
    const decay = DECAY_A_QUARTER_DAY ** (Math.max(0, hour - this.lastHour) / 6)
    for (let i = 0; i < cells.length; i++) cells[i] *= decay
    for (const [i, cell] of SERVED_CELLS.entries()) cells[i * BINS + binOf(tally[cell])]++
    cells[HOURS]++
    this.lastHour = hour
  }

  /** Hours learnt, older ones weighing less. */
  get hours(): number {
    return this.cells[HOURS]
  }

  /** Enough was seen to compare with. */
  get isUsable(): boolean {
    return this.hours >= USUAL_HOURS_MIN * DECAY_A_QUARTER_DAY ** 4
  }

  /** Of the busiest seconds, the value below which a share of them lies. */
  quantile(cell: ServedCell, share: number): number {
    return quantile(this.cells, SERVED_CELLS.indexOf(cell) * BINS, BINS, BINS_AN_OCTAVE, share)
  }
}

function binOf(value: number): number {
  return Math.min(BINS - 1, Math.floor(Math.log2(1 + value) * BINS_AN_OCTAVE))
}
