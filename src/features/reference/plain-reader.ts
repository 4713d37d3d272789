/**
 * The plain reader of FEATURES.md section 2: what the compat profiles take for a packet.
 *
 * In:  a slab. Out: a fresh object for each packet that it reads.
 * Not: speed, wrappers, ICMP, SCTP, later fragments, or a reason for what it leaves out: decode/ has all of these.
 * The invariant: it shares no header code with decode/, so that one of the two can show the other's mistakes. Payload is what IP says.
 */
import { formatAddress, formatIpv4 } from '../../base/address.ts'
import { i32, u16, u32, u32le } from '../../base/bytes.ts'
import { REC_CAP_LEN, REC_HEADER_LEN, REC_NSEC, REC_SEC, REC_WIRE_LEN, type Slab } from '../../capture/slab.ts'

export interface PlainPacket {
  /** Whole microseconds since 1970. */
  timeUs: number
  src: string
  dst: string
  srcPort: number
  dstPort: number
  proto: number
  /** Octets of the TCP or UDP header. */
  headerLen: number
  payloadLen: number
  /** The TCP flags octet; 0 for UDP, as the next three. */
  flags: number
  seq: number
  ack: number
  window: number
}

/** Octets [start, captured) of a frame; on the wire it went on to `end`. */
interface Part {
  bytes: Uint8Array
  start: number
  captured: number
  end: number
}

interface Network {
  src: string
  dst: string
  proto: number
  payload: Part
}

const IPV4 = 0x0800
const IPV6 = 0x86dd
const VLAN_TYPES: readonly number[] = [0x8100, 0x88a8, 0x9100]
const VLAN_TAG_LEN = 4

/** Where a link type names what follows, and where that starts. */
const LINKS: ReadonlyMap<number, { typeAt: number; headerLen: number }> = new Map([
  [1, { typeAt: 12, headerLen: 14 }],
  [113, { typeAt: 14, headerLen: 16 }],
  [276, { typeAt: 0, headerLen: 20 }],
])
const RAW_LINKS: readonly number[] = [12, 14, 101, 228, 229]
/** Null and loopback: four octets of address family, whose values differ by system; the IP version says it better. */
const NULL_LINKS: readonly number[] = [0, 108]
const NULL_HEADER_LEN = 4

function readPlainPacket(linkType: number, frame: Part, timeUs: number): PlainPacket | null {
  const network = readLink(linkType, frame)
  return network === null ? null : readTransport(network, timeUs)
}

function readLink(linkType: number, frame: Part): Network | null {
  if (RAW_LINKS.includes(linkType)) return readIp(frame)
  if (NULL_LINKS.includes(linkType)) return readIp(from(frame, NULL_HEADER_LEN))
  const link = LINKS.get(linkType)
  if (link === undefined || length(frame) < link.headerLen) return null
  return readTyped(u16(frame.bytes, frame.start + link.typeAt), from(frame, link.headerLen))
}

function readTyped(type: number, part: Part): Network | null {
  if (VLAN_TYPES.includes(type))
    return length(part) < VLAN_TAG_LEN ? null : readTyped(u16(part.bytes, part.start + 2), from(part, VLAN_TAG_LEN))
  return type === IPV4 || type === IPV6 ? readIp(part) : null
}

function readIp(part: Part): Network | null {
  if (length(part) < 1) return null
  const version = part.bytes[part.start] >> 4
  if (version === 4) return readIpv4(part)
  return version === 6 ? readIpv6(part) : null
}

const IPV4_HEADER_LEN_MIN = 20
const FRAGMENT_OFFSET = 0x1fff

function readIpv4(part: Part): Network | null {
  const { bytes: b, start } = part
  if (length(part) < IPV4_HEADER_LEN_MIN) return null
  const headerLen = (b[start] & 15) * 4
  if (headerLen < IPV4_HEADER_LEN_MIN || (u16(b, start + 6) & FRAGMENT_OFFSET) !== 0) return null
  // Zero: the sender's card cuts the segment up later (TSO); it is as long as the frame.
  const totalLen = u16(b, start + 2) || part.end - start
  return {
    src: formatIpv4(i32(b, start + 12)),
    dst: formatIpv4(i32(b, start + 16)),
    proto: b[start + 9],
    payload: { ...from(part, headerLen), end: start + totalLen },
  }
}

const IPV6_HEADER_LEN = 40
const FRAGMENT_HEADER = 44
const AUTHENTICATION_HEADER = 51
/** Hop-by-hop, routing, destination options, mobility, HIP, shim6: the length octet counts eight octets, the first not counted. */
const COMMON_EXTENSIONS: readonly number[] = [0, 43, 60, 135, 139, 140]

function readIpv6(part: Part): Network | null {
  const { bytes: b, start } = part
  if (length(part) < IPV6_HEADER_LEN) return null
  const payloadLen = u16(b, start + 4) || part.end - start - IPV6_HEADER_LEN
  const end = start + IPV6_HEADER_LEN + payloadLen
  const last = skipExtensions(b[start + 6], { ...from(part, IPV6_HEADER_LEN), end })
  return last === null ? null : { src: addressAt(b, start + 8), dst: addressAt(b, start + 24), ...last }
}

function addressAt(b: Uint8Array, at: number): string {
  return formatAddress(i32(b, at), i32(b, at + 4), i32(b, at + 8), i32(b, at + 12))
}

function skipExtensions(type: number, part: Part): { proto: number; payload: Part } | null {
  const { bytes: b, start } = part
  if (![...COMMON_EXTENSIONS, FRAGMENT_HEADER, AUTHENTICATION_HEADER].includes(type)) return { proto: type, payload: part }
  if (length(part) < 8) return null
  if (type === FRAGMENT_HEADER) return u16(b, start + 2) >> 3 === 0 ? skipExtensions(b[start], from(part, 8)) : null
  const extensionLen = type === AUTHENTICATION_HEADER ? (b[start + 1] + 2) * 4 : (b[start + 1] + 1) * 8
  return skipExtensions(b[start], from(part, extensionLen))
}

const TCP = 6
const TCP_HEADER_LEN_MIN = 20
const UDP = 17
const UDP_HEADER_LEN = 8

function readTransport({ src, dst, proto, payload }: Network, timeUs: number): PlainPacket | null {
  const { bytes: b, start, end } = payload
  const isTcp = proto === TCP
  if (!isTcp && proto !== UDP) return null
  if (length(payload) < (isTcp ? TCP_HEADER_LEN_MIN : UDP_HEADER_LEN)) return null
  const headerLen = isTcp ? (b[start + 12] >> 4) * 4 : UDP_HEADER_LEN
  if (isTcp && headerLen < TCP_HEADER_LEN_MIN) return null
  return {
    timeUs,
    src,
    dst,
    srcPort: u16(b, start),
    dstPort: u16(b, start + 2),
    proto,
    headerLen,
    payloadLen: Math.max(0, end - start - headerLen),
    flags: isTcp ? b[start + 13] : 0,
    seq: isTcp ? u32(b, start + 4) : 0,
    ack: isTcp ? u32(b, start + 8) : 0,
    window: isTcp ? u16(b, start + 14) : 0,
  }
}

/** Captured octets left. */
function length(part: Part): number {
  return part.captured - part.start
}

function from(part: Part, skipped: number): Part {
  return { ...part, start: part.start + skipped }
}

const US_PER_S = 1e6
const NS_PER_US = 1000

export interface PlainFrame {
  /** Whole microseconds since 1970. */
  timeUs: number
  wireLen: number
  /** null: not read. */
  packet: PlainPacket | null
}

/** A slab's frames, in order. */
export function* plainFrames({ bytes, start, end, linkType }: Slab): Generator<PlainFrame> {
  for (let at = start; at < end; ) {
    const timeUs = u32le(bytes, at + REC_SEC) * US_PER_S + Math.floor(u32le(bytes, at + REC_NSEC) / NS_PER_US)
    const wireLen = u32le(bytes, at + REC_WIRE_LEN)
    const frameStart = at + REC_HEADER_LEN
    const captured = frameStart + u32le(bytes, at + REC_CAP_LEN)
    yield { timeUs, wireLen, packet: readPlainPacket(linkType, { bytes, start: frameStart, captured, end: frameStart + wireLen }, timeUs) }
    at = captured
  }
}
