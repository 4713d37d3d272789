/**
 * D5 flood.syn: connections are begun at a rate that no server completes.
 *
 * In:  half-open and completed connections by destination, second by second of their start. One that the client itself resets counts
 *      as half open: the system of a host that sends bare SYNs answers the server's SYN-ACK so.
 * Not: refused ones (a scan of closed ports, a server that is down); one source that tries each port once, which is a scan (D2),
 *      unless it is as fast as a flood; a server that gets as many every day: with a day of it in the baseline, ten times its busiest
 *      usual seconds are asked for, unless very many sources take part.
 */

import type { OptionTable, OptionValues } from '../../base/option.ts'
import { SERVER } from '../../context/contact.ts'
import { TCP } from '../../flow/flow.ts'
import { num } from '../number.ts'
import type { Assessment, Detector, Draft, Finding, Look } from './detector.ts'
import { assessment, draft } from './detector.ts'
import type { Arrivals } from './flood-arrivals.ts'
import {
  arrivalsOf,
  FLOOD_RATE,
  FLOOD_WEIGHTS,
  floodFinding,
  isScanLike,
  isShortBurst,
  ownRateDrafts,
  ownRateOf,
  rateDrafts,
  ratePicture,
  sampleOf,
  sharedDrafts,
} from './flood-arrivals.ts'

const OPTIONS = {
  half_open_per_s_min: {
    kind: 'number',
    default: 100,
    min: 5,
    max: 1e6,
    unit: '1/s',
    comment: 'Connections to one server begun in one second and never completed, over seconds_min seconds.',
  },
  seconds_min: {
    kind: 'integer',
    default: 3,
    min: 1,
    max: 10,
    unit: 's',
    comment: 'So many of ten seconds must reach half_open_per_s_min.',
  },
  burst_half_open_min: {
    kind: 'number',
    default: 1000,
    min: 50,
    max: 1e7,
    unit: '1/s',
    comment: 'Or so many in one second; a fifth of them at one and a half times the rate in less.',
  },
  sources_min: {
    kind: 'integer',
    default: 500,
    min: 50,
    max: 1_000_000,
    unit: 'sources',
    comment: 'Or connections begun by so many sources within ten to twenty seconds, at few_half_open_per_s_min at least.',
  },
  few_half_open_per_s_min: {
    kind: 'number',
    default: 40,
    min: 5,
    max: 1e6,
    unit: '1/s',
    comment: 'Half-open connections in each of seconds_min seconds that sources_min asks for: forged sources need no great rate.',
  },
  one_source_burst_min: {
    kind: 'number',
    default: 5000,
    min: 50,
    max: 1e7,
    unit: '1/s',
    comment: 'Half-open connections in one second from which one source that tries each port once is a flood as well as a scan.',
  },
  completed_share_max: {
    kind: 'number',
    default: 0.1,
    min: 0,
    max: 1,
    unit: 'ratio',
    comment: 'Share of the connections that were completed, at most.',
  },
} as const satisfies OptionTable

type Options = OptionValues<typeof OPTIONS>

const WEIGHTS = {
  half_open: {
    lr: 1.5,
    group: 'pattern',
    basis: 'expert',
    label: 'half-open connections',
    claim: '{m0} connections to {x0} were begun within {m1} and left half open, or reset by who began them; {m2} were completed',
    alt: 'a server that stopped answering under ordinary load, or packets that the sensor lost',
    next: 'Check whether the server still answers others, and whether SYN cookies are on.',
  },
  rate: FLOOD_RATE,
  ...FLOOD_WEIGHTS,
} as const

export const FLOOD_SYN = {
  kind: 'flood.syn',
  code: 'D5',
  title: 'Flood of half-open connections',
  techniques: { fromInside: ['T1499.001', 'T1498.001'], fromOutside: ['T1499.001', 'T1498.001'], manyVictims: [] },
  inputs: 'half-open, refused and completed connections by destination and second',
  windowUs: 60e6,
  entryTest:
    'completed share ≤ completed_share_max and (half_open_per_s_min in seconds_min of ten seconds, or burst_half_open_min in one, with a baseline also ≥ 10 × own p99; or few_half_open_per_s_min from sources_min)',
  options: OPTIONS,
  priorLog10: -1,
  cap: { limit: 0.99, why: 'headers alone never make a flood certain' },
  severityBase: 2,
  isBackgroundFromOutside: false,
  readsOpenFlows: true,
  weights: WEIGHTS,
  detect,
} as const satisfies Detector<typeof OPTIONS>

function detect(look: Look, options: Options): Finding | null {
  const { judged, observed } = look
  if (judged.proto !== TCP || observed.receiver !== SERVER || !judged.hasSyn) return null
  const arrivals = arrivalsOf(look)
  if (arrivals === null) return null
  const { window } = arrivals
  const atUs = observed.countedAtUs ?? judged.startUs
  const rate = window.peak(atUs, 'halfOpen', options.half_open_per_s_min)
  const halfOpen = window.inTenSeconds(atUs, 'halfOpen')
  const isBurst =
    rate.most >= options.burst_half_open_min || isShortBurst(window.lastUs - window.firstUs, halfOpen, options.burst_half_open_min)
  if (!isWide(window, atUs, options)) {
    if (!isBurst && rate.seconds < options.seconds_min) return null
    const own = ownRateOf(look, arrivals, 'halfOpen')
    if (own !== null && Math.max(rate.most, isBurst ? halfOpen : 0) < own.floodMin) return null
  }
  const completed = window.inTenSeconds(atUs, 'completed')
  if (completed > options.completed_share_max * (halfOpen + completed)) return null
  if (rate.most < options.one_source_burst_min && isScanLike('D5', arrivals)) return null
  return floodFinding('D5', look, { ...arrivals, atUs }, '', () => assess(look, { ...arrivals, atUs }, options))
}

function isWide(window: Arrivals['window'], atUs: number, options: Options): boolean {
  if (window.sources.count() < options.sources_min) return false
  return window.peak(atUs, 'halfOpen', options.few_half_open_per_s_min).seconds >= options.seconds_min
}

function assess(look: Look, arrivals: Arrivals, options: Options): Assessment {
  const { window, atUs, victim } = arrivals
  const sample = sampleOf(arrivals, look.judged.flowId)
  const halfOpen = window.inTenSeconds(atUs, 'halfOpen')
  const completed = window.inTenSeconds(atUs, 'completed')
  const { most } = window.peak(atUs, 'halfOpen', options.half_open_per_s_min)
  const spanUs = Math.min(10e6, Math.max(1, window.lastUs - window.firstUs))
  const evidence: Draft[] = [
    draft('D5.half_open', WEIGHTS.half_open, {
      measured: [num(halfOpen, 'count'), num(spanUs, 'us'), num(completed, 'count')],
      names: [victim],
      sample,
    }),
  ]
  evidence.push(...rateDrafts('D5', most, options.half_open_per_s_min, sample))
  evidence.push(...sharedDrafts('D5', arrivals, sample).filter((item) => item.code !== 'D5.alike'))
  const usual = ownRateDrafts('D5', ownRateOf(look, arrivals, 'halfOpen'), most, sample)
  evidence.push(...usual.drafts)
  return assessment({
    evidence,
    servicePort: window.hasOnePort() ? look.judged.port[SERVER] : null,
    scaleRatio: most / options.half_open_per_s_min,
    facts: { crowd: { completed, begun: halfOpen + completed, variation: window.sizeVariation(), clients: window.sources.count() } },
    pictures: [ratePicture(arrivals, 'halfOpen', 'connections left half open', options.half_open_per_s_min)],
    notEvaluated: usual.notEvaluated,
  })
}
