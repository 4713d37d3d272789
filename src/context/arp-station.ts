/**
 * What one network card does: which addresses it claims, whom it looks for, whose packets it hands on.
 *
 * In:  noted by the ARP table. Out: bounded sets and windows.
 * The invariant: ADDRESSES_MAX addresses, SOURCES_MAX senders, 1,024 targets a window are kept.
 */

import type { ClaimedAddress } from './arp-claims.ts'
import { DistinctWindow } from './distinct-window.ts'

const BUCKET_US = 5 * 60e6
const TARGETS_EXACT = 1024
const ADDRESSES_MAX = 64
const SOURCES_MAX = 16

export class Station {
  readonly mac: string
  lastUs: number
  /** Addresses that it uses in ordinary ways, in order of first use: asks or answers for them. */
  readonly used = new Set<string>()
  /** Addresses that it announced, or told unasked to somebody. */
  readonly forced = new Set<ClaimedAddress>()
  /** Whom it asked for, and who of them answered; null until it asks. */
  asked: DistinctWindow<string> | null = null
  answered: DistinctWindow<string> | null = null
  /** Whose packets it sends. */
  readonly sources = new Set<string>()
  /** Packets that took their way over another card before this one forced an address; whose and to whom, while there is room. */
  divertedCount = 0
  readonly diverted = new Set<string>()
  readonly divertedFrom = new Set<string>()
  #name: string | null = null

  constructor(mac: string, atUs: number) {
    this.mac = mac
    this.lastUs = atUs
  }

  /** How alerts call it: its own address, else its card's. Fixed when first asked for, so that an episode keeps its name. */
  name(): string {
    this.#name ??= this.ownAddress() ?? this.mac
    return this.#name
  }

  /** The first address that it uses and never forced on anybody; null when there is none. */
  ownAddress(): string | null {
    const forced = new Set([...this.forced].map((claimed) => claimed.address))
    for (const address of this.used) if (!forced.has(address)) return address
    return null
  }

  noteUsed(address: string): void {
    if (this.used.size < ADDRESSES_MAX) this.used.add(address)
  }

  noteForced(claimed: ClaimedAddress): void {
    if (this.forced.size < ADDRESSES_MAX) this.forced.add(claimed)
  }

  noteSource(address: string): void {
    if (this.sources.size < SOURCES_MAX) this.sources.add(address)
  }

  /** @param ends source and destination */
  noteDiverted(ends: readonly string[], previousMac: string): void {
    this.divertedCount++
    for (const end of ends) if (this.diverted.size < ADDRESSES_MAX) this.diverted.add(end)
    if (this.divertedFrom.size < SOURCES_MAX) this.divertedFrom.add(previousMac)
  }

  noteAsked(target: string, atUs: number): void {
    this.asked ??= new DistinctWindow(BUCKET_US, TARGETS_EXACT)
    this.asked.add(target, atUs)
    this.answered?.advance(atUs)
  }

  noteAnswered(target: string, atUs: number): void {
    this.answered ??= new DistinctWindow(BUCKET_US, TARGETS_EXACT)
    this.answered.add(target, atUs)
  }

  /** Senders whose packets it sends and whose address it does not use: many of them make a router. */
  get foreignSources(): number {
    let count = 0
    for (const source of this.sources) if (!this.used.has(source)) count++
    return count
  }
}
