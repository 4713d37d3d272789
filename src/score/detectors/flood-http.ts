/**
 * D6 flood.http: completed connections to a web server at a rate that people do not make, all asking alike.
 *
 * In:  completed connections by destination and second; how much their requests differ; how many clients.
 * Not: flash crowds (their requests differ, each client makes few), page loads (tens of connections), load balancers' checks (few a second);
 *      a server that gets as many every day: with a day of it in the baseline, ten times its busiest usual seconds are asked for.
 *
 * Half the rate is enough for one client that keeps it up. A proxy that many people share is as busy, but asks for this and that; a program
 * of the site's own that opens a connection for each request is as uniform, and told from a flood only by its being usual.
 */

import type { OptionTable, OptionValues } from '../../base/option.ts'
import { SERVER } from '../../context/contact.ts'
import { TCP } from '../../flow/flow.ts'
import { num } from '../number.ts'
import type { Assessment, Detector, Draft, Finding, Look } from './detector.ts'
import { assessment, draft } from './detector.ts'
import type { Arrivals } from './flood-arrivals.ts'
import { arrivalsOf, FLOOD_WEIGHTS, floodFinding, ownRateDrafts, ownRateOf, ratePicture, sampleOf } from './flood-arrivals.ts'

const OPTIONS = {
  connections_per_s_min: {
    kind: 'number',
    default: 200,
    min: 10,
    max: 1e6,
    unit: '1/s',
    comment: 'Completed connections to one web server begun in one second, over seconds_min seconds (FastNetMon: 3500 flows of a host).',
  },
  seconds_min: {
    kind: 'integer',
    default: 5,
    min: 1,
    max: 10,
    unit: 's',
    comment: 'So many of ten seconds must reach connections_per_s_min.',
  },
  lasting_connections_per_s_min: {
    kind: 'number',
    default: 100,
    min: 10,
    max: 1e6,
    unit: '1/s',
    comment:
      'Or so many of one client, all alike, in each of lasting_seconds_min seconds: from outside, or ten times what is usual for the server.',
  },
  lasting_seconds_min: { kind: 'integer', default: 20, min: 10, max: 60, unit: 's', comment: 'Seconds of the last minute that it takes.' },
  burst_connections_min: { kind: 'number', default: 500, min: 50, max: 1e7, unit: '1/s', comment: 'Or so many in one second.' },
  per_client_min: {
    kind: 'number',
    default: 20,
    min: 2,
    max: 1e6,
    unit: '',
    comment: 'Connections a client in the mean: a crowd makes few each.',
  },
} as const satisfies OptionTable

type Options = OptionValues<typeof OPTIONS>

const WEIGHTS = {
  rate: {
    lr: 1.3,
    group: 'pattern',
    basis: 'expert',
    label: 'connections at a rate',
    claim: '{x0} got {m0} completed connections within ten seconds, {m1} of them in the busiest one, from {m2} clients',
    alt: 'a load test, a crawler, a proxy that many people share',
    next: "Read the web server's access log of that time: one page asked for over and over shows a flood.",
  },
  lasting: {
    lr: 1.1,
    group: 'pattern',
    basis: 'expert',
    label: 'one client without a pause',
    claim: '{x0} got {m0} completed connections of one client within ten seconds, and as many a second in {m1} of the last sixty',
    alt: 'a load test, or a program that opens a connection for each of its requests',
    next: "Read the web server's access log of that time: one page asked for over and over shows a flood.",
  },
  alike: {
    lr: 0.6,
    group: 'volume',
    basis: 'expert',
    label: 'requests all alike',
    claim: 'requests carried {m0} in the mean and vary by {m1}',
    next: 'Compare user agents and addresses asked for.',
  },
  per_client: {
    lr: 0.4,
    group: 'scale',
    basis: 'expert',
    label: 'many a client',
    claim: 'each client made {m0} connections in the mean',
    next: 'Limit the connections of one client.',
  },
  usual_rate: FLOOD_WEIGHTS.usual_rate,
} as const

const TEN_S = 10
const WEB_PORTS: ReadonlySet<number> = new Set([80, 443, 3000, 5000, 8000, 8008, 8080, 8081, 8443, 8888, 9000])
const ALIKE_VARIATION_MAX = 0.05

export const FLOOD_HTTP = {
  kind: 'flood.http',
  code: 'D6H',
  title: 'Flood of web requests',
  techniques: { fromInside: ['T1499.002'], fromOutside: ['T1499.002'], manyVictims: [] },
  inputs: 'completed connections by destination and second, requests by client',
  windowUs: 60e6,
  entryTest:
    'connections_per_s_min in seconds_min of ten seconds, or burst_connections_min in one, with a baseline also ≥ 10 × own p99, and per_client_min; or lasting_connections_per_s_min of one client',
  options: OPTIONS,
  priorLog10: -1.5,
  cap: { limit: 0.95, why: 'the requests were not read' },
  severityBase: 2,
  isBackgroundFromOutside: false,
  weights: WEIGHTS,
  detect,
} as const satisfies Detector<typeof OPTIONS>

function detect(look: Look, options: Options): Finding | null {
  const { judged, observed } = look
  if (judged.proto !== TCP || observed.receiver !== SERVER || !judged.hasCompleted || !WEB_PORTS.has(judged.port[SERVER])) return null
  const found = arrivalsOf(look)
  if (found === null) return null
  const arrivals = { ...found, atUs: judged.startUs }
  const { window, atUs } = arrivals
  const rate = window.peak(atUs, 'completed', options.connections_per_s_min)
  const isFast = rate.most >= options.burst_connections_min || rate.seconds >= options.seconds_min
  if (isFast ? !isBeyondUsual(look, arrivals, rate.most) : !isLasting(look, arrivals, options)) return null
  if (perClient(arrivals) < options.per_client_min) return null
  return floodFinding('D6H', look, arrivals, ` ${judged.port[SERVER]}`, () => assess(look, arrivals, isFast, options))
}

function isBeyondUsual(look: Look, arrivals: Arrivals, most: number): boolean {
  return most >= (ownRateOf(look, arrivals, 'completed')?.floodMin ?? 0)
}

function isLasting(look: Look, arrivals: Arrivals, options: Options): boolean {
  const { window, atUs } = arrivals
  const { most, seconds } = window.peak(atUs, 'completed', options.lasting_connections_per_s_min)
  // The second at hand is not over.
  if (seconds < TEN_S - 1 || (window.requestVariation() ?? 1) > ALIKE_VARIATION_MAX || window.soleSource('D6H') === null) return false
  const own = ownRateOf(look, arrivals, 'completed')
  if (own === null ? look.judged.direction !== 'in' : most < own.floodMin) return false
  return lastingSeconds(arrivals, options) >= options.lasting_seconds_min
}

function lastingSeconds({ window, atUs }: Arrivals, options: Options): number {
  return window.lastMinute(atUs, 'completed').filter((count) => count >= options.lasting_connections_per_s_min).length
}

/** From rows alone: counters name a few of the clients only. */
function perClient({ window, atUs }: Arrivals): number {
  return window.rowsInTenSeconds(atUs, 'completed') / Math.max(1, window.sources.count())
}

function assess(look: Look, arrivals: Arrivals, isFast: boolean, options: Options): Assessment {
  const { judged } = look
  const { window, atUs, victim } = arrivals
  const sample = sampleOf(arrivals, judged.flowId)
  const completed = window.inTenSeconds(atUs, 'completed')
  const { most } = window.peak(atUs, 'completed', options.connections_per_s_min)
  const clients = window.sources.count()
  const evidence: Draft[] = [
    isFast
      ? draft('D6H.rate', WEIGHTS.rate, {
          measured: [num(completed, 'count'), num(most, 'count'), num(clients, 'count')],
          names: [victim],
          sample,
        })
      : draft('D6H.lasting', WEIGHTS.lasting, {
          measured: [num(completed, 'count'), num(lastingSeconds(arrivals, options), 'count')],
          names: [victim],
          sample,
        }),
    draft('D6H.per_client', WEIGHTS.per_client, { measured: [num(Math.round(perClient(arrivals)), 'count')], sample }),
  ]
  const variation = window.requestVariation()
  if (variation !== null && variation <= ALIKE_VARIATION_MAX) {
    const measured = [num(window.meanRequestBytes, 'B'), num(variation * 100, 'percent')]
    evidence.push(draft('D6H.alike', WEIGHTS.alike, { measured, sample }))
  }
  const usual = ownRateDrafts('D6H', ownRateOf(look, arrivals, 'completed'), most, sample)
  evidence.push(...usual.drafts)
  const begun = completed + window.inTenSeconds(atUs, 'halfOpen')
  return assessment({
    evidence,
    servicePort: judged.port[SERVER],
    scaleRatio: most / options.connections_per_s_min,
    facts: { crowd: { completed, begun, variation, clients } },
    pictures: [ratePicture(arrivals, 'completed', 'completed connections', options.connections_per_s_min)],
    notEvaluated: usual.notEvaluated,
  })
}
