/**
 * Second copies of a packet, as a mirror port makes them when it shows a packet both as it comes in and as it goes out, or two sources
 * between which it is routed. A copy has the same IP identification, addresses, lengths and transport header; its MAC addresses, VLAN,
 * TTL and header checksum may differ. Copies come within WINDOW_US.
 *
 * In:  decoded packets with their octets, in order. Out: whether this one is a copy.
 * Not: anything that may be real. Two packets of one sender that carry the same identification within the window are one
 *      (RFC 6864, section 4); but senders of unfragmentable packets may leave it 0 or never change it (scapy: always 1), and IPv6 has
 *      none, so there
 *        - only packets that take up sequence numbers, and datagrams with a checksum, can be copies, and only
 *        - while what was proven by identification, or by TCP data equal to the time stamp, shows that the mirror doubles packets;
 *        - pure acknowledgements, which a receiver may repeat word by word, only while nearly all that can prove it shows that the mirror
 *          doubles everything, and when the second one comes within ACK_WINDOW_US.
 *      A third equal packet shows that the sender repeats itself, as in a flood: from then on it is taken for real.
 *
 * The window is shorter than any sender's retransmission time-out (Linux 200 ms; RFC 6298 asks for 1 s) and longer than a router holds
 * a packet. Looking at every packet would cost a tenth of metering: when CLEAN_MIN packets brought no copy, only one in SAMPLE is looked
 * at, chosen by its content, so that both copies are; the first copy found brings the full look back.
 */
import { i32, u16 } from '../base/bytes.ts'
import { FIN, LATER_FRAGMENT, type Packet, RST, SYN } from '../decode/packet.ts'

import { NO_CHOICE } from './content-choice.ts'

const WINDOW_US = 10_000
const CLEAN_MIN = 4096
/** A power of two. */
const SAMPLE = 64
/** Of the packets that can prove it, so many must be copies for the mirror to count as doubling: at least, and as a share. */
const PROVEN_MIN = 8
const PROVEN_SHARE = 1 / 20
const PROOFS_KEPT = 4096
/** When everything is doubled, half of the packets that can prove it are copies. */
const ALL_PROVEN_MIN = 64
const ALL_PROVEN_SHARE = 0.4
/** What a switch needs to mirror a packet twice; a receiver that repeats itself does so as segments arrive. */
const ACK_WINDOW_US = 300
/** Packets remembered; a power of two. At a million packets a second the window holds ten thousand. */
const SLOTS = 1 << 14

/** Senders remembered, to see whether their identifications change; a power of two. */
const SENDERS = 1 << 12

const TCP = 6
const UDP = 17
const ICMP = 1
const ICMPV6 = 58
const IPV4_ID = 4
const IPV4_FRAGMENT = 6
const UDP_SUM = 6
/** Octets of the transport header that are compared: TCP's ports, sequence numbers, flags, window and checksum, which covers the payload. */
const TRANSPORT_LEN = 20
const MULTIPLIER_A = 0x9e3779b1 | 0
const MULTIPLIER_B = 0x85ebca6b | 0

/** How often an equal packet came. */
const ONCE = 1
const REPEATED = 3

export class Duplicates {
  readonly #isVlanInKey: boolean
  readonly #first = new Int32Array(SLOTS)
  readonly #second = new Int32Array(SLOTS)
  readonly #timeUs = new Float64Array(SLOTS).fill(-Infinity)
  readonly #count = new Uint8Array(SLOTS)
  readonly #senders = new Int32Array(SENDERS)
  readonly #senderIds = new Uint16Array(SENDERS)
  readonly #hasChanged = new Uint8Array(SENDERS)
  /** Packets looked at since the last proven copy. */
  #clean = 0
  #isSampling = false
  /** Packets that could prove a copy, and those that did; both halved now and then, so that old ones weigh less. */
  #proofs = 0
  #proven = 0
  /** From the last packet that was looked at back to the one in its place before. */
  #gapUs = 0

  /** @param isVlanInKey then the same packet on two VLANs belongs to two flows, and is no copy */
  constructor(isVlanInKey: boolean) {
    this.#isVlanInKey = isVlanInKey
  }

  /** @param choice what the packet's content chooses; those too short to choose by are all looked at */
  isCopy(b: Uint8Array, p: Packet, choice: number): boolean {
    if (this.#isSampling && choice !== NO_CHOICE && (choice & (SAMPLE - 1)) !== 0) return false
    return this.#look(b, p)
  }

  #look(b: Uint8Array, p: Packet): boolean {
    const identification = identificationOf(b, p)
    const isIdentified = identification !== 0 && this.#changesIds(p, identification)
    const hasProof = isIdentified || (p.proto === TCP && p.payloadLen > 0)
    if (hasProof && ++this.#proofs >= PROOFS_KEPT) {
      this.#proofs /= 2
      this.#proven /= 2
    }
    const isTwin = this.#isTwin(b, p, identification)
    if (isTwin && hasProof) {
      this.#clean = 0
      this.#isSampling = false
      this.#proven++
    } else if (++this.#clean >= CLEAN_MIN) this.#isSampling = true
    if (!isTwin || isIdentified) return isTwin
    if (isTellingWithoutId(b, p)) return this.#isDoubling
    return p.proto === TCP && this.#gapUs <= ACK_WINDOW_US && this.#isDoublingAll
  }

  get #isDoubling(): boolean {
    return this.#proven >= PROVEN_MIN && this.#proven >= this.#proofs * PROVEN_SHARE
  }

  get #isDoublingAll(): boolean {
    return this.#proven >= ALL_PROVEN_MIN && this.#proven >= this.#proofs * ALL_PROVEN_SHARE
  }

  /** Whether this sender was seen with another identification before. */
  #changesIds(p: Packet, identification: number): boolean {
    const sender = mix(mix(mix(p.srcW3, p.srcW2), p.srcW1), p.srcW0)
    const slot = (sender ^ (sender >>> 16)) & (SENDERS - 1)
    if (this.#senders[slot] !== sender) {
      this.#senders[slot] = sender
      this.#hasChanged[slot] = 0
    } else if (this.#senderIds[slot] !== (identification & 0xffff)) this.#hasChanged[slot] = 1
    this.#senderIds[slot] = identification
    return this.#hasChanged[slot] === 1
  }

  /** Whether an equal packet came once within the window; remembers this one. */
  #isTwin(b: Uint8Array, p: Packet, identification: number): boolean {
    let first = Math.imul(p.srcW3 ^ (p.ipLen << 8) ^ p.proto, MULTIPLIER_A)
    let second = Math.imul(p.dstW3 ^ identification, MULTIPLIER_B)
    if (b[p.ipAt] >> 4 !== 4) {
      first = mix(mix(mix(first, p.srcW0), p.srcW1), p.srcW2)
      second = mix(mix(mix(second, p.dstW0), p.dstW1), p.dstW2)
    }
    if (p.tunnelKey !== 0) first = mix(first, p.tunnelKey)
    if (this.#isVlanInKey && p.vlanCount > 0) first = mix(first, p.vlans[p.vlanCount - 1] + 1)
    const end = Math.min(p.at + TRANSPORT_LEN, p.capEnd)
    let at = p.at
    for (; end - at >= 4; at += 4) {
      const word = i32(b, at)
      first = mix(first, word)
      second = Math.imul(second ^ word ^ (second >>> 13), MULTIPLIER_B)
    }
    for (; at < end; at++) first = mix(first, b[at])
    const slot = (first ^ (first >>> 16)) & (SLOTS - 1)
    this.#gapUs = Math.abs(p.timeUs - this.#timeUs[slot])
    const isEqual = this.#first[slot] === first && this.#second[slot] === second && this.#gapUs <= WINDOW_US
    this.#timeUs[slot] = p.timeUs
    if (!isEqual) {
      this.#first[slot] = first
      this.#second[slot] = second
      this.#count[slot] = ONCE
      return false
    }
    const count = this.#count[slot]
    if (count < REPEATED) this.#count[slot]++
    return count === ONCE
  }
}

/** With where it lies in its datagram: all fragments of one have the same. 0 for none. */
function identificationOf(b: Uint8Array, p: Packet): number {
  if (b[p.ipAt] >> 4 !== 4) return p.fragment === LATER_FRAGMENT ? p.ipId : 0
  const identification = u16(b, p.ipAt + IPV4_ID)
  return identification === 0 ? 0 : (u16(b, p.ipAt + IPV4_FRAGMENT) << 16) | identification
}

/** Whether two equal ones of this kind are hardly ever real: not so for pure acknowledgements, of which a receiver sends several alike. */
function isTellingWithoutId(b: Uint8Array, p: Packet): boolean {
  if (p.proto === TCP) return p.payloadLen > 0 || (p.flags & (SYN | FIN | RST)) !== 0
  if (p.proto === UDP) return p.capEnd - p.at >= UDP_SUM + 2 && u16(b, p.at + UDP_SUM) !== 0
  return p.proto === ICMP || p.proto === ICMPV6
}

function mix(h: number, word: number): number {
  const x = Math.imul(h ^ word, MULTIPLIER_A)
  return x ^ (x >>> 15)
}
