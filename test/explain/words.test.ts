import { describe, expect, test } from 'vitest'
import {
  bytesText,
  countOf,
  countText,
  durationText,
  exactTimeText,
  listText,
  measuredText,
  plainNumber,
  secondText,
  shareText,
} from '../../src/explain/words.ts'

describe('words', () => {
  test('values without a text are rounded as evidence is', () => {
    expect([countText(0), countText(9999), countText(1_234_567)]).toEqual(['0', '9,999', '1,234,567'])
    expect([bytesText(0), bytesText(7948), bytesText(5_313_984)]).toEqual(['0 B', '7.9 kB', '5.3 MB'])
    expect([durationText(0), durationText(402), durationText(272.34e6)]).toEqual(['0 s', '402 µs', '4 min 32 s'])
    expect([shareText(0), shareText(0.97), shareText(1)]).toEqual(['0 %', '97 %', '100 %'])
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
