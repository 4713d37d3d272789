/**
 * Detection rules, filters and log queries from checked addresses and ports.
 *
 * In:  `Facts`; only its checked addresses are used. Out: one-line texts that Suricata, tcpdump and a shell accept.
 * Not: a claim that a rule proves anything: it repeats what was measured, on these hosts.
 */
import { ICMP, ICMPV6, TCP, UDP } from '../../flow/flow.ts'
import type { Facts } from '../facts.ts'

/** A Suricata threshold; `verify-values.ts` lists these very words. */
export const SCAN_THRESHOLD = 'threshold:type both, track by_src, count 15, seconds 300;'
export const LOGIN_THRESHOLD = 'threshold:type both, track by_src, count 10, seconds 300;'
export const FLOOD_THRESHOLD = 'threshold:type both, track by_dst, count 1000, seconds 10;'

interface SuricataParts {
  signatureId: number
  kind: string
  port: number | null
  threshold: string
  classtype: string
}

/** A rule that fires when the same hosts do the same again. SYN alone counts; ECN bits do not matter. */
export function suricataRule(facts: Facts, parts: SuricataParts): string {
  const proto = facts.alert.proto === TCP ? 'tcp' : facts.alert.proto === UDP ? 'udp' : 'ip'
  const port = proto === 'ip' || parts.port === null ? 'any' : String(parts.port)
  const flags = proto === 'tcp' ? ' flags:S,CE;' : ''
  const head = `alert ${proto} ${facts.actorAddress ?? 'any'} any -> ${addressGroup(facts)} ${port}`
  const body = `msg:"flowscribe ${parts.kind}, seen before";${flags} ${parts.threshold} classtype:${parts.classtype};`
  return `${head} (${body} sid:${parts.signatureId}; rev:1;)`
}

function addressGroup(facts: Facts): string {
  if (facts.victimAddresses.length === 0) return 'any'
  if (facts.alert.victims.count > facts.victimAddresses.length) return '$HOME_NET'
  return facts.victimAddresses.length === 1 ? facts.victimAddresses[0] : `[${facts.victimAddresses.join(',')}]`
}

const BPF_PROTOCOLS: ReadonlyMap<number, string> = new Map([
  [TCP, 'tcp'],
  [UDP, 'udp'],
  [ICMP, 'icmp'],
  [ICMPV6, 'icmp6'],
])

/** The packets between actor and victim; between the actor and all when there are many victims. */
export function bpfFilter(facts: Facts, port: number | null): string {
  const hosts = facts.actorAddress === null ? [] : [`host ${facts.actorAddress}`]
  if (facts.alert.victims.count === 1 && facts.victimAddresses.length === 1) hosts.push(`host ${facts.victimAddresses[0]}`)
  const proto = BPF_PROTOCOLS.get(facts.alert.proto)
  const hasPorts = facts.alert.proto === TCP || facts.alert.proto === UDP
  const parts = [...hosts, ...(proto === undefined ? [] : [port === null || !hasPorts ? proto : `${proto} port ${port}`])]
  return parts.join(' and ')
}

/** All connections of the actor to a port (or any) from Zeek's conn.log. */
export function zeekQuery(facts: Facts, fields: readonly string[]): string {
  const who = facts.actorAddress ?? facts.victimAddresses[0]
  const grep = who === undefined ? '' : ` | grep -wF '${who}'`
  return `zeek-cut ts id.orig_h id.resp_h id.resp_p ${fields.join(' ')} < conn.log${grep}`
}
