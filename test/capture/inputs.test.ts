/** Folders and several files as one stretch of time; one bad file does not lose the others. */
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { describe, expect, onTestFinished, test } from 'vitest'
import { nameFileKind } from '../../src/capture/file-kind.ts'
import { CaptureChain, expandInputs } from '../../src/capture/inputs.ts'
import { openCapture } from '../../src/capture/open.ts'
import { readAll } from './slab-records.ts'

const BASE_SEC = 1_700_000_000

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'flowscribe-inputs-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** A classic capture with one packet a second; the frame begins with its id. */
function capture(firstSec: number, ids: readonly number[]): Buffer {
  const word = (...values: number[]): Buffer => {
    const b = Buffer.alloc(values.length * 4)
    for (const [i, value] of values.entries()) b.writeUInt32LE(value, i * 4)
    return b
  }
  const records = ids.map((id, i) => word(BASE_SEC + firstSec + i, 0, 4, 4, id))
  return Buffer.concat([word(0xa1b2c3d4, 0x00040002, 0, 0, 65535, 1), ...records])
}

async function readChain(paths: readonly string[], isRecursive = false) {
  const chain = new CaptureChain(await expandInputs(paths, { isRecursive }))
  const ids = (await readAll(chain)).map((record) => record.id)
  return { ids, chain }
}

describe('inputs', () => {
  test("a folder's captures come by the time of their first packet, then by name", async () => {
    const folder = newFolder()
    writeFileSync(join(folder, 'a.pcap'), capture(20, [5, 6]))
    writeFileSync(join(folder, 'b.pcap.gz'), gzipSync(capture(0, [1, 2])))
    writeFileSync(join(folder, 'd.pcap'), capture(10, [4]))
    writeFileSync(join(folder, 'c.pcap'), capture(10, [3]))
    writeFileSync(join(folder, 'empty.pcap'), capture(0, []))
    writeFileSync(join(folder, 'README.txt'), 'what is here')
    mkdirSync(join(folder, 'sub'))
    writeFileSync(join(folder, 'sub', 'e.pcap'), capture(30, [7]))
    const { ids, chain } = await readChain([folder])
    expect(ids).toEqual([1, 2, 3, 4, 5, 6])
    expect(chain.failures).toEqual([])
    expect(chain.notes.map((note) => basename(note.split(':')[0]))).toEqual(['README.txt', 'sub'])
    expect(chain.doneBytes).toBe(chain.totalBytes)
    expect((await readChain([folder], true)).ids).toEqual([1, 2, 3, 4, 5, 6, 7])
  })

  test('files named one by one keep their order', async () => {
    const folder = newFolder()
    const [late, early] = [join(folder, 'late.pcap'), join(folder, 'early.pcap')]
    writeFileSync(late, capture(100, [1]))
    writeFileSync(early, capture(0, [2]))
    expect((await readChain([late, early])).ids).toEqual([1, 2])
  })

  test('what fails and what is damaged is said, and the rest is read', async () => {
    const folder = newFolder()
    const paths = ['missing.pcap', 'text.pcap', 'cut.pcap', 'good.pcap'].map((name) => join(folder, name))
    writeFileSync(paths[1], 'no capture at all')
    writeFileSync(paths[2], capture(0, [1, 2]).subarray(0, -2))
    writeFileSync(paths[3], capture(5, [3]))
    const { ids, chain } = await readChain(paths)
    expect(ids).toEqual([1, 3])
    expect(chain.failures.map(({ path }) => basename(path))).toEqual(['missing.pcap', 'text.pcap'])
    expect(chain.failures[0].message).toMatch(/no such file/)
    expect(chain.failures[1].message).toMatch(/this is a text file/)
    expect(chain.damages).toEqual([{ path: paths[2], offset: 44, message: 'the file ends inside a record' }])
    expect(chain.doneBytes).toBe(chain.totalBytes)
  })

  test('a folder without any capture is a failure', async () => {
    const folder = newFolder()
    writeFileSync(join(folder, 'notes.txt'), 'nothing here')
    const { chain } = await readChain([folder])
    expect(chain.failures).toEqual([{ path: folder, message: `${folder}: no capture file in this folder` }])
  })

  test.skipIf(process.getuid?.() === 0)('a capture in a folder that may not be read is a failure', async () => {
    const folder = newFolder()
    writeFileSync(join(folder, 'locked.pcap'), capture(0, [1]))
    chmodSync(join(folder, 'locked.pcap'), 0)
    const { chain } = await readChain([folder])
    expect(chain.failures).toHaveLength(1)
  })

  test('says how far it is', async () => {
    const folder = newFolder()
    const path = join(folder, 'a.pcap')
    writeFileSync(path, capture(0, [1, 2]))
    const chain = new CaptureChain(await expandInputs([path]))
    await chain.next()
    expect([chain.currentPath, chain.offset]).toEqual([path, 24 + 2 * 20])
    expect(await chain.next()).toBeNull()
    expect((await expandInputs(['-'])).files).toEqual([{ path: '-', sizeBytes: null }])
  })
})

describe('what is no capture is named', () => {
  test.each([
    ['snoop\0\0\0\x00\x00\x00\x02', /Solaris snoop/],
    ['\x7fELF\x02\x01\x01', /a program \(ELF\)/],
    ['<!DOCTYPE html><html>', /an HTML page/],
    ['<?xml version="1.0"?>', /an XML text/],
    ['{"flow": 1}', /a JSON text/],
    ['Flow ID,Src IP,Src Port', /a text file/],
    ['\x1f\x8b\x08\x00', /gzip inside gzip/],
    ['PK\x03\x04', /zip archive/],
    ['\xfd7zXZ\0', /xz -d/],
    ['GMBU\x00\x02', /Network Monitor 2/],
    [`${'x\0'.repeat(128)}\0ustar`, /tar archive/],
    ['\x01\x00\x00\x00\x00\xf1\x53\x65\x02\x04\x00\x50\x00\x00\x00\x40', /ERF/],
    ['\x00\x01\x02\x03', /^$/],
  ])('%j', (text, name) => {
    const b = Uint8Array.from(text, (c) => c.charCodeAt(0))
    expect(nameFileKind(b, 0, b.length)).toMatch(name)
  })

  test('in the message, with what can be read', async () => {
    const path = join(newFolder(), 'twice.pcap.gz')
    writeFileSync(path, gzipSync(gzipSync(capture(0, [1]))))
    await expect(openCapture(path)).rejects.toThrow(/this is gzip inside gzip; unpack it once\); flowscribe reads pcap and pcapng files/)
  })
})

describe('modified pcap', () => {
  test.each([8, 12])('%i octets behind each record header, told by the second record', async (extraLen) => {
    const path = join(newFolder(), 'modified.pcap')
    const plain = capture(0, [1, 2, 3])
    plain.writeUInt32LE(0xa1b2cd34, 0)
    const parts = [plain.subarray(0, 24)]
    for (let at = 24; at < plain.length; at += 20)
      parts.push(plain.subarray(at, at + 16), Buffer.alloc(extraLen, 0xaa), plain.subarray(at + 16, at + 20))
    writeFileSync(path, Buffer.concat(parts))
    const { reader, bytes } = await openCapture(path)
    expect((await readAll(reader)).map(({ id, len }) => [id, len])).toEqual([
      [1, 4],
      [2, 4],
      [3, 4],
    ])
    expect(reader.damage).toBeNull()
    await bytes.close()
  })
})
