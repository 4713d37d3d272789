import { describe, expect, test } from 'vitest'
import { deviation, mean, perSecond, ratio, varianceOfIntegers } from '../../src/features/statistics.ts'
import { seeded } from '../base/seeded.ts'

/** Sample variance as a quotient of whole numbers, rounded once at the end. */
function exactVariance(values: readonly number[]): number {
  const n = BigInt(values.length)
  const sum = values.reduce((s, v) => s + BigInt(v), 0n)
  const sumSq = values.reduce((s, v) => s + BigInt(v) * BigInt(v), 0n)
  const numerator = n * sumSq - sum * sum
  const denominator = n * (n - 1n)
  // 2^80 more than the quotient, so that the one rounding is Number's.
  return Number((numerator << 80n) / denominator) / 2 ** 80
}

function sums(values: readonly number[]): { n: number; sum: number; sumSq: number; carry: number } {
  const sumSq = values.reduce((s, v) => s + BigInt(v) * BigInt(v), 0n)
  return {
    n: values.length,
    sum: values.reduce((s, v) => s + v, 0),
    sumSq: Number(sumSq & (2n ** 52n - 1n)),
    carry: Number(sumSq >> 52n),
  }
}

function varianceOf(values: readonly number[]): number {
  const { n, sum, sumSq, carry } = sums(values)
  return varianceOfIntegers(n, sum, sumSq, carry)
}

describe('variance of whole numbers', () => {
  test.each([
    ['no value', []],
    ['one value', [7]],
    ['two equal values', [7, 7]],
    ['the smallest spread', [0, 1]],
    ['nearly equal values in the minutes', [119_999_999, 119_999_998, 119_999_999]],
    ['equal values in the minutes, many', new Array<number>(1000).fill(119_999_999)],
    ['one of many differs by one', [...new Array<number>(999).fill(59_999_999), 60_000_000]],
    ['a gap of an hour among microseconds', [1, 1, 1, 3_600_000_000]],
    ['the largest gap that a word holds', [2 ** 32 - 1, 2 ** 32 - 1, 2 ** 32 - 2]],
  ])('%s', (_, values) => {
    const exact = values.length < 2 ? 0 : exactVariance(values)
    expect(Math.abs(varianceOf(values) - exact)).toBeLessThanOrEqual(exact * 1e-15)
  })

  test('agrees with exact arithmetic for random values of every size, nearly equal ones too', () => {
    const random = seeded(4)
    for (let i = 0; i < 3000; i++) {
      const base = random.below(2 ** random.below(33))
      const spread = 2 ** random.below(20)
      const values = Array.from({ length: 2 + random.below(40) }, () => base + random.below(spread))
      const exact = exactVariance(values)
      expect(Math.abs(varianceOf(values) - exact), values.join(' ')).toBeLessThanOrEqual(exact * 1e-15)
    }
  })

  test('sums that were rounded give no negative variance, whose root would not be a number', () => {
    // Payloads that only a forged length field can claim: their squares are more than a double holds.
    const values = new Array<number>(7).fill(4_294_967_227)
    const sumSq = values.reduce((s, v) => s + v * v, 0)
    const sum = values.reduce((s, v) => s + v, 0)
    for (let off = -4; off <= 4; off++) {
      expect(varianceOfIntegers(values.length, sum, sumSq + off * 2 ** 15)).toBeGreaterThanOrEqual(0)
    }
  })
})

describe('the other statistics', () => {
  test('nothing divided by nothing is 0 for means and ratios, undefined for rates', () => {
    expect(mean(0, 0)).toBe(0)
    expect(ratio(5, 0)).toBe(0)
    expect(perSecond(5, 0)).toBeNull()
    expect(perSecond(5, -1)).toBeNull()
    expect(deviation(0, 0)).toBe(0)
    expect(deviation(1, 3)).toBe(0)
  })

  test('values', () => {
    expect(mean(4, 10)).toBe(2.5)
    expect(ratio(1, 4)).toBe(0.25)
    expect(perSecond(10, 500_000)).toBe(20)
    expect(deviation(5, 16)).toBe(2)
    // A rounding error below zero is no deviation.
    expect(deviation(2, -1e-12)).toBe(0)
  })
})
