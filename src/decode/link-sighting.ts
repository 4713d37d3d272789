/**
 * What analysis reads of the link layer: who claims which address (ARP), and which card hands on whose packets.
 *
 * Out: plain records, which cross a thread as they are. Not: every frame: the meter hands over so many a second and counts the rest.
 */

/** One request or reply of ARP for IPv4 over Ethernet (RFC 826). */
export interface ArpSighting {
  kind: 'arp'
  /** Packet time, relative to the run's base second. */
  atUs: number
  /** VLAN ids, outermost first, joined by stops; '' for untagged: the same address may be in use on each. */
  segment: string
  isRequest: boolean
  senderMac: string
  senderAddress: string
  /** Of a request usually all zeros. */
  targetMac: string
  targetAddress: string
}

/** An IPv4 packet in an Ethernet frame: whose it is, and which card sent the frame to which. */
export interface CarriedSighting {
  kind: 'carried'
  atUs: number
  fromMac: string
  toMac: string
  sourceAddress: string
  destinationAddress: string
}

export type LinkSighting = ArpSighting | CarriedSighting
