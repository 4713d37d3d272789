/**
 * SCTP common header, RFC 9260 section 3.1.
 *
 *   0        2        4                 8                 12
 *   +--------+--------+-----------------+-----------------+
 *   |  src   |  dst   |verification tag |    checksum     |
 *   +--------+--------+-----------------+-----------------+
 *
 * In:  b[start, capEnd) is what was captured; wireEnd is where IP says the packet ends.
 * Out: ports and payload length (the chunks) on `packet`; or a reason. Not: the chunks themselves.
 */
import { u16 } from '../base/bytes.ts'
import { DECODED, type DropReason, SCTP_TRUNCATED } from './drop-reason.ts'
import type { Packet } from './packet.ts'

const SRC_PORT = 0
const DST_PORT = 2
const HEADER_LEN = 12

export function decodeSctp(b: Uint8Array, start: number, capEnd: number, wireEnd: number, packet: Packet): DropReason {
  if (capEnd - start < HEADER_LEN || wireEnd - start < HEADER_LEN) return SCTP_TRUNCATED
  packet.srcPort = u16(b, start + SRC_PORT)
  packet.dstPort = u16(b, start + DST_PORT)
  packet.l4HeaderLen = HEADER_LEN
  packet.payloadLen = wireEnd - start - HEADER_LEN
  return DECODED
}
