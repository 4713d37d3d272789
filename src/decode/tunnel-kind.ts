/**
 * The kinds of tunnel that are opened, and how a packet says through which one it came.
 *
 * Out: kinds (an index into TUNNEL_KINDS; 0 is none) and `nameTunnel`.
 * The tunnel's word in the flow key is a hash over all wrappers, outermost first: equal addresses and ports in two tunnels are two
 * flows, and a packet seen both bare and wrapped is not counted twice in one. Ids that differ by direction are left out of it.
 */
import type { Packet } from './packet.ts'

export const TUNNEL_KINDS = ['none', 'gre', 'erspan', 'ipip', 'vxlan', 'geneve', 'gtpu', 'tzsp'] as const
export type TunnelKindName = (typeof TUNNEL_KINDS)[number]

export const NO_TUNNEL = 0
export const GRE = 1
export const ERSPAN = 2
export const IP_IN_IP = 3
export const VXLAN = 4
export const GENEVE = 5
export const GTP_U = 6
export const TZSP = 7

/** Deeper than any network known to us nests: a mirror's wrapper, an overlay, a customer's tunnel, and one to spare. */
export const TUNNEL_DEPTH_MAX = 4

/** @param keyId what of the id both directions share */
export function nameTunnel(packet: Packet, kind: number, id: number, keyId: number): void {
  packet.tunnelKind = kind
  packet.tunnelId = id
  packet.tunnelKey = mix(mix(packet.tunnelKey, kind), keyId) || 1
}

function mix(h: number, word: number): number {
  const x = Math.imul(h ^ word, 0x9e3779b1)
  return x ^ (x >>> 15)
}
