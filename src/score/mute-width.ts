/**
 * Is a mute rule so wide that the site would not hear of an attack at all?
 *
 * In:  a rule's scope; the site's own networks. Out: the reason why it is too wide, in words for its owner; null when it is not.
 * Not: how often it would apply: `flowscribe mute` shows that from the alert log.
 *
 * Networks are compared as ranges of addresses, so that 0.0.0.0/1 with 128.0.0.0/1 is what it is: everything.
 */
import { parseNetwork } from '../base/address.ts'
import { isHardwareAddress, type MuteScope } from './mutes.ts'

interface Range {
  first: bigint
  last: bigint
}

/** Where IPv4 lies among all addresses (base/address.ts): an IPv6 network around it covers it, too. */
const IPV4: Range = { first: 0xffff00000000n, last: 0xffffffffffffn }
const ALL: Range = { first: 0n, last: (1n << 128n) - 1n }
const FAMILIES = [
  { name: 'IPv4', all: IPV4, has: (range: Range) => isInside(range, IPV4) },
  { name: 'IPv6', all: ALL, has: (range: Range) => !isInside(range, IPV4) },
] as const

/** Nobody's own network alone: what hosts say there, they say to their neighbours. */
const LOCAL_ONLY = ['127.0.0.0/8', '169.254.0.0/16', '::1', 'fe80::/10'].map(rangeOf)

const SIDES = ['actor', 'victim'] as const

export function tooWide({ kinds, actors, victims }: MuteScope, internal: readonly string[]): string | null {
  const sides = SIDES.map((name) => ({ name, hosts: name === 'actor' ? actors : victims }))
  for (const { name, hosts } of sides) {
    const every = FAMILIES.find(({ all }) => hosts !== null && covers(hosts, [all]))
    if (every !== undefined) return `its ${name} is every ${every.name} address there is`
  }
  if (sides.some(({ hosts }) => hosts !== null && !coversOwn(hosts, internal))) return null
  const who = sides.map(({ name, hosts }) => (hosts === null ? `any ${name}` : `all own networks as ${name}`)).join(' and ')
  return `${who}: nobody here would be told of ${kinds.join(', ')} again`
}

/** All of the site's networks of one family. */
function coversOwn(hosts: readonly string[], internal: readonly string[]): boolean {
  const own = internal.map(rangeOf).filter((range) => !LOCAL_ONLY.some((local) => isInside(range, local)))
  return FAMILIES.some(({ has }) => {
    const ofFamily = own.filter(has)
    return ofFamily.length > 0 && covers(hosts, ofFamily)
  })
}

function covers(hosts: readonly string[], wanted: readonly Range[]): boolean {
  const joined = joinedRanges(hosts.filter((host) => !isHardwareAddress(host)).map(rangeOf))
  return wanted.every((range) => joined.some((one) => isInside(range, one)))
}

/** Neighbours and overlaps made one. */
function joinedRanges(ranges: readonly Range[]): Range[] {
  const sorted = [...ranges].sort((a, b) => (a.first < b.first ? -1 : a.first > b.first ? 1 : 0))
  const joined: Range[] = []
  for (const range of sorted) {
    const last = joined.at(-1)
    if (last === undefined || range.first > last.last + 1n) joined.push({ ...range })
    else if (range.last > last.last) last.last = range.last
  }
  return joined
}

function isInside(inner: Range, outer: Range): boolean {
  return inner.first >= outer.first && inner.last <= outer.last
}

/** @param cidr checked before: an address or a network */
function rangeOf(cidr: string): Range {
  const network = parseNetwork(cidr)
  if (network === null) throw new RangeError(`'${cidr}' is not an address or a network in CIDR notation`)
  const { words, masks } = network
  const join = (parts: readonly number[]): bigint => parts.reduce((sum, part) => (sum << 32n) | BigInt(part >>> 0), 0n)
  const first = join(words.map((word, i) => word & masks[i]))
  return { first, last: first | join(masks.map((mask) => ~mask)) }
}
