/**
 * Inside hosts by windows of five minutes: how many of their services were unusual at once (SCORER.md section 4.7).
 *
 *   A = −log10 P(X ≥ K), X Poisson with mean λ = m · max(1/1000, the host's own long-run share)
 *
 * m services (server and port) asked, K of them with a flow rarer than one in a thousand.
 *
 * In:  flows with their p. Out: the window of the host, when at least one service in it is unusual; how rare such an A is here.
 * Not: single flows. At a thousand flows a second, one in a thousand is one a second.
 * The invariant: a window lists at most SERVICES_LISTED_MAX services, and there are at most HOSTS_MAX windows.
 */

import { ACTIVITY_SLOT_US, activitySlot, NO_SLOT } from '../../context/activity.ts'
import { CLIENT, SERVER } from '../../context/contact.ts'
import type { Context } from '../../context/context.ts'
import type { ClientWindow, Observed } from '../../context/windows.ts'
import type { Judged } from '../orientation.ts'
import { Calibration } from './calibration.ts'
import type { SurpriseNote } from './surprise.ts'

/** A flow is unusual when fewer than one in a thousand comparable ones are as surprising. */
export const UNUSUAL_P = 1e-3
const SERVICES_LISTED_MAX = 64
const HOSTS_MAX = 4096

export interface UnusualService {
  server: string
  port: number
  proto: number
  note: SurpriseNote
}

export interface HostWindow {
  address: string
  client: ClientWindow
  startUs: number
  /** By 'server proto port', the rarest flow of each. */
  services: Map<string, UnusualService>
}

export interface HostAnomaly {
  unusual: number
  asked: number
  expected: number
  /** A, and the share of host-windows here that are as anomalous. */
  surprise: number
  share: number
}

export class HostWindows {
  readonly calibration = new Calibration()
  hostsNotWatched = 0
  readonly #context: Context
  #slot = NO_SLOT
  #activeHosts = 0
  readonly #windows = new Map<string, HostWindow>()

  constructor(context: Context) {
    this.#context = context
  }

  /** Closes the window that has passed. */
  advance(nowUs: number): void {
    const slot = activitySlot(nowUs)
    if (slot === this.#slot) return
    for (const window of this.#windows.values()) this.calibration.note(this.#surpriseOf(window).surprise)
    const quiet = this.#activeHosts - this.#windows.size
    if (quiet > 0) this.calibration.note(0, quiet)
    this.#windows.clear()
    this.#activeHosts = 0
    this.#slot = slot
  }

  /** @param note of a flow with p < UNUSUAL_P; null for all others. Gives the host's window when it holds something unusual. */
  observe(judged: Judged, observed: Observed, note: SurpriseNote | null): HostWindow | null {
    const { client } = observed
    if (client.activeSlot !== this.#slot) {
      client.activeSlot = this.#slot
      this.#activeHosts++
    }
    if (note === null) return null
    const address = judged.addr[CLIENT]
    const window = this.#windows.get(address) ?? this.#newWindow(address, client)
    if (window === null) return null
    const key = `${judged.addr[SERVER]} ${judged.proto} ${judged.port[SERVER]}`
    const known = window.services.get(key)
    if (known === undefined) {
      if (window.services.size >= SERVICES_LISTED_MAX) return window
      window.services.set(key, { server: judged.addr[SERVER], port: judged.port[SERVER], proto: judged.proto, note })
      if (client.hour !== null) client.hour.unusual++
    } else if (note.p < known.note.p) known.note = note
    return window
  }

  /** The window as it stands. */
  anomalyOf(window: HostWindow): HostAnomaly {
    const { surprise, asked, expected } = this.#surpriseOf(window)
    return { unusual: window.services.size, asked, expected, surprise, share: this.calibration.p(surprise) ?? 1 }
  }

  #surpriseOf({ address, client, services }: HostWindow): { surprise: number; asked: number; expected: number } {
    const asked = Math.max(services.size, client.services.present)
    const expected = asked * Math.max(UNUSUAL_P, this.#context.histories.host(address)?.unusualShare ?? 0)
    return { surprise: -poissonTailLog10(services.size, expected), asked, expected }
  }

  #newWindow(address: string, client: ClientWindow): HostWindow | null {
    if (this.#windows.size >= HOSTS_MAX) {
      this.hostsNotWatched++
      return null
    }
    const window = { address, client, startUs: this.#slot * ACTIVITY_SLOT_US, services: new Map() }
    this.#windows.set(address, window)
    return window
  }
}

/** log10 P(X ≥ k) for X Poisson with a mean above 0: summed from k upwards, so that small tails keep their digits. */
export function poissonTailLog10(k: number, mean: number): number {
  if (k <= 0) return 0
  if (mean >= k) return Math.log10(poissonAtLeast(k, mean))
  let logFirst = -mean
  for (let i = 1; i <= k; i++) logFirst += Math.log(mean / i)
  let sum = 1
  let term = 1
  for (let i = k + 1; term > 1e-12 * sum; i++) {
    term *= mean / i
    sum += term
  }
  return (logFirst + Math.log(sum)) / Math.LN10
}

function poissonAtLeast(k: number, mean: number): number {
  let term = Math.exp(-mean)
  let below = 0
  for (let i = 0; i < k; i++) {
    below += term
    term *= mean / (i + 1)
  }
  return Math.max(Number.MIN_VALUE, 1 - below)
}
