import { execFileSync, spawn } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { RunError } from '../../src/base/errors.ts'
import { CAP_LEN_MAX, SLAB_LEN } from '../../src/capture/slab.ts'
import { concat } from '../base/hex.ts'
import { seeded } from '../base/seeded.ts'
import { readBytes, readCapture, temporaryFile } from './read-capture.ts'
import { type Frame, MICRO, PCAP_HEADER_LEN, PCAP_RECORD_HEADER_LEN, type PcapForm, pcapFile, pcapHeader, pcapRecord } from './records.ts'

function frame(i: number, len: number): Frame {
  return { sec: 1_700_000_000 + i, nsec: 123_456_000, bytes: Uint8Array.from({ length: len }, (_, at) => i + at), wireLen: len + 100 }
}

const FRAMES = [frame(0, 60), frame(1, 0), frame(2, 1), frame(3, 1514)]

function expected(frames: readonly Frame[], linkType = 1) {
  return frames.map(({ sec, nsec, bytes, wireLen }) => ({
    sec,
    nsec,
    capLen: bytes.length,
    wireLen: wireLen ?? bytes.length,
    linkType,
    interfaceId: 0,
    bytes,
  }))
}

const FORMS: readonly (readonly [string, Partial<PcapForm>])[] = [
  ['microseconds', {}],
  ['nanoseconds', { magic: 0xa1b23c4d, nsPerUnit: 1 }],
  ['the modified variant, eight octets more a record', { magic: 0xa1b2cd34, extraLen: 8 }],
  ["Mesquita's magic number", { magic: 0xa1b234cd }],
  ["Navtel's magic number", { magic: 0xa12b3c4d }],
  ['version 2.2: the lengths stand the other way round', { version: [2, 2], areLensSwapped: true }],
  ['version 2.3, swapped', { version: [2, 3], areLensSwapped: true }],
  ['version 2.3, not swapped', { version: [2, 3] }],
  ['version 543.0 (an old DG/UX tcpdump): swapped', { version: [543, 0], areLensSwapped: true }],
  ['another link type', { linkType: 113 }],
]

describe('pcap: formats', () => {
  test.each(
    FORMS.flatMap(([name, form]) =>
      [false, true].map((isBigEndian) => [name, isBigEndian ? 'big' : 'little', { ...form, isBigEndian }] as const),
    ),
  )('%s, %s-endian', async (_, __, form) => {
    const read = await readBytes(pcapFile(FRAMES, form))
    expect(read.records).toEqual(expected(FRAMES, form.linkType))
    expect(read.damage).toBeNull()
  })

  test("the link type's upper bits tell of a frame check sequence and are left out", async () => {
    const read = await readBytes(pcapFile(FRAMES, { linkType: 0x50000001 }))
    expect(read.records[0].linkType).toBe(1)
  })

  test.each([
    [999_999, 0, 999_999_000],
    [1_000_000, 1, 0],
    [2_500_001, 2, 500_001_000],
    [4_294_967_295, 4294, 967_295_000],
  ])('%d µs in a second carry over', async (usec, carry, nsec) => {
    const file = concat(pcapHeader(MICRO), pcapRecord(MICRO, 1000, usec, 0, 0, new Uint8Array(0)))
    const { records } = await readBytes(file)
    expect(records).toMatchObject([{ sec: 1000 + carry, nsec }])
  })

  test('a header and no record is an empty capture, not a damaged one', async () => {
    expect(await readBytes(pcapHeader(MICRO))).toEqual({ records: [], damage: null, slabs: 0 })
  })
})

describe('pcap: slabs', () => {
  test.each([SLAB_LEN - 1, SLAB_LEN, SLAB_LEN + 1])('a record that ends %d octets into the file', async (end) => {
    const lens = [200_000, 200_000, 200_000, 200_000]
    lens.push(end - PCAP_HEADER_LEN - 5 * PCAP_RECORD_HEADER_LEN - 800_000)
    const frames = [...lens.map((len, i) => frame(i, len)), frame(9, 60)]
    const read = await readBytes(pcapFile(frames))
    expect(read.records.map((r) => r.capLen)).toEqual([...lens, 60])
    expect(read.damage).toBeNull()
  })

  test.each(FORMS)('frames of random lengths across many slabs: %s', async (_, form) => {
    const random = seeded(5)
    const frames = Array.from({ length: 700 }, (_, i) =>
      frame(i, random.below(20) === 0 ? random.below(CAP_LEN_MAX + 1) : random.below(1515)),
    )
    const read = await readBytes(pcapFile(frames, form))
    expect(read.records.length).toBe(700)
    expect(read.damage).toBeNull()
    for (const [i, record] of read.records.entries()) {
      expect(record.sec).toBe(frames[i].sec)
      expect(Buffer.compare(record.bytes, frames[i].bytes), `record ${i}`).toBe(0)
    }
  })

  test('the longest record that is taken for real', async () => {
    const read = await readBytes(pcapFile([frame(0, CAP_LEN_MAX), frame(1, CAP_LEN_MAX)]))
    expect(read.records.map((r) => r.capLen)).toEqual([CAP_LEN_MAX, CAP_LEN_MAX])
  })

  test('a file in the modified format is not copied anew for each record', async () => {
    const frames = Array.from({ length: 40_000 }, (_, i) => frame(i, 60))
    const start = performance.now()
    const read = await readBytes(pcapFile(frames, { magic: 0xa1b2cd34, extraLen: 8 }))
    expect(read.records.length).toBe(40_000)
    expect(performance.now() - start).toBeLessThan(1500)
  })
})

describe('pcap: damage', () => {
  const whole = pcapFile(FRAMES)
  const lastStart = whole.length - 1514 - PCAP_RECORD_HEADER_LEN

  test.each([
    ['inside the last frame', whole.length - 1],
    ['inside the last header', lastStart + 15],
    ['one octet into the last header', lastStart + 1],
  ])('cut %s: all before it is used, and the fault has its place', async (_, len) => {
    const read = await readBytes(whole.subarray(0, len))
    expect(read.records).toEqual(expected(FRAMES.slice(0, 3)))
    expect(read.damage).toMatchObject({ offset: lastStart, message: 'the file ends inside a record' })
  })

  test.each([CAP_LEN_MAX + 1, 0x7fffffff, 0xffffffff])('a captured length of %d is damage', async (capLen) => {
    const file = concat(whole, pcapRecord(MICRO, 1, 0, capLen, capLen, new Uint8Array(5000)))
    const read = await readBytes(file)
    expect(read.records).toEqual(expected(FRAMES))
    expect(read.damage?.offset).toBe(whole.length)
    expect(read.damage?.message).toContain(`${capLen} octets`)
  })

  test('after damage there is nothing more, however often one asks', async () => {
    const { openCapture } = await import('../../src/capture/open.ts')
    const { bytes, reader } = await openCapture(temporaryFile(concat(whole, pcapRecord(MICRO, 1, 0, 2 ** 31, 0, new Uint8Array(0)))))
    expect(await reader.next()).not.toBeNull()
    for (let i = 0; i < 3; i++) expect(await reader.next()).toBeNull()
    await bytes.close()
  })

  test.each([1, 3, 4, 23])('a file that ends after %d octets of its header', async (len) => {
    await expect(readBytes(whole.subarray(0, len))).rejects.toThrow(RunError)
    await expect(readBytes(whole.subarray(0, len))).rejects.toThrow(/capture\.pcap: byte \d+: /)
  })
})

describe('what is no capture', () => {
  test.each([
    ['an empty file', new Uint8Array(0), /capture\.pcap: byte 0: the file is empty/],
    ['text', new TextEncoder().encode('hello, world\n'), /capture\.pcap: byte 0: not a capture file \(this is a text file\)/],
    ['one octet', Uint8Array.of(0xa1), /byte 0: not a capture file/],
    ['a gzip file of text', gzipSync('hello, world\n'), /byte 0: not a capture file \(this is a text file\)/],
  ])('%s', async (_, bytes, message) => {
    await expect(readBytes(bytes)).rejects.toThrow(message)
    await expect(readBytes(bytes)).rejects.toThrow(RunError)
  })

  test('no such file, a folder, a file that may not be read', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'flowscribe-capture-'))
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
    await expect(readCapture(join(folder, 'none.pcap'))).rejects.toThrow(/none\.pcap: no such file/)
    await expect(readCapture(folder)).rejects.toThrow(/is a directory/)
    if (process.getuid?.() === 0) return
    const path = temporaryFile(pcapFile(FRAMES))
    chmodSync(path, 0)
    await expect(readCapture(path)).rejects.toThrow(/permission denied/)
  })
})

describe('gzip', () => {
  test('is told by its first octets, whatever the name', async () => {
    const read = await readBytes(gzipSync(pcapFile(FRAMES)), 'plain.pcap')
    expect(read.records).toEqual(expected(FRAMES))
    expect(read.damage).toBeNull()
  })

  test('several members are one file', async () => {
    const file = pcapFile(FRAMES)
    const read = await readBytes(concat(gzipSync(file.subarray(0, 100)), gzipSync(file.subarray(100))))
    expect(read.records).toEqual(expected(FRAMES))
  })

  const random = seeded(6)
  const many = Array.from({ length: 3000 }, (_, i) => ({
    ...frame(i, 600),
    bytes: Uint8Array.from({ length: 600 }, () => random.below(256)),
  }))
  const packed = gzipSync(pcapFile(many))

  test.each([0.1, 0.5, 0.9, 0.999])('cut after %d of its octets: nearly that share of the records is used', async (share) => {
    const read = await readBytes(packed.subarray(0, Math.floor(packed.length * share)))
    // Noise does not compress, so the share of octets is nearly the share of records.
    expect(read.records.length).toBeGreaterThan(3000 * share - 50)
    for (const [i, record] of read.records.entries()) expect(Buffer.compare(record.bytes, many[i].bytes)).toBe(0)
    expect(read.damage?.message).toMatch(/compressed stream is damaged/)
  })

  test('flipped octets in the middle: damage, not a crash', async () => {
    const bad = Uint8Array.from(packed)
    bad.fill(0xff, packed.length / 2, packed.length / 2 + 64)
    const read = await readBytes(bad)
    expect(read.damage?.message).toMatch(/compressed stream is damaged/)
    expect(read.records.length).toBeGreaterThan(1000)
  })

  test('a wrong checksum at the end is damage after all records but those of the last 16 KiB, which zlib keeps to itself', async () => {
    const bad = Uint8Array.from(packed)
    bad[bad.length - 6] ^= 1
    const read = await readBytes(bad)
    expect(read.records.length).toBeGreaterThan(3000 - (1 << 14) / 600 - 1)
    expect(read.damage?.message).toMatch(/compressed stream is damaged/)
  })

  test('leaving a packed file half read leaves nothing behind', async () => {
    const { openCapture } = await import('../../src/capture/open.ts')
    const { bytes, reader } = await openCapture(temporaryFile(packed))
    expect(await reader.next()).not.toBeNull()
    await bytes.close()
    // An unhandled rejection of the half-read stream would fail the run here.
    await new Promise((resolve) => setTimeout(resolve, 50))
  })
})

describe('standard input', () => {
  const folder = mkdtempSync(join(tmpdir(), 'flowscribe-stdin-'))
  const program = join(folder, 'read-standard-input.js')
  const root = fileURLToPath(new URL('../..', import.meta.url))

  beforeAll(() => {
    execFileSync(process.execPath, [join(root, 'src/bundle.mjs'), folder, join(root, 'test/capture/read-standard-input.ts')])
  })
  afterAll(() => {
    rmSync(folder, { recursive: true, force: true })
  })

  /** Writes `parts` to the program's standard input, one after the other, and gives back what it read. */
  async function pipe(parts: readonly Uint8Array[]): Promise<{ lens: number[]; damage: { offset: number } | null }> {
    const child = spawn(process.execPath, [program], { stdio: ['pipe', 'pipe', 'inherit'] })
    let text = ''
    child.stdout.on('data', (chunk: Buffer) => {
      text += chunk.toString()
    })
    for (const part of parts) {
      child.stdin.write(part)
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    child.stdin.end()
    await new Promise((resolve) => child.on('close', resolve))
    return JSON.parse(text) as { lens: number[]; damage: { offset: number } | null }
  }

  const file = pcapFile(FRAMES)
  const lens = FRAMES.map((f) => f.bytes.length)

  test('a pipe that gives the file in pieces of any size', async () => {
    const pieces = [0, 1, 3, 24, 30, 41, 120, 121, 900].map((at, i, all) => file.subarray(at, all[i + 1]))
    expect(await pipe(pieces)).toEqual({ lens, damage: null })
  })

  test('gzip through a pipe', async () => {
    expect(await pipe([gzipSync(file)])).toEqual({ lens, damage: null })
  })

  test('a pipe that breaks off', async () => {
    const read = await pipe([file.subarray(0, file.length - 1)])
    expect(read.lens).toEqual(lens.slice(0, 3))
    expect(read.damage?.offset).toBe(file.length - 1514 - PCAP_RECORD_HEADER_LEN)
  })
})
