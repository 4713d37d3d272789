/**
 * The commonest frame by far, decoded in one piece: untagged Ethernet, IPv4 without options, not fragmented, TCP or UDP.
 *
 *   0              12     14 15     16     18     20     22 23     26       30       34
 *   +--------------+------+--+------+------+------+------+--+------+--------+--------+----------
 *   | dst, src MAC | 0800 |45|      |length|      |fl,off|  |proto |  src   |  dst   | TCP or UDP
 *   +--------------+------+--+------+------+------+------+--+------+--------+--------+----------
 *
 * In:  a frame of an Ethernet slab. Out: `packet` as the decoders one by one would leave it, and true; or false with `packet` as it was:
 *      then they decide, faults and their reasons included.
 * Not: wrappers: a UDP port that may be one is left to them.
 * The invariant, held by a test on every capture there is: where this says true, the decoders one by one say the same.
 * It saves a third of the time of decoding: one length check, no cursor handed from header to header.
 */
import { i32, u16 } from '../base/bytes.ts'
import type { Packet } from './packet.ts'
import { isTunnelPort } from './tunnel.ts'

const ETHER_TYPE = 12
const VERSION_IHL = 14
const TOTAL_LENGTH = 16
const FRAGMENT_WORD = 20
const IP = 14
const TTL = 22
const PROTOCOL = 23
const SRC = 26
const DST = 30
const TRANSPORT = 34
const SRC_PORT = 34
const DST_PORT = 36
const UDP_LENGTH = 38
const SEQ = 38
const ACK_NUMBER = 42
const DATA_OFFSET = 46
const FLAGS = 47
const WINDOW = 48
/** Through the TCP header without options. */
const LEN_MIN = 54

const IPV4 = 0x0800
const VERSION_4_IHL_5 = 0x45
/** More fragments, and the offset. */
const FRAGMENTED = 0x3fff
const IP_HEADER_LEN = 20
const TCP_HEADER_LEN_MIN = 20
const UDP_HEADER_LEN = 8
const MAPPED_PREFIX = 0xffff
const TCP = 6
const UDP = 17

export function decodePlain(b: Uint8Array, start: number, capLen: number, wireLen: number, packet: Packet): boolean {
  if (capLen < LEN_MIN || u16(b, start + ETHER_TYPE) !== IPV4 || b[start + VERSION_IHL] !== VERSION_4_IHL_5) return false
  if ((u16(b, start + FRAGMENT_WORD) & FRAGMENTED) !== 0) return false
  const totalLen = u16(b, start + TOTAL_LENGTH)
  const proto = b[start + PROTOCOL]
  const srcPort = u16(b, start + SRC_PORT)
  const dstPort = u16(b, start + DST_PORT)
  if (proto === TCP) {
    const headerLen = (b[start + DATA_OFFSET] >> 4) * 4
    if (headerLen < TCP_HEADER_LEN_MIN || totalLen < IP_HEADER_LEN + headerLen) return false
    packet.seq = i32(b, start + SEQ)
    packet.ack = i32(b, start + ACK_NUMBER)
    packet.flags = b[start + FLAGS]
    packet.window = u16(b, start + WINDOW)
    packet.l4HeaderLen = headerLen
    packet.payloadLen = totalLen - IP_HEADER_LEN - headerLen
  } else {
    const length = u16(b, start + UDP_LENGTH)
    if (proto !== UDP || length < UDP_HEADER_LEN || length > totalLen - IP_HEADER_LEN || isTunnelPort(dstPort) || isTunnelPort(srcPort))
      return false
    packet.flags = 0
    packet.window = 0
    packet.l4HeaderLen = UDP_HEADER_LEN
    packet.payloadLen = length - UDP_HEADER_LEN
  }
  packet.wireLen = wireLen
  packet.capLen = capLen
  packet.at = start + TRANSPORT
  packet.ipAt = start + IP
  packet.capEnd = start + capLen
  packet.srcW3 = i32(b, start + SRC)
  packet.dstW3 = i32(b, start + DST)
  packet.proto = proto
  packet.srcPort = srcPort
  packet.dstPort = dstPort
  packet.ipLen = totalLen
  packet.ttl = b[start + TTL]
  // What no such frame has is cleared once, and stays so from one of them to the next.
  if (!packet.isPlain) clearOthers(packet)
  return true
}

function clearOthers(packet: Packet): void {
  packet.isPlain = true
  packet.srcW0 = 0
  packet.srcW1 = 0
  packet.srcW2 = MAPPED_PREFIX
  packet.dstW0 = 0
  packet.dstW1 = 0
  packet.dstW2 = MAPPED_PREFIX
  packet.vlanCount = 0
  packet.fragment = 0
  packet.tunnelDepth = 0
  packet.tunnelKey = 0
  packet.innerFault = 0
  packet.echoId = 0
  packet.icmpType = 0
  packet.icmpCode = 0
  packet.quotedProto = 0
}
