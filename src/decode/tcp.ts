/**
 * TCP header, RFC 9293 section 3.1.
 *
 *   0        2        4                 8                 12   13       14       16       18
 *   +--------+--------+-----------------+-----------------+----+--------+--------+--------+--------+
 *   |  src   |  dst   |    sequence     | acknowledgment  |off.| flags  | window |checksum| urgent |
 *   +--------+--------+-----------------+-----------------+----+--------+--------+--------+--------+
 *
 * In:  b[start, capEnd) is what was captured; wireEnd is where IP says the segment ends.
 * Out: ports, sequence numbers, flags, window, header and payload lengths on `packet`; or a reason.
 * Not: options: nothing that is measured needs them, so a capture may end among them.
 *
 * A first fragment may hold less than the header (RFC 1858, section 3): nobody's stack makes such, scanners do, so that filters miss
 * the flags. What it holds is read: ports and sequence number always, flags where it reaches that far; what it lacks is 0.
 */
import { i32, u16 } from '../base/bytes.ts'
import { DECODED, type DropReason, TCP_HEADER_LENGTH, TCP_TRUNCATED } from './drop-reason.ts'
import { FIRST_FRAGMENT, type Packet } from './packet.ts'

const TCP = 6
const SRC_PORT = 0
const DST_PORT = 2
const SEQ = 4
const ACK_NUMBER = 8
const DATA_OFFSET = 12
const FLAGS = 13
const WINDOW = 14
const HEADER_LEN_MIN = 20
/** Fragments are cut at multiples of eight octets: this one ends behind the sequence number. */
const PIECE_LEN_MIN = 8

export function decodeTcp(b: Uint8Array, start: number, capEnd: number, wireEnd: number, packet: Packet): DropReason {
  if (capEnd - start < HEADER_LEN_MIN) return decodePiece(b, start, capEnd, wireEnd, packet)
  const headerLen = (b[start + DATA_OFFSET] >> 4) * 4
  if (headerLen < HEADER_LEN_MIN) return TCP_HEADER_LENGTH
  if (headerLen > wireEnd - start) return TCP_HEADER_LENGTH
  packet.srcPort = u16(b, start + SRC_PORT)
  packet.dstPort = u16(b, start + DST_PORT)
  packet.seq = i32(b, start + SEQ)
  packet.ack = i32(b, start + ACK_NUMBER)
  packet.flags = b[start + FLAGS]
  packet.window = u16(b, start + WINDOW)
  packet.l4HeaderLen = headerLen
  packet.payloadLen = wireEnd - start - headerLen
  return DECODED
}

/** Of a decoded TCP packet: whether its header goes on in the next fragment. */
export function isHeaderPiece(packet: Packet): boolean {
  return packet.fragment === FIRST_FRAGMENT && packet.proto === TCP && packet.l4HeaderLen < HEADER_LEN_MIN
}

/** The header goes on in the next fragment. */
function decodePiece(b: Uint8Array, start: number, capEnd: number, wireEnd: number, packet: Packet): DropReason {
  const len = capEnd - start
  if (packet.fragment !== FIRST_FRAGMENT || capEnd < wireEnd || len < PIECE_LEN_MIN) return TCP_TRUNCATED
  packet.srcPort = u16(b, start + SRC_PORT)
  packet.dstPort = u16(b, start + DST_PORT)
  packet.seq = i32(b, start + SEQ)
  packet.ack = len >= ACK_NUMBER + 4 ? i32(b, start + ACK_NUMBER) : 0
  packet.flags = len > FLAGS ? b[start + FLAGS] : 0
  packet.window = len >= WINDOW + 2 ? u16(b, start + WINDOW) : 0
  packet.l4HeaderLen = len
  packet.payloadLen = 0
  return DECODED
}
