/**
 * Every formula of the anomaly model against a plain and slow reading of SCORER.md section 4, on random input from printed seeds.
 */
import { describe, expect, test } from 'vitest'
import { Calibration } from '../../../src/score/surprisal/calibration.ts'
import { Counts } from '../../../src/score/surprisal/counts.ts'
import { stabilityIndex } from '../../../src/score/surprisal/drift.ts'
import {
  BINS,
  binOf,
  FEATURE_COUNT,
  FEATURE_PAIRS,
  NO_BIN,
  PAIR_BINS,
  PAIR_COUNT,
  SURPRISAL_FEATURES,
  timeOfWeek,
  valueAt,
} from '../../../src/score/surprisal/features.ts'
import { GROUP_COUNT } from '../../../src/score/surprisal/groups.ts'
import { poissonTailLog10 } from '../../../src/score/surprisal/host-windows.ts'
import { LookupTables, rarityOf } from '../../../src/score/surprisal/lookup.ts'
import { seeded } from '../../seeded.ts'

const SEED = 20_261_120

/** T(x) of the table, as written there. */
function plainBin(j: number, x: number): number {
  const { transform, range } = SURPRISAL_FEATURES[j]
  const t = { log2: Math.log2(1 + x), half: (x + 1) / 2, quarter: Math.min(1, x / 4), id: x }[transform]
  return Math.floor(Math.min(0.999999, t / range) * BINS)
}

describe('bins', () => {
  test('the table is the one of the design: 26 features, 8 pairs, ranges', () => {
    expect([FEATURE_COUNT, PAIR_COUNT, GROUP_COUNT]).toEqual([26, 8, 132])
    expect(SURPRISAL_FEATURES.map((f) => f.range)).toEqual([
      26, 36, 36, 24, 24, 11, 11, 1, 34, 24, 1, 1, 11, 11, 30, 16, 14, 14, 1, 36, 16, 14, 8, 2, 2, 24,
    ])
    expect(FEATURE_PAIRS).toEqual([
      [1, 2],
      [0, 2],
      [0, 1],
      [22, 4],
      [14, 1],
      [15, 16],
      [15, 18],
      [5, 3],
    ])
  })

  test.each(SURPRISAL_FEATURES.map((f, j) => [f.name, j] as const))('%s: as the formula says', (_name, j) => {
    const { transform, range } = SURPRISAL_FEATURES[j]
    const random = seeded(SEED + j)
    const values =
      transform === 'log2'
        ? [
            0,
            1,
            2,
            3,
            7,
            1e300,
            Number.POSITIVE_INFINITY,
            ...Array.from({ length: 5000 }, (_, i) => i),
            ...Array.from({ length: 5000 }, () => 2 ** (random() * 50)),
          ]
        : Array.from(
            { length: 5000 },
            (_, i) => (i / 5000) * (transform === 'quarter' ? 6 : range) - (transform === 'half' ? 1 - i / 5000 : 0),
          )
    const wrong = values.filter((x) => binOf(j, x) !== plainBin(j, x))
    expect(wrong).toEqual([])
  })

  test('what was not measured has no bin, and a bin reads back as a value inside it', () => {
    expect(binOf(0, Number.NaN)).toBe(NO_BIN)
    for (let j = 0; j < FEATURE_COUNT; j++) for (let b = 0; b < BINS - 1; b++) expect(plainBin(j, valueAt(j, b + 0.5))).toBe(b)
  })

  test('the week in 24 classes: two hours of working days, of weekends', () => {
    // 1970-01-01 was a Thursday, the 3rd a Saturday.
    const classes = [0, 3 * 3600, 23 * 3600, 2 * 86_400, 2 * 86_400 + 23 * 3600, 4 * 86_400].map(timeOfWeek)
    expect(classes).toEqual([0, 1, 11, 12, 23, 0])
  })
})

/** Counts that a few thousand random flows leave, with holes where a feature was missing. */
function randomCounts(seed: number, flows: number): { counts: Counts; seen: { bins: Int8Array; group: number; vote: number }[] } {
  const random = seeded(seed)
  const counts = new Counts()
  const seen = Array.from({ length: flows }, () => {
    const bins = Int8Array.from({ length: FEATURE_COUNT }, (_, j) =>
      random() < 0.1 ? NO_BIN : Math.floor(random() ** (1 + (j % 3)) * BINS),
    )
    return { bins, group: Math.floor(random() * 3) * 17, vote: 1 / (1 + Math.floor(random() * 4)) }
  })
  for (const { bins, group, vote } of seen) counts.add(bins, group, vote)
  return { counts, seen }
}

type Seen = ReturnType<typeof randomCounts>['seen']
const votesOf = (seen: Seen): number => seen.reduce((sum, s) => sum + s.vote, 0)

/** Section 4.5, singles: from the list of flows, without any array of ours. */
function plainShare(seen: Seen, group: number, j: number, b: number): number {
  const has = seen.filter((s) => s.bins[j] !== NO_BIN)
  const inGroup = has.filter((s) => s.group === group)
  const [n, ng] = [votesOf(has), votesOf(inGroup)]
  const low = (list: Seen): number => votesOf(list.filter((s) => s.bins[j] <= b))
  const high = (list: Seen): number => votesOf(list.filter((s) => s.bins[j] >= b))
  const own = (list: Seen): number => votesOf(list.filter((s) => s.bins[j] === b))
  const ql = (low(inGroup) + (50 * (low(has) + 0.5)) / (n + 1)) / (ng + 50)
  const qh = (high(inGroup) + (50 * (high(has) + 0.5)) / (n + 1)) / (ng + 50)
  const dn = (own(inGroup) + (50 * (own(has) + 0.5)) / (n + 0.5 * BINS)) / (ng + 50)
  return SURPRISAL_FEATURES[j].isCategory ? dn : Math.min(1, 2 * Math.min(ql, qh), 4 * dn)
}

function plainPair(seen: Seen, i: number, a: number, b: number): number {
  const [ja, jb] = FEATURE_PAIRS[i]
  const has = seen.filter((s) => s.bins[ja] !== NO_BIN && s.bins[jb] !== NO_BIN)
  const inRow = has.filter((s) => s.bins[ja] >> 1 === a)
  const pc = (votesOf(has.filter((s) => s.bins[jb] >> 1 === b)) + 0.5) / (votesOf(has) + 0.5 * PAIR_BINS)
  const h2 = votesOf(inRow.filter((s) => s.bins[jb] >> 1 === b))
  const s2 = -Math.log10(Math.min(1, (2 * (h2 + 20 * pc)) / (votesOf(inRow) + 20))) + Math.log10(Math.min(1, 2 * pc))
  return Math.min(3, Math.max(0, s2))
}

describe('tables and score', () => {
  const { counts, seen } = randomCounts(SEED, 1500)
  const tables = new LookupTables()
  tables.rebuild(counts)
  const random = seeded(SEED + 1)
  const asked = Array.from(
    { length: 60 },
    () => [Math.floor(random() * 4) * 17, Math.floor(random() * FEATURE_COUNT), Math.floor(random() * BINS)] as const,
  )

  test('each look-up is the formula over the flows seen, also in a group that nobody saw', () => {
    for (const [group, j, b] of asked) {
      const wanted = Math.min(3, -Math.log10(plainShare(seen, group, j, b)))
      expect(tables.single[(group * FEATURE_COUNT + j) * BINS + b]).toBeCloseTo(wanted, 5)
      expect(rarityOf(counts, group, j, b).share).toBeCloseTo(plainShare(seen, group, j, b), 9)
    }
  })

  test('each pair look-up is the formula', () => {
    for (const [group, j, b] of asked) {
      const [i, a] = [j % PAIR_COUNT, (group + j) % PAIR_BINS]
      expect(tables.pair[(i * PAIR_BINS + a) * PAIR_BINS + (b >> 1)]).toBeCloseTo(plainPair(seen, i, a, b >> 1), 5)
    }
  })

  test('the contributions add up to the score; what is missing contributes nothing', () => {
    const contributions = new Float64Array(FEATURE_COUNT + PAIR_COUNT)
    for (const { bins, group } of seen.slice(0, 50)) {
      const total = tables.score(bins, group, FEATURE_COUNT, contributions)
      expect(total).toBeCloseTo(
        contributions.reduce((x, y) => x + y, 0),
        9,
      )
      bins.forEach((bin, j) => {
        if (bin === NO_BIN) expect(contributions[j]).toBe(0)
      })
    }
    expect(tables.score(new Int8Array(FEATURE_COUNT).fill(NO_BIN), 0, FEATURE_COUNT, contributions)).toBe(0)
  })

  test('median and p95 come from the same histogram', () => {
    const one = new Counts()
    for (let i = 0; i < 1000; i++) one.add(new Int8Array(FEATURE_COUNT).fill(i < 960 ? 8 : 20), 0, 1)
    const { median, p95, votes } = rarityOf(one, 0, 1, 20)
    expect(votes).toBe(1000)
    expect([binOf(1, median), binOf(1, p95)]).toEqual([8, 8])
    expect(p95).toBeGreaterThan(median)
  })
})

describe('p', () => {
  const filled = (scores: readonly number[]): Calibration => {
    const calibration = new Calibration()
    for (const score of scores) calibration.note(score)
    calibration.commit()
    return calibration
  }
  const random = seeded(SEED + 2)
  const exponential = Array.from({ length: 20_000 }, () => -4 * Math.log(1 - random()))
  const calibration = filled(exponential)

  test('nothing is said before anything was folded in', () => {
    expect(new Calibration().p(3)).toBeNull()
  })

  test('counted where twenty lie above: (1 + #{s′ ≥ s}) / (n + 1)', () => {
    for (const score of [0, 1, 5.5, 12]) {
      const above = exponential.filter((s) => s >= Math.floor(score / 0.25) * 0.25).length
      expect(calibration.p(score)).toBeCloseTo((1 + above) / 20_001, 12)
    }
  })

  test('beyond, a Pareto tail: an exponential one is met within a factor of two, and never rarer than one in ten times n', () => {
    for (const score of [30, 34, 38]) expect((calibration.p(score) ?? 0) / Math.exp(-score / 4)).toBeGreaterThan(0.4)
    for (const score of [30, 34, 38]) expect((calibration.p(score) ?? 0) / Math.exp(-score / 4)).toBeLessThan(2.5)
    expect(calibration.p(127)).toBe(1 / 200_000)
  })

  test('it never rises with the score', () => {
    const ps = Array.from({ length: 512 }, (_, b) => calibration.p(b * 0.25) ?? 1)
    expect(ps.every((p, i) => i === 0 || p <= ps[i - 1])).toBe(true)
  })

  test('fresh scores of the same kind are as rare as it says', () => {
    const fresh = Array.from({ length: 50_000 }, () => calibration.p(-4 * Math.log(1 - random())) ?? 1)
    for (const level of [0.1, 0.01, 0.001]) {
      const share = fresh.filter((p) => p <= level).length / fresh.length
      expect(share / level).toBeGreaterThan(0.5)
      expect(share / level).toBeLessThan(1.5)
    }
  })
})

test('Poisson tail: as the sum says, also where it is too small for a difference from one', () => {
  const plain = (k: number, mean: number): number => {
    let sum = 0
    for (let i = k; i < k + 200; i++) {
      let log = -mean
      for (let f = 1; f <= i; f++) log += Math.log(mean / f)
      sum += Math.exp(log)
    }
    return Math.log10(sum)
  }
  for (const [k, mean] of [
    [1, 0.01],
    [3, 0.02],
    [5, 2],
    [12, 0.1],
    [3, 10],
    [40, 3],
  ])
    expect(poissonTailLog10(k, mean)).toBeCloseTo(plain(k, mean), 8)
  expect(poissonTailLog10(0, 1)).toBe(0)
})

test('stability index: nothing for the same mix, above a quarter for a moved one', () => {
  const row = (...filled: [number, number][]): Float64Array => {
    const cells = new Float64Array(BINS)
    for (const [b, n] of filled) cells[b] = n
    return cells
  }
  expect(stabilityIndex(row([3, 500], [4, 500]), row([3, 250], [4, 250]))).toBeLessThan(0.01)
  expect(stabilityIndex(row([3, 500], [4, 500]), row([3, 100], [9, 400]))).toBeGreaterThan(0.25)
  expect(stabilityIndex(row([3, 500]), row([9, 10]))).toBe(0)
})
