/**
 * Super-packets: TCP packets larger than any segment on that link can be, made by the capturing host's receive offload (GRO, LRO) out of
 * several, or on their way to its transmit offload (TSO, GSO).
 *
 * In:  packets over 1,500 octets, and SYNs, which name the largest segment that their sender takes (MSS, RFC 9293 section 3.7.1).
 * Out: whether a packet is one.
 * Not: UDP. Without any SYN seen, packets up to a jumbo frame may be real.
 */
import { u16 } from '../base/bytes.ts'
import type { Packet } from '../decode/packet.ts'

/** Only larger ones are looked at: the IP length that Ethernet without jumbo frames carries. */
export const IP_LEN_STANDARD = 1500
/** What switches call a jumbo frame: 9,216 octets. */
const IP_LEN_JUMBO = 9216

const TCP = 6
const TCP_HEADER_LEN_MIN = 20
const OPTION_END = 0
const OPTION_NOTHING = 1
const OPTION_MSS = 2
const OPTION_MSS_LEN = 4

export class SegmentSizes {
  /** The largest that any SYN named; 0 before the first. */
  #mssMax = 0

  /** In: a SYN. */
  noteSyn(b: Uint8Array, p: Packet): void {
    const mss = mssOf(b, p.at + TCP_HEADER_LEN_MIN, Math.min(p.at + p.l4HeaderLen, p.capEnd))
    if (mss > this.#mssMax) this.#mssMax = mss
  }

  /** In: a packet of more than IP_LEN_STANDARD octets. */
  isOversize(p: Packet): boolean {
    if (p.proto !== TCP) return false
    return this.#mssMax === 0 ? p.ipLen > IP_LEN_JUMBO : p.payloadLen > this.#mssMax
  }
}

/** The option's value; 0 when it is not there. */
function mssOf(b: Uint8Array, start: number, end: number): number {
  for (let at = start; at < end; ) {
    const kind = b[at]
    if (kind === OPTION_END) return 0
    if (kind === OPTION_NOTHING) {
      at++
      continue
    }
    const len = at + 1 < end ? b[at + 1] : 0
    if (len < 2) return 0
    if (kind === OPTION_MSS && len === OPTION_MSS_LEN && at + OPTION_MSS_LEN <= end) return u16(b, at + 2)
    at += len
  }
  return 0
}
