/** Every classic capture at hand, read by pcap-parser, which nobody here wrote, and by us: the same packets, octet for octet. */
import { readFileSync } from 'node:fs'
import { Readable } from 'node:stream'
import { gunzipSync } from 'node:zlib'
import { type ParsedPacket, parse } from 'pcap-parser'
import { describe, expect, test } from 'vitest'
import { listFiles, PROJECT_CAPTURES, SHARED_DATA } from '../features/shared-data.ts'
import { readCapture } from './read-capture.ts'

/** Its packets; null for what it does not open (nanoseconds, pcapng). */
function parsed(path: string): Promise<ParsedPacket[] | null> {
  const bytes = path.endsWith('.gz') ? gunzipSync(readFileSync(path)) : readFileSync(path)
  return new Promise((resolve) => {
    const packets: ParsedPacket[] = []
    // In pieces: given a file at once it copies the rest of it for each packet.
    const parser = parse(Readable.from(pieces(bytes), { objectMode: false }))
    parser.on('packet', (packet: ParsedPacket) => packets.push(packet))
    parser.on('error', () => resolve(null))
    parser.on('end', () => resolve(packets))
  })
}

function* pieces(bytes: Buffer): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += 1 << 16) yield bytes.subarray(at, at + (1 << 16))
}

async function difference(path: string): Promise<string | null | 'not opened'> {
  const theirs = await parsed(path)
  if (theirs === null) return 'not opened'
  const { records } = await readCapture(path)
  if (records.length !== theirs.length) return `${path}: ${records.length} packets, theirs ${theirs.length}`
  for (const [i, { header, data }] of theirs.entries()) {
    const r = records[i]
    const carry = Math.floor(header.timestampMicroseconds / 1e6)
    const isSame =
      r.sec === header.timestampSeconds + carry &&
      r.nsec === (header.timestampMicroseconds - carry * 1e6) * 1000 &&
      r.capLen === header.capturedLength &&
      r.wireLen === header.originalLength &&
      Buffer.compare(r.bytes, data) === 0
    if (!isSame) return `${path}: packet ${i}: ${JSON.stringify(header)}, ours ${JSON.stringify({ ...r, bytes: undefined })}`
  }
  return null
}

async function compareAll(paths: readonly string[]): Promise<{ opened: number; differences: string[] }> {
  const found: string[] = []
  let opened = 0
  for (const path of paths) {
    const result = await difference(path)
    if (result !== 'not opened') opened++
    if (result !== null && result !== 'not opened') found.push(result)
  }
  return { opened, differences: found }
}

const own = listFiles(PROJECT_CAPTURES).filter((path) => /\.pcap(\.gz)?$/.test(path))

test.skipIf(own.length === 0)(
  'the same packets as pcap-parser: the captures of this project (needs pcaps/)',
  { timeout: 60_000 },
  async () => {
    const { opened, differences } = await compareAll(own)
    expect(differences).toEqual([])
    expect(opened).toBeGreaterThan(0)
  },
)

describe.skipIf(SHARED_DATA === null)('the same packets as pcap-parser (needs ../shared/data)', () => {
  test.each(['attack', 'benign', 'parity', 'format'])('%s', { timeout: 90_000 }, async (folder) => {
    const paths = listFiles(`${SHARED_DATA}/${folder}`).filter((path) => /\.p?cap$/.test(path))
    const { opened, differences } = await compareAll(paths)
    expect(differences).toEqual([])
    expect(opened).toBeGreaterThan(paths.length / 2)
  })
})
