/**
 * The link types that are not Ethernet: raw IP, null/loopback, Linux cooked capture v1 and v2.
 *
 *   null/loop: family u32 (host order in null, network order in loop)
 *   SLL:  type u16 | ARPHRD u16 | address length u16 | address 8 | protocol u16                                  (16 octets)
 *   SLL2: protocol u16 | zero u16 | interface u32 | ARPHRD u16 | type u8 | address length u8 | address 8         (20 octets)
 *
 * In:  b[packet.at, capEnd) is what was captured. Source: tcpdump.org/linktypes.html.
 * Out: the ether type and the cursor behind the header.
 */
import { u16, u32, u32le } from '../base/bytes.ts'
import { DECODED, type DropReason, ETHERTYPE_UNKNOWN, LINK_TRUNCATED } from './drop-reason.ts'
import { TYPE_IPV4, TYPE_IPV6 } from './ether-type.ts'
import { decodeVlanTags, isVlanType } from './ethernet.ts'
import type { Packet } from './packet.ts'

const NULL_HEADER_LEN = 4
const AF_INET = 2
/** AF_INET6 of NetBSD and Linux's 10 beside those of FreeBSD, macOS and OpenBSD. */
const AF_INET6: ReadonlySet<number> = new Set([10, 23, 24, 26, 28, 30])

const SLL_PROTOCOL = 14
const SLL_HEADER_LEN = 16
const SLL2_PROTOCOL = 0
const SLL2_HEADER_LEN = 20

export function decodeRawIp(b: Uint8Array, capEnd: number, packet: Packet): DropReason {
  if (capEnd - packet.at < 1) return LINK_TRUNCATED
  const version = b[packet.at] >> 4
  if (version !== 4 && version !== 6) return ETHERTYPE_UNKNOWN
  packet.etherType = version === 4 ? TYPE_IPV4 : TYPE_IPV6
  return DECODED
}

export function decodeNull(b: Uint8Array, capEnd: number, packet: Packet): DropReason {
  if (capEnd - packet.at < NULL_HEADER_LEN) return LINK_TRUNCATED
  // The writing host's byte order is not told; families are small numbers, so the smaller reading is the right one.
  const family = Math.min(u32(b, packet.at), u32le(b, packet.at))
  packet.at += NULL_HEADER_LEN
  if (family !== AF_INET && !AF_INET6.has(family)) return ETHERTYPE_UNKNOWN
  packet.etherType = family === AF_INET ? TYPE_IPV4 : TYPE_IPV6
  return DECODED
}

export function decodeSll(b: Uint8Array, capEnd: number, packet: Packet): DropReason {
  return decodeCooked(b, capEnd, packet, SLL_PROTOCOL, SLL_HEADER_LEN)
}

export function decodeSll2(b: Uint8Array, capEnd: number, packet: Packet): DropReason {
  return decodeCooked(b, capEnd, packet, SLL2_PROTOCOL, SLL2_HEADER_LEN)
}

function decodeCooked(b: Uint8Array, capEnd: number, packet: Packet, protocolAt: number, headerLen: number): DropReason {
  if (capEnd - packet.at < headerLen) return LINK_TRUNCATED
  packet.etherType = u16(b, packet.at + protocolAt)
  packet.at += headerLen
  return isVlanType(packet.etherType) ? decodeVlanTags(b, capEnd, packet) : DECODED
}
