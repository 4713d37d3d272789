/**
 * D12 dns.tunnel: a client's questions to a name server are too large and too many to be names that people look up.
 *
 * In:  packets and octets each way between a client and a name server, last five to ten minutes; how often one port was reused.
 * Not: names (payload is not read), DNS over TLS or HTTPS, group addresses.
 *
 * Sizes overlap: look-ups by reputation services and reverse look-ups of IPv6 are large too. So size, number and use of ports must agree.
 */

import type { OptionTable, OptionValues } from '../../base/option.ts'
import { CLIENT, SERVER } from '../../context/contact.ts'
import type { Datagrams, SideSums } from '../../context/datagrams.ts'
import { UDP } from '../../flow/flow.ts'
import { num } from '../number.ts'
import type { Assessment, Detector, Draft, Finding, Look } from './detector.ts'
import { assessment, draft } from './detector.ts'
import { historyOf } from './history.ts'

const OPTIONS = {
  queries_min: {
    kind: 'integer',
    default: 100,
    min: 20,
    max: 100_000,
    unit: 'queries',
    comment: 'Questions of one client to one name server within five to ten minutes.',
  },
  query_bytes_min: {
    kind: 'number',
    default: 70,
    min: 40,
    max: 512,
    unit: 'B',
    comment: 'Mean payload of those questions. A name that people look up makes 30 to 50; a reverse look-up of IPv6 90 to 113.',
  },
  large_queries_min: {
    kind: 'integer',
    default: 10,
    min: 5,
    max: 100_000,
    unit: 'queries',
    comment: 'So many are enough when they are large.',
  },
  large_query_bytes_min: {
    kind: 'number',
    default: 115,
    min: 60,
    max: 512,
    unit: 'B',
    comment: 'Mean payload from which questions are large: more than any reverse look-up.',
  },
} as const satisfies OptionTable

type Options = OptionValues<typeof OPTIONS>

const WEIGHTS = {
  query_size: {
    lr: 1.2,
    group: 'pattern',
    basis: 'expert',
    label: 'large questions',
    claim: '{x0} asked {x1} {m0} questions of {m1} in the mean; names that people look up make less than {m2}',
    alt: 'a reputation service that asks in names, or reverse look-ups of long addresses',
    next: "Read the name server's log for this client: data in names shows as long random labels under one domain.",
  },
  many_queries: {
    lr: 0.8,
    group: 'scale',
    basis: 'expert',
    label: 'many questions',
    claim: '{m0} questions within {m1}',
    next: 'Count the different names under one domain.',
  },
  one_port: {
    lr: 0.9,
    group: 'timing',
    basis: 'expert',
    label: 'one port for all',
    claim: '{m0} questions came in as few conversations as {m1}: resolvers take a new port for each',
    alt: 'a forwarder with a fixed port',
    next: 'Find the process that holds this port on the client.',
  },
  own_history: {
    lr: 1,
    group: 'volume',
    basis: 'test',
    label: 'ten times its usual volume',
    claim: 'its look-ups carried {m0} in this hour; of its hours in the baseline ({m1}) ninety-nine in a hundred stayed below {m2}',
    alt: 'a new mail filter or crawler on this host',
    next: 'Compare with what the host asks for on other days.',
  },
  varied: {
    lr: 0.4,
    group: 'volume',
    basis: 'expert',
    label: 'sizes vary widely',
    claim: 'the questions vary by {m0}, the answers by {m1}',
    next: 'Look at the sizes of the questions in the timeline.',
  },
  large_replies: {
    lr: 0.3,
    group: 'volume',
    basis: 'expert',
    label: 'large answers',
    claim: 'the answers carry {m0} in the mean',
    next: 'Look which record types were asked for.',
  },
  own_resolver: {
    lr: 0.3,
    group: 'target',
    basis: 'expert',
    label: 'a resolver of its own',
    claim: 'no other of {m0} inside hosts seen asks this name server',
    next: 'Ask whether this host may use that name server.',
  },
} as const

/** LR of the mean size, from the top. */
const SIZE_STEPS: readonly { fromBytes: number; lr: number }[] = [
  { fromBytes: 150, lr: 2 },
  { fromBytes: 115, lr: 1.8 },
  { fromBytes: 90, lr: 1.4 },
]
/** Reputation services and reverse look-ups ask as large, each time from a new port: without one port for all, size says less. */
const REACHED_BY_LOOK_UPS_LR = 0.8
/** Fewer than the entry test's number, but no handful. */
const SOME_QUERIES = 20
const SOME_QUERIES_LR = 0.4
const QUERIES_A_PORT_MIN = 5
const VARIATION_MIN = 0.25
const LARGE_REPLY_BYTES = 150
const HOSTS_MIN = 4
/** SCORER.md D12: ten times its own p99, and a megabyte in the hour. */
const OWN_SHARE = 0.99
const OWN_FACTOR = 10
const OWN_BYTES_MIN = 1e6

export const DNS_TUNNEL = {
  kind: 'dns.tunnel',
  code: 'D12',
  title: 'Data carried in name look-ups',
  techniques: { fromInside: ['T1071.004', 'T1572'], fromOutside: ['T1071.004'], manyVictims: [] },
  inputs: 'packets, payload and its variation each way between client and name server',
  windowUs: 5 * 60e6,
  entryTest:
    'queries ≥ queries_min of query_bytes_min, or ≥ large_queries_min of large_query_bytes_min, in the mean; or ≥ 1 MB in the hour and ≥ 10 × own p99',
  options: OPTIONS,
  priorLog10: -2.5,
  cap: { limit: 0.7, why: 'the names asked for were not read' },
  severityBase: 2,
  isBackgroundFromOutside: false,
  weights: WEIGHTS,
  detect,
} as const satisfies Detector<typeof OPTIONS>

function detect(look: Look, options: Options): Finding | null {
  const { judged, observed } = look
  const { datagrams } = observed
  if (judged.proto !== UDP || datagrams === null || judged.direction === 'in') return null
  const queries = datagrams.side(CLIENT)
  const isMany = queries.packets >= options.queries_min && queries.meanBytes >= options.query_bytes_min
  const isLarge = queries.packets >= options.large_queries_min && queries.meanBytes >= options.large_query_bytes_min
  const own = beyondOwn(look)
  if (!isMany && !isLarge && own === null) return null
  return {
    actor: judged.addr[CLIENT],
    victim: judged.addr[SERVER],
    keyPart: judged.addr[SERVER],
    flowsInWindow: datagrams.rows(),
    firstUs: datagrams.firstUs,
    victims: () => [judged.addr[SERVER]],
    telling: 0,
    assess: () => assess(look, datagrams, queries, own, options),
  }
}

interface OwnVolume {
  bytes: number
  hours: number
  p99: number
  p95: number
  median: number
}

/** The client's look-ups of this hour when they go beyond its own history; null when they do not, or nobody knows. */
function beyondOwn(look: Look): OwnVolume | null {
  const tally = look.observed.client.hour
  if (tally === null || tally.dnsBytes < OWN_BYTES_MIN) return null
  const history = historyOf(look)
  if (history === null) return null
  const p99 = history.dnsQuantile(OWN_SHARE)
  if (tally.dnsBytes < OWN_FACTOR * p99) return null
  const [median, p95] = [0.5, 0.95].map((share) => Math.round(history.dnsQuantile(share)))
  return { bytes: tally.dnsBytes, hours: Math.round(history.hours), p99: Math.round(p99), p95, median }
}

function assess(look: Look, datagrams: Datagrams, queries: SideSums, own: OwnVolume | null, options: Options): Assessment {
  const { judged, context } = look
  const replies = datagrams.side(SERVER)
  const rows = datagrams.rows()
  // A resolver asks for all its clients: that it alone goes outside, and from one port, is its job.
  const clients = context.services.answeredClients(judged.addr[CLIENT], UDP, judged.port[SERVER])
  const sample = { n: queries.packets, fromUs: datagrams.firstUs, toUs: datagrams.lastUs, flowIds: datagrams.flowIds.slice(0, 10) }
  const isOnePort = datagrams.reusedRows() > 0 && queries.packets >= QUERIES_A_PORT_MIN * rows
  const evidence: Draft[] = [
    draft('D12.query_size', WEIGHTS.query_size, {
      measured: [num(queries.packets, 'count'), num(queries.meanBytes, 'B'), num(options.query_bytes_min, 'B')],
      names: [judged.addr[CLIENT], judged.addr[SERVER]],
      sample,
      lr: sizeLr(queries, isOnePort, options),
    }),
  ]
  if (queries.packets >= SOME_QUERIES) {
    const measured = [num(queries.packets, 'count'), num(sample.toUs - sample.fromUs, 'us')]
    const lr = queries.packets >= options.queries_min ? WEIGHTS.many_queries.lr : SOME_QUERIES_LR
    evidence.push(draft('D12.many_queries', WEIGHTS.many_queries, { measured, sample, lr }))
  }
  if (clients === 0 && isOnePort) {
    evidence.push(draft('D12.one_port', WEIGHTS.one_port, { measured: [num(queries.packets, 'count'), num(rows, 'count')], sample }))
  }
  if ((queries.variation ?? 0) >= VARIATION_MIN) {
    const measured = [num((queries.variation ?? 0) * 100, 'percent'), num((replies.variation ?? 0) * 100, 'percent')]
    evidence.push(draft('D12.varied', WEIGHTS.varied, { measured, sample }))
  }
  if (replies.meanBytes >= LARGE_REPLY_BYTES) {
    evidence.push(draft('D12.large_replies', WEIGHTS.large_replies, { measured: [num(replies.meanBytes, 'B')], sample }))
  }
  if (own !== null) {
    const measured = [num(own.bytes, 'B'), num(own.hours, 'count'), num(own.p99, 'B')]
    const baseline = { scope: 'this host' as const, n: own.hours, median: num(own.median, 'B'), p95: num(own.p95, 'B') }
    evidence.push({ ...draft('D12.own_history', WEIGHTS.own_history, { measured, sample }), baseline })
  }
  const { census } = context
  if (clients === 0 && census.hosts >= HOSTS_MIN && !judged.isServerInternal && census.networkUsers(judged.addr[SERVER]) === 1) {
    evidence.push(draft('D12.own_resolver', WEIGHTS.own_resolver, { measured: [num(census.hosts, 'count')], sample }))
  }
  return assessment({
    evidence,
    servicePort: judged.port[SERVER],
    scaleRatio: queries.packets / options.queries_min,
    facts: { relay: { clients } },
    notEvaluated: [{ code: 'D12.names', why: 'the names asked for: payload is not read' }],
  })
}

/** Sizes weigh only where they are large: an entry by volume alone may have small ones. */
function sizeLr(queries: SideSums, isOnePort: boolean, options: Options): number {
  if (queries.meanBytes < options.query_bytes_min) return 0
  if (!isOnePort && queries.meanBytes < options.large_query_bytes_min) return REACHED_BY_LOOK_UPS_LR
  return SIZE_STEPS.find((step) => queries.meanBytes >= step.fromBytes)?.lr ?? WEIGHTS.query_size.lr
}
