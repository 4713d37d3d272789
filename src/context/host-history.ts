/**
 * What is usual for one inside host, hour by hour, over weeks: the part of the baseline that detectors ask.
 *
 * In:  one tally an hour in which the host did something. Out: quantiles of its hourly uploads, name look-ups and administration
 *      sessions; the hours of the day it is active in; how often its peers are unusual; the ports it uses as a client.
 * Not: single flows, and hours in which the host was part of an open episode: what is suspected does not become usual.
 * The invariant: one array and one short list a host, whatever it does. An hour weighs half after seven days.
 */

/** Half after 6.8 days, as the model's own counts. */
export const DECAY_A_QUARTER_DAY = 0.975
const OCTAVES = 40
const ADMIN_BINS = 16
const ADMIN_BINS_AN_OCTAVE = 2
const HOURS_A_DAY = 24

const UPLOAD = 0
const DNS = UPLOAD + OCTAVES
const ADMIN = DNS + OCTAVES
const ACTIVE = ADMIN + ADMIN_BINS
const HOURS = ACTIVE + HOURS_A_DAY
const SERVICES = HOURS + 1
const UNUSUAL = SERVICES + 1
export const HISTORY_CELLS = UNUSUAL + 1

const PORTS_KEPT_MAX = 64
/** A day of hours: before that, a host's own past says little. */
export const USUAL_HOURS_MIN = 24
/** A week of hours, for what depends on the time of the day. */
const WEEK_HOURS = 7 * HOURS_A_DAY

/** What a host did in one hour. */
export interface HourTally {
  address: string
  /** Since 1970. */
  hour: number
  uploadBytes: number
  dnsBytes: number
  adminServers: number
  /** Distinct services asked, by windows of five minutes, and those of them that were unusual. */
  services: number
  unusual: number
  ports: number[]
  /** Upload by server, of those that got much. */
  uploads: Map<string, number> | null
  /** Part of an open episode: not learnt. */
  isSuspect: boolean
}

export class HostHistory {
  readonly cells: Float32Array
  /** protocol · 65,536 + port, the newest last. */
  readonly ports: number[]
  /** Hours since 1970. */
  firstHour: number
  lastHour: number

  constructor(hour: number, cells = new Float32Array(HISTORY_CELLS), ports: number[] = [], lastHour = hour) {
    this.firstHour = hour
    this.lastHour = lastHour
    this.cells = cells
    this.ports = ports
  }

  learn(tally: HourTally, hour: number): void {
    const { cells } = this
    const decay = DECAY_A_QUARTER_DAY ** (Math.max(0, hour - this.lastHour) / 6)
    for (let i = 0; i < HISTORY_CELLS; i++) cells[i] *= decay
    cells[UPLOAD + octaveOf(tally.uploadBytes)]++
    cells[DNS + octaveOf(tally.dnsBytes)]++
    cells[ADMIN + adminBin(tally.adminServers)]++
    cells[ACTIVE + (hour % HOURS_A_DAY)]++
    cells[HOURS]++
    cells[SERVICES] += tally.services
    cells[UNUSUAL] += tally.unusual
    for (const port of tally.ports) this.#notePort(port)
    this.lastHour = hour
  }

  /** Hours learnt, older ones weighing less. */
  get hours(): number {
    return this.cells[HOURS]
  }

  /** Enough was seen to compare with. */
  get isUsable(): boolean {
    // 24 hours in a row have decayed a little by the time the last one is in.
    return this.hours >= USUAL_HOURS_MIN * DECAY_A_QUARTER_DAY ** 4
  }

  uploadQuantile(share: number): number {
    return quantile(this.cells, UPLOAD, OCTAVES, 1, share)
  }

  /** Share of its hours in which it sent as much, of one more hour than were seen. */
  uploadShareAbove(bytes: number): number {
    let above = 0
    for (let b = octaveOf(bytes); b < OCTAVES; b++) above += this.cells[UPLOAD + b]
    return (above + 1) / (this.hours + 1)
  }

  dnsQuantile(share: number): number {
    return quantile(this.cells, DNS, OCTAVES, 1, share)
  }

  adminQuantile(share: number): number {
    return quantile(this.cells, ADMIN, ADMIN_BINS, ADMIN_BINS_AN_OCTAVE, share)
  }

  /** Share of the days on which it was active in this hour of the day; null before a week was seen. */
  activeShare(hour: number): number | null {
    const days = (this.lastHour - this.firstHour) / HOURS_A_DAY
    if (this.lastHour - this.firstHour < WEEK_HOURS || this.hours < USUAL_HOURS_MIN) return null
    // Days weigh less with age, as the hours do.
    const weighed = (1 - DECAY_A_QUARTER_DAY ** (4 * days)) / (1 - DECAY_A_QUARTER_DAY ** 4)
    return Math.min(1, this.cells[ACTIVE + (hour % HOURS_A_DAY)] / weighed)
  }

  /** Share of its services that were unusual, over the long run. */
  get unusualShare(): number {
    return this.cells[SERVICES] === 0 ? 0 : this.cells[UNUSUAL] / this.cells[SERVICES]
  }

  #notePort(port: number): void {
    const at = this.ports.indexOf(port)
    if (at >= 0) this.ports.splice(at, 1)
    else if (this.ports.length >= PORTS_KEPT_MAX) this.ports.shift()
    this.ports.push(port)
  }
}

/** Hourly administration sessions of all hosts that had any: what peers do. */
export class PeerHistory {
  readonly cells: Float32Array

  constructor(cells = new Float32Array(ADMIN_BINS)) {
    this.cells = cells
  }

  learn(adminServers: number): void {
    if (adminServers > 0) this.cells[adminBin(adminServers)]++
  }

  decay(hours: number): void {
    const decay = DECAY_A_QUARTER_DAY ** (hours / 6)
    for (let i = 0; i < this.cells.length; i++) this.cells[i] *= decay
  }

  /** Host-hours with administration sessions, older ones weighing less. */
  get hours(): number {
    return this.cells.reduce((a, b) => a + b, 0)
  }

  quantile(share: number): number {
    return quantile(this.cells, 0, ADMIN_BINS, ADMIN_BINS_AN_OCTAVE, share)
  }
}

function octaveOf(value: number): number {
  return Math.min(OCTAVES - 1, Math.floor(Math.log2(1 + value)))
}

function adminBin(servers: number): number {
  return Math.min(ADMIN_BINS - 1, Math.floor(Math.log2(1 + servers) * ADMIN_BINS_AN_OCTAVE))
}

/** The value below which a share of the counts lies, straight inside a bin's octaves. */
export function quantile(cells: Float32Array, from: number, bins: number, binsAnOctave: number, share: number): number {
  let total = 0
  for (let b = 0; b < bins; b++) total += cells[from + b]
  const wanted = total * share
  let below = 0
  for (let b = 0; b < bins; b++) {
    const count = cells[from + b]
    // Nothing at all is exactly that.
    if (count > 0 && below + count >= wanted) return b === 0 ? 0 : 2 ** ((b + (wanted - below) / count) / binsAnOctave) - 1
    below += count
  }
  return 0
}
