/**
 * ICMP (RFC 792) and ICMPv6 (RFC 4443) headers, and the packet that an error message quotes.
 *
 *   0      1      2        4                 8
 *   +------+------+--------+-----------------+----------
 *   | type | code |checksum| id, seq | unused | quoted packet or data …
 *   +------+------+--------+-----------------+----------
 *
 * In:  b[start, capEnd) is what was captured; wireEnd is where IP says the message ends.
 * Out: type, code, payload length (what follows the 8 octets, 4 when shorter); ports as Community ID has them: a request
 *      and its reply are two directions of one conversation, all other types are one-way (type, code). The echo id.
 *      For errors the quoted addresses and ports, so that the flow they answer can be marked.
 * Not: the quoted packet as a packet of its own: it is not counted twice.
 */
import { i32, u16 } from '../base/bytes.ts'
import { DECODED, type DropReason, ICMP_TRUNCATED } from './drop-reason.ts'
import type { Packet } from './packet.ts'

const TYPE = 0
const CODE = 1
const IDENTIFIER = 4
const HEADER_LEN_MIN = 4
const HEADER_LEN = 8

/** A one-way type: its ports are (type, code). */
export const NO_COUNTERPART = -1

const IPV4_ERRORS: ReadonlySet<number> = new Set([3, 4, 5, 11, 12])
const IPV4_ECHO: ReadonlySet<number> = new Set([0, 8, 13, 14, 15, 16, 17, 18])
/** Request and reply types, both ways (Community ID specification). */
export const IPV4_COUNTERPART = counterparts([8, 0], [13, 14], [15, 16], [10, 9], [17, 18])

const IPV6_ERROR_MAX = 127
const IPV6_ECHO: ReadonlySet<number> = new Set([128, 129])
export const IPV6_COUNTERPART = counterparts([128, 129], [133, 134], [135, 136], [130, 131], [139, 140], [144, 145])

function counterparts(...pairs: readonly (readonly [number, number])[]): Int16Array {
  const table = new Int16Array(256).fill(NO_COUNTERPART)
  for (const [request, reply] of pairs) {
    table[request] = reply
    table[reply] = request
  }
  return table
}

export function decodeIcmp(b: Uint8Array, start: number, capEnd: number, wireEnd: number, packet: Packet): DropReason {
  if (capEnd - start < HEADER_LEN_MIN) return ICMP_TRUNCATED
  const type = b[start + TYPE]
  setTypeAndCode(packet, type, b[start + CODE], IPV4_COUNTERPART[type], wireEnd - start)
  if (capEnd - start < HEADER_LEN) return DECODED
  if (IPV4_ECHO.has(type)) packet.echoId = u16(b, start + IDENTIFIER)
  else if (IPV4_ERRORS.has(type)) quoteIpv4(b, start + HEADER_LEN, capEnd, packet)
  return DECODED
}

export function decodeIcmpv6(b: Uint8Array, start: number, capEnd: number, wireEnd: number, packet: Packet): DropReason {
  if (capEnd - start < HEADER_LEN_MIN) return ICMP_TRUNCATED
  const type = b[start + TYPE]
  setTypeAndCode(packet, type, b[start + CODE], IPV6_COUNTERPART[type], wireEnd - start)
  if (capEnd - start < HEADER_LEN) return DECODED
  if (IPV6_ECHO.has(type)) packet.echoId = u16(b, start + IDENTIFIER)
  else if (type <= IPV6_ERROR_MAX) quoteIpv6(b, start + HEADER_LEN, capEnd, packet)
  return DECODED
}

function setTypeAndCode(packet: Packet, type: number, code: number, counterpart: number, len: number): void {
  packet.icmpType = type
  packet.icmpCode = code
  packet.srcPort = type
  packet.dstPort = counterpart === NO_COUNTERPART ? code : counterpart
  packet.l4HeaderLen = 0
  packet.payloadLen = Math.max(0, len - HEADER_LEN)
}

const QUOTED_PORTS_LEN = 4
const MAPPED_PREFIX = 0xffff

function quoteIpv4(b: Uint8Array, start: number, capEnd: number, packet: Packet): void {
  if (capEnd - start < 20 || b[start] >> 4 !== 4) return
  const l4 = start + (b[start] & 15) * 4
  if (capEnd - l4 < QUOTED_PORTS_LEN) return
  packet.quotedProto = b[start + 9]
  packet.quotedSrcW0 = 0
  packet.quotedSrcW1 = 0
  packet.quotedSrcW2 = MAPPED_PREFIX
  packet.quotedSrcW3 = i32(b, start + 12)
  packet.quotedDstW0 = 0
  packet.quotedDstW1 = 0
  packet.quotedDstW2 = MAPPED_PREFIX
  packet.quotedDstW3 = i32(b, start + 16)
  packet.quotedSrcPort = u16(b, l4)
  packet.quotedDstPort = u16(b, l4 + 2)
}

/** Only quotes without extension headers; with them the flow goes unmarked. */
function quoteIpv6(b: Uint8Array, start: number, capEnd: number, packet: Packet): void {
  const l4 = start + 40
  if (capEnd - l4 < QUOTED_PORTS_LEN || b[start] >> 4 !== 6) return
  packet.quotedProto = b[start + 6]
  packet.quotedSrcW0 = i32(b, start + 8)
  packet.quotedSrcW1 = i32(b, start + 12)
  packet.quotedSrcW2 = i32(b, start + 16)
  packet.quotedSrcW3 = i32(b, start + 20)
  packet.quotedDstW0 = i32(b, start + 24)
  packet.quotedDstW1 = i32(b, start + 28)
  packet.quotedDstW2 = i32(b, start + 32)
  packet.quotedDstW3 = i32(b, start + 36)
  packet.quotedSrcPort = u16(b, l4)
  packet.quotedDstPort = u16(b, l4 + 2)
}
