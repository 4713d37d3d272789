/**
 * GRE, RFC 2784 with key and sequence number (RFC 2890), the routing of RFC 1701, PPTP's version 1 (RFC 2637), and ERSPAN in it.
 *
 *   0        2        4                8                12               16
 *   +--------+--------+----------------+----------------+----------------+----
 *   |CRKSs…ver|  type | [checksum, offset] [key]          [sequence]     | [routing] payload
 *   +--------+--------+----------------+----------------+----------------+----
 *   version 1:        |payload len, call id | [sequence] | [acknowledgment] | PPP
 *
 *   ERSPAN II:   ver 4 bits (1) | vlan 12 | cos 3 | en 2 | t 1 | session 10 | index 32                                        (8 octets)
 *   ERSPAN III:  ver 4 bits (2) | vlan 12 | cos 3 | bso 2 | t 1 | session 10 | time 32 | sgt 16 | p 1 | type 5 | hw 6 | d 1 | gra 2 | o 1
 *                (12 octets, and 8 more when o is set); ERSPAN I has no header, and no sequence number in GRE
 *
 * In:  b[start, capEnd) is what was captured. Source for ERSPAN: draft-foschiano-erspan-03.
 * Out: the ether type of the payload, the cursor there, kind and id of the tunnel: GRE's key, ERSPAN's session. PPTP's call id
 *      differs by direction, so it is no part of the flow key.
 * Not: checksums; ERSPAN's VLAN field, which repeats the frame's own tag or names the mirrored port's.
 */
import { i32, u16 } from '../base/bytes.ts'
import { DECODED, type DropReason, TUNNEL_MALFORMED, TUNNEL_TRUNCATED } from './drop-reason.ts'
import { TYPE_ERSPAN, TYPE_ERSPAN_III, TYPE_ETHERNET, TYPE_PPP, TYPE_WCCP } from './ether-type.ts'
import { decodeRawIp } from './link.ts'
import type { Packet } from './packet.ts'
import { ERSPAN, GRE, nameTunnel } from './tunnel-kind.ts'

const TYPE = 2
const HEADER_LEN_MIN = 4
const WORD_LEN = 4

const CHECKSUM_PRESENT = 0x8000
const ROUTING_PRESENT = 0x4000
const KEY_PRESENT = 0x2000
const SEQUENCE_PRESENT = 0x1000
const ACKNOWLEDGMENT_PRESENT = 0x0080
const VERSION = 0x0007

const CALL_ID = 6
const ROUTES_MAX = 16

const ERSPAN_SESSION = 2
const ERSPAN_SESSION_MASK = 0x03ff
const ERSPAN_II_LEN = 8
const ERSPAN_III_LEN = 12
const ERSPAN_III_FRAME_TYPE = 10
const ERSPAN_III_SUBHEADER_LEN = 8
const ERSPAN_III_ETHERNET = 0
const ERSPAN_III_IP = 2

const IPV4_VERSION_NIBBLE = 4
const WCCP_REDIRECT_LEN = 4

export function openGre(b: Uint8Array, start: number, capEnd: number, packet: Packet): DropReason {
  if (capEnd - start < HEADER_LEN_MIN) return TUNNEL_TRUNCATED
  const flags = u16(b, start)
  packet.etherType = u16(b, start + TYPE)
  if ((flags & VERSION) === 1) return openPptp(b, start, capEnd, packet, flags)
  if ((flags & VERSION) !== 0) return TUNNEL_MALFORMED
  let at = start + HEADER_LEN_MIN
  if ((flags & (CHECKSUM_PRESENT | ROUTING_PRESENT)) !== 0) at += WORD_LEN
  const keyAt = at
  if ((flags & KEY_PRESENT) !== 0) at += WORD_LEN
  if ((flags & SEQUENCE_PRESENT) !== 0) at += WORD_LEN
  if (capEnd < at) return TUNNEL_TRUNCATED
  const key = (flags & KEY_PRESENT) !== 0 ? i32(b, keyAt) : 0
  packet.at = at
  if ((flags & ROUTING_PRESENT) !== 0) {
    const reason = skipRouting(b, capEnd, packet)
    if (reason !== DECODED) return reason
  }
  if (packet.etherType === TYPE_ERSPAN) return openErspan(b, capEnd, packet, (flags & SEQUENCE_PRESENT) !== 0)
  if (packet.etherType === TYPE_ERSPAN_III) return openErspanIii(b, capEnd, packet)
  nameTunnel(packet, GRE, key, key)
  return packet.etherType === TYPE_WCCP ? skipWccp(b, capEnd, packet) : DECODED
}

/** Source route entries: family u16 | offset u8 | length u8 | length octets; one of family and length 0 ends the list. */
function skipRouting(b: Uint8Array, capEnd: number, packet: Packet): DropReason {
  for (let count = 0; count < ROUTES_MAX; count++) {
    const at = packet.at
    if (capEnd - at < WORD_LEN) return TUNNEL_TRUNCATED
    packet.at = at + WORD_LEN + b[at + 3]
    if (u16(b, at) === 0 && b[at + 3] === 0) return DECODED
  }
  return TUNNEL_MALFORMED
}

function openPptp(b: Uint8Array, start: number, capEnd: number, packet: Packet, flags: number): DropReason {
  if ((flags & KEY_PRESENT) === 0 || packet.etherType !== TYPE_PPP) return TUNNEL_MALFORMED
  const sequenceLen = (flags & SEQUENCE_PRESENT) === 0 ? 0 : WORD_LEN
  const acknowledgmentLen = (flags & ACKNOWLEDGMENT_PRESENT) === 0 ? 0 : WORD_LEN
  const at = start + HEADER_LEN_MIN + WORD_LEN + sequenceLen + acknowledgmentLen
  if (capEnd < at) return TUNNEL_TRUNCATED
  packet.at = at
  nameTunnel(packet, GRE, u16(b, start + CALL_ID), 0)
  return DECODED
}

function openErspan(b: Uint8Array, capEnd: number, packet: Packet, isNumbered: boolean): DropReason {
  const start = packet.at
  packet.etherType = TYPE_ETHERNET
  if (!isNumbered) {
    nameTunnel(packet, ERSPAN, 0, 0)
    return DECODED
  }
  if (capEnd - start < ERSPAN_II_LEN) return TUNNEL_TRUNCATED
  if (b[start] >> 4 !== 1) return TUNNEL_MALFORMED
  const session = u16(b, start + ERSPAN_SESSION) & ERSPAN_SESSION_MASK
  nameTunnel(packet, ERSPAN, session, session)
  packet.at = start + ERSPAN_II_LEN
  return DECODED
}

function openErspanIii(b: Uint8Array, capEnd: number, packet: Packet): DropReason {
  const start = packet.at
  if (capEnd - start < ERSPAN_III_LEN) return TUNNEL_TRUNCATED
  if (b[start] >> 4 !== 2) return TUNNEL_MALFORMED
  const last = u16(b, start + ERSPAN_III_FRAME_TYPE)
  const frameType = (last >> 10) & 0x1f
  const session = u16(b, start + ERSPAN_SESSION) & ERSPAN_SESSION_MASK
  nameTunnel(packet, ERSPAN, session, session)
  packet.at = start + ERSPAN_III_LEN + ((last & 1) === 0 ? 0 : ERSPAN_III_SUBHEADER_LEN)
  packet.etherType = TYPE_ETHERNET
  if (frameType === ERSPAN_III_IP) return decodeRawIp(b, capEnd, packet)
  return frameType === ERSPAN_III_ETHERNET ? DECODED : TUNNEL_MALFORMED
}

/** WCCP version 2 puts four octets before the redirected packet, version 1 none (draft-wilson-wrec-wccp-v2-01, section 4.12). */
function skipWccp(b: Uint8Array, capEnd: number, packet: Packet): DropReason {
  if (capEnd - packet.at < 1) return TUNNEL_TRUNCATED
  if (b[packet.at] >> 4 !== IPV4_VERSION_NIBBLE) packet.at += WCCP_REDIRECT_LEN
  return decodeRawIp(b, capEnd, packet)
}
