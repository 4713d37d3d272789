/**
 * D1 scan.horizontal: one client looks for a service on many hosts.
 *
 * In:  the client's walk over first contacts (TRW), and the servers that failed and never answered it, last one to two hours.
 * Not: peer-to-peer (its ports differ from peer to peer), a browser racing addresses (they answer), ICMP and ARP sweeps (D4).
 *
 * Both the walk and the spread must agree: the walk alone fires for a client whose own network is down.
 *
 * On its own segment a client must find a host by ARP before it can contact it: an address that nobody has is a first contact that
 * failed as well, though it has no port. Few hosts are left then to be asked for a service, and so fewer are enough.
 */

import type { OptionTable, OptionValues } from '../../base/option.ts'
import { CLIENT, SERVER } from '../../context/contact.ts'
import type { Context } from '../../context/context.ts'
import type { Spread } from '../../context/failed-targets.ts'
import { hitHeight, step } from '../../context/first-contacts.ts'
import type { ClientWindow } from '../../context/windows.ts'
import type { PictureData } from '../evidence.ts'
import { num } from '../number.ts'
import type { Judged } from '../orientation.ts'
import type { Assessment, Detector, Draft, Finding, Look } from './detector.ts'
import { assessment, draft } from './detector.ts'

const OPTIONS = {
  walk_alpha_ratio: {
    kind: 'number',
    default: 1e-4,
    min: 1e-9,
    max: 0.05,
    unit: 'ratio',
    comment: 'Chance that the walk over first contacts takes an ordinary client for a scanner (about 7 net failures at 0.0001).',
  },
  failed_servers_min: {
    kind: 'integer',
    default: 15,
    min: 5,
    max: 10_000,
    unit: 'servers',
    comment:
      'Distinct servers that failed within one to two hours (Zeek: 25 in five minutes; Slips: 5, with 14 false alarms in four days).',
  },
  ports_max: { kind: 'integer', default: 5, min: 1, max: 64, unit: 'ports', comment: 'They must have failed on this many ports at most.' },
  dark_failed_servers_min: {
    kind: 'integer',
    default: 7,
    min: 3,
    max: 10_000,
    unit: 'servers',
    comment: 'As failed_servers_min, when unused inside addresses are among them.',
  },
  dark_min: {
    kind: 'integer',
    default: 3,
    min: 1,
    max: 1000,
    unit: 'addresses',
    comment: 'So many unused inside addresses are needed for that.',
  },
  asked_failed_servers_min: {
    kind: 'integer',
    default: 5,
    min: 3,
    max: 10_000,
    unit: 'servers',
    comment: 'As failed_servers_min, when the client also asked by ARP for asked_min addresses that no host used.',
  },
  asked_min: {
    kind: 'integer',
    default: 20,
    min: 5,
    max: 65_536,
    unit: 'addresses',
    comment: 'Addresses asked for within five to ten minutes that never sent anything.',
  },
  many_servers_min: {
    kind: 'integer',
    default: 100,
    min: 15,
    max: 1_000_000,
    unit: 'servers',
    comment: 'From here on the number itself is evidence.',
  },
} as const satisfies OptionTable

type Options = OptionValues<typeof OPTIONS>

const WEIGHTS = {
  first_contacts: {
    lr: 1.8,
    group: 'failure',
    basis: 'test',
    label: 'first contacts fail',
    claim: '{m0} of {m1} first contacts of {x0} failed; this test takes an ordinary client for a scanner {m2} times at most',
    alt: 'the actor itself lost its network, or its list of peers is out of date',
    next: 'Check whether the actor reaches the servers that it normally uses.',
  },
  spread: {
    lr: 0.5,
    group: 'pattern',
    basis: 'expert',
    label: 'same port, many hosts',
    claim: '{m0} servers failed on {m1} ports within {m2}',
    alt: 'a monitoring or inventory tool whose list of hosts is out of date',
    next: 'Find out which program on the actor opened these connections, and whether someone planned a scan.',
  },
  many_servers: {
    lr: 0.7,
    group: 'scale',
    basis: 'expert',
    label: 'very many hosts',
    claim: '{m0} servers failed, where {m1} are enough to call it a scan',
    next: 'Look for servers that did answer: they are what the actor was after.',
  },
  dark: {
    lr: 0.7,
    group: 'target',
    basis: 'expert',
    label: 'unused addresses',
    claim: '{m0} of the targets are inside addresses that sent nothing while the sensor watched',
    alt: 'hosts that are switched off',
    next: 'Compare the targets with the address plan.',
  },
  asked: {
    lr: 0.7,
    group: 'target',
    basis: 'expert',
    label: 'searched its own segment',
    claim: 'it also asked by ARP for {m0} addresses from which nothing was heard',
    alt: 'hosts that are switched off',
    next: 'Compare the targets with the address plan.',
  },
  scan_port: {
    lr: 0.3,
    group: 'target',
    basis: 'expert',
    label: 'port that worms seek',
    claim: 'most attempts went to port {m0}, which scanners often look for',
    next: 'Check which inside hosts offer this service, and to whom.',
  },
  flat: {
    lr: 0.5,
    group: 'volume',
    basis: 'expert',
    label: 'bare probes',
    claim: '{m0} of {m1} failed attempts were two packets at most, without data',
    next: 'Look at the timeline of a probe for the marks of a scanning tool.',
  },
} as const

/** SCORER.md D1: what worms and scanners look for. */
const SCAN_PORTS: ReadonlySet<number> = new Set([22, 23, 445, 3389, 5985, 1433, 2323, 5555, 7547])
/** For each that answered, so many must have failed where ARP is to tip the scales. */
const ANSWERED_FACTOR = 2
const FLAT_SHARE_MIN = 0.8
const GRID_CELLS_MAX = 400
export const SCAN_HORIZONTAL = {
  kind: 'scan.horizontal',
  code: 'D1',
  title: 'Scan of many hosts',
  techniques: { fromInside: ['T1046'], fromOutside: ['T1595.001'], manyVictims: [] },
  inputs: 'outcome of first contacts by client; failed servers and ports by client',
  windowUs: 3600e6,
  entryTest:
    'the walk hits, and servers ≥ failed_servers_min on ≤ ports_max ports, or ≥ dark_failed_servers_min with dark_min unused, or ≥ asked_failed_servers_min with asked_min asked for by ARP',
  options: OPTIONS,
  priorLog10: -2,
  cap: { limit: 0.99, why: 'headers alone never make a scan certain' },
  severityBase: 1,
  isBackgroundFromOutside: true,
  weights: WEIGHTS,
  detect,
} as const satisfies Detector<typeof OPTIONS>

function detect(look: Look, options: Options): Finding | null {
  const { judged, observed, context } = look
  const { client, pair } = observed
  if (judged.outcome !== 'failed' || pair.hasAnswered || client.failed === null) return null
  const failed = client.failed.servers.count()
  if (failed < Math.min(options.failed_servers_min, options.dark_failed_servers_min, options.asked_failed_servers_min)) return null
  const isHit = client.walkHeight >= hitHeight(options.walk_alpha_ratio)
  if (!isHit && !judged.isServerInternal) return null
  const spread = client.failed.spread(options.ports_max)
  const isWide = spread.servers >= options.failed_servers_min
  const isMet = isHit && (isWide || isDarkSpread(context, judged, spread, options))
  if (!isMet && !isAskedSpread(look, spread, options)) return null
  if (!spread.ports.includes(judged.port[SERVER])) return null
  return {
    actor: judged.addr[CLIENT],
    victim: judged.addr[SERVER],
    keyPart: '',
    flowsInWindow: failed,
    firstUs: client.failed.servers.firstUs(),
    victims: () => spread.names,
    telling: 0,
    assess: () => assess(look, client, spread, options),
  }
}

function isDarkSpread(context: Context, judged: Judged, spread: Spread, options: Options): boolean {
  if (!judged.isServerInternal || spread.servers < options.dark_failed_servers_min) return false
  return darkTargets(context, judged, spread) >= options.dark_min
}

/** The walk with what ARP adds to it: each address that nobody has is a step up. An inventory whose hosts mostly answer is none. */
function isAskedSpread(look: Look, spread: Spread, options: Options): boolean {
  const { client } = look.observed
  if (spread.servers < options.asked_failed_servers_min || !look.judged.isServerInternal) return false
  if (ANSWERED_FACTOR * client.firstAnswered > client.firstFailed) return false
  const asked = askedInVain(look)
  if (asked < options.asked_min) return false
  let height = client.walkHeight
  for (let i = 0; i < asked && height < hitHeight(options.walk_alpha_ratio); i++) height = step(height, true)
  return height >= hitHeight(options.walk_alpha_ratio)
}

/** Addresses that the client asked for by ARP and from which nothing was heard: no answer, no packet. */
function askedInVain({ judged, context }: Look): number {
  const station = context.arp.stationOf(judged.addr[CLIENT], judged.flow.vlans)
  if (station === undefined || station.asked === null) return 0
  return station.asked.keys().filter((target) => station.answered?.has(target) !== true && !context.hasSent(target)).length
}

/** Failed inside targets that were never heard from. Only where the actor's targets are inside: we cannot know outside addresses. */
function darkTargets(context: Context, judged: Judged, spread: Spread): number {
  if (!judged.isServerInternal) return 0
  return spread.names.filter((server) => !context.hasSent(server)).length
}

function assess(look: Look, client: ClientWindow, spread: Spread, options: Options): Assessment {
  const { judged, context } = look
  const servers = spread.names
  const firstUs = client.failed?.servers.firstUs() ?? judged.startUs
  const lastUs = client.failed?.servers.lastUs() ?? judged.startUs
  const sample = { n: spread.servers, fromUs: firstUs, toUs: lastUs, flowIds: [judged.flowId] }
  const evidence = evidenceOf(look, client, spread, options, lastUs - firstUs, sample)
  const failingClients = spread.targets
    .slice(0, 64)
    .map(({ server, port }) => context.services.failingClients(server, judged.proto, port, judged.startUs))
  return assessment({
    evidence,
    servicePort: spread.ports.length === 1 ? spread.ports[0] : null,
    facts: {
      outage: {
        targets: failingClients.length,
        failingClientsMax: Math.max(0, ...failingClients),
        inOutage: failingClients.filter((clients) => clients > 0).length,
      },
      peers: {
        proto: judged.proto,
        peers: client.firstFailed + client.firstAnswered,
        answered: client.firstAnswered,
        ports: spread.ports.length,
      },
    },
    scaleRatio: spread.servers / options.failed_servers_min,
    answeredServers: client.firstAnswered,
    pictures: [grid(spread, servers)],
  })
}

function evidenceOf(look: Look, client: ClientWindow, spread: Spread, options: Options, spanUs: number, sample: Draft['sample']): Draft[] {
  const asked = look.judged.isServerInternal ? askedInVain(look) : 0
  const isAsked = asked >= options.asked_min
  const firstFailed = client.firstFailed + (isAsked ? asked : 0)
  const contacts = firstFailed + client.firstAnswered
  const lr = Math.min(WEIGHTS.first_contacts.lr, 1 + 0.4 * Math.log10(0.01 / options.walk_alpha_ratio))
  const drafts = [
    draft('D1.first_contacts', WEIGHTS.first_contacts, {
      measured: [num(firstFailed, 'count'), num(contacts, 'count'), num(1 / options.walk_alpha_ratio, '1/N')],
      names: [look.judged.addr[CLIENT]],
      sample,
      lr,
    }),
    draft('D1.spread', WEIGHTS.spread, {
      measured: [num(spread.servers, 'count'), num(spread.ports.length, 'count'), num(spanUs, 'us')],
      sample,
    }),
  ]
  if (spread.servers >= options.many_servers_min) {
    const values = [num(spread.servers, 'count'), num(options.failed_servers_min, 'count')]
    drafts.push(draft('D1.many_servers', WEIGHTS.many_servers, { measured: values, sample }))
  }
  const dark = darkTargets(look.context, look.judged, spread)
  if (dark >= options.dark_min) drafts.push(draft('D1.dark', WEIGHTS.dark, { measured: [num(dark, 'count')], sample }))
  if (isAsked) drafts.push(draft('D1.asked', WEIGHTS.asked, { measured: [num(asked, 'count')], sample }))
  if (SCAN_PORTS.has(spread.ports[0])) {
    drafts.push(draft('D1.scan_port', WEIGHTS.scan_port, { measured: [num(spread.ports[0], 'port')], sample }))
  }
  if (client.flatFailures >= FLAT_SHARE_MIN * client.failures) {
    const values = [num(client.flatFailures, 'count'), num(client.failures, 'count')]
    drafts.push(draft('D1.flat', WEIGHTS.flat, { measured: values, sample }))
  }
  return drafts
}

function grid(spread: Spread, servers: readonly string[]): PictureData {
  const shown = spread.targets.slice(0, GRID_CELLS_MAX)
  const shownServers = new Set(shown.map(({ server }) => server))
  const targets = servers.filter((server) => shownServers.has(server))
  const index = new Map(targets.map((server, i) => [server, i]))
  const ports = [...new Set(shown.map(({ port }) => port))].sort((a, b) => a - b)
  const cells = shown.map(({ server, port }) => ({ target: index.get(server) ?? 0, port: ports.indexOf(port), outcome: 'failed' as const }))
  return { picture: 'grid', targets, ports, cells, omitted: Math.max(0, spread.servers - cells.length) }
}
