/**
 * D2 scan.vertical: one client tries many ports of one server and most don't answer; or many IP protocols, which have no ports.
 *
 * In:  the pair's failed ports of the last five to ten minutes and of the last one to two hours; protocols tried in vain.
 * Not: FTP passive or RPC ports (they answer), traceroute (orientation leaves its ports out), one closed port tried again and again.
 *
 * Zeek's default is 15 ports in five minutes; so is ours.
 */

import type { OptionTable, OptionValues } from '../../base/option.ts'
import { CLIENT, SERVER } from '../../context/contact.ts'
import type { DistinctWindow } from '../../context/distinct-window.ts'
import type { PairWindow } from '../../context/windows.ts'
import type { PictureData } from '../evidence.ts'
import { num } from '../number.ts'
import type { Assessment, Detector, Draft, Finding, Look } from './detector.ts'
import { assessment, draft } from './detector.ts'

const OPTIONS = {
  failed_ports_min: {
    kind: 'integer',
    default: 15,
    min: 5,
    max: 1000,
    unit: 'ports',
    comment: 'Distinct ports of one server that failed within five to ten minutes (Zeek: 15 in five).',
  },
  slow_failed_ports_min: {
    kind: 'integer',
    default: 30,
    min: 5,
    max: 1000,
    unit: 'ports',
    comment: 'The same within one to two hours, for slow scans.',
  },
  failed_share_min: {
    kind: 'number',
    default: 0.6,
    min: 0,
    max: 1,
    unit: 'ratio',
    comment: 'Share of the tried ports that failed; below it the client uses many services of that server.',
  },
  slow_failed_share_min: { kind: 'number', default: 0.8, min: 0, max: 1, unit: 'ratio', comment: 'The same for slow scans.' },
  protocols_min: {
    kind: 'integer',
    default: 10,
    min: 4,
    max: 256,
    unit: 'protocols',
    comment: 'IP protocols beside TCP, UDP and ICMP, sent to one host in five to ten minutes and not returned. Hosts use three or four.',
  },
  many_ports_min: {
    kind: 'integer',
    default: 100,
    min: 15,
    max: 65_535,
    unit: 'ports',
    comment: 'From here on the number itself is evidence.',
  },
} as const satisfies OptionTable

type Options = OptionValues<typeof OPTIONS>

const WEIGHTS = {
  failed_ports: {
    lr: 1.5,
    group: 'pattern',
    basis: 'expert',
    label: 'many closed ports',
    claim: '{x0} tried {m0} ports of {x1} that did not answer, within {m1}; {m2} of the ports it tried failed',
    alt: 'a vulnerability scanner or an inventory tool that the site runs itself',
    next: 'Find out which program on the actor opened these connections, and whether someone planned a scan.',
  },
  many_ports: {
    lr: 0.5,
    group: 'scale',
    basis: 'expert',
    label: 'very many ports',
    claim: '{m0} failed ports, where {m1} are enough to call it a scan',
    next: 'Look for the same actor scanning other hosts.',
  },
  protocols: {
    lr: 1.5,
    group: 'pattern',
    basis: 'expert',
    label: 'many IP protocols',
    claim: '{x0} sent packets of {m0} IP protocols other than TCP, UDP and ICMP to {x1} within {m1}, and got none of them back',
    alt: 'a test of a packet filter that the site runs itself',
    next: 'Find out which program on the actor made these packets: it takes a raw socket, and so an administrator.',
  },
  many_protocols: {
    lr: 0.5,
    group: 'scale',
    basis: 'expert',
    label: 'very many protocols',
    claim: '{m0} protocols, where {m1} are enough to call it a scan and hosts use three or four',
    next: 'Look for the same actor scanning ports.',
  },
  order: {
    lr: 0.3,
    group: 'target',
    basis: 'expert',
    label: 'ports in order',
    claim: '{m0} of {m1} tried ports followed their predecessor by one',
    next: 'Compare the order of the ports with the tools in use at the site.',
  },
} as const

/** Successive ports of which this share ascend by one are "in order". */
const ORDERED_SHARE_MIN = 0.6
const GRID_CELLS_MAX = 512
/** A third of all there could be. */
const MANY_PROTOCOLS = 85

export const SCAN_VERTICAL = {
  kind: 'scan.vertical',
  code: 'D2',
  title: 'Port scan of one host',
  techniques: { fromInside: ['T1046'], fromOutside: ['T1595.001'], manyVictims: [] },
  inputs: 'outcome of each flow by client, server and server port, or IP protocol',
  windowUs: 5 * 60e6,
  entryTest:
    'failed ports ≥ failed_ports_min in five minutes, or ≥ slow_failed_ports_min in one hour, and the failed share; or protocols ≥ protocols_min',
  options: OPTIONS,
  priorLog10: -1,
  cap: { limit: 0.99, why: 'headers alone never make a scan certain' },
  severityBase: 1,
  isBackgroundFromOutside: true,
  weights: WEIGHTS,
  detect,
} as const satisfies Detector<typeof OPTIONS>

function detect(look: Look, options: Options): Finding | null {
  const { judged, observed } = look
  const { protocols } = observed.pair
  if (protocols?.has(judged.proto) === true && protocols.count() >= options.protocols_min) {
    return finding(look, protocols, () => assessProtocols(look, protocols, options))
  }
  if (judged.outcome !== 'failed') return null
  const window = scanWindow(observed.pair, options)
  return window === null ? null : finding(look, window, () => assess(look, window, options))
}

function finding({ judged }: Look, window: DistinctWindow<number>, assessed: () => Assessment): Finding {
  return {
    actor: judged.addr[CLIENT],
    victim: judged.addr[SERVER],
    keyPart: '',
    flowsInWindow: window.count(),
    firstUs: window.firstUs(),
    victims: () => [judged.addr[SERVER]],
    telling: 0,
    assess: assessed,
  }
}

/** The window in which the entry test is met; the short one first. */
function scanWindow(pair: PairWindow, options: Options): DistinctWindow<number> | null {
  const { failedShort, failedLong, answeredPorts } = pair
  if (failedShort === null || failedLong === null) return null
  const isMet = (failed: number, atLeast: number, share: number): boolean =>
    failed >= atLeast && failed / (failed + answeredPorts.length) >= share
  if (isMet(failedShort.count(), options.failed_ports_min, options.failed_share_min)) return failedShort
  return isMet(failedLong.count(), options.slow_failed_ports_min, options.slow_failed_share_min) ? failedLong : null
}

function assess(look: Look, window: DistinctWindow<number>, options: Options): Assessment {
  const { judged, observed, context } = look
  const actor = judged.addr[CLIENT]
  const server = judged.addr[SERVER]
  const ports = window.keys()
  const failed = window.count()
  const answered = observed.pair.answeredPorts
  const sample = { n: failed, fromUs: window.firstUs(), toUs: window.lastUs(), flowIds: [judged.flowId] }
  const share = num((failed / (failed + answered.length)) * 100, 'percent')
  const evidence: Draft[] = [
    draft('D2.failed_ports', WEIGHTS.failed_ports, {
      measured: [num(failed, 'count'), num(window.spanUs(), 'us'), share],
      names: [actor, server],
      sample,
    }),
  ]
  if (failed >= options.many_ports_min) {
    const measured = [num(failed, 'count'), num(options.failed_ports_min, 'count')]
    evidence.push(draft('D2.many_ports', WEIGHTS.many_ports, { measured, sample }))
  }
  const ascending = ports.filter((port, i) => i > 0 && port === ports[i - 1] + 1).length
  if (ascending >= ORDERED_SHARE_MIN * (ports.length - 1)) {
    const measured = [num(ascending, 'count'), num(ports.length, 'count')]
    evidence.push(draft('D2.order', WEIGHTS.order, { measured, sample }))
  }
  const failingClients = ports.slice(0, 64).map((port) => context.services.failingClients(server, judged.proto, port, judged.startUs))
  const failingClientsMax = Math.max(0, ...failingClients)
  const inOutage = failingClients.filter((clients) => clients > 0).length
  return assessment({
    evidence,
    servicePort: null,
    facts: { outage: { targets: failingClients.length, failingClientsMax, inOutage } },
    scaleRatio: failed / options.failed_ports_min,
    answeredServers: answered.length > 0 ? 1 : 0,
    pictures: [grid(server, ports, answered, failed)],
  })
}

function assessProtocols({ judged }: Look, protocols: DistinctWindow<number>, options: Options): Assessment {
  const count = protocols.count()
  const sample = { n: count, fromUs: protocols.firstUs(), toUs: protocols.lastUs(), flowIds: [judged.flowId] }
  const names = [judged.addr[CLIENT], judged.addr[SERVER]]
  const measured = [num(count, 'count'), num(protocols.spanUs(), 'us')]
  const evidence: Draft[] = [draft('D2.protocols', WEIGHTS.protocols, { measured, names, sample })]
  if (count >= MANY_PROTOCOLS) {
    const measured = [num(count, 'count'), num(options.protocols_min, 'count')]
    evidence.push(draft('D2.many_protocols', WEIGHTS.many_protocols, { measured, sample }))
  }
  return assessment({ evidence, servicePort: null, scaleRatio: count / options.protocols_min, answeredServers: 0 })
}

function grid(server: string, failed: readonly number[], answered: readonly number[], failedCount: number): PictureData {
  const shownAnswered = answered.slice(0, GRID_CELLS_MAX)
  const shownFailed = failed.slice(0, GRID_CELLS_MAX - shownAnswered.length)
  const ports = [...shownFailed, ...shownAnswered].sort((a, b) => a - b)
  const isAnswered = new Set(shownAnswered)
  const cells = ports.map((port, i) => ({
    target: 0,
    port: i,
    outcome: isAnswered.has(port) ? ('answered' as const) : ('failed' as const),
  }))
  return { picture: 'grid', targets: [server], ports, cells, omitted: failedCount + answered.length - cells.length }
}
