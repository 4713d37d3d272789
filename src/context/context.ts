/**
 * What else the hosts of a flow did: windows by client, by pair, by service (SCORER.md section 6).
 *
 * In:  contacts in row order (`observe`), packet time (`advance`).
 * Out: for detectors, the client's, the pair's and the session window of the contact just observed; the server table; the
 *      visibility share; the windowed features.
 * Not: a judgement. Nothing here knows a threshold of a detector.
 * The invariant: every table, list and window has a limit, whatever comes; `counters` says how often each was reached.
 *
 * Windows run on the time a flow started: rows of one scan arrive at different times (a reset ends a row after seconds, silence
 * after a minute), but its probes started together.
 */

import type { OptionValues } from '../base/option.ts'
import type { DestinationCounters } from '../flow/destination-counters.ts'
import { ICMP, ICMPV6, TCP, UDP } from '../flow/flow.ts'
import type { Activity } from './activity.ts'
import { activitySlot, NO_SLOT, PortUse, RotatingCount } from './activity.ts'
import { ArpTable } from './arp-table.ts'
import type { AttemptSeries } from './attempts.ts'
import type { BackgroundDay } from './background.ts'
import { Background } from './background.ts'
import { BoundedTable, TableClock } from './bounded-table.ts'
import { CaptureHistory } from './capture-history.ts'
import { Census } from './census.ts'
import type { Contact } from './contact.ts'
import { CLIENT, SERVER } from './contact.ts'
import { DistinctWindow } from './distinct-window.ts'
import type { Exchange } from './exchanges.ts'
import { Exchanges } from './exchanges.ts'
import { type FailedTarget, FailedTargets } from './failed-targets.ts'
import { correct, step } from './first-contacts.ts'
import { Histories } from './histories.ts'
import type { HourTally } from './host-history.ts'
import type { MinuteRing } from './minute-ring.ts'
import type { CONTEXT_OPTIONS } from './options.ts'
import type { Pulls } from './pulls.ts'
import type { ServedTally } from './served-history.ts'
import { Services } from './services.ts'
import { SessionWindow } from './sessions.ts'
import { type HostInShare, NOT_SHARED, type PairInShare, VisibilityShare } from './visibility-share.ts'
import {
  addActivity,
  addToSource,
  addToTarget,
  bytesInWindow,
  failedInWindow,
  flowsInWindow,
  sourceRing,
  targetRing,
  windowFeatures,
} from './window-features.ts'

const MINUTE_US = 60e6
const HOUR_US = 3600e6
/** How long a quiet host, pair or session window is remembered. A pair's age is what "first contact" means. */
const HOST_QUIET_US = 2 * HOUR_US
const PAIR_QUIET_US = 24 * HOUR_US
const SESSIONS_QUIET_US = 15 * MINUTE_US

const SHORT_WINDOW_US = 5 * MINUTE_US
const LONG_WINDOW_US = HOUR_US
/** Ports and targets kept one by one, because pictures and reports name them. */
const LISTED_MAX = 1024
const ANSWERED_PORTS_MAX = 64
const US_PER_MS = 1000
const NEVER_MS = -(2 ** 31)
const NO_PORTS: readonly number[] = []
/** Lists of one port: most pairs have no other, and many the same. */
const ONE_PORT: (readonly number[] | undefined)[] = []

const NO_ACTIVITY: Activity = {
  clientFlows: 0,
  clientFailed: 0,
  clientBytes: 0,
  clientServers: 0,
  clientPorts: 0,
  serverFlows: 0,
  serverClients: 0,
  isNewPair: false,
  isNewPort: false,
  sinceLastUs: Number.NaN,
}

export interface ClientWindow extends HostInShare {
  /** The text of the address by which the tables know it. */
  address: string
  ring: MinuteRing
  /** Height of the threshold random walk over first contacts, and how many of them failed and succeeded. */
  walkHeight: number
  firstFailed: number
  firstAnswered: number
  /** Servers that failed and never answered this client, last hour. Made at the second failure. */
  failed: FailedTargets | null
  /** The first failure, until there are two: a forged sender has no other. */
  firstFailure: FailedTarget | null
  /** Failed flows towards them, and those that were bare probes: at most two packets, no payload. */
  flatFailures: number
  failures: number
  /** Different servers, and different services, of the last five to ten minutes. */
  servers: RotatingCount
  services: RotatingCount
  ports: PortUse
  /** What an inside client did in the hour; null for others. */
  hour: HourTally | null
  /** Made when it first has a vote. */
  votes: VoteTally | null
  /** The window of five minutes in which the host was counted as active last. */
  activeSlot: number
}

/** Flows of one host in the present minute, by whatever they are grouped by: each host has one vote a minute and group. */
export interface VoteTally {
  minute: number
  /** The first group of the minute, and its flows; the others are listed. */
  group: number
  flows: number
  others: Map<number, number> | null
}

export interface TargetWindow extends HostInShare {
  address: string
  ring: MinuteRing
  clients: RotatingCount
  /** Made when it first has a vote. */
  votes: VoteTally | null
  /** What an inside server got in the hour, once it answered or drew much; null for others. */
  served: ServedTally | null
  /** It sent at least one packet: the address is in use. */
  hasSent: boolean
}

export interface PairWindow extends PairInShare {
  hasAnswered: boolean
  /** This pair's first contact counted as a failure in the client's walk. */
  isWalkFailure: boolean
  /** The server came among the client's failed ones, perhaps to be taken out again. */
  isFailedTarget: boolean
  /** The first port that failed, and when; windows are made when a second one fails: most pairs of a sweep never have one. */
  firstFailed: FailedTarget | null
  failedShort: DistinctWindow<number> | null
  failedLong: DistinctWindow<number> | null
  /** IP protocols without ports that the client tried and the server sent nothing of, last five to ten minutes; null until there is one. */
  protocols: DistinctWindow<number> | null
  /** Distinct ports that answered, the first ANSWERED_PORTS_MAX. */
  answeredPorts: readonly number[]
  /** When the client, and the server, last sent the other anything. In whole milliseconds, as small numbers lie in the pair itself. */
  clientSentMs: number
  serverSentMs: number
  /** Connections to the first service of the server that the client used; those to others lie in a table of their own. */
  firstService: AttemptSeries | null
  /** The window of five minutes in which the pair was counted last. */
  countedSlot: number
  /** The day on which its history was told, since 1970. */
  toldDay: number
  /** Part of an open episode until then: not learnt from. */
  suspectUntilMs: number
}

export interface Observed extends Exchange {
  client: ClientWindow
  target: TargetWindow
  pair: PairWindow
  activity: Activity
  /** Present when the contact was a session with payload both ways on one of the ports asked for. */
  sessions: SessionWindow | null
  /** Unanswered probes of this day to the prefix of this contact's server; null when it is no such probe. */
  background: BackgroundDay | null
}

export class Context {
  readonly services: Services
  readonly visibility = new VisibilityShare()
  readonly captured = new CaptureHistory()
  readonly census: Census
  /** The memory of weeks. */
  readonly histories: Histories
  readonly arp: ArpTable
  readonly #exchanges: Exchanges
  readonly #background: Background
  readonly #sinceMidnightUs: number
  readonly #firstDay: number
  readonly #clients: BoundedTable<ClientWindow>
  readonly #targets: BoundedTable<TargetWindow>
  readonly #pairs: BoundedTable<PairWindow>
  readonly #sessions: BoundedTable<SessionWindow>

  readonly #sessionPorts: ReadonlySet<number>
  readonly #clock = new TableClock()

  /**
   * @param sessionPorts server ports whose single sessions a detector wants to see.
   * @param baseSec the run's base second, which says when a day begins.
   */
  constructor(options: OptionValues<typeof CONTEXT_OPTIONS>, sessionPorts: ReadonlySet<number>, baseSec = 0) {
    this.#sessionPorts = sessionPorts
    this.histories = new Histories({ hosts: options.host_histories_max, pairs: options.pair_histories_max }, baseSec, this.#clock)
    this.#sinceMidnightUs = (baseSec % 86_400) * 1e6
    this.#firstDay = Math.floor(baseSec / 86_400)
    this.services = new Services(options.services_max, this.#clock)
    this.census = new Census(options.services_max)
    this.arp = new ArpTable(options.arp_max, this.#clock)
    const limits = { series: options.series_max, hosts: options.hosts_max, destinationWindows: options.destination_windows_max }
    this.#exchanges = new Exchanges(limits, this.#clock)
    this.#background = new Background(this.#clock)
    this.#clients = new BoundedTable(options.hosts_max, HOST_QUIET_US, this.#clock)
    // Targets apart from clients: a scan of a million addresses must not push the clients out.
    this.#targets = new BoundedTable(options.hosts_max, HOST_QUIET_US, this.#clock)
    this.#pairs = new BoundedTable(options.pairs_max, PAIR_QUIET_US, this.#clock)
    this.#sessions = new BoundedTable(options.session_windows_max, SESSIONS_QUIET_US, this.#clock)
  }

  advance(nowUs: number): void {
    this.#clock.advance(nowUs)
    this.histories.advance(nowUs)
    this.census.advance(nowUs)
    this.visibility.advance(nowUs)
  }

  observe(contact: Contact): Observed {
    const client = this.#clients.getOrCreate(contact.addr[CLIENT], newClient)
    const target = this.#targets.getOrCreate(contact.addr[SERVER], newTarget)
    // The texts that are kept already in place of equal new ones: they are told equal at a glance, and all tables keep the same.
    contact.addr = [client.address, target.address]
    const pair = this.#pairs.getOrCreate(contact.addr[CLIENT], newPair, contact.addr[SERVER])
    this.visibility.observe(contact, pair, client, target)
    this.services.observe(contact)
    this.census.observe(contact)
    addToSource(client.ring, contact.endUs, contact.proto, contact.packets[CLIENT] ?? 0, contact.hasSyn)
    addToTarget(target.ring, contact.endUs)
    if (contact.halves !== 'orig' || contact.failure === 'refused') target.hasSent = true
    if (!hasPorts(contact)) noteProtocol(contact, pair)
    else if (contact.outcome === 'failed') noteFailure(contact, client, pair)
    if (contact.outcome === 'answered') noteAnswer(contact, client, pair)
    const observed = newObserved(client, target, pair)
    this.#exchanges.observe(contact, pair, this.#hasAsked, observed)
    noteSent(pair, contact)
    if (contact.isServerInternal) this.#noteServed(contact, target, observed)
    observed.sessions = this.#noteSession(contact)
    observed.background = this.#noteBackground(contact)
    observed.activity = this.#noteActivity(contact, observed)
    return observed
  }

  #noteActivity(contact: Contact, observed: Observed): Activity {
    const { histories } = this
    const { client, target, pair, adminTargets, attempts } = observed
    const slot = activitySlot(contact.endUs)
    const port = contact.proto * 65_536 + contact.port[SERVER]
    const isFirstOfPair = pair.countedSlot === NO_SLOT
    const isFirstOfPort = client.ports.note(port, slot)
    client.servers.add(slot, pair.countedSlot)
    target.clients.add(slot, pair.countedSlot)
    pair.countedSlot = slot
    const isNewService = attempts !== null && client.services.add(slot, attempts.countedSlot)
    if (attempts !== null) attempts.countedSlot = slot
    const isNewPort = isFirstOfPort && !(histories.host(contact.addr[CLIENT])?.ports.includes(port) ?? false)
    const isNewPair = isFirstOfPair && histories.pair(contact.addr[CLIENT], contact.addr[SERVER]) === undefined
    addActivity(client.ring, contact.payloadBytes[CLIENT] ?? 0, contact.outcome === 'failed')
    if (contact.isClientInternal) {
      client.hour = histories.tallyOf(contact.addr[CLIENT], client.hour)
      if (client.hour !== null) noteHour(histories, client.hour, contact, { isFirstOfPort, isNewService, adminTargets })
      const day = Math.floor(histories.hour / 24)
      // Once is no acquaintance: most pairs of a day never meet again.
      if (pair.toldDay !== day && !isFirstOfPair && contact.outcome === 'answered') {
        pair.toldDay = day
        histories.notePair(contact.addr[CLIENT], contact.addr[SERVER])
      }
    }
    return {
      clientFlows: flowsInWindow(client.ring),
      clientFailed: failedInWindow(client.ring),
      clientBytes: bytesInWindow(client.ring),
      clientServers: client.servers.count,
      clientPorts: client.ports.count,
      serverFlows: flowsInWindow(target.ring),
      serverClients: target.clients.count,
      isNewPair,
      isNewPort,
      sinceLastUs: attempts === null ? Number.NaN : attempts.sinceLastUs,
    }
  }

  /** Only of what arrives at the server: what a client gets back is another matter. */
  #noteServed(contact: Contact, target: TargetWindow, { destination, receiver }: Exchange): void {
    const isDrawing = destination !== null && receiver === SERVER
    if (contact.outcome !== 'answered' && !isDrawing) return
    target.served = this.histories.servedTallyOf(contact.addr[SERVER], target.served)
    const tally = target.served
    if (!isDrawing || tally === null) return
    if (contact.proto === TCP) {
      tally.halfOpen = Math.max(tally.halfOpen, destination.inSecond(contact.startUs, 'halfOpen'))
      tally.completed = Math.max(tally.completed, destination.inSecond(contact.startUs, 'completed'))
    } else tally.packets = Math.max(tally.packets, destination.inSecond(contact.lastUs, 'packets'))
  }

  /** The row so far of a flow that is still open at `nowUs`. It counts in nothing that adds up. */
  observeInterim(contact: Contact, nowUs: number): Observed {
    return { ...this.#known(contact), ...this.#exchanges.observeInterim(contact, nowUs) }
  }

  /** What the meter counted in one second for one destination, while its flows are open; null when `contact` is another's. */
  observeCounters(counters: DestinationCounters, contact: Contact): Observed | null {
    const exchange = this.#exchanges.observeCounters(counters, contact, this.#hasAsked)
    return exchange === null ? null : { ...this.#known(contact), ...exchange }
  }

  #known(contact: Contact): Observed {
    const client = this.#clients.peek(contact.addr[CLIENT]) ?? newClient(contact.addr[CLIENT])
    const pair = this.#pairs.peek(contact.addr[CLIENT], contact.addr[SERVER]) ?? newPair()
    const target = this.#targets.peek(contact.addr[SERVER]) ?? newTarget(contact.addr[SERVER])
    return newObserved(client, target, pair)
  }

  /** What the inside client fetched from inside file servers within a day; null when it was nothing much. */
  pullsOf(client: string): Pulls | null {
    return this.#exchanges.pullsOf(client)
  }

  /** True when the address is known to be in use: it sent something, as a client or as a server. */
  hasSent(address: string): boolean {
    return this.#clients.peek(address) !== undefined || this.#targets.peek(address)?.hasSent === true
  }

  /** The five windowed features of a contact just observed. */
  windowFeatures(contact: Contact): Record<string, number | null> {
    const source = this.#clients.peek(contact.addr[CLIENT])
    const target = this.#targets.peek(contact.addr[SERVER])
    if (source === undefined || target === undefined) return {}
    return windowFeatures(source.ring, target.ring, contact.endUs)
  }

  get counters(): Record<string, number> {
    return {
      clientsEvicted: this.#clients.evictedCount,
      targetsEvicted: this.#targets.evictedCount,
      pairsEvicted: this.#pairs.evictedCount,
      servicesEvicted: this.services.evictedCount,
      sessionWindowsEvicted: this.#sessions.evictedCount,
      visibilityPairsNotCounted: this.visibility.saturatedCount,
      backgroundEvicted: this.#background.evictedCount,
      arpEvicted: this.arp.evictedCount,
      censusNotCounted: this.census.notCounted,
      ...this.#exchanges.counters,
      ...this.histories.counters,
    }
  }

  /** A field, so that no closure is made for each contact. */
  readonly #hasAsked = (from: string, to: string, sinceUs: number): boolean => {
    const asClient = this.#pairs.peek(from, to)
    const asServer = this.#pairs.peek(to, from)
    const sinceMs = Math.floor(sinceUs / US_PER_MS)
    return isSince(asClient?.clientSentMs ?? NEVER_MS, sinceMs) || isSince(asServer?.serverSentMs ?? NEVER_MS, sinceMs)
  }

  #noteBackground(contact: Contact): BackgroundDay | null {
    const found = this.#background.observe(contact, this.#sinceMidnightUs)
    if (found === null) return null
    const sources = found.sources.count()
    if (sources !== found.sourcesTold) this.histories.noteNoise(found.prefix, this.#dayOf(found), sources)
    found.sourcesTold = sources
    return found
  }

  /** Since 1970; the windows count days from the run's first midnight. */
  #dayOf({ day }: BackgroundDay): number {
    return this.#firstDay + day
  }

  /** How many sources of background probes the network drew on earlier days. */
  noiseBefore(found: BackgroundDay): readonly number[] {
    return this.histories.noiseBefore(found.prefix, this.#dayOf(found)).map(({ sources }) => sources)
  }

  #noteSession(contact: Contact): SessionWindow | null {
    if (!this.#sessionPorts.has(contact.port[SERVER])) return null
    const clientBytes = contact.payloadBytes[CLIENT]
    const serverBytes = contact.payloadBytes[SERVER]
    if (contact.proto !== TCP || contact.isContinuation || contact.isMidway || !clientBytes || !serverBytes) return null
    const window = this.#sessions.getOrCreate(contact.addr[CLIENT], newSessions, contact.addr[SERVER], contact.port[SERVER])
    const durationUs = contact.lastUs - contact.startUs
    window.add({ flowId: contact.flowId, atUs: contact.startUs, durationUs, clientBytes, serverBytes })
    return window
  }
}

function noteFailure(contact: Contact, client: ClientWindow, pair: PairWindow): void {
  const server = contact.addr[SERVER]
  const port = contact.port[SERVER]
  // A lone ACK or FIN+ACK to a port that answered is the tail of a connection whose row has ended.
  if (contact.failure === 'probe' && pair.answeredPorts.includes(port)) return
  const failure = { server, port, atUs: contact.startUs }
  noteFailedPort(pair, failure)
  // Elsewhere it is as often the end of a connection that began before the capture: of no use to tell scanners across hosts.
  if (pair.hasAnswered || contact.failure === 'probe') return
  if (!pair.isWalkFailure) {
    pair.isWalkFailure = true
    client.walkHeight = step(client.walkHeight, true)
    client.firstFailed++
  }
  noteFailedTarget(client, failure)
  pair.isFailedTarget = true
  client.failures++
  if (isFlatProbe(contact)) client.flatFailures++
}

/** What is neither TCP, UDP nor ICMP. Silence means little of one protocol, as a tunnel seen one way; of many it does. */
function noteProtocol(contact: Contact, pair: PairWindow): void {
  if (contact.proto === ICMP || contact.proto === ICMPV6 || contact.isToGroup || !contact.packets[CLIENT]) return
  if (contact.packets[SERVER] !== 0) return
  pair.protocols ??= new DistinctWindow(SHORT_WINDOW_US, LISTED_MAX)
  pair.protocols.add(contact.proto, contact.startUs)
}

function noteFailedTarget(client: ClientWindow, target: FailedTarget): void {
  if (client.failed === null && client.firstFailure === null) client.firstFailure = target
  else listFailures(client).add(target)
}

function listFailures(client: ClientWindow): FailedTargets {
  client.failed ??= new FailedTargets(LONG_WINDOW_US, LISTED_MAX)
  if (client.firstFailure !== null) client.failed.add(client.firstFailure)
  client.firstFailure = null
  return client.failed
}

function noteFailedPort(pair: PairWindow, failure: FailedTarget): void {
  const { port, atUs } = failure
  pair.firstFailed ??= failure
  if (pair.failedShort === null || pair.failedLong === null) {
    if (pair.firstFailed.port === port) return
    pair.failedShort = new DistinctWindow(SHORT_WINDOW_US, LISTED_MAX)
    pair.failedLong = new DistinctWindow(LONG_WINDOW_US, LISTED_MAX)
    for (const window of [pair.failedShort, pair.failedLong]) window.add(pair.firstFailed.port, pair.firstFailed.atUs)
  }
  pair.failedShort.add(port, atUs)
  pair.failedLong.add(port, atUs)
}

function noteAnswer(contact: Contact, client: ClientWindow, pair: PairWindow): void {
  const port = contact.port[SERVER]
  if (!pair.hasAnswered) {
    pair.hasAnswered = true
    if (pair.isWalkFailure) {
      client.walkHeight = correct(client.walkHeight)
      client.firstFailed--
    } else {
      client.walkHeight = step(client.walkHeight, false)
    }
    client.firstAnswered++
  }
  if (pair.isFailedTarget) listFailures(client).remove(contact.addr[SERVER], port)
  if (pair.firstFailed?.port === port) pair.firstFailed = null
  pair.failedShort?.remove(port)
  pair.failedLong?.remove(port)
  if (pair.answeredPorts === NO_PORTS) pair.answeredPorts = onePort(port)
  else if (pair.answeredPorts.length < ANSWERED_PORTS_MAX && !pair.answeredPorts.includes(port))
    pair.answeredPorts = [...pair.answeredPorts, port]
}

function onePort(port: number): readonly number[] {
  ONE_PORT[port] ??= [port]
  return ONE_PORT[port]
}

function isSince(sentMs: number, sinceMs: number): boolean {
  return sentMs !== NEVER_MS && sentMs >= sinceMs
}

function noteSent(pair: PairWindow, contact: Contact): void {
  const lastMs = Math.floor(contact.lastUs / US_PER_MS)
  if ((contact.packets[CLIENT] ?? 0) > 0 && lastMs > pair.clientSentMs) pair.clientSentMs = lastMs
  if ((contact.packets[SERVER] ?? 0) > 0 && lastMs > pair.serverSentMs) pair.serverSentMs = lastMs
}

function noteHour(
  histories: Histories,
  tally: HourTally,
  contact: Contact,
  { isFirstOfPort, isNewService, adminTargets }: { isFirstOfPort: boolean; isNewService: boolean } & Pick<Exchange, 'adminTargets'>,
): void {
  histories.note(tally, contact, isFirstOfPort)
  if (isNewService) tally.services++
  if (adminTargets !== null) tally.adminServers = Math.max(tally.adminServers, adminTargets.count())
}

function hasPorts(contact: Contact): boolean {
  return contact.proto === TCP || contact.proto === UDP
}

function isFlatProbe(contact: Contact): boolean {
  return (contact.packets[CLIENT] ?? 0) <= 2 && contact.payloadBytes[CLIENT] === 0
}

/** Before it is known what the contact belongs to: one object for each, which is filled in. */
function newObserved(client: ClientWindow, target: TargetWindow, pair: PairWindow): Observed {
  return {
    attempts: null,
    transfers: null,
    datagrams: null,
    echoTargets: null,
    destination: null,
    countedAtUs: null,
    receiver: SERVER,
    reflection: null,
    slow: null,
    adminTargets: null,
    long: null,
    client,
    target,
    pair,
    activity: NO_ACTIVITY,
    sessions: null,
    background: null,
  }
}

function newSessions(): SessionWindow {
  return new SessionWindow()
}

function newClient(address: string): ClientWindow {
  return {
    address,
    ring: sourceRing(),
    walkHeight: 0,
    firstFailed: 0,
    firstAnswered: 0,
    failed: null,
    firstFailure: null,
    flatFailures: 0,
    failures: 0,
    servers: new RotatingCount(),
    services: new RotatingCount(),
    ports: new PortUse(),
    hour: null,
    votes: null,
    activeSlot: NO_SLOT,
    shareSlot: NOT_SHARED,
    sharePairs: 0,
  }
}

function newTarget(address: string): TargetWindow {
  return {
    address,
    ring: targetRing(),
    clients: new RotatingCount(),
    votes: null,
    served: null,
    hasSent: false,
    shareSlot: NOT_SHARED,
    sharePairs: 0,
  }
}

export function newVotes(): VoteTally {
  return { minute: NO_SLOT, group: 0, flows: 0, others: null }
}

function newPair(): PairWindow {
  return {
    hasAnswered: false,
    isWalkFailure: false,
    isFailedTarget: false,
    firstFailed: null,
    failedShort: null,
    failedLong: null,
    protocols: null,
    answeredPorts: NO_PORTS,
    clientSentMs: NEVER_MS,
    serverSentMs: NEVER_MS,
    firstService: null,
    countedSlot: NO_SLOT,
    toldDay: NO_SLOT,
    suspectUntilMs: NEVER_MS,
    shareSlot: NOT_SHARED,
    shareStanding: 'half',
  }
}
