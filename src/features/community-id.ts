/**
 * Community ID, version 1 (corelight/community-id-spec): one name for a flow across tools.
 *
 *   "1:" + base64(sha1( seed u16 | address A | address B | proto u8 | 0 | port A u16 | port B u16 ))   (big-endian)
 *
 * A is the smaller (address, port). ICMP types that have a counterpart stand as (type, counterpart), the others as (type, code),
 * which is not reordered. Protocols without ports have nothing after the 0.
 *
 * In:  addresses as text, ports as a flow has them. Out: the id.
 * Not: VLAN and tunnels, which version 1 leaves out: the id is of the innermost packet.
 */
import { createHash } from 'node:crypto'
import { type AddressWords, isIpv4, parseAddress } from '../base/address.ts'
import { IPV4_COUNTERPART, IPV6_COUNTERPART, NO_COUNTERPART } from '../decode/icmp.ts'
import { type Flow, ICMP, ICMPV6, SCTP, TCP, UDP } from '../flow/flow.ts'

const COUNTERPARTS: Readonly<Record<number, Int16Array>> = { [ICMP]: IPV4_COUNTERPART, [ICMPV6]: IPV6_COUNTERPART }
const WITH_PORTS: readonly number[] = [TCP, UDP, SCTP, ICMP, ICMPV6]

interface End {
  address: Uint8Array
  port: number
}

/**
 * @param srcPort for ICMP the type, as `dstPort` the code
 * @throws RangeError when an address is none
 */
export function communityId(proto: number, src: string, dst: string, srcPort: number, dstPort: number, seed = 0): string {
  const counterpart = COUNTERPARTS[proto]?.[srcPort] ?? NO_COUNTERPART
  const isOneWay = proto in COUNTERPARTS && counterpart === NO_COUNTERPART
  const from = { address: addressBytes(src), port: srcPort }
  const to = { address: addressBytes(dst), port: counterpart === NO_COUNTERPART ? dstPort : counterpart }
  const [a, b] = isOneWay || compareEnds(from, to) <= 0 ? [from, to] : [to, from]
  const ports = WITH_PORTS.includes(proto) ? [...u16Bytes(a.port), ...u16Bytes(b.port)] : []
  const bytes = Uint8Array.of(...u16Bytes(seed), ...a.address, ...b.address, proto, 0, ...ports)
  return `1:${createHash('sha1').update(bytes).digest('base64')}`
}

export function communityIdOf(flow: Flow, seed = 0): string {
  return communityId(flow.proto, flow.addr[0], flow.addr[1], flow.port[0], flow.port[1], seed)
}

function compareEnds(a: End, b: End): number {
  return Buffer.compare(a.address, b.address) || a.port - b.port
}

function addressBytes(text: string): Uint8Array {
  const words = parseAddress(text)
  if (words === null) throw new RangeError(`'${text}' is not an address`)
  return isIpv4(words[0], words[1], words[2]) ? wordBytes(words).subarray(12) : wordBytes(words)
}

function wordBytes(words: AddressWords): Uint8Array {
  return Uint8Array.from(words.flatMap((word) => [...u16Bytes(word >>> 16), ...u16Bytes(word & 0xffff)]))
}

function u16Bytes(value: number): [number, number] {
  return [value >>> 8, value & 0xff]
}
