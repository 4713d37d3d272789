/**
 * What a simple rule would have said of the same flows: the yardstick beside each number of an evaluation.
 *
 * In:  finished flows of one capture, in row order. Out: which rules spoke; the busiest ten seconds, for a rule over a percentile.
 * Not: our own scorer; nothing here is shared with it but the flow records.
 *
 * Thresholds are those that the tools ship with: Zeek's scan.zeek (25 hosts or 15 ports in 5 minutes), detect-bruteforcing.zeek
 * (SSH 30 in 30 minutes, FTP 20 in 15 minutes; from headers a short session stands for a failed one), Slips (more than 5
 * unanswered hosts on one port in an hour, 5 pings, 9 short sessions, 1,500 s, 100 MB an hour), RITA v5 (beacon score 0.7).
 */
import type { NetworkSet } from '../../src/base/address.ts'
import { type Flow, ICMP, ICMPV6, ORIG, RESP, TCP, UDP } from '../../src/flow/flow.ts'
import { ritaScore } from './rita-score.ts'

const US_PER_S = 1e6
const TEN_S_US = 10 * US_PER_S
const MB = 1e6
const SHORT_SESSION_US = 60 * US_PER_S
const RITA_MIN = 0.7

interface CountRule {
  name: string
  /** Kinds of ours that it stands beside. */
  kinds: readonly string[]
  windowS: number
  /** Distinct things within the window at which it speaks. */
  atLeast: number
  /** Who counts together, and what is counted; null when the flow is none of its business. */
  read(flow: Flow): { who: string; what: string } | null
}

const SCAN_KINDS = ['scan.horizontal', 'scan.vertical'] as const

const COUNT_RULES = [
  {
    name: 'Zeek: 25 hosts on a port in 5 min',
    kinds: SCAN_KINDS,
    windowS: 300,
    atLeast: 25,
    read: (f) => (isFailed(f) ? { who: `${f.addr[ORIG]} ${f.port[RESP]}`, what: f.addr[RESP] } : null),
  },
  {
    name: 'Zeek: 15 ports on a host in 5 min',
    kinds: SCAN_KINDS,
    windowS: 300,
    atLeast: 15,
    read: (f) => (isFailed(f) ? { who: `${f.addr[ORIG]} ${f.addr[RESP]}`, what: `${f.port[RESP]}` } : null),
  },
  {
    name: 'Slips: 6 unanswered hosts on a port in 1 h',
    kinds: SCAN_KINDS,
    windowS: 3600,
    atLeast: 6,
    read: (f) => (isFailed(f) ? { who: `${f.addr[ORIG]} ${f.port[RESP]}`, what: f.addr[RESP] } : null),
  },
  {
    name: 'Slips: 5 pinged hosts',
    kinds: ['sweep.icmp'],
    windowS: 3600,
    atLeast: 5,
    read: (f) => (f.proto === ICMP || f.proto === ICMPV6 ? { who: f.addr[ORIG], what: f.addr[RESP] } : null),
  },
  {
    name: 'Zeek: 30 short SSH sessions in 30 min',
    kinds: ['brute.login'],
    windowS: 1800,
    atLeast: 30,
    read: (f) => shortSession(f, [22]),
  },
  {
    name: 'Zeek: 20 short FTP sessions in 15 min',
    kinds: ['brute.login'],
    windowS: 900,
    atLeast: 20,
    read: (f) => shortSession(f, [21]),
  },
  {
    name: 'Slips: 9 short login sessions in 5 min',
    kinds: ['brute.login'],
    windowS: 300,
    atLeast: 9,
    read: (f) => shortSession(f, [21, 22, 23, 3389]),
  },
] as const satisfies readonly CountRule[]

export const PACKETS_RULE = { name: 'packets to one host in 10 s over the 99th percentile of benign captures', percentile: 0.99 } as const
const RITA_RULE = { name: 'RITA v5: beacon score of 0.7', kinds: ['c2.beacon', 'c2.deadpeer'] } as const
const LONG_RULE = { name: 'Slips: a connection of 1,500 s', kinds: ['long.conn'], seconds: 1500 } as const
const UPLOAD_RULE = { name: 'Slips: 100 MB in 1 h to one host', kinds: ['exfil.volume'], bytes: 100 * MB } as const

/** Each rule with the kinds that it stands beside. */
export const SIMPLE_RULES: readonly { name: string; kinds: readonly string[] }[] = [
  ...COUNT_RULES.map(({ name, kinds }) => ({ name, kinds })),
  RITA_RULE,
  LONG_RULE,
  UPLOAD_RULE,
  { name: PACKETS_RULE.name, kinds: ['flood.syn', 'flood.udp', 'flood.icmp', 'flood.http', 'amp.victim', 'slow.http'] },
]

export interface SimpleFindings {
  /** Names of the rules that spoke. */
  spoke: string[]
  /** The most packets that one host was sent within ten seconds. */
  packets10sMax: number
}

export class SimpleRules {
  readonly #internal: NetworkSet
  readonly #spoke = new Set<string>()
  /** By rule and who: what was seen, and when last. */
  readonly #seen = new Map<string, Map<string, number>>()
  readonly #pairs = new Map<string, { startsUs: number[]; sentBytes: number[] }>()
  readonly #uploads = new Map<string, number>()
  readonly #packets = new Map<string, number>()

  constructor(internal: NetworkSet) {
    this.#internal = internal
  }

  observe(flow: Flow): void {
    for (const rule of COUNT_RULES) this.#count(rule, flow)
    if (flow.lastUs - flow.startUs >= LONG_RULE.seconds * US_PER_S) this.#spoke.add(LONG_RULE.name)
    this.#countPackets(flow)
    if (!this.#internal.has(flow.addr[ORIG]) || this.#internal.has(flow.addr[RESP])) return
    this.#countUpload(flow)
    this.#notePair(flow)
  }

  finish(): SimpleFindings {
    for (const pair of this.#pairs.values()) if ((ritaScore(pair) ?? 0) >= RITA_MIN) this.#spoke.add(RITA_RULE.name)
    let packets10sMax = 0
    for (const packets of this.#packets.values()) packets10sMax = Math.max(packets10sMax, packets)
    return { spoke: [...this.#spoke], packets10sMax }
  }

  #count(rule: CountRule, flow: Flow): void {
    if (this.#spoke.has(rule.name)) return
    const read = rule.read(flow)
    if (read === null) return
    const key = `${rule.name} ${read.who}`
    const seen = this.#seen.get(key) ?? new Map<string, number>()
    this.#seen.set(key, seen)
    seen.set(read.what, flow.startUs)
    if (seen.size < rule.atLeast) return
    for (const [what, atUs] of seen) if (atUs < flow.startUs - rule.windowS * US_PER_S) seen.delete(what)
    if (seen.size >= rule.atLeast) this.#spoke.add(rule.name)
  }

  /** A flow's packets are spread evenly over the time that it lasted. */
  #countPackets(flow: Flow): void {
    const from = Math.floor(flow.startUs / TEN_S_US)
    const to = Math.max(from, Math.floor(flow.lastUs / TEN_S_US))
    for (const side of [ORIG, RESP] as const) {
      const each = (flow.packets[side] ?? 0) / (to - from + 1)
      // A flow lasts an active timeout at most: a dozen bins.
      for (let bin = from; bin <= to; bin++) {
        const key = `${flow.addr[1 - side]} ${bin}`
        this.#packets.set(key, (this.#packets.get(key) ?? 0) + each)
      }
    }
  }

  #countUpload(flow: Flow): void {
    const key = `${flow.addr[ORIG]} ${flow.addr[RESP]} ${Math.floor(flow.startUs / (3600 * US_PER_S))}`
    const bytes = (this.#uploads.get(key) ?? 0) + (flow.payloadBytes[ORIG] ?? 0)
    this.#uploads.set(key, bytes)
    if (bytes >= UPLOAD_RULE.bytes) this.#spoke.add(UPLOAD_RULE.name)
  }

  #notePair(flow: Flow): void {
    if ((flow.proto !== TCP && flow.proto !== UDP) || flow.isContinuation) return
    const day = Math.floor(flow.startUs / (86_400 * US_PER_S))
    const key = `${flow.addr[ORIG]} ${flow.addr[RESP]} ${day}`
    const pair = this.#pairs.get(key) ?? { startsUs: [], sentBytes: [] }
    this.#pairs.set(key, pair)
    pair.startsUs.push(flow.startUs)
    pair.sentBytes.push(flow.payloadBytes[ORIG] ?? 0)
  }
}

function isFailed(flow: Flow): boolean {
  if (flow.proto === TCP) return ['S0', 'REJ', 'RSTOS0', 'RSTRH', 'SH'].includes(flow.connState ?? '')
  return flow.proto === UDP && flow.packets[RESP] === 0
}

function shortSession(flow: Flow, ports: readonly number[]): { who: string; what: string } | null {
  if (flow.proto !== TCP || flow.isContinuation || !ports.includes(flow.port[RESP])) return null
  if (flow.lastUs - flow.startUs > SHORT_SESSION_US || !flow.payloadBytes[RESP]) return null
  return { who: `${flow.addr[ORIG]} ${flow.addr[RESP]}`, what: `${flow.port[ORIG]} ${flow.startUs}` }
}
