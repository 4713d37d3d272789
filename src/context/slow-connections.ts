/**
 * Connections of one client with one web server that stay open and carry next to nothing.
 *
 * In:  rows and interim rows of open flows, by flow id: what is known of a connection is replaced, never added, so that an interim
 *      row and the finished one cannot count twice; later pieces of a cut connection (same id) join the first.
 * Out: how many such connections were open at one moment, and what they carried.
 * Not: a threshold: `Slow` says which rows to offer.
 * The invariant: at most CONNECTIONS_MAX are kept; the oldest go first and are counted in `beyondCount`.
 */

const CONNECTIONS_MAX = 1024
/** What ended this long before the newest is forgotten. */
const REMEMBERED_US = 10 * 60e6

export interface SlowConnection {
  flowId: number
  startUs: number
  lastUs: number
  clientBytes: number
  serverBytes: number
  clientPackets: number
}

export class SlowConnections {
  beyondCount = 0
  readonly #byId = new Map<number, SlowConnection>()
  /** Rows of one connection add up; an interim row stands for the whole row so far. */
  readonly #earlier = new Map<number, SlowConnection>()

  add(row: SlowConnection, isInterim: boolean): void {
    const earlier = this.#earlier.get(row.flowId)
    const whole = earlier === undefined ? row : joined(earlier, row)
    this.#byId.delete(row.flowId)
    this.#byId.set(row.flowId, whole)
    if (!isInterim) this.#earlier.set(row.flowId, whole)
    if (this.#byId.size > CONNECTIONS_MAX) {
      this.beyondCount++
      this.#forgetOldest()
    }
  }

  /** Connections open at the moment of this window at which the most were, of those that lasted at least `durationMinUs`. */
  openTogether(durationMinUs: number): SlowConnection[] {
    const all = [...this.#byId.values()].filter((c) => c.lastUs - c.startUs >= durationMinUs)
    const newestUs = Math.max(...all.map((c) => c.lastUs))
    const recent = all.filter((c) => newestUs - c.lastUs <= REMEMBERED_US)
    const starts = recent.map((c) => c.startUs).sort((a, b) => a - b)
    const ends = recent.map((c) => c.lastUs).sort((a, b) => a - b)
    let open = 0
    let best = { open: 0, atUs: 0 }
    for (let s = 0, e = 0; s < starts.length; s++) {
      while (ends[e] < starts[s]) {
        open--
        e++
      }
      open++
      if (open > best.open) best = { open, atUs: starts[s] }
    }
    return recent.filter((c) => c.startUs <= best.atUs && c.lastUs >= best.atUs)
  }

  /** How many were open at each moment at which that changed, at most `pointsMax` moments, evenly chosen; the fullest is among them. */
  openOverTime(durationMinUs: number, pointsMax: number): { atUs: number; open: number }[] {
    const all = [...this.#byId.values()].filter((c) => c.lastUs - c.startUs >= durationMinUs)
    const changes = all.flatMap((c) => [
      { atUs: c.startUs, by: 1 },
      { atUs: c.lastUs, by: -1 },
    ])
    // One that begins when another ends is open beside it.
    changes.sort((a, b) => a.atUs - b.atUs || b.by - a.by)
    let open = 0
    const points = changes.map(({ atUs, by }) => {
      open += by
      return { atUs, open }
    })
    const step = Math.max(1, Math.ceil(points.length / pointsMax))
    const most = points.reduce((best, point) => (point.open > best.open ? point : best), { atUs: 0, open: -1 })
    return points.filter((point, i) => i % step === 0 || point === most || i === points.length - 1)
  }

  get size(): number {
    return this.#byId.size
  }

  #forgetOldest(): void {
    for (const id of this.#byId.keys()) {
      this.#byId.delete(id)
      this.#earlier.delete(id)
      return
    }
  }
}

function joined(a: SlowConnection, b: SlowConnection): SlowConnection {
  return {
    flowId: a.flowId,
    startUs: Math.min(a.startUs, b.startUs),
    lastUs: Math.max(a.lastUs, b.lastUs),
    clientBytes: a.clientBytes + b.clientBytes,
    serverBytes: a.serverBytes + b.serverBytes,
    clientPackets: a.clientPackets + b.clientPackets,
  }
}
