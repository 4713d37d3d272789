/**
 * The memory of weeks: hosts and servers by the hour, pairs by the day, jobs that come back, noise from outside by the day (SCORER.md
 * D3, D5, D6, D8, D10, D11, D12, D15, B3, B9).
 *
 * In:  tallies of inside hosts and servers, turned into history when the hour ends; answered pairs, once a day; sources of background
 *      probes. Out: what a host, server, pair or network is known for.
 * Not: flows. All of it is kept across restarts, as part of the baseline.
 * The invariant: tables with limits and one tally an active host and server; packet time, as hours and days since 1970.
 */

import { BoundedTable, type TableClock } from './bounded-table.ts'
import type { Contact } from './contact.ts'
import { CLIENT, SERVER } from './contact.ts'
import { HISTORY_CELLS, HostHistory, type HourTally, PeerHistory } from './host-history.ts'
import { newServedTally, SERVED_HISTORY_CELLS, ServedHistory, type ServedTally } from './served-history.ts'

const US_PER_S = 1e6
const HOUR_S = 3600
const HOURS_A_DAY = 24
const KEPT_DAYS = 60
const KEPT_US = KEPT_DAYS * 86_400 * US_PER_S
const DNS_PORT = 53
/** Uploads by server that are told apart in an hour, and what makes one of them a job. */
const UPLOADS_TOLD_APART_MAX = 256
const UPLOAD_BYTES_MIN = 10_000
const JOB_BYTES_MIN = 10e6
const JOBS_KEPT = 8
const PORTS_AN_HOUR_MAX = 64
/** Networks whose background noise is remembered, and days of each. */
const PREFIXES_MAX = 1024
const NOISE_DAYS_KEPT = 14

export interface Job {
  /** Since 1970. */
  day: number
  /** Of the day. */
  hour: number
  bytes: number
}

export interface PairHistory {
  /** Days since 1970. */
  firstDay: number
  lastDay: number
  /** Days on which they spoke. */
  days: number
  jobs: Job[]
}

/** Outside sources of unanswered probes to one inside network, by day since 1970, the newest last. */
export interface NoiseDay {
  day: number
  sources: number
}

export interface HistoryLimits {
  hosts: number
  pairs: number
}

/** All of it as plain values, for a snapshot. */
export interface HistoriesRecord {
  hosts: { address: string; firstHour: number; lastHour: number; cells: readonly number[]; ports: readonly number[] }[]
  pairs: { key: string; firstDay: number; lastDay: number; days: number; jobs: readonly Job[] }[]
  peers: readonly number[]
  /** Absent in what an earlier version stored. */
  servers?: { address: string; firstHour: number; lastHour: number; cells: readonly number[] }[]
  noise?: { prefix: string; days: readonly NoiseDay[] }[]
}

export class Histories {
  readonly #hosts: BoundedTable<HostHistory>
  readonly #pairs: BoundedTable<PairHistory>
  readonly #servers: BoundedTable<ServedHistory>
  readonly #noise: BoundedTable<NoiseDay[]>
  #peers = new PeerHistory()
  readonly #tallies: HourTally[] = []
  readonly #servedTallies: ServedTally[] = []
  readonly #talliesMax: number
  readonly #baseSec: number
  #hour = Number.NEGATIVE_INFINITY
  talliesNotMade = 0

  constructor(limits: HistoryLimits, baseSec: number, clock: TableClock) {
    this.#hosts = new BoundedTable(limits.hosts, KEPT_US, clock)
    this.#pairs = new BoundedTable(limits.pairs, KEPT_US, clock)
    this.#noise = new BoundedTable(PREFIXES_MAX, KEPT_US, clock)
    this.#servers = new BoundedTable(limits.hosts, KEPT_US, clock)
    this.#talliesMax = limits.hosts
    this.#baseSec = baseSec
  }

  advance(nowUs: number): void {
    const hour = this.hourOf(nowUs)
    if (hour === this.#hour) return
    if (this.#hour !== Number.NEGATIVE_INFINITY) this.#closeHour(this.#hour, hour)
    this.#hour = hour
  }

  /** Since 1970. */
  hourOf(timeUs: number): number {
    return Math.floor((this.#baseSec + timeUs / US_PER_S) / HOUR_S)
  }

  get hour(): number {
    return this.#hour
  }

  host(address: string): HostHistory | undefined {
    return this.#hosts.peek(address)
  }

  pair(client: string, server: string): PairHistory | undefined {
    return this.#pairs.peek(client, server)
  }

  /** What usually arrives at an inside server. */
  served(address: string): ServedHistory | undefined {
    return this.#servers.peek(address)
  }

  /** Days before `day` on which the network drew background noise. */
  noiseBefore(prefix: string, day: number): readonly NoiseDay[] {
    return (this.#noise.peek(prefix) ?? []).filter((known) => known.day < day)
  }

  /** So many sources by now, on that day. */
  noteNoise(prefix: string, day: number, sources: number): void {
    const days = this.#noise.getOrCreate(prefix, () => [])
    const known = days.find((one) => one.day === day)
    if (known !== undefined) known.sources = sources
    else if (days.push({ day, sources }) > NOISE_DAYS_KEPT) days.shift()
  }

  get peers(): PeerHistory {
    return this.#peers
  }

  get counts(): { hosts: number; pairs: number } {
    return { hosts: this.#hosts.size, pairs: this.#pairs.size }
  }

  /** The host's tally of the present hour. @param last the one that the caller has, perhaps of an earlier hour. */
  tallyOf(address: string, last: HourTally | null): HourTally | null {
    if (last !== null && last.hour === this.#hour) return last
    if (this.#tallies.length >= this.#talliesMax) {
      this.talliesNotMade++
      return null
    }
    const tally: HourTally = {
      address,
      hour: this.#hour,
      uploadBytes: 0,
      dnsBytes: 0,
      adminServers: 0,
      services: 0,
      unusual: 0,
      ports: [],
      uploads: null,
      isSuspect: false,
    }
    this.#tallies.push(tally)
    return tally
  }

  /** The server's tally of the present hour. @param last the one that the caller has, perhaps of an earlier hour. */
  servedTallyOf(address: string, last: ServedTally | null): ServedTally | null {
    if (last !== null && last.hour === this.#hour) return last
    if (this.#servedTallies.length >= this.#talliesMax) {
      this.talliesNotMade++
      return null
    }
    const tally = newServedTally(address, this.#hour)
    this.#servedTallies.push(tally)
    return tally
  }

  /** Adds one contact of an inside client to its hour. */
  note(tally: HourTally, contact: Contact, isNewPort: boolean): void {
    const sent = contact.payloadBytes[CLIENT] ?? 0
    if (!contact.isServerInternal && !contact.isToGroup) {
      tally.uploadBytes += sent
      if (sent >= UPLOAD_BYTES_MIN) noteUpload(tally, contact.addr[SERVER], sent)
    }
    if (contact.port[SERVER] === DNS_PORT) tally.dnsBytes += sent + (contact.payloadBytes[SERVER] ?? 0)
    if (isNewPort && tally.ports.length < PORTS_AN_HOUR_MAX) tally.ports.push(contact.proto * 65_536 + contact.port[SERVER])
  }

  /** The two spoke today. */
  notePair(client: string, server: string): void {
    this.#pairOn(client, server, Math.floor(this.#hour / HOURS_A_DAY))
  }

  #pairOn(client: string, server: string, day: number): PairHistory {
    const known = this.#pairs.getOrCreate(client, () => ({ firstDay: day, lastDay: day, days: 1, jobs: [] }), server)
    if (known.lastDay < day) {
      known.lastDay = day
      known.days++
    }
    return known
  }

  /** Earlier days on which the client sent this server half to twice as much, at this hour or the one beside it. */
  earlierJobs(client: string, server: string, bytes: number): Job[] {
    const jobs = this.pair(client, server)?.jobs ?? []
    const today = Math.floor(this.#hour / HOURS_A_DAY)
    const hour = this.#hour % HOURS_A_DAY
    const found = new Map<number, Job>()
    for (const job of jobs) {
      const apart = Math.abs(job.hour - hour)
      const isAlike = job.bytes >= bytes / 2 && job.bytes <= bytes * 2
      if (job.day < today && Math.min(apart, HOURS_A_DAY - apart) <= 1 && isAlike) found.set(job.day, job)
    }
    return [...found.values()]
  }

  get counters(): Record<string, number> {
    return {
      hostHistoriesEvicted: this.#hosts.evictedCount,
      pairHistoriesEvicted: this.#pairs.evictedCount,
      serverHistoriesEvicted: this.#servers.evictedCount,
      hourTalliesNotMade: this.talliesNotMade,
    }
  }

  get record(): HistoriesRecord {
    return {
      hosts: [...this.#hosts.entries()].map(({ text, value: { firstHour, lastHour, cells, ports } }) => ({
        address: text,
        firstHour,
        lastHour,
        cells: [...cells],
        ports: [...ports],
      })),
      pairs: [...this.#pairs.entries()].map(({ text, other, value: pair }) => ({ key: `${text} ${other}`, ...pair, jobs: [...pair.jobs] })),
      peers: [...this.#peers.cells],
      servers: [...this.#servers.entries()].map(({ text, value: { firstHour, lastHour, cells } }) => ({
        address: text,
        firstHour,
        lastHour,
        cells: [...cells],
      })),
      noise: [...this.#noise.entries()].map(({ text, value }) => ({ prefix: text, days: value.map((one) => ({ ...one })) })),
    }
  }

  /** @param nowHour since 1970: what is older than KEPT_DAYS is left behind. */
  restore(record: HistoriesRecord, nowHour: number): void {
    const oldestHour = nowHour - KEPT_DAYS * HOURS_A_DAY
    for (const { address, firstHour, lastHour, cells, ports } of record.hosts) {
      if (lastHour < oldestHour || cells.length !== HISTORY_CELLS) continue
      this.#hosts.getOrCreate(address, () => new HostHistory(firstHour, Float32Array.from(cells), [...ports], lastHour))
    }
    for (const { key, ...pair } of record.pairs) {
      if (pair.lastDay * HOURS_A_DAY < oldestHour) continue
      const [client, server] = key.split(' ')
      this.#pairs.getOrCreate(client, () => ({ ...pair, jobs: [...pair.jobs] }), server)
    }
    this.#peers = new PeerHistory(Float32Array.from(record.peers))
    for (const { address, firstHour, lastHour, cells } of record.servers ?? []) {
      if (lastHour < oldestHour || cells.length !== SERVED_HISTORY_CELLS) continue
      this.#servers.getOrCreate(address, () => new ServedHistory(firstHour, Float32Array.from(cells), lastHour))
    }
    for (const { prefix, days } of record.noise ?? []) {
      const kept = days.filter(({ day }) => day * HOURS_A_DAY >= oldestHour)
      if (kept.length > 0) this.#noise.getOrCreate(prefix, () => kept.map((one) => ({ ...one })))
    }
  }

  #closeHour(hour: number, next: number): void {
    this.#peers.decay(next - hour)
    for (const tally of this.#tallies) {
      for (const [server, bytes] of tally.uploads ?? []) if (bytes >= JOB_BYTES_MIN) this.#noteJob(tally.address, server, hour, bytes)
      if (tally.isSuspect) continue
      this.#peers.learn(tally.adminServers)
      this.#hosts.getOrCreate(tally.address, () => new HostHistory(hour)).learn(tally, hour)
    }
    this.#tallies.length = 0
    for (const tally of this.#servedTallies) {
      if (!tally.isSuspect) this.#servers.getOrCreate(tally.address, () => new ServedHistory(hour)).learn(tally, hour)
    }
    this.#servedTallies.length = 0
  }

  /** Also of suspects: what came back every day was reported every day. */
  #noteJob(client: string, server: string, hour: number, bytes: number): void {
    const day = Math.floor(hour / HOURS_A_DAY)
    const pair = this.#pairOn(client, server, day)
    pair.jobs.push({ day, hour: hour % HOURS_A_DAY, bytes })
    if (pair.jobs.length > JOBS_KEPT) pair.jobs.shift()
  }
}

function noteUpload(tally: HourTally, server: string, bytes: number): void {
  tally.uploads ??= new Map()
  const sum = tally.uploads.get(server)
  if (sum !== undefined || tally.uploads.size < UPLOADS_TOLD_APART_MAX) tally.uploads.set(server, (sum ?? 0) + bytes)
}
