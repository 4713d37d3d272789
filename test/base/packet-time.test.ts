import { describe, expect, test } from 'vitest'
import { cicTime, eveTime, plainTime } from '../../src/base/packet-time.ts'
import { seeded } from './seeded.ts'

const BASE_SEC = Date.UTC(2026, 7, 23, 10, 11, 12) / 1000

describe('packet time', () => {
  test.each([
    [0, '2026-08-23T10:11:12.000000+0000', '2026-08-23 10:11:12'],
    [1, '2026-08-23T10:11:12.000001+0000', '2026-08-23 10:11:12.000001'],
    [1000, '2026-08-23T10:11:12.001000+0000', '2026-08-23 10:11:12.001'],
    [123_000, '2026-08-23T10:11:12.123000+0000', '2026-08-23 10:11:12.123'],
    [999_999, '2026-08-23T10:11:12.999999+0000', '2026-08-23 10:11:12.999999'],
    [1_000_000, '2026-08-23T10:11:13.000000+0000', '2026-08-23 10:11:13'],
    [-1, '2026-08-23T10:11:11.999999+0000', '2026-08-23 10:11:11.999999'],
    [-1_000_000, '2026-08-23T10:11:11.000000+0000', '2026-08-23 10:11:11'],
    [86_400e6 * 366, '2027-08-24T10:11:12.000000+0000', '2027-08-24 10:11:12'],
  ])('%d µs after the base', (timeUs, eve, cic) => {
    expect(eveTime(BASE_SEC, timeUs)).toBe(eve)
    expect(cicTime(BASE_SEC, timeUs)).toBe(cic)
    expect(plainTime(BASE_SEC, timeUs)).toBe(`${eve.slice(0, 19).replace('T', ' ')} UTC`)
  })

  test('the first and the last second that a classic pcap file can hold', () => {
    expect(eveTime(0, 0)).toBe('1970-01-01T00:00:00.000000+0000')
    expect(eveTime(2 ** 32 - 1, 999_999)).toBe('2106-02-07T06:28:15.999999+0000')
  })

  test('a time beyond the calendar is clamped, never a throw', () => {
    expect(eveTime(2 ** 53, 0)).toBe('9999-12-31T23:59:59.000000+0000')
    expect(eveTime(-(2 ** 53), 0)).toBe('0001-01-01T00:00:00.000000+0000')
    expect(cicTime(2 ** 62, 5)).toBe('9999-12-31 23:59:59.000005')
  })

  test('the text names the same microsecond, whatever the base', () => {
    const random = seeded(3)
    for (let i = 0; i < 5000; i++) {
      const baseSec = random.below(2 ** 32)
      const timeUs = random.below(2 ** 40) - random.below(2 ** 40)
      const text = eveTime(baseSec, timeUs)
      const readUs = BigInt(Date.parse(`${text.slice(0, 19)}Z`)) * 1000n + BigInt(text.slice(20, 26))
      expect(readUs, text).toBe(BigInt(baseSec) * 1_000_000n + BigInt(timeUs))
    }
  })
})
