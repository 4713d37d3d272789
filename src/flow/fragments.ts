/**
 * Whose payload a later fragment is: ports remembered from first fragments, by (source, destination, protocol, IP id, tunnel).
 *
 * In:  decoded fragments in packet-time order. Out: a later fragment filled in with its first's protocol and ports, so that it is
 *      counted with its flow: a packet and its payload, no flags, no transport header (FEATURES.md A6); or the reason why not.
 * Not: reassembly, nor a check of offsets: overlapping and overlong fragments count as what the wire carried. Fragments that come
 *      before their first one are not kept.
 * The invariant: the table has a fixed size, four places a set; what it lets go is the oldest of a set, and counted.
 */
import { isIpv4 } from '../base/address.ts'
import { DECODED, type DropReason, FRAGMENT_OF_TUNNEL, FRAGMENT_WITHOUT_FIRST } from '../decode/drop-reason.ts'
import { LATER_FRAGMENT, NOT_FRAGMENTED, type Packet } from '../decode/packet.ts'

/** Linux keeps fragments for reassembly this long (net.ipv4.ipfrag_time), RFC 8200 section 4.5 a minute. */
const KEPT_US = 30e6
const SETS = 1024
const WAYS = 4
/** IPv6 tells fragments apart without the protocol (RFC 8200, section 4.5): a later one may name an extension header. */
const ANY_PROTO = 256

// Words of an entry: the key…
const SRC = 0
const DST = 4
const ID = 8
const PROTO = 9
const TUNNEL = 10
const KEY_WORDS = 11
// …and what the first fragment said.
const PORTS = 11
const INNER_PROTO = 12
const ECHO_ID = 13
/** ICMP type and code; in bits 16–23 the octets that a TCP header in pieces still lacks of its shortest form. */
const ICMP = 14
const OWNER = 15
const ENTRY_WORDS = 16

const TCP = 6
const TCP_HEADER_MIN = 20
const LACKING_SHIFT = 16

/** Owners: the packet itself, or the packet that the wrapper carries, which was counted whole. */
const OWN_PACKET = 1
const CARRIED_PACKET = 2

export interface FragmentCounters {
  /** First fragments noted. */
  first: number
  /** Later fragments counted with their flow. */
  attributed: number
  /** Entries let go before their time to make room. */
  evicted: number
}

export class Fragments {
  readonly counters: FragmentCounters = { first: 0, attributed: 0, evicted: 0 }
  readonly #entries = new Int32Array(SETS * WAYS * ENTRY_WORDS)
  readonly #seenUs = new Float64Array(SETS * WAYS).fill(-Infinity)
  readonly #key = new Int32Array(KEY_WORDS)

  /** In: a packet that is a fragment, or came out of one. Out: DECODED when it is to be counted. */
  resolve(p: Packet): DropReason {
    if (p.tunnelDepth > 0 && p.isOuterFragmented) this.#noteOuter(p)
    if (p.fragment === NOT_FRAGMENTED) return DECODED
    this.#setKey(p)
    if (p.fragment !== LATER_FRAGMENT) {
      this.#note(p, OWN_PACKET)
      return DECODED
    }
    const slot = this.#find(p.timeUs)
    if (slot < 0) return FRAGMENT_WITHOUT_FIRST
    const at = slot * ENTRY_WORDS
    const e = this.#entries
    if (e[at + OWNER] === CARRIED_PACKET) return FRAGMENT_OF_TUNNEL
    p.proto = e[at + INNER_PROTO]
    p.srcPort = e[at + PORTS] >>> 16
    p.dstPort = e[at + PORTS] & 0xffff
    p.echoId = e[at + ECHO_ID]
    p.icmpType = e[at + ICMP] & 0xff
    p.icmpCode = (e[at + ICMP] >>> 8) & 0xff
    if (e[at + ICMP] >>> LACKING_SHIFT > 0) this.#takeHeader(p, at + ICMP)
    this.counters.attributed++
    return DECODED
  }

  /** The rest of a header that the first fragment holds a piece of is no payload. */
  #takeHeader(p: Packet, word: number): void {
    const taken = Math.min(p.payloadLen, this.#entries[word] >>> LACKING_SHIFT)
    p.payloadLen -= taken
    p.l4HeaderLen = taken
    this.#entries[word] -= taken << LACKING_SHIFT
  }

  #setKey(p: Packet): void {
    const k = this.#key
    k[SRC] = p.srcW0
    k[SRC + 1] = p.srcW1
    k[SRC + 2] = p.srcW2
    k[SRC + 3] = p.srcW3
    k[DST] = p.dstW0
    k[DST + 1] = p.dstW1
    k[DST + 2] = p.dstW2
    k[DST + 3] = p.dstW3
    k[ID] = p.ipId
    k[PROTO] = isIpv4(p.srcW0, p.srcW1, p.srcW2) ? p.proto : ANY_PROTO
    k[TUNNEL] = p.tunnelKey
  }

  #noteOuter(p: Packet): void {
    const k = this.#key
    k[SRC] = p.outerSrcW0
    k[SRC + 1] = p.outerSrcW1
    k[SRC + 2] = p.outerSrcW2
    k[SRC + 3] = p.outerSrcW3
    k[DST] = p.outerDstW0
    k[DST + 1] = p.outerDstW1
    k[DST + 2] = p.outerDstW2
    k[DST + 3] = p.outerDstW3
    k[ID] = p.outerIpId
    k[PROTO] = isIpv4(p.outerSrcW0, p.outerSrcW1, p.outerSrcW2) ? p.outerProto : ANY_PROTO
    k[TUNNEL] = p.outerTunnelKey
    this.#note(p, CARRIED_PACKET)
  }

  #note(p: Packet, owner: number): void {
    const slot = this.#place(p.timeUs)
    const at = slot * ENTRY_WORDS
    const e = this.#entries
    for (let i = 0; i < KEY_WORDS; i++) e[at + i] = this.#key[i]
    e[at + PORTS] = (p.srcPort << 16) | p.dstPort
    e[at + INNER_PROTO] = p.proto
    e[at + ECHO_ID] = p.echoId
    const lacking = p.proto === TCP && owner === OWN_PACKET ? Math.max(0, TCP_HEADER_MIN - p.l4HeaderLen) : 0
    e[at + ICMP] = p.icmpType | (p.icmpCode << 8) | (lacking << LACKING_SHIFT)
    e[at + OWNER] = owner
    this.#seenUs[slot] = p.timeUs
    this.counters.first++
  }

  /** The entry of the same key, else one past its time, else the oldest of the set. */
  #place(nowUs: number): number {
    const known = this.#find(nowUs)
    if (known >= 0) return known
    const set = this.#set()
    let oldest = set
    for (let slot = set + 1; slot < set + WAYS; slot++) if (this.#seenUs[slot] < this.#seenUs[oldest]) oldest = slot
    if (this.#isFresh(oldest, nowUs)) this.counters.evicted++
    return oldest
  }

  #find(nowUs: number): number {
    const set = this.#set()
    for (let slot = set; slot < set + WAYS; slot++) if (this.#isFresh(slot, nowUs) && this.#isKeyOf(slot)) return slot
    return -1
  }

  /** Time may have been set back: what lies ahead of now is as old as what lies behind it. */
  #isFresh(slot: number, nowUs: number): boolean {
    return Math.abs(nowUs - this.#seenUs[slot]) <= KEPT_US
  }

  #isKeyOf(slot: number): boolean {
    const at = slot * ENTRY_WORDS
    for (let i = 0; i < KEY_WORDS; i++) if (this.#entries[at + i] !== this.#key[i]) return false
    return true
  }

  #set(): number {
    let h = 0
    for (let i = 0; i < KEY_WORDS; i++) {
      h = Math.imul(h ^ this.#key[i], 0x9e3779b1)
      h ^= h >>> 15
    }
    return (h & (SETS - 1)) * WAYS
  }
}
