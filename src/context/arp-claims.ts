/**
 * Which cards say that an address is theirs, one address of one segment.
 *
 * In:  ARP messages by sender, each with what it is: asked for, answered, announced, told unasked.
 * Out: one `Claim` a card, with counts of each and to whom it was told unasked; the last messages, for a picture.
 * Not: who is right.
 * The invariant: at most CLAIMS_MAX cards, TOLD_MAX hearers and RECENT_MAX messages are kept, the newest.
 */

/**
 * `question` and `answer` are ordinary life; `announcement` names one's own address to all (RFC 5227, section 3); `unasked` is a reply to
 * somebody who had not asked.
 */
export type ClaimHow = 'question' | 'answer' | 'announcement' | 'unasked'

export interface Claim {
  mac: string
  firstUs: number
  lastUs: number
  /** It began in an ordinary way: asking or answering in this address's name. */
  isOrdinary: boolean
  counts: Record<ClaimHow, number>
  /** When it first announced the address or told it unasked; Infinity while it never did. */
  forcedSinceUs: number
  /** Announced or told unasked soon after another card had claimed the address. */
  overrides: number
  /** Who was told unasked. */
  told: Set<string>
}

export interface ClaimMessage {
  atUs: number
  mac: string
  how: ClaimHow
}

/** A claim that was not repeated for so long says nothing about now (SCORER.md D19). */
export const CLAIM_US = 10 * 60e6
const CLAIMS_MAX = 8
const TOLD_MAX = 64
const RECENT_MAX = 64
/** Owners who still answer for an address do so within seconds; a machine that moves does not come back so soon. */
const OVERRIDE_US = 30e6
/** Tools and drivers send bursts; a mirror port doubles frames. One burst is one message. */
const BURST_US = 100e3
/** Replies to everybody name no hearer. */
const NOBODY: ReadonlySet<string> = new Set(['0.0.0.0', '255.255.255.255'])

export class ClaimedAddress {
  readonly address: string
  readonly recent: ClaimMessage[] = []
  readonly #claims = new Map<string, Claim>()
  #last: { mac: string; atUs: number } | null = null

  constructor(address: string) {
    this.address = address
  }

  /** @param hearer who was told */
  note(mac: string, how: ClaimHow, hearer: string, atUs: number): Claim {
    const isForced = how === 'unasked' || how === 'announcement'
    const claim = this.#renewed(mac, !isForced, atUs)
    if (how === 'unasked' && claim.told.size < TOLD_MAX && !NOBODY.has(hearer)) claim.told.add(hearer)
    if (!(isForced && claim.counts[how] > 0 && atUs - claim.lastUs < BURST_US)) this.#count(claim, how, isForced, atUs)
    claim.lastUs = Math.max(claim.lastUs, atUs)
    this.#last = { mac, atUs }
    return claim
  }

  claimOf(mac: string): Claim | null {
    return this.#claims.get(mac) ?? null
  }

  /** The card that claimed it last; null before anybody has. */
  get lastMac(): string | null {
    return this.#last?.mac ?? null
  }

  /** What other cards claimed lately. */
  others(mac: string, nowUs: number): Claim[] {
    return [...this.#claims.values()].filter((claim) => claim.mac !== mac && nowUs - claim.lastUs <= CLAIM_US)
  }

  #count(claim: Claim, how: ClaimHow, isForced: boolean, atUs: number): void {
    claim.counts[how]++
    if (isForced) claim.forcedSinceUs = Math.min(claim.forcedSinceUs, atUs)
    const last = this.#last
    if (isForced && last !== null && last.mac !== claim.mac && atUs - last.atUs <= OVERRIDE_US) claim.overrides++
    if (this.recent.length === RECENT_MAX) this.recent.shift()
    this.recent.push({ atUs, mac: claim.mac, how })
  }

  #renewed(mac: string, isOrdinary: boolean, atUs: number): Claim {
    const known = this.#claims.get(mac)
    if (known !== undefined && atUs - known.lastUs <= CLAIM_US) return known
    if (known === undefined && this.#claims.size >= CLAIMS_MAX) this.#forgetQuietest()
    const counts = { question: 0, answer: 0, announcement: 0, unasked: 0 }
    const claim: Claim = { mac, firstUs: atUs, lastUs: atUs, isOrdinary, counts, forcedSinceUs: Infinity, overrides: 0, told: new Set() }
    this.#claims.set(mac, claim)
    return claim
  }

  #forgetQuietest(): void {
    const quietest = [...this.#claims.values()].reduce((a, b) => (b.lastUs < a.lastUs ? b : a))
    this.#claims.delete(quietest.mac)
  }
}
