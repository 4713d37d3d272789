/**
 * Bytes of one frame to one packet record.
 *
 * In:  a slab's link type and the octets of a frame. Out: `packet` refilled, or the reason why the frame is not metered.
 * Not: an exception, an allocation or a log line, whatever the octets are.
 * The invariant: no decoder reads an offset that a length check has not covered.
 */
import { DECODED, type DropReason, IPV6_EXTENSION_TRUNCATED, LINK_TYPE_UNKNOWN, TUNNEL_LENGTH, TUNNEL_TOO_DEEP } from './drop-reason.ts'
import { TYPE_IPV4, TYPE_IPV6 } from './ether-type.ts'
import { decodeEthernet, LINK_ETHERNET } from './ethernet.ts'
import { decodeIcmp, decodeIcmpv6 } from './icmp.ts'
import { decodeIpv4 } from './ipv4.ts'
import { decodeIpv6 } from './ipv6.ts'
import { decodeLayers } from './layers.ts'
import { decodeNull, decodeRawIp, decodeSll, decodeSll2 } from './link.ts'
import { LATER_FRAGMENT, type Packet, resetPacket } from './packet.ts'
import { decodePlain } from './plain.ts'
import { decodeCiscoHdlc, decodePpp, decodePppoe, decodePppSerial } from './ppp.ts'
import { decodeSctp } from './sctp.ts'
import { decodeTcp } from './tcp.ts'
import { isWrapper, openWrapper } from './tunnel.ts'
import { TUNNEL_DEPTH_MAX } from './tunnel-kind.ts'
import { decodeUdp } from './udp.ts'

const LINK_NULL = 0
const LINK_PPP = 9
const LINK_RAW_BSD = 12
const LINK_RAW_OPENBSD = 14
const LINK_PPP_SERIAL = 50
const LINK_PPP_ETHER = 51
const LINK_RAW = 101
const LINK_CISCO_HDLC = 104
const LINK_LOOP = 108
const LINK_SLL = 113
const LINK_IPV4 = 228
const LINK_IPV6 = 229
const LINK_SLL2 = 276

const ICMP = 1
const TCP = 6
const UDP = 17
const ICMPV6 = 58
const SCTP = 132

/**
 * The innermost IP packet is what is metered: wrappers are opened, one after the other. When what a wrapper carries cannot be
 * decoded, the wrapper is metered as the packet that it is, and `packet.innerFault` says why.
 *
 * @param b slab bytes; the frame is b[start, start + capLen)
 * @param wireLen octets that the frame had on the wire
 */
export function decodeFrame(linkType: number, b: Uint8Array, start: number, capLen: number, wireLen: number, packet: Packet): DropReason {
  if (linkType === LINK_ETHERNET && decodePlain(b, start, capLen, wireLen, packet)) return DECODED
  return decodeByHeaders(linkType, b, start, capLen, wireLen, packet)
}

/** The same, header by header: for every frame that is not the commonest kind. */
export function decodeByHeaders(
  linkType: number,
  b: Uint8Array,
  start: number,
  capLen: number,
  wireLen: number,
  packet: Packet,
): DropReason {
  const reason = decodeOutermost(linkType, b, start, capLen, wireLen, packet)
  // Most packets are TCP or plain UDP and end here; the rest is apart so that the compiler keeps this path in one piece.
  if (reason !== DECODED || packet.proto === TCP || !isWrapper(packet)) return reason
  return decodeWrapped(linkType, b, start, capLen, wireLen, packet)
}

function decodeWrapped(linkType: number, b: Uint8Array, start: number, capLen: number, wireLen: number, packet: Packet): DropReason {
  const fault = openWrappers(b, start + capLen, packet, TUNNEL_DEPTH_MAX)
  if (fault === DECODED || fault === TUNNEL_TOO_DEEP) return fault
  // Decoding is cheap and has no memory: the last whole packet is had by decoding again, one wrapper less deep.
  const depth = packet.tunnelDepth - 1
  decodeOutermost(linkType, b, start, capLen, wireLen, packet)
  openWrappers(b, start + capLen, packet, depth)
  packet.innerFault = fault
  return DECODED
}

function decodeOutermost(linkType: number, b: Uint8Array, start: number, capLen: number, wireLen: number, packet: Packet): DropReason {
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

/** Opens wrappers until the packet is none, or until `depthMax` are open. */
function openWrappers(b: Uint8Array, frameCapEnd: number, packet: Packet, depthMax: number): DropReason {
  while (isWrapper(packet)) {
    if (packet.tunnelDepth === depthMax) return TUNNEL_TOO_DEEP
    const outerEnd = packet.wireEnd
    const capEnd = Math.min(frameCapEnd, outerEnd)
    let fault = openWrapper(b, capEnd, packet)
    if (fault === DECODED) fault = decodeNetwork(b, capEnd, packet)
    if (fault !== DECODED) return fault
    // The first fragment of a wrapper holds the whole header of what it carries, and less than its length.
    if (packet.wireEnd > outerEnd && !packet.isOuterFragmented) return TUNNEL_LENGTH
  }
  return DECODED
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
    case LINK_PPP:
      return decodePpp(b, capEnd, packet)
    case LINK_PPP_SERIAL:
      return decodePppSerial(b, capEnd, packet)
    case LINK_PPP_ETHER:
      return decodePppoe(b, capEnd, packet)
    case LINK_CISCO_HDLC:
      return decodeCiscoHdlc(b, capEnd, packet)
    case LINK_NULL:
    case LINK_LOOP:
      return decodeNull(b, capEnd, packet)
    default:
      return LINK_TYPE_UNKNOWN
  }
}

function decodeNetwork(b: Uint8Array, capEnd: number, packet: Packet): DropReason {
  let reason = DECODED
  if (packet.etherType !== TYPE_IPV4 && packet.etherType !== TYPE_IPV6) reason = decodeLayers(b, capEnd, packet)
  if (reason !== DECODED) return reason
  reason = packet.etherType === TYPE_IPV4 ? decodeIpv4(b, capEnd, packet) : decodeIpv6(b, capEnd, packet)
  if (reason !== DECODED) return reason
  return packet.fragment === LATER_FRAGMENT ? decodeLaterFragment(packet) : decodeTransport(b, Math.min(capEnd, packet.wireEnd), packet)
}

/** No transport header: whose payload it is, flow/fragments.ts knows from the first fragment. */
function decodeLaterFragment(packet: Packet): DropReason {
  packet.payloadLen = packet.wireEnd - packet.at
  return packet.payloadLen < 0 ? IPV6_EXTENSION_TRUNCATED : DECODED
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
