/**
 * IPv6 header, RFC 8200 section 3, and its extension headers (section 4).
 *
 *   0                 4        6    7    8                 24                40
 *   +-----------------+--------+----+----+-----------------+-----------------+
 *   |ver| class | flow| length |next|hops|       src       |       dst       |
 *   +-----------------+--------+----+----+-----------------+-----------------+
 *
 * In:  b[packet.at, capEnd) is what was captured; packet.wireEnd is where the layer below ends.
 * Out: addresses, the upper protocol behind all extension headers, IP length, fragment kind; cursor and wireEnd.
 * Not: reassembly; the options inside extension headers; ESP, behind which nothing can be read, is itself the protocol.
 */
import { i32, u16 } from '../base/bytes.ts'
import { DECODED, type DropReason, IPV6_EXTENSION_TOO_MANY, IPV6_EXTENSION_TRUNCATED, IPV6_TRUNCATED, IPV6_VERSION } from './drop-reason.ts'
import { FIRST_FRAGMENT, LATER_FRAGMENT, NOT_FRAGMENTED, type Packet } from './packet.ts'

const PAYLOAD_LENGTH = 4
const NEXT_HEADER = 6
const HOP_LIMIT = 7
const SRC = 8
const DST = 24
const HEADER_LEN = 40

const HOP_BY_HOP = 0
const ROUTING = 43
const FRAGMENT_HEADER = 44
const AUTHENTICATION = 51
const DESTINATION = 60
const MOBILITY = 135
const HIP = 139
const SHIM6 = 140

const EXTENSION_LEN_MIN = 8
const EXTENSIONS_MAX = 8
const MORE_FRAGMENTS = 1
const FRAGMENT_OFFSET = 0xfff8

export function decodeIpv6(b: Uint8Array, capEnd: number, packet: Packet): DropReason {
  const start = packet.at
  if (capEnd - start < HEADER_LEN) return IPV6_TRUNCATED
  if (b[start] >> 4 !== 6) return IPV6_VERSION
  // Zero is a jumbogram (RFC 2675) or a capture before segmentation offload: then the frame says where the packet ends.
  const payloadLen = u16(b, start + PAYLOAD_LENGTH) || packet.wireEnd - start - HEADER_LEN
  packet.ipAt = start
  packet.srcW0 = i32(b, start + SRC)
  packet.srcW1 = i32(b, start + SRC + 4)
  packet.srcW2 = i32(b, start + SRC + 8)
  packet.srcW3 = i32(b, start + SRC + 12)
  packet.dstW0 = i32(b, start + DST)
  packet.dstW1 = i32(b, start + DST + 4)
  packet.dstW2 = i32(b, start + DST + 8)
  packet.dstW3 = i32(b, start + DST + 12)
  packet.ttl = b[start + HOP_LIMIT]
  packet.fragment = NOT_FRAGMENTED
  packet.ipLen = HEADER_LEN + payloadLen
  packet.wireEnd = start + HEADER_LEN + payloadLen
  packet.at = start + HEADER_LEN
  packet.proto = b[start + NEXT_HEADER]
  return isExtension(packet.proto) ? skipExtensions(b, capEnd, packet) : DECODED
}

function isExtension(proto: number): boolean {
  return (
    proto === HOP_BY_HOP ||
    proto === ROUTING ||
    proto === FRAGMENT_HEADER ||
    proto === DESTINATION ||
    proto === AUTHENTICATION ||
    proto === MOBILITY ||
    proto === HIP ||
    proto === SHIM6
  )
}

function skipExtensions(b: Uint8Array, capEnd: number, packet: Packet): DropReason {
  const end = Math.min(capEnd, packet.wireEnd)
  for (let count = 0; isExtension(packet.proto); count++) {
    if (count === EXTENSIONS_MAX) return IPV6_EXTENSION_TOO_MANY
    const at = packet.at
    if (end - at < EXTENSION_LEN_MIN) return IPV6_EXTENSION_TRUNCATED
    if (packet.proto === FRAGMENT_HEADER) {
      const word = u16(b, at + 2)
      packet.at = at + EXTENSION_LEN_MIN
      if ((word & (FRAGMENT_OFFSET | MORE_FRAGMENTS)) !== 0) {
        packet.ipId = i32(b, at + 4)
        packet.fragment = (word & FRAGMENT_OFFSET) === 0 ? FIRST_FRAGMENT : LATER_FRAGMENT
      }
      if (packet.fragment === LATER_FRAGMENT) {
        packet.proto = b[at]
        return DECODED
      }
    } else {
      // The authentication header counts in 4-octet units less two, all others in 8-octet units less one.
      packet.at = at + (packet.proto === AUTHENTICATION ? (b[at + 1] + 2) * 4 : (b[at + 1] + 1) * 8)
    }
    packet.proto = b[at]
    if (packet.at > packet.wireEnd) return IPV6_EXTENSION_TRUNCATED
  }
  return DECODED
}
