/**
 * D5 flood.tcp: segments of no connection (ACK, RST, FIN, none or all flags) at a rate that no scan and no restart has.
 *
 * In:  stray segments by destination and second: no SYN either way, one or two of a kind, no answer but a reset.
 * Not: SYNs (flood.syn); one source that tries each port once (D2); the resets that clients of a restarted server draw, which end
 *      within a second or two; traffic of which only one direction is seen (orientation calls none of it stray).
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
  rateDrafts,
  ratePicture,
  sampleOf,
  sharedDrafts,
} from './flood-arrivals.ts'

const OPTIONS = {
  stray_per_s_min: {
    kind: 'number',
    default: 300,
    min: 5,
    max: 1e6,
    unit: '1/s',
    comment: 'Stray segments to one destination in one second, over seconds_min seconds.',
  },
  seconds_min: { kind: 'integer', default: 3, min: 1, max: 10, unit: 's', comment: 'So many of ten seconds must reach stray_per_s_min.' },
  burst_stray_min: {
    kind: 'number',
    default: 2000,
    min: 50,
    max: 1e7,
    unit: '1/s',
    comment: 'Or so many in one second; a quarter from one source; a fifth at one and a half times the rate in less than a second.',
  },
} as const satisfies OptionTable

type Options = OptionValues<typeof OPTIONS>

const WEIGHTS = {
  stray: {
    lr: 1.5,
    group: 'pattern',
    basis: 'expert',
    label: 'segments of no connection',
    claim: '{x0} got {m0} TCP segments within {m1} that belong to no connection, and answered with nothing but resets',
    alt: 'a server or firewall that lost its table of connections, or a mirror that shows one direction only',
    next: 'Check whether the destination or a firewall in front of it was restarted at that time.',
  },
  rate: FLOOD_RATE,
  ...FLOOD_WEIGHTS,
} as const

const ONE_SOURCE_SHARE = 4

export const FLOOD_TCP = {
  kind: 'flood.tcp',
  code: 'D5T',
  title: 'Flood of stray TCP segments',
  techniques: { fromInside: ['T1499.001', 'T1498.001'], fromOutside: ['T1499.001', 'T1498.001'], manyVictims: [] },
  inputs: 'TCP segments of no connection by destination and second',
  windowUs: 60e6,
  entryTest: 'stray_per_s_min in seconds_min of ten seconds, or burst_stray_min in one',
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
  if (judged.proto !== TCP || !judged.isStray || observed.receiver !== SERVER) return null
  const found = arrivalsOf(look)
  if (found === null) return null
  const arrivals = { ...found, atUs: judged.startUs }
  const { window, atUs } = arrivals
  const rate = window.peak(atUs, 'stray', options.stray_per_s_min)
  // Where a capture begins, the last segments of many busy connections look stray; those of one client alone are few.
  const burstMin = window.soleSource('D5T') === null ? options.burst_stray_min : options.burst_stray_min / ONE_SOURCE_SHARE
  const isBurst = rate.most >= burstMin || isShortBurst(window.lastUs - window.firstUs, window.inTenSeconds(atUs, 'stray'), burstMin)
  if (!isBurst && rate.seconds < options.seconds_min) return null
  if (isScanLike('D5T', arrivals)) return null
  return floodFinding('D5T', look, arrivals, '', () => assess(look, arrivals, options))
}

function assess(look: Look, arrivals: Arrivals, options: Options): Assessment {
  const { window, atUs, victim } = arrivals
  const sample = sampleOf(arrivals, look.judged.flowId)
  const stray = window.inTenSeconds(atUs, 'stray')
  const { most } = window.peak(atUs, 'stray', options.stray_per_s_min)
  const spanUs = Math.min(10e6, Math.max(1, window.lastUs - window.firstUs))
  const evidence: Draft[] = [
    draft('D5T.stray', WEIGHTS.stray, { measured: [num(stray, 'count'), num(spanUs, 'us')], names: [victim], sample }),
  ]
  evidence.push(...rateDrafts('D5T', most, options.stray_per_s_min, sample))
  evidence.push(...sharedDrafts('D5T', arrivals, sample))
  return assessment({
    evidence,
    servicePort: window.hasOnePort() ? look.judged.port[SERVER] : null,
    scaleRatio: most / options.stray_per_s_min,
    pictures: [ratePicture(arrivals, 'stray', 'segments of no connection', options.stray_per_s_min)],
    notEvaluated: [
      { code: 'D5T.usual_rate', why: 'how many segments of no connection this destination usually gets: no baseline is kept yet' },
    ],
  })
}
