/**
 * What the tests for scans, sweeps and logins measure (D1, D2, D3, D4, D8, D15), each as it is and as it might have been.
 *
 * In:  looks. Out: measures, in the order in which a report names them. See measure.ts.
 */
import type { DistinctWindow } from '../../context/distinct-window.ts'
import { step } from '../../context/first-contacts.ts'
import type { Session } from '../../context/sessions.ts'
import { BRUTE_LOGIN } from '../detectors/brute-login.ts'
import type { Look } from '../detectors/detector.ts'
import type { Measure } from './measure.ts'
import { lookWith, overlay } from './overlay.ts'

/** No walk goes higher than after so many steps. */
const WALK_STEPS_MAX = 64

/** A window that holds its first `count` keys only. */
export function thinned<K extends string | number>(window: DistinctWindow<K>, count: number): DistinctWindow<K> {
  return overlay(window, { count: () => count, keys: () => window.keys().slice(0, count) })
}

/** The walk after so many first contacts, those that were answered first. */
function walkOf(failed: number, answered: number): number {
  let height = 0
  for (let i = 0; i < Math.min(answered, WALK_STEPS_MAX); i++) height = step(height, false)
  for (let i = 0; i < Math.min(failed, WALK_STEPS_MAX); i++) height = step(height, true)
  return height
}

export const FAILED_SERVERS: Measure<{ ports_max: number; failed_servers_min: number }> = {
  what: 'servers that failed',
  unit: 'count',
  side: 'at least',
  read: ({ observed }, options) => observed.client.failed?.spread(options.ports_max).servers ?? null,
  bound: (_look, options) => options.failed_servers_min,
  change: (look, value, options) => {
    const { client } = look.observed
    if (client.failed === null) return look
    const spread = client.failed.spread(options.ports_max)
    const names = spread.names.slice(0, value)
    const servers = new Set(names)
    const targets = spread.targets.filter(({ server }) => servers.has(server))
    const share = value / Math.max(1, spread.servers)
    const failed = overlay(client.failed, {
      servers: thinned(client.failed.servers, value),
      spread: () => ({ ...spread, servers: value, targets, names }),
    })
    return lookWith(look, {
      client: {
        ...client,
        failed,
        walkHeight: Math.min(client.walkHeight, walkOf(value, client.firstAnswered)),
        firstFailed: Math.min(client.firstFailed, value),
        failures: Math.round(client.failures * share),
        flatFailures: Math.round(client.flatFailures * share),
      },
    })
  },
}

export const FAILED_PORTS: Measure<{ failed_ports_min: number }> = {
  what: 'ports that failed',
  unit: 'count',
  side: 'at least',
  read: ({ observed }) => {
    const { failedShort, failedLong, firstFailed } = observed.pair
    if (failedShort === null || failedLong === null) return firstFailed === null ? null : 1
    return Math.max(failedShort.count(), failedLong.count())
  },
  bound: (_look, options) => options.failed_ports_min,
  change: (look, value) => {
    const { pair } = look.observed
    if (pair.failedShort === null || pair.failedLong === null) return look
    const [failedShort, failedLong] = [pair.failedShort, pair.failedLong].map((window) => thinned(window, Math.min(value, window.count())))
    return lookWith(look, { pair: { ...pair, failedShort, failedLong } })
  },
}

export const PROTOCOLS: Measure<{ protocols_min: number }> = {
  what: 'IP protocols tried in vain',
  unit: 'count',
  side: 'at least',
  read: ({ observed }) => observed.pair.protocols?.count() ?? null,
  bound: (_look, options) => options.protocols_min,
  change: (look, value) => {
    const { pair } = look.observed
    return pair.protocols === null ? look : lookWith(look, { pair: { ...pair, protocols: thinned(pair.protocols, value) } })
  },
}

export const ANSWERED_PORTS: Measure<{ failed_share_min: number }> = {
  what: 'ports of the same host that answered',
  unit: 'count',
  side: 'at most',
  read: ({ observed }) => (observed.pair.failedShort === null ? null : observed.pair.answeredPorts.length),
  bound: ({ observed }, { failed_share_min }) =>
    ((observed.pair.failedLong?.count() ?? 0) * (1 - failed_share_min)) / Math.max(0.01, failed_share_min),
  change: (look, value) => {
    const { pair } = look.observed
    const answeredPorts = Array.from({ length: value }, (_, i) => pair.answeredPorts[i] ?? 0)
    return lookWith(look, { pair: { ...pair, answeredPorts } })
  },
}

export const PROBING_SOURCES: Measure<{ sources_min: number }> = {
  what: 'outside hosts that probed',
  unit: 'count',
  side: 'at least',
  read: ({ observed }) => observed.background?.sources.count() ?? null,
  bound: (_look, options) => options.sources_min,
  change: (look, value) => {
    const { background } = look.observed
    return background === null ? look : lookWith(look, { background: { ...background, sources: thinned(background.sources, value) } })
  },
}

export const PINGED: Measure<{ targets_min: number }> = {
  what: 'addresses pinged',
  unit: 'count',
  side: 'at least',
  read: ({ observed }) => observed.echoTargets?.asked.count() ?? null,
  bound: (_look, options) => options.targets_min,
  change: (look, value) => {
    const { echoTargets } = look.observed
    if (echoTargets === null) return look
    const { asked, answered, groupTargets } = echoTargets
    const share = value / Math.max(1, asked.count())
    return lookWith(look, {
      echoTargets: overlay(echoTargets, {
        asked: thinned(asked, value),
        answered: thinned(answered, Math.round(answered.count() * share)),
        groupTargets: Math.round(groupTargets * share),
      }),
    })
  },
}

export const PINGS_ANSWERED: Measure<{ answered_share_max: number }> = {
  what: 'of the addresses that answered',
  unit: 'count',
  side: 'at most',
  read: ({ observed }) => observed.echoTargets?.answered.count() ?? null,
  bound: ({ observed }, options) => (observed.echoTargets?.asked.count() ?? 0) * options.answered_share_max,
  most: ({ observed }) => observed.echoTargets?.asked.count() ?? 0,
  change: (look, value) => {
    const { echoTargets } = look.observed
    if (echoTargets === null) return look
    const answered = overlay(echoTargets.answered, { count: () => value })
    return lookWith(look, { echoTargets: overlay(echoTargets, { answered }) })
  },
}

const LOGINS_US = BRUTE_LOGIN.windowUs
/** A session this much larger than the middle one is no failed login, and no part of how much those differ. */
const ODD_FACTOR = 3

function sessionsOf({ judged, observed }: Look): Session[] | null {
  return observed.sessions === null || judged.isContinuation ? null : observed.sessions.since(judged.startUs - LOGINS_US)
}

function bytesOf(session: Session): number {
  return session.clientBytes + session.serverBytes
}

export const LOGIN_SESSIONS: Measure<{ sessions_min: number }> = {
  what: 'sessions of nearly the same size',
  unit: 'count',
  side: 'at least',
  read: (look) => {
    const all = sessionsOf(look)
    return all === null ? null : all.length + (look.observed.sessions?.beyondCount() ?? 0)
  },
  bound: (_look, options) => options.sessions_min,
  change: (look, value) => {
    const { sessions } = look.observed
    if (sessions === null) return look
    return lookWith(look, {
      sessions: overlay(sessions, { since: (fromUs) => sessions.since(fromUs).slice(0, value), beyondCount: () => 0 }),
    })
  },
}

export const LOGIN_VARIATION: Measure<{ flatness_max: number }> = {
  what: 'difference between the sizes of the sessions',
  unit: 'percent',
  side: 'at most',
  read: (look) => {
    const all = sessionsOf(look)
    if (all === null || all.length < 2) return null
    const sizes = all.map(bytesOf).sort((a, b) => a - b)
    const middle = sizes[sizes.length >> 1]
    const flat = sizes.filter((size) => size <= ODD_FACTOR * middle && ODD_FACTOR * size >= middle)
    return variationOf(flat) * 100
  },
  bound: (_look, options) => options.flatness_max * 100,
  most: () => 60,
  change: (look, value) => {
    const { sessions } = look.observed
    const now = LOGIN_VARIATION.read(look, { flatness_max: 0 })
    if (sessions === null || now === null) return look
    // Every other session is larger, the next one smaller by the same share: their spread adds to what there is.
    const share = Math.sqrt(Math.max(0, value ** 2 - now ** 2)) / 100
    const spread = (session: Session, i: number): Session => {
      const factor = 1 + (i % 2 === 0 ? share : -share)
      return { ...session, clientBytes: session.clientBytes * factor, serverBytes: session.serverBytes * factor }
    }
    return lookWith(look, { sessions: overlay(sessions, { since: (fromUs) => sessions.since(fromUs).map(spread) }) })
  },
}

function variationOf(values: readonly number[]): number {
  const mean = values.reduce((sum, v) => sum + v, 0) / values.length
  const variance = values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / values.length
  return mean === 0 ? 0 : Math.sqrt(variance) / mean
}

function serversOf(targets: DistinctWindow<string>): string[] {
  return [...new Set(targets.keys().map((key) => key.slice(key.indexOf(' ') + 1)))]
}

export const ADMIN_SERVERS: Measure<{ servers_min: number }> = {
  what: 'hosts with an administration session',
  unit: 'count',
  side: 'at least',
  read: ({ observed }) => (observed.adminTargets === null ? null : serversOf(observed.adminTargets).length),
  bound: (_look, options) => options.servers_min,
  change: (look, value) => {
    const { adminTargets } = look.observed
    if (adminTargets === null) return look
    const kept = new Set(serversOf(adminTargets).slice(0, value))
    const keys = adminTargets.keys().filter((key) => kept.has(key.slice(key.indexOf(' ') + 1)))
    return lookWith(look, { adminTargets: overlay(adminTargets, { count: () => keys.length, keys: () => keys }) })
  },
}
