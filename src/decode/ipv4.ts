/**
 * IPv4 header, RFC 791 section 3.1.
 *
 *   0       1       2        4        6        8    9    10       12       16       20
 *   +-------+-------+--------+--------+--------+----+----+--------+--------+--------+--------
 *   |ver|IHL|  ToS  | length |   id   |fl|frag |TTL |prot|checksum|  src   |  dst   | options
 *   +-------+-------+--------+--------+--------+----+----+--------+--------+--------+--------
 *
 * In:  b[packet.at, capEnd) is what was captured; packet.wireEnd is where the layer below ends.
 * Out: addresses, protocol, IP length, fragment kind and id; the cursor stands at the next header and wireEnd at the packet's end.
 * Not: the checksum (offload leaves it empty on the sending host), reassembly, options.
 */
import { i32, u16 } from '../base/bytes.ts'
import { DECODED, type DropReason, IPV4_HEADER_LENGTH, IPV4_TRUNCATED, IPV4_VERSION } from './drop-reason.ts'
import { FIRST_FRAGMENT, LATER_FRAGMENT, NOT_FRAGMENTED, type Packet } from './packet.ts'

const VERSION_IHL = 0
const TOTAL_LENGTH = 2
const IDENTIFICATION = 4
const FRAGMENT_WORD = 6
const TTL = 8
const PROTOCOL = 9
const SRC = 12
const DST = 16
const HEADER_LEN_MIN = 20

const MORE_FRAGMENTS = 0x2000
const FRAGMENT_OFFSET = 0x1fff
const MAPPED_PREFIX = 0xffff

export function decodeIpv4(b: Uint8Array, capEnd: number, packet: Packet): DropReason {
  const start = packet.at
  if (capEnd - start < HEADER_LEN_MIN) return IPV4_TRUNCATED
  if (b[start + VERSION_IHL] >> 4 !== 4) return IPV4_VERSION
  const headerLen = (b[start + VERSION_IHL] & 15) * 4
  // Zero is what a capture before segmentation offload shows: then the frame says where the packet ends.
  const totalLen = u16(b, start + TOTAL_LENGTH) || packet.wireEnd - start
  if (headerLen < HEADER_LEN_MIN || headerLen > totalLen) return IPV4_HEADER_LENGTH
  const fragmentWord = u16(b, start + FRAGMENT_WORD)
  if ((fragmentWord & (MORE_FRAGMENTS | FRAGMENT_OFFSET)) === 0) {
    packet.fragment = NOT_FRAGMENTED
  } else {
    packet.fragment = (fragmentWord & FRAGMENT_OFFSET) === 0 ? FIRST_FRAGMENT : LATER_FRAGMENT
    packet.ipId = u16(b, start + IDENTIFICATION)
  }
  packet.ipAt = start
  packet.srcW0 = 0
  packet.srcW1 = 0
  packet.srcW2 = MAPPED_PREFIX
  packet.srcW3 = i32(b, start + SRC)
  packet.dstW0 = 0
  packet.dstW1 = 0
  packet.dstW2 = MAPPED_PREFIX
  packet.dstW3 = i32(b, start + DST)
  packet.proto = b[start + PROTOCOL]
  packet.ttl = b[start + TTL]
  packet.ipLen = totalLen
  packet.wireEnd = start + totalLen
  packet.at = start + headerLen
  return DECODED
}
