/**
 * Which packets are wrappers, and the opening of one.
 *
 *   IP protocols:  4 (IPv4 in IP, RFC 2003), 41 (IPv6 in IP, RFC 4213), 47 (GRE), 137 (MPLS in IP, RFC 4023)
 *   UDP ports:     the destination port of each wrapper of udp-tunnels.ts; GTP-U's as source port as well (some nodes answer from it)
 *
 * In:  a decoded packet, packet.at at its transport header.
 * Out: the outer addresses kept, the wrapper's header read, the cursor and the ether type at what it carries.
 * Not: the decoding of what is inside (decode.ts). A later fragment is no wrapper: its header is in the first.
 */
import { DECODED, type DropReason } from './drop-reason.ts'
import { TYPE_IPV4, TYPE_IPV6, TYPE_MPLS } from './ether-type.ts'
import { openGre } from './gre.ts'
import { clearTransport, FIRST_FRAGMENT, LATER_FRAGMENT, type Packet } from './packet.ts'
import { IP_IN_IP, nameTunnel } from './tunnel-kind.ts'
import * as Udp from './udp-tunnels.ts'

const IPV4_IN_IP = 4
const UDP = 17
const IPV6_IN_IP = 41
const GRE = 47
const MPLS_IN_IP = 137

const UDP_HEADER_LEN = 8

export function isWrapper(packet: Packet): boolean {
  switch (packet.proto) {
    case UDP:
      return (isTunnelPort(packet.dstPort) || packet.srcPort === Udp.PORT_GTP_U) && packet.fragment !== LATER_FRAGMENT
    case IPV4_IN_IP:
    case IPV6_IN_IP:
    case GRE:
    case MPLS_IN_IP:
      return packet.fragment !== LATER_FRAGMENT
    default:
      return false
  }
}

export function isTunnelPort(port: number): boolean {
  return (
    port === Udp.PORT_VXLAN ||
    port === Udp.PORT_GTP_U ||
    port === Udp.PORT_VXLAN_LINUX ||
    port === Udp.PORT_GENEVE ||
    port === Udp.PORT_TZSP ||
    port === Udp.PORT_VXLAN_GPE
  )
}

export function openWrapper(b: Uint8Array, capEnd: number, packet: Packet): DropReason {
  const { proto } = packet
  const port = isTunnelPort(packet.dstPort) ? packet.dstPort : packet.srcPort
  keepOuter(packet)
  const reason = proto === UDP ? openUdp(b, packet.at + UDP_HEADER_LEN, capEnd, packet, port) : openIp(b, capEnd, packet, proto)
  clearTransport(packet)
  return reason
}

function openIp(b: Uint8Array, capEnd: number, packet: Packet, proto: number): DropReason {
  if (proto === GRE) return openGre(b, packet.at, capEnd, packet)
  packet.etherType = proto === IPV4_IN_IP ? TYPE_IPV4 : proto === IPV6_IN_IP ? TYPE_IPV6 : TYPE_MPLS
  nameTunnel(packet, IP_IN_IP, 0, 0)
  return DECODED
}

function openUdp(b: Uint8Array, start: number, capEnd: number, packet: Packet, port: number): DropReason {
  switch (port) {
    case Udp.PORT_GENEVE:
      return Udp.openGeneve(b, start, capEnd, packet)
    case Udp.PORT_GTP_U:
      return Udp.openGtpU(b, start, capEnd, packet)
    case Udp.PORT_TZSP:
      return Udp.openTzsp(b, start, capEnd, packet)
    default:
      return Udp.openVxlan(b, start, capEnd, packet, port === Udp.PORT_VXLAN_GPE)
  }
}

/** With wrappers in wrappers the innermost one's addresses stay: the closest to who speaks. */
function keepOuter(packet: Packet): void {
  packet.tunnelDepth++
  packet.outerSrcW0 = packet.srcW0
  packet.outerSrcW1 = packet.srcW1
  packet.outerSrcW2 = packet.srcW2
  packet.outerSrcW3 = packet.srcW3
  packet.outerDstW0 = packet.dstW0
  packet.outerDstW1 = packet.dstW1
  packet.outerDstW2 = packet.dstW2
  packet.outerDstW3 = packet.dstW3
  packet.isOuterFragmented = packet.fragment === FIRST_FRAGMENT
  packet.outerProto = packet.proto
  packet.outerIpId = packet.ipId
  packet.outerTunnelKey = packet.tunnelKey
}
