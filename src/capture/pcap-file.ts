/**
 * Classic pcap files (draft-ietf-opsawg-pcap, and the variants that libpcap's sf-pcap.c reads).
 *
 *   file header: magic u32 | major u16 | minor u16 | zone i32 | sigfigs u32 | snaplen u32 | linktype u32
 *   record:      sec u32 | usec or nsec u32 | capLen u32 | wireLen u32 | [8 octets in the "modified" format] | frame
 *
 * In:  a Refill at the file's first octet.
 * Out: slabs: the file's own octets, each record header rewritten in place to slab form; where headers are longer than a slab's,
 *      the frames are moved together.
 * Not: sorting, and no limit from the header's snaplen, which writers get wrong; 262,144 octets is the limit of a record.
 */
import { putU32le, u16, u16le, u32, u32le } from '../base/bytes.ts'
import { RunError } from '../base/errors.ts'
import type { CaptureReader, Damage } from './reader.ts'
import type { Refill } from './refill.ts'
import { CAP_LEN_MAX, MARKER_MIN, REC_CAP_LEN, REC_HEADER_LEN, REC_NSEC, REC_SEC, REC_WIRE_LEN, type Slab } from './slab.ts'

const MAJOR = 4
const MINOR = 6
const LINK_TYPE = 20
const FILE_HEADER_LEN = 24

/** Alexey Kuznetzov's "modified" format, with interface index, protocol and packet type behind each record header. */
const MODIFIED_EXTRA_LEN = 8
/** One of his patches (ss990915) added processor numbers and kept the magic number; only the records tell (Wireshark, libpcap.c). */
const MODIFIED_SS990915_EXTRA_LEN = 12
/** Linktype's upper bits say whether and how long a frame check sequence is; it is in the frame, not in what IP says. */
const LINK_TYPE_MASK = 0x03ffffff

interface Format {
  nsPerUnit: number
  extraLen: number
}

/** Magic numbers as they read in the file's own byte order. */
const FORMATS: ReadonlyMap<number, Format> = new Map([
  [0xa1b2c3d4, { nsPerUnit: 1000, extraLen: 0 }],
  [0xa1b23c4d, { nsPerUnit: 1, extraLen: 0 }],
  [0xa1b2cd34, { nsPerUnit: 1000, extraLen: MODIFIED_EXTRA_LEN }],
  [0xa1b234cd, { nsPerUnit: 1000, extraLen: 0 }],
  [0xa12b3c4d, { nsPerUnit: 1000, extraLen: 0 }],
])

export function isPcapMagic(b: Uint8Array, at: number): boolean {
  return FORMATS.has(u32(b, at)) || FORMATS.has(u32le(b, at))
}

export class PcapFileReader implements CaptureReader {
  damage: Damage | null = null
  readonly #refill: Refill
  readonly #format: Format
  #extraLen: number
  readonly #isBigEndian: boolean
  readonly #lensSwapped: 'never' | 'always' | 'when capLen is larger'
  readonly #linkType: number
  #handedOn = 0
  #movedEnd = 0
  #wireLen = 0

  private constructor(refill: Refill) {
    this.#refill = refill
    const b = refill.bytes
    const at = refill.start
    this.#isBigEndian = FORMATS.has(u32(b, at))
    const word = this.#isBigEndian ? u32 : u32le
    const half = this.#isBigEndian ? u16 : u16le
    this.#format = FORMATS.get(word(b, at)) ?? { nsPerUnit: 1000, extraLen: 0 }
    this.#extraLen = this.#format.extraLen
    this.#lensSwapped = swappedLens(half(b, at + MAJOR), half(b, at + MINOR))
    this.#linkType = word(b, at + LINK_TYPE) & LINK_TYPE_MASK
    refill.take(FILE_HEADER_LEN)
  }

  /** @throws RunError when the file ends inside its header. */
  static async open(refill: Refill): Promise<PcapFileReader> {
    if (!(await refill.fill(FILE_HEADER_LEN))) {
      throw new RunError(
        `${refill.path}: byte ${refill.len}: the file ends inside the ${FILE_HEADER_LEN}-octet pcap header; nothing can be read from it`,
      )
    }
    const reader = new PcapFileReader(refill)
    if (reader.#extraLen === MODIFIED_EXTRA_LEN) await reader.#tellModifiedHeader()
    return reader
  }

  get offset(): number {
    return this.#refill.offset + this.#handedOn
  }

  /** The second record's header shows how long the first one's was. */
  async #tellModifiedHeader(): Promise<void> {
    const refill = this.#refill
    await refill.fill(REC_HEADER_LEN)
    if (refill.len < REC_HEADER_LEN) return
    const word = this.#isBigEndian ? u32 : u32le
    const capLen = word(refill.bytes, refill.start + REC_CAP_LEN)
    if (capLen > CAP_LEN_MAX || !(await refill.fill(2 * REC_HEADER_LEN + MODIFIED_SS990915_EXTRA_LEN + capLen))) return
    const { bytes, start } = refill
    const isHeader = (extraLen: number): boolean => {
      const at = start + REC_HEADER_LEN + extraLen + capLen
      const isTime = word(bytes, at + REC_NSEC) < US_PER_S
      return isTime && word(bytes, at + REC_CAP_LEN) <= Math.min(CAP_LEN_MAX, word(bytes, at + REC_WIRE_LEN))
    }
    if (!isHeader(MODIFIED_EXTRA_LEN) && isHeader(MODIFIED_SS990915_EXTRA_LEN)) this.#extraLen = MODIFIED_SS990915_EXTRA_LEN
  }

  async next(): Promise<Slab | null> {
    const refill = this.#refill
    refill.take(this.#handedOn)
    this.#handedOn = 0
    if (this.damage !== null) return null
    let end: number
    do {
      await refill.fillSlab()
      end = this.#extraLen === 0 ? this.#convertRecords() : this.#moveRecords()
    } while (end === refill.start && !refill.isAtEnd && this.damage === null)
    if (end === refill.start) {
      if (this.damage === null) this.#noteEnd()
      return null
    }
    this.#handedOn = end - refill.start
    const slabEnd = this.#extraLen === 0 ? end : this.#movedEnd
    return { bytes: refill.bytes, start: refill.start, end: slabEnd, linkType: this.#linkType, interfaceId: 0 }
  }

  /** Rewrites the headers of all whole records; returns where they end. */
  #convertRecords(): number {
    const { bytes: b, start, end } = this.#refill
    const word = this.#isBigEndian ? u32 : u32le
    let at = start
    while (end - at >= REC_HEADER_LEN) {
      const capLen = this.#takeLengths(b, at)
      if (capLen < 0 || end - at - REC_HEADER_LEN < capLen) break
      putHeader(b, at, word(b, at + REC_SEC), word(b, at + REC_NSEC), this.#format.nsPerUnit, capLen, this.#wireLen)
      at += REC_HEADER_LEN + capLen
    }
    return at
  }

  /** The same for records with longer headers: what is written stays behind what is still to be read. */
  #moveRecords(): number {
    const { bytes: b, start, end } = this.#refill
    const word = this.#isBigEndian ? u32 : u32le
    const headerLen = REC_HEADER_LEN + this.#extraLen
    let at = start
    let out = start
    while (end - at >= headerLen) {
      const capLen = this.#takeLengths(b, at)
      if (capLen < 0 || end - at - headerLen < capLen) break
      const sec = word(b, at + REC_SEC)
      const fraction = word(b, at + REC_NSEC)
      b.copyWithin(out + REC_HEADER_LEN, at + headerLen, at + headerLen + capLen)
      putHeader(b, out, sec, fraction, this.#format.nsPerUnit, capLen, this.#wireLen)
      at += headerLen + capLen
      out += REC_HEADER_LEN + capLen
    }
    this.#movedEnd = out
    return at
  }

  /** Returns the captured length of the record at `at` and sets #wireLen; -1 when the record is damaged. */
  #takeLengths(b: Uint8Array, at: number): number {
    const word = this.#isBigEndian ? u32 : u32le
    const first = word(b, at + REC_CAP_LEN)
    const second = word(b, at + REC_WIRE_LEN)
    const isSwapped = this.#lensSwapped === 'always' || (this.#lensSwapped === 'when capLen is larger' && first > second)
    const capLen = isSwapped ? second : first
    this.#wireLen = isSwapped ? first : second
    if (capLen <= CAP_LEN_MAX) return capLen
    this.#damaged(
      `damaged record: a captured length of ${capLen} octets, and ${CAP_LEN_MAX} is the most there can be`,
      at - this.#refill.start,
    )
    return -1
  }

  #noteEnd(): void {
    const { len, streamFault } = this.#refill
    if (len > 0) this.#damaged('the file ends inside a record')
    else if (streamFault !== null) this.#damaged('the file breaks off')
  }

  #damaged(message: string, ahead = 0): void {
    const refill = this.#refill
    this.damage = {
      path: refill.path,
      offset: refill.offset + ahead,
      message: refill.streamFault === null ? message : `${message}; ${refill.streamFault}`,
    }
  }
}

/** Before version 2.3 the two lengths stood the other way round, in 2.3 in either order (libpcap, sf-pcap.c). */
function swappedLens(major: number, minor: number): 'never' | 'always' | 'when capLen is larger' {
  if (major === 543) return 'always'
  if (major > 2 || (major === 2 && minor > 3)) return 'never'
  return major === 2 && minor === 3 ? 'when capLen is larger' : 'always'
}

const US_PER_S = 1e6
const NS_PER_S = 1e9

function putHeader(b: Uint8Array, at: number, sec: number, fraction: number, nsPerUnit: number, capLen: number, wireLen: number): void {
  const nsec = fraction * nsPerUnit
  const carry = Math.floor(nsec / NS_PER_S)
  putU32le(b, at + REC_SEC, sec + carry)
  putU32le(b, at + REC_NSEC, nsec - carry * NS_PER_S)
  putU32le(b, at + REC_CAP_LEN, capLen)
  // No frame is that long, and a file must not forge the marks of a live source.
  putU32le(b, at + REC_WIRE_LEN, Math.min(wireLen, MARKER_MIN - 1))
}
