/**
 * How much of the two-way traffic reaches the sensor in both directions (SCORER.md section 3, "visibility first").
 *
 * In:  TCP contacts that prove a second direction existed: a completed handshake, data, or a SYN-ACK.
 * Out: share of distinct client-server pairs seen in both directions over the last five to ten minutes; null while unknown. When it has
 *      been under a half for ten minutes, that is told once a bucket.
 * Not: lone SYNs and lone probes. Nothing says that anyone ever answered them, so a scan or a flood cannot lower the share.
 *
 * A pair counts once in each of the two buckets, and one client or server with at most PAIRS_PER_HOST_MAX pairs a bucket: backscatter
 * towards one victim is no asymmetric mirror port. The pair itself remembers that it was counted.
 */

import type { Contact } from './contact.ts'

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

/** What a pair remembers of the bucket in which it was looked at last, and its two hosts. */
export interface PairInShare {
  client: HostInShare
  target: HostInShare
  shareSlot: number
  shareStanding: ShareStanding
}

/** `full`: one of its addresses, or the bucket, had as many pairs as count. */
export type ShareStanding = 'half' | 'both' | 'full'

/** What a host remembers of it, as a client or as a server. */
export interface HostInShare {
  shareSlot: number
  /** Its pairs that were counted in that bucket. */
  sharePairs: number
}

/** No bucket. */
export const NOT_SHARED = -(2 ** 30)

interface Bucket {
  pairCount: number
  bothCount: number
}

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

  observe(contact: Contact, pair: PairInShare): void {
    this.asymmetry = null
    if (!contact.hasExchange) return
    this.advance(contact.endUs)
    if (pair.shareSlot !== this.#slot) {
      pair.shareSlot = this.#slot
      pair.shareStanding = this.#begin(pair) ? 'half' : 'full'
    }
    if (contact.halves === 'both' && pair.shareStanding === 'half') {
      pair.shareStanding = 'both'
      this.#now.bothCount++
    }
    this.#noteAsymmetry(contact.endUs)
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

  /** The first contact of a pair in this bucket; false when no more of its pairs, or of all, are counted. */
  #begin({ client, target }: PairInShare): boolean {
    if (this.#pairsOf(client) >= PAIRS_PER_HOST_MAX || this.#pairsOf(target) >= PAIRS_PER_HOST_MAX) return false
    if (this.#now.pairCount >= PAIRS_MAX) {
      this.saturatedCount++
      return false
    }
    client.sharePairs++
    target.sharePairs++
    this.#now.pairCount++
    return true
  }

  /** In this bucket. */
  #pairsOf(host: HostInShare): number {
    if (host.shareSlot !== this.#slot) {
      host.shareSlot = this.#slot
      host.sharePairs = 0
    }
    return host.sharePairs
  }
}

function emptyBucket(): Bucket {
  return { pairCount: 0, bothCount: 0 }
}
