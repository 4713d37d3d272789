/**
 * Counts to surprise: tables that a flow is scored by with one read a feature, built once a commit (SCORER.md section 4.5).
 *
 *   all    pl(b) = (Σ≤b h + ½) / (n + 1)       ph(b) = (Σ≥b h + ½) / (n + 1)       m(b) = (h + ½) / (n + ½B)
 *   group  ql(b) = (Σ≤b hg + κ·pl) / (ng + κ)  qh likewise                         dn(b) = (hg + κ·m) / (ng + κ)
 *   S  = min(cap, −log10 of the smaller of 1, 2·min(ql, qh), 4·dn), categories by dn alone
 *   S2 = −log10 min(1, 2·(h2 + κ2·pc) / (row + κ2)) + log10 min(1, 2·pc), between 0 and the cap
 *
 * In:  counts. Out: surprise in log10, at most CAP a feature; or uncapped for one feature, with median and 95th percentile.
 * The invariant: n is the sum of the feature's own row, which is all votes where nothing is missing.
 *
 * `pc`, the share of the second bin in all, is smoothed by half a vote a bin: without it an empty column divides zero by zero.
 */

import type { Counts } from './counts.ts'
import { pairCell } from './counts.ts'
import { BINS, FEATURE_COUNT, NO_BIN, PAIR_BINS, PAIR_COUNT, SURPRISAL_FEATURES, valueAt } from './features.ts'
import { GROUP_COUNT } from './groups.ts'

/** One in a thousand is as rare as one feature can make a flow. */
export const CAP = 3
/** A group is believed as far as its votes outweigh so many of all flows'. */
export const KAPPA = 50
export const KAPPA_PAIR = 20

export interface FeatureRarity {
  /** Share of comparable flows that are as rare or rarer; uncapped. */
  share: number
  /** Votes that the comparison rests on: the group's, or all when nobody saw the group before. */
  votes: number
  isGroupKnown: boolean
  median: number
  p95: number
}

/** Shares of one feature over all flows, by bin. */
interface Shares {
  low: Float64Array
  high: Float64Array
  own: Float64Array
}

export class LookupTables {
  readonly single = new Float32Array(GROUP_COUNT * FEATURE_COUNT * BINS)
  readonly pair = new Float32Array(PAIR_COUNT * PAIR_BINS * PAIR_BINS)

  rebuild(counts: Counts): void {
    for (let j = 0; j < FEATURE_COUNT; j++) {
      const shares = sharesOf(counts.all.subarray(j * BINS, (j + 1) * BINS))
      const { isCategory } = SURPRISAL_FEATURES[j]
      for (let g = 0; g < GROUP_COUNT; g++) {
        const from = (g * FEATURE_COUNT + j) * BINS
        const group = shrunk(counts.byGroup.subarray(from, from + BINS), shares)
        for (let b = 0; b < BINS; b++) this.single[from + b] = Math.min(CAP, -Math.log10(rareShare(group, b, isCategory)))
      }
    }
    for (let i = 0; i < PAIR_COUNT; i++) this.#rebuildPair(counts.pairs, i)
  }

  #rebuildPair(pairs: Float64Array, pair: number): void {
    const at = (a: number, b: number): number => (pair * PAIR_BINS + a) * PAIR_BINS + b
    const columns = new Float64Array(PAIR_BINS)
    const rows = new Float64Array(PAIR_BINS)
    let n = 0
    for (let a = 0; a < PAIR_BINS; a++) {
      for (let b = 0; b < PAIR_BINS; b++) {
        columns[b] += pairs[at(a, b)]
        rows[a] += pairs[at(a, b)]
        n += pairs[at(a, b)]
      }
    }
    for (let a = 0; a < PAIR_BINS; a++) {
      for (let b = 0; b < PAIR_BINS; b++) {
        const column = (columns[b] + 0.5) / (n + 0.5 * PAIR_BINS)
        const given = (pairs[at(a, b)] + KAPPA_PAIR * column) / (rows[a] + KAPPA_PAIR)
        const surprise = -Math.log10(Math.min(1, 2 * given)) + Math.log10(Math.min(1, 2 * column))
        this.pair[at(a, b)] = Math.min(CAP, Math.max(0, surprise))
      }
    }
  }

  /**
   * Fills `contributions` (features, then pairs) and gives their sum.
   * @param featuresUsed features from the front that count; the rest are off
   */
  score(bins: Int8Array, group: number, featuresUsed: number, contributions: Float64Array): number {
    const { single, pair } = this
    let total = 0
    let cell = group * FEATURE_COUNT * BINS
    for (let j = 0; j < FEATURE_COUNT; j++) {
      const bin = bins[j]
      const surprise = bin === NO_BIN || j >= featuresUsed ? 0 : single[cell + bin]
      contributions[j] = surprise
      total += surprise
      cell += BINS
    }
    for (let i = 0; i < PAIR_COUNT; i++) {
      const at = pairCell(bins, i)
      const surprise = at === NO_BIN ? 0 : pair[at]
      contributions[FEATURE_COUNT + i] = surprise
      total += surprise
    }
    return total
  }
}

/** How rare one bin of one feature is in its group, uncapped, with what is normal there: for alerted flows only. */
export function rarityOf(counts: Counts, group: number, feature: number, bin: number): FeatureRarity {
  const shares = sharesOf(counts.all.subarray(feature * BINS, (feature + 1) * BINS))
  const from = (group * FEATURE_COUNT + feature) * BINS
  const row = counts.byGroup.subarray(from, from + BINS)
  const share = rareShare(shrunk(row, shares), bin, SURPRISAL_FEATURES[feature].isCategory)
  const isGroupKnown = sum(row) >= 1
  const normal = isGroupKnown ? row : counts.all.subarray(feature * BINS, (feature + 1) * BINS)
  const [median, p95] = [0.5, 0.95].map((part) => valueAt(feature, placeOf(normal, part)))
  return { share, votes: sum(normal), isGroupKnown, median, p95 }
}

function sharesOf(row: Float64Array): Shares {
  const n = sum(row)
  const shares = { low: new Float64Array(BINS), high: new Float64Array(BINS), own: new Float64Array(BINS) }
  let below = 0
  for (let b = 0; b < BINS; b++) {
    shares.high[b] = (n - below + 0.5) / (n + 1)
    below += row[b]
    shares.low[b] = (below + 0.5) / (n + 1)
    shares.own[b] = (row[b] + 0.5) / (n + 0.5 * BINS)
  }
  return shares
}

/** The group's shares, drawn towards those of all flows while the group is small. */
function shrunk(row: Float64Array, all: Shares): Shares {
  const n = sum(row)
  const shares = { low: new Float64Array(BINS), high: new Float64Array(BINS), own: new Float64Array(BINS) }
  let below = 0
  for (let b = 0; b < BINS; b++) {
    shares.high[b] = (n - below + KAPPA * all.high[b]) / (n + KAPPA)
    below += row[b]
    shares.low[b] = (below + KAPPA * all.low[b]) / (n + KAPPA)
    shares.own[b] = (row[b] + KAPPA * all.own[b]) / (n + KAPPA)
  }
  return shares
}

function rareShare({ low, high, own }: Shares, bin: number, isCategory: boolean): number {
  return isCategory ? own[bin] : Math.min(1, 2 * Math.min(low[bin], high[bin]), 4 * own[bin])
}

/** Where a share of the votes lies, in bins, straight inside a bin. */
function placeOf(row: Float64Array, share: number): number {
  const wanted = sum(row) * share
  let below = 0
  for (let b = 0; b < BINS; b++) {
    if (row[b] > 0 && below + row[b] >= wanted) return b + (wanted - below) / row[b]
    below += row[b]
  }
  return 0
}

function sum(row: Float64Array): number {
  let total = 0
  for (let b = 0; b < row.length; b++) total += row[b]
  return total
}
