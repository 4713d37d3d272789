/**
 * A capture as it might have been: slower or faster, elsewhere, with packets missing, begun late, tagged.
 *
 *   slab of records → the same records with other times, addresses or tags, or fewer of them → slab
 *
 * In:  slabs in order, and how many packets the capture has. Out: new slabs; a way back from a rewritten address to the recorded one.
 * Not: IPv6 addresses, and link layers other than Ethernet, Linux cooked, raw IP and loopback: there it `isApplied` to nothing.
 *      Checksums stay as they were; the sensor meters packets with wrong ones.
 * The invariant: a variation is the same each time it is made.
 */
import { formatIpv4 } from '../../src/base/address.ts'
import { putU32le, u16, u32, u32le } from '../../src/base/bytes.ts'
import { MARKER_MIN, REC_CAP_LEN, REC_HEADER_LEN, REC_NSEC, REC_SEC, REC_WIRE_LEN, type Slab } from '../../src/capture/slab.ts'
import { seeded } from '../seeded.ts'

export interface Vary {
  slab(slab: Slab): Slab
  /** The recorded address behind one that an alert names. */
  recordedOf(address: string): string
  /** Whether anything was changed: by then all slabs have passed. */
  readonly isApplied: boolean
}

export interface Variation {
  name: string
  make(packets: number): Vary
}

/** Changes a record in place in `out`, which has room behind it; gives the new captured length, or -1 to leave the packet out. */
type ChangeRecord = (record: { bytes: Uint8Array; at: number; capLen: number; linkType: number; index: number }) => number

export const VARIATIONS: readonly Variation[] = [
  { name: 'as it is', make: () => varyOf(() => null) },
  { name: 'twice as fast', make: () => stretched(0.5) },
  { name: 'twice as slow', make: () => stretched(2) },
  { name: 'three times as slow', make: () => stretched(3) },
  { name: '5 % of packets lost', make: () => thinned(0.05, 5) },
  { name: '20 % of packets lost', make: () => thinned(0.2, 20) },
  { name: 'first half only', make: (packets) => kept((index) => index < packets / 2) },
  { name: 'first quarter only', make: (packets) => kept((index) => index < packets / 4) },
  { name: 'begun midway', make: (packets) => kept((index) => index >= packets / 2) },
  { name: 'all hosts outside', make: () => readdressed(outside) },
  { name: 'all hosts inside', make: () => readdressed(inside) },
  { name: 'tagged', make: () => tagged(() => true) },
  { name: 'tagged one way', make: () => tagged(isFromGreaterCard) },
]

const NS_PER_S = 1e9
const ETHERNET = 1
const ETHERTYPE_VLAN = 0x8100
const ETHERTYPE_QINQ = 0x88a8
const ETHERTYPE_IPV4 = 0x0800
const ETHERTYPE_ARP = 0x0806
const VLAN_TAG_LEN = 4
const MACS_LEN = 12
const MAC_LEN = 6
const VLAN_ID = 120

/** @param change null: records stay as they are. */
function varyOf(changeOf: () => ChangeRecord | null, recordedOf: Vary['recordedOf'] = (address) => address): Vary {
  const change = changeOf()
  const state = { index: 0, isApplied: change === null }
  return {
    slab(slab) {
      if (change === null) return slab
      // A tag makes a record four octets longer.
      const out = new Uint8Array((slab.end - slab.start) * 2)
      let to = 0
      for (let at = slab.start; at < slab.end; ) {
        const capLen = u32le(slab.bytes, at + REC_CAP_LEN)
        const isFrame = u32le(slab.bytes, at + REC_WIRE_LEN) < MARKER_MIN
        out.set(slab.bytes.subarray(at, at + REC_HEADER_LEN + capLen), to)
        const index = isFrame ? state.index++ : -1
        const len = isFrame ? change({ bytes: out, at: to, capLen, linkType: slab.linkType, index }) : capLen
        if (len >= 0) to += REC_HEADER_LEN + len
        at += REC_HEADER_LEN + capLen
      }
      const isSame = to === slab.end - slab.start && Buffer.compare(out.subarray(0, to), slab.bytes.subarray(slab.start, slab.end)) === 0
      if (!isSame) state.isApplied = true
      return { ...slab, bytes: out, start: 0, end: to }
    },
    recordedOf,
    get isApplied() {
      return state.isApplied
    },
  }
}

function stretched(factor: number): Vary {
  return varyOf(() => {
    let first: { sec: number; nsec: number } | null = null
    return ({ bytes, at, capLen }) => {
      const now = { sec: u32le(bytes, at + REC_SEC), nsec: u32le(bytes, at + REC_NSEC) }
      first ??= now
      const sinceNs = ((now.sec - first.sec) * NS_PER_S + (now.nsec - first.nsec)) * factor
      const ns = first.nsec + sinceNs
      const sec = Math.floor(ns / NS_PER_S)
      putU32le(bytes, at + REC_SEC, first.sec + sec)
      putU32le(bytes, at + REC_NSEC, Math.floor(ns - sec * NS_PER_S))
      return capLen
    }
  })
}

function thinned(lost: number, seed: number): Vary {
  return varyOf(() => {
    const chance = seeded(seed)
    return ({ capLen }) => (chance() < lost ? -1 : capLen)
  })
}

function kept(isKept: (index: number) => boolean): Vary {
  return varyOf(
    () =>
      ({ index, capLen }) =>
        isKept(index) ? capLen : -1,
  )
}

function tagged(isTagged: (frame: Uint8Array, at: number) => boolean): Vary {
  return varyOf(() => ({ bytes, at, capLen, linkType }) => {
    const frame = at + REC_HEADER_LEN
    if (linkType !== ETHERNET || capLen < MACS_LEN + 2 || !isTagged(bytes, frame)) return capLen
    bytes.copyWithin(frame + MACS_LEN + VLAN_TAG_LEN, frame + MACS_LEN, frame + capLen)
    bytes.set([ETHERTYPE_VLAN >> 8, ETHERTYPE_VLAN & 255, VLAN_ID >> 8, VLAN_ID & 255], frame + MACS_LEN)
    putU32le(bytes, at + REC_CAP_LEN, capLen + VLAN_TAG_LEN)
    putU32le(bytes, at + REC_WIRE_LEN, u32le(bytes, at + REC_WIRE_LEN) + VLAN_TAG_LEN)
    return capLen + VLAN_TAG_LEN
  })
}

/** One way of every conversation between two cards. */
function isFromGreaterCard(frame: Uint8Array, at: number): boolean {
  for (let i = 0; i < MAC_LEN; i++) {
    const [to, from] = [frame[at + i], frame[at + MAC_LEN + i]]
    if (to !== from) return from > to
  }
  return false
}

function readdressed(rewrite: (address: number) => number): Vary {
  const recorded = new Map<string, string>()
  const change = (bytes: Uint8Array, at: number): void => {
    const from = u32(bytes, at)
    const to = rewrite(from)
    if (to === from) return
    recorded.set(formatIpv4(to), formatIpv4(from))
    for (let i = 0; i < 4; i++) bytes[at + i] = (to >>> (24 - 8 * i)) & 255
  }
  return varyOf(
    () =>
      ({ bytes, at, capLen, linkType }) => {
        const frame = at + REC_HEADER_LEN
        rewriteFrame(bytes, frame, frame + capLen, linkType, change)
        return capLen
      },
    (address) => recorded.get(address) ?? address,
  )
}

/** Link types of which the network header's place is known: where its type stands (none: told from the version) and where it begins. */
const LINKS: ReadonlyMap<number, { typeAt: number | null; networkAt: number }> = new Map([
  [0, { typeAt: null, networkAt: 4 }],
  [ETHERNET, { typeAt: MACS_LEN, networkAt: MACS_LEN + 2 }],
  [12, { typeAt: null, networkAt: 0 }],
  [101, { typeAt: null, networkAt: 0 }],
  [108, { typeAt: null, networkAt: 4 }],
  [113, { typeAt: 14, networkAt: 16 }],
  [228, { typeAt: null, networkAt: 0 }],
  [276, { typeAt: 0, networkAt: 20 }],
])

const IP_SRC = 12
const IP_DST = 16
const IP_HEADER_LEN = 20
const ICMP = 1
const ICMP_HEADER_LEN = 8
const ICMP_ERRORS: ReadonlySet<number> = new Set([3, 4, 5, 11, 12])
/** Sender's and target's protocol address in an ARP message of Ethernet and IPv4 (RFC 826). */
const ARP_ADDRESSES = [14, 24] as const

function rewriteFrame(bytes: Uint8Array, start: number, end: number, linkType: number, change: (b: Uint8Array, at: number) => void): void {
  const link = LINKS.get(linkType)
  if (link === undefined) return
  let at = start + link.networkAt
  if (at + IP_HEADER_LEN > end) return
  let type = link.typeAt === null ? ETHERTYPE_IPV4 : u16(bytes, start + link.typeAt)
  while ((type === ETHERTYPE_VLAN || type === ETHERTYPE_QINQ) && at + VLAN_TAG_LEN + IP_HEADER_LEN <= end) {
    type = u16(bytes, at + 2)
    at += VLAN_TAG_LEN
  }
  if (type === ETHERTYPE_ARP) for (const offset of ARP_ADDRESSES) if (at + offset + 4 <= end) change(bytes, at + offset)
  if (type === ETHERTYPE_IPV4) rewriteIp(bytes, at, end, change)
}

function rewriteIp(bytes: Uint8Array, at: number, end: number, change: (b: Uint8Array, at: number) => void): void {
  if (at + IP_HEADER_LEN > end || bytes[at] >> 4 !== 4) return
  change(bytes, at + IP_SRC)
  change(bytes, at + IP_DST)
  const inner = at + (bytes[at] & 15) * 4
  // An error quotes the packet that it answers.
  if (bytes[at + 9] === ICMP && inner < end && ICMP_ERRORS.has(bytes[inner])) rewriteIp(bytes, inner + ICMP_HEADER_LEN, end, change)
}

/** Private networks change places with public ones; the rest stays. */
function outside(address: number): number {
  const first = address >>> 24
  const other = SWAPPED.get(first)
  return other === undefined ? address : ((address & 0xffffff) | (other << 24)) >>> 0
}

const SWAPPED: ReadonlyMap<number, number> = new Map([
  [10, 81],
  [81, 10],
  [172, 82],
  [82, 172],
  [192, 83],
  [83, 192],
])

/** Every host into 10.0.0.0/8; what was one network of 65,536 stays one, but for rare collisions. */
function inside(address: number): number {
  const first = address >>> 24
  const isHost = first !== 0 && first !== 127 && first < 224 && address !== 0
  if (!isHost) return address
  const second = (first * 37 + ((address >>> 16) & 255)) & 255
  return ((address & 0xffff) | (second << 16) | (10 << 24)) >>> 0
}
