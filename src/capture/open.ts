/**
 * Opens a capture by what its first octets are.
 *
 * In:  a path or '-'. Out: a reader of slabs and the byte source behind it.
 * Not: a guess from the file's name. What is no capture is a RunError that says what was found instead.
 */
import { RunError } from '../base/errors.ts'
import { type ByteSource, openBytes } from './byte-source.ts'
import { isPcapMagic, PcapFileReader } from './pcap-file.ts'
import type { CaptureReader } from './reader.ts'
import { Refill } from './refill.ts'

const MAGIC_LEN = 4

export interface OpenCapture {
  bytes: ByteSource
  reader: CaptureReader
}

/** @throws RunError when the file cannot be read or is no capture. */
export async function openCapture(path: string): Promise<OpenCapture> {
  const bytes = await openBytes(path)
  try {
    return { bytes, reader: await openReader(bytes) }
  } catch (error) {
    await bytes.close()
    throw error
  }
}

async function openReader(bytes: ByteSource): Promise<CaptureReader> {
  const refill = new Refill(bytes)
  const hasMagic = await refill.fill(MAGIC_LEN)
  if (refill.len === 0) {
    const why = refill.streamFault === null ? 'the file is empty' : refill.streamFault
    throw new RunError(`${bytes.path}: byte 0: ${why}; not a capture file`)
  }
  if (hasMagic && isPcapMagic(refill.bytes, refill.start)) return PcapFileReader.open(refill)
  throw new RunError(
    `${bytes.path}: byte 0: not a capture file (it starts with ${hexOf(refill.bytes.subarray(0, Math.min(refill.len, MAGIC_LEN)))}); flowscribe reads pcap files, plain or gzip-compressed`,
  )
}

function hexOf(bytes: Uint8Array): string {
  return [...bytes].map((octet) => octet.toString(16).padStart(2, '0')).join(' ')
}
