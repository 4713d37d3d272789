/** ARP by table: a frame in hex, spaced by field, and what is read of it or why not. */
import { describe, expect, test } from 'vitest'
import { readArp } from '../../src/decode/arp.ts'
import { decodeFrame } from '../../src/decode/decode.ts'
import { DROP_REASONS, type DropReasonName } from '../../src/decode/drop-reason.ts'
import { Packet } from '../../src/decode/packet.ts'
import { hex } from '../base/hex.ts'

const ETHERNET = 1
const MACS = 'ffffffffffff 020000000001'
const SENDER = '020000000001 0a000001'
const REQUEST = `0001 0800 06 04 0001 ${SENDER} 000000000000 0a000002`
const REPLY = `0001 0800 06 04 0002 ${SENDER} 020000000002 0a000002`

function decode(text: string, linkType = ETHERNET): { reason: DropReasonName; packet: Packet; bytes: Uint8Array } {
  const packet = new Packet()
  packet.timeUs = 7
  const frame = hex(text)
  // Octets behind the capture's end must not be believed.
  const bytes = new Uint8Array(frame.length + 64).fill(0x06)
  bytes.set(frame)
  return { reason: DROP_REASONS[decodeFrame(linkType, bytes, 0, frame.length, frame.length, packet)].name, packet, bytes }
}

describe('arp: read', () => {
  const base = { kind: 'arp', atUs: 7, segment: '', senderMac: '02:00:00:00:00:01', senderAddress: '10.0.0.1', targetAddress: '10.0.0.2' }
  const asked = { ...base, isRequest: true, targetMac: '00:00:00:00:00:00' }
  test.each([
    ['a request', `${MACS} 0806 ${REQUEST}`, asked],
    ['a request with padding', `${MACS} 0806 ${REQUEST} ${'00'.repeat(18)}`, asked],
    ['a reply', `${MACS} 0806 ${REPLY}`, { ...base, isRequest: false, targetMac: '02:00:00:00:00:02' }],
    ['behind one tag', `${MACS} 8100 000c 0806 ${REQUEST}`, { ...asked, segment: '12' }],
    ['behind two tags', `${MACS} 88a8 0064 8100 000c 0806 ${REQUEST}`, { ...asked, segment: '100.12' }],
    ['behind LLC and SNAP', `${MACS} 0024 aaaa03 000000 0806 ${REQUEST}`, asked],
    [
      'a probe, in nobody’s name',
      `${MACS} 0806 0001 0800 06 04 0001 020000000001 00000000 000000000000 0a000002`,
      { ...asked, senderAddress: '0.0.0.0' },
    ],
  ])('%s', (_name, text, expected) => {
    const { reason, packet, bytes } = decode(text)
    expect(reason).toBe('arp')
    expect(readArp(bytes, packet)).toEqual(expected)
  })

  test('from a cooked capture', () => {
    const { reason, packet, bytes } = decode(`0000 0001 0006 0200000000010000 0806 ${REPLY}`, 113)
    expect(reason).toBe('arp')
    expect(readArp(bytes, packet)).toMatchObject({ isRequest: false, senderAddress: '10.0.0.1' })
  })
})

test.each<[string, string, DropReasonName]>([
  ['nothing behind the type', '', 'arp_truncated'],
  ['seven octets', '0001 0800 06 04 00', 'arp_truncated'],
  ['one octet short', REQUEST.slice(0, -2), 'arp_truncated'],
  ['address lengths of something else', REQUEST.replace('06 04', '06 10'), 'arp_malformed'],
  ['hardware length of nothing', REQUEST.replace('06 04', '00 04'), 'arp_malformed'],
  ['operation 0', REQUEST.replace('0001 02', '0000 02'), 'arp_malformed'],
  ['a sender that is a group', REQUEST.replace('020000000001', '030000000001'), 'arp_malformed'],
  ['reverse ARP in ARP’s clothes', REQUEST.replace('0001 02', '0003 02'), 'arp_other'],
  ['hardware that is no Ethernet', REQUEST.replace('0001 0800', '0020 0800'), 'arp_other'],
  ['AppleTalk', REQUEST.replace('0001 0800', '0001 809b'), 'arp_other'],
])('arp: not read: %s', (_name, text, expected) => {
  expect(decode(`${MACS} 0806 ${text}`).reason).toBe(expected)
})
