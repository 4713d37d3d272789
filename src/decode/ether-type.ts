/**
 * Ether types: what the next header is, whatever carries it (Ethernet, cooked capture, GRE, GENEVE; IANA's ieee-802-numbers).
 *
 * Out: constants. Types under ETHER_TYPE_MIN are not types but lengths: the frame is IEEE 802.3 with LLC.
 * Link layers and wrappers that number their payload otherwise (PPP, GTP, VXLAN-GPE) translate to these.
 */

export const TYPE_IPV4 = 0x0800
export const TYPE_ARP = 0x0806
export const TYPE_8021Q = 0x8100
export const TYPE_8021AD = 0x88a8
/** Cisco's and others' type for an outer tag, before 802.1ad. */
export const TYPE_QINQ_OLD = 0x9100
export const TYPE_IPV6 = 0x86dd
export const TYPE_MPLS = 0x8847
export const TYPE_MPLS_MULTICAST = 0x8848
export const TYPE_PPPOE_SESSION = 0x8864
export const TYPE_PPP = 0x880b
/** Transparent Ethernet bridging: an Ethernet frame comes next. */
export const TYPE_ETHERNET = 0x6558
export const TYPE_ERSPAN = 0x88be
export const TYPE_ERSPAN_III = 0x22eb
export const TYPE_WCCP = 0x883e
/** Cisco metadata (TrustSec's security group), VN-Tag (IEEE 802.1BR's predecessor), network service header (RFC 8300). */
export const TYPE_CISCO_METADATA = 0x8909
export const TYPE_VN_TAG = 0x8926
export const TYPE_NSH = 0x894f

export const ETHER_TYPE_MIN = 0x0600
