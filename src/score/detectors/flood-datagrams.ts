/**
 * D6 flood.udp and flood.icmp: datagrams at a rate and of a likeness that no conversation has, and hardly an answer.
 *
 * In:  packets, octets and replies by destination, second by second. Not: two-way streams (calls, QUIC, tunnels), downloads (the
 *      destination sends in turn), reflections (D7: one source port, many servers), group addresses.
 *
 * A tenth of the rate is enough for datagrams that are all alike, are not answered at all and that nobody wants: sent to a port where
 * nobody listens, or from outside and small (streams to a recorder are large), or ten times what the server gets in its busiest hours.
 */

import type { OptionTable, OptionValues } from '../../base/option.ts'
import { CLIENT, SERVER } from '../../context/contact.ts'
import { ICMP, ICMPV6, UDP } from '../../flow/flow.ts'
import { num } from '../number.ts'
import { isServicePort } from '../orientation.ts'
import type { Assessment, Detector, Draft, Finding, Look, Weight } from './detector.ts'
import { assessment, draft } from './detector.ts'
import type { Arrivals } from './flood-arrivals.ts'
import {
  arrivalsOf,
  FLOOD_WEIGHTS,
  floodFinding,
  isShortBurst,
  ownRateDrafts,
  ownRateOf,
  ratePicture,
  sampleOf,
  sharedDrafts,
} from './flood-arrivals.ts'

function optionsOf(pps: number, what: string) {
  return {
    packets_per_s_min: {
      kind: 'number',
      default: pps,
      min: 50,
      max: 1e8,
      unit: '1/s',
      comment: `${what} to one destination in one second (FastNetMon: 20000 of any protocol).`,
    },
    bytes_per_s_min: {
      kind: 'number',
      default: 12.5e6,
      min: 1e4,
      max: 1e12,
      unit: 'B',
      comment: 'Or so many octets of payload in one second; 12.5 MB is 100 Mbit/s.',
    },
    sources_min: {
      kind: 'integer',
      default: 500,
      min: 50,
      max: 1_000_000,
      unit: 'sources',
      comment: 'Or packets from so many sources within ten to twenty seconds, at few_packets_per_s_min at least.',
    },
    few_packets_per_s_min: {
      kind: 'number',
      default: 50,
      min: 10,
      max: 1e7,
      unit: '1/s',
      comment: 'Packets a second that sources_min asks for.',
    },
    address_requests_per_s_min: {
      kind: 'number',
      default: 30,
      min: 5,
      max: 1e6,
      unit: '1/s',
      comment: 'Requests for addresses (DHCP) on the whole network in each of three seconds of ten; a building that powers up makes fewer.',
    },
    unwanted_packets_per_s_min: {
      kind: 'number',
      default: pps / 10,
      min: 10,
      max: 1e7,
      unit: '1/s',
      comment:
        'Or so many in each of three seconds of ten, all alike and not answered, where nobody listens, or small ones from outside, or ten times what is usual.',
    },
    replies_share_max: { kind: 'number', default: 0.1, min: 0, max: 1, unit: 'ratio', comment: 'Answers over packets, at most.' },
  } as const satisfies OptionTable
}

const UDP_OPTIONS = optionsOf(5000, 'UDP packets')
const ICMP_OPTIONS = optionsOf(1000, 'ICMP packets')

type Options = OptionValues<typeof UDP_OPTIONS>

const ONE_WAY = {
  lr: 1.5,
  group: 'pattern',
  basis: 'expert',
  label: 'one-way flood',
  claim: '{x0} got {m0} packets with {m1} of payload in one second, and sent {m2} back within ten',
  alt: 'a speed test, a stream or a copy whose answers the sensor did not see',
  next: 'Check whether the destination expects this traffic; if not, have it filtered upstream.',
} as const satisfies Weight

const ANSWERED = {
  lr: 1.3,
  group: 'pattern',
  basis: 'expert',
  label: 'answered flood of echoes',
  claim: '{x0} got {m0} packets with {m1} of payload in one second, and sent {m2} back within ten',
  alt: 'somebody who tests the line with ping at full speed',
  next: 'Ask whether the line was tested; a tool that waits for no answer sends thousands of echo requests a second.',
} as const satisfies Weight

const RATE = {
  lr: 0.5,
  group: 'timing',
  basis: 'expert',
  label: 'rate of a flood',
  claim: '{m0} packets in the busiest second, where {m1} are enough',
  next: 'Read the load of the link at that time.',
} as const satisfies Weight

const ADDRESS_REQUESTS = {
  lr: 1.2,
  group: 'pattern',
  basis: 'expert',
  label: 'flood of address requests',
  claim: '{m0} requests for addresses from {m1} addresses, at the rate of a flood in {m2} of ten seconds',
  alt: 'many hosts that start at once after a power cut',
  next: 'Look at the leases of the DHCP server: names and hardware addresses made up by a tool are easy to see.',
} as const satisfies Weight

const UNWANTED = {
  lr: 0.8,
  group: 'pattern',
  basis: 'expert',
  label: 'one-way and all alike',
  claim: '{x0} got {m0} packets of one size with {m1} of payload in one second, the like for {m2} of ten seconds, and sent {m3} back',
  alt: 'a stream of measurements, or a copy whose answers the sensor did not see',
  next: 'Check whether the destination expects this traffic; if not, have it filtered.',
} as const satisfies Weight

const CLOSED = {
  lr: 0.6,
  group: 'failure',
  basis: 'expert',
  label: 'nobody listens',
  claim: '{m0} of the conversations were refused: nothing listens there, and the sender goes on',
  alt: 'a service that has just ended',
  next: 'Find out what was meant to listen on that port.',
} as const satisfies Weight

const DHCP_PORT = 67
/** Streams that somebody watches or records fill their packets. */
const SMALL_BYTES_MAX = 600
const UNWANTED_REPLIES_SHARE_MAX = 0.01
const UNWANTED_SECONDS_MIN = 3
const SHORT_VARIATION_MAX = 0.2
const ADDRESS_SECONDS_MIN = 3

const WEIGHTS = {
  one_way: ONE_WAY,
  answered: ANSWERED,
  address_requests: ADDRESS_REQUESTS,
  unwanted: UNWANTED,
  closed: CLOSED,
  rate: RATE,
  ...FLOOD_WEIGHTS,
} as const

/** From so many flows that share one source port, it is servers that answer. */
const REFLECTED_SHARE_MIN = 0.8
const REFLECTED_SOURCES_MIN = 10

const COMMON = {
  techniques: { fromInside: ['T1498.001'], fromOutside: ['T1498.001'], manyVictims: [] },
  inputs: 'packets, payload and replies by destination and second',
  windowUs: 60e6,
  entryTest:
    'packets_per_s_min or bytes_per_s_min in one second, with a baseline also ≥ 10 × own p99; or sources_min; or unwanted_packets_per_s_min; and replies ≤ replies_share_max',
  priorLog10: -1,
  cap: { limit: 0.99, why: 'headers alone never make a flood certain' },
  severityBase: 2,
  isBackgroundFromOutside: false,
  readsOpenFlows: true,
  weights: WEIGHTS,
} as const

export const FLOOD_UDP = {
  ...COMMON,
  kind: 'flood.udp',
  code: 'D6U',
  title: 'Flood of UDP packets',
  options: UDP_OPTIONS,
  detect: (look: Look, options: Options): Finding | null => (look.judged.proto === UDP ? detect('D6U', look, options) : null),
} as const satisfies Detector<typeof UDP_OPTIONS>

export const FLOOD_ICMP = {
  ...COMMON,
  kind: 'flood.icmp',
  code: 'D6I',
  title: 'Flood of ICMP packets',
  options: ICMP_OPTIONS,
  detect: (look: Look, options: Options): Finding | null =>
    look.judged.proto === ICMP || look.judged.proto === ICMPV6 ? detect('D6I', look, options) : null,
} as const satisfies Detector<typeof ICMP_OPTIONS>

function detect(code: string, look: Look, options: Options): Finding | null {
  const arrivals = arrivalsOf(look)
  if (arrivals === null) return null
  const { window, atUs } = arrivals
  if (look.judged.proto === UDP && look.judged.port[SERVER] === DHCP_PORT) return detectAddressRequests(code, look, arrivals, options)
  if (look.judged.isToGroup) return null
  const packets = window.inSecond(atUs, 'packets')
  const isLoud = packets >= options.packets_per_s_min || window.inSecond(atUs, 'bytes') >= options.bytes_per_s_min
  const burst = window.burst()
  const isShort =
    (window.sizeVariation() ?? 1) <= SHORT_VARIATION_MAX && isShortBurst(burst.spanUs, burst.packets, options.packets_per_s_min)
  const isWide = packets >= options.few_packets_per_s_min && window.sources.count() >= options.sources_min
  const isBeyondUsual = (): boolean => packets >= (ownRateOf(look, arrivals, 'packets')?.floodMin ?? 0)
  if (!isWide && !((isLoud || isShort) && isBeyondUsual())) return detectUnwanted(code, look, arrivals, options)
  // Each echo request has its answer as long as the destination can: that makes a flood of them worse, not better.
  const isAnswered = window.inTenSeconds(atUs, 'replies') > options.replies_share_max * window.inTenSeconds(atUs, 'packets')
  if (isAnswered && (look.judged.proto === UDP || !(isLoud || isShort))) return null
  if (isReflected(arrivals, look)) return null
  return floodFinding(code, look, arrivals, '', () => assess(code, look, arrivals, options))
}

/** Fewer than a flood needs where anything could be meant by them, but nothing can. */
function detectUnwanted(code: string, look: Look, arrivals: Arrivals, options: Options): Finding | null {
  const { window, atUs } = arrivals
  if (window.inSecond(atUs, 'packets') < options.unwanted_packets_per_s_min) return null
  if (window.peak(atUs, 'packets', options.unwanted_packets_per_s_min).seconds < UNWANTED_SECONDS_MIN) return null
  if (window.inTenSeconds(atUs, 'replies') > UNWANTED_REPLIES_SHARE_MAX * window.inTenSeconds(atUs, 'packets')) return null
  if ((window.sizeVariation() ?? 1) > SHORT_VARIATION_MAX || isReflected(arrivals, look)) return null
  const own = ownRateOf(look, arrivals, 'packets')
  const isBeyondUsual = own !== null && window.inSecond(atUs, 'packets') >= own.floodMin
  const isSmallFromOutside = look.judged.direction === 'in' && own === null && window.bytes <= SMALL_BYTES_MAX * window.packets
  if (window.unreachable === 0 && !isBeyondUsual && !isSmallFromOutside) return null
  return floodFinding(code, look, arrivals, '', () => assessUnwanted(code, look, arrivals, options))
}

function assessUnwanted(code: string, look: Look, arrivals: Arrivals, options: Options): Assessment {
  const { window, atUs, victim } = arrivals
  const { judged, observed } = look
  const sample = sampleOf(arrivals, judged.flowId)
  const rate = window.peak(atUs, 'packets', options.unwanted_packets_per_s_min)
  const most = Math.round(rate.most)
  const replies = Math.round(window.inTenSeconds(atUs, 'replies'))
  const measured = [num(most, 'count'), num(window.inSecond(atUs, 'bytes'), 'B'), num(rate.seconds, 's'), num(replies, 'count')]
  const evidence: Draft[] = [draft(`${code}.unwanted`, UNWANTED, { measured, names: [victim], sample })]
  if (window.unreachable > 0) evidence.push(draft(`${code}.closed`, CLOSED, { measured: [num(window.unreachable, 'count')], sample }))
  const usual = ownRateDrafts(code, ownRateOf(look, arrivals, 'packets'), most, sample)
  evidence.push(...usual.drafts, ...sharedDrafts(code, arrivals, sample))
  return assessment({
    evidence,
    servicePort: judged.proto === UDP && window.hasOnePort() ? judged.port[observed.receiver] : null,
    scaleRatio: most / options.packets_per_s_min,
    pictures: [ratePicture(arrivals, 'packets', 'packets', options.unwanted_packets_per_s_min)],
    facts: { stream: streamOf(look, arrivals, most, replies) },
    notEvaluated: usual.notEvaluated,
  })
}

function streamOf({ judged }: Look, { window }: Arrivals, packets: number, replies: number): NonNullable<Assessment['facts']['stream']> {
  const meanBytes = window.packets === 0 ? 0 : window.bytes / window.packets
  return { proto: judged.proto, clientPps: packets, serverPps: replies / 10, meanBytes }
}

/** Exhaustion of addresses: answered or not, the number alone is what harms. */
function detectAddressRequests(code: string, look: Look, arrivals: Arrivals, options: Options): Finding | null {
  const rate = arrivals.window.peak(arrivals.atUs, 'packets', options.address_requests_per_s_min)
  if (rate.seconds < ADDRESS_SECONDS_MIN) return null
  const finding = floodFinding(code, look, { ...arrivals, victim: look.judged.addr[SERVER] }, '', () =>
    assessAddressRequests(code, look, arrivals, options),
  )
  return { ...finding, actor: 'many', keyPart: 'address requests' }
}

function assessAddressRequests(code: string, look: Look, arrivals: Arrivals, options: Options): Assessment {
  const { window, atUs } = arrivals
  const sample = sampleOf(arrivals, look.judged.flowId)
  const rate = window.peak(atUs, 'packets', options.address_requests_per_s_min)
  const measured = [
    num(Math.round(window.inTenSeconds(atUs, 'packets')), 'count'),
    num(window.sources.count(), 'count'),
    num(rate.seconds, 's'),
  ]
  return assessment({
    evidence: [draft(`${code}.address_requests`, ADDRESS_REQUESTS, { measured, sample })],
    servicePort: DHCP_PORT,
    scaleRatio: rate.most / options.address_requests_per_s_min,
    pictures: [ratePicture(arrivals, 'packets', 'requests for addresses', options.address_requests_per_s_min)],
    notEvaluated: [{ code: `${code}.usual_rate`, why: 'how many hosts usually ask for addresses: the baseline does not hold this' }],
  })
}

function isReflected({ window }: Arrivals, { judged, observed }: Look): boolean {
  // What stands for a port of ICMP is its type.
  if (judged.proto !== UDP) return false
  const port = judged.port[observed.receiver === CLIENT ? SERVER : CLIENT]
  if (!isServicePort(port) || window.sources.count() < REFLECTED_SOURCES_MIN) return false
  return window.sourcePortShare(port) >= REFLECTED_SHARE_MIN
}

function assess(code: string, look: Look, arrivals: Arrivals, options: Options): Assessment {
  const { window, atUs, victim } = arrivals
  const { judged, observed } = look
  const sample = sampleOf(arrivals, judged.flowId)
  const packets = Math.round(window.inSecond(atUs, 'packets'))
  const bytes = window.inSecond(atUs, 'bytes')
  const replies = Math.round(window.inTenSeconds(atUs, 'replies'))
  const isOneWay = replies <= options.replies_share_max * window.inTenSeconds(atUs, 'packets')
  const evidence: Draft[] = [
    draft(isOneWay ? `${code}.one_way` : `${code}.answered`, isOneWay ? ONE_WAY : ANSWERED, {
      measured: [num(packets, 'count'), num(bytes, 'B'), num(replies, 'count')],
      names: [victim],
      sample,
    }),
  ]
  if (packets >= options.packets_per_s_min) {
    evidence.push(draft(`${code}.rate`, RATE, { measured: [num(packets, 'count'), num(options.packets_per_s_min, 'count')], sample }))
  }
  const usual = ownRateDrafts(code, ownRateOf(look, arrivals, 'packets'), packets, sample)
  evidence.push(...usual.drafts, ...sharedDrafts(code, arrivals, sample))
  const hasPort = judged.proto === UDP && window.hasOnePort()
  return assessment({
    evidence,
    servicePort: hasPort ? judged.port[observed.receiver] : null,
    scaleRatio: packets / options.packets_per_s_min,
    pictures: [ratePicture(arrivals, 'packets', 'packets', options.packets_per_s_min)],
    facts: { stream: streamOf(look, arrivals, packets, replies) },
    notEvaluated: usual.notEvaluated,
  })
}
