/**
 * A capture file read to its end, everything copied out: what tests of capture look at.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { openCapture } from '../../src/capture/open.ts'
import type { Damage } from '../../src/capture/reader.ts'
import { type ReadRecord, recordsOf } from './records.ts'

export interface ReadCapture {
  records: ReadRecord[]
  damage: Damage | null
  slabs: number
}

export async function readCapture(path: string): Promise<ReadCapture> {
  const { bytes, reader } = await openCapture(path)
  const read: ReadCapture = { records: [], damage: null, slabs: 0 }
  try {
    for (let slab = await reader.next(); slab !== null; slab = await reader.next()) {
      read.slabs++
      read.records.push(...recordsOf(slab))
    }
    read.damage = reader.damage
  } finally {
    await bytes.close()
  }
  return read
}

/** Writes `bytes` to a file that goes when the test has ended. */
export function temporaryFile(bytes: Uint8Array, name = 'capture.pcap'): string {
  const folder = mkdtempSync(join(tmpdir(), 'flowscribe-capture-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const path = join(folder, name)
  writeFileSync(path, bytes)
  return path
}

export function readBytes(bytes: Uint8Array, name?: string): Promise<ReadCapture> {
  return readCapture(temporaryFile(bytes, name))
}
