/**
 * What a detector's entry test measures, as something that can be read and changed: the ground of "what would change this" and of "why
 * did this flow not alert".
 *
 * In:  a look. Out: the measured value, the bound the test holds it to, and the look as it would be with another value.
 * Not: a weight or a verdict: the changed look goes through the detector's own `detect` and `assess`.
 * The invariant: `read(change(look, v))` is v, as far as whole items can be v.
 */

import type { Look } from '../detectors/detector.ts'
import type { Unit } from '../evidence.ts'

/** @typeParam Seen what is looked at: a flow with its surroundings, or an ARP message with its own. */
export interface Measure<Options, Seen = Look> {
  /** Goes on from a number or stands before one: 'ports that failed'. */
  what: string
  unit: Unit
  /** Which side of the bound the entry test asks for. */
  side: 'at least' | 'at most'
  /** null: this look holds nothing to measure it on. */
  read(look: Seen, options: Options): number | null
  bound(look: Seen, options: Options): number
  /** null where what was measured cannot be otherwise by itself. */
  change: ((look: Seen, value: number, options: Options) => Seen) | null
  /** For 'at least': how far down it can go; absent: to 1. */
  least?(look: Seen): number
  /** For 'at most': how far it can go; absent: ten times the bound. */
  most?(look: Seen): number
}
