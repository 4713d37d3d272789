import { describe, expect, test } from 'vitest'
import {
  bytesText,
  countOf,
  countText,
  durationText,
  exactTimeText,
  factorText,
  listText,
  measuredText,
  percentText,
  plainNumber,
  secondText,
} from '../../src/explain/words.ts'

describe('words', () => {
  test.each([
    [0, '0'],
    [9999, '9999'],
    [10_000, '10,000'],
    [1_234_567, '1,234,567'],
    [-12_000, '-12,000'],
  ])('count %d', (n, text) => {
    expect(countText(n)).toBe(text)
  })
  test.each([
    [0, '0 B'],
    [7948, '7948 B'],
    [10_000, '10.0 kB'],
    [64_239, '64.2 kB'],
    [5_313_984, '5.31 MB'],
    [12e9, '12.0 GB'],
  ])('bytes %d', (n, text) => {
    expect(bytesText(n)).toBe(text)
  })
  test.each([
    [0, '0 s'],
    [402, '402 µs'],
    [999.6, '1000 µs'],
    [12_345, '12.3 ms'],
    [60e6, '60.0 s'],
    [119.99e6, '120 s'],
    [150e6, '2.50 min'],
    [2 * 3600e6, '2.00 h'],
    [86_400e6 * 3, '3.00 days'],
  ])('duration %d µs', (us, text) => {
    expect(durationText(us)).toBe(text)
  })
  test.each([
    [0, '0 %'],
    [0.004, '0.4 %'],
    [0.5, '50 %'],
    [0.968, '97 %'],
    [0.99, '99 %'],
    [0.9951, '99.5 %'],
    [0.99999, '99.9 %'],
    [1, '100 %'],
  ])('share %d', (share, text) => {
    expect(percentText(share)).toBe(text)
  })
  test.each([
    [1.5, '×32'],
    [1, '×10'],
    [0.4, '×2.5'],
    [-1.2, '÷16'],
    [0, '×1'],
    [-0.001, '×1'],
    [2, '×100'],
    [0.9999, '×10'],
  ])('factor 10^%d', (log10, text) => {
    expect(factorText(log10)).toBe(text)
  })
  test('times', () => {
    expect(secondText('2026-03-17T09:20:12.402118+0000')).toBe('2026-03-17 09:20:12 UTC')
    expect(exactTimeText('2026-03-17T09:20:12.402118+0000', 597_882)).toBe('2026-03-17 09:20:13')
    expect(secondText('yesterday')).toBe('yesterday')
  })
  test('small things', () => {
    expect([countOf(1, 'flow'), countOf(2, 'flow'), countOf(0, 'entry', 'entries')]).toEqual(['1 flow', '2 flows', '0 entries'])
    expect([listText([]), listText(['a']), listText(['a', 'b']), listText(['a', 'b', 'c'])]).toEqual(['', 'a', 'a and b', 'a, b and c'])
    expect(measuredText(null, plainNumber)).toBe('not measured')
    expect(plainNumber(3285.870755750274)).toBe('3285.87')
  })
})
