/**
 * One clean capture of ours, and the same with one fault each, as switches, hosts and recorders make them.
 *
 * In:  pcaps/benign-office.pcap, which keeps 96 octets a frame: `wholeFrames` fills the rest with zeros and puts checksums right;
 *      what is IPv6 is left out.
 * Out: frames in memory. Each function breaks one thing and nothing else.
 */
import { fileURLToPath } from 'node:url'
import { concat, hex } from '../base/hex.ts'
import { readCapture } from '../capture/read-capture.ts'
import type { Frame } from '../capture/records.ts'

const IP = 14
const IPV6 = 0x86dd
const TCP = 6

export async function cleanFrames(): Promise<Frame[]> {
  const { records } = await readCapture(fileURLToPath(new URL('../../pcaps/benign-office.pcap', import.meta.url)))
  return records
    .filter(({ bytes }) => u16(bytes, 12) !== IPV6)
    .map(({ sec, nsec, bytes, wireLen }) => wholeFrame({ sec, nsec, bytes, wireLen }))
}

function wholeFrame({ sec, nsec, bytes, wireLen = bytes.length }: Frame): Frame {
  const whole = new Uint8Array(Math.max(bytes.length, wireLen))
  whole.set(bytes)
  if (isIpv4(whole)) fixChecksums(whole)
  return { sec, nsec, bytes: whole }
}

const u16 = (b: Uint8Array, at: number): number => (b[at] << 8) | b[at + 1]
const isIpv4 = (b: Uint8Array): boolean => u16(b, 12) === 0x0800 && b[IP] === 0x45
const isTcp = (b: Uint8Array): boolean => isIpv4(b) && b[IP + 9] === TCP
/** Whether the frame goes from the greater address to the smaller one. */
const isBackward = (b: Uint8Array): boolean => isIpv4(b) && Buffer.compare(b.subarray(IP + 12, IP + 16), b.subarray(IP + 16, IP + 20)) > 0
const payloadAt = (b: Uint8Array): number => IP + 20 + (b[IP + 32] >> 4) * 4
const payloadLen = (b: Uint8Array): number => u16(b, IP + 2) - 20 - (b[IP + 32] >> 4) * 4
const connectionOf = (b: Uint8Array): string => Buffer.from(b.subarray(IP + 12, IP + 24)).toString('hex')

function put16(b: Uint8Array, at: number, value: number): void {
  b[at] = value >> 8
  b[at + 1] = value
}

function sumOf(b: Uint8Array): number {
  let sum = 0
  for (let i = 0; i < b.length; i += 2) sum += (b[i] << 8) | (b[i + 1] ?? 0)
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16)
  return sum
}

function pseudoSum(b: Uint8Array): number {
  const len = u16(b, IP + 2) - 20
  return sumOf(concat(b.subarray(IP + 12, IP + 20), Uint8Array.of(0, b[IP + 9], len >> 8, len & 0xff)))
}

function fixChecksums(b: Uint8Array): void {
  put16(b, IP + 10, 0)
  put16(b, IP + 10, ~sumOf(b.subarray(IP, IP + 20)))
  const proto = b[IP + 9]
  const at = IP + 20 + (proto === TCP ? 16 : 6)
  if ((proto !== TCP && proto !== 17) || (u16(b, IP + 6) & 0x3fff) !== 0) return
  put16(b, at, 0)
  const segment = sumOf(b.subarray(IP + 20, IP + u16(b, IP + 2)))
  put16(b, at, ~sumOf(Uint8Array.of(segment >> 8, segment & 0xff, ...[pseudoSum(b)].flatMap((sum) => [sum >> 8, sum & 0xff]))) || 0xffff)
}

function later(frame: Frame, us: number): Frame {
  const nsec = frame.nsec + us * 1000
  return { ...frame, sec: frame.sec + Math.floor(nsec / 1e9), nsec: nsec % 1e9 }
}

function changed(frame: Frame, change: (bytes: Uint8Array) => void): Frame {
  const bytes = frame.bytes.slice()
  change(bytes)
  return { ...frame, bytes }
}

/** The mirror carries what goes out, and not what comes in. */
export function oneDirection(frames: readonly Frame[]): Frame[] {
  return frames.filter(({ bytes }) => !isBackward(bytes))
}

/** Mirrored before and after a router: other MAC addresses, a TTL one less, 30 µs later. */
export function doubled(frames: readonly Frame[]): Frame[] {
  const both = frames.flatMap((frame) => {
    if (!isIpv4(frame.bytes)) return [frame]
    const copy = changed(later(frame, 30), (b) => {
      b.set(hex('02aaaaaaaaaa02bbbbbbbbbb'))
      b[IP + 8]--
      put16(b, IP + 10, 0)
      put16(b, IP + 10, ~sumOf(b.subarray(IP, IP + 20)))
    })
    return [frame, copy]
  })
  return both.sort((a, b) => a.sec - b.sec || a.nsec - b.nsec)
}

/** The switch strips tags on one side only. */
export function taggedOneWay(frames: readonly Frame[]): Frame[] {
  return frames.map((frame) =>
    isBackward(frame.bytes) ? { ...frame, bytes: concat(frame.bytes.subarray(0, 12), hex('8100 0064'), frame.bytes.subarray(12)) } : frame,
  )
}

/** GRO: segments that follow each other in one direction of a connection become one packet. */
export function merged(frames: readonly Frame[]): Frame[] {
  const out: Frame[] = []
  for (const frame of frames) {
    const last = out.at(-1)
    const { bytes } = frame
    const canJoin = last !== undefined && isTcp(bytes) && isTcp(last.bytes) && payloadLen(bytes) > 0 && payloadLen(last.bytes) > 0
    if (!canJoin || connectionOf(last.bytes) !== connectionOf(bytes) || u16(last.bytes, IP + 2) > 30_000) {
      out.push(frame)
      continue
    }
    const joined = concat(last.bytes.subarray(0, IP + u16(last.bytes, IP + 2)), bytes.subarray(payloadAt(bytes), IP + u16(bytes, IP + 2)))
    put16(joined, IP + 2, joined.length - IP)
    fixChecksums(joined)
    out[out.length - 1] = { ...last, bytes: joined }
  }
  return out
}

/** An oversubscribed mirror port: every tenth packet never comes. */
export function thinned(frames: readonly Frame[]): Frame[] {
  return frames.filter((_, i) => i % 10 !== 7)
}

export function cutTo(frames: readonly Frame[], snapLen: number): Frame[] {
  return frames.map((frame) => ({ ...frame, wireLen: frame.bytes.length, bytes: frame.bytes.slice(0, snapLen) }))
}

export function setBack(frames: readonly Frame[], seconds: number): Frame[] {
  return frames.map((frame, i) => (i > frames.length / 2 ? { ...frame, sec: frame.sec - seconds } : frame))
}

/** A bad cable: an octet in twenty packets of TCP is another. */
export function damagedOnTheWay(frames: readonly Frame[]): Frame[] {
  return frames.map((frame, i) => (i % 20 === 0 && isTcp(frame.bytes) ? changed(frame, (b) => (b[IP + 34] ^= 0x10)) : frame))
}

/** Recorded on the sending host: the card would have filled checksums in. */
export function beforeTheCard(frames: readonly Frame[]): Frame[] {
  return frames.map((frame) =>
    isTcp(frame.bytes) && isBackward(frame.bytes) ? changed(frame, (b) => put16(b, IP + 36, pseudoSum(b))) : frame,
  )
}

/** Neighbours in time have changed places. */
export function shuffled(frames: readonly Frame[]): Frame[] {
  const out = [...frames]
  for (let i = 1; i < out.length; i += 10) {
    const gapNs = (out[i].sec - out[i - 1].sec) * 1e9 + out[i].nsec - out[i - 1].nsec
    if (gapNs < 0.5e9) [out[i - 1], out[i]] = [out[i], out[i - 1]]
  }
  return out
}

/** Each frame in VXLAN between two switches; `inner` is what its payload claims to be. */
export function wrapped(frames: readonly Frame[], isReadable: boolean): Frame[] {
  return frames.map((frame) => {
    const inner = frame.bytes.slice()
    if (!isReadable) inner.set(hex('88ff'), 12)
    const udpLen = 16 + inner.length
    const outer = concat(
      hex('02cccccccccc 02dddddddddd 0800 4500 0000 0000 4000 4011 0000 c6336401 c6336402 c000 12b5'),
      Uint8Array.of(udpLen >> 8, udpLen & 0xff, 0, 0),
      hex('0800000000006400'),
      inner,
    )
    put16(outer, IP + 2, outer.length - IP)
    put16(outer, IP + 10, ~sumOf(outer.subarray(IP, IP + 20)))
    return { ...frame, bytes: outer }
  })
}

/** What an ordinary port of a busy switch shows. */
export function multicastOnly(frames: readonly Frame[]): Frame[] {
  const bytes = hex('01005e0000fb 020000000001 0800 4500 0024 0001 0000 ff11 0000 0a140101 e00000fb 14e9 14e9 0010 0000 0000000000000000')
  fixChecksums(bytes)
  return frames.slice(0, 200).map((frame) => ({ ...frame, bytes }))
}
