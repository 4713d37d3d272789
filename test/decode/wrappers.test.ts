/** Wrappers and layers before IP: hex spaced by field, the packet expected beside it, malformed rows included. */
import { describe, expect, test } from 'vitest'
import { formatAddress } from '../../src/base/address.ts'
import { decodeFrame } from '../../src/decode/decode.ts'
import { DROP_REASONS } from '../../src/decode/drop-reason.ts'
import { Packet } from '../../src/decode/packet.ts'
import { TUNNEL_KINDS } from '../../src/decode/tunnel-kind.ts'
import { hex } from '../hex.ts'

const ETHERNET = 1
const MACS = '020000000002 020000000001'

/** Inner packet: UDP 10.9.0.1:1000 to 10.9.0.2:2000 with four octets of payload. */
const INNER = '4500 0020 0001 0000 40 11 0000 0a090001 0a090002  03e8 07d0 000c 0000 01020304'
const INNER6 = '60000000 000c 11 40 fd000000000000000000000000000001 fd000000000000000000000000000002  03e8 07d0 000c 0000 01020304'
const INNER_FRAME = `${MACS} 0800 ${INNER}`
const INNER_ARP = `${MACS} 0806 0001080006040001 020000000001 0a000001 000000000000 0a000002`

function ipv4(proto: number, payload: string, fragmentWord = '0000'): string {
  const len = hex(payload).length + 20
  return `4500 ${len.toString(16).padStart(4, '0')} 1234 ${fragmentWord} 40 ${proto.toString(16).padStart(2, '0')} 0000 c0000201 c0000202 ${payload}`
}

function ipv6(proto: number, payload: string): string {
  const len = hex(payload).length.toString(16).padStart(4, '0')
  return `60000000 ${len} ${proto.toString(16).padStart(2, '0')} 40 20010db8000000000000000000000001 20010db8000000000000000000000002 ${payload}`
}

function udp(port: number, payload: string): string {
  const len = (hex(payload).length + 8).toString(16).padStart(4, '0')
  return ipv4(17, `c000 ${port.toString(16).padStart(4, '0')} ${len} 0000 ${payload}`)
}

const frame = (type: string, payload: string): string => `${MACS} ${type} ${payload}`

interface Decoded {
  reason: string
  inner: string
  tunnel: string
  id: number
  outer: string
  fault: string
  vlans: number[]
}

function decode(text: string, linkType = ETHERNET, cut = 0): Decoded {
  const b = hex(text)
  const p = new Packet()
  const reason = decodeFrame(linkType, b, 0, b.length - cut, b.length, p)
  const isTunnel = reason === 0 && p.tunnelDepth > 0
  return {
    reason: DROP_REASONS[reason].name,
    inner: reason === 0 ? `${formatAddress(p.srcW0, p.srcW1, p.srcW2, p.srcW3)}:${p.srcPort} ${p.proto} ${p.dstPort} ${p.payloadLen}` : '',
    tunnel: isTunnel ? `${TUNNEL_KINDS[p.tunnelKind]}/${p.tunnelDepth}` : '',
    id: isTunnel ? p.tunnelId : 0,
    outer: isTunnel ? formatAddress(p.outerSrcW0, p.outerSrcW1, p.outerSrcW2, p.outerSrcW3) : '',
    fault: p.innerFault === 0 ? '' : DROP_REASONS[p.innerFault].name,
    vlans: [...p.vlans.subarray(0, p.vlanCount)],
  }
}

const IS_INNER = '10.9.0.1:1000 17 2000 4'
const IS_INNER6 = 'fd00::1:1000 17 2000 4'
const NO_TUNNEL = { tunnel: '', id: 0, outer: '', fault: '' }

describe('what lies between link header and IP', () => {
  test.each([
    ['LLC and SNAP', frame('0024', `aaaa03 000000 0800 ${INNER}`), [], IS_INNER],
    ['two tags', frame('88a8', `0064 8100 00c8 0800 ${INNER}`), [100, 200], IS_INNER],
    ['four tags', frame('88a8', `0001 8100 0002 8100 0003 8100 0004 86dd ${INNER6}`), [1, 2, 3, 4], IS_INNER6],
    ['MPLS, one label, IPv4', frame('8847', `00064 1 40 ${INNER}`), [], IS_INNER],
    ['MPLS, two labels, IPv6', frame('8847', `00064 0 40 000c8 1 40 ${INNER6}`), [], IS_INNER6],
    ['MPLS multicast', frame('8848', `00064 1 40 ${INNER}`), [], IS_INNER],
    ['MPLS pseudowire with control word', frame('8847', `00064 1 40 00000000 ${MACS} 8100 0007 0800 ${INNER}`), [7], IS_INNER],
    ['MPLS pseudowire without', frame('8847', `00064 1 40 ${INNER_FRAME}`), [], IS_INNER],
    ['MPLS pseudowire whose address begins like IPv4', frame('8847', `00064 1 40 46ff000000020200 00000001 0800 ${INNER}`), [], IS_INNER],
    ['PPPoE', frame('8864', `11 00 0001 0022 0021 ${INNER}`), [], IS_INNER],
    ['PPPoE, protocol of one octet', frame('8864', `11 00 0001 0021 21 ${INNER}`), [], IS_INNER],
    ['PPPoE, IPv6, tagged', frame('8100', `0007 8864 11 00 0001 0036 0057 ${INNER6}`), [7], IS_INNER6],
    ['VN-Tag', frame('8926', `00000000 0800 ${INNER}`), [], IS_INNER],
    ['Cisco metadata', frame('8909', `0101 0001 0005 0800 ${INNER}`), [], IS_INNER],
    ['NSH', frame('894f', `0fc2 01 01 000001ff ${INNER}`), [], IS_INNER],
  ])('%s', (_, text, vlans, inner) => {
    expect(decode(text)).toEqual({ ...NO_TUNNEL, reason: 'decoded', inner, vlans })
  })

  test.each([
    ['PPP', 9, `0021 ${INNER}`, 'decoded'],
    ['PPP with address and control', 9, `ff03 0021 ${INNER}`, 'decoded'],
    ['PPP, MPLS', 9, `0281 00064 1 40 ${INNER}`, 'decoded'],
    ['PPP, bridged Ethernet', 9, `0031 00 01 ${INNER_FRAME}`, 'decoded'],
    ['PPP, bridged something', 9, `0031 00 04 ${INNER_FRAME}`, 'ppp_protocol_unknown'],
    ['PPP, link control', 9, 'ff03 c021 01010004', 'ppp_protocol_unknown'],
    ['PPP, too short', 9, 'ff03 00', 'ppp_truncated'],
    ['PPP, nothing', 9, '21', 'ppp_truncated'],
    ['PPP on a serial line', 50, `ff03 0021 ${INNER}`, 'decoded'],
    ['Cisco HDLC on a serial line', 50, `0f00 0800 ${INNER}`, 'decoded'],
    ['serial line, too short', 50, '0f00 08', 'ppp_truncated'],
    ['Cisco HDLC', 104, `8f00 0800 ${INNER}`, 'decoded'],
    ['Cisco HDLC, keepalive', 104, '8f00 8035 00000002', 'ethertype_unknown'],
    ['PPPoE without Ethernet', 51, `11 00 0001 0022 0021 ${INNER}`, 'decoded'],
    ['PPPoE, too short', 51, '11 00 0001', 'pppoe_truncated'],
    ['PPPoE, version', 51, `21 00 0001 0022 0021 ${INNER}`, 'pppoe_malformed'],
    ['PPPoE, not a session packet', 51, `11 a7 0001 0022 0021 ${INNER}`, 'pppoe_malformed'],
    ['PPPoE, length beyond the frame', 51, `11 00 0001 0023 0021 ${INNER}`, 'pppoe_malformed'],
    ['MPLS, truncated', ETHERNET, frame('8847', '00064 0 40 00'), 'mpls_truncated'],
    ['MPLS, nothing under the labels', ETHERNET, frame('8847', '00064 1 40'), 'mpls_truncated'],
    ['MPLS, seventeen labels', ETHERNET, frame('8847', '00064040'.repeat(17)), 'mpls_too_deep'],
    ['MPLS, payload of another kind', ETHERNET, frame('8847', `00064 1 40 ${'90'.repeat(20)}`), 'mpls_payload_unknown'],
    ['VN-Tag, truncated', ETHERNET, frame('8926', '00000000 08'), 'layer_truncated'],
    ['NSH, truncated', ETHERNET, frame('894f', '0fc2 01 01'), 'layer_truncated'],
    ['NSH, length', ETHERNET, frame('894f', `0fc0 01 01 000001ff ${INNER}`), 'ethertype_unknown'],
    ['spanning tree', ETHERNET, frame('0026', '424203 0000'), 'ethertype_unknown'],
    ['five tags', ETHERNET, frame('8100', `${'0001 8100 '.repeat(4)}0001 0800 ${INNER}`), 'vlan_too_deep'],
    ['frames in frames', ETHERNET, frame('6558', frame('6558', '').repeat(9)), 'layers_too_many'],
  ])('%s: %s', (_, linkType, text, reason) => {
    expect(decode(text, linkType).reason).toBe(reason)
  })
})

const VXLAN = '08 000000 00002a 00'
const ERSPAN_II = '1064 0005 00000000'

describe('wrappers', () => {
  test.each([
    ['IPv4 in IPv4', ipv4(4, INNER), 'ipip/1', 0],
    ['GRE', ipv4(47, `0000 0800 ${INNER}`), 'gre/1', 0],
    ['GRE, key', ipv4(47, `2000 0800 00000007 ${INNER}`), 'gre/1', 7],
    ['GRE, checksum, key and sequence', ipv4(47, `b000 0800 ffff0000 00000007 00000001 ${INNER}`), 'gre/1', 7],
    ['GRE, routing', ipv4(47, `4000 0800 00000000 0800 00 04 0a000001 0000 00 00 ${INNER}`), 'gre/1', 0],
    ['GRE, Ethernet', ipv4(47, `0000 6558 ${INNER_FRAME}`), 'gre/1', 0],
    ['GRE, MPLS', ipv4(47, `0000 8847 00064 1 40 ${INNER}`), 'gre/1', 0],
    ['GRE, WCCP 1', ipv4(47, `0000 883e ${INNER}`), 'gre/1', 0],
    ['GRE, WCCP 2', ipv4(47, `0000 883e 00000000 ${INNER}`), 'gre/1', 0],
    ['PPTP', ipv4(47, `3081 880b 0024 0009 00000001 00000001 ff03 0021 ${INNER}`), 'gre/1', 9],
    ['ERSPAN I', ipv4(47, `0000 88be ${INNER_FRAME}`), 'erspan/1', 0],
    ['ERSPAN II', ipv4(47, `1000 88be 00000001 ${ERSPAN_II} ${INNER_FRAME}`), 'erspan/1', 5],
    ['ERSPAN III', ipv4(47, `1000 22eb 00000001 2064 0005 00000000 0000 0000 ${INNER_FRAME}`), 'erspan/1', 5],
    ['ERSPAN III, subheader', ipv4(47, `1000 22eb 00000001 2064 0005 00000000 0000 0001 0000000000000000 ${INNER_FRAME}`), 'erspan/1', 5],
    ['ERSPAN III, IP', ipv4(47, `1000 22eb 00000001 2064 0005 00000000 0000 0800 ${INNER}`), 'erspan/1', 5],
    ['MPLS in IP', ipv4(137, `00064 1 40 ${INNER}`), 'ipip/1', 0],
    ['VXLAN', udp(4789, `${VXLAN} ${INNER_FRAME}`), 'vxlan/1', 42],
    ['VXLAN on Linux', udp(8472, `${VXLAN} ${INNER_FRAME}`), 'vxlan/1', 42],
    ['VXLAN with group policy', udp(4789, `88 001234 00002a 00 ${INNER_FRAME}`), 'vxlan/1', 42],
    ['VXLAN-GPE, IPv4', udp(4790, `0c 0000 01 00002a 00 ${INNER}`), 'vxlan/1', 42],
    ['VXLAN-GPE, Ethernet', udp(4790, `0c 0000 03 00002a 00 ${INNER_FRAME}`), 'vxlan/1', 42],
    ['GENEVE', udp(6081, `00 00 6558 00002a 00 ${INNER_FRAME}`), 'geneve/1', 42],
    ['GENEVE, options, IPv4', udp(6081, `02 40 0800 00002a 00 0102030405060708 ${INNER}`), 'geneve/1', 42],
    ['GTP-U', udp(2152, `30 ff 0020 0000002a ${INNER}`), 'gtpu/1', 42],
    ['GTP-U, sequence number', udp(2152, `32 ff 0024 0000002a 0001 00 00 ${INNER}`), 'gtpu/1', 42],
    ['GTP-U, extension', udp(2152, `34 ff 0028 0000002a 0000 00 85 01 1001 00 ${INNER}`), 'gtpu/1', 42],
    ['TZSP', udp(37008, `01 00 0001 0a 01 d8 00 01 ${INNER_FRAME}`), 'tzsp/1', 0],
    ['GRE in VXLAN', udp(4789, `${VXLAN} ${frame('0800', ipv4(47, `2000 0800 00000007 ${INNER}`))}`), 'gre/2', 7],
  ])('%s', (_, text, tunnel, id) => {
    expect(decode(frame('0800', text))).toEqual({
      reason: 'decoded',
      inner: IS_INNER,
      tunnel,
      id,
      outer: '192.0.2.1',
      fault: '',
      vlans: [],
    })
  })

  test.each([
    ['IPv6 in IPv4', frame('0800', ipv4(41, INNER6)), IS_INNER6, '192.0.2.1'],
    ['IPv4 in IPv6', frame('86dd', ipv6(4, INNER)), IS_INNER, '2001:db8::1'],
    ['IPv6 in IPv6', frame('86dd', ipv6(41, INNER6)), IS_INNER6, '2001:db8::1'],
    ['four deep', frame('86dd', ipv6(41, ipv6(41, ipv6(41, ipv6(4, INNER))))), IS_INNER, '2001:db8::1'],
  ])('%s', (_, text, inner, outer) => {
    expect(decode(text)).toMatchObject({ reason: 'decoded', inner, outer })
  })

  test('five deep is refused, and says so', () => {
    expect(decode(frame('86dd', ipv6(41, ipv6(41, ipv6(41, ipv6(41, ipv6(4, INNER))))))).reason).toBe('tunnel_too_deep')
  })

  test('outer and inner tags are one list', () => {
    const text = frame('8100', `0064 0800 ${udp(4789, `${VXLAN} ${frame('8100', `0007 0800 ${INNER}`)}`)}`)
    expect(decode(text)).toMatchObject({ reason: 'decoded', inner: IS_INNER, vlans: [100, 7] })
  })

  test('a list of tags that is full keeps the outermost three and the innermost', () => {
    const tags = '88a8 0001 8100 0002 8100 0003 0800'
    const inner = frame('8100', `0007 8100 0008 0800 ${INNER}`)
    expect(decode(`${MACS} ${tags} ${udp(4789, `${VXLAN} ${inner}`)}`).vlans).toEqual([1, 2, 3, 8])
  })
})

describe('a wrapper whose content cannot be decoded is metered as itself', () => {
  const OUTER_GRE = '192.0.2.1:0 47 0'
  test.each([
    ['GRE, header cut', ipv4(47, '2000 0800 0000'), `${OUTER_GRE} 6`, 'tunnel_truncated'],
    ['GRE, two octets', ipv4(47, '2000'), `${OUTER_GRE} 2`, 'tunnel_truncated'],
    ['GRE, version 2', ipv4(47, `0002 0800 ${INNER}`), `${OUTER_GRE} 36`, 'tunnel_malformed'],
    ['GRE, endless routing', ipv4(47, `4000 0800 00000000 ${'0800 00 00 '.repeat(20)}`), `${OUTER_GRE} 88`, 'tunnel_malformed'],
    ['GRE, routing cut', ipv4(47, '4000 0800 00000000 0800'), `${OUTER_GRE} 10`, 'tunnel_truncated'],
    ['GRE, keepalive', ipv4(47, '0000 0000'), `${OUTER_GRE} 4`, 'ethertype_unknown'],
    ['PPTP without key', ipv4(47, `1001 880b 0024 0009 00000001 ff03 0021 ${INNER}`), `${OUTER_GRE} 48`, 'tunnel_malformed'],
    ['PPTP, cut', ipv4(47, '3001 880b 0024'), `${OUTER_GRE} 6`, 'tunnel_truncated'],
    ['PPTP, link control', ipv4(47, '2001 880b 0006 0009 ff03 c021 0101'), `${OUTER_GRE} 14`, 'ppp_protocol_unknown'],
    ['ERSPAN II, version', ipv4(47, `1000 88be 00000001 3064 0005 00000000 ${INNER_FRAME}`), `${OUTER_GRE} 62`, 'tunnel_malformed'],
    ['ERSPAN II, cut', ipv4(47, '1000 88be 00000001 1064'), `${OUTER_GRE} 10`, 'tunnel_truncated'],
    ['ERSPAN III, version', ipv4(47, `1000 22eb 00000001 1064 0005 00000000 0000 0000`), `${OUTER_GRE} 20`, 'tunnel_malformed'],
    ['ERSPAN III, cut', ipv4(47, '1000 22eb 00000001 2064'), `${OUTER_GRE} 10`, 'tunnel_truncated'],
    ['ERSPAN III, frame type', ipv4(47, `1000 22eb 00000001 2064 0005 00000000 0000 1c00`), `${OUTER_GRE} 20`, 'tunnel_malformed'],
    ['VXLAN without I', udp(4789, `00 000000 00002a 00 ${INNER_FRAME}`), '192.0.2.1:49152 17 4789 54', 'tunnel_malformed'],
    ['VXLAN, cut', udp(4789, '08 000000'), '192.0.2.1:49152 17 4789 4', 'tunnel_truncated'],
    ['VXLAN, ARP', udp(4789, `${VXLAN} ${INNER_ARP}`), '192.0.2.1:49152 17 4789 50', 'arp'],
    ['VXLAN-GPE, next protocol', udp(4790, `0c 0000 07 00002a 00`), '192.0.2.1:49152 17 4790 8', 'tunnel_payload_unknown'],
    ['GENEVE, version', udp(6081, `40 00 0800 00002a 00 ${INNER}`), '192.0.2.1:49152 17 6081 40', 'tunnel_malformed'],
    ['GENEVE, cut', udp(6081, '00 00 0800'), '192.0.2.1:49152 17 6081 4', 'tunnel_truncated'],
    ['GENEVE, options beyond the end', udp(6081, '3f 00 0800 00002a 00'), '192.0.2.1:49152 17 6081 8', 'ipv4_truncated'],
    ['GTP-U, version', udp(2152, `50 ff 0020 0000002a ${INNER}`), '192.0.2.1:49152 17 2152 40', 'tunnel_malformed'],
    ['GTP-U, length', udp(2152, `30 ff 0021 0000002a ${INNER}`), '192.0.2.1:49152 17 2152 40', 'tunnel_malformed'],
    ['GTP-U, echo', udp(2152, '32 01 0004 00000000 0001 00 00'), '192.0.2.1:49152 17 2152 12', 'tunnel_payload_unknown'],
    ['GTP-U, cut', udp(2152, '30 ff 00'), '192.0.2.1:49152 17 2152 3', 'tunnel_truncated'],
    ['GTP-U, optional part cut', udp(2152, '32 ff 0002 0000002a 0001'), '192.0.2.1:49152 17 2152 10', 'tunnel_truncated'],
    ['GTP-U, extension cut', udp(2152, '34 ff 0004 0000002a 0000 00 85'), '192.0.2.1:49152 17 2152 12', 'tunnel_truncated'],
    [
      'GTP-U, extension of no length',
      udp(2152, '34 ff 0008 0000002a 0000 00 85 00000000'),
      '192.0.2.1:49152 17 2152 16',
      'tunnel_malformed',
    ],
    ['TZSP, version', udp(37008, `02 00 0001 01 ${INNER_FRAME}`), '192.0.2.1:49152 17 37008 51', 'tunnel_malformed'],
    ['TZSP, keepalive', udp(37008, '01 04 0000 01'), '192.0.2.1:49152 17 37008 5', 'tunnel_malformed'],
    ['TZSP, 802.11', udp(37008, '01 00 0012 01 00000000'), '192.0.2.1:49152 17 37008 9', 'tunnel_payload_unknown'],
    ['TZSP, no end of tags', udp(37008, '01 00 0001 0a 20 00'), '192.0.2.1:49152 17 37008 7', 'tunnel_truncated'],
    ['TZSP, too many tags', udp(37008, `01 00 0001 ${'00'.repeat(80)}`), '192.0.2.1:49152 17 37008 84', 'tunnel_malformed'],
    ['IPv4 in IPv4 that is none', ipv4(4, '90'.repeat(20)), '192.0.2.1:0 4 0 20', 'ipv4_version'],
    [
      'inner packet longer than the wrapper',
      ipv4(4, INNER.replace('0020', '0021').replace('000c 0000', '000d 0000')),
      '192.0.2.1:0 4 0 32',
      'tunnel_length',
    ],
  ])('%s', (_, text, inner, fault) => {
    expect(decode(frame('0800', text))).toEqual({ reason: 'decoded', inner, tunnel: '', id: 0, outer: '', fault, vlans: [] })
  })

  test('of two wrappers only the inner one is left closed', () => {
    const text = frame('0800', udp(4789, `${VXLAN} ${frame('0800', ipv4(47, '0000 0000'))}`))
    expect(decode(text)).toMatchObject({ inner: '192.0.2.1:0 47 0 4', tunnel: 'vxlan/1', id: 42, fault: 'ethertype_unknown' })
  })

  test('cut anywhere by the snap length: a packet or a reason, never more than was captured', () => {
    const text = frame('0800', udp(4789, `${VXLAN} ${frame('0800', ipv4(47, `2000 0800 00000007 ${INNER}`))}`))
    const len = hex(text).length
    for (let cut = 0; cut < len; cut++) {
      const { reason, inner } = decode(text, ETHERNET, cut)
      expect(reason === 'decoded' ? inner : 'refused').toMatch(/^(10\.9\.0\.1:1000|192\.0\.2\.1:)|^refused$/)
    }
  })
})

describe('the tunnel in the flow key', () => {
  function keyOf(text: string): number {
    const b = hex(frame('0800', text))
    const p = new Packet()
    decodeFrame(ETHERNET, b, 0, b.length, b.length, p)
    return p.tunnelKey
  }

  test('differs by kind and id, and by what lies around', () => {
    const keys = [
      ipv4(4, INNER),
      ipv4(47, `0000 0800 ${INNER}`),
      ipv4(47, `2000 0800 00000007 ${INNER}`),
      ipv4(47, `2000 0800 00000008 ${INNER}`),
      udp(4789, `${VXLAN} ${INNER_FRAME}`),
      udp(4789, `08 000000 00002b 00 ${INNER_FRAME}`),
      udp(4789, `${VXLAN} ${frame('0800', ipv4(4, INNER))}`),
      INNER,
    ].map(keyOf)
    expect(new Set(keys).size).toBe(keys.length)
    expect(keys.at(-1)).toBe(0)
  })

  test('is one for both directions of a GTP tunnel, whose ids differ', () => {
    expect(keyOf(udp(2152, `30 ff 0020 0000002a ${INNER}`))).toBe(keyOf(udp(2152, `30 ff 0020 0000002b ${INNER}`)))
  })
})
