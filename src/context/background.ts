/**
 * The Internet's own noise: probes from outside that nothing inside answered, by protected prefix and day.
 *
 * In:  inbound contacts that failed. Out: sources, ports and probes of the present UTC day for the prefix of a contact.
 * Not: who did what. One exposed host draws a thousand sources a day; one line a day is what that is worth.
 */

import { BoundedTable, type TableClock } from './bounded-table.ts'
import type { Contact } from './contact.ts'
import { CLIENT, SERVER } from './contact.ts'
import { DistinctWindow } from './distinct-window.ts'

const DAY_US = 86_400e6
const PREFIXES_MAX = 1024
const SOURCES_EXACT = 1024
const PORTS_COUNTED_MAX = 1024

export interface BackgroundDay {
  prefix: string
  day: number
  sources: DistinctWindow<string>
  targets: DistinctWindow<string>
  probes: number
  ports: Map<number, number>
  firstUs: number
  lastUs: number
  /** So many of the sources went into the memory of weeks. */
  sourcesTold: number
}

export class Background {
  readonly #days: BoundedTable<BackgroundDay>
  /** The one asked for last, and by which server: a flood asks for one again and again. */
  #lastServer = ''
  #last: BackgroundDay | null = null

  constructor(clock: TableClock) {
    this.#days = new BoundedTable(PREFIXES_MAX, DAY_US, clock)
  }

  /** @param sinceMidnightUs of the run's base second: days are UTC days. */
  observe(contact: Contact, sinceMidnightUs: number): BackgroundDay | null {
    if (contact.outcome !== 'failed' || contact.isClientInternal || !contact.isServerInternal) return null
    const day = Math.floor((contact.startUs + sinceMidnightUs) / DAY_US)
    const found = this.#dayOf(contact.addr[SERVER], day, contact.startUs)
    found.sources.add(contact.addr[CLIENT], 0)
    found.targets.add(contact.addr[SERVER], 0)
    found.probes++
    found.lastUs = Math.max(found.lastUs, contact.lastUs)
    found.firstUs = Math.min(found.firstUs, contact.startUs)
    const port = contact.port[SERVER]
    const known = found.ports.get(port)
    if (known !== undefined) found.ports.set(port, known + 1)
    else if (found.ports.size < PORTS_COUNTED_MAX) found.ports.set(port, 1)
    return found
  }

  #dayOf(server: string, day: number, atUs: number): BackgroundDay {
    if (this.#last !== null && server === this.#lastServer && this.#last.day === day) return this.#last
    const prefix = prefixOf(server)
    this.#lastServer = server
    this.#last = this.#days.getOrCreate(prefix, () => newDay(prefix, day, atUs), '', day)
    return this.#last
  }

  get evictedCount(): number {
    return this.#days.evictedCount
  }
}

function newDay(prefix: string, day: number, atUs: number): BackgroundDay {
  const never = Number.MAX_SAFE_INTEGER
  return {
    prefix,
    day,
    sources: new DistinctWindow<string>(never, SOURCES_EXACT),
    targets: new DistinctWindow<string>(never, SOURCES_EXACT),
    probes: 0,
    ports: new Map(),
    firstUs: atUs,
    lastUs: atUs,
    sourcesTold: 0,
  }
}

/** /24, or /64 of IPv6. */
function prefixOf(address: string): string {
  if (!address.includes(':')) return `${address.slice(0, address.lastIndexOf('.'))}.0/24`
  return `${address.split(':').slice(0, 4).join(':')}::/64`
}
