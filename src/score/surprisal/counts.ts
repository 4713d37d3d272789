/**
 * What was seen, as counts: by feature, by group and feature, by pair of features (SCORER.md section 4.2).
 *
 * In:  the bins of a flow, its group, its vote. Out: the arrays, added to, decayed, emptied.
 * Not: a flow's missing values: they count nowhere, so that a row's sum is the number of votes that had the feature.
 */

import { BINS, FEATURE_COUNT, FEATURE_PAIRS, NO_BIN, PAIR_BINS, PAIR_COUNT } from './features.ts'
import { GROUP_COUNT } from './groups.ts'

const PAIR_CELLS = PAIR_BINS * PAIR_BINS

export class Counts {
  /** [feature][bin] */
  readonly all: Float64Array<ArrayBuffer>
  /** [group][feature][bin] */
  readonly byGroup: Float64Array<ArrayBuffer>
  /** [pair][bin of its first][bin of its second] */
  readonly pairs: Float64Array<ArrayBuffer>
  /** Votes in all, then by group. */
  readonly votes: Float64Array<ArrayBuffer>

  constructor() {
    this.all = new Float64Array(FEATURE_COUNT * BINS)
    this.byGroup = new Float64Array(GROUP_COUNT * FEATURE_COUNT * BINS)
    this.pairs = new Float64Array(PAIR_COUNT * PAIR_CELLS)
    this.votes = new Float64Array(1 + GROUP_COUNT)
  }

  /** The arrays in the order in which a snapshot holds them. */
  get arrays(): readonly Float64Array<ArrayBuffer>[] {
    return [this.all, this.byGroup, this.pairs, this.votes]
  }

  add(bins: Int8Array, group: number, vote: number): void {
    const { all, byGroup, pairs } = this
    let cell = 0
    let groupCell = group * FEATURE_COUNT * BINS
    for (let j = 0; j < FEATURE_COUNT; j++) {
      const bin = bins[j]
      if (bin !== NO_BIN) {
        all[cell + bin] += vote
        byGroup[groupCell + bin] += vote
      }
      cell += BINS
      groupCell += BINS
    }
    for (let i = 0; i < PAIR_COUNT; i++) {
      const at = pairCell(bins, i)
      if (at !== NO_BIN) pairs[at] += vote
    }
    this.votes[0] += vote
    this.votes[1 + group] += vote
  }

  /** this = this · decay + others. */
  take(other: Counts, decay: number): void {
    this.arrays.forEach((mine, i) => {
      const theirs = other.arrays[i]
      for (let at = 0; at < mine.length; at++) mine[at] = mine[at] * decay + theirs[at]
    })
  }

  /** Becomes what the other is, and the other empty. */
  takeOver(other: Counts): void {
    this.arrays.forEach((mine, i) => {
      mine.set(other.arrays[i])
      other.arrays[i].fill(0)
    })
  }
}

/** Cell of a pair of features in its table; NO_BIN when one of the two is missing. */
export function pairCell(bins: Int8Array, pair: number): number {
  const a = bins[FEATURE_PAIRS[pair][0]]
  const b = bins[FEATURE_PAIRS[pair][1]]
  if (a === NO_BIN || b === NO_BIN) return NO_BIN
  // 32 bins of a feature are 16 of two: halving the number is exact.
  return (pair * PAIR_BINS + (a >> 1)) * PAIR_BINS + (b >> 1)
}
