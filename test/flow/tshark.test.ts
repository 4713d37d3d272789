/**
 * Conversations as tshark counts them: packets and octets by addresses and ports, TCP and UDP, for captures without tunnels and
 * fragments. Rows of one conversation are added up. At most SAMPLE captures, spread evenly over those there are.
 */
import { execFile, execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import { RunError } from '../../src/base/errors.ts'
import { openCapture } from '../../src/capture/open.ts'
import { LINK_TYPE_UNKNOWN } from '../../src/decode/drop-reason.ts'
import { Meter } from '../../src/flow/meter.ts'
import { fromEnvironment } from '../base/seeded.ts'
import { listFiles, PROJECT_CAPTURES, SHARED_DATA } from '../features/shared-data.ts'
import { collector, DEFAULT_LIMITS, type MeteredRow } from './run-meter.ts'

const SAMPLE = fromEnvironment('FLOWSCRIBE_TSHARK_CAPTURES', 60)

function hasTshark(): boolean {
  try {
    execFileSync('tshark', ['--version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

/** Packets, and octets from the IP header on, by `address:port address:port proto`. */
type Conversations = Map<string, { packets: number; ipBytes: number }>

const FIELDS = ['frame.protocols', 'ip.src', 'ipv6.src', 'ip.dst', 'ipv6.dst', 'ip.len', 'ipv6.plen']
const PORTS = ['tcp.srcport', 'tcp.dstport', 'udp.srcport', 'udp.dstport']
const FRAGMENTS = ['ip.flags.mf', 'ip.frag_offset', 'ipv6.fraghdr.offset']
const LENGTHS = ['frame.len', 'frame.cap_len']
/** Wrappers, and extension headers that tell other addresses than the IP header's (mobile IPv6). */
const TUNNELS = /:(cfp|gre|erspan|vxlan|geneve|gtp|tzsp|teredo|l2tp|mpls|pppoes|ppp|6in4|ipv6\.(routing|dstopts))\b/
/** Under this a capture may end inside a TCP header, which tshark then leaves out of its table. */
const HEADERS_LEN_MAX = 14 + 8 + 60 + 60

function add(to: Conversations, ends: readonly string[], proto: number, packets: number, ipBytes: number): void {
  const key = [...[...ends].sort(), proto].join(' ')
  const before = to.get(key) ?? { packets: 0, ipBytes: 0 }
  to.set(key, { packets: before.packets + packets, ipBytes: before.ipBytes + ipBytes })
}

const run = promisify(execFile)

interface Dissected {
  /** From each frame's fields: octets as well. */
  frames: Conversations
  /** From the table `-z conv` writes: packets. */
  table: Map<string, number>
}

/** null where there are tunnels, fragments, cut headers or lengths left to segmentation offload. */
async function dissect(path: string): Promise<Dissected | null> {
  const fields = [...FIELDS, ...PORTS, ...FRAGMENTS, ...LENGTHS].flatMap((field) => ['-e', field])
  const options = [
    '-n',
    '-r',
    path,
    '-o',
    'ip.defragment:FALSE',
    '-T',
    'fields',
    '-E',
    'occurrence=f',
    ...fields,
    '-z',
    'conv,tcp',
    '-z',
    'conv,udp',
  ]
  const { stdout } = await run('tshark', options, { maxBuffer: 1 << 28 })
  const [lines, ...tables] = stdout.split(/^=+$/m)
  const frames: Conversations = new Map()
  for (const line of lines.split('\n').filter((text) => text.includes('\t'))) {
    const [protocols, src4, src6, dst4, dst6, len4, len6, tcpSrc, tcpDst, udpSrc, udpDst, mf, offset, offset6, len, capLen] =
      line.split('\t')
    const layers = protocols.split(':')
    const isError = layers.some((layer) => layer.startsWith('icmp'))
    if (!isError && layers.filter((layer) => layer === 'ip' || layer === 'ipv6').length > 1) return null
    if (TUNNELS.test(protocols) || (capLen !== len && Number(capLen) < HEADERS_LEN_MAX)) return null
    if (mf === '1' || mf === 'True' || Number(offset || 0) > 0 || offset6 !== '') return null
    const isTcp = tcpSrc !== ''
    // What an ICMP error quotes is no packet (FEATURES.md A14).
    if (isError || (!isTcp && udpSrc === '')) continue
    const ends = isTcp
      ? [`${src4 || src6}:${tcpSrc}`, `${dst4 || dst6}:${tcpDst}`]
      : [`${src4 || src6}:${udpSrc}`, `${dst4 || dst6}:${udpDst}`]
    if (Number(len4 || len6) === 0) return null
    add(frames, ends, isTcp ? 6 : 17, 1, len4 === '' ? Number(len6) + 40 : Number(len4))
  }
  const table = new Map<string, number>()
  for (const text of tables) {
    const proto = text.includes('TCP Conversations') ? 6 : text.includes('UDP Conversations') ? 17 : null
    if (proto === null) continue
    for (const line of text.split('\n')) {
      const match = /^(\S+)\s+<->\s+(\S+)\s+(\d+) .+?(\d+) \S+\s+(\d+) [\d.]+ \S+\s+[\d.]+\s+[\d.]+\s*$/.exec(line)
      if (match === null) continue
      const key = [...[match[1], match[2]].map((end) => end.replace(/[[\]]/g, '')).sort(), proto].join(' ')
      table.set(key, (table.get(key) ?? 0) + Number(match[5]))
    }
  }
  return { frames, table }
}

/** null for a file of a format that is not read. */
async function metered(path: string): Promise<{ conversations: Conversations; meter: Meter } | null> {
  const rows: MeteredRow[] = []
  const meter = new Meter({ ...DEFAULT_LIMITS, maxFlows: 1 << 16 }, collector(rows), null, { isDeduplicated: false, checksums: 'none' })
  const open = await openCapture(path).catch((error: unknown) => {
    if (error instanceof RunError) return null
    throw error
  })
  if (open === null) return null
  const { bytes, reader } = open
  for (let slab = await reader.next(); slab !== null; slab = await reader.next()) meter.meterSlab(slab)
  await bytes.close()
  meter.finish()
  const conversations: Conversations = new Map()
  for (const { proto, addr, port, packets, ipBytes } of rows) {
    if (proto !== 6 && proto !== 17) continue
    add(
      conversations,
      [`${addr[0]}:${port[0]}`, `${addr[1]}:${port[1]}`],
      proto,
      (packets[0] ?? 0) + (packets[1] ?? 0),
      (ipBytes[0] ?? 0) + (ipBytes[1] ?? 0),
    )
  }
  return { conversations, meter }
}

function captures(): string[] {
  const shared = ['attack', 'benign', 'parity'].flatMap((folder) => (SHARED_DATA === null ? [] : listFiles(join(SHARED_DATA, folder))))
  const all = [...listFiles(PROJECT_CAPTURES), ...shared].filter((path) => /\.pcap(\.gz)?$/.test(path))
  const step = Math.max(1, all.length / SAMPLE)
  return Array.from({ length: Math.min(SAMPLE, all.length) }, (_, i) => all[Math.floor(i * step)])
}

const sample = captures()

describe.skipIf(sample.length === 0 || !hasTshark())('conversations as tshark counts them (needs tshark and captures)', () => {
  test(`${sample.length} captures`, { timeout: 60_000 + 2000 * sample.length }, async () => {
    const faults: string[] = []
    let compared = 0
    for (const path of sample) {
      const theirs = await dissect(path)
      if (theirs === null) continue
      const ours = await metered(path)
      if (ours === null) continue
      const { conversations, meter } = ours
      if (meter.counters.dropped[LINK_TYPE_UNKNOWN] > 0) continue
      for (const [key, their] of theirs.frames) {
        const our = conversations.get(key)
        if (our?.packets !== their.packets || our.ipBytes !== their.ipBytes)
          faults.push(`${path}: ${key}: ${JSON.stringify(our)}, tshark's fields say ${JSON.stringify(their)}`)
      }
      for (const [key, packets] of theirs.table)
        if (conversations.get(key)?.packets !== packets)
          faults.push(`${path}: ${key}: ${conversations.get(key)?.packets} packets, tshark's table says ${packets}`)
      for (const key of conversations.keys()) if (!theirs.frames.has(key)) faults.push(`${path}: ${key}: not in tshark's`)
      compared += theirs.frames.size
    }
    expect(faults).toEqual([])
    expect(compared).toBeGreaterThan(5 * sample.length)
  })
})
