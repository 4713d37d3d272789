import { describe, expect, test } from 'vitest'
import { formatAddress, NetworkSet, parseAddress, parseNetwork } from '../../src/base/address.ts'
import { seeded } from './seeded.ts'

describe('address: text that stays as it is', () => {
  test.each([
    '0.0.0.0',
    '10.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    'fe80::1',
    '2001:db8::1',
    '2001:db8:0:1:1:1:1:1',
    '2001:0:0:1::1',
    '1:2:3:4:5:6:7:8',
    'ff02::1:ff00:0',
    '1::',
  ])('%s', (text) => {
    const words = parseAddress(text)
    expect(words).not.toBeNull()
    if (words !== null) expect(formatAddress(...words)).toBe(text)
  })
})

describe('address: text that RFC 5952 writes otherwise', () => {
  test.each([
    ['2001:DB8::1', '2001:db8::1'],
    ['2001:0db8:0000:0000:0000:0000:0000:0001', '2001:db8::1'],
    ['2001:db8::0:1', '2001:db8::1'],
    ['2001:db8::1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['2001:0:0:1:0:0:0:1', '2001:0:0:1::1'],
    ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['64:ff9b::192.0.2.33', '64:ff9b::c000:221'],
  ])('%s is %s', (text, written) => {
    const words = parseAddress(text)
    expect(words === null ? null : formatAddress(...words)).toBe(written)
  })
})

describe('address: text that is none', () => {
  test.each([
    '',
    ' ',
    ':',
    ':::',
    '1.2.3',
    '1.2.3.4.5',
    '1.2.3.256',
    '1.2.3.-4',
    '1.2.3.4 ',
    '0x7f.0.0.1',
    '1::2::3',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '1:2:3:4::5:6:7:8',
    '12345::',
    'g::',
    'fe80::1%eth0',
    '::1.2.3.4:5',
    '1.2.3.4::',
    '1:2:3:4:5:6:7:1.2.3.4',
    // Leading zeros are octal to some readers and decimal to others (RFC 6943, section 3.1.1).
    '010.0.0.1',
    'localhost',
  ])('%o', (text) => {
    expect(parseAddress(text)).toBeNull()
  })
})

test('address: any four words survive the way to text and back', () => {
  const random = seeded(1)
  for (let i = 0; i < 20_000; i++) {
    // Zeros often, so that every fold is met.
    const word = (): number =>
      (random.below(2) === 0 ? 0 : random.below(2 ** 16)) * 65_536 + (random.below(2) === 0 ? 0 : random.below(2 ** 16))
    const words = [word() | 0, word() | 0, word() | 0, word() | 0] as const
    expect(parseAddress(formatAddress(...words)), words.join(' ')).toEqual(words)
  }
})

describe('network', () => {
  test.each([
    ['10.0.0.0/8', '10.255.255.255', true],
    ['10.0.0.0/8', '11.0.0.0', false],
    ['192.168.1.1', '192.168.1.1', true],
    ['192.168.1.1', '192.168.1.2', false],
    ['0.0.0.0/0', '255.255.255.255', true],
    ['0.0.0.0/0', '::1', false],
    ['128.0.0.0/1', '127.255.255.255', false],
    ['172.16.0.0/12', '172.31.255.255', true],
    ['172.16.0.0/12', '172.32.0.0', false],
    ['fc00::/7', 'fdff::1', true],
    ['fc00::/7', 'fe00::1', false],
    ['fe80::/10', 'febf::1', true],
    ['2001:db8::/33', '2001:db8:8000::', false],
    ['2001:db8::/33', '2001:db8:7fff::', true],
    ['::/0', '10.0.0.1', true],
    ['10.1.2.3/24', '10.1.2.200', true],
    ['10.0.0.0/8', 'not an address', false],
  ])('%s with %s: %o', (network, address, expected) => {
    expect(new NetworkSet([network]).has(address)).toBe(expected)
  })

  test.each(['10.0.0.0/33', '10.0.0.0/-1', '10.0.0.0/', '10.0.0.0/8/8', '10.0.0/8', '::/129', 'fc00::/7x', ''])('%o is none', (text) => {
    expect(parseNetwork(text)).toBeNull()
    expect(() => new NetworkSet([text])).toThrow(RangeError)
  })

  test('membership of random prefixes agrees with a comparison of bits as text', () => {
    const random = seeded(2)
    const bitsOf = (words: readonly number[]): string => words.map((w) => (w >>> 0).toString(2).padStart(32, '0')).join('')
    for (let i = 0; i < 2000; i++) {
      const len = random.below(129)
      const words = [0, 0, 0, 0].map(() => random.below(2 ** 32) | 0) as [number, number, number, number]
      const near = [...words] as [number, number, number, number]
      near[random.below(4)] ^= 1 << random.below(32)
      const network = `${formatAddress(...words)}/${len}`
      expect(new NetworkSet([network]).hasWords(near), `${network} ${formatAddress(...near)}`).toBe(
        bitsOf(words).slice(0, len) === bitsOf(near).slice(0, len),
      )
    }
  })
})
