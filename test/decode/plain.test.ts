/** The short way to a packet against the decoders one by one: where it says yes, both leave the same record. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { openCapture } from '../../src/capture/open.ts'
import { decodeByHeaders } from '../../src/decode/decode.ts'
import { DECODED } from '../../src/decode/drop-reason.ts'
import { Packet } from '../../src/decode/packet.ts'
import { decodePlain } from '../../src/decode/plain.ts'
import { recordsOf } from '../capture/records.ts'

const LINK_ETHERNET = 1
const pcaps = fileURLToPath(new URL('../../pcaps', import.meta.url))
/** Of ARP, pings and other protocols, which are not the commonest frames. */
const OTHERS = ['sweep-arp-nmap.pcap', 'benign-address-moves.pcap', 'benign-large-pings.pcap', 'scan-protocols-nmap.pcap']
const captures = readdirSync(pcaps).filter((name) => /\.pcap(ng)?(\.gz)?$/.test(name) && !OTHERS.includes(name))

/** What a packet is, without decoding's own cursor and what is only valid when another field says so. */
const FIELDS = [
  'wireLen',
  'capLen',
  'srcW0',
  'srcW1',
  'srcW2',
  'srcW3',
  'dstW0',
  'dstW1',
  'dstW2',
  'dstW3',
  'proto',
  'srcPort',
  'dstPort',
  'ipLen',
  'ttl',
  'vlanCount',
  'fragment',
  'tunnelDepth',
  'tunnelKey',
  'innerFault',
  'echoId',
  'l4HeaderLen',
  'payloadLen',
  'flags',
  'window',
  'icmpType',
  'icmpCode',
  'quotedProto',
] as const satisfies readonly (keyof Packet)[]

const TCP_FIELDS = ['seq', 'ack'] as const

const short = new Packet()
const long = new Packet()

/** Counts what the short way took; throws where the two differ. */
function compare(bytes: Uint8Array, capLen: number, wireLen: number): boolean {
  if (!decodePlain(bytes, 0, capLen, wireLen, short)) return false
  expect(decodeByHeaders(LINK_ETHERNET, bytes, 0, capLen, wireLen, long)).toBe(DECODED)
  const names = short.proto === 6 ? [...FIELDS, ...TCP_FIELDS] : FIELDS
  for (const name of names)
    if (short[name] !== long[name]) throw new Error(`${name}: ${short[name]} in one piece, ${long[name]} header by header`)
  return true
}

async function frames(name: string): Promise<{ bytes: Uint8Array; capLen: number; wireLen: number }[]> {
  const { bytes, reader } = await openCapture(join(pcaps, name))
  const all: { bytes: Uint8Array; capLen: number; wireLen: number }[] = []
  for (let slab = await reader.next(); slab !== null && all.length < 5000; slab = await reader.next()) {
    for (const record of recordsOf(slab)) if (record.linkType === LINK_ETHERNET) all.push({ ...record, bytes: record.bytes.slice() })
  }
  await bytes.close()
  return all
}

describe.each(captures)('%s', (name) => {
  test('every frame, whole, cut and with one octet of its headers changed', async () => {
    let taken = 0
    let takenDamaged = 0
    for (const [i, { bytes, capLen, wireLen }] of (await frames(name)).entries()) {
      if (compare(bytes, capLen, wireLen)) taken++
      const damaged = bytes.slice()
      damaged[(i * 7) % Math.min(capLen, 60)] ^= 1 << (i % 8)
      if (compare(damaged, capLen, wireLen)) takenDamaged++
      compare(bytes, Math.min(capLen, i % 70), wireLen)
    }
    expect(taken).toBeGreaterThan(100)
    expect(takenDamaged).toBeGreaterThan(50)
  })
})
