/**
 * MPLS label stack, RFC 3032 section 2.1, and what lies under it.
 *
 *   0                20    23 24       32 bits
 *   +-----------------+-----+-+--------+
 *   |      label      | TC  |S|  TTL   |  … until S, the bottom of the stack
 *   +-----------------+-----+-+--------+
 *
 * In:  b[packet.at, capEnd) is what was captured, from the first label on.
 * Out: the ether type of what is under the labels, and the cursor there.
 * The stack does not name its payload. Its first four bits tell: 4 and 6 are IP (RFC 4928, section 3), 0 is a control word before
 * a pseudowire's frame (RFC 4385). An Ethernet pseudowire is believed only when a type that we read stands where it must.
 * Not: the labels in the flow key: they differ by direction.
 */
import { u16 } from '../base/bytes.ts'
import { DECODED, type DropReason, MPLS_PAYLOAD_UNKNOWN, MPLS_TOO_DEEP, MPLS_TRUNCATED } from './drop-reason.ts'
import { TYPE_8021AD, TYPE_8021Q, TYPE_ARP, TYPE_ETHERNET, TYPE_IPV4, TYPE_IPV6 } from './ether-type.ts'
import type { Packet } from './packet.ts'

const LABEL_LEN = 4
const BOTTOM = 2
const BOTTOM_BIT = 1
const LABELS_MAX = 16

const CONTROL_WORD_LEN = 4
const ETHERNET_TYPE = 12
const ETHERNET_HEADER_LEN = 14

const IPV4_HEADER_LEN_MIN = 20
const IPV4_TOTAL_LENGTH = 2
const IPV6_HEADER_LEN = 40
const IPV6_PAYLOAD_LENGTH = 4

export function decodeMpls(b: Uint8Array, capEnd: number, packet: Packet): DropReason {
  for (let count = 0; count < LABELS_MAX; count++) {
    const at = packet.at
    if (capEnd - at < LABEL_LEN) return MPLS_TRUNCATED
    packet.at = at + LABEL_LEN
    if ((b[at + BOTTOM] & BOTTOM_BIT) !== 0) return tellPayload(b, capEnd, packet)
  }
  return MPLS_TOO_DEEP
}

function tellPayload(b: Uint8Array, capEnd: number, packet: Packet): DropReason {
  const start = packet.at
  if (capEnd - start < 1) return MPLS_TRUNCATED
  const nibble = b[start] >> 4
  if (nibble === 4 && isIpv4(b, start, capEnd, packet.wireEnd)) packet.etherType = TYPE_IPV4
  else if (nibble === 6 && isIpv6(b, start, capEnd, packet.wireEnd)) packet.etherType = TYPE_IPV6
  else if (nibble === 0 && isEthernet(b, start + CONTROL_WORD_LEN, capEnd)) {
    packet.at = start + CONTROL_WORD_LEN
    packet.etherType = TYPE_ETHERNET
  } else if (isEthernet(b, start, capEnd)) packet.etherType = TYPE_ETHERNET
  else return MPLS_PAYLOAD_UNKNOWN
  return DECODED
}

/** A MAC address may begin with a 4 as well; then the length that IP would have is seldom right. */
function isIpv4(b: Uint8Array, start: number, capEnd: number, wireEnd: number): boolean {
  if (capEnd - start < IPV4_HEADER_LEN_MIN) return true
  const totalLen = u16(b, start + IPV4_TOTAL_LENGTH)
  return (b[start] & 15) >= 5 && totalLen >= IPV4_HEADER_LEN_MIN && totalLen <= wireEnd - start
}

function isIpv6(b: Uint8Array, start: number, capEnd: number, wireEnd: number): boolean {
  if (capEnd - start < IPV6_HEADER_LEN) return true
  return IPV6_HEADER_LEN + u16(b, start + IPV6_PAYLOAD_LENGTH) <= wireEnd - start
}

function isEthernet(b: Uint8Array, start: number, capEnd: number): boolean {
  if (capEnd - start < ETHERNET_HEADER_LEN) return false
  const type = u16(b, start + ETHERNET_TYPE)
  return type === TYPE_IPV4 || type === TYPE_IPV6 || type === TYPE_8021Q || type === TYPE_8021AD || type === TYPE_ARP
}
