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

/** A client's pairs in a bucket: few enough to look through. Most have one, which takes no list. */
interface ClientPairs {
  first: string
  others: readonly string[]
  /** Which of its servers, by bit, were seen in both directions. */
  both: number
}

interface Bucket {
  clients: Map<string, ClientPairs>
  /** Pairs with an address, as client or as server. */
  perHost: Map<string, number>
  pairCount: number
  bothCount: number
}

/** As many servers as an address may have, all seen in both directions: nothing more can be learnt from the client in this bucket. */
const ALL_BOTH = 2 ** PAIRS_PER_HOST_MAX - 1
const NO_OTHERS: readonly string[] = []

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
    const client = this.#now.clients.get(contact.addr[CLIENT])
    if (client?.both === ALL_BOTH) return
    const place = client === undefined ? -1 : placeOf(contact.addr[SERVER], client)
    if (client !== undefined && place >= 0) this.#noteHalves(contact, client, place)
    else if (this.#hasRoom(contact)) this.#begin(contact, client)
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

  #hasRoom({ addr }: Contact): boolean {
    const { perHost, pairCount } = this.#now
    for (const address of addr) if ((perHost.get(address) ?? 0) >= PAIRS_PER_HOST_MAX) return false
    if (pairCount < PAIRS_MAX) return true
    this.saturatedCount++
    return false
  }

  /** The first contact of a pair in this bucket. @param known the client's pairs with other servers. */
  #begin(contact: Contact, known: ClientPairs | undefined): void {
    const { clients, perHost } = this.#now
    const { addr } = contact
    for (const address of addr) perHost.set(address, (perHost.get(address) ?? 0) + 1)
    const client = known ?? { first: addr[SERVER], others: NO_OTHERS, both: 0 }
    if (known === undefined) clients.set(addr[CLIENT], client)
    else client.others = [...client.others, addr[SERVER]]
    this.#now.pairCount++
    this.#noteHalves(contact, client, client.others.length)
  }

  #noteHalves({ halves }: Contact, client: ClientPairs, place: number): void {
    const bit = 1 << place
    if (halves !== 'both' || (client.both & bit) === bit) return
    client.both |= bit
    this.#now.bothCount++
  }
}

/** Which of the client's servers it is; -1 when it is none. */
function placeOf(server: string, { first, others }: ClientPairs): number {
  if (first === server) return 0
  const at = others.indexOf(server)
  return at < 0 ? -1 : at + 1
}

function emptyBucket(): Bucket {
  return { clients: new Map(), perHost: new Map(), pairCount: 0, bothCount: 0 }
}
