/**
 * Checksums of IPv4, TCP and UDP (RFC 1071; pseudo-headers RFC 9293 section 3.1, RFC 8200 section 8.1).
 *
 * In:  a decoded packet and its octets. Out: fits, was not filled in yet, or is wrong; or that it cannot be told.
 * Not: a verdict on the packet: it is metered all the same. A wrong sum means a damaging tap or cable; one not filled in means a capture
 *      on the sending host, whose card computes it afterwards. Suricata (-k) and Zeek (-C) would throw both away.
 * A sum not filled in is the pseudo-header's alone (Linux, CHECKSUM_PARTIAL), or zero.
 */
import { u16 } from '../base/bytes.ts'
import { NOT_FRAGMENTED, type Packet } from '../decode/packet.ts'

export const SUM_UNKNOWN = 0
export const SUM_FITS = 1
export const SUM_EMPTY = 2
export const SUM_WRONG = 3

const IPV4_SUM = 10
const IPV4_SRC = 12
const IPV4_ADDRESSES_LEN = 8
const IPV6_SRC = 8
const IPV6_ADDRESSES_LEN = 32
const TCP = 6
const TCP_SUM = 16
const UDP = 17
const UDP_SUM = 6
const ALL_ONES = 0xffff

export function checkSums(b: Uint8Array, p: Packet): number {
  const version = b[p.ipAt] >> 4
  let isEmpty = false
  if (version === 4) {
    const headerLen = (b[p.ipAt] & 15) * 4
    if (p.ipAt + headerLen > p.capEnd) return SUM_UNKNOWN
    if (folded(addUp(b, p.ipAt, headerLen)) !== ALL_ONES) {
      if (u16(b, p.ipAt + IPV4_SUM) !== 0) return SUM_WRONG
      isEmpty = true
    }
  }
  const transport = checkTransport(b, p, version)
  return isEmpty && transport !== SUM_WRONG ? SUM_EMPTY : transport
}

function checkTransport(b: Uint8Array, p: Packet, version: number): number {
  const sumAt = p.at + (p.proto === TCP ? TCP_SUM : UDP_SUM)
  const len = p.l4HeaderLen + p.payloadLen
  if ((p.proto !== TCP && p.proto !== UDP) || p.fragment !== NOT_FRAGMENTED || p.at + len > p.capEnd) return SUM_UNKNOWN
  const stored = u16(b, sumAt)
  // A sender of UDP over IPv4 may leave it out (RFC 768).
  if (p.proto === UDP && stored === 0) return SUM_UNKNOWN
  const addresses = version === 4 ? addUp(b, p.ipAt + IPV4_SRC, IPV4_ADDRESSES_LEN) : addUp(b, p.ipAt + IPV6_SRC, IPV6_ADDRESSES_LEN)
  const pseudo = addresses + p.proto + len
  if (folded(pseudo + addUp(b, p.at, len)) === ALL_ONES) return SUM_FITS
  return stored === 0 || stored === folded(pseudo) || stored === folded(addresses + p.proto) ? SUM_EMPTY : SUM_WRONG
}

/** Sum of 16-bit words; a last odd octet counts as the upper half of one. A packet's sum stays far below 2^53. */
function addUp(b: Uint8Array, start: number, len: number): number {
  let sum = 0
  const end = start + (len & ~1)
  for (let at = start; at < end; at += 2) sum += (b[at] << 8) | b[at + 1]
  return (len & 1) === 0 ? sum : sum + (b[end] << 8)
}

/** Carries added back in. */
function folded(sum: number): number {
  let rest = sum
  while (rest > ALL_ONES) rest = (rest & ALL_ONES) + Math.floor(rest / (ALL_ONES + 1))
  return rest
}
