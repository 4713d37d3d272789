/**
 * The wrappers that travel in UDP: VXLAN (RFC 7348) and its GPE, GENEVE (RFC 8926), GTP-U (3GPP TS 29.281), TZSP.
 *
 *   VXLAN:   flags u8 (I 08; GPE: P 04) | … | GPE: next u8 | VNI u24 | reserved u8                                          (8 octets)
 *   GENEVE:  version 2 bits, options length 6 | flags u8 | ether type u16 | VNI u24 | reserved u8 | options                 (8 octets and options)
 *   GTP-U:   version 3 bits, PT, 0, E, S, PN | type u8 | length u16 | TEID u32 | [sequence u16 | N-PDU u8 | next u8] | extensions
 *            an extension: length u8 in words | content | next u8
 *   TZSP:    version u8 (1) | type u8 | protocol u16 | tags: type u8 [length u8 content], type 1 ends
 *
 * In:  b[start, capEnd) is the UDP payload as captured, on the wrapper's well-known port.
 * Out: the ether type of the payload, the cursor there, kind and id of the tunnel. A GTP tunnel's TEID differs by direction, so it
 *      is kept but is no part of the flow key.
 * Not: a guess on other ports. What fails its header's check is plain UDP.
 */
import { i32, u16 } from '../base/bytes.ts'
import { DECODED, type DropReason, TUNNEL_MALFORMED, TUNNEL_PAYLOAD_UNKNOWN, TUNNEL_TRUNCATED } from './drop-reason.ts'
import { TYPE_ETHERNET } from './ether-type.ts'
import { NEXT_PROTOCOL_TYPES } from './layers.ts'
import { decodeRawIp } from './link.ts'
import type { Packet } from './packet.ts'
import { GENEVE, GTP_U, nameTunnel, TZSP, VXLAN } from './tunnel-kind.ts'

export const PORT_GTP_U = 2152
export const PORT_VXLAN = 4789
export const PORT_VXLAN_GPE = 4790
export const PORT_GENEVE = 6081
/** Linux's choice before the assignment, still its default. */
export const PORT_VXLAN_LINUX = 8472
export const PORT_TZSP = 37008

const VNI = 4
const VXLAN_NEXT = 3
const VXLAN_HEADER_LEN = 8
const VXLAN_HAS_VNI = 0x08
const VXLAN_HAS_NEXT = 0x04

const GENEVE_TYPE = 2
const GENEVE_HEADER_LEN = 8
const GENEVE_OPTIONS_LEN = 0x3f

const GTP_TYPE = 1
const GTP_LENGTH = 2
const GTP_TEID = 4
const GTP_HEADER_LEN = 8
const GTP_OPTIONAL_LEN = 4
const GTP_VERSION_AND_PT = 0xf0
const GTP_V1 = 0x30
const GTP_HAS_OPTIONAL = 0x07
const GTP_HAS_EXTENSION = 0x04
const GTP_USER_DATA = 255
const GTP_EXTENSIONS_MAX = 16

const TZSP_TYPE = 1
const TZSP_PROTOCOL = 2
const TZSP_HEADER_LEN = 4
const TZSP_VERSION = 1
const TZSP_TYPE_MAX = 1
const TZSP_ETHERNET = 1
const TZSP_TAG_PAD = 0
const TZSP_TAG_END = 1
const TZSP_TAGS_MAX = 64

export function openVxlan(b: Uint8Array, start: number, capEnd: number, packet: Packet, isGpe: boolean): DropReason {
  if (capEnd - start < VXLAN_HEADER_LEN) return TUNNEL_TRUNCATED
  if ((b[start] & VXLAN_HAS_VNI) === 0) return TUNNEL_MALFORMED
  let type: number = TYPE_ETHERNET
  if (isGpe && (b[start] & VXLAN_HAS_NEXT) !== 0) {
    const next = b[start + VXLAN_NEXT]
    type = next < NEXT_PROTOCOL_TYPES.length ? NEXT_PROTOCOL_TYPES[next] : 0
    if (type === 0) return TUNNEL_PAYLOAD_UNKNOWN
  }
  packet.etherType = type
  const vni = u24(b, start + VNI)
  nameTunnel(packet, VXLAN, vni, vni)
  packet.at = start + VXLAN_HEADER_LEN
  return DECODED
}

export function openGeneve(b: Uint8Array, start: number, capEnd: number, packet: Packet): DropReason {
  if (capEnd - start < GENEVE_HEADER_LEN) return TUNNEL_TRUNCATED
  if (b[start] >> 6 !== 0) return TUNNEL_MALFORMED
  packet.etherType = u16(b, start + GENEVE_TYPE)
  const vni = u24(b, start + VNI)
  nameTunnel(packet, GENEVE, vni, vni)
  packet.at = start + GENEVE_HEADER_LEN + (b[start] & GENEVE_OPTIONS_LEN) * 4
  return DECODED
}

export function openGtpU(b: Uint8Array, start: number, capEnd: number, packet: Packet): DropReason {
  if (capEnd - start < GTP_HEADER_LEN) return TUNNEL_TRUNCATED
  if ((b[start] & GTP_VERSION_AND_PT) !== GTP_V1) return TUNNEL_MALFORMED
  if (u16(b, start + GTP_LENGTH) > packet.wireEnd - start - GTP_HEADER_LEN && packet.fragment === 0) return TUNNEL_MALFORMED
  if (b[start + GTP_TYPE] !== GTP_USER_DATA) return TUNNEL_PAYLOAD_UNKNOWN
  nameTunnel(packet, GTP_U, i32(b, start + GTP_TEID), 0)
  packet.at = start + GTP_HEADER_LEN
  if ((b[start] & GTP_HAS_OPTIONAL) !== 0) {
    const reason = skipGtpOptional(b, capEnd, packet, (b[start] & GTP_HAS_EXTENSION) !== 0)
    if (reason !== DECODED) return reason
  }
  return decodeRawIp(b, capEnd, packet)
}

/** Sequence number, N-PDU number and next type come together when any is there; the next type counts only with E. */
function skipGtpOptional(b: Uint8Array, capEnd: number, packet: Packet, hasExtension: boolean): DropReason {
  packet.at += GTP_OPTIONAL_LEN
  if (capEnd < packet.at) return TUNNEL_TRUNCATED
  if (!hasExtension) return DECODED
  for (let count = 0; count < GTP_EXTENSIONS_MAX; count++) {
    const at = packet.at
    if (b[at - 1] === 0) return DECODED
    if (capEnd - at < 1) return TUNNEL_TRUNCATED
    if (b[at] === 0) return TUNNEL_MALFORMED
    packet.at = at + b[at] * 4
    if (capEnd < packet.at) return TUNNEL_TRUNCATED
  }
  return TUNNEL_MALFORMED
}

export function openTzsp(b: Uint8Array, start: number, capEnd: number, packet: Packet): DropReason {
  if (capEnd - start < TZSP_HEADER_LEN) return TUNNEL_TRUNCATED
  if (b[start] !== TZSP_VERSION || b[start + TZSP_TYPE] > TZSP_TYPE_MAX) return TUNNEL_MALFORMED
  if (u16(b, start + TZSP_PROTOCOL) !== TZSP_ETHERNET) return TUNNEL_PAYLOAD_UNKNOWN
  let at = start + TZSP_HEADER_LEN
  for (let count = 0; count < TZSP_TAGS_MAX; count++) {
    if (capEnd - at < 2) return TUNNEL_TRUNCATED
    const tag = b[at]
    at += tag === TZSP_TAG_PAD || tag === TZSP_TAG_END ? 1 : 2 + b[at + 1]
    if (tag !== TZSP_TAG_END) continue
    packet.at = at
    packet.etherType = TYPE_ETHERNET
    nameTunnel(packet, TZSP, 0, 0)
    return DECODED
  }
  return TUNNEL_MALFORMED
}

function u24(b: Uint8Array, at: number): number {
  return (b[at] << 16) | (b[at + 1] << 8) | b[at + 2]
}
