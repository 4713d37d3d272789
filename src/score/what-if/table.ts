/**
 * What each detector's entry test measures, the strongest first.
 *
 * In:  the name of a detector's section. Out: its measures. A new detector gets its line here; one without does not compile.
 */
import type { OptionValues } from '../../base/option.ts'
import type { ArpLook } from '../detectors/detector.ts'
import type { DETECTORS, DetectorSection } from '../detectors/table.ts'
import * as arp from './arp-measures.ts'
import * as calls from './call-measures.ts'
import * as floods from './flood-measures.ts'
import type { Measure } from './measure.ts'
import * as scans from './scan-measures.ts'

type OptionsOf<S extends DetectorSection> = OptionValues<(typeof DETECTORS)[S]['options']>

/** Those that look at the link layer, where there is no flow. */
type ArpSection = { [S in DetectorSection]: 'detectArp' extends keyof (typeof DETECTORS)[S] ? S : never }[DetectorSection]
type FlowSection = Exclude<DetectorSection, ArpSection>

export const MEASURES: { readonly [S in FlowSection]: readonly Measure<OptionsOf<S>>[] } = {
  detectors_scan_horizontal: [scans.FAILED_SERVERS],
  detectors_scan_vertical: [scans.FAILED_PORTS, scans.ANSWERED_PORTS, scans.PROTOCOLS],
  detectors_scan_background: [scans.PROBING_SOURCES],
  detectors_sweep_icmp: [scans.PINGED, scans.PINGS_ANSWERED],
  detectors_flood_syn: [floods.HALF_OPEN_RATE, floods.COMPLETED_CONNECTIONS],
  detectors_flood_tcp: [floods.STRAY_RATE],
  detectors_flood_udp: [floods.UDP_RATE, floods.UDP_REPLIES],
  detectors_flood_icmp: [floods.ICMP_RATE, floods.ICMP_REPLIES],
  detectors_flood_http: [floods.WEB_CONNECTION_RATE, floods.WEB_CLIENTS],
  detectors_amp_victim: [floods.UNASKED_SENDERS],
  detectors_amp_reflector: [floods.REFLECTED_BYTES, floods.REFLECTOR_ASKED],
  detectors_brute_login: [scans.LOGIN_SESSIONS, scans.LOGIN_VARIATION],
  detectors_c2_beacon: [calls.GAPS_ON_THE_CLOCK, calls.CALLS],
  detectors_c2_deadpeer: [calls.FAILED_CALLS, calls.ANSWERED_CALLS],
  detectors_exfil_volume: [floods.SENT_BYTES, floods.RECEIVED_BYTES],
  detectors_dns_tunnel: [calls.LOOKUPS, calls.LOOKUP_BYTES],
  detectors_slow_http: [floods.HELD_OPEN],
  detectors_long_conn: [calls.CONNECTION_LASTED],
  detectors_lateral_fanout: [scans.ADMIN_SERVERS],
  detectors_tls_overread: [calls.OVERREADS],
  detectors_icmp_tunnel: [calls.ECHO_BYTES, calls.ECHO_VARIATION, calls.ECHOES],
  detectors_new_server: [calls.SERVER_KNOWN],
  // What is rare is so beside a whole baseline: no single quantity that could have been less.
  detectors_unusual_host: [],
  detectors_network_changed: [],
  detectors_capture_asymmetric: [],
}

export const ARP_MEASURES: { readonly [S in ArpSection]: readonly Measure<OptionsOf<S>, ArpLook>[] } = {
  detectors_sweep_arp: [arp.ASKED_FOR, arp.ASKED_AND_ANSWERED],
  detectors_mitm_arp: [arp.TOLD_UNASKED, arp.TALKED_OVER, arp.DIVERTED],
}

/** The table for those who know a section only at run time: its options come from the same section. None for those of the link layer. */
export function measuresOf(section: DetectorSection): readonly Measure<unknown>[] {
  return isOfFlows(section) ? (MEASURES[section] as readonly Measure<unknown>[]) : []
}

/** The same for those of the link layer alone. */
export function arpMeasuresOf(section: DetectorSection): readonly Measure<unknown, ArpLook>[] {
  return isOfFlows(section) ? [] : (ARP_MEASURES[section] as readonly Measure<unknown, ArpLook>[])
}

function isOfFlows(section: DetectorSection): section is FlowSection {
  return Object.hasOwn(MEASURES, section)
}
