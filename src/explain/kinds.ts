/**
 * Every kind of alert that has words: one row each, its file beside it under `kinds/`; kindred kinds share a file.
 *
 * Out: the kind's words and eve numbers by its name. The names are score/'s.
 * The invariant: signature ids are unique and never change, and every kind of score/ has its row (tests hold this).
 */
import { AMP_REFLECTOR, AMP_VICTIM } from './kinds/amplification.ts'
import { MITM_ARP, SWEEP_ARP } from './kinds/arp.ts'
import { CAPTURE_ASYMMETRIC, NETWORK_CHANGED, UNUSUAL_HOST } from './kinds/baseline.ts'
import { BRUTE_LOGIN } from './kinds/brute-login.ts'
import { C2_BEACON, C2_DEADPEER, LONG_CONN } from './kinds/command-channels.ts'
import { SCAN_BACKGROUND, SWEEP_ICMP } from './kinds/discovery.ts'
import { EXFIL_VOLUME } from './kinds/exfil-volume.ts'
import { FLOOD_HTTP, FLOOD_ICMP, FLOOD_SYN, FLOOD_TCP, FLOOD_UDP, SLOW_HTTP } from './kinds/floods.ts'
import { LATERAL_FANOUT, NEW_SERVER, TLS_OVERREAD } from './kinds/inside-hosts.ts'
import type { KindWords } from './kinds/kind.ts'
import { NORMAL, NORMAL_PREFIX } from './kinds/normal.ts'
import { OTHER } from './kinds/other.ts'
import { SCAN_HORIZONTAL } from './kinds/scan-horizontal.ts'
import { SCAN_VERTICAL } from './kinds/scan-vertical.ts'
import { DNS_TUNNEL, ICMP_TUNNEL } from './kinds/tunnels.ts'

/** eve's `gid` of all our alerts: keeps their ids apart from rules' ids. */
export const GENERATOR_ID = 4242

export const KINDS: Readonly<Record<string, KindWords>> = {
  'scan.vertical': SCAN_VERTICAL,
  'scan.horizontal': SCAN_HORIZONTAL,
  'scan.background': SCAN_BACKGROUND,
  'sweep.icmp': SWEEP_ICMP,
  'sweep.arp': SWEEP_ARP,
  'mitm.arp': MITM_ARP,
  'brute.login': BRUTE_LOGIN,
  'flood.syn': FLOOD_SYN,
  'flood.tcp': FLOOD_TCP,
  'flood.udp': FLOOD_UDP,
  'flood.icmp': FLOOD_ICMP,
  'flood.http': FLOOD_HTTP,
  'slow.http': SLOW_HTTP,
  'amp.victim': AMP_VICTIM,
  'amp.reflector': AMP_REFLECTOR,
  'c2.beacon': C2_BEACON,
  'c2.deadpeer': C2_DEADPEER,
  'long.conn': LONG_CONN,
  'dns.tunnel': DNS_TUNNEL,
  'icmp.tunnel': ICMP_TUNNEL,
  'exfil.volume': EXFIL_VOLUME,
  'lateral.fanout': LATERAL_FANOUT,
  'new.server': NEW_SERVER,
  'tls.overread': TLS_OVERREAD,
  'unusual.host': UNUSUAL_HOST,
  'network.changed': NETWORK_CHANGED,
  'capture.asymmetric': CAPTURE_ASYMMETRIC,
}

export function kindWords(kind: string): KindWords {
  if (kind.startsWith(NORMAL_PREFIX)) return NORMAL
  return Object.hasOwn(KINDS, kind) ? KINDS[kind] : OTHER
}
