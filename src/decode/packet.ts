/**
 * The one packet record that decoding refills for every frame.
 *
 * Out: plain fields. Addresses are four signed 32-bit words (IPv4 as an IPv4-mapped address), sequence
 *      numbers signed 32-bit words: both stay small integers in V8, so a refill allocates nothing.
 * Not: a history. What a stage wants to keep of a packet it copies into a row.
 * A fresh object a packet would cost 38 ns (Node 20).
 */

export const VLAN_DEPTH_MAX = 4

export const NOT_FRAGMENTED = 0
export const FIRST_FRAGMENT = 1
export const LATER_FRAGMENT = 2

export const FIN = 0x01
export const SYN = 0x02
export const RST = 0x04
export const PSH = 0x08
export const ACK = 0x10
export const URG = 0x20
export const ECE = 0x40
export const CWR = 0x80

export class Packet {
  // What every packet has and every stage reads stands first: thirty-two records are at hand at a time, and share the core's nearest cache.
  /** Whole microseconds relative to the run's base second. Starts as a fraction so that V8 keeps the field a double. */
  timeUs = 0.5
  wireLen = 0
  capLen = 0
  /** Filled by plain.ts: what the commonest frame never has is clear. */
  isPlain = false

  /** Decoding's cursor: where the next header starts. After decoding, where the transport header starts. */
  at = 0
  /** Where the innermost IP header starts, and where the frame's captured octets end. */
  ipAt = 0
  capEnd = 0

  srcW3 = 0
  dstW3 = 0
  /** IANA protocol number of the innermost IP packet, extension headers skipped. */
  proto = 0
  /** Ports; for ICMP (type, code), or (type, counterpart) for request and reply pairs, as Community ID has it. */
  srcPort = 0
  dstPort = 0
  /** Octets from the IP header to the packet's end, as IP says. */
  ipLen = 0
  l4HeaderLen = 0
  payloadLen = 0
  flags = 0
  seq = 0
  ack = 0
  window = 0
  ttl = 0

  // Set by the flow table, not by decoding.
  /** The endpoint that sent it: 0 is A, the smaller (address, port), 1 is B. */
  endpoint = 0
  /** Words of the flow key: A's and B's port; protocol, echo id and what else makes keys differ. */
  keyPorts = 0
  keyProto = 0
  /** The VLAN where it is part of the key; 0 for none. */
  keyVlan = 0
  hash = 0
  /** The slot that the index names first for that hash; -1 for none. */
  candidate = -1

  fragment = NOT_FRAGMENTED
  /** Wrappers opened; 0 for none. */
  tunnelDepth = 0
  /** A DropReason: why what this wrapper carries was not decoded, so that the wrapper itself is metered; 0 for none. */
  innerFault = 0
  /** An ICMP error that quotes an IP packet: its protocol, addresses and ports stand in the fields below; else 0. */
  quotedProto = 0
  /** The tunnel's word in the flow key: a hash over all wrappers; 0 for none. */
  tunnelKey = 0
  /** ICMP echo identifier; 0 for all else. Part of the flow key. */
  echoId = 0

  srcW0 = 0
  srcW1 = 0
  srcW2 = 0
  dstW0 = 0
  dstW1 = 0
  dstW2 = 0

  /** Where the wire says the packet ends, and what comes next. */
  wireEnd = 0
  etherType = 0

  /** Outermost first. */
  readonly vlans = new Uint16Array(VLAN_DEPTH_MAX)
  vlanCount = 0

  /** IP identification; set for fragments only. */
  ipId = 0

  icmpType = 0
  icmpCode = 0
  quotedSrcW0 = 0
  quotedSrcW1 = 0
  quotedSrcW2 = 0
  quotedSrcW3 = 0
  quotedDstW0 = 0
  quotedDstW1 = 0
  quotedDstW2 = 0
  quotedDstW3 = 0
  quotedSrcPort = 0
  quotedDstPort = 0

  /** Of the innermost opened wrapper, valid when tunnelDepth is not 0: an index into TUNNEL_KINDS, its id, its addresses. */
  tunnelKind = 0
  tunnelId = 0
  outerSrcW0 = 0
  outerSrcW1 = 0
  outerSrcW2 = 0
  outerSrcW3 = 0
  outerDstW0 = 0
  outerDstW1 = 0
  outerDstW2 = 0
  outerDstW3 = 0
  /** The wrapper is the first fragment of its packet: then its later fragments belong to no other packet. */
  isOuterFragmented = false
  outerProto = 0
  outerIpId = 0
  outerTunnelKey = 0
}

/** Clears what not every header sets; called once a frame. */
export function resetPacket(packet: Packet): void {
  packet.isPlain = false
  packet.vlanCount = 0
  packet.fragment = NOT_FRAGMENTED
  packet.tunnelDepth = 0
  packet.tunnelKey = 0
  packet.innerFault = 0
  clearTransport(packet)
}

/** Clears what transport headers set; called again for a packet inside a packet. */
export function clearTransport(packet: Packet): void {
  packet.srcPort = 0
  packet.dstPort = 0
  packet.echoId = 0
  packet.l4HeaderLen = 0
  packet.flags = 0
  packet.window = 0
  packet.icmpType = 0
  packet.icmpCode = 0
  packet.quotedProto = 0
}
