import { expect, it } from 'vitest'
import type { Unit } from '../../src/score/evidence.ts'
import { factorText, num, percentText } from '../../src/score/number.ts'

it.each<[number, Unit, string]>([
  [1000, 'count', '1,000'],
  [12, 'count', '12'],
  [1_234_567, 'count', '1,234,567'],
  [999, 'B', '999 B'],
  [5_300_000, 'B', '5.3 MB'],
  [64_239, 'B', '64.2 kB'],
  [999_960, 'B', '1 MB'],
  [250, 'us', '250 µs'],
  [2500, 'us', '2.5 ms'],
  [58_500_000, 'us', '58.5 s'],
  [59_990_000, 'us', '1 min'],
  [723_000_000, 'us', '12 min 3 s'],
  [3600, 's', '1 h'],
  [5400, 's', '1 h 30 min'],
  [180_000, 's', '2 d 2 h'],
  [0.15, 'ratio', '0.15'],
  [10_000, '1/N', '1 in 10,000'],
  [99.6, 'percent', '100 %'],
  [3.23, 'percent', '3.2 %'],
  [0, 'percent', '0 %'],
  [1500, 'pps', '1,500 packets/s'],
  [1500, 'Bps', '1.5 kB/s'],
  [8080, 'port', '8080'],
])('%d %s is written %s', (v, unit, text) => {
  expect(num(v, unit)).toEqual({ v, unit, text })
})

it('factors and likelihoods have one form', () => {
  expect([factorText(1.5), factorText(0.4), factorText(-1.2), factorText(-1)]).toEqual(['×32', '×2.5', '÷16', '÷10'])
  expect([percentText(0.001), percentText(0.974), percentText(0.9999)]).toEqual(['1 %', '97 %', '99 %'])
})
