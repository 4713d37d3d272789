/**
 * What the floods have in common: the destination's window at the second of a row, and how many take part; what it usually gets.
 *
 * In:  a look. Out: the receiver's window with the time it is read at; actor, victim and side of a finding; the victim's own usual rate.
 */

import { CLIENT, SERVER } from '../../context/contact.ts'
import type { DestinationWindow } from '../../context/destination-windows.ts'
import type { ServedCell } from '../../context/served-history.ts'
import type { DestinationCell } from '../../flow/destination-counters.ts'
import type { PictureData } from '../evidence.ts'
import { num } from '../number.ts'
import type { Draft, Finding, Look, Weight } from './detector.ts'
import { draft, TOO_LITTLE_HISTORY } from './detector.ts'

export interface Arrivals {
  window: DestinationWindow
  atUs: number
  victim: string
  isVictimInternal: boolean
}

/** null while the receiver draws too little to be watched. */
export function arrivalsOf({ judged, observed }: Look): Arrivals | null {
  const { destination, receiver } = observed
  if (destination === null) return null
  // The last second that the row reaches into: its packets were just added up to there. Of counters, the second that they count.
  const atUs = observed.countedAtUs ?? judged.lastUs
  const isVictimInternal = receiver === CLIENT ? judged.isClientInternal : judged.isServerInternal
  return { window: destination, atUs, victim: judged.addr[receiver], isVictimInternal }
}

/** Who floods: the one source that sends nine in ten packets, else many. @param asker the detector's code. */
export function floodFinding(asker: string, look: Look, arrivals: Arrivals, keyPart: string, assess: Finding['assess']): Finding {
  const { judged, observed } = look
  const { window, victim, isVictimInternal } = arrivals
  const sole = window.soleSource(asker)
  window.noteSaid(asker, sole)
  const isSenderInternal = observed.receiver === CLIENT ? judged.isServerInternal : judged.isClientInternal
  return {
    actor: sole ?? 'many',
    victim,
    side: { isActorInternal: isSenderInternal, direction: isVictimInternal && !isSenderInternal ? 'in' : judged.direction },
    keyPart: `${victim}${keyPart}`,
    flowsInWindow: window.flows,
    flowsSoFar: window.flows,
    firstUs: window.firstUs,
    victims: () => [victim],
    telling: 0,
    assess,
  }
}

export function sampleOf({ window }: Arrivals, flowId: number): Draft['sample'] {
  return { n: window.flows, fromUs: window.firstUs, toUs: window.lastUs, flowIds: [flowId] }
}

/** Times finer than this are the capture's, not the line's. */
const SHORT_SPAN_US_MIN = 1000
const SHORT_SPAN_US_MAX = 1e6
const SHORT_COUNT_SHARE = 5
const SHORT_RATE_FACTOR = 1.5

/**
 * A destination watched for less than a second (a short capture, the first moment of a flood): the whole counts as one second, whichever
 * seconds of the clock it falls into, and a fifth of what is asked for is enough at one and a half times the rate.
 */
export function isShortBurst(spanUs: number, amount: number, perSecondMin: number): boolean {
  if (spanUs >= SHORT_SPAN_US_MAX || amount < perSecondMin / SHORT_COUNT_SHARE) return false
  if (amount >= perSecondMin) return true
  return (amount * 1e6) / Math.max(spanUs, SHORT_SPAN_US_MIN) >= SHORT_RATE_FACTOR * perSecondMin
}

/** SYNs a port from one source, up to which they look like a scan. */
const SCAN_FLOWS_A_PORT_MAX = 3
const SCAN_PORTS_MIN = 15

/** One source and hardly a port twice. */
export function isScanLike(asker: string, { window }: Arrivals): boolean {
  if (window.soleSource(asker) === null) return false
  const { flows, ports } = window.spread()
  return flows <= SCAN_FLOWS_A_PORT_MAX * ports && ports >= SCAN_PORTS_MIN
}

const MANY_SOURCES_MIN = 1000
const SOURCE_ROWS_MAX = 2

const FORGED_SOURCES = {
  lr: 0.7,
  group: 'scale',
  basis: 'expert',
  label: 'forged or very many sources',
  claim: '{m0} sources took part, {m1} flows in all',
  alt: 'an event that draws a crowd',
  next: 'Compare the sources with the usual clients of this server.',
} as const satisfies Weight

const ALIKE = {
  lr: 0.4,
  group: 'volume',
  basis: 'expert',
  label: 'packets all alike',
  claim: 'the packets carry {m0} in the mean and vary by {m1}',
  next: 'Look at the timeline of a flow for the marks of a tool.',
} as const satisfies Weight

const ALIKE_VARIATION_MAX = 0.2

const OWN_RATE = {
  lr: 0.7,
  group: 'novelty',
  basis: 'test',
  label: 'ten times what it usually gets',
  claim: '{m0} in one second; of the busiest seconds of its hours in the baseline ({m1}) ninety-nine in a hundred brought less than {m2}',
  alt: 'a new job or a new client of this server',
  next: 'Compare with the load of the server on other days.',
} as const satisfies Weight

/** Weights that all floods share; each puts them into its own table. */
export const FLOOD_WEIGHTS = { forged_sources: FORGED_SOURCES, alike: ALIKE, usual_rate: OWN_RATE } as const

/** Of floods that are told by their busiest second: this many times what is enough for one. */
const RATE_FACTOR = 3
export const FLOOD_RATE = {
  lr: 0.5,
  group: 'timing',
  basis: 'expert',
  label: 'rate of a flood',
  claim: 'the busiest second brought {m0}, where {m1} are enough',
  next: 'Read the load of the link at that time.',
} as const

export function rateDrafts(code: string, most: number, enough: number, sample: Draft['sample']): Draft[] {
  if (most < RATE_FACTOR * enough) return []
  return [draft(`${code}.rate`, FLOOD_RATE, { measured: [num(most, 'count'), num(enough, 'count')], sample })]
}

/** SCORER.md D5 and D6: ten times its own p99. */
const OWN_SHARE = 0.99
const OWN_FACTOR = 10

/** What the victim usually gets in the busiest second of an hour. */
export interface OwnRate {
  cell: ServedCell
  hours: number
  median: number
  p95: number
  p99: number
  /** From here on it is more than a busy day. */
  floodMin: number
}

/** null where the baseline has no day of this server, or it is no server of this site. */
export function ownRateOf(look: Look, { victim, isVictimInternal }: Arrivals, cell: ServedCell): OwnRate | null {
  if (!isVictimInternal || look.observed.receiver !== SERVER) return null
  const history = look.context.histories.served(victim)
  if (history?.isUsable !== true) return null
  const p99 = history.quantile(cell, OWN_SHARE)
  const [median, p95] = [0.5, 0.95].map((share) => history.quantile(cell, share))
  return { cell, hours: history.hours, median, p95, p99, floodMin: OWN_FACTOR * p99 }
}

/** Beyond its own rate, as evidence; or why nobody can say. */
export function ownRateDrafts(
  code: string,
  own: OwnRate | null,
  most: number,
  sample: Draft['sample'],
): { drafts: Draft[]; notEvaluated: { code: string; why: string }[] } {
  if (own === null) {
    return { drafts: [], notEvaluated: [{ code: `${code}.usual_rate`, why: `what this server usually gets: ${TOO_LITTLE_HISTORY}` }] }
  }
  if (most < own.floodMin) return { drafts: [], notEvaluated: [] }
  const [hours, median, p95, p99] = [own.hours, own.median, own.p95, own.p99].map(Math.round)
  const baseline = { scope: 'this host' as const, n: hours, median: num(median, 'count'), p95: num(p95, 'count') }
  const measured = [num(Math.round(most), 'count'), num(hours, 'count'), num(p99, 'count')]
  return { drafts: [{ ...draft(`${code}.usual_rate`, OWN_RATE, { measured, sample }), baseline }], notEvaluated: [] }
}

export function sharedDrafts(code: string, { window }: Arrivals, sample: Draft['sample']): Draft[] {
  const drafts: Draft[] = []
  const sources = window.sources.count()
  if (sources >= MANY_SOURCES_MIN && window.flows <= SOURCE_ROWS_MAX * sources) {
    drafts.push(draft(`${code}.forged_sources`, FORGED_SOURCES, { measured: [num(sources, 'count'), num(window.flows, 'count')], sample }))
  }
  const variation = window.sizeVariation()
  if (variation !== null && variation <= ALIKE_VARIATION_MAX && window.packets > 0) {
    const measured = [num(window.bytes / window.packets, 'B'), num(variation * 100, 'percent')]
    drafts.push(draft(`${code}.alike`, ALIKE, { measured, sample }))
  }
  return drafts
}

/** The last minute of the destination, so that the alert shows the flood beside what came before. */
export function ratePicture({ window, atUs }: Arrivals, cell: DestinationCell, what: string, threshold: number): PictureData {
  return { picture: 'rate', what, perSecond: window.lastMinute(atUs, cell).map((v) => Math.round(v)), threshold }
}
