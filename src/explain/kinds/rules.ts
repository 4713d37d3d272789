/**
 * Detection rules, filters and log queries from checked addresses and ports.
 *
 * In:  `Facts`; only its checked addresses are used. Out: one-line texts that Suricata, tcpdump and a shell accept.
 * Not: a claim that a rule proves anything: it repeats what was measured, on these hosts.
 */
import { ICMP, ICMPV6, TCP, UDP } from '../../flow/flow.ts'
import type { Facts } from '../facts.ts'

/** Suricata thresholds; `verify-values.ts` lists these very words. */
export const SCAN_THRESHOLD = 'threshold:type both, track by_src, count 15, seconds 300;'
export const LOGIN_THRESHOLD = 'threshold:type both, track by_src, count 10, seconds 300;'
export const FLOOD_THRESHOLD = 'threshold:type both, track by_dst, count 1000, seconds 10;'
export const SLOW_THRESHOLD = 'threshold:type both, track by_src, count 50, seconds 600;'
export const CALLS_THRESHOLD = 'threshold:type both, track by_src, count 10, seconds 3600;'
export const PROBES_THRESHOLD = 'threshold:type both, track by_dst, count 100, seconds 3600;'
export const ADDRESS_REQUESTS_THRESHOLD = 'threshold:type both, track by_dst, count 300, seconds 10;'
/** One such connection or packet is enough; more within an hour are told once. */
export const ONCE_THRESHOLD = 'threshold:type limit, track by_src, count 1, seconds 3600;'
/** Datagrams and echoes that carry far more than usual. */
const LARGE_QUESTION = 'dsize:>90;'
const LARGE_ECHO = 'itype:8; dsize:>100;'
const LARGE_ANSWER = 'dsize:>200;'

/** What a packet must be beyond its addresses and port. */
const MATCHES = {
  /** SYN alone; ECN bits do not matter. */
  beginning: 'flags:S,CE;',
  /** SYN with ACK, or a lone reset, that a server sends: what a reflected flood over TCP is made of. */
  answer: 'flags:SA,CE;',
  question: LARGE_QUESTION,
  ping: 'itype:8;',
  echo: LARGE_ECHO,
  largeAnswer: LARGE_ANSWER,
  any: '',
} as const

interface SuricataParts {
  signatureId: number
  kind: string
  /** The server's port; null for any. */
  port: number | null
  threshold: string
  classtype: string
  match?: keyof typeof MATCHES
  /** The port is the sender's, and the packets go from servers to the victim. */
  isPortOfSender?: boolean
}

/** A rule that fires when the same hosts do the same again. */
export function suricataRule(facts: Facts, parts: SuricataParts): string {
  const proto = suricataProto(facts.alert.proto)
  const hasPorts = proto === 'tcp' || proto === 'udp'
  const port = !hasPorts || parts.port === null ? 'any' : String(parts.port)
  const [from, to] = parts.isPortOfSender === true ? [port, 'any'] : ['any', port]
  const match = matchOf(facts, parts)
  const head = `alert ${proto} ${facts.actorAddress ?? 'any'} ${from} -> ${addressGroup(facts)} ${to}`
  const options = [`msg:"flowscribe ${parts.kind}, seen before";`, match, parts.threshold, `classtype:${parts.classtype};`]
  return `${head} (${options.filter((option) => option !== '').join(' ')} sid:${parts.signatureId}; rev:1;)`
}

const CALLS_LOOKED_FOR = 8
const PERIODS_WAITED = 12

/** Calls on a clock: so many as the detector asks for, within half as long again as they take. A fixed time would miss slow clocks. */
export function clockThreshold({ alert }: Facts): string {
  for (const picture of alert.pictures) {
    if (picture.picture !== 'gaps') continue
    const seconds = Math.ceil((PERIODS_WAITED * picture.medianUs) / 1e6)
    return `threshold:type both, track by_src, count ${CALLS_LOOKED_FOR}, seconds ${seconds};`
  }
  return CALLS_THRESHOLD
}

function matchOf({ alert }: Facts, { match }: SuricataParts): string {
  const found = MATCHES[match ?? (alert.proto === TCP ? 'beginning' : 'any')]
  return alert.proto === ICMPV6 ? found.replace('itype:8;', 'itype:128;') : found
}

/** The most that `stream_size` can be asked for: it is a number of 32 bits. */
const STREAM_SIZE_MAX = 4_000_000_000
const LARGE_DATAGRAMS_AN_HOUR = 'dsize:>1000; threshold:type both, track by_src, count 40000, seconds 3600;'

/** A rule on how much a client sends: one upload that goes beyond `bytes`, however few connections it takes. */
export function uploadRule(
  facts: Facts,
  parts: Pick<SuricataParts, 'signatureId' | 'kind' | 'port' | 'classtype'> & { bytes: number },
): string {
  const proto = facts.alert.proto === UDP ? 'udp' : 'tcp'
  const port = parts.port === null ? 'any' : String(parts.port)
  const head = `alert ${proto} ${facts.actorAddress ?? '$HOME_NET'} any -> ${addressGroup(facts)} ${port}`
  const size = `flow:established; stream_size:client,>,${Math.min(parts.bytes, STREAM_SIZE_MAX)}; ${ONCE_THRESHOLD}`
  const options = `msg:"flowscribe ${parts.kind}, seen before"; ${proto === 'udp' ? LARGE_DATAGRAMS_AN_HOUR : size}`
  return `${head} (${options} classtype:${parts.classtype}; sid:${parts.signatureId}; rev:1;)`
}

function suricataProto(proto: number): 'tcp' | 'udp' | 'icmp' | 'ip' {
  if (proto === TCP) return 'tcp'
  if (proto === UDP) return 'udp'
  return proto === ICMP || proto === ICMPV6 ? 'icmp' : 'ip'
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
