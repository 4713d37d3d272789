/**
 * Which packets are looked at more closely than metering needs, by what differs from packet to packet.
 *
 * In:  a decoded packet with its octets. Out: bits that are as good as drawn by lot.
 * Not: chance. Both copies of a packet have the same, and queues that share a line choose the same as one that has it alone.
 *
 * IPv4's identification counts; of IPv6 there would be the length, which of UDP stands at the transport header's fifth octet again:
 * every datagram without a checksum would be chosen.
 */
import type { Packet } from '../decode/packet.ts'

const IPV4_ID = 4
/** Octets of the transport header that the choice reads: TCP's sequence number, UDP's length and checksum. */
const CHOICE_LEN = 8

/** Of a packet too short to choose by: no bit mask picks it, and it is less than 0. */
export const NO_CHOICE = -1

/** Eight bits, or NO_CHOICE: asked of each packet, so it reads no more than it must. */
export function contentChoice(b: Uint8Array, p: Packet): number {
  const { at, ipAt } = p
  if (p.capEnd - at < CHOICE_LEN) return NO_CHOICE
  return (b[ipAt] >> 4 === 4 ? b[ipAt + IPV4_ID + 1] : 0) ^ b[at + 5] ^ b[at + 7]
}

/** Eight more, of a packet that has a choice. */
export function furtherChoice(b: Uint8Array, p: Packet): number {
  const { at, ipAt } = p
  return (b[ipAt] >> 4 === 4 ? b[ipAt + IPV4_ID] : 0) ^ b[at + 4] ^ b[at + 6]
}
