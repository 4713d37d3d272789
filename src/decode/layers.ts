/**
 * What may lie between a link header and IP: tags, labels, PPP, LLC with SNAP, a bridged Ethernet frame.
 *
 *   LLC with SNAP (IEEE 802.2): 0      1      2      3             6        8
 *                               +------+------+------+-------------+--------+----
 *                               |  aa  |  aa  |  03  | 00  00  00  |  type  | …
 *                               +------+------+------+-------------+--------+----
 *   NSH (RFC 8300): version, ttl, length (6 bits, in words) u16 | metadata type u8 | next u8 | path u32 | metadata
 *
 * In:  packet.etherType is not IP; the cursor stands at what it names.
 * Out: the type is IPv4 or IPv6 and the cursor stands there; or the reason why not.
 * Not: protocols that carry no IP packet; ARP is read, and has reasons of its own because it is on every line.
 */
import { u16, u32 } from '../base/bytes.ts'
import { decodeArp } from './arp.ts'
import { DECODED, type DropReason, ETHERTYPE_UNKNOWN, LAYER_TRUNCATED, LAYERS_TOO_MANY } from './drop-reason.ts'
import {
  ETHER_TYPE_MIN,
  TYPE_8021AD,
  TYPE_8021Q,
  TYPE_ARP,
  TYPE_CISCO_METADATA,
  TYPE_ETHERNET,
  TYPE_IPV4,
  TYPE_IPV6,
  TYPE_MPLS,
  TYPE_MPLS_MULTICAST,
  TYPE_NSH,
  TYPE_PPP,
  TYPE_PPPOE_SESSION,
  TYPE_QINQ_OLD,
  TYPE_VN_TAG,
} from './ether-type.ts'
import { decodeEthernet, decodeVlanTags } from './ethernet.ts'
import { decodeMpls } from './mpls.ts'
import type { Packet } from './packet.ts'
import { decodePpp, decodePppoe } from './ppp.ts'

const LAYERS_MAX = 8

const VN_TAG_LEN = 4
const CISCO_METADATA_LEN = 6

const NSH_LENGTH = 1
const NSH_LENGTH_MASK = 0x3f
const NSH_NEXT = 3
const NSH_LEN_MIN = 8
/** Next protocol of NSH (RFC 8300, section 2.2) and VXLAN-GPE; 0 where it is none of ours. */
export const NEXT_PROTOCOL_TYPES = [0, TYPE_IPV4, TYPE_IPV6, TYPE_ETHERNET, TYPE_NSH, TYPE_MPLS] as const

const SNAP_START = 0xaaaa0300
const SNAP_TYPE = 6
const SNAP_LEN = 8

export function decodeLayers(b: Uint8Array, capEnd: number, packet: Packet): DropReason {
  for (let count = 0; count < LAYERS_MAX; count++) {
    const reason = decodeLayer(b, capEnd, packet)
    if (reason !== DECODED) return reason
    if (packet.etherType === TYPE_IPV4 || packet.etherType === TYPE_IPV6) return DECODED
  }
  return LAYERS_TOO_MANY
}

function decodeLayer(b: Uint8Array, capEnd: number, packet: Packet): DropReason {
  switch (packet.etherType) {
    case TYPE_ARP:
      return decodeArp(b, capEnd, packet)
    case TYPE_8021Q:
    case TYPE_8021AD:
    case TYPE_QINQ_OLD:
      return decodeVlanTags(b, capEnd, packet)
    case TYPE_MPLS:
    case TYPE_MPLS_MULTICAST:
      return decodeMpls(b, capEnd, packet)
    case TYPE_PPPOE_SESSION:
      return decodePppoe(b, capEnd, packet)
    case TYPE_PPP:
      return decodePpp(b, capEnd, packet)
    case TYPE_ETHERNET:
      return decodeEthernet(b, capEnd, packet)
    case TYPE_VN_TAG:
      return skipTag(b, capEnd, packet, VN_TAG_LEN)
    case TYPE_CISCO_METADATA:
      return skipTag(b, capEnd, packet, CISCO_METADATA_LEN)
    case TYPE_NSH:
      return decodeNsh(b, capEnd, packet)
    default:
      return packet.etherType < ETHER_TYPE_MIN ? decodeSnap(b, capEnd, packet) : ETHERTYPE_UNKNOWN
  }
}

/** A tag that says nothing about the conversation: `len` octets, then the next ether type. */
function skipTag(b: Uint8Array, capEnd: number, packet: Packet, len: number): DropReason {
  const typeAt = packet.at + len
  if (capEnd - typeAt < 2) return LAYER_TRUNCATED
  packet.etherType = u16(b, typeAt)
  packet.at = typeAt + 2
  return DECODED
}

function decodeNsh(b: Uint8Array, capEnd: number, packet: Packet): DropReason {
  const start = packet.at
  if (capEnd - start < NSH_LEN_MIN) return LAYER_TRUNCATED
  const next = b[start + NSH_NEXT]
  packet.etherType = next < NEXT_PROTOCOL_TYPES.length ? NEXT_PROTOCOL_TYPES[next] : 0
  packet.at = start + (b[start + NSH_LENGTH] & NSH_LENGTH_MASK) * 4
  return packet.etherType === 0 || packet.at < start + NSH_LEN_MIN ? ETHERTYPE_UNKNOWN : DECODED
}

/** LLC without SNAP carries no IP (spanning tree and kin). */
function decodeSnap(b: Uint8Array, capEnd: number, packet: Packet): DropReason {
  const start = packet.at
  if (capEnd - start < SNAP_LEN || u32(b, start) !== SNAP_START || u16(b, start + 4) !== 0) return ETHERTYPE_UNKNOWN
  packet.etherType = u16(b, start + SNAP_TYPE)
  packet.at = start + SNAP_LEN
  return DECODED
}
