/** pcapng: blocks built by hand, hostile ones included, and files that Wireshark's tools wrote, compared with tshark. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { u32le } from '../../src/base/bytes.ts'
import { openCapture } from '../../src/capture/open.ts'
import { PcapngFileReader } from '../../src/capture/pcapng-file.ts'
import { PcapngClock } from '../../src/capture/pcapng-time.ts'
import type { Damage } from '../../src/capture/reader.ts'

const folder = mkdtempSync(join(tmpdir(), 'flowscribe-pcapng-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

interface Read {
  /** sec.nsec capLen/wireLen linkType interface first octet */
  packets: string[]
  damage: Damage | null
  clamped: number
}

async function read(bytes: Uint8Array): Promise<Read> {
  const path = join(folder, 'hand.pcapng')
  writeFileSync(path, bytes)
  const capture = await openCapture(path)
  const packets: string[] = []
  for (let slab = await capture.reader.next(); slab !== null; slab = await capture.reader.next()) {
    const { bytes: b, start, end, linkType, interfaceId } = slab
    for (let at = start; at < end; at += 16 + u32le(b, at + 8)) {
      const nsec = String(u32le(b, at + 4)).padStart(9, '0')
      const octet = u32le(b, at + 8) > 0 ? b[at + 16] : '-'
      packets.push(`${u32le(b, at)}.${nsec} ${u32le(b, at + 8)}/${u32le(b, at + 12)} ${linkType} ${interfaceId} ${octet}`)
    }
  }
  await capture.bytes.close()
  const { reader } = capture
  return { packets, damage: reader.damage, clamped: reader instanceof PcapngFileReader ? reader.timesClamped : 0 }
}

class Blocks {
  readonly #isBigEndian: boolean
  readonly #parts: Uint8Array[] = []

  constructor(isBigEndian = false) {
    this.#isBigEndian = isBigEndian
  }

  words(...values: readonly (number | Uint8Array)[]): Uint8Array {
    const parts = values.map((value) => {
      if (typeof value !== 'number') return value
      const b = Buffer.alloc(4)
      if (this.#isBigEndian) b.writeUInt32BE(value >>> 0)
      else b.writeUInt32LE(value >>> 0)
      return b
    })
    return Buffer.concat(parts)
  }

  /** Two 16-bit fields. */
  halves(a: number, b: number): number {
    return this.#isBigEndian ? ((a << 16) | b) >>> 0 : ((b << 16) | a) >>> 0
  }

  block(type: number, body: Uint8Array, lens?: { first?: number; last?: number }): this {
    const padded = Buffer.concat([body, Buffer.alloc((4 - (body.length % 4)) % 4)])
    const len = 12 + padded.length
    this.#parts.push(this.words(type, lens?.first ?? len, padded, lens?.last ?? len))
    return this
  }

  section(major = 1): this {
    return this.block(0x0a0d0d0a, this.words(0x1a2b3c4d, this.halves(major, 0), 0xffffffff, 0xffffffff))
  }

  interface(linkType: number, snapLen = 0, options: Uint8Array = new Uint8Array(0)): this {
    return this.block(1, this.words(this.halves(linkType, 0), snapLen, options))
  }

  tsresol(value: number): Uint8Array {
    return this.words(this.halves(9, 1), Buffer.from([value, 0, 0, 0]))
  }

  tsoffset(high: number, low: number): Uint8Array {
    return this.words(this.halves(14, 8), ...(this.#isBigEndian ? [high, low] : [low, high]))
  }

  enhanced(id: number, high: number, low: number, frame: Uint8Array, fields: { capLen?: number; wireLen?: number } = {}): this {
    return this.block(6, this.words(id, high, low, fields.capLen ?? frame.length, fields.wireLen ?? frame.length, frame))
  }

  simple(wireLen: number, frame: Uint8Array): this {
    return this.block(3, this.words(wireLen, frame))
  }

  obsolete(id: number, high: number, low: number, frame: Uint8Array): this {
    return this.block(2, this.words(this.halves(id, 0xffff), high, low, frame.length, frame.length, frame))
  }

  bytes(...more: readonly Blocks[]): Uint8Array {
    return Buffer.concat([...this.#parts, ...more.map((blocks) => blocks.bytes())])
  }
}

const frame = (octet: number, len = 6): Uint8Array => new Uint8Array(len).fill(octet)
/** 1,700,000,000.123456 s in microseconds, in two halves. */
const HIGH = 395812
const LOW = 1_700_000_000_123_456 - HIGH * 2 ** 32

describe('pcapng', () => {
  test.each([false, true])('packet blocks of all three kinds, big-endian %s', async (isBigEndian) => {
    const file = new Blocks(isBigEndian).section().interface(1, 4).interface(101)
    file.enhanced(0, HIGH, LOW, frame(1)).enhanced(1, HIGH, LOW + 1, frame(2, 7), { wireLen: 99 })
    file.obsolete(1, HIGH, LOW + 2, frame(3)).simple(9, frame(4, 4))
    expect(await read(file.bytes())).toEqual({
      packets: [
        '1700000000.123456000 6/6 1 0 1',
        '1700000000.123457000 7/99 101 1 2',
        '1700000000.123458000 6/6 101 1 3',
        '1700000000.123458000 4/9 1 0 4',
      ],
      damage: null,
      clamped: 0,
    })
  })

  test('sections of either byte order, each with its own interfaces', async () => {
    const first = new Blocks().section().interface(1).enhanced(0, HIGH, LOW, frame(1))
    const second = new Blocks(true).section().interface(113).interface(101).enhanced(1, HIGH, LOW, frame(2))
    expect((await read(first.bytes(second, first))).packets).toEqual([
      '1700000000.123456000 6/6 1 0 1',
      '1700000000.123456000 6/6 101 2 2',
      '1700000000.123456000 6/6 1 3 1',
    ])
  })

  test('a simple packet before any time takes 0', async () => {
    expect((await read(new Blocks().section().interface(1).simple(6, frame(1)).bytes())).packets).toEqual(['0.000000000 6/6 1 0 1'])
  })

  test('unknown and statistics blocks are passed over, however long', async () => {
    const file = new Blocks().section().interface(1).block(0xbad, new Uint8Array(3_000_000)).block(5, new Uint8Array(12))
    expect((await read(file.enhanced(0, HIGH, LOW, frame(1)).bytes())).packets).toHaveLength(1)
  })

  test('more packets than a buffer holds, of two interfaces in turn', async () => {
    const file = new Blocks().section().interface(1).interface(1)
    for (let i = 0; i < 3000; i++) file.enhanced(i & 1, HIGH, LOW + i, frame(i & 255, 1400))
    const { packets, damage } = await read(file.bytes())
    expect(damage).toBeNull()
    expect(packets).toHaveLength(3000)
    for (const [i, packet] of packets.entries()) expect(packet.endsWith(`1400/1400 1 ${i & 1} ${i & 255}`)).toBe(true)
  })

  const start = (): Blocks => new Blocks().section().interface(1).enhanced(0, HIGH, LOW, frame(1))
  /** Where the block behind those of `start` begins. */
  const NEXT = 28 + 20 + 40
  test.each([
    ['two lengths that differ', start().block(6, new Uint8Array(32), { last: 48 }), NEXT, /44 octets by its first length field, 48/],
    ['a length under 12', start().block(6, new Uint8Array(32), { first: 8 }), NEXT, /length of 8 octets/],
    ['a length that is no multiple of 4', start().block(6, new Uint8Array(32), { first: 45 }), NEXT, /length of 45 octets/],
    ['a packet block longer than any', start().block(6, new Uint8Array(2_000_000)), NEXT, /longer than any block/],
    ['a captured length beyond the block', start().enhanced(0, HIGH, LOW, frame(2), { capLen: 9 }), NEXT, /captured length of 9 octets/],
    ['an interface that is not described', start().enhanced(1, HIGH, LOW, frame(2)), NEXT, /interface 1, which no block/],
    ['a simple packet beyond its block', start().simple(99, frame(2)), NEXT, /captured length of 99/],
    ['a simple packet without interface', new Blocks().section().simple(6, frame(2)), 28, /before any interface/],
    ['an interface block too short', start().block(1, new Uint8Array(4)), NEXT, /damaged interface block/],
    ['a packet block too short', start().block(6, new Uint8Array(12)), NEXT, /damaged packet block: a length of 24/],
    ['a later section without byte order', start().block(0x0a0d0d0a, new Uint8Array(16)), NEXT, /no byte-order magic/],
    ['a later section of version 2', start().section(2), NEXT, /version 2/],
  ])('%s: damage at its offset, the packets before it kept', async (_, file, offset, message) => {
    const { packets, damage } = await read(file.bytes())
    expect(packets).toHaveLength(offset === NEXT ? 1 : 0)
    expect(damage).toMatchObject({ offset, message: expect.stringMatching(message) as unknown })
  })

  test('cut at any octet: whole packets, and damage unless it is a block border', async () => {
    const whole = start().block(4, new Uint8Array(8)).enhanced(0, HIGH, LOW, frame(2)).bytes()
    const borders = new Set([28, 48, 88, 108, 148])
    for (let len = 28; len <= whole.length; len++) {
      const { packets, damage } = await read(whole.subarray(0, len))
      expect(packets).toHaveLength(len >= 148 ? 2 : len >= 88 ? 1 : 0)
      expect(damage === null, `cut at ${len}`).toBe(borders.has(len))
    }
  })

  test.each([
    ['no section header that can be read', Buffer.concat([Buffer.from('0a0d0d0a', 'hex'), Buffer.alloc(40)]), /byte 0: damaged section/],
    ['a section header cut short', Buffer.from('0a0d0d0a1c000000', 'hex'), /byte 8: the file ends inside its pcapng section header/],
  ])('%s is a failure', async (_, bytes, message) => {
    await expect(read(bytes)).rejects.toThrow(message)
  })

  test('octets changed at random: an end, never a fault of ours', async () => {
    const whole = start().interface(101, 40, new Blocks().tsresol(9)).enhanced(1, HIGH, LOW, frame(2)).simple(6, frame(3)).bytes()
    for (let at = 8; at < whole.length; at++) {
      for (const octet of [0, 1, 0x7f, 0xff]) {
        const bytes = whole.slice()
        bytes[at] = octet
        await read(bytes).catch((error: Error) => expect(error.name).toBe('RunError'))
      }
    }
  })
})

describe('pcapng times', () => {
  const options = (...parts: Uint8Array[]): Uint8Array => Buffer.concat(parts)
  const o = new Blocks()
  test.each([
    ['nanoseconds', o.tsresol(9), 0x17979cfe, 0x3d85ca15, 1_700_000_000, 123_456_021],
    ['seconds', o.tsresol(0), 0, 1_700_000_000, 1_700_000_000, 0],
    ['picoseconds', o.tsresol(12), 0, 1_500_000_001, 0, 1_500_000],
    ['2^-20 s', o.tsresol(0x94), 0, (5 << 20) + (1 << 19), 5, 500_000_000],
    ['2^-32 s', o.tsresol(0xa0), 7, 0x40000000, 7, 250_000_000],
    ['2^-40 s', o.tsresol(0xa8), 0x700, 0x80, 7, 0],
    ['2^-63 s', o.tsresol(0xbf), 0xc0000000, 0, 1, 500_000_000],
    ['an offset', o.tsoffset(0, 100), 0, 1_000_001, 101, 1000],
    ['a negative offset', options(o.tsresol(0), o.tsoffset(0xffffffff, 0xfffffff6)), 0, 60, 50, 0],
  ])('in %s', async (_, interfaceOptions, high, low, sec, nsec) => {
    const file = new Blocks().section().interface(1, 0, interfaceOptions).enhanced(0, high, low, frame(1))
    const { packets, clamped } = await read(file.bytes())
    expect(packets[0]?.split(' ')[0]).toBe(`${sec}.${String(nsec).padStart(9, '0')}`)
    expect(clamped).toBe(0)
  })

  test('what a slab cannot hold is clamped and counted', async () => {
    const before = new Blocks().section().interface(1, 0, o.tsoffset(0xffffffff, 0)).enhanced(0, 0, 0, frame(1))
    const after = new Blocks().section().interface(1, 0, o.tsresol(0)).enhanced(0, 9, 0, frame(1))
    const { packets, clamped } = await read(before.bytes(after))
    expect(packets.map((packet) => packet.split(' ')[0])).toEqual(['0.000000000', '4294967295.000000000'])
    expect(clamped).toBe(2)
  })

  test('decimal units are divided exactly, as BigInt divides them', () => {
    for (const digits of [0, 3, 6, 7, 9, 10, 12, 15, 19]) {
      const clock = new PcapngClock()
      clock.setResolution(digits)
      for (const [high, low] of [
        [0, 1],
        [395812, 3_000_000_000],
        [0x17979cfe, 0xffffffff],
        [0xffffffff, 0xfffffffe],
      ]) {
        clock.read(high, low)
        const count = (BigInt(high) << 32n) | BigInt(low)
        const unit = 10n ** BigInt(digits)
        const sec = count / unit
        expect(clock.sec).toBe(Number(sec > 0xffffffffn ? 0xffffffffn : sec))
        expect(clock.nsec).toBe(Number(((count % unit) * 1_000_000_000n) / unit))
      }
    }
  })
})

const hasTools = ['tshark', 'editcap', 'mergecap'].every((tool) => spawnSync(tool, ['--version']).status === 0)

describe.skipIf(!hasTools)("files that Wireshark's tools wrote", () => {
  function run(tool: string, ...args: string[]): string {
    const result = spawnSync(tool, args, { encoding: 'utf8' })
    expect(result.status, result.stderr).toBe(0)
    return result.stdout
  }

  /** A classic file to start from: frames of all lengths, µs apart. */
  function classic(name: string, linkType: number, startSec: number): string {
    const parts: Buffer[] = []
    const word = (...values: number[]): Buffer => {
      const b = Buffer.alloc(values.length * 4)
      for (const [i, value] of values.entries()) b.writeUInt32LE(value, i * 4)
      return b
    }
    parts.push(word(0xa1b2c3d4, 0x00040002, 0, 0, 262144, linkType))
    for (let i = 0; i < 200; i++) parts.push(word(startSec + (i >> 3), (i * 4321) % 1_000_000, 60 + i, 60 + i), Buffer.alloc(60 + i, i))
    const path = join(folder, name)
    writeFileSync(path, Buffer.concat(parts))
    return path
  }

  async function compare(path: string): Promise<void> {
    const capture = await openCapture(path)
    let ours = ''
    for (let slab = await capture.reader.next(); slab !== null; slab = await capture.reader.next()) {
      const { bytes: b, start, end } = slab
      for (let at = start; at < end; at += 16 + u32le(b, at + 8))
        ours += `${u32le(b, at)}.${String(u32le(b, at + 4)).padStart(9, '0')}\t${u32le(b, at + 12)}\t${u32le(b, at + 8)}\n`
    }
    await capture.bytes.close()
    expect(capture.reader.damage).toBeNull()
    expect(ours).toBe(run('tshark', '-r', path, '-T', 'fields', '-e', 'frame.time_epoch', '-e', 'frame.len', '-e', 'frame.cap_len'))
  }

  test('editcap: as pcapng, cut short, and moved in time', async () => {
    const path = join(folder, 'cut.pcapng')
    run('editcap', '-F', 'pcapng', '-s', '80', '-t', '0.000000123', classic('a.pcap', 1, 1_700_000_000), path)
    await compare(path)
  })

  test('mergecap: two link types, two interfaces', async () => {
    const path = join(folder, 'merged.pcapng')
    run('mergecap', '-w', path, classic('b.pcap', 1, 1_700_000_000), classic('c.pcap', 101, 1_700_000_003))
    await compare(path)
  })

  test('two files joined end to end are two sections', async () => {
    const one = join(folder, 'one.pcapng')
    run('editcap', '-F', 'pcapng', classic('d.pcap', 1, 1_700_000_000), one)
    const both = join(folder, 'both.pcapng')
    spawnSync('sh', ['-c', 'cat "$0" "$0" > "$1"', one, both])
    await compare(both)
  })
})
