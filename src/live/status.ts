/**
 * The pages of a live run: /metrics for Prometheus, /healthz (the process answers), /readyz (all interfaces are captured).
 *
 * In:  the state of the run, asked for at each question; the option metrics.listen. Out: HTTP.
 * Not: anything at all while metrics.listen is empty.
 */
import { statfs } from 'node:fs/promises'
import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks'
import type { Logger } from 'pino'
import { plain, StatusServer } from '../sink/status-server.ts'
import type { LiveFacts } from './metering.ts'
import { LiveMetrics, type LiveState, notReady } from './metrics.ts'

const MS_PER_S = 1000
const NS_PER_S = 1e9
const LAG_EVERY_MS = 20
const LOOPBACK = /^(127\.[\d.]+|\[::1\]|localhost):/

/** What the run itself knows. */
export type RunState = Omit<LiveState, 'lastPacketSec' | 'reload' | 'freeBytes' | 'eventLoopLagSec'>

export class LiveStatus {
  readonly #folder: string
  readonly #log: Logger
  readonly #state: () => RunState
  readonly #server: StatusServer
  readonly #lag: IntervalHistogram = monitorEventLoopDelay({ resolution: LAG_EVERY_MS })
  #received: (number | null)[] = []
  #lastPacketSec: (number | null)[] = []
  #reload = { hasSucceeded: true, lastSuccessSec: Date.now() / MS_PER_S }

  constructor(folder: string, log: Logger, state: () => RunState) {
    this.#folder = folder
    this.#log = log
    this.#state = state
    const metrics = new LiveMetrics(() => this.#now())
    this.#server = new StatusServer({
      '/metrics': () => metrics.page(),
      '/healthz': () => plain(200, 'ok'),
      '/readyz': () => {
        const faults = notReady(this.#state())
        return faults.length === 0 ? plain(200, 'ready') : plain(503, faults.join('\n'))
      },
    })
  }

  /** @throws RunError when there is no listening there; the old place stays then. */
  async apply(listen: string): Promise<void> {
    if (listen === this.#server.listen) return
    await this.#server.apply(listen)
    if (listen === '') this.#lag.disable()
    else {
      this.#lag.enable()
      this.#log.info({ listen }, 'metrics, /healthz and /readyz are shown')
      if (!LOOPBACK.test(listen)) this.#log.warn({ listen }, 'metrics.listen is no loopback address: everybody who reaches it can read it')
    }
  }

  /** When packets last came is known by the counts: they are told once a second. */
  noteFacts({ interfaces, packets }: LiveFacts): void {
    const nowSec = Math.floor(Date.now() / MS_PER_S)
    interfaces.forEach(({ received }, i) => {
      // A driver that does not count has one interface.
      const count = received ?? packets
      if (count > (this.#received[i] ?? 0)) this.#lastPacketSec[i] = nowSec
      this.#received[i] = count
    })
  }

  noteReload(hasSucceeded: boolean): void {
    this.#reload = { hasSucceeded, lastSuccessSec: hasSucceeded ? Date.now() / MS_PER_S : this.#reload.lastSuccessSec }
  }

  async #now(): Promise<LiveState> {
    const freeBytes = await statfs(this.#folder).then(
      ({ bavail, bsize }) => bavail * bsize,
      () => null,
    )
    // It measures the time between its own looks, which is LAG_EVERY_MS when nothing is late.
    const eventLoopLagSec = Math.max(0, this.#lag.max / NS_PER_S - LAG_EVERY_MS / MS_PER_S)
    this.#lag.reset()
    return { ...this.#state(), lastPacketSec: this.#lastPacketSec, reload: this.#reload, freeBytes, eventLoopLagSec }
  }

  async close(): Promise<void> {
    this.#lag.disable()
    await this.#server.close()
  }
}
