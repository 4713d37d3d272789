/**
 * Why a frame was not metered. One row is one reason: its name is what counters, metrics and logs say.
 *
 * Out: `DropReason` codes (an index into the table) and the table. DECODED is 0. The same codes say why what a wrapper carries was
 *      not decoded (`Packet.innerFault`); the wrapper itself is metered then, so those are counted apart.
 * The invariant, held by a test: seen = decoded + the sum over all reasons.
 */

export const DROP_REASONS = [
  { name: 'decoded', group: 'none', meaning: 'The frame was decoded.' },
  { name: 'link_type_unknown', group: 'unknown_link_type', meaning: 'The capture has a link type that is not read.' },
  { name: 'link_truncated', group: 'truncated', meaning: 'The capture ends inside the link-layer header.' },
  { name: 'vlan_truncated', group: 'truncated', meaning: 'The capture ends inside a VLAN tag.' },
  { name: 'vlan_too_deep', group: 'depth', meaning: 'More than four VLAN tags.' },
  {
    name: 'ethertype_unknown',
    group: 'unknown_ethertype',
    meaning: 'The frame carries neither IPv4 nor IPv6 (LLC, STP, LLDP, EAPOL and so on).',
  },
  { name: 'arp', group: 'no_flow', meaning: 'ARP, read for who claims which address: no IP packet, so no flow.' },
  { name: 'arp_truncated', group: 'truncated', meaning: 'The capture ends inside the ARP message.' },
  {
    name: 'arp_malformed',
    group: 'malformed',
    meaning: 'ARP whose address lengths or operation are none of IPv4 over Ethernet, or whose sender is a group address.',
  },
  { name: 'arp_other', group: 'unknown_ethertype', meaning: 'ARP for other hardware or protocols, or reverse or inverse ARP.' },
  { name: 'ipv4_truncated', group: 'truncated', meaning: 'The capture ends inside the IPv4 header.' },
  { name: 'ipv4_version', group: 'malformed', meaning: 'Named IPv4, but the version field is not 4.' },
  { name: 'ipv4_header_length', group: 'malformed', meaning: 'The IPv4 header length is under 20 octets or beyond the total length.' },
  { name: 'ipv6_truncated', group: 'truncated', meaning: 'The capture ends inside the IPv6 header.' },
  { name: 'ipv6_version', group: 'malformed', meaning: 'Named IPv6, but the version field is not 6.' },
  { name: 'ipv6_extension_truncated', group: 'truncated', meaning: 'The packet or its capture ends inside an IPv6 extension header.' },
  { name: 'ipv6_extension_too_many', group: 'depth', meaning: 'More than eight IPv6 extension headers.' },
  {
    name: 'fragment_without_first',
    group: 'fragment',
    meaning: 'A fragment after the first one, and the first, which has the ports, was not seen before it.',
  },
  {
    name: 'fragment_of_tunnel',
    group: 'fragment',
    meaning: 'A later fragment of a wrapper: what it carries was counted whole with the first.',
  },
  { name: 'tcp_truncated', group: 'truncated', meaning: 'The packet or its capture ends inside the TCP header.' },
  { name: 'tcp_header_length', group: 'malformed', meaning: 'The TCP data offset is under 20 octets or beyond what IP says.' },
  { name: 'udp_truncated', group: 'truncated', meaning: 'The packet or its capture ends inside the UDP header.' },
  { name: 'udp_length', group: 'malformed', meaning: 'The UDP length is under 8 octets or beyond what IP says.' },
  { name: 'sctp_truncated', group: 'truncated', meaning: 'The packet or its capture ends inside the SCTP header.' },
  { name: 'icmp_truncated', group: 'truncated', meaning: 'The packet or its capture ends inside the ICMP header.' },
  { name: 'layer_truncated', group: 'truncated', meaning: 'The capture ends inside a tag or service header before IP.' },
  { name: 'layers_too_many', group: 'depth', meaning: 'More than eight layers of tags, labels and bridged frames before an IP header.' },
  { name: 'mpls_truncated', group: 'truncated', meaning: 'The capture ends inside the MPLS label stack.' },
  { name: 'mpls_too_deep', group: 'depth', meaning: 'More than sixteen MPLS labels.' },
  {
    name: 'mpls_payload_unknown',
    group: 'unknown_ethertype',
    meaning: 'Under the MPLS labels is neither IP nor a frame that can be told.',
  },
  { name: 'ppp_truncated', group: 'truncated', meaning: 'The capture ends inside the PPP header.' },
  {
    name: 'ppp_protocol_unknown',
    group: 'unknown_ethertype',
    meaning: 'PPP carries a control protocol, or packets compressed or encrypted.',
  },
  { name: 'pppoe_truncated', group: 'truncated', meaning: 'The capture ends inside the PPPoE header.' },
  {
    name: 'pppoe_malformed',
    group: 'malformed',
    meaning: 'PPPoE version, type or code is not that of a session, or its length is beyond the frame.',
  },
  { name: 'tunnel_truncated', group: 'truncated', meaning: "The packet or its capture ends inside a wrapper's header." },
  { name: 'tunnel_malformed', group: 'malformed', meaning: "A wrapper's header is not what its port or protocol number says." },
  {
    name: 'tunnel_payload_unknown',
    group: 'unknown_ethertype',
    meaning: 'A wrapper carries a control message or a protocol that is not read.',
  },
  { name: 'tunnel_length', group: 'malformed', meaning: 'The packet inside a wrapper is longer than the wrapper.' },
  { name: 'tunnel_too_deep', group: 'depth', meaning: 'More than four wrappers, one in the other.' },
] as const satisfies readonly { name: string; group: string; meaning: string }[]

/**
 * Frames of which nothing is missing from any count of flows: they carry no IP packet, or what they carry was counted
 * already. ARP is read, and told apart. */
export const WITHOUT_FLOW: readonly DropReasonName[] = ['ethertype_unknown', 'fragment_of_tunnel']

export type DropReasonName = (typeof DROP_REASONS)[number]['name']

/** An index into DROP_REASONS. */
export type DropReason = number

function codeOf(name: DropReasonName): DropReason {
  return DROP_REASONS.findIndex((row) => row.name === name)
}

export const DECODED = codeOf('decoded')
export const LINK_TYPE_UNKNOWN = codeOf('link_type_unknown')
export const LINK_TRUNCATED = codeOf('link_truncated')
export const VLAN_TRUNCATED = codeOf('vlan_truncated')
export const VLAN_TOO_DEEP = codeOf('vlan_too_deep')
export const ETHERTYPE_UNKNOWN = codeOf('ethertype_unknown')
export const ARP = codeOf('arp')
export const ARP_TRUNCATED = codeOf('arp_truncated')
export const ARP_MALFORMED = codeOf('arp_malformed')
export const ARP_OTHER = codeOf('arp_other')
export const IPV4_TRUNCATED = codeOf('ipv4_truncated')
export const IPV4_VERSION = codeOf('ipv4_version')
export const IPV4_HEADER_LENGTH = codeOf('ipv4_header_length')
export const IPV6_TRUNCATED = codeOf('ipv6_truncated')
export const IPV6_VERSION = codeOf('ipv6_version')
export const IPV6_EXTENSION_TRUNCATED = codeOf('ipv6_extension_truncated')
export const IPV6_EXTENSION_TOO_MANY = codeOf('ipv6_extension_too_many')
export const FRAGMENT_WITHOUT_FIRST = codeOf('fragment_without_first')
export const FRAGMENT_OF_TUNNEL = codeOf('fragment_of_tunnel')
export const TCP_TRUNCATED = codeOf('tcp_truncated')
export const TCP_HEADER_LENGTH = codeOf('tcp_header_length')
export const UDP_TRUNCATED = codeOf('udp_truncated')
export const UDP_LENGTH = codeOf('udp_length')
export const SCTP_TRUNCATED = codeOf('sctp_truncated')
export const ICMP_TRUNCATED = codeOf('icmp_truncated')
export const LAYER_TRUNCATED = codeOf('layer_truncated')
export const LAYERS_TOO_MANY = codeOf('layers_too_many')
export const MPLS_TRUNCATED = codeOf('mpls_truncated')
export const MPLS_TOO_DEEP = codeOf('mpls_too_deep')
export const MPLS_PAYLOAD_UNKNOWN = codeOf('mpls_payload_unknown')
export const PPP_TRUNCATED = codeOf('ppp_truncated')
export const PPP_PROTOCOL_UNKNOWN = codeOf('ppp_protocol_unknown')
export const PPPOE_TRUNCATED = codeOf('pppoe_truncated')
export const PPPOE_MALFORMED = codeOf('pppoe_malformed')
export const TUNNEL_TRUNCATED = codeOf('tunnel_truncated')
export const TUNNEL_MALFORMED = codeOf('tunnel_malformed')
export const TUNNEL_PAYLOAD_UNKNOWN = codeOf('tunnel_payload_unknown')
export const TUNNEL_LENGTH = codeOf('tunnel_length')
export const TUNNEL_TOO_DEEP = codeOf('tunnel_too_deep')
