/**
 * How much of the two-way traffic reaches the sensor in both directions (SCORER.md section 3, "visibility first").
 *
 * In:  TCP contacts that prove a second direction existed: a completed handshake, data, or a SYN-ACK.
 * Out: share of distinct client-server pairs seen in both directions over the last five to ten minutes; null while unknown. When it has
 *      been under a half for ten minutes, that is told once a bucket.
 * Not: lone SYNs and lone probes. Nothing says that anyone ever answered them, so a scan or a flood cannot lower the share.
 *
 * A pair counts once in each of the two buckets, and one address with at most PAIRS_PER_HOST_MAX pairs a bucket: backscatter
 * towards one victim is no asymmetric mirror port.
 */

import type { Contact } from './contact.ts'
import { CLIENT, SERVER } from './contact.ts'

const BUCKET_US = 5 * 60e6
/** Fewer pairs than this say nothing about the mirror port. */
const KNOWN_PAIRS_MIN = 10
const PAIRS_PER_HOST_MAX = 16
const PAIRS_MAX = 16_384
/** A share below this for so long means that the capture shows one direction (SCORER.md section 3). */
const ASYMMETRIC_SHARE_MAX = 0.5
export const ASYMMETRIC_US = 10 * 60e6

export interface Asymmetry {
  /** Of the window, and those of them that were seen in both directions. */
  pairs: number
  bothPairs: number
  /** Since when it has been so. */
  sinceUs: number
}

/** What one address has in a bucket. */
interface HostPairs {
  /** Pairs with it as client or as server. */
  count: number
  /** The servers of those in which it is the client, and which of them, by bit, were seen in both directions: few enough to look through. */
  servers: readonly string[]
  both: number
}

interface Bucket {
  hosts: Map<string, HostPairs>
  pairCount: number
  bothCount: number
}

const NO_SERVERS: readonly string[] = []

export class VisibilityShare {
  /** Pairs not counted because a bucket was full. */
  saturatedCount = 0
  /** Set while the contact at hand is the one to tell it with. */
  asymmetry: Asymmetry | null = null
  #lowSinceUs: number | null = null
  #toldSlot = Number.NEGATIVE_INFINITY
  #slot = Number.NEGATIVE_INFINITY
  #now: Bucket = emptyBucket()
  #before: Bucket = emptyBucket()

  observe(contact: Contact): void {
    this.asymmetry = null
    if (!contact.hasExchange) return
    this.advance(contact.endUs)
    this.#count(contact)
    this.#noteAsymmetry(contact.endUs)
  }

  #count(contact: Contact): void {
    const client = this.#now.hosts.get(contact.addr[CLIENT])
    const at = client === undefined ? -1 : client.servers.indexOf(contact.addr[SERVER])
    if (client === undefined || at < 0) this.#begin(contact, client)
    else if (contact.halves === 'both') this.#noteBoth(client, at)
  }

  advance(timeUs: number): void {
    const slot = Math.floor(timeUs / BUCKET_US)
    if (slot <= this.#slot) return
    this.#before = slot === this.#slot + 1 ? this.#now : emptyBucket()
    this.#now = emptyBucket()
    this.#slot = slot
  }

  share(): number | null {
    const total = this.#now.pairCount + this.#before.pairCount
    return total < KNOWN_PAIRS_MIN ? null : (this.#now.bothCount + this.#before.bothCount) / total
  }

  #noteAsymmetry(nowUs: number): void {
    const share = this.share()
    if (share === null || share >= ASYMMETRIC_SHARE_MAX) {
      this.#lowSinceUs = null
      return
    }
    this.#lowSinceUs ??= nowUs
    if (nowUs - this.#lowSinceUs < ASYMMETRIC_US || this.#slot === this.#toldSlot) return
    this.#toldSlot = this.#slot
    const pairs = this.#now.pairCount + this.#before.pairCount
    this.asymmetry = { pairs, bothPairs: this.#now.bothCount + this.#before.bothCount, sinceUs: this.#lowSinceUs }
  }

  /** The first contact of a pair in this bucket. */
  #begin(contact: Contact, client: HostPairs | undefined): void {
    const { hosts } = this.#now
    if (client !== undefined && client.count >= PAIRS_PER_HOST_MAX) return
    const server = hosts.get(contact.addr[SERVER])
    if (server !== undefined && server.count >= PAIRS_PER_HOST_MAX) return
    if (this.#now.pairCount >= PAIRS_MAX) {
      this.saturatedCount++
      return
    }
    const asking = client ?? added(hosts, contact.addr[CLIENT])
    // A host may speak with itself.
    const asked = server ?? hosts.get(contact.addr[SERVER]) ?? added(hosts, contact.addr[SERVER])
    asking.count++
    asked.count++
    asking.servers = [...asking.servers, contact.addr[SERVER]]
    this.#now.pairCount++
    if (contact.halves === 'both') this.#noteBoth(asking, asking.servers.length - 1)
  }

  #noteBoth(client: HostPairs, at: number): void {
    const bit = 1 << at
    if ((client.both & bit) === bit) return
    client.both |= bit
    this.#now.bothCount++
  }
}

function added(hosts: Map<string, HostPairs>, address: string): HostPairs {
  const host = { count: 0, servers: NO_SERVERS, both: 0 }
  hosts.set(address, host)
  return host
}

function emptyBucket(): Bucket {
  return { hosts: new Map(), pairCount: 0, bothCount: 0 }
}
