/**
 * How much an inside client fetched from inside file servers over the last day: what is gathered before it leaves (SCORER.md D11).
 *
 * In:  rows in which a file service sent much. Out: the sum of a day, from how many servers.
 * The invariant: twenty-four hourly sums a client, and at most SERVERS_MAX names.
 */

const HOUR_US = 3600e6
const HOURS = 24
const SERVERS_MAX = 64

export class Pulls {
  readonly servers = new Set<string>()
  readonly #sums = new Float64Array(HOURS)
  #hour = Number.NEGATIVE_INFINITY

  add(server: string, bytes: number, atUs: number): void {
    const hour = Math.floor(atUs / HOUR_US)
    this.#advance(hour)
    if (hour <= this.#hour - HOURS) return
    this.#sums[slotOf(hour)] += bytes
    if (this.servers.size < SERVERS_MAX) this.servers.add(server)
  }

  /** Octets of the twenty-four hours up to `nowUs`. */
  bytes(nowUs: number): number {
    this.#advance(Math.floor(nowUs / HOUR_US))
    return this.#sums.reduce((a, b) => a + b, 0)
  }

  #advance(hour: number): void {
    if (hour <= this.#hour) return
    for (let h = Math.max(this.#hour + 1, hour - HOURS + 1); h <= hour; h++) this.#sums[slotOf(h)] = 0
    this.#hour = hour
  }
}

function slotOf(hour: number): number {
  return ((hour % HOURS) + HOURS) % HOURS
}
