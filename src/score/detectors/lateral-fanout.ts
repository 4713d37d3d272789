/**
 * D15 lateral.fanout: one inside host opens administration sessions with many others.
 *
 * In:  inside servers that answered a host on remote administration ports, last one to two hours.
 * Not: attempts that fail (D1). With a day of the host in the baseline it must go beyond its own habit and its peers', with new servers.
 */

import type { OptionTable, OptionValues } from '../../base/option.ts'
import { CLIENT, SERVER } from '../../context/contact.ts'
import type { DistinctWindow } from '../../context/distinct-window.ts'
import type { PictureData } from '../evidence.ts'
import { num } from '../number.ts'
import type { Assessment, Detector, Draft, Finding, Look } from './detector.ts'
import { assessment, draft, NO_BASELINE, TOO_LITTLE_HISTORY } from './detector.ts'
import { historyOf } from './history.ts'

const OPTIONS = {
  servers_min: {
    kind: 'integer',
    default: 5,
    min: 2,
    max: 10_000,
    unit: 'servers',
    comment: 'Inside servers with administration sessions from one host.',
  },
} as const satisfies OptionTable

type Options = OptionValues<typeof OPTIONS>

const WEIGHTS = {
  fanout: {
    lr: 0.8,
    group: 'pattern',
    basis: 'expert',
    label: 'sessions with many hosts',
    claim: '{x0} had administration sessions with {m0} inside hosts within {m1}',
    alt: 'an administrator, a management server, a backup or a file server',
    next: 'Ask whether this host administers others; if so, declare it as such.',
  },
  services: {
    lr: 0.5,
    group: 'target',
    basis: 'expert',
    label: 'several services',
    claim: 'over {m0} different administration ports',
    next: 'Look which accounts were used.',
  },
  beyond_habit: {
    lr: 0.7,
    group: 'novelty',
    basis: 'test',
    label: 'more than its habit',
    claim:
      'in its hours in the baseline ({m0}) it reached at most about {m1}, and the busiest of its peers about {m2}; {m3} of these hosts are new to it',
    alt: 'a new task',
    next: 'Ask who gave the host this task.',
  },
  scale: {
    lr: 0.5,
    group: 'scale',
    basis: 'expert',
    label: 'very many hosts',
    claim: '{m0} hosts, where {m1} are enough to notice',
    next: 'Read the login logs of some of them.',
  },
} as const

const RARE_SHARE = 0.99
const OWN_MARGIN = 3
const NEW_PAIRS_MIN = 3
/** Peers' habits are one with so many host-hours of administration. */
const PEER_HOURS_MIN = 24
const SERVICES_MIN = 3
const SCALE_FACTOR = 4

export const LATERAL_FANOUT = {
  kind: 'lateral.fanout',
  code: 'D15',
  title: 'Administration sessions with many hosts',
  techniques: { fromInside: ['T1021.001', 'T1021.002', 'T1021.004'], fromOutside: ['T1021.001'], manyVictims: ['T1570'] },
  inputs: 'answered sessions on remote administration ports by inside client',
  windowUs: 3600e6,
  entryTest: 'distinct inside servers ≥ servers_min; with a baseline also ≥ own p99 + 3 and ≥ peers’ p99, three of them new',
  options: OPTIONS,
  priorLog10: -2,
  cap: { limit: 0.95, why: 'headers alone cannot show what was done there' },
  severityBase: 2,
  isBackgroundFromOutside: false,
  weights: WEIGHTS,
  detect,
} as const satisfies Detector<typeof OPTIONS>

function detect(look: Look, options: Options): Finding | null {
  const { judged, observed } = look
  const { adminTargets } = observed
  if (adminTargets === null || adminTargets.count() < options.servers_min) return null
  const { servers } = split(adminTargets)
  if (servers.length < options.servers_min) return null
  const habit = habitOf(look, servers)
  if (habit !== null && (servers.length < habit.limit || habit.newServers < NEW_PAIRS_MIN)) return null
  return {
    actor: judged.addr[CLIENT],
    victim: judged.addr[SERVER],
    keyPart: '',
    flowsInWindow: adminTargets.count(),
    firstUs: adminTargets.firstUs(),
    victims: () => servers,
    telling: 0,
    assess: () => assess(look, adminTargets, habit, options),
  }
}

interface Habit {
  hours: number
  own: number
  peers: number
  /** From how many servers on it goes beyond both. */
  limit: number
  newServers: number
}

/** null while the baseline has no day of the host. */
function habitOf(look: Look, servers: readonly string[]): Habit | null {
  const history = historyOf(look)
  if (history === null) return null
  const { histories } = look.context
  const client = look.judged.addr[CLIENT]
  const own = Math.round(history.adminQuantile(RARE_SHARE))
  const peers = histories.peers.hours < PEER_HOURS_MIN ? 0 : Math.round(histories.peers.quantile(RARE_SHARE))
  const today = Math.floor(histories.hour / 24)
  const newServers = servers.filter((server) => (histories.pair(client, server)?.firstDay ?? today) >= today).length
  return { hours: Math.round(history.hours), own, peers, limit: Math.max(own + OWN_MARGIN, peers), newServers }
}

function split(targets: DistinctWindow<string>): { servers: string[]; ports: number[] } {
  const pairs = targets.keys().map((key) => key.split(' '))
  return {
    servers: [...new Set(pairs.map(([, server]) => server))],
    ports: [...new Set(pairs.map(([port]) => Number(port)))].sort((a, b) => a - b),
  }
}

function assess({ judged }: Look, targets: DistinctWindow<string>, habit: Habit | null, options: Options): Assessment {
  const { servers, ports } = split(targets)
  const sample = { n: targets.count(), fromUs: targets.firstUs(), toUs: targets.lastUs(), flowIds: [judged.flowId] }
  const names = [judged.addr[CLIENT]]
  const evidence: Draft[] = [
    draft('D15.fanout', WEIGHTS.fanout, { measured: [num(servers.length, 'count'), num(targets.spanUs(), 'us')], names, sample }),
  ]
  if (ports.length >= SERVICES_MIN)
    evidence.push(draft('D15.services', WEIGHTS.services, { measured: [num(ports.length, 'count')], sample }))
  if (servers.length >= SCALE_FACTOR * options.servers_min) {
    evidence.push(
      draft('D15.scale', WEIGHTS.scale, { measured: [num(servers.length, 'count'), num(options.servers_min, 'count')], sample }),
    )
  }
  if (habit !== null) {
    const measured = [habit.hours, habit.own, habit.peers, habit.newServers].map((value) => num(value, 'count'))
    evidence.push(draft('D15.beyond_habit', WEIGHTS.beyond_habit, { measured, sample }))
  }
  return assessment({
    evidence,
    servicePort: ports.length === 1 ? ports[0] : null,
    scaleRatio: servers.length / options.servers_min,
    notEvaluated: habit === null ? [{ code: 'D15.habit', why: `whether this host does so every day: ${TOO_LITTLE_HISTORY}` }] : [],
    caps: habit === null ? [NO_BASELINE] : [],
    pictures: [grid(targets, servers, ports)],
  })
}

function grid(targets: DistinctWindow<string>, servers: readonly string[], ports: readonly number[]): PictureData {
  const cells = targets.keys().map((key) => {
    const [port, server] = key.split(' ')
    return { target: servers.indexOf(server), port: ports.indexOf(Number(port)), outcome: 'answered' as const }
  })
  return { picture: 'grid', targets: [...servers], ports: [...ports], cells, omitted: Math.max(0, targets.count() - cells.length) }
}
