/**
 * Frames as capture files and slabs, made in memory.
 *
 * In:  frames with a time. Out: octets of a classic pcap file of any variant, or slabs as a reader hands them on.
 */

import { u32le } from '../../src/base/bytes.ts'
import { REC_CAP_LEN, REC_HEADER_LEN, REC_NSEC, REC_SEC, REC_WIRE_LEN, type Slab } from '../../src/capture/slab.ts'
import { concat } from '../base/hex.ts'

export interface Frame {
  sec: number
  nsec: number
  bytes: Uint8Array
  /** Octets on the wire; absent: all were captured. */
  wireLen?: number
}

export interface PcapForm {
  magic: number
  isBigEndian: boolean
  version: readonly [number, number]
  linkType: number
  /** Nanoseconds of one unit of the record's fraction. */
  nsPerUnit: number
  /** Octets between a record's header and its frame. */
  extraLen: number
  /** The wire length stands before the captured length. */
  areLensSwapped: boolean
}

export const MICRO: PcapForm = {
  magic: 0xa1b2c3d4,
  isBigEndian: false,
  version: [2, 4],
  linkType: 1,
  nsPerUnit: 1000,
  extraLen: 0,
  areLensSwapped: false,
}

export const PCAP_HEADER_LEN = 24
export const PCAP_RECORD_HEADER_LEN = 16

export function pcapHeader(form: PcapForm): Uint8Array {
  const bytes = new Uint8Array(PCAP_HEADER_LEN)
  const view = new DataView(bytes.buffer)
  const little = !form.isBigEndian
  view.setUint32(0, form.magic, little)
  view.setUint16(4, form.version[0], little)
  view.setUint16(6, form.version[1], little)
  view.setUint32(16, 65_535, little)
  view.setUint32(20, form.linkType, little)
  return bytes
}

/** A record with any numbers in its header, for faults that no writer makes on purpose. */
export function pcapRecord(form: PcapForm, sec: number, fraction: number, capLen: number, wireLen: number, frame: Uint8Array): Uint8Array {
  const header = new Uint8Array(PCAP_RECORD_HEADER_LEN + form.extraLen).fill(0xee)
  const view = new DataView(header.buffer)
  const little = !form.isBigEndian
  view.setUint32(0, sec, little)
  view.setUint32(4, fraction, little)
  view.setUint32(8, form.areLensSwapped ? wireLen : capLen, little)
  view.setUint32(12, form.areLensSwapped ? capLen : wireLen, little)
  return concat(header, frame)
}

export function pcapFile(frames: readonly Frame[], changes: Partial<PcapForm> = {}): Uint8Array {
  const form = { ...MICRO, ...changes }
  return concat(
    pcapHeader(form),
    ...frames.map(({ sec, nsec, bytes, wireLen }) =>
      pcapRecord(form, sec, nsec / form.nsPerUnit, bytes.length, wireLen ?? bytes.length, bytes),
    ),
  )
}

/** One record as it lies in a slab. */
export function slabRecord({ sec, nsec, bytes, wireLen }: Frame): Uint8Array {
  const record = new Uint8Array(16 + bytes.length)
  const view = new DataView(record.buffer)
  view.setUint32(0, sec, true)
  view.setUint32(4, nsec, true)
  view.setUint32(8, bytes.length, true)
  view.setUint32(12, wireLen ?? bytes.length, true)
  record.set(bytes, 16)
  return record
}

/** @param framesPerSlab how many frames a slab holds at most; absent: all in one */
export function slabsOf(frames: readonly Frame[], linkType = 1, framesPerSlab = frames.length): Slab[] {
  const slabs: Slab[] = []
  for (let i = 0; i < frames.length; i += framesPerSlab) {
    const bytes = concat(...frames.slice(i, i + framesPerSlab).map(slabRecord))
    slabs.push({ bytes, start: 0, end: bytes.length, linkType, interfaceId: 0 })
  }
  return slabs
}

export interface ReadRecord {
  sec: number
  nsec: number
  capLen: number
  wireLen: number
  linkType: number
  interfaceId: number
  bytes: Uint8Array
}

/** The records of a slab, copied out. */
export function recordsOf(slab: Slab): ReadRecord[] {
  const records: ReadRecord[] = []
  const { bytes: b, linkType, interfaceId } = slab
  let at = slab.start
  while (at < slab.end) {
    const capLen = u32le(b, at + REC_CAP_LEN)
    const end = at + REC_HEADER_LEN + capLen
    if (end > slab.end) throw new Error(`a record ends at ${end}, its slab at ${slab.end}`)
    records.push({
      sec: u32le(b, at + REC_SEC),
      nsec: u32le(b, at + REC_NSEC),
      capLen,
      wireLen: u32le(b, at + REC_WIRE_LEN),
      linkType,
      interfaceId,
      bytes: b.slice(at + REC_HEADER_LEN, end),
    })
    at = end
  }
  return records
}
