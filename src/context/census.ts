/**
 * How usual a destination is here: which inside hosts use a port, and which go to a part of the Internet.
 *
 * In:  contacts of inside clients. Out: distinct inside clients by server port and by server network, and in all, over the present
 *      day of the run and the one before.
 * Not: exact beyond CLIENTS_NAMED: "used by many" is all that anyone asks.
 * The invariant: plain maps with a limit, turned once a day; what comes past the limit is counted and is used by nobody known.
 */

import type { Contact } from './contact.ts'
import { CLIENT, SERVER } from './contact.ts'

const CLIENTS_NAMED = 8
const HOSTS_COUNTED_MAX = 1024
const DAY_US = 24 * 3600e6
const PORTS = 65_536

/** A number is a protocol and port, a text a network. */
type Key = number | string

export class Census {
  /** Ports and networks not counted because a day's map was full. */
  notCounted = 0
  readonly #entriesMax: number
  readonly #hosts = new Set<string>()
  #day = Number.NEGATIVE_INFINITY
  #now = new Map<Key, string[]>()
  #before = new Map<Key, string[]>()

  constructor(entriesMax: number) {
    this.#entriesMax = entriesMax
  }

  advance(nowUs: number): void {
    const day = Math.floor(nowUs / DAY_US)
    if (day <= this.#day) return
    this.#before = day === this.#day + 1 ? this.#now : new Map()
    this.#now = new Map()
    this.#day = day
  }

  observe(contact: Contact): void {
    if (!contact.isClientInternal || !contact.packets[CLIENT]) return
    const client = contact.addr[CLIENT]
    if (this.#hosts.size < HOSTS_COUNTED_MAX) this.#hosts.add(client)
    this.#note(contact.proto * PORTS + contact.port[SERVER], client)
    if (!contact.isServerInternal) this.#note(networkOf(contact.addr[SERVER]), client)
  }

  /** Inside hosts seen as clients since the start, up to HOSTS_COUNTED_MAX. */
  get hosts(): number {
    return this.#hosts.size
  }

  /** Up to CLIENTS_NAMED, or a little more when they differ from day to day. */
  portUsers(proto: number, port: number): number {
    return this.#users(proto * PORTS + port)
  }

  /** Inside hosts that went to the server's network: /16, or /32 of IPv6. */
  networkUsers(server: string): number {
    return this.#users(networkOf(server))
  }

  #users(key: Key): number {
    const now = this.#now.get(key) ?? []
    const before = this.#before.get(key) ?? []
    return now.length + before.filter((client) => !now.includes(client)).length
  }

  #note(key: Key, client: string): void {
    const clients = this.#now.get(key)
    if (clients === undefined) {
      if (this.#now.size < this.#entriesMax) this.#now.set(key, [client])
      else this.notCounted++
    } else if (clients.length < CLIENTS_NAMED && !clients.includes(client)) clients.push(client)
  }
}

export function networkOf(address: string): string {
  const colon = address.indexOf(':')
  const separator = colon < 0 ? '.' : ':'
  const second = address.indexOf(separator, address.indexOf(separator) + 1)
  return second < 0 ? address : address.slice(0, second)
}
