import { describe, expect, it } from 'vitest'
import { binomialTail, regularityOf } from '../../src/score/regularity.ts'
import { range } from './flows.ts'

const S = 1e6
/** A generator of our own: the same numbers on every run. */
function random(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}
const startsOf = (gaps: readonly number[]): number[] => gaps.reduce<number[]>((all, gap) => all.concat(all[all.length - 1] + gap), [0])

describe('regularity', () => {
  it('a clock is no chance, missed calls and jitter included', () => {
    const next = random(1)
    const exact = regularityOf(startsOf(range(20).map(() => 60 * S)))
    const missed = regularityOf(startsOf(range(24).map((i) => (i % 4 === 0 ? 120 : 60) * S)))
    const jittered = regularityOf(startsOf(range(24).map(() => (45 + 30 * next()) * S)))
    for (const found of [exact, missed, jittered]) expect(found?.p).toBeLessThan(1e-6)
    expect([exact?.close, exact?.gaps, exact?.medianUs]).toEqual([20, 20, 60 * S])
  })

  it('random arrivals are taken for a clock as seldom as is said', () => {
    const next = random(7)
    const trials = range(4000).map(() => regularityOf(startsOf(range(24).map(() => -Math.log(1 - next()) * 60 * S)))?.p ?? 1)
    for (const level of [0.05, 0.01]) expect(trials.filter((p) => p <= level).length / trials.length).toBeLessThanOrEqual(level * 1.6)
    expect(trials.filter((p) => p <= 1e-6)).toEqual([])
  })

  it('binomial tails', () => {
    expect(binomialTail(0, 9, 0.3)).toBeCloseTo(1, 12)
    expect(binomialTail(9, 9, 0.5)).toBeCloseTo(2 ** -9, 12)
    expect(binomialTail(1, 2, 0.5)).toBeCloseTo(0.75, 12)
  })
})

describe('regularity, asked for a certain clock', () => {
  const clock = { gapsMin: 8, periodMinUs: 2 * S, chanceMax: 1e-6 }

  it('gives what it gives without, or nothing', () => {
    const next = random(3)
    let given = 0
    for (const i of range(600)) {
      const gaps = range(3 + (i % 70)).map(() => (i % 3 === 0 ? 5 + next() : -Math.log(1 - next()) * (i % 7)) * S)
      const starts = startsOf(gaps)
      const all = regularityOf(starts)
      const isSuch = all !== null && all.gaps >= 8 && all.medianUs >= 2 * S && all.p <= 1e-6
      expect(regularityOf(starts, starts.length, clock)).toEqual(isSuch ? all : null)
      if (isSuch) given++
    }
    expect(given).toBeGreaterThan(100)
  })

  it('looks at as many starts as it is told to', () => {
    const starts = Float64Array.from([...startsOf(range(10).map(() => 60 * S)), 1, 2, 3])
    expect(regularityOf(starts, 11, clock)).toEqual(regularityOf(startsOf(range(10).map(() => 60 * S))))
  })

  it('the median of many gaps is the one of few', () => {
    for (const n of [31, 32, 33, 500]) {
      const gaps = range(n).map((i) => (1000 + ((i * 7919) % n)) * S)
      expect(regularityOf(startsOf(gaps))?.medianUs).toBe((1000 + (n - 1) / 2) * S)
    }
  })
})
