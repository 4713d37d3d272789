/**
 * D15 lateral.fanout: one inside host opens administration sessions with many others.
 *
 * In:  inside servers that answered a host on remote administration ports, last one to two hours.
 * Not: attempts that fail (D1), the host's own and its peers' habits (no baseline is kept yet).
 */

import type { OptionTable, OptionValues } from '../../base/option.ts'
import { CLIENT, SERVER } from '../../context/contact.ts'
import type { DistinctWindow } from '../../context/distinct-window.ts'
import type { PictureData } from '../evidence.ts'
import { num } from '../number.ts'
import type { Assessment, Detector, Draft, Finding, Look } from './detector.ts'
import { assessment, draft, NO_BASELINE } from './detector.ts'

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
  scale: {
    lr: 0.5,
    group: 'scale',
    basis: 'expert',
    label: 'very many hosts',
    claim: '{m0} hosts, where {m1} are enough to notice',
    next: 'Read the login logs of some of them.',
  },
} as const

const SERVICES_MIN = 3
const SCALE_FACTOR = 4

export const LATERAL_FANOUT = {
  kind: 'lateral.fanout',
  code: 'D15',
  title: 'Administration sessions with many hosts',
  techniques: { fromInside: ['T1021.001', 'T1021.002', 'T1021.004'], fromOutside: ['T1021.001'], manyVictims: ['T1570'] },
  inputs: 'answered sessions on remote administration ports by inside client',
  windowUs: 3600e6,
  entryTest: 'distinct inside servers ≥ servers_min',
  options: OPTIONS,
  priorLog10: -2,
  cap: NO_BASELINE,
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
  return {
    actor: judged.addr[CLIENT],
    victim: judged.addr[SERVER],
    keyPart: '',
    flowsInWindow: adminTargets.count(),
    firstUs: adminTargets.firstUs(),
    victims: () => servers,
    telling: 0,
    assess: () => assess(look, adminTargets, options),
  }
}

function split(targets: DistinctWindow<string>): { servers: string[]; ports: number[] } {
  const pairs = targets.keys().map((key) => key.split(' '))
  return {
    servers: [...new Set(pairs.map(([, server]) => server))],
    ports: [...new Set(pairs.map(([port]) => Number(port)))].sort((a, b) => a - b),
  }
}

function assess({ judged }: Look, targets: DistinctWindow<string>, options: Options): Assessment {
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
  return assessment({
    evidence,
    servicePort: ports.length === 1 ? ports[0] : null,
    scaleRatio: servers.length / options.servers_min,
    notEvaluated: [{ code: 'D15.habit', why: 'whether this host does so every day: no baseline is kept yet' }],
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
