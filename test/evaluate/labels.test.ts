import { describe, expect, it } from 'vitest'
import { isOf, parseParty, readLabels } from './labels.ts'
import { areaUnderCurve, brierScore, expectedCalibrationError, reliability, shareFoundAt } from './measures.ts'

describe('labels', () => {
  it.each<[string, string, boolean]>([
    ['192.168.1.17/.102', '192.168.1.102', true],
    ['192.168.1.17/.102', '192.168.1.17', true],
    ['192.168.1.17/.102', '192.168.1.103', false],
    ['172.18.39.x', '172.18.39.6', true],
    ['192.168.x (sandbox)', '192.168.7.7', true],
    ['192.168.1.0/24', '192.168.1.80', true],
    ['192.168.1.0/24', '192.168.2.80', false],
    ['172.18.0.2:8888', '172.18.0.2', true],
    ['10.10.10.5 (C2)', '10.10.10.5', true],
    ['10.3.29.101,10.2.25.102', '10.2.25.102', true],
    ['many', 'many', true],
    ['many', '10.0.0.1', false],
    ['LAN', '10.0.0.1', true],
    ['', '10.0.0.1', true],
  ])('%s: %s is %s', (party, address, expected) => {
    expect(isOf(parseParty(party), [address])).toBe(expected)
  })

  it('reads what is demanded', () => {
    const header = 'file\tclass\tcategory\texpect\thow_sure\tactor\tvictim\tpackets'
    const [attack, benign, context] = readLabels(
      `${header}\na.pcap\tattack\tscan\tscan.vertical,scan.horizontal\tyes\t10.0.0.1\t\t5\nb\tbenign\tx\tnone\n` +
        'c\tattack\tx\t-\tcontext\n',
    )
    expect([attack.expect, attack.howSure, attack.mustBeQuiet]).toEqual([['scan.vertical', 'scan.horizontal'], 'yes', false])
    expect([benign.expect, benign.mustBeQuiet, context.expect, context.mustBeQuiet]).toEqual([[], true, [], false])
  })
})

describe('measures', () => {
  const said = [0.9, 0.9, 0.9, 0.9, 0.1].map((likelihood, i) => ({ likelihood, isTrue: i < 3 }))

  it('Brier score, calibration error, reliability', () => {
    expect(brierScore(said)).toBeCloseTo((3 * 0.01 + 0.81 + 0.01) / 5, 12)
    expect(expectedCalibrationError(said)).toBeCloseTo((4 * 0.15 + 0.1) / 5, 12)
    expect(reliability(said).map((row) => [row.from, row.count, row.trueShare])).toEqual([
      [0.1, 1, 0],
      [0.9, 4, 0.75],
    ])
  })

  it('area under the curve: ties count half', () => {
    expect(areaUnderCurve([1, 2, 3], [4, 5])).toBe(1)
    expect(areaUnderCurve([4, 5], [1, 2, 3])).toBe(0)
    expect(areaUnderCurve([1, 1], [1, 1])).toBe(0.5)
    expect(areaUnderCurve([1, 3], [2, 3])).toBe((1 + 0 + 1 + 0.5) / 4)
  })

  it('share found at a rate of false positives', () => {
    const usual = Array.from({ length: 1000 }, (_, i) => i)
    expect(shareFoundAt(0.005, usual, [993, 994, 995, 2000])).toBe(0.5)
    expect(usual.filter((score) => score > 994).length / usual.length).toBe(0.005)
  })

  it('nothing measured is null', () => {
    expect([brierScore([]), expectedCalibrationError([]), reliability([])]).toEqual([null, null, []])
  })
})
