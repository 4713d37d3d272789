/**
 * Who has answered whom on which port: the server table, and outages.
 *
 * In:  contacts. Out: whether an address is a known server on a port; how many clients fail towards a service that worked before.
 * Not: a service nobody has seen answer. A scan of 65,536 closed ports leaves no trace here.
 */

import { BoundedTable, type TableClock } from './bounded-table.ts'
import type { Contact } from './contact.ts'
import { CLIENT, SERVER } from './contact.ts'
import { DistinctWindow } from './distinct-window.ts'

/** A server is known once this many distinct clients were answered (SCORER.md section 3). */
const KNOWN_CLIENTS_MIN = 3
/** "Worked before" reaches this far back (SCORER.md B7). */
const WORKED_WITHIN_US = 24 * 3600e6
const OUTAGE_BUCKET_US = 5 * 60e6
const FAILING_CLIENTS_EXACT = 16

/** Lists are made as long as they need to be: one that is pushed to has room for seventeen. */
const NO_CLIENTS: readonly string[] = []

export interface Service {
  /** The first distinct clients that were answered, up to KNOWN_CLIENTS_MIN. */
  answered: readonly string[]
  /** Clients that failed since the last answer. */
  failing: DistinctWindow<string> | null
}

/** What a server remembers of the service that it was asked for last: most have one. */
export interface ServiceMemo {
  serviceKey: number
  service: Service | null
  /** When it was looked up. */
  serviceSeenMs: number
}

/** For so long the memo stands for the table, which remembers a hundred times as long. */
const MEMO_MS = 600_000

export class Services {
  readonly #clock: TableClock
  readonly #table: BoundedTable<Service>
  /** When each server first answered on any port. */
  readonly #hosts: BoundedTable<{ sinceUs: number }>
  #newest = { flowId: Number.NaN, ageUs: 0 }

  constructor(max: number, clock: TableClock) {
    this.#clock = clock
    this.#table = new BoundedTable(max, WORKED_WITHIN_US, clock)
    this.#hosts = new BoundedTable(max, WORKED_WITHIN_US, clock)
  }

  /** @param memo the server's. */
  observe(contact: Contact, memo: ServiceMemo): void {
    const server = contact.addr[SERVER]
    const key = serviceKey(contact.proto, contact.port[SERVER])
    const client = contact.addr[CLIENT]
    if (contact.outcome === 'failed') {
      // `peek`: failing makes nothing younger; only an answer shows that the service lives.
      const service = this.#table.peek(server, '', key)
      if (service === undefined) return
      service.failing ??= new DistinctWindow(OUTAGE_BUCKET_US, FAILING_CLIENTS_EXACT)
      service.failing.add(client, contact.startUs)
      return
    }
    if (!isAnswer(contact)) return
    const service = this.#answering(contact, key, memo)
    service.failing = null
    if (service.answered.length < KNOWN_CLIENTS_MIN && !service.answered.includes(client)) service.answered = [...service.answered, client]
  }

  #answering(contact: Contact, key: number, memo: ServiceMemo): Service {
    const nowMs = Math.floor(this.#clock.nowMs)
    if (memo.service !== null && memo.serviceKey === key && nowMs - memo.serviceSeenMs < MEMO_MS) return memo.service
    memo.service = this.#table.getOrCreate(contact.addr[SERVER], () => this.#newService(contact), '', key)
    memo.serviceKey = key
    memo.serviceSeenMs = nowMs
    return memo.service
  }

  isKnownServer(address: string, proto: number, port: number): boolean {
    return this.answeredClients(address, proto, port) >= KNOWN_CLIENTS_MIN
  }

  /** Distinct clients that it has answered, counted up to the number that makes a server known. */
  answeredClients(address: string, proto: number, port: number): number {
    return this.#table.peek(address, '', serviceKey(proto, port))?.answered.length ?? 0
  }

  /** How long the server of a contact just observed had been known when this service first answered, µs; null for later answers. */
  newServiceOf(contact: Contact): number | null {
    return this.#newest.flowId === contact.flowId ? this.#newest.ageUs : null
  }

  #newService(contact: Contact): Service {
    const host = this.#hosts.getOrCreate(contact.addr[SERVER], () => ({ sinceUs: contact.startUs }))
    this.#newest = { flowId: contact.flowId, ageUs: contact.startUs - host.sinceUs }
    return { answered: NO_CLIENTS, failing: null }
  }

  /** Clients failing towards a service that has worked before; 0 when it works or was never seen to work. */
  failingClients(address: string, proto: number, port: number, nowUs: number): number {
    const failing = this.#table.peek(address, '', serviceKey(proto, port))?.failing
    if (failing === undefined || failing === null) return 0
    failing.advance(nowUs)
    return failing.count()
  }

  get evictedCount(): number {
    return this.#table.evictedCount + this.#hosts.evictedCount
  }
}

/** A server half alone is an answer, too: it could not exist otherwise. */
function isAnswer(contact: Contact): boolean {
  if (!contact.isOrientationSure) return false
  return contact.outcome === 'answered' || (contact.halves === 'resp' && contact.hasExchange)
}

/** Of one host, or of two. */
export function serviceKey(proto: number, port: number): number {
  return proto * 65_536 + port
}
