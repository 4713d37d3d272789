/**
 * Frames written from what they say, for tests above decoding: Ethernet, VLAN tags, IPv4 or IPv6, one transport header.
 *
 * Out: the headers only; the payload is a length in the IP header and in `wireLen`, as a capture with a short snap length has it.
 */
import { parseAddress } from '../../src/base/address.ts'
import { ACK, CWR, ECE, FIN, PSH, RST, SYN, URG } from '../../src/decode/packet.ts'
import { concat } from '../base/hex.ts'
import type { Frame } from '../capture/records.ts'

export interface Endpoint {
  address: string
  port: number
}

/** What lies above IP. */
export interface Transport {
  proto: number
  header: Uint8Array
  payloadLen: number
}

export const FLAG_BITS: Readonly<Record<string, number>> = { F: FIN, S: SYN, R: RST, P: PSH, A: ACK, U: URG, E: ECE, C: CWR }

/** `'SA'` to the flags octet. */
export function flagBits(letters: string): number {
  return [...letters].reduce((bits, letter) => bits | FLAG_BITS[letter], 0)
}

export interface TcpFields {
  flags: number
  seq?: number
  ack?: number
  window?: number
  payloadLen?: number
  optionsLen?: number
}

export function tcpSegment(srcPort: number, dstPort: number, fields: TcpFields): Transport {
  const header = new Uint8Array(20 + (fields.optionsLen ?? 0))
  const view = new DataView(header.buffer)
  view.setUint16(0, srcPort)
  view.setUint16(2, dstPort)
  view.setUint32(4, fields.seq ?? 0)
  view.setUint32(8, fields.ack ?? 0)
  header[12] = (header.length / 4) << 4
  header[13] = fields.flags
  view.setUint16(14, fields.window ?? 1000)
  return { proto: 6, header, payloadLen: fields.payloadLen ?? 0 }
}

export function udpDatagram(srcPort: number, dstPort: number, payloadLen: number): Transport {
  const header = new Uint8Array(8)
  const view = new DataView(header.buffer)
  view.setUint16(0, srcPort)
  view.setUint16(2, dstPort)
  view.setUint16(4, 8 + payloadLen)
  return { proto: 17, header, payloadLen }
}

/** @param rest what follows the four octets of type, code and checksum */
export function icmpMessage(type: number, code: number, rest: Uint8Array, proto = 1): Transport {
  return { proto, header: concat(Uint8Array.of(type, code, 0, 0), rest), payloadLen: 0 }
}

function words(address: string): readonly number[] {
  const parsed = parseAddress(address)
  if (parsed === null) throw new Error(`no address: ${address}`)
  return parsed
}

export function ipPacket(src: string, dst: string, { proto, header, payloadLen }: Transport): Uint8Array {
  const len = header.length + payloadLen
  if (!src.includes(':')) {
    const ip = new Uint8Array(20)
    const view = new DataView(ip.buffer)
    ip[0] = 0x45
    view.setUint16(2, 20 + len)
    ip[8] = 64
    ip[9] = proto
    view.setInt32(12, words(src)[3])
    view.setInt32(16, words(dst)[3])
    return concat(ip, header)
  }
  const ip = new Uint8Array(40)
  const view = new DataView(ip.buffer)
  ip[0] = 0x60
  view.setUint16(4, len)
  ip[6] = proto
  ip[7] = 64
  words(src).forEach((word, i) => {
    view.setInt32(8 + 4 * i, word)
  })
  words(dst).forEach((word, i) => {
    view.setInt32(24 + 4 * i, word)
  })
  return concat(ip, header)
}

/** In: a time in whole microseconds since 1970 and an IP packet. Out: an Ethernet frame, tagged with `vlans`, outermost first. */
export function ethernetFrame(timeUs: number, packet: Uint8Array, payloadLen: number, vlans: readonly number[] = []): Frame {
  const etherType = packet[0] >> 4 === 6 ? [0x86, 0xdd] : [0x08, 0x00]
  const tags = vlans.flatMap((id) => [0x81, 0x00, id >> 8, id & 0xff])
  const bytes = concat(Uint8Array.of(2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, ...tags, ...etherType), packet)
  const sec = Math.floor(timeUs / 1e6)
  return { sec, nsec: (timeUs - sec * 1e6) * 1000, bytes, wireLen: bytes.length + payloadLen }
}
