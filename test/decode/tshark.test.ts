/**
 * The innermost packet of every frame, compared with tshark's, on the shared captures of tunnels and labels.
 *
 * Not compared: frames that ICMP errors are in (tshark goes on into the packet that they quote), and frames of the kinds in EXCUSED.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { formatAddress } from '../../src/base/address.ts'
import { u32le } from '../../src/base/bytes.ts'
import { openCapture } from '../../src/capture/open.ts'
import { decodeFrame } from '../../src/decode/decode.ts'
import { DECODED } from '../../src/decode/drop-reason.ts'
import { LATER_FRAGMENT, Packet } from '../../src/decode/packet.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const data = [process.env.FLOWSCRIBE_SHARED_DATA ?? '', join(root, '../shared/data'), join(root, '../../shared/data')].find(
  (place) => place !== '' && existsSync(join(place, 'labels.tsv')),
)
const hasTshark = spawnSync('tshark', ['--version']).status === 0

const WRAPPED = /gre|vxlan|gtp-|gtp[1-8]|ipip|4in|6in|pppoe|mpls-basic|mpls-in|erspan|geneve|tzsp|qinq|vlan|vntag|nsh\.|snap|sll|Sll|hdlc/
/** What tshark does not read as we do, with the reason. */
const EXCUSED: readonly (readonly [file: RegExp, why: string])[] = [
  [/GrePackets/, 'GRE in GRE without a payload: tshark goes on, we meter the last packet that is one'],
  [/vxlan_port_8472/, 'tshark opens VXLAN on 4789 only'],
  [/bigtcp/, 'tshark stops at an outer length of 0, which segmentation offload leaves'],
]

interface Innermost {
  ours: string[]
  /** '' for frames with ICMP. */
  theirs: string[]
}

async function ourPackets(path: string): Promise<string[]> {
  const { reader, bytes } = await openCapture(path)
  const p = new Packet()
  const packets: string[] = []
  for (let slab = await reader.next(); slab !== null; slab = await reader.next()) {
    for (let at = slab.start; at < slab.end; ) {
      const capLen = u32le(slab.bytes, at + 8)
      const reason = decodeFrame(slab.linkType, slab.bytes, at + 16, capLen, u32le(slab.bytes, at + 12), p)
      at += 16 + capLen
      const hasPorts = (p.proto === 6 || p.proto === 17) && p.fragment !== LATER_FRAGMENT
      const addresses = [formatAddress(p.srcW0, p.srcW1, p.srcW2, p.srcW3), formatAddress(p.dstW0, p.dstW1, p.dstW2, p.dstW3)]
      packets.push(reason === DECODED ? [...addresses, ...(hasPorts ? [p.srcPort, p.dstPort] : [])].join(' ') : '-')
    }
  }
  await bytes.close()
  return packets
}

const FIELDS = 'frame.protocols ip.src ip.dst ipv6.src ipv6.dst tcp.srcport tcp.dstport udp.srcport udp.dstport'.split(' ')

function theirPackets(path: string): string[] {
  const fields = FIELDS.flatMap((field) => ['-e', field])
  const whole = ['-o', 'ip.defragment:FALSE', '-o', 'ipv6.defragment:FALSE']
  const { stdout } = spawnSync('tshark', ['-r', path, ...whole, '-T', 'fields', '-E', 'occurrence=l', ...fields], { encoding: 'utf8' })
  return stdout.split('\n').slice(0, -1).map(innermost)
}

function innermost(line: string): string {
  const [layers, src4, dst4, src6, dst6, ...ports] = line.split('\t')
  const names = layers.split(':')
  if (names.includes('icmp') || names.includes('icmpv6')) return ''
  const ip = Math.max(names.lastIndexOf('ip'), names.lastIndexOf('ipv6'))
  if (ip < 0) return '-'
  const addresses = names[ip] === 'ip' ? [src4, dst4] : [src6, dst6]
  const transport = names.slice(ip).find((name) => name === 'tcp' || name === 'udp')
  return [...addresses, ...(transport === 'tcp' ? ports.slice(0, 2) : transport === 'udp' ? ports.slice(2) : [])].join(' ')
}

async function compare(path: string): Promise<Innermost> {
  const ours = await ourPackets(path)
  const theirs = theirPackets(path)
  return { ours: ours.map((packet, i) => (theirs[i] === '' ? '' : packet)), theirs }
}

const files =
  data === undefined
    ? []
    : ['app', 'proto', 'iot', 'web'].flatMap((folder) => {
        const place = join(data, 'benign', folder)
        return existsSync(place) ? readdirSync(place).map((name) => join(place, name)) : []
      })

describe.skipIf(!hasTshark || data === undefined)('the innermost packet (needs tshark and ../shared/data)', () => {
  const wrapped = files.filter((path) => WRAPPED.test(path.slice(path.lastIndexOf('/'))) && !EXCUSED.some(([name]) => name.test(path)))

  test('there is something to compare', () => {
    expect(wrapped.length).toBeGreaterThan(20)
  })

  test.each(wrapped.map((path) => [path.slice(path.lastIndexOf('/') + 1), path]))('%s', async (_, path) => {
    const { ours, theirs } = await compare(path)
    expect(ours).toEqual(theirs)
  })
})
