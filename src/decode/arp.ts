/**
 * ARP for IPv4 over Ethernet, RFC 826.
 *
 *   0       2       4    5    6       8             14        18            24        28
 *   +-------+-------+----+----+-------+-------------+---------+-------------+---------+
 *   | htype | ptype |hlen|plen|  op   | sender MAC  |  sender | target MAC  | target  |
 *   |   1   | 0800  | 6  | 4  |  1, 2 |             |  IPv4   |             |  IPv4   |
 *   +-------+-------+----+----+-------+-------------+---------+-------------+---------+
 *
 * In:  b[packet.at, capEnd) is what was captured, from the hardware type on.
 * Out: `ARP` and the cursor left where it stands, for `readArp`; or the reason why the message is not read.
 * Not: other hardware and protocols, reverse and inverse ARP (`arp_other`); what a message means, which takes memory (context/).
 *      Messages inside wrappers: an overlay is another segment, with addresses of its own.
 */
import { formatIpv4 } from '../base/address.ts'
import { i32, u16 } from '../base/bytes.ts'
import { ARP, ARP_MALFORMED, ARP_OTHER, ARP_TRUNCATED, type DropReason } from './drop-reason.ts'
import { TYPE_IPV4 } from './ether-type.ts'
import type { ArpSighting } from './link-sighting.ts'
import { formatMac } from './mac.ts'
import type { Packet } from './packet.ts'

const HARDWARE_TYPE = 0
const PROTOCOL_TYPE = 2
const HARDWARE_LEN = 4
const PROTOCOL_LEN = 5
const OPERATION = 6
const SENDER_MAC = 8
const SENDER_ADDRESS = 14
const TARGET_MAC = 18
const TARGET_ADDRESS = 24
const MESSAGE_LEN = 28
/** Up to the operation: enough to tell what kind of ARP it is. */
const FIXED_LEN = 8

const ETHERNET = 1
const REQUEST = 1
const REPLY = 2
const GROUP_BIT = 1

export function decodeArp(b: Uint8Array, capEnd: number, packet: Packet): DropReason {
  const start = packet.at
  if (capEnd - start < FIXED_LEN) return ARP_TRUNCATED
  const operation = u16(b, start + OPERATION)
  if (u16(b, start + HARDWARE_TYPE) !== ETHERNET || u16(b, start + PROTOCOL_TYPE) !== TYPE_IPV4) return ARP_OTHER
  if (b[start + HARDWARE_LEN] !== 6 || b[start + PROTOCOL_LEN] !== 4 || operation === 0) return ARP_MALFORMED
  if (operation !== REQUEST && operation !== REPLY) return ARP_OTHER
  if (capEnd - start < MESSAGE_LEN) return ARP_TRUNCATED
  // No card has a group address of its own (IEEE 802, the I/G bit): nobody can be such a sender.
  return (b[start + SENDER_MAC] & GROUP_BIT) === 0 ? ARP : ARP_MALFORMED
}

/** In: a message that `decodeArp` called `ARP`; `packet.at` where it left it. */
export function readArp(b: Uint8Array, packet: Packet): ArpSighting {
  const start = packet.at
  return {
    kind: 'arp',
    atUs: packet.timeUs,
    segment: packet.vlans.subarray(0, packet.vlanCount).join('.'),
    isRequest: u16(b, start + OPERATION) === REQUEST,
    senderMac: formatMac(b, start + SENDER_MAC),
    senderAddress: formatIpv4(i32(b, start + SENDER_ADDRESS)),
    targetMac: formatMac(b, start + TARGET_MAC),
    targetAddress: formatIpv4(i32(b, start + TARGET_ADDRESS)),
  }
}
