/**
 * The windows of pairs, services and destinations that single detectors read: one table a kind of question.
 *
 * In:  contacts in row order; interim rows of open flows; the meter's counters by destination and second.
 * Out: for the contact just observed, the windows it belongs to; null where it belongs to none.
 * Not: who sent whom something lately, nor what a host drew: the context's, which knows all of them (`KnownHosts`).
 * The invariant: each table is bounded, and `counters` says how often its limit took an entry.
 */

import type { DestinationCounters } from '../flow/destination-counters.ts'
import { ICMP, ICMPV6, TCP, UDP } from '../flow/flow.ts'
import { AttemptSeries } from './attempts.ts'
import { BoundedTable, type TableClock } from './bounded-table.ts'
import type { Contact } from './contact.ts'
import { CLIENT, SERVER } from './contact.ts'
import { Datagrams } from './datagrams.ts'
import type { DestinationRow, DestinationWindow, Waiting } from './destination-windows.ts'
import { DestinationWindows } from './destination-windows.ts'
import { DistinctWindow } from './distinct-window.ts'
import { EchoTargets } from './echo-targets.ts'
import { Pulls } from './pulls.ts'
import { Reflection } from './reflections.ts'
import { serviceKey } from './services.ts'
import { SlowConnections } from './slow-connections.ts'
import { Transfers } from './transfers.ts'

const US_PER_S = 1e6
const HOUR_US = 3600 * US_PER_S
const DAY_US = 24 * HOUR_US
const TEN_MINUTES_US = 600 * US_PER_S

const DNS_PORT = 53
const DHCP_PORT = 67
const ANY_DHCP_SERVER = 'dhcp'
/** Types of a row's first packet: a request, or the reply to one that came before the capture. */
const ECHOES: ReadonlySet<number> = new Set([8, 128, 0, 129])
/** A row that carries less both ways is no transfer worth an entry. */
const TRANSFER_BYTES_MIN = 10_000
/** SCORER.md D13: a connection that lasted this long and carried no more than this counts as slow. */
const SLOW_US_MIN = 10 * US_PER_S
const SLOW_CLIENT_BPS_MAX = 50
const SLOW_SERVER_BYTES_MAX = 2000
/** Remote administration (SCORER.md D15). */
export const ADMIN_PORTS: ReadonlySet<number> = new Set([22, 135, 139, 445, 1433, 3389, 5900, 5985, 5986])
/** Where files and databases are fetched from; a row that brought less is no gathering. */
const FILE_PORTS: ReadonlySet<number> = new Set([20, 21, 22, 139, 445, 548, 873, 989, 990, 1433, 1521, 2049, 3306, 5432])
const PULLED_BYTES_MIN = 1e6
/** Nobody asked within this time: what comes is unsolicited (SCORER.md D7). */
const ASKED_WITHIN_US = 60 * US_PER_S
/** Nearly all packets of a second came from one port of their senders. */
const ONE_PORT_SHARE_MIN = 0.9
/** A row this long, or a later piece of one, is a long connection's. */
const LONG_US_MIN = 100 * US_PER_S

export interface ExchangeLimits {
  series: number
  hosts: number
  destinationWindows: number
}

/** What is asked of the context about hosts beside those of the contact. */
export interface KnownHosts {
  /** Whether `from` sent `to` anything since a time. */
  hasAsked(from: string, to: string, sinceUs: number): boolean
  /** What the host remembers of what it drew; null when it is not known as a server. */
  waitingOf(address: string): Waiting | null
}

export interface LongConnection {
  startUs: number
  lastUs: number
  clientBytes: number
  serverBytes: number
  rows: number
}

export interface Exchange {
  /** Connections of this client to this service; null for later pieces and group addresses. */
  attempts: AttemptSeries | null
  /** Payload between the two hosts, last hour. */
  transfers: Transfers | null
  /** Datagrams of a client and a name server, or echoes between two hosts. */
  datagrams: Datagrams | null
  echoTargets: EchoTargets | null
  /** What arrives at the receiver of this contact; null while it draws little. */
  destination: DestinationWindow | null
  /** The second that `destination` was just told the counters of; null when a row was. */
  countedAtUs: number | null
  /** Who received, and who sent, for `destination` and `reflection`. */
  receiver: 0 | 1
  reflection: Reflection | null
  slow: SlowConnections | null
  /** 'port server' of administration services that answered this client, last one to two hours. */
  adminTargets: DistinctWindow<string> | null
  long: LongConnection | null
}

export class Exchanges {
  readonly #hosts: KnownHosts
  readonly #attempts: BoundedTable<AttemptSeries>
  readonly #transfers: BoundedTable<Transfers>
  readonly #datagrams: BoundedTable<Datagrams>
  readonly #echoTargets: BoundedTable<EchoTargets>
  readonly #destinations: DestinationWindows
  readonly #reflections: BoundedTable<Reflection>
  readonly #slow: BoundedTable<SlowConnections>
  readonly #adminTargets: BoundedTable<DistinctWindow<string>>
  readonly #long: BoundedTable<LongConnection>
  readonly #pulls: BoundedTable<Pulls>

  constructor(limits: ExchangeLimits, clock: TableClock, known: KnownHosts) {
    this.#hosts = known
    const { series, hosts } = limits
    this.#attempts = new BoundedTable(series, DAY_US, clock)
    this.#transfers = new BoundedTable(series, HOUR_US, clock)
    this.#datagrams = new BoundedTable(Math.ceil(series / 4), HOUR_US, clock)
    this.#echoTargets = new BoundedTable(Math.ceil(series / 4), TEN_MINUTES_US, clock)
    this.#destinations = new DestinationWindows(hosts, limits.destinationWindows, clock)
    this.#reflections = new BoundedTable(Math.ceil(series / 4), TEN_MINUTES_US, clock)
    this.#slow = new BoundedTable(limits.destinationWindows, TEN_MINUTES_US, clock)
    this.#adminTargets = new BoundedTable(Math.ceil(series / 4), 2 * HOUR_US, clock)
    this.#long = new BoundedTable(Math.ceil(series / 4), HOUR_US, clock)
    this.#pulls = new BoundedTable(Math.ceil(series / 4), DAY_US, clock)
  }

  /**
   * @param out filled with the windows that the contact belongs to; `pair` and `target` are what is remembered of the two hosts.
   */
  observe(contact: Contact, out: Exchange & { readonly pair: { firstService: AttemptSeries | null }; readonly target: Waiting }): void {
    const receiver = receiverOf(contact)
    out.attempts = this.#noteAttempt(contact, out.pair)
    out.transfers = this.#noteTransfer(contact)
    out.datagrams = this.#noteDatagrams(contact)
    out.echoTargets = this.#noteEchoTarget(contact)
    out.destination = this.#noteDestination(contact, receiver, out.target)
    out.receiver = receiver
    out.reflection = this.#noteReflection(contact, receiver)
    out.slow = this.#noteSlow(contact, null)
    out.adminTargets = this.#noteAdminTarget(contact)
    out.long = this.#noteLong(contact)
  }

  /** A row so far of a flow still open at `nowUs`: only what replaces and never adds may take it. */
  observeInterim(contact: Contact, nowUs: number): Pick<Exchange, 'slow'> {
    return { slow: this.#noteSlow(contact, nowUs) }
  }

  /**
   * What the meter counted in one second, and one of the flows towards that destination; null when the flow's receiver is another
   * host, as when ports tell that its server was taken for who began it: then rows alone are judged.
   */
  observeCounters(
    counters: DestinationCounters,
    contact: Contact,
  ): Pick<Exchange, 'destination' | 'countedAtUs' | 'receiver' | 'reflection'> | null {
    const receiver = receiverOf(contact)
    if (contact.addr[receiver] !== counters.destination) return null
    const destination = this.#destinations.noteCounters(counters, destinationName(contact, receiver))
    return { destination, countedAtUs: counters.atUs, receiver, reflection: this.#countReflection(counters, contact, receiver) }
  }

  /** What the inside client fetched from inside file servers within a day; null when it was nothing much. */
  pullsOf(client: string): Pulls | null {
    return this.#pulls.peek(client) ?? null
  }

  get counters(): Record<string, number> {
    return {
      attemptSeriesEvicted: this.#attempts.evictedCount,
      transfersEvicted: this.#transfers.evictedCount,
      datagramsEvicted: this.#datagrams.evictedCount,
      echoTargetsEvicted: this.#echoTargets.evictedCount,
      ...this.#destinations.counters,
      reflectionsEvicted: this.#reflections.evictedCount,
      slowConnectionsEvicted: this.#slow.evictedCount,
      adminTargetsEvicted: this.#adminTargets.evictedCount,
      longConnectionsEvicted: this.#long.evictedCount,
      pullsEvicted: this.#pulls.evictedCount,
    }
  }

  #noteAttempt(contact: Contact, pair: { firstService: AttemptSeries | null }): AttemptSeries | null {
    if (!hasPorts(contact) || contact.isContinuation || contact.isToGroup || !contact.packets[CLIENT]) return null
    if (contact.proto === TCP && !contact.hasSyn) return null
    const series = this.#seriesOf(contact, pair)
    const attempt = {
      flowId: contact.flowId,
      atUs: contact.startUs,
      clientBytes: contact.payloadBytes[CLIENT] ?? 0,
      serverBytes: contact.payloadBytes[SERVER] ?? 0,
      durationUs: contact.lastUs - contact.startUs,
      isAnswered: contact.outcome === 'answered',
    }
    series.add(attempt, contact.outcome === 'failed', contact.port[CLIENT])
    return series
  }

  #seriesOf(contact: Contact, pair: { firstService: AttemptSeries | null }): AttemptSeries {
    const { proto } = contact
    const port = contact.port[SERVER]
    const key = serviceKey(proto, port)
    // The series of a pair's first service is kept with the pair: most pairs have no other.
    pair.firstService ??= new AttemptSeries(key)
    if (pair.firstService.service === key) return pair.firstService
    return this.#attempts.getOrCreate(contact.addr[CLIENT], () => new AttemptSeries(key), contact.addr[SERVER], key)
  }

  #noteTransfer(contact: Contact): Transfers | null {
    const [clientBytes, serverBytes] = contact.payloadBytes
    if (clientBytes === null || serverBytes === null || clientBytes + serverBytes < TRANSFER_BYTES_MIN) return null
    const transfers = this.#transfers.getOrCreate(contact.addr[CLIENT], newTransfers, contact.addr[SERVER], contact.port[SERVER])
    transfers.add(clientBytes, serverBytes, contact.startUs, contact.lastUs)
    if (serverBytes >= PULLED_BYTES_MIN && contact.isClientInternal && contact.isServerInternal && FILE_PORTS.has(contact.port[SERVER])) {
      this.#pulls.getOrCreate(contact.addr[CLIENT], newPulls).add(contact.addr[SERVER], serverBytes, contact.lastUs)
    }
    return transfers
  }

  #noteDatagrams(contact: Contact): Datagrams | null {
    // What outside hosts ask of a name server here is no tunnel of one of ours; forged senders would take the room of all others.
    const isFromOutside = !contact.isClientInternal && contact.isServerInternal
    const isName = contact.proto === UDP && contact.port[SERVER] === DNS_PORT && !isFromOutside
    if (!(isName || isEcho(contact)) || contact.isToGroup) return null
    // Both ends of a tunnel send requests: one window for the two hosts, whoever asks.
    const hosts = isName ? contact.addr : [...contact.addr].sort()
    const datagrams = this.#datagrams.getOrCreate(hosts[0], () => new Datagrams(contact.addr[CLIENT]), hosts[1], contact.proto)
    datagrams.add(contact)
    return datagrams
  }

  #noteEchoTarget(contact: Contact): EchoTargets | null {
    if (!isEcho(contact) || !contact.packets[CLIENT]) return null
    const targets = this.#echoTargets.getOrCreate(contact.addr[CLIENT], () => new EchoTargets())
    const isAnswered = (contact.packets[SERVER] ?? 0) > 0
    targets.note(contact.addr[SERVER], contact.isToGroup || contact.addr[SERVER].endsWith('.0'), isAnswered, contact.startUs)
    return targets
  }

  #noteDestination(contact: Contact, receiver: 0 | 1, target: Waiting): DestinationWindow | null {
    const sender = receiver === SERVER ? CLIENT : SERVER
    const packets = contact.packets[sender] ?? 0
    const name = destinationName(contact, receiver)
    const own = name === ANY_DHCP_SERVER ? null : receiver === SERVER ? target : this.#hosts.waitingOf(name)
    const window = this.#destinations.windowFor(name, contact.proto, contact.startUs, packets, own)
    if (window === null) return null
    const isIcmp = contact.proto === ICMP || contact.proto === ICMPV6
    window.add({
      source: contact.addr[sender],
      sourcePort: isIcmp ? 0 : contact.port[sender],
      port: isIcmp ? 0 : contact.port[receiver],
      startUs: contact.startUs,
      lastUs: contact.lastUs,
      packets,
      bytes: contact.payloadBytes[sender] ?? 0,
      squares: contact.payloadSquares?.[sender] ?? null,
      replies: contact.packets[receiver] ?? 0,
      outcome: connectionOutcome(contact),
      isUnreachable: contact.failure === 'unreachable',
    })
    return window
  }

  #noteReflection(contact: Contact, receiver: 0 | 1): Reflection | null {
    const sender = receiver === SERVER ? CLIENT : SERVER
    if (contact.isContinuation || contact.isToGroup || (contact.packets[receiver] ?? 1) > 0) return null
    // A TCP answer without its question is a SYN-ACK or a lone reset; orientation made its sender the server.
    if (contact.proto !== UDP && !(contact.proto === TCP && receiver === CLIENT && !contact.hasExchange)) return null
    if (contact.port[sender] === contact.port[receiver] && contact.proto === UDP) return null
    if (this.#hosts.hasAsked(contact.addr[receiver], contact.addr[sender], contact.startUs - ASKED_WITHIN_US)) return null
    const key = serviceKey(contact.proto, contact.proto === TCP ? 0 : contact.port[sender])
    const reflection = this.#reflections.getOrCreate(contact.addr[receiver], newReflection, '', key)
    reflection.add({
      flowId: contact.flowId,
      sender: contact.addr[sender],
      startUs: contact.startUs,
      lastUs: contact.lastUs,
      packets: contact.packets[sender] ?? 0,
      bytes: contact.payloadBytes[sender] ?? 0,
    })
    return reflection
  }

  /** Datagrams of one second from one port, to a host that had asked none of their senders and that answers none. */
  #countReflection(counters: DestinationCounters, contact: Contact, receiver: 0 | 1): Reflection | null {
    const { amounts, sourcePort, sources, atUs } = counters
    const sender = receiver === SERVER ? CLIENT : SERVER
    if (contact.proto !== UDP || contact.isToGroup || amounts.replies > 0 || contact.port[sender] !== sourcePort.port) return null
    if (contact.port[sender] === contact.port[receiver] || sourcePort.packets < ONE_PORT_SHARE_MIN * amounts.packets) return null
    const to = contact.addr[receiver]
    // When one of the senders was asked, only the rows will tell whose the packets are.
    if (sources.some((source) => this.#hosts.hasAsked(to, source, atUs - ASKED_WITHIN_US))) return null
    const reflection = this.#reflections.getOrCreate(to, newReflection, '', serviceKey(contact.proto, sourcePort.port))
    reflection.addCounters(counters, contact.flowId)
    return reflection
  }

  /** @param openUntilUs when the connection was still open; null when the row has ended. */
  #noteSlow(contact: Contact, openUntilUs: number | null): SlowConnections | null {
    // A capture begins while an attack goes on: who exchanges segments has completed the connection before.
    const isOpen = contact.hasCompleted || contact.isContinuation || (contact.isMidway && contact.halves === 'both')
    if (contact.proto !== TCP || !isOpen) return null
    const { flowId, startUs } = contact
    // The other FIN may be lost, and the row still open.
    const lastUs = contact.isClosing ? contact.lastUs : (openUntilUs ?? contact.lastUs)
    const seconds = (lastUs - startUs) / US_PER_S
    const clientBytes = contact.payloadBytes[CLIENT] ?? 0
    const serverBytes = contact.payloadBytes[SERVER] ?? 0
    const isSlow = clientBytes <= SLOW_CLIENT_BPS_MAX * seconds && serverBytes <= SLOW_SERVER_BYTES_MAX
    if (!isSlow || (lastUs - startUs < SLOW_US_MIN && !contact.isContinuation)) return null
    const slow = this.#slow.getOrCreate(
      contact.addr[CLIENT],
      newSlow,
      contact.addr[SERVER],
      serviceKey(contact.proto, contact.port[SERVER]),
    )
    slow.add({ flowId, startUs, lastUs, clientBytes, serverBytes, clientPackets: contact.packets[CLIENT] ?? 0 }, openUntilUs !== null)
    return slow
  }

  #noteAdminTarget(contact: Contact): DistinctWindow<string> | null {
    if (!contact.isClientInternal || !contact.isServerInternal || !ADMIN_PORTS.has(contact.port[SERVER])) return null
    if (contact.proto !== TCP || contact.outcome !== 'answered' || !contact.payloadBytes[SERVER]) return null
    const targets = this.#adminTargets.getOrCreate(contact.addr[CLIENT], () => new DistinctWindow<string>(HOUR_US, 256))
    targets.add(`${contact.port[SERVER]} ${contact.addr[SERVER]}`, contact.startUs)
    return targets
  }

  #noteLong(contact: Contact): LongConnection | null {
    if (!contact.isContinuation && contact.lastUs - contact.startUs < LONG_US_MIN) return null
    const long = this.#long.getOrCreate(
      '',
      () => ({
        startUs: contact.startUs,
        lastUs: contact.lastUs,
        clientBytes: 0,
        serverBytes: 0,
        rows: 0,
      }),
      '',
      contact.flowId,
    )
    long.lastUs = Math.max(long.lastUs, contact.lastUs)
    long.clientBytes += contact.payloadBytes[CLIENT] ?? 0
    long.serverBytes += contact.payloadBytes[SERVER] ?? 0
    long.rows++
    return long
  }
}

function newPulls(): Pulls {
  return new Pulls()
}

function newTransfers(): Transfers {
  return new Transfers()
}

function newReflection(): Reflection {
  return new Reflection()
}

function newSlow(): SlowConnections {
  return new SlowConnections()
}

function receiverOf(contact: Contact): 0 | 1 {
  return contact.packets[CLIENT] ? SERVER : CLIENT
}

/** Requests for addresses go to all: they are counted as if to one place. */
function destinationName(contact: Contact, receiver: 0 | 1): string {
  const isAddressRequest = contact.proto === UDP && contact.port[SERVER] === DHCP_PORT
  return isAddressRequest ? ANY_DHCP_SERVER : contact.addr[receiver]
}

function connectionOutcome(contact: Contact): DestinationRow['outcome'] {
  if (contact.proto !== TCP || contact.isContinuation) return null
  if (contact.isStray) return 'stray'
  if (!contact.hasSyn) return null
  if (contact.hasCompleted) return 'completed'
  // What the client itself resets was never meant to be used: the system of a host that sends bare SYNs does so by itself.
  return contact.failure === 'refused' ? 'refused' : 'halfOpen'
}

function hasPorts(contact: Contact): boolean {
  return contact.proto === TCP || contact.proto === UDP
}

function isEcho(contact: Contact): boolean {
  return (contact.proto === ICMP || contact.proto === ICMPV6) && ECHOES.has(contact.port[0])
}
