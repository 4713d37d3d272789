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
