/**
 * Ethernet II (IEEE 802.3) and VLAN tags (IEEE 802.1Q, 802.1ad).
 *
 *   0              6              12       14          a tag:  0        2        4
 *   +--------------+--------------+--------+-----              +--------+--------+
 *   |     dst      |     src      |  type  | …                 |pri,id  |  type  | …
 *   +--------------+--------------+--------+-----              +--------+--------+
 *
 * In:  b[packet.at, capEnd) is what was captured.
 * Out: VLAN ids, outermost first; the ether type and the cursor behind the last tag.
 * Not: LLC and SNAP (types under 1536, layers.ts), and the padding behind short packets: IP says where a packet ends.
 */
import { formatIpv4, isIpv4 } from '../base/address.ts'
import { u16 } from '../base/bytes.ts'
import { DECODED, type DropReason, LINK_TRUNCATED, VLAN_TOO_DEEP, VLAN_TRUNCATED } from './drop-reason.ts'
import { TYPE_8021AD, TYPE_8021Q, TYPE_QINQ_OLD } from './ether-type.ts'
import type { CarriedSighting } from './link-sighting.ts'
import { formatMac } from './mac.ts'
import { type Packet, VLAN_DEPTH_MAX } from './packet.ts'

/** LINKTYPE_ETHERNET of tcpdump.org/linktypes.html. */
export const LINK_ETHERNET = 1

const DST = 0
const SRC = 6
const TYPE = 12
const HEADER_LEN = 14
const TAG_LEN = 4
const VLAN_ID = 0x0fff

export function decodeEthernet(b: Uint8Array, capEnd: number, packet: Packet): DropReason {
  const start = packet.at
  if (capEnd - start < HEADER_LEN) return LINK_TRUNCATED
  packet.etherType = u16(b, start + TYPE)
  packet.at = start + HEADER_LEN
  return isVlanType(packet.etherType) ? decodeVlanTags(b, capEnd, packet) : DECODED
}

export function isVlanType(etherType: number): boolean {
  return etherType === TYPE_8021Q || etherType === TYPE_8021AD || etherType === TYPE_QINQ_OLD
}

/**
 * In: the cursor stands behind a VLAN ether type, at the tag's own two octets. Four tags a frame are read; the list, which a
 * wrapper and its content share, keeps the outermost three and the innermost when it overflows.
 */
export function decodeVlanTags(b: Uint8Array, capEnd: number, packet: Packet): DropReason {
  let depth = 0
  do {
    if (depth++ === VLAN_DEPTH_MAX) return VLAN_TOO_DEEP
    if (capEnd - packet.at < TAG_LEN) return VLAN_TRUNCATED
    if (packet.vlanCount < VLAN_DEPTH_MAX) packet.vlanCount++
    packet.vlans[packet.vlanCount - 1] = u16(b, packet.at) & VLAN_ID
    packet.etherType = u16(b, packet.at + 2)
    packet.at += TAG_LEN
  } while (isVlanType(packet.etherType))
  return DECODED
}

/**
 * In: a decoded frame of an Ethernet slab, and where it begins. Out: which card hands whose packet to which; null for IPv6 and for what
 * lies in a wrapper, whose cards are not those of this segment.
 */
export function readCarried(b: Uint8Array, start: number, packet: Packet): CarriedSighting | null {
  if (packet.tunnelDepth !== 0 || !isIpv4(packet.srcW0, packet.srcW1, packet.srcW2)) return null
  return {
    kind: 'carried',
    atUs: packet.timeUs,
    fromMac: formatMac(b, start + SRC),
    toMac: formatMac(b, start + DST),
    sourceAddress: formatIpv4(packet.srcW3),
    destinationAddress: formatIpv4(packet.dstW3),
  }
}
