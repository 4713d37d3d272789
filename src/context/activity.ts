/**
 * How busy a host was in the last five minutes: different servers, services, ports, clients, exact and without a list of them.
 *
 * In:  contacts in row order, with when the same pair (or service) was last counted. Out: distinct counts over two rotating windows.
 * Not: who they were. A pair remembers in which window it was counted last; that is all that counting it once needs.
 * The invariant: time is the end of rows, which never goes back.
 */

export const ACTIVITY_SLOT_US = 300e6
/** No window: never counted. */
export const NO_SLOT = -1

export function activitySlot(endUs: number): number {
  return Math.floor(endUs / ACTIVITY_SLOT_US)
}

/** Distinct things of the present window and the one before. */
export class RotatingCount {
  #slot = NO_SLOT
  #now = 0
  #before = 0
  /** Counted in both. */
  #both = 0

  /** @param countedSlot the window in which this thing was counted last. Gives true when it is new in this window. */
  add(slot: number, countedSlot: number): boolean {
    this.#turn(slot)
    if (countedSlot === slot) return false
    this.#now++
    if (countedSlot === slot - 1 && countedSlot !== NO_SLOT) this.#both++
    return true
  }

  get count(): number {
    return this.#now + this.#before - this.#both
  }

  /** Of the present window alone. */
  get present(): number {
    return this.#now
  }

  #turn(slot: number): void {
    if (slot === this.#slot) return
    this.#before = slot === this.#slot + 1 ? this.#now : 0
    this.#now = 0
    this.#both = 0
    this.#slot = slot
  }
}

/** Server ports kept one by one for a client; a client with more is a scanner, a proxy or a peer of many. */
const PORTS_LISTED_MAX = 128

/** Which server ports a client uses, and how many lately; past the list's end, every flow counts as another port. */
export class PortUse extends RotatingCount {
  /** The first port by itself: many hosts never have another. */
  #first = NO_SLOT
  #firstSlot = NO_SLOT
  #others: Map<number, number> | null = null

  /** True when the client is not known to have used the port. */
  note(port: number, slot: number): boolean {
    if (this.#first === NO_SLOT) this.#first = port
    if (port === this.#first) {
      const counted = this.#firstSlot
      this.add(slot, counted)
      this.#firstSlot = slot
      return counted === NO_SLOT
    }
    this.#others ??= new Map()
    const counted = this.#others.get(port)
    this.add(slot, counted ?? NO_SLOT)
    if (counted === slot) return false
    if (counted !== undefined || this.#others.size < PORTS_LISTED_MAX - 1) this.#others.set(port, slot)
    return counted === undefined
  }
}

/** What one contact's hosts did lately, this contact included. */
export interface Activity {
  clientFlows: number
  clientFailed: number
  clientBytes: number
  clientServers: number
  clientPorts: number
  serverFlows: number
  serverClients: number
  /** The two were not known to each other. */
  isNewPair: boolean
  /** The client was not known to use this port. */
  isNewPort: boolean
  /** Since the client last began a connection to this service: infinite for the first one, NaN when this row begins none. */
  sinceLastUs: number
}
