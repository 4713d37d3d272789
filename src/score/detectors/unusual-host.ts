/**
 * unusual.host: an inside host does several things at once that it, and its network, do not normally do (SCORER.md section 4.7).
 *
 * In:  the client's window of five minutes with the services in it that had a flow rarer than one in a thousand.
 * Out: the only finding that the anomaly model makes by itself; never above 25 %, because rare is not bad.
 * Not: single flows; nothing before the baseline has watched for an hour.
 *
 * Two tests must agree: chance (Poisson) makes so many unusual services less often than the budget allows, and so few host-windows
 * here were ever as unusual.
 */

import type { OptionTable, OptionValues } from '../../base/option.ts'
import { ACTIVITY_SLOT_US } from '../../context/activity.ts'
import { CLIENT, SERVER } from '../../context/contact.ts'
import { num } from '../number.ts'
import type { HostAnomaly, HostWindow, UnusualService } from '../surprisal/host-windows.ts'
import type { Assessment, Detector, Draft, Finding, Look } from './detector.ts'
import { assessment, draft } from './detector.ts'

const OPTIONS = {
  services_min: {
    kind: 'integer',
    default: 3,
    min: 2,
    max: 100,
    unit: 'services',
    comment: 'Different services (server and port) of one host with a flow rarer than one in a thousand, within five minutes.',
  },
  alerts_per_day: {
    kind: 'number',
    default: 3,
    min: 0.01,
    max: 1000,
    unit: 'alerts',
    comment: 'About so many of these a day and sensor: how rare a host-window must be follows from it and the number of hosts.',
  },
} as const satisfies OptionTable

type Options = OptionValues<typeof OPTIONS>

const WEIGHTS = {
  unusual: {
    lr: 0.5,
    group: 'anomaly',
    basis: 'test',
    label: 'unusual services',
    claim:
      '{x0} used {m0} unusual services among {m1} within {m2}, where {m3} are to be expected; one in {m4} host-windows here is as unusual',
    alt: 'a new program, an update, a new user or a new task',
    next: 'Ask the owner of the host what was new on it at that time.',
  },
  new_pairs: {
    lr: 0.4,
    group: 'novelty',
    basis: 'expert',
    label: 'servers it never used',
    claim: '{m0} of these servers were new to this host',
    next: 'Look up who owns these servers.',
  },
  flow: {
    lr: 0,
    group: 'anomaly',
    basis: 'test',
    label: 'an unusual flow',
    claim: 'towards {x0} port {x1}: one in {m0} comparable flows is as unusual; most of all its {x2}, {m1}, seen once in {m2}',
    next: 'Look at this connection first.',
  },
} as const

const NEW_PAIRS_MIN = 2
const FLOWS_TOLD = 3
const WINDOWS_A_DAY = 86_400e6 / ACTIVITY_SLOT_US

export const UNUSUAL_HOST = {
  kind: 'unusual.host',
  code: 'ACS',
  title: 'This host did several things that it does not normally do',
  techniques: { fromInside: [], fromOutside: [], manyVictims: [] },
  inputs: 'flows rarer than one in a thousand comparable ones, by client and five minutes',
  windowUs: ACTIVITY_SLOT_US,
  entryTest: 'unusual services ≥ services_min, and as many by chance no oftener than alerts_per_day allow',
  options: OPTIONS,
  priorLog10: -1.2,
  cap: { limit: 0.25, why: 'what is rare is not therefore bad' },
  severityBase: 0,
  isBackgroundFromOutside: false,
  weights: WEIGHTS,
  opensFrom: 0.05,
  isAnomalyOnly: true,
  detect,
} as const satisfies Detector<typeof OPTIONS>

function detect(look: Look, options: Options): Finding | null {
  const { judged, hostWindow, surprisal } = look
  if (hostWindow === null || hostWindow.services.size < options.services_min) return null
  const anomaly = surprisal.hostWindows.anomalyOf(hostWindow)
  const share = shareAllowed(look, options)
  if (anomaly.share > share || anomaly.surprise < -Math.log10(share)) return null
  return {
    actor: judged.addr[CLIENT],
    victim: judged.addr[SERVER],
    keyPart: '',
    flowsInWindow: hostWindow.services.size,
    firstUs: hostWindow.startUs,
    victims: () => [...hostWindow.services.values()].map((service) => service.server),
    telling: 0,
    assess: () => assess(look, hostWindow, anomaly),
  }
}

/** q = b / (hosts · 288) */
function shareAllowed({ context }: Look, { alerts_per_day }: Options): number {
  return Math.min(1, alerts_per_day / (Math.max(1, context.census.hosts) * WINDOWS_A_DAY))
}

function assess({ judged, context }: Look, window: HostWindow, anomaly: HostAnomaly): Assessment {
  const services = [...window.services.values()].sort((a, b) => a.note.p - b.note.p)
  const sample = {
    n: services.length,
    fromUs: Math.min(...services.map(({ note }) => note.startUs)),
    toUs: Math.max(...services.map(({ note }) => note.lastUs)),
    flowIds: services.slice(0, 10).map(({ note }) => note.flowId),
  }
  const evidence: Draft[] = [
    draft('ACS.unusual', WEIGHTS.unusual, {
      measured: [
        num(anomaly.unusual, 'count'),
        num(anomaly.asked, 'count'),
        num(sample.toUs - sample.fromUs, 'us'),
        num(Number(anomaly.expected.toPrecision(2)), 'count'),
        num(Math.round(1 / anomaly.share), 'count'),
      ],
      names: [judged.addr[CLIENT]],
      sample,
      lr: 0.5 * Math.min(1, anomaly.surprise / 6) * services[0].note.weight,
    }),
  ]
  const newPairs = services.filter(({ server }) => isNewToday(context.histories.pair(judged.addr[CLIENT], server)))
  if (newPairs.length >= NEW_PAIRS_MIN)
    evidence.push(draft('ACS.new_pairs', WEIGHTS.new_pairs, { measured: [num(newPairs.length, 'count')], sample }))
  evidence.push(...services.slice(0, FLOWS_TOLD).flatMap(flowDraft))
  return assessment({ evidence, servicePort: null, scaleRatio: 0 })
}

function isNewToday(pair: { days: number } | undefined): boolean {
  return pair === undefined || pair.days <= 1
}

function flowDraft({ server, port, note }: UnusualService): Draft[] {
  const [top] = note.top
  if (top === undefined) return []
  const words = { ...WEIGHTS.flow, claim: `${WEIGHTS.flow.claim} ${top.among}` }
  const made = draft('ACS.flow', words, {
    measured: [num(Math.round(1 / note.p), 'count'), top.value, num(Math.round(top.oneIn.v), 'count')],
    names: [server, String(port), top.words],
    sample: { n: 1, fromUs: note.startUs, toUs: note.lastUs, flowIds: [note.flowId] },
  })
  return [{ ...made, baseline: { scope: top.scope, n: top.votes, median: top.median, p95: top.p95 } }]
}
