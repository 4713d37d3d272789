/**
 * All detectors, by the name of their section in the configuration. A new one is a file beside this and a line here.
 */

import type { OptionTable } from '../../base/option.ts'
import { AMP_REFLECTOR } from './amp-reflector.ts'
import { AMP_VICTIM } from './amp-victim.ts'
import { BRUTE_LOGIN } from './brute-login.ts'
import { C2_BEACON } from './c2-beacon.ts'
import { C2_DEADPEER } from './c2-deadpeer.ts'
import { CAPTURE_ASYMMETRIC } from './capture-asymmetric.ts'
import type { ArpDetector, Detector } from './detector.ts'
import { DNS_TUNNEL } from './dns-tunnel.ts'
import { EXFIL_VOLUME } from './exfil-volume.ts'
import { FLOOD_ICMP, FLOOD_UDP } from './flood-datagrams.ts'
import { FLOOD_HTTP } from './flood-http.ts'
import { FLOOD_SYN } from './flood-syn.ts'
import { FLOOD_TCP } from './flood-tcp.ts'
import { ICMP_TUNNEL } from './icmp-tunnel.ts'
import { LATERAL_FANOUT } from './lateral-fanout.ts'
import { LONG_CONN } from './long-conn.ts'
import { MITM_ARP } from './mitm-arp.ts'
import { NETWORK_CHANGED } from './network-changed.ts'
import { NEW_SERVER } from './new-server.ts'
import { SCAN_BACKGROUND } from './scan-background.ts'
import { SCAN_HORIZONTAL } from './scan-horizontal.ts'
import { SCAN_VERTICAL } from './scan-vertical.ts'
import { SLOW_HTTP } from './slow-http.ts'
import { SWEEP_ARP } from './sweep-arp.ts'
import { SWEEP_ICMP } from './sweep-icmp.ts'
import { TLS_OVERREAD } from './tls-overread.ts'
import { UNUSUAL_HOST } from './unusual-host.ts'

export const DETECTORS = {
  detectors_scan_horizontal: SCAN_HORIZONTAL,
  detectors_scan_vertical: SCAN_VERTICAL,
  detectors_scan_background: SCAN_BACKGROUND,
  detectors_sweep_icmp: SWEEP_ICMP,
  detectors_sweep_arp: SWEEP_ARP,
  detectors_flood_syn: FLOOD_SYN,
  detectors_flood_tcp: FLOOD_TCP,
  detectors_flood_udp: FLOOD_UDP,
  detectors_flood_icmp: FLOOD_ICMP,
  detectors_flood_http: FLOOD_HTTP,
  detectors_amp_victim: AMP_VICTIM,
  detectors_amp_reflector: AMP_REFLECTOR,
  detectors_brute_login: BRUTE_LOGIN,
  detectors_c2_beacon: C2_BEACON,
  detectors_c2_deadpeer: C2_DEADPEER,
  detectors_exfil_volume: EXFIL_VOLUME,
  detectors_dns_tunnel: DNS_TUNNEL,
  detectors_slow_http: SLOW_HTTP,
  detectors_long_conn: LONG_CONN,
  detectors_lateral_fanout: LATERAL_FANOUT,
  detectors_tls_overread: TLS_OVERREAD,
  detectors_icmp_tunnel: ICMP_TUNNEL,
  detectors_new_server: NEW_SERVER,
  detectors_mitm_arp: MITM_ARP,
  detectors_unusual_host: UNUSUAL_HOST,
  detectors_network_changed: NETWORK_CHANGED,
  detectors_capture_asymmetric: CAPTURE_ASYMMETRIC,
} as const satisfies Readonly<Record<string, Detector<OptionTable> | ArpDetector<OptionTable>>>

export type DetectorSection = keyof typeof DETECTORS

/** A kind that no detector has does not compile. */
export type Kind = (typeof DETECTORS)[DetectorSection]['kind']
