/**
 * Bytes of one frame to one packet record.
 *
 * In:  a slab's link type and the octets of a frame. Out: `packet` refilled, or the reason why the frame is not metered.
 * Not: an exception, an allocation or a log line, whatever the octets are.
 * The invariant: no decoder reads an offset that a length check has not covered.
 */
import { DECODED, type DropReason, ETHERTYPE_UNKNOWN, ARP as IS_ARP, LINK_TYPE_UNKNOWN } from './drop-reason.ts'
import { decodeEthernet } from './ethernet.ts'
import { decodeIcmp, decodeIcmpv6 } from './icmp.ts'
import { decodeIpv4 } from './ipv4.ts'
import { decodeIpv6 } from './ipv6.ts'
import { decodeNull, decodeRawIp, decodeSll, decodeSll2, TYPE_IPV4, TYPE_IPV6 } from './link.ts'
import { type Packet, resetPacket } from './packet.ts'
import { decodeSctp } from './sctp.ts'
import { decodeTcp } from './tcp.ts'
import { decodeUdp } from './udp.ts'

const LINK_NULL = 0
const LINK_ETHERNET = 1
const LINK_RAW_BSD = 12
const LINK_RAW_OPENBSD = 14
const LINK_RAW = 101
const LINK_LOOP = 108
const LINK_SLL = 113
const LINK_IPV4 = 228
const LINK_IPV6 = 229
const LINK_SLL2 = 276

const TYPE_ARP = 0x0806

const ICMP = 1
const TCP = 6
const UDP = 17
const ICMPV6 = 58
const SCTP = 132

/**
 * @param b slab bytes; the frame is b[start, start + capLen)
 * @param wireLen octets that the frame had on the wire
 */
export function decodeFrame(linkType: number, b: Uint8Array, start: number, capLen: number, wireLen: number, packet: Packet): DropReason {
  resetPacket(packet)
  packet.wireLen = wireLen
  packet.capLen = capLen
  packet.at = start
  // A writer that puts nonsense into wireLen must not make a frame shorter than what is there.
  packet.wireEnd = start + Math.max(capLen, wireLen)
  const capEnd = start + capLen
  const reason = decodeLink(linkType, b, capEnd, packet)
  return reason === DECODED ? decodeNetwork(b, capEnd, packet) : reason
}

function decodeLink(linkType: number, b: Uint8Array, capEnd: number, packet: Packet): DropReason {
  switch (linkType) {
    case LINK_ETHERNET:
      return decodeEthernet(b, capEnd, packet)
    case LINK_SLL:
      return decodeSll(b, capEnd, packet)
    case LINK_SLL2:
      return decodeSll2(b, capEnd, packet)
    case LINK_RAW:
    case LINK_RAW_BSD:
    case LINK_RAW_OPENBSD:
    case LINK_IPV4:
    case LINK_IPV6:
      return decodeRawIp(b, capEnd, packet)
    case LINK_NULL:
    case LINK_LOOP:
      return decodeNull(b, capEnd, packet)
    default:
      return LINK_TYPE_UNKNOWN
  }
}

function decodeNetwork(b: Uint8Array, capEnd: number, packet: Packet): DropReason {
  let reason: DropReason
  if (packet.etherType === TYPE_IPV4) reason = decodeIpv4(b, capEnd, packet)
  else if (packet.etherType === TYPE_IPV6) reason = decodeIpv6(b, capEnd, packet)
  else return packet.etherType === TYPE_ARP ? IS_ARP : ETHERTYPE_UNKNOWN
  return reason === DECODED ? decodeTransport(b, Math.min(capEnd, packet.wireEnd), packet) : reason
}

/** In: capEnd no further than where IP ends, so that padding is never read as a header. */
function decodeTransport(b: Uint8Array, capEnd: number, packet: Packet): DropReason {
  switch (packet.proto) {
    case TCP:
      return decodeTcp(b, packet.at, capEnd, packet.wireEnd, packet)
    case UDP:
      return decodeUdp(b, packet.at, capEnd, packet.wireEnd, packet)
    case ICMP:
      return decodeIcmp(b, packet.at, capEnd, packet.wireEnd, packet)
    case ICMPV6:
      return decodeIcmpv6(b, packet.at, capEnd, packet.wireEnd, packet)
    case SCTP:
      return decodeSctp(b, packet.at, capEnd, packet.wireEnd, packet)
    default:
      packet.payloadLen = packet.wireEnd - packet.at
      return DECODED
  }
}
