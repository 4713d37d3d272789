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
import { TCP, UDP } from '../flow/flow.ts'
import type { Activity } from './activity.ts'
import { activitySlot, NO_SLOT } from './activity.ts'
import { ArpTable } from './arp-table.ts'
import type { BackgroundDay } from './background.ts'
import { Background } from './background.ts'
import { BoundedTable, TableClock } from './bounded-table.ts'
import { CaptureHistory } from './capture-history.ts'
import { Census } from './census.ts'
import type { Contact } from './contact.ts'
import { CLIENT, SERVER } from './contact.ts'
import type { Exchange, KnownHosts } from './exchanges.ts'
import { Exchanges } from './exchanges.ts'
import { Histories } from './histories.ts'
import type { HourTally } from './host-history.ts'
import type { CONTEXT_OPTIONS } from './options.ts'
import { noteAnswer, noteFailure, noteProtocol } from './outcomes.ts'
import type { Pulls } from './pulls.ts'
import { Services } from './services.ts'
import { SessionWindow } from './sessions.ts'
import { VisibilityShare } from './visibility-share.ts'
import { addActivity, addToSource, addToTarget, bytesInWindow, failedInWindow, flowsInWindow, windowFeatures } from './window-features.ts'
import type { ClientWindow, Observed, PairWindow, TargetWindow } from './windows.ts'
import { NEVER_MS, newClient, newObserved, newPair, newTarget } from './windows.ts'

const MINUTE_US = 60e6
const HOUR_US = 3600e6
/** How long a quiet host, pair or session window is remembered. A pair's age is what "first contact" means. */
const HOST_QUIET_US = 2 * HOUR_US
const PAIR_QUIET_US = 24 * HOUR_US
const SESSIONS_QUIET_US = 15 * MINUTE_US

const US_PER_MS = 1000

export class Context implements KnownHosts {
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
    this.#exchanges = new Exchanges(limits, this.#clock, this)
    this.#background = new Background(this.#clock)
    this.#clients = new BoundedTable<ClientWindow>(options.hosts_max, HOST_QUIET_US, this.#clock, takeSeat)
    // Targets apart from clients: a scan of a million addresses must not push the clients out.
    this.#targets = new BoundedTable<TargetWindow>(options.hosts_max, HOST_QUIET_US, this.#clock, takeSeat)
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
    const pair = this.#pairOf(contact)
    const { client, target } = pair
    this.visibility.observe(contact, pair)
    this.services.observe(contact, target)
    this.census.observe(contact)
    addToSource(client.ring, contact.endUs, contact.proto, contact.packets[CLIENT] ?? 0, contact.hasSyn)
    addToTarget(target.ring, contact.endUs)
    if (contact.halves !== 'orig' || contact.failure === 'refused') target.hasSent = true
    if (!hasPorts(contact)) noteProtocol(contact, pair)
    else if (contact.outcome === 'failed') noteFailure(contact, client, pair)
    if (contact.outcome === 'answered') noteAnswer(contact, client, pair)
    const observed = newObserved(client, target, pair)
    this.#exchanges.observe(contact, observed)
    noteSent(pair, contact)
    if (contact.isServerInternal) this.#noteServed(contact, target, observed)
    observed.sessions = this.#noteSession(contact)
    observed.background = this.#noteBackground(contact)
    observed.activity = this.#noteActivity(contact, observed)
    return observed
  }

  /** What is known of the two hosts, made where it is not. Gives the contact the texts of its addresses that are kept already. */
  #pairOf(contact: Contact): PairWindow {
    const known = this.#pairs.get(contact.addr[CLIENT], contact.addr[SERVER])
    if (known !== undefined && this.#clients.stay(known.client.seat) && this.#targets.stay(known.target.seat)) {
      contact.addr = [known.client.address, known.target.address]
      return known
    }
    const client = this.#clients.getOrCreate(contact.addr[CLIENT], newClient)
    const target = this.#targets.getOrCreate(contact.addr[SERVER], newTarget)
    // In place of equal new ones: they are told equal at a glance, and all tables keep the same.
    contact.addr = [client.address, target.address]
    const pair = known ?? this.#pairs.getOrCreate(client.address, () => newPair(client, target), target.address)
    pair.client = client
    pair.target = target
    return pair
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
    const exchange = this.#exchanges.observeCounters(counters, contact)
    return exchange === null ? null : { ...this.#known(contact), ...exchange }
  }

  #known(contact: Contact): Observed {
    const client = this.#clients.peek(contact.addr[CLIENT]) ?? newClient(contact.addr[CLIENT])
    const target = this.#targets.peek(contact.addr[SERVER]) ?? newTarget(contact.addr[SERVER])
    const pair = this.#pairs.peek(contact.addr[CLIENT], contact.addr[SERVER]) ?? newPair(client, target)
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

  /** Whether `from` sent `to` anything since a time. */
  hasAsked(from: string, to: string, sinceUs: number): boolean {
    const asClient = this.#pairs.peek(from, to)
    const asServer = this.#pairs.peek(to, from)
    const sinceMs = Math.floor(sinceUs / US_PER_MS)
    return isSince(asClient?.clientSentMs ?? NEVER_MS, sinceMs) || isSince(asServer?.serverSentMs ?? NEVER_MS, sinceMs)
  }

  waitingOf(address: string): TargetWindow | null {
    return this.#targets.peek(address) ?? null
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

function takeSeat(host: { seat: number }, seat: number): void {
  host.seat = seat
}

function newSessions(): SessionWindow {
  return new SessionWindow()
}
