/**
 * IP addresses as four 32-bit words, as text, and networks to test them against.
 *
 * An IPv4 address lies in the words as an IPv4-mapped one (0, 0, 0xffff, address), so that one comparison
 * serves both families. Words are signed 32-bit integers (see `i32` in bytes.ts).
 *
 * Out: text as RFC 5952 wants it (lower case, longest run of zeros folded, first of equals).
 */

const MAPPED_PREFIX = 0xffff

export function isIpv4(w0: number, w1: number, w2: number): boolean {
  return w0 === 0 && w1 === 0 && w2 === MAPPED_PREFIX
}

export function formatAddress(w0: number, w1: number, w2: number, w3: number): string {
  return isIpv4(w0, w1, w2) ? formatIpv4(w3) : formatIpv6(w0, w1, w2, w3)
}

export function formatIpv4(word: number): string {
  return `${word >>> 24}.${(word >>> 16) & 255}.${(word >>> 8) & 255}.${word & 255}`
}

function formatIpv6(w0: number, w1: number, w2: number, w3: number): string {
  const groups = [w0 >>> 16, w0 & 0xffff, w1 >>> 16, w1 & 0xffff, w2 >>> 16, w2 & 0xffff, w3 >>> 16, w3 & 0xffff]
  const fold = longestZeroRun(groups)
  if (fold.len < 2) return groups.map((g) => g.toString(16)).join(':')
  const head = groups.slice(0, fold.start).map((g) => g.toString(16))
  const tail = groups.slice(fold.start + fold.len).map((g) => g.toString(16))
  return `${head.join(':')}::${tail.join(':')}`
}

function longestZeroRun(groups: readonly number[]): { start: number; len: number } {
  let best = { start: 0, len: 0 }
  for (let i = 0; i < groups.length; ) {
    let len = 0
    while (i + len < groups.length && groups[i + len] === 0) len++
    if (len > best.len) best = { start: i, len }
    i += len + 1
  }
  return best
}

export type AddressWords = readonly [number, number, number, number]

/** The words of an address in text, or null when the text is none. */
export function parseAddress(text: string): AddressWords | null {
  return text.includes(':') ? parseIpv6(text) : parseIpv4(text)
}

function parseIpv4(text: string): AddressWords | null {
  const word = ipv4Word(text)
  return word === NO_WORD ? null : [0, 0, MAPPED_PREFIX, word]
}

/** No 32-bit word. */
const NO_WORD = 2 ** 32
const DOT = 0x2e
const ZERO = 0x30

/** The address as a signed word; NO_WORD for other text. No leading zeros: some readers take them for octal (RFC 6943, section 3.1.1). */
function ipv4Word(text: string): number {
  let word = 0
  let octet = -1
  let dots = 0
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code === DOT) {
      if (octet < 0 || ++dots > 3) return NO_WORD
      word = (word << 8) | octet
      octet = -1
      continue
    }
    const digit = code - ZERO
    if (digit < 0 || digit > 9 || octet === 0) return NO_WORD
    octet = octet < 0 ? digit : octet * 10 + digit
    if (octet > 255) return NO_WORD
  }
  return dots === 3 && octet >= 0 ? (word << 8) | octet : NO_WORD
}

function parseIpv6(text: string): AddressWords | null {
  const halves = text.split('::')
  if (halves.length > 2) return null
  const isFolded = halves.length === 2
  const head = parseGroups(halves[0], !isFolded)
  const tail = isFolded ? parseGroups(halves[1], true) : []
  if (head === null || tail === null) return null
  const missing = 8 - head.length - tail.length
  if (isFolded ? missing < 1 : missing !== 0) return null
  const groups = [...head, ...new Array<number>(missing).fill(0), ...tail]
  const word = (i: number): number => (groups[2 * i] << 16) | groups[2 * i + 1]
  return [word(0), word(1), word(2), word(3)]
}

/** @param isEnd whether the address ends with these groups: only there may an IPv4 address stand for two of them */
function parseGroups(text: string, isEnd: boolean): number[] | null {
  if (text === '') return []
  const groups: number[] = []
  const parts = text.split(':')
  for (const [i, part] of parts.entries()) {
    if (part.includes('.') && isEnd && i === parts.length - 1) {
      const v4 = parseIpv4(part)
      if (v4 === null) return null
      groups.push(v4[3] >>> 16, v4[3] & 0xffff)
    } else {
      if (!/^[0-9a-fA-F]{1,4}$/.test(part)) return null
      groups.push(Number.parseInt(part, 16))
    }
  }
  return groups
}

interface Network {
  words: AddressWords
  masks: AddressWords
}

/** A set of networks; membership is a linear scan, for the few networks a site has. */
export class NetworkSet {
  readonly #networks: readonly Network[]

  /** @param cidrs networks or single addresses; throws RangeError naming the first that is neither. */
  constructor(cidrs: readonly string[]) {
    this.#networks = cidrs.map((cidr) => {
      const network = parseNetwork(cidr)
      if (network === null) throw new RangeError(`'${cidr}' is not an address or a network in CIDR notation`)
      return network
    })
  }

  has(address: string): boolean {
    if (address.includes(':')) {
      const words = parseIpv6(address)
      return words !== null && this.hasWords(words)
    }
    const word = ipv4Word(address)
    return word !== NO_WORD && this.#has(0, 0, MAPPED_PREFIX, word)
  }

  hasWords(words: AddressWords): boolean {
    return this.#has(words[0], words[1], words[2], words[3])
  }

  #has(w0: number, w1: number, w2: number, w3: number): boolean {
    for (const network of this.#networks) if (isIn(network, w0, w1, w2, w3)) return true
    return false
  }
}

function isIn({ words, masks }: Network, w0: number, w1: number, w2: number, w3: number): boolean {
  return (
    ((words[3] ^ w3) & masks[3]) === 0 &&
    ((words[2] ^ w2) & masks[2]) === 0 &&
    ((words[1] ^ w1) & masks[1]) === 0 &&
    ((words[0] ^ w0) & masks[0]) === 0
  )
}

/** Words and masks of `192.168.0.0/16`, `fd00::/8` or a single address; null when the text is none of these. */
export function parseNetwork(cidr: string): Network | null {
  const [address, prefix, rest] = cidr.split('/')
  const words = parseAddress(address)
  if (words === null || rest !== undefined) return null
  const width = address.includes(':') ? 128 : 32
  if (prefix !== undefined && !/^\d{1,3}$/.test(prefix)) return null
  const len = prefix === undefined ? width : Number(prefix)
  if (len > width) return null
  const bits = len + (128 - width)
  const mask = (i: number): number => {
    const n = Math.min(32, Math.max(0, bits - 32 * i))
    return n === 0 ? 0 : (-1 << (32 - n)) | 0
  }
  return { words, masks: [mask(0), mask(1), mask(2), mask(3)] }
}
