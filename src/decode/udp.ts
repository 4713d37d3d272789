/**
 * UDP header, RFC 768.
 *
 *   0        2        4        6        8
 *   +--------+--------+--------+--------+
 *   |  src   |  dst   | length |checksum|
 *   +--------+--------+--------+--------+
 *
 * In:  b[start, capEnd) is what was captured; wireEnd is where IP says the payload ends.
 * Out: ports and payload length on `packet`; or a reason.
 * Not: the checksum. On the sending host the card fills it in after we have seen the frame.
 */
import { u16 } from '../base/bytes.ts'
import { DECODED, type DropReason, UDP_LENGTH, UDP_TRUNCATED } from './drop-reason.ts'
import { FIRST_FRAGMENT, type Packet } from './packet.ts'

const SRC_PORT = 0
const DST_PORT = 2
const LENGTH = 4
const HEADER_LEN = 8

export function decodeUdp(b: Uint8Array, start: number, capEnd: number, wireEnd: number, packet: Packet): DropReason {
  // The one bounds check: past it, every offset named above is inside the header.
  if (capEnd - start < HEADER_LEN) return UDP_TRUNCATED
  const room = wireEnd - start
  // Zero marks a jumbogram (RFC 2675, section 4): the length is then what IP said.
  const length = u16(b, start + LENGTH) || room
  if (length < HEADER_LEN) return UDP_LENGTH
  // A first fragment names the whole datagram's length and carries only its own part.
  if (length > room && packet.fragment !== FIRST_FRAGMENT) return UDP_LENGTH
  packet.srcPort = u16(b, start + SRC_PORT)
  packet.dstPort = u16(b, start + DST_PORT)
  packet.l4HeaderLen = HEADER_LEN
  packet.payloadLen = Math.min(length, room) - HEADER_LEN
  return DECODED
}
