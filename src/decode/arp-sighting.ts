/**
 * What analysis reads of ARP for IPv4 over Ethernet (RFC 826): who claims which address.
 *
 * Out: a plain record, which crosses a thread as it is. Not: other hardware and protocol types.
 */

/** One request or reply. */
export interface ArpSighting {
  /** Packet time, relative to the run's base second. */
  atUs: number
  isRequest: boolean
  /** Asked by nobody that was seen: an announcement or an unsolicited reply. */
  isUnsolicited: boolean
  senderMac: string
  senderAddress: string
  targetAddress: string
}
