/**
 * Finds the packets of alerts' telling flows, for many alerts in one pass.
 *
 * In:  slabs; slices with what each wants. Out: the slices, filled.
 * Not: second copies left out: what a mirror port showed twice is in a slice twice.
 *
 * A packet belongs to a flow as in the flow table: by the whole key, tunnel, VLAN and echo identifier included. An alert does not hold
 * that key; but the flow's id is made of it, so that a packet with the right addresses and ports is asked for the id it gives.
 */
import { i32le, u32le } from '../base/bytes.ts'
import { MARKER_MIN, REC_CAP_LEN, REC_HEADER_LEN, REC_NSEC, REC_SEC, REC_WIRE_LEN, type Slab } from '../capture/slab.ts'
import { readArp } from '../decode/arp.ts'
import { decodeFrame } from '../decode/decode.ts'
import { ARP, DECODED } from '../decode/drop-reason.ts'
import { NOT_FRAGMENTED, Packet } from '../decode/packet.ts'
import { ICMP, ICMPV6 } from '../flow/flow.ts'
import { flowIdOf, setKey, writeKey } from '../flow/flow-key.ts'
import { Fragments } from '../flow/fragments.ts'
import { KEY_IS_LIVE, KEY_PROTO_W, KEY_WORDS_COUNT } from '../flow/row.ts'
import type { Slice, WantedFlow } from './slice.ts'

const US_PER_S = 1e6
const NS_PER_US = 1000
const MULTIPLIER = 0x9e3779b1 | 0

interface Target {
  slice: Slice
  index: number
  flow: WantedFlow
}

export class SliceCutter {
  /** What any slice wants lies between these, µs since 1970. */
  readonly fromUs: number
  readonly toUs: number
  /** Of the records so far. */
  newestUs = -Infinity
  readonly #isVlanInKey: boolean
  readonly #targets = new Map<number, Target[]>()
  readonly #arp: readonly Slice[]
  readonly #fragments = new Fragments()
  readonly #packet = new Packet()
  readonly #key = new Uint32Array(KEY_WORDS_COUNT)

  constructor(slices: readonly Slice[], isVlanInKey: boolean) {
    this.#isVlanInKey = isVlanInKey
    this.fromUs = slices.reduce((least, { wants }) => Math.min(least, wants.fromUs), Infinity)
    this.toUs = slices.reduce((most, { wants }) => Math.max(most, wants.toUs), -Infinity)
    this.#arp = slices.filter(({ wants }) => wants.arp !== null)
    for (const slice of slices) {
      for (const [index, flow] of slice.wants.flows.entries()) {
        const [a, b] = flow.words
        const hash = endsHash(a[0] ^ b[0], a[1] ^ b[1], a[2] ^ b[2], a[3] ^ b[3], flow.ports[0] ^ flow.ports[1], flow.proto)
        const targets = this.#targets.get(hash)
        if (targets === undefined) this.#targets.set(hash, [{ slice, index, flow }])
        else targets.push({ slice, index, flow })
      }
    }
  }

  /** @param isAgain these records come from an earlier cut of the slices */
  take({ bytes, start, end, linkType }: Slab, isAgain = false): void {
    const p = this.#packet
    for (let at = start; at < end; ) {
      const capLen = u32le(bytes, at + REC_CAP_LEN)
      const wireLen = u32le(bytes, at + REC_WIRE_LEN)
      const timeUs = u32le(bytes, at + REC_SEC) * US_PER_S + ((i32le(bytes, at + REC_NSEC) / NS_PER_US) | 0)
      if (timeUs > this.newestUs) this.newestUs = timeUs
      if (wireLen < MARKER_MIN && timeUs >= this.fromUs && timeUs <= this.toUs) {
        p.timeUs = timeUs
        const reason = decodeFrame(linkType, bytes, at + REC_HEADER_LEN, capLen, wireLen, p)
        if (reason === ARP) this.#takeArp(linkType, bytes, at, isAgain)
        else if (reason === DECODED && this.#isSettled(p)) this.#takePacket(linkType, bytes, at, isAgain)
      }
      at += REC_HEADER_LEN + capLen
    }
  }

  /** A later fragment is given its first one's ports, as in the meter. */
  #isSettled(p: Packet): boolean {
    if (p.fragment === NOT_FRAGMENTED && (p.tunnelDepth === 0 || !p.isOuterFragmented)) return true
    return this.#fragments.resolve(p) === DECODED
  }

  #takePacket(linkType: number, bytes: Uint8Array, at: number, isAgain: boolean): void {
    const p = this.#packet
    const isIcmp = p.proto === ICMP || p.proto === ICMPV6
    const ports = isIcmp ? 0 : p.srcPort ^ p.dstPort
    const hash = endsHash(p.srcW0 ^ p.dstW0, p.srcW1 ^ p.dstW1, p.srcW2 ^ p.dstW2, p.srcW3 ^ p.dstW3, ports, p.proto)
    const targets = this.#targets.get(hash)
    if (targets === undefined) return
    setKey(p, 0, this.#isVlanInKey)
    writeKey(this.#key, 0, p)
    // As in a finished row, of which the id was made.
    this.#key[KEY_PROTO_W] &= ~KEY_IS_LIVE
    /** A packet at the edge of two rows of one connection goes to one of them. */
    let taken: Slice | null = null
    for (const { slice, index, flow } of targets) {
      if (slice === taken || p.timeUs < flow.fromUs || p.timeUs > flow.toUs) continue
      if (flowIdOf(this.#key, 0, flow.startSec, flow.startUs) !== flow.id) continue
      if (isAgain) slice.takeAgain(index, linkType, bytes, at)
      else slice.take(index, linkType, bytes, at)
      taken = slice
    }
  }

  #takeArp(linkType: number, bytes: Uint8Array, at: number, isAgain: boolean): void {
    const p = this.#packet
    if (this.#arp.length === 0) return
    const { senderMac, senderAddress, targetMac, targetAddress } = readArp(bytes, p)
    for (const slice of this.#arp) {
      const { arp, fromUs, toUs } = slice.wants
      if (arp === null || p.timeUs < fromUs || p.timeUs > toUs) continue
      const isOfActor = targetMac === arp.actor || targetAddress === arp.actor
      if (!isOfActor && !arp.names.has(senderMac) && !arp.names.has(senderAddress)) continue
      if (isAgain) slice.takeAgain(0, linkType, bytes, at)
      else slice.take(0, linkType, bytes, at)
    }
  }
}

/** Of both directions the same: in go the ends' words, one upon the other. */
function endsHash(w0: number, w1: number, w2: number, w3: number, ports: number, proto: number): number {
  let h = Math.imul(w3 ^ proto, MULTIPLIER)
  h = Math.imul(h ^ (h >>> 15) ^ w2 ^ ports, MULTIPLIER)
  h = Math.imul(h ^ (h >>> 13) ^ w1, MULTIPLIER)
  return Math.imul(h ^ (h >>> 15) ^ w0, MULTIPLIER)
}
