/**
 * Opens a capture by what its first octets are.
 *
 * In:  a path or '-'. Out: a reader of slabs and the byte source behind it.
 * Not: a guess from the file's name. What is no capture is a RunError that says what was found instead.
 */
import { RunError } from '../base/errors.ts'
import { type ByteSource, openBytes } from './byte-source.ts'
import { KIND_LEN, nameFileKind } from './file-kind.ts'
import { isPcapMagic, PcapFileReader } from './pcap-file.ts'
import { isPcapngMagic, PcapngFileReader } from './pcapng-file.ts'
import type { CaptureReader } from './reader.ts'
import { Refill } from './refill.ts'

const MAGIC_LEN = 4

export interface OpenCapture {
  bytes: ByteSource
  reader: CaptureReader
}

/** The file can be read and is something else: in a folder it is passed over, named on the command line it is a failure. */
export class NotACapture extends RunError {}

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
    throw new NotACapture(`${bytes.path}: byte 0: ${why}; not a capture file`)
  }
  if (hasMagic && isPcapMagic(refill.bytes, refill.start)) return PcapFileReader.open(refill)
  if (hasMagic && isPcapngMagic(refill.bytes, refill.start)) return PcapngFileReader.open(refill)
  await refill.fill(KIND_LEN)
  const kind = nameFileKind(refill.bytes, refill.start, refill.len)
  const found = kind === '' ? `it starts with ${hexOf(refill.bytes.subarray(0, Math.min(refill.len, MAGIC_LEN)))}` : `this is ${kind}`
  throw new NotACapture(
    `${bytes.path}: byte 0: not a capture file (${found}); flowscribe reads pcap and pcapng files, plain or compressed with gzip or zstd`,
  )
}

function hexOf(bytes: Uint8Array): string {
  return [...bytes].map((octet) => octet.toString(16).padStart(2, '0')).join(' ')
}
