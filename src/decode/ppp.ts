/**
 * PPP (RFC 1661, in HDLC-like framing RFC 1662), PPPoE sessions (RFC 2516), and Cisco's HDLC.
 *
 *   PPP:    [ff 03] | protocol u16 (u8 when odd: compressed, RFC 1661 section 6.5) | packet
 *   Cisco:  address u8 (0f, 8f) | control u8 | ether type u16 | packet
 *   PPPoE:  0       1       2        4        6
 *           +-------+-------+--------+--------+-----
 *           |ver,typ| code  |session | length | PPP, without ff 03
 *           +-------+-------+--------+--------+-----
 *
 * In:  b[packet.at, capEnd) is what was captured.
 * Out: the ether type of what PPP carries, and the cursor there.
 * Not: control protocols, compressed and encrypted payload: they are no IP packet that can be read.
 */
import { u16 } from '../base/bytes.ts'
import { DECODED, type DropReason, PPP_PROTOCOL_UNKNOWN, PPP_TRUNCATED, PPPOE_MALFORMED, PPPOE_TRUNCATED } from './drop-reason.ts'
import { TYPE_ETHERNET, TYPE_IPV4, TYPE_IPV6, TYPE_MPLS } from './ether-type.ts'
import type { Packet } from './packet.ts'

const ADDRESS_ALL_CONTROL_UI = 0xff03
const CISCO_UNICAST = 0x0f
const CISCO_MULTICAST = 0x8f
const CISCO_HEADER_LEN = 4

const PPP_IPV4 = 0x0021
const PPP_BRIDGED = 0x0031
const PPP_IPV6 = 0x0057
const PPP_MPLS = 0x0281
/** Bridging (RFC 3518): flags and MAC type come before the frame; type 1 is Ethernet. */
const BRIDGED_HEADER_LEN = 2
const BRIDGED_ETHERNET = 1

const PPPOE_CODE = 1
const PPPOE_LENGTH = 4
const PPPOE_HEADER_LEN = 6
const PPPOE_VERSION_TYPE = 0x11
const PPPOE_SESSION_DATA = 0

/** LINKTYPE_PPP_SERIAL: PPP or Cisco's HDLC, told by the first octet (tcpdump.org/linktypes.html). */
export function decodePppSerial(b: Uint8Array, capEnd: number, packet: Packet): DropReason {
  const start = packet.at
  if (capEnd - start < CISCO_HEADER_LEN) return PPP_TRUNCATED
  return b[start] === CISCO_UNICAST || b[start] === CISCO_MULTICAST ? decodeCiscoHdlc(b, capEnd, packet) : decodePpp(b, capEnd, packet)
}

export function decodeCiscoHdlc(b: Uint8Array, capEnd: number, packet: Packet): DropReason {
  const start = packet.at
  if (capEnd - start < CISCO_HEADER_LEN) return PPP_TRUNCATED
  packet.etherType = u16(b, start + 2)
  packet.at = start + CISCO_HEADER_LEN
  return DECODED
}

export function decodePppoe(b: Uint8Array, capEnd: number, packet: Packet): DropReason {
  const start = packet.at
  if (capEnd - start < PPPOE_HEADER_LEN) return PPPOE_TRUNCATED
  const isSession = b[start] === PPPOE_VERSION_TYPE && b[start + PPPOE_CODE] === PPPOE_SESSION_DATA
  if (!isSession || u16(b, start + PPPOE_LENGTH) > packet.wireEnd - start - PPPOE_HEADER_LEN) return PPPOE_MALFORMED
  packet.at = start + PPPOE_HEADER_LEN
  return decodePpp(b, capEnd, packet)
}

export function decodePpp(b: Uint8Array, capEnd: number, packet: Packet): DropReason {
  let at = packet.at
  if (capEnd - at < 2) return PPP_TRUNCATED
  if (u16(b, at) === ADDRESS_ALL_CONTROL_UI) at += 2
  if (capEnd - at < 2) return PPP_TRUNCATED
  const isCompressed = (b[at] & 1) !== 0
  const protocol = isCompressed ? b[at] : u16(b, at)
  packet.at = at + (isCompressed ? 1 : 2)
  return setType(b, capEnd, packet, protocol)
}

function setType(b: Uint8Array, capEnd: number, packet: Packet, protocol: number): DropReason {
  if (protocol === PPP_IPV4) packet.etherType = TYPE_IPV4
  else if (protocol === PPP_IPV6) packet.etherType = TYPE_IPV6
  else if (protocol === PPP_MPLS) packet.etherType = TYPE_MPLS
  else if (protocol === PPP_BRIDGED) {
    if (capEnd - packet.at < BRIDGED_HEADER_LEN) return PPP_TRUNCATED
    if (b[packet.at + 1] !== BRIDGED_ETHERNET) return PPP_PROTOCOL_UNKNOWN
    packet.at += BRIDGED_HEADER_LEN
    packet.etherType = TYPE_ETHERNET
  } else return PPP_PROTOCOL_UNKNOWN
  return DECODED
}
