/**
 * The flow key: which packets belong together, whatever their direction.
 *
 * In:  a decoded packet. Out: which end sent it, the key's words and their hash on the packet; the words in a row; a flow's id.
 * The invariant: both directions of a conversation give the same words and the same hash; A is the smaller (address, port).
 */
import type { Packet } from '../decode/packet.ts'
import * as Row from './row.ts'

/** Odd constants of good avalanche (MurmurHash3's and the golden ratio's). */
const MULTIPLIER_A = 0x9e3779b1 | 0
const MULTIPLIER_B = 0x85ebca6b | 0
const MAPPED_PREFIX = 0xffff
/** From A's address to B's in the key. */
const ADDRESS_WORDS = 4

/** Which end is A, the key's words, and the hash of the direction-free key. */
export function setKey(p: Packet, hashSeed: number, isVlanInKey: boolean): void {
  const isSrcA = isSourceA(p)
  const { proto } = p
  p.endpoint = isSrcA ? 0 : 1
  p.keyPorts = isSrcA ? (p.srcPort << 16) | p.dstPort : (p.dstPort << 16) | p.srcPort
  let h = Math.imul((isSrcA ? p.srcW3 : p.dstW3) ^ hashSeed, MULTIPLIER_A)
  h = Math.imul((isSrcA ? p.dstW3 : p.srcW3) ^ h ^ (h >>> 15), MULTIPLIER_B)
  h = Math.imul(p.keyPorts ^ proto ^ h ^ (h >>> 13), MULTIPLIER_A)
  if (isVlanInKey || (!p.isPlain && (p.tunnelKey !== 0 || !isIpv4Pair(p)))) {
    h = setLongKey(p, isSrcA, h, isVlanInKey)
  } else {
    p.keyVlan = 0
    p.keyProto = proto | (p.echoId << 8) | Row.KEY_IS_LIVE
    if (p.echoId !== 0) h = mix(h, p.echoId)
  }
  p.hash = h ^ (h >>> 16)
}

/** What only IPv6, tunnels and VLANs need. */
function setLongKey(p: Packet, isSrcA: boolean, hash: number, isVlanInKey: boolean): number {
  p.keyVlan = isVlanInKey && p.vlanCount > 0 ? p.vlans[p.vlanCount - 1] + 1 : 0
  p.keyProto = p.proto | (p.echoId << 8) | Row.KEY_IS_LIVE | Row.KEY_IS_LONG
  let h = mix(hash, p.echoId)
  h = mix(h, p.keyVlan)
  h = mix(h, p.tunnelKey)
  h = mix(h, isSrcA ? p.srcW0 : p.dstW0)
  h = mix(h, isSrcA ? p.dstW0 : p.srcW0)
  h = mix(h, isSrcA ? p.srcW1 : p.dstW1)
  h = mix(h, isSrcA ? p.dstW1 : p.srcW1)
  h = mix(h, isSrcA ? p.srcW2 : p.dstW2)
  return mix(h, isSrcA ? p.dstW2 : p.srcW2)
}

/** In: a packet whose key was set. Out: the key's words from `atW` on. */
export function writeKey(w: Uint32Array, atW: number, p: Packet): void {
  const src = atW + p.endpoint * ADDRESS_WORDS
  const dst = atW + (1 - p.endpoint) * ADDRESS_WORDS
  w[src] = p.srcW0
  w[src + 1] = p.srcW1
  w[src + 2] = p.srcW2
  w[src + 3] = p.srcW3
  w[dst] = p.dstW0
  w[dst + 1] = p.dstW1
  w[dst + 2] = p.dstW2
  w[dst + 3] = p.dstW3
  w[atW + Row.KEY_PORTS_W] = p.keyPorts
  w[atW + Row.KEY_PROTO_W] = p.keyProto
  w[atW + Row.KEY_TUNNEL_W] = p.tunnelKey
  w[atW + Row.KEY_VLAN_W] = p.keyVlan
}

/**
 * Whether the row whose words begin at `atW` is the live connection of a packet whose key was set. The whole key is compared: two flows with
 * one hash stay two flows. The protocol word says whether the row is live, and whether it is plain IPv4, for which these four words are
 * the whole key.
 */
export function isKeyAt(w: Uint32Array, atW: number, p: Packet): boolean {
  return (
    (w[atW + p.endpoint * ADDRESS_WORDS + 3] | 0) === p.srcW3 &&
    (w[atW + (1 - p.endpoint) * ADDRESS_WORDS + 3] | 0) === p.dstW3 &&
    (w[atW + Row.KEY_PORTS_W] | 0) === p.keyPorts &&
    (w[atW + Row.KEY_PROTO_W] | 0) === p.keyProto &&
    ((p.keyProto & Row.KEY_IS_LONG) === 0 || isLongKeyAt(w, atW, p))
  )
}

function isLongKeyAt(w: Uint32Array, atW: number, p: Packet): boolean {
  const src = atW + p.endpoint * ADDRESS_WORDS
  const dst = atW + (1 - p.endpoint) * ADDRESS_WORDS
  return (
    (w[src] | 0) === p.srcW0 &&
    (w[src + 1] | 0) === p.srcW1 &&
    (w[src + 2] | 0) === p.srcW2 &&
    (w[dst] | 0) === p.dstW0 &&
    (w[dst + 1] | 0) === p.dstW1 &&
    (w[dst + 2] | 0) === p.dstW2 &&
    (w[atW + Row.KEY_TUNNEL_W] | 0) === p.tunnelKey &&
    (w[atW + Row.KEY_VLAN_W] | 0) === p.keyVlan
  )
}

/**
 * 53 bits mixed from the key's words, as a finished row has them, and the connection's absolute start: the same on every run and for
 * every row of a connection.
 */
export function flowIdOf(words: Uint32Array, atW: number, startSec: number, startUs: number): number {
  let h1 = idMix(0x243f6a88, startSec | 0)
  let h2 = idMix(0x13198a2e, startUs)
  for (let i = 0; i < Row.KEY_WORDS_COUNT; i++) {
    h1 = idMix(h1, words[atW + i] ^ h2)
    h2 = idMix(h2, words[atW + i] + h1)
  }
  return (idMix(h1, h2) & 0x1fffff) * 2 ** 32 + (idMix(h2, h1) >>> 0)
}

function idMix(h: number, word: number): number {
  let x = Math.imul(h ^ word, MULTIPLIER_A)
  x ^= x >>> 15
  x = Math.imul(x, MULTIPLIER_B)
  return x ^ (x >>> 13)
}

/** Whether the source is the smaller (address, port). */
function isSourceA(p: Packet): boolean {
  if (p.srcW3 !== p.dstW3) return p.srcW3 < p.dstW3
  if (p.srcW2 !== p.dstW2) return p.srcW2 < p.dstW2
  if (p.srcW1 !== p.dstW1) return p.srcW1 < p.dstW1
  return p.srcW0 !== p.dstW0 ? p.srcW0 < p.dstW0 : p.srcPort <= p.dstPort
}

function isIpv4Pair(p: Packet): boolean {
  return (p.srcW0 | p.srcW1 | (p.srcW2 ^ MAPPED_PREFIX) | p.dstW0 | p.dstW1 | (p.dstW2 ^ MAPPED_PREFIX)) === 0
}

/** Multiply and fold: every bit of `word` reaches the low bits that pick the index entry. */
function mix(h: number, word: number): number {
  const x = Math.imul(h ^ word, MULTIPLIER_A)
  return x ^ (x >>> 15)
}
