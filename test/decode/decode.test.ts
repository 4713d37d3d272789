/**
 * Decoders by table: a frame in hex, spaced by field, and what must come of it.
 *
 * Every drop reason has a row here that produces it; the last test lists those that have none.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { formatAddress } from '../../src/base/address.ts'
import { decodeFrame } from '../../src/decode/decode.ts'
import { DROP_REASONS, type DropReasonName } from '../../src/decode/drop-reason.ts'
import { Packet } from '../../src/decode/packet.ts'
import { hex } from '../base/hex.ts'

const ETHERNET = 1
const MACS = '020000000001 020000000002'
const ETH4 = `${MACS} 0800`
const ETH6 = `${MACS} 86dd`
const A6 = '20010db8000000000000000000000001'
const B6 = '20010db8000000000000000000000002'

/** An IPv4 header without options: total length and protocol in hex. */
const ip4 = (totalLen: string, proto: string): string => `45 00 ${totalLen} 0001 4000 40 ${proto} 0000 0a000001 0a000002`
const ip6 = (payloadLen: string, next: string): string => `60000000 ${payloadLen} ${next} 40 ${A6} ${B6}`

const TCP_SYN = '9c40 0050 000003e8 00000000 50 02 faf0 0000 0000'
const UDP_12 = '0035 9c40 000c 0000 00112233'

/** What decoding says of a packet, in words. */
interface Said {
  src: string
  dst: string
  srcPort: number
  dstPort: number
  proto: number
  ipLen: number
  ttl: number
  fragment: number
  l4HeaderLen: number
  payloadLen: number
  flags: number
  window: number
  seq: number
  ack: number
  echoId: number
  icmp: string
  quoted: string
  vlans: number[]
}

function said(p: Packet): Said {
  return {
    src: formatAddress(p.srcW0, p.srcW1, p.srcW2, p.srcW3),
    dst: formatAddress(p.dstW0, p.dstW1, p.dstW2, p.dstW3),
    srcPort: p.srcPort,
    dstPort: p.dstPort,
    proto: p.proto,
    ipLen: p.ipLen,
    ttl: p.ttl,
    fragment: p.fragment,
    l4HeaderLen: p.l4HeaderLen,
    payloadLen: p.payloadLen,
    flags: p.flags,
    window: p.window,
    seq: p.seq,
    ack: p.ack,
    echoId: p.echoId,
    icmp: `${p.icmpType}/${p.icmpCode}`,
    quoted:
      p.quotedProto === 0
        ? ''
        : `${p.quotedProto} ${formatAddress(p.quotedSrcW0, p.quotedSrcW1, p.quotedSrcW2, p.quotedSrcW3)}:${p.quotedSrcPort} > ${formatAddress(p.quotedDstW0, p.quotedDstW1, p.quotedDstW2, p.quotedDstW3)}:${p.quotedDstPort}`,
    vlans: [...p.vlans.subarray(0, p.vlanCount)],
  }
}

interface Row {
  title: string
  frame: string
  link?: number
  wireLen?: number
  /** The reason, or what the packet must say. */
  is: DropReasonName | Partial<Said>
}

function decode(frame: Uint8Array, link: number, wireLen: number): { reason: DropReasonName; packet: Packet } {
  // The frame lies between octets that are no part of it, as it does in a slab: a decoder that reads them is found out.
  const before = 7
  const slab = new Uint8Array(before + frame.length + 64).fill(0xa5)
  slab.set(frame, before)
  const packet = new Packet()
  const code = decodeFrame(link, slab, before, frame.length, wireLen, packet)
  return { reason: DROP_REASONS[code].name, packet }
}

const produced = new Set<DropReasonName>()

function table(name: string, rows: readonly Row[]): void {
  describe(name, () => {
    test.each(rows.map((row) => [row.title, row] as const))('%s', (_, { frame, link, wireLen, is }) => {
      const bytes = hex(frame)
      const { reason, packet } = decode(bytes, link ?? ETHERNET, wireLen ?? bytes.length)
      produced.add(reason)
      if (typeof is === 'string') {
        expect(reason).toBe(is)
      } else {
        expect(reason).toBe('decoded')
        expect(said(packet)).toMatchObject(is)
      }
    })
  })
}

const SYN: Partial<Said> = {
  src: '10.0.0.1',
  dst: '10.0.0.2',
  srcPort: 40_000,
  dstPort: 80,
  proto: 6,
  ipLen: 40,
  ttl: 64,
  fragment: 0,
  l4HeaderLen: 20,
  payloadLen: 0,
  flags: 2,
  window: 64_240,
  seq: 1000,
  ack: 0,
  vlans: [],
}

table('ethernet and VLAN tags', [
  { title: 'plain', frame: `${ETH4} ${ip4('0028', '06')} ${TCP_SYN}`, is: SYN },
  { title: '802.1Q', frame: `${MACS} 8100 e064 0800 ${ip4('0028', '06')} ${TCP_SYN}`, is: { ...SYN, vlans: [100] } },
  {
    title: '802.1ad around 802.1Q',
    frame: `${MACS} 88a8 0001 8100 0002 0800 ${ip4('0028', '06')} ${TCP_SYN}`,
    is: { ...SYN, vlans: [1, 2] },
  },
  {
    title: 'four tags, outermost first',
    frame: `${MACS} 9100 0001 88a8 0002 8100 0003 8100 0fff 0800 ${ip4('0028', '06')} ${TCP_SYN}`,
    is: { ...SYN, vlans: [1, 2, 3, 4095] },
  },
  {
    title: 'five tags',
    frame: `${MACS} 8100 0001 8100 0002 8100 0003 8100 0004 8100 0005 0800 ${ip4('0028', '06')} ${TCP_SYN}`,
    is: 'vlan_too_deep',
  },
  { title: 'the capture ends in a tag', frame: `${MACS} 8100 00`, is: 'vlan_truncated' },
  { title: 'the capture ends before the second tag', frame: `${MACS} 8100 0001 8100`, is: 'vlan_truncated' },
  { title: 'no octet', frame: '', is: 'link_truncated' },
  { title: 'one octet short of a header', frame: `${MACS} 08`, is: 'link_truncated' },
  { title: 'a header and nothing else', frame: ETH4, is: 'ipv4_truncated' },
  { title: 'ARP', frame: `${MACS} 0806 0001 0800 06 04 0001 020000000001 0a000001 000000000000 0a000002`, is: 'arp' },
  { title: 'ARP cut short', frame: `${MACS} 0806 0001 0800 06 04 0001`, is: 'arp_truncated' },
  { title: 'ARP with lengths of something else', frame: `${MACS} 0806 0001 0800 06 10 0001`, is: 'arp_malformed' },
  { title: 'ARP for AppleTalk', frame: `${MACS} 0806 0001 809b 06 04 0001`, is: 'arp_other' },
  { title: 'LLDP', frame: `${MACS} 88cc 0207`, is: 'ethertype_unknown' },
  { title: 'LLC: a length where the type would be', frame: `${MACS} 0026 42 42 03 0000`, is: 'ethertype_unknown' },
  {
    title: 'padding behind a short packet is no payload',
    frame: `${ETH4} ${ip4('0028', '06')} ${TCP_SYN} 000000000000`,
    is: SYN,
  },
])

table('IPv4', [
  { title: 'one octet short', frame: `${ETH4} 45 00 0028 0001 4000 40 06 0000 0a000001 0a0000`, is: 'ipv4_truncated' },
  { title: 'version 5', frame: `${ETH4} 55 00 0028 0001 4000 40 06 0000 0a000001 0a000002 ${TCP_SYN}`, is: 'ipv4_version' },
  { title: 'version 6 under the type of 4', frame: `${ETH4} ${ip6('0014', '06')} ${TCP_SYN}`, is: 'ipv4_version' },
  {
    title: 'a header of 16 octets',
    frame: `${ETH4} 44 00 0028 0001 4000 40 06 0000 0a000001 0a000002 ${TCP_SYN}`,
    is: 'ipv4_header_length',
  },
  {
    title: 'a header longer than the packet',
    frame: `${ETH4} 46 00 0014 0001 4000 40 06 0000 0a000001 0a000002 00000000`,
    is: 'ipv4_header_length',
  },
  {
    title: 'options',
    frame: `${ETH4} 47 00 0030 0001 4000 40 06 0000 0a000001 0a000002 94040000 01010101 ${TCP_SYN}`,
    is: { ...SYN, ipLen: 48 },
  },
  {
    title: 'options that the capture cuts',
    frame: `${ETH4} 4f 00 0050 0001 4000 40 06 0000 0a000001 0a000002 94040000`,
    wireLen: 94,
    is: 'tcp_truncated',
  },
  {
    title: 'total length 0, as a host sees its own offloaded segment: the frame says where it ends',
    frame: `${ETH4} ${ip4('0000', '06')} ${TCP_SYN}`,
    wireLen: 14 + 40 + 9000,
    is: { ...SYN, ipLen: 9040, payloadLen: 9000 },
  },
  {
    title: 'a short capture: lengths are IP’s, not the capture’s',
    frame: `${ETH4} ${ip4('05dc', '06')} ${TCP_SYN}`,
    wireLen: 1514,
    is: { ...SYN, ipLen: 1500, payloadLen: 1460 },
  },
  {
    title: 'total length beyond the frame is believed, as a snapped header is',
    frame: `${ETH4} ${ip4('0100', '06')} ${TCP_SYN}`,
    is: { ...SYN, ipLen: 256, payloadLen: 216 },
  },
  {
    title: 'a first fragment carries ports and its own part',
    frame: `${ETH4} 45 00 0024 0001 2000 40 11 0000 0a000001 0a000002 0035 9c40 0800 0000 0011223344556677`,
    is: { proto: 17, srcPort: 53, dstPort: 40_000, payloadLen: 8, fragment: 1 },
  },
  {
    title: 'a later fragment',
    frame: `${ETH4} 45 00 001c 0001 00b9 40 11 0000 0a000001 0a000002 0011223344556677`,
    is: { fragment: 2, payloadLen: 8, srcPort: 0, dstPort: 0 },
  },
  {
    title: 'a protocol that is not read has no ports',
    frame: `${ETH4} ${ip4('001c', '59')} 0201002c 0a000001`,
    is: { proto: 89, srcPort: 0, dstPort: 0, l4HeaderLen: 0, payloadLen: 8 },
  },
])

const FRAGMENT_0 = '11 00 0001 00000007'
const FRAGMENT_8 = '11 00 0008 00000007'

table('IPv6 and its extension headers', [
  {
    title: 'TCP',
    frame: `${ETH6} ${ip6('0014', '06')} ${TCP_SYN}`,
    is: { ...SYN, src: '2001:db8::1', dst: '2001:db8::2', ipLen: 60 },
  },
  { title: 'one octet short', frame: `${ETH6} 60000000 0014 06 40 ${A6} ${B6.slice(2)}`, is: 'ipv6_truncated' },
  { title: 'version 4 under the type of 6', frame: `${ETH6} 45000000 0014 06 40 ${A6} ${B6} ${TCP_SYN}`, is: 'ipv6_version' },
  {
    title: 'payload length 0: the frame says',
    frame: `${ETH6} ${ip6('0000', '11')} ${UDP_12}`,
    is: { proto: 17, ipLen: 52, payloadLen: 4 },
  },
  {
    title: 'hop-by-hop',
    frame: `${ETH6} ${ip6('0014', '00')} 11 00 050200000000 ${UDP_12}`,
    is: { proto: 17, srcPort: 53, payloadLen: 4, ipLen: 60 },
  },
  {
    title: 'hop-by-hop, destination (16 octets), routing, authentication (12 octets), mobility',
    frame: `${ETH6} ${ip6('0048', '00')}
      3c 00 010400000000            # hop-by-hop
      2b 01 010c 0000000000000000 00000000  # destination
      33 00 0000 00000000           # routing
      87 01 0000 00000000 00000000  # authentication counts in 4 octets, less two
      11 00 0000 00000000           # mobility
      ${UDP_12}`,
    is: { proto: 17, srcPort: 53, payloadLen: 4 },
  },
  {
    title: 'a first fragment',
    frame: `${ETH6} ${ip6('0014', '2c')} ${FRAGMENT_0} ${UDP_12}`,
    is: { proto: 17, fragment: 1, payloadLen: 4 },
  },
  {
    title: 'an atomic fragment is a whole packet',
    frame: `${ETH6} ${ip6('0014', '2c')} 11 00 0000 00000007 ${UDP_12}`,
    is: { proto: 17, fragment: 0, payloadLen: 4 },
  },
  {
    title: 'a later fragment',
    frame: `${ETH6} ${ip6('0010', '2c')} ${FRAGMENT_8} 0011223344556677`,
    is: { fragment: 2, payloadLen: 8, srcPort: 0, dstPort: 0 },
  },
  { title: 'the capture ends in an extension header', frame: `${ETH6} ${ip6('0014', '00')} 11 00 0502`, is: 'ipv6_extension_truncated' },
  {
    title: 'an extension header that says more than the packet holds',
    frame: `${ETH6} ${ip6('000c', '00')} 11 05 050200000000 00000000`,
    is: 'ipv6_extension_truncated',
  },
  {
    title: 'nine extension headers',
    frame: `${ETH6} ${ip6('0054', '3c')} ${'3c 00 010400000000 '.repeat(8)} 11 00 010400000000 ${UDP_12}`,
    is: 'ipv6_extension_too_many',
  },
  {
    title: 'eight extension headers',
    frame: `${ETH6} ${ip6('004c', '3c')} ${'3c 00 010400000000 '.repeat(7)} 11 00 010400000000 ${UDP_12}`,
    is: { proto: 17, srcPort: 53 },
  },
  { title: 'no next header', frame: `${ETH6} ${ip6('0004', '3b')} 00000000`, is: { proto: 59, payloadLen: 4 } },
  {
    title: 'ESP is the protocol: behind it nothing can be read',
    frame: `${ETH6} ${ip6('0008', '32')} 0011223344556677`,
    is: { proto: 50, payloadLen: 8 },
  },
])

table('TCP', [
  {
    title: 'all flags, top sequence number, options',
    frame: `${ETH4} ${ip4('0030', '06')} 0001 ffff ffffffff 80000000 60 ff 0000 0000 0000 01010101 aabbccdd`,
    is: { srcPort: 1, dstPort: 65_535, flags: 0xff, seq: -1, ack: -(2 ** 31), window: 0, l4HeaderLen: 24, payloadLen: 4 },
  },
  {
    title: 'NS, the ninth flag, is no flag',
    frame: `${ETH4} ${ip4('0028', '06')} 9c40 0050 000003e8 00000000 51 02 faf0 0000 0000`,
    is: SYN,
  },
  { title: 'one octet short', frame: `${ETH4} ${ip4('0028', '06')} 9c40 0050 000003e8 00000000 50 02 faf0 0000 00`, is: 'tcp_truncated' },
  {
    title: 'a header in pieces of eight octets: ports, and no flag',
    frame: `${ETH4} 45 00 001c 0001 2000 40 06 0000 0a000001 0a000002 9c40 0050 000003e8`,
    is: { srcPort: 40_000, dstPort: 80, seq: 1000, flags: 0, fragment: 1, l4HeaderLen: 8, payloadLen: 0 },
  },
  {
    title: 'a header in pieces of sixteen: flags and window, too',
    frame: `${ETH4} 45 00 0024 0001 2000 40 06 0000 0a000001 0a000002 9c40 0050 000003e8 00000000 60 02 faf0`,
    is: { srcPort: 40_000, dstPort: 80, flags: 2, window: 64_240, fragment: 1, l4HeaderLen: 16, payloadLen: 0 },
  },
  {
    title: 'options that go on in the next fragment',
    frame: `${ETH4} 45 00 002c 0001 2000 40 06 0000 0a000001 0a000002 9c40 0050 000003e8 00000000 a0 02 faf0 0000 0000 020405b4`,
    is: 'tcp_header_length',
  },
  {
    title: 'a piece without both ports and the number: no fragment is so short but the last',
    frame: `${ETH4} 45 00 001a 0001 2000 40 06 0000 0a000001 0a000002 9c40 0050 0000`,
    is: 'tcp_truncated',
  },
  {
    title: 'a piece that the capture cut',
    frame: `${ETH4} 45 00 0024 0001 2000 40 06 0000 0a000001 0a000002 9c40 0050 000003e8`,
    wireLen: 50,
    is: 'tcp_truncated',
  },
  {
    title: 'a whole packet of eight octets is no piece',
    frame: `${ETH4} 45 00 001c 0001 0000 40 06 0000 0a000001 0a000002 9c40 0050 000003e8`,
    is: 'tcp_truncated',
  },
  {
    title: 'IP ends inside the header, the padding goes on',
    frame: `${ETH4} ${ip4('0022', '06')} ${TCP_SYN} 00000000`,
    is: 'tcp_truncated',
  },
  {
    title: 'a data offset of 16 octets',
    frame: `${ETH4} ${ip4('0028', '06')} 9c40 0050 000003e8 00000000 40 02 faf0 0000 0000`,
    is: 'tcp_header_length',
  },
  {
    title: 'a data offset beyond IP',
    frame: `${ETH4} ${ip4('0028', '06')} 9c40 0050 000003e8 00000000 60 02 faf0 0000 0000`,
    is: 'tcp_header_length',
  },
  {
    title: 'options that the capture cuts do not matter',
    frame: `${ETH4} ${ip4('003c', '06')} 9c40 0050 000003e8 00000000 a0 02 faf0 0000 0000 0204`,
    wireLen: 74,
    is: { ...SYN, ipLen: 60, l4HeaderLen: 40 },
  },
])

table('UDP', [
  {
    title: 'plain',
    frame: `${ETH4} ${ip4('0020', '11')} ${UDP_12}`,
    is: { proto: 17, srcPort: 53, dstPort: 40_000, l4HeaderLen: 8, payloadLen: 4, flags: 0 },
  },
  {
    title: 'shorter than IP says: the rest is no payload',
    frame: `${ETH4} ${ip4('0020', '11')} 0035 9c40 0009 0000 00112233`,
    is: { payloadLen: 1 },
  },
  { title: 'empty', frame: `${ETH4} ${ip4('001c', '11')} 0035 9c40 0008 0000`, is: { payloadLen: 0 } },
  { title: 'length 0: a jumbogram, IP says', frame: `${ETH4} ${ip4('0020', '11')} 0035 9c40 0000 0000 00112233`, is: { payloadLen: 4 } },
  { title: 'length under 8', frame: `${ETH4} ${ip4('0020', '11')} 0035 9c40 0007 0000 00112233`, is: 'udp_length' },
  { title: 'length beyond IP', frame: `${ETH4} ${ip4('0020', '11')} 0035 9c40 000d 0000 00112233`, is: 'udp_length' },
  { title: 'one octet short', frame: `${ETH4} ${ip4('0020', '11')} 0035 9c40 000c 00`, wireLen: 46, is: 'udp_truncated' },
  { title: 'IP ends inside the header', frame: `${ETH4} ${ip4('001b', '11')} ${UDP_12}`, is: 'udp_truncated' },
])

const QUOTED_UDP = `45 00 0030 0001 4000 01 11 0000 0a000002 0a000009 9c40 0035`

table('ICMP', [
  {
    title: 'echo request: type and its reply’s type as ports',
    frame: `${ETH4} ${ip4('0020', '01')} 08 00 0000 1234 0001 aabbccdd`,
    is: { proto: 1, srcPort: 8, dstPort: 0, echoId: 0x1234, icmp: '8/0', payloadLen: 4, l4HeaderLen: 0, quoted: '' },
  },
  {
    title: 'echo reply',
    frame: `${ETH4} ${ip4('0020', '01')} 00 00 0000 1234 0001 aabbccdd`,
    is: { srcPort: 0, dstPort: 8, echoId: 0x1234, icmp: '0/0' },
  },
  {
    title: 'timestamp',
    frame: `${ETH4} ${ip4('0028', '01')} 0d 00 0000 0007 0001 00000000 00000000 00000000`,
    is: { srcPort: 13, dstPort: 14, echoId: 7 },
  },
  {
    title: 'router advertisement',
    frame: `${ETH4} ${ip4('001c', '01')} 09 00 0000 01 02 0708`,
    is: { srcPort: 9, dstPort: 10, echoId: 0 },
  },
  {
    title: 'port unreachable quotes the packet it answers',
    frame: `${ETH4} ${ip4('0038', '01')} 03 03 0000 00000000 ${QUOTED_UDP} 001c 0000`,
    is: { srcPort: 3, dstPort: 3, icmp: '3/3', quoted: '17 10.0.0.2:40000 > 10.0.0.9:53', echoId: 0, payloadLen: 28 },
  },
  {
    title: 'a quote cut before the ports is none',
    frame: `${ETH4} ${ip4('0034', '01')} 03 03 0000 00000000 ${QUOTED_UDP.slice(0, -5)}`,
    wireLen: 66,
    is: { icmp: '3/3', quoted: '' },
  },
  {
    title: 'time exceeded',
    frame: `${ETH4} ${ip4('0038', '01')} 0b 00 0000 00000000 ${QUOTED_UDP} 001c 0000`,
    is: { srcPort: 11, dstPort: 0, quoted: '17 10.0.0.2:40000 > 10.0.0.9:53' },
  },
  {
    title: 'a quote that is not IPv4',
    frame: `${ETH4} ${ip4('0038', '01')} 03 03 0000 00000000 6${QUOTED_UDP.slice(1)} 001c 0000`,
    is: { quoted: '' },
  },
  { title: 'four octets are enough', frame: `${ETH4} ${ip4('0018', '01')} 03 01 0000`, is: { icmp: '3/1', payloadLen: 0 } },
  { title: 'three are not', frame: `${ETH4} ${ip4('0017', '01')} 03 01 00`, is: 'icmp_truncated' },
])

table('ICMPv6', [
  {
    title: 'echo request',
    frame: `${ETH6} ${ip6('000c', '3a')} 80 00 0000 1234 0001 aabbccdd`,
    is: { proto: 58, srcPort: 128, dstPort: 129, echoId: 0x1234, payloadLen: 4 },
  },
  {
    title: 'neighbour advertisement',
    frame: `${ETH6} ${ip6('0008', '3a')} 88 00 0000 60000000`,
    is: { srcPort: 136, dstPort: 135, echoId: 0 },
  },
  {
    title: 'port unreachable',
    frame: `${ETH6} ${ip6('0038', '3a')} 01 04 0000 00000000 60000000 000c 11 40 ${B6} ${A6} 9c40 0035 000c 0000`,
    is: { srcPort: 1, dstPort: 4, quoted: '17 2001:db8::2:40000 > 2001:db8::1:53' },
  },
  { title: 'too short', frame: `${ETH6} ${ip6('0003', '3a')} 80 00 00`, is: 'icmp_truncated' },
])

table('SCTP', [
  {
    title: 'INIT',
    frame: `${ETH4} ${ip4('0030', '84')} 0b59 0b5a 00000000 00000000 01000010 00000000 00000000 00000000`,
    is: { proto: 132, srcPort: 2905, dstPort: 2906, l4HeaderLen: 12, payloadLen: 16 },
  },
  { title: 'one octet short', frame: `${ETH4} ${ip4('0020', '84')} 0b59 0b5a 00000000 000000`, is: 'sctp_truncated' },
  { title: 'IP ends inside the header', frame: `${ETH4} ${ip4('001c', '84')} 0b59 0b5a 00000000 00000000`, is: 'sctp_truncated' },
])

table('other link types', [
  { title: 'raw IPv4', link: 101, frame: `${ip4('0028', '06')} ${TCP_SYN}`, is: SYN },
  {
    title: 'raw IPv6',
    link: 12,
    frame: `${ip6('0014', '06')} ${TCP_SYN}`,
    is: { ...SYN, src: '2001:db8::1', dst: '2001:db8::2', ipLen: 60 },
  },
  { title: 'raw IP of version 5', link: 14, frame: '55 00', is: 'ethertype_unknown' },
  { title: 'raw IP without an octet', link: 228, frame: '', is: 'link_truncated' },
  { title: 'loopback, little-endian family', link: 0, frame: `02000000 ${ip4('0028', '06')} ${TCP_SYN}`, is: SYN },
  { title: 'loopback, big-endian family', link: 0, frame: `00000002 ${ip4('0028', '06')} ${TCP_SYN}`, is: SYN },
  { title: 'loopback of OpenBSD, IPv6', link: 108, frame: `0000001e ${ip6('0014', '06')} ${TCP_SYN}`, is: { src: '2001:db8::1' } },
  { title: 'loopback of an unknown family', link: 0, frame: '07000000 4500', is: 'ethertype_unknown' },
  { title: 'loopback cut', link: 0, frame: '020000', is: 'link_truncated' },
  { title: 'Linux cooked', link: 113, frame: `0000 0001 0006 0200000000010000 0800 ${ip4('0028', '06')} ${TCP_SYN}`, is: SYN },
  {
    title: 'Linux cooked with a tag',
    link: 113,
    frame: `0000 0001 0006 0200000000010000 8100 0064 0800 ${ip4('0028', '06')} ${TCP_SYN}`,
    is: { ...SYN, vlans: [100] },
  },
  { title: 'Linux cooked cut', link: 113, frame: '0000 0001 0006 0200000000010000 08', is: 'link_truncated' },
  { title: 'Linux cooked v2', link: 276, frame: `0800 0000 00000001 0001 00 06 0200000000010000 ${ip4('0028', '06')} ${TCP_SYN}`, is: SYN },
  { title: 'Linux cooked v2 cut', link: 276, frame: '0800 0000 00000001 0001 00 06 02000000000100', is: 'link_truncated' },
  { title: 'a link type that is not read', link: 147, frame: `${ip4('0028', '06')} ${TCP_SYN}`, is: 'link_type_unknown' },
])

test('a packet leaves nothing behind in the next one', () => {
  const packet = new Packet()
  const fresh = new Packet()
  const dirty = hex(`${MACS} 8100 0064 0800 ${ip4('0038', '01')} 03 03 0000 00000000 ${QUOTED_UDP} 001c 0000`)
  const echo = hex(`${ETH4} ${ip4('0020', '01')} 08 00 0000 1234 0001 aabbccdd`)
  const udp = hex(`${ETH4} ${ip4('0020', '11')} ${UDP_12}`)
  for (const bytes of [dirty, echo, udp]) decodeFrame(ETHERNET, bytes, 0, bytes.length, bytes.length, packet)
  decodeFrame(ETHERNET, udp, 0, udp.length, udp.length, fresh)
  // What the flow table copies into rows must not depend on which packet this record held before.
  expect(said(packet)).toEqual(said(fresh))
})

test('every prefix of every frame of these tables ends in a packet or a reason', () => {
  const full = hex(
    `${MACS} 8100 0064 86dd ${ip6('0040', '00')} 2c 00 050200000000 3a 00 0000 00000007 01 04 0000 00000000 60000000 000c 11 40 ${B6} ${A6}`,
  )
  for (let len = 0; len <= full.length; len++) {
    const { reason, packet } = decode(full.subarray(0, len), ETHERNET, full.length)
    expect(DROP_REASONS.map((row) => row.name)).toContain(reason)
    expect(packet.payloadLen).toBeGreaterThanOrEqual(0)
  }
})

const here = fileURLToPath(new URL('.', import.meta.url))

/** Wrappers have tables of their own beside this one; fragments without their first, and second copies, are refused later. */
const OTHER_TABLES = ['wrappers.test.ts', '../flow/fragments.test.ts', '../flow/health.test.ts']
  .map((name) => readFileSync(join(here, name), 'utf8'))
  .join('\n')

test('every drop reason has a row that produces it', () => {
  // `'name'` as the outcome of a frame, or `name: 1` as a counter.
  const isElsewhere = (name: string): boolean => new RegExp(`'${name}'|\\b${name}: [1-9]`).test(OTHER_TABLES)
  expect(DROP_REASONS.map((row) => row.name).filter((name) => !produced.has(name) && !isElsewhere(name))).toEqual([])
})
