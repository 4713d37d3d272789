import { describe, expect, test } from 'vitest'
import { protoNumber } from '../../../src/features/records/protocol-names.ts'

describe('a protocol in a flow record', () => {
  test.each([
    ['6', 6],
    ['TCP', 6],
    [' udp ', 17],
    ['IPv6-ICMP', 58],
    ['Frag6', 44],
    ['UDP-L', 136],
    ['AX.25', 93],
    ['255', 255],
    ['0', 0],
  ])('%s', (text, number) => {
    expect(protoNumber(text)).toBe(number)
  })

  test.each(['', ' ', '256', '-1', '6.5', 'constructor', '__proto__', 'toString', 'no such'])('%s is none', (text) => {
    expect(protoNumber(text)).toBeNull()
  })
})
