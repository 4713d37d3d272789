/**
 * D13 slow.http: one client holds many connections of a server open and sends next to nothing on each.
 *
 * In:  slow connections of a client with a service: lasted ten seconds or more, at most 50 octets a second out, 2 kB in; rows so far of
 *      open ones, too. Not: services where idle connections wait by design (mail, databases, push); a few of them (websockets).
 */

import type { OptionTable, OptionValues } from '../../base/option.ts'
import { CLIENT, SERVER } from '../../context/contact.ts'
import type { SlowConnection, SlowConnections } from '../../context/slow-connections.ts'
import type { PictureData } from '../evidence.ts'
import { num } from '../number.ts'
import { IDLE_BY_DESIGN_PORTS } from '../ports.ts'
import { medianOf } from '../regularity.ts'
import type { Assessment, Detector, Draft, Finding, Look } from './detector.ts'
import { assessment, draft } from './detector.ts'

const OPTIONS = {
  connections_min: {
    kind: 'integer',
    default: 50,
    min: 10,
    max: 1000,
    unit: 'connections',
    comment: 'Slow connections of one client with one service, open at one time. A browser keeps six; servers allow 150 to 1024.',
  },
  lasting_min_s: { kind: 'number', default: 10, min: 10, max: 600, unit: 's', comment: 'How long each must have lasted.' },
  alike_variation_max: {
    kind: 'number',
    default: 0.5,
    min: 0,
    max: 5,
    unit: 'ratio',
    comment: 'Standard deviation over mean of what the client sent on each: above it the connections differ too much to be one tool.',
  },
} as const satisfies OptionTable

type Options = OptionValues<typeof OPTIONS>

const WEIGHTS = {
  held_open: {
    lr: 1.5,
    group: 'pattern',
    basis: 'expert',
    label: 'connections held open',
    claim: '{x0} held {m0} connections with {x1} open at one time; each lasted {m1} and carried {m2} out in the middle',
    alt: 'a proxy or a gateway that many people share, or a program that leaks connections',
    next: "Read the web server's status page or log: requests that never end show it.",
  },
  lasting: {
    lr: 0.5,
    group: 'timing',
    basis: 'expert',
    label: 'held for long',
    claim: '{m0} of them lasted a minute or longer',
    next: 'Set a limit on the time a request may take to arrive.',
  },
  trickle: {
    lr: 0.5,
    group: 'volume',
    basis: 'expert',
    label: 'a trickle on each',
    claim: 'the client sent {m0} packets on each in the middle, and these connections hardly differ',
    next: 'Look at the timeline of one of them: a few octets every some seconds keep it open.',
  },
  many: {
    lr: 0.5,
    group: 'scale',
    basis: 'expert',
    label: 'very many connections',
    claim: '{m0} connections at one time, where {m1} are enough',
    next: 'Limit the connections of one client.',
  },
} as const

const MINUTE_US = 60e6
const MANY_FACTOR = 4

export const SLOW_HTTP = {
  kind: 'slow.http',
  code: 'D13',
  title: 'Connections held open',
  techniques: { fromInside: ['T1499.002'], fromOutside: ['T1499.002'], manyVictims: [] },
  inputs: 'slow connections by client and service, by flow id',
  windowUs: 10 * 60e6,
  entryTest: 'open together ≥ connections_min that lasted ≥ lasting_min_s, variation ≤ alike_variation_max',
  options: OPTIONS,
  priorLog10: -1.5,
  cap: { limit: 0.95, why: 'the requests were not read' },
  severityBase: 2,
  isBackgroundFromOutside: false,
  readsOpenFlows: true,
  weights: WEIGHTS,
  detect,
} as const satisfies Detector<typeof OPTIONS>

function detect(look: Look, options: Options): Finding | null {
  const { judged, observed } = look
  const { slow } = observed
  if (slow === null || slow.size < options.connections_min || IDLE_BY_DESIGN_PORTS.has(judged.port[SERVER])) return null
  const open = slow.openTogether(options.lasting_min_s * 1e6)
  if (open.length < options.connections_min || variationOf(open.map((c) => c.clientBytes)) > options.alike_variation_max) return null
  return {
    actor: judged.addr[CLIENT],
    victim: judged.addr[SERVER],
    keyPart: `${judged.addr[SERVER]} ${judged.port[SERVER]}`,
    flowsInWindow: open.length,
    flowsSoFar: slow.size + slow.beyondCount,
    firstUs: Math.min(...open.map((c) => c.startUs)),
    victims: () => [judged.addr[SERVER]],
    telling: 0,
    assess: () => assess(look, open, slow, options),
  }
}

function variationOf(values: readonly number[]): number {
  const mean = values.reduce((sum, v) => sum + v, 0) / values.length
  const variance = values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / values.length
  return mean === 0 ? 0 : Math.sqrt(variance) / mean
}

function assess({ judged }: Look, open: readonly SlowConnection[], slow: SlowConnections, options: Options): Assessment {
  const lasting = open.filter((c) => c.lastUs - c.startUs >= MINUTE_US).length
  const sample = {
    n: open.length + slow.beyondCount,
    fromUs: Math.min(...open.map((c) => c.startUs)),
    toUs: Math.max(...open.map((c) => c.lastUs)),
    flowIds: open.slice(0, 10).map((c) => c.flowId),
  }
  const [durationUs, bytes, packets] = [
    medianOf(open.map((c) => c.lastUs - c.startUs)),
    medianOf(open.map((c) => c.clientBytes)),
    medianOf(open.map((c) => c.clientPackets)),
  ]
  const evidence: Draft[] = [
    draft('D13.held_open', WEIGHTS.held_open, {
      measured: [num(open.length, 'count'), num(durationUs, 'us'), num(bytes, 'B')],
      names: [...judged.addr],
      sample,
    }),
    draft('D13.trickle', WEIGHTS.trickle, { measured: [num(packets, 'count')], sample }),
  ]
  if (lasting >= options.connections_min)
    evidence.push(draft('D13.lasting', WEIGHTS.lasting, { measured: [num(lasting, 'count')], sample }))
  if (open.length >= MANY_FACTOR * options.connections_min) {
    evidence.push(draft('D13.many', WEIGHTS.many, { measured: [num(open.length, 'count'), num(options.connections_min, 'count')], sample }))
  }
  return assessment({
    evidence,
    servicePort: judged.port[SERVER],
    scaleRatio: open.length / options.connections_min,
    notEvaluated: [
      { code: 'D13.impact', why: 'whether other clients were still served: their share of completed connections is not kept' },
    ],
    pictures: [
      { picture: 'concurrent', points: slow.openOverTime(options.lasting_min_s * 1e6, POINTS_MAX), threshold: options.connections_min },
      picture(open),
    ],
  })
}

const SHOWN_MAX = 200
const POINTS_MAX = 120

function picture(open: readonly SlowConnection[]): PictureData {
  const sessions = open
    .slice(0, SHOWN_MAX)
    .map((c) => ({ atUs: c.startUs, bytes: c.clientBytes + c.serverBytes, durationUs: c.lastUs - c.startUs, odd: false }))
  return { picture: 'sessions', sessions, omitted: open.length - sessions.length }
}
