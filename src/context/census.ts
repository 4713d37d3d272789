/**
 * How usual a destination is here: which inside hosts use a port, and which go to a part of the Internet.
 *
 * In:  contacts of inside clients. Out: distinct inside clients by server port, by server network, and in all.
 * Not: exact beyond CLIENTS_NAMED: "used by many" is all that anyone asks.
 */

import { BoundedTable } from './bounded-table.ts'
import type { Contact } from './contact.ts'
import { CLIENT, SERVER } from './contact.ts'

const CLIENTS_NAMED = 8
const PORTS = 65_536
const PORT_ENTRIES_MAX = 16_384
const HOSTS_COUNTED_MAX = 1024
const REMEMBERED_US = 24 * 3600e6

export class Census {
  readonly #users: BoundedTable<string[]>
  /** Ports by number; those past PORT_ENTRIES_MAX count as used by nobody known, and are counted. */
  readonly #portUsers = new Map<number, string[]>()
  portsNotCounted = 0
  readonly #hosts = new Set<string>()

  constructor(max: number) {
    this.#users = new BoundedTable(max, REMEMBERED_US)
  }

  advance(nowUs: number): void {
    this.#users.advance(nowUs)
  }

  observe(contact: Contact): void {
    if (!contact.isClientInternal || !contact.packets[CLIENT]) return
    const client = contact.addr[CLIENT]
    if (this.#hosts.size < HOSTS_COUNTED_MAX) this.#hosts.add(client)
    this.#notePort(contact.proto * PORTS + contact.port[SERVER], client)
    if (!contact.isServerInternal) note(this.#users, networkKey(contact.addr[SERVER]), client)
  }

  /** Inside hosts seen as clients, up to HOSTS_COUNTED_MAX. */
  get hosts(): number {
    return this.#hosts.size
  }

  /** Up to CLIENTS_NAMED. */
  portUsers(proto: number, port: number): number {
    return this.#portUsers.get(proto * PORTS + port)?.length ?? 0
  }

  /** Inside hosts that went to the server's network: /16, or /32 of IPv6. Up to CLIENTS_NAMED. */
  networkUsers(server: string): number {
    return this.#users.peek(networkKey(server))?.length ?? 0
  }

  #notePort(key: number, client: string): void {
    const clients = this.#portUsers.get(key)
    if (clients === undefined) {
      if (this.#portUsers.size < PORT_ENTRIES_MAX) this.#portUsers.set(key, [client])
      else this.portsNotCounted++
    } else if (clients.length < CLIENTS_NAMED && !clients.includes(client)) clients.push(client)
  }

  get evictedCount(): number {
    return this.#users.evictedCount
  }
}

function note(users: BoundedTable<string[]>, key: string, client: string): void {
  const clients = users.getOrCreate(key, () => [])
  if (clients.length < CLIENTS_NAMED && !clients.includes(client)) clients.push(client)
}

function networkKey(address: string): string {
  const colon = address.indexOf(':')
  const separator = colon < 0 ? '.' : ':'
  const second = address.indexOf(separator, address.indexOf(separator) + 1)
  return second < 0 ? address : address.slice(0, second)
}
