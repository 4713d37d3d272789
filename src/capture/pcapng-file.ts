/**
 * pcapng files (draft-ietf-opsawg-pcapng).
 *
 *   block:            type u32 | total length u32 | body, padded to 4 octets | total length u32
 *   section header:   … | 1a2b3c4d | major u16 | minor u16 | section length i64 | options
 *   interface:        … | linktype u16 | reserved u16 | snaplen u32 | options (if_tsresol 9, if_tsoffset 14)
 *   enhanced packet:  … | interface u32 | time high u32 | time low u32 | capLen u32 | wireLen u32 | frame | options
 *   simple packet:    … | wireLen u32 | frame                 (no time; as much of the frame as the first interface's snaplen)
 *   packet, obsolete: … | interface u16 | drops u16 | time high u32 | time low u32 | capLen u32 | wireLen u32 | frame | options
 *
 * In:  a Refill at the file's first octet. Sections may differ in byte order and follow one another; their length field is not used.
 * Out: slabs of one interface each. Frames are moved together in the buffer that they were read into: a record is never longer than
 *      its block, so what is written stays behind what is still to be read.
 *      Interface statistics become ticks and loss records (pcapng-statistics.ts).
 * Not: name resolution, decryption secrets and other blocks: skipped by their length, however long.
 */
import { putU32le, u16, u16le, u32, u32le } from '../base/bytes.ts'
import { RunError } from '../base/errors.ts'
import { missingPackets, takeStatistics } from './pcapng-statistics.ts'
import { PcapngClock } from './pcapng-time.ts'
import type { CaptureReader, Damage } from './reader.ts'
import { BUFFER_LEN, type Refill } from './refill.ts'
import { CAP_LEN_MAX, MARKER_MIN, REC_CAP_LEN, REC_HEADER_LEN, REC_NSEC, REC_SEC, REC_WIRE_LEN, type Slab } from './slab.ts'

const SECTION_HEADER = 0x0a0d0d0a
const INTERFACE = 1
const PACKET_OBSOLETE = 2
const SIMPLE_PACKET = 3
const STATISTICS = 5
const ENHANCED_PACKET = 6

const BLOCK_LEN = 4
/** Type and both lengths. */
const BLOCK_LEN_MIN = 12

const BYTE_ORDER = 8
const BYTE_ORDER_MAGIC = 0x1a2b3c4d
const MAJOR = 12
const SECTION_LEN_MIN = 28
const MAJOR_READ = 1

const LINK_TYPE = 8
const SNAP_LEN = 12
const INTERFACE_LEN_MIN = 20
const INTERFACE_OPTIONS = 16
const INTERFACES_MAX = 65_536
const OPTION_END = 0
const OPTION_TSRESOL = 9
const OPTION_TSOFFSET = 14

const INTERFACE_ID = 8
const TIME_HIGH = 12
const TIME_LOW = 16
const CAP_LEN = 20
const WIRE_LEN = 24
const FRAME = 28

const STATISTICS_LEN_MIN = 24
const SIMPLE_WIRE_LEN = 8
const SIMPLE_FRAME = 12

const U32 = 2 ** 32

interface Interface {
  /** Counted over all sections of the file. */
  id: number
  linkType: number
  /** 0 for no limit. */
  snapLen: number
  clock: PcapngClock
}

export function isPcapngMagic(b: Uint8Array, at: number): boolean {
  return u32(b, at) === SECTION_HEADER
}

export class PcapngFileReader implements CaptureReader {
  damage: Damage | null = null
  /** Packets whose time is before 1970 or after 2106. */
  timesClamped = 0
  /** Interface statistics blocks: ticks and losses where they hold any. */
  statisticsBlocks = 0
  /** Packets that the run saw which this is the recording of, and which are not in it. */
  missingPackets = 0
  readonly #refill: Refill
  #isBigEndian = false
  #interfaces: Interface[] = []
  #interfacesBefore = 0
  #sec = 0
  #nsec = 0
  /** Octets of the buffer that the last slab used up. */
  #handedOn = 0
  /** Octets of a block longer than the buffer that are still to be passed over. */
  #toSkip = 0
  // The slab at hand: where its next record goes, and the interface of all its records.
  #out = 0
  #slabInterface: Interface | null = null

  private constructor(refill: Refill) {
    this.#refill = refill
  }

  /** @throws RunError when the file does not begin with a section header that can be read. */
  static async open(refill: Refill): Promise<PcapngFileReader> {
    const reader = new PcapngFileReader(refill)
    if (!(await refill.fill(SECTION_LEN_MIN))) {
      throw new RunError(`${refill.path}: byte ${refill.len}: the file ends inside its pcapng section header; nothing can be read from it`)
    }
    const fault = sectionFault(refill.bytes, refill.start)
    if (fault !== '') throw new RunError(`${refill.path}: byte 0: ${fault}`)
    return reader
  }

  get offset(): number {
    return this.#refill.offset + this.#handedOn
  }

  async next(): Promise<Slab | null> {
    const refill = this.#refill
    refill.take(this.#handedOn)
    this.#handedOn = 0
    while (this.damage === null) {
      const end = this.#readBlocks()
      if (this.#slabInterface !== null) return this.#handOn(end, this.#slabInterface)
      refill.take(end - refill.start)
      if (this.damage !== null) break
      if (refill.isAtEnd) {
        this.#noteEnd()
        break
      }
      if (refill.len >= BUFFER_LEN) this.#damaged('damaged block: longer than any block of its type may be', refill.start)
      else await refill.fillSlab()
    }
    return null
  }

  #handOn(end: number, { id, linkType }: Interface): Slab {
    const { start } = this.#refill
    this.#handedOn = end - start
    this.#slabInterface = null
    return { bytes: this.#refill.bytes, start, end: this.#out, linkType, interfaceId: id }
  }

  /** Reads whole blocks until the buffer's end, damage, or a packet of another interface than those before it; returns where it stopped. */
  #readBlocks(): number {
    const { bytes: b, start, end } = this.#refill
    let at = start + this.#skipRest(end - start)
    this.#out = start
    while (end - at >= BLOCK_LEN_MIN) {
      if (u32(b, at) === SECTION_HEADER && !this.#startSection(b, at, end)) break
      const word = this.#isBigEndian ? u32 : u32le
      const type = word(b, at)
      const len = word(b, at + BLOCK_LEN)
      if (len < BLOCK_LEN_MIN || (len & 3) !== 0) {
        this.#damaged(`damaged block: a length of ${len} octets`, at)
        break
      }
      if (end - at < len) {
        if (isRead(type)) break
        // The rest of a long block that is of no use may come in any number of pieces.
        this.#toSkip = len - (end - at)
        return end
      }
      if (word(b, at + len - 4) !== len) {
        this.#damaged(`damaged block: ${len} octets by its first length field, ${word(b, at + len - 4)} by its last`, at)
        break
      }
      if (!this.#readBlock(type, at, len)) break
      at += len
    }
    return at
  }

  #skipRest(len: number): number {
    const skipped = Math.min(this.#toSkip, len)
    this.#toSkip -= skipped
    return skipped
  }

  /** False: stop here, because of damage or because a slab must be handed on first. */
  #readBlock(type: number, at: number, len: number): boolean {
    switch (type) {
      case INTERFACE:
        return this.#readInterface(at, len)
      case ENHANCED_PACKET:
      case PACKET_OBSOLETE:
        return this.#readPacket(at, len, type === PACKET_OBSOLETE)
      case SIMPLE_PACKET:
        return this.#readSimplePacket(at, len)
      case STATISTICS:
        return this.#readStatistics(at, len)
      default:
        return true
    }
  }

  /** In: a section header's first octets. Sets the byte order; false when it cannot be read (yet). */
  #startSection(b: Uint8Array, at: number, end: number): boolean {
    if (end - at < SECTION_LEN_MIN) return false
    const fault = sectionFault(b, at)
    if (fault !== '') {
      this.#damaged(fault, at)
      return false
    }
    this.#isBigEndian = u32(b, at + BYTE_ORDER) === BYTE_ORDER_MAGIC
    this.#interfacesBefore += this.#interfaces.length
    this.#interfaces = []
    return true
  }

  #readInterface(at: number, len: number): boolean {
    if (len < INTERFACE_LEN_MIN) return this.#damaged(`damaged interface block: a length of ${len} octets`, at)
    if (this.#interfaces.length === INTERFACES_MAX) return this.#damaged(`more than ${INTERFACES_MAX} interfaces in a section`, at)
    const b = this.#refill.bytes
    const half = this.#isBigEndian ? u16 : u16le
    const word = this.#isBigEndian ? u32 : u32le
    const clock = new PcapngClock()
    const optionsEnd = at + len - 4
    for (let option = at + INTERFACE_OPTIONS; optionsEnd - option >= 4; ) {
      const code = half(b, option)
      const optionLen = half(b, option + 2)
      const value = option + 4
      if (code === OPTION_END || optionsEnd - value < optionLen) break
      if (code === OPTION_TSRESOL && optionLen >= 1) clock.setResolution(b[value])
      if (code === OPTION_TSOFFSET && optionLen >= 8) clock.offsetSec = this.#signed64(value)
      option = value + ((optionLen + 3) & ~3)
    }
    const id = this.#interfacesBefore + this.#interfaces.length
    this.#interfaces.push({ id, linkType: half(b, at + LINK_TYPE), snapLen: word(b, at + SNAP_LEN), clock })
    return true
  }

  #signed64(at: number): number {
    const b = this.#refill.bytes
    const first = this.#isBigEndian ? u32(b, at) : u32le(b, at)
    const second = this.#isBigEndian ? u32(b, at + 4) : u32le(b, at + 4)
    const high = this.#isBigEndian ? first : second
    const low = this.#isBigEndian ? second : first
    return (high | 0) * U32 + low
  }

  #readPacket(at: number, len: number, isObsolete: boolean): boolean {
    const b = this.#refill.bytes
    const word = this.#isBigEndian ? u32 : u32le
    if (len < FRAME + 4) return this.#damaged(`damaged packet block: a length of ${len} octets`, at)
    const index = isObsolete ? (this.#isBigEndian ? u16 : u16le)(b, at + INTERFACE_ID) : word(b, at + INTERFACE_ID)
    const capLen = word(b, at + CAP_LEN)
    if (index >= this.#interfaces.length) return this.#damaged(`a packet of interface ${index}, which no block before it describes`, at)
    if (capLen > len - FRAME - 4 || capLen > CAP_LEN_MAX)
      return this.#damaged(`damaged packet block: a captured length of ${capLen} octets in a block of ${len}`, at)
    const source = this.#interfaces[index]
    if (this.#slabInterface !== null && this.#slabInterface !== source) return false
    source.clock.read(word(b, at + TIME_HIGH), word(b, at + TIME_LOW))
    if (source.clock.isClamped) this.timesClamped++
    this.#sec = source.clock.sec
    this.#nsec = source.clock.nsec
    this.#putRecord(source, at + FRAME, capLen, word(b, at + WIRE_LEN))
    return true
  }

  /** A recording's tick or losses, in their place among the packets. */
  #readStatistics(at: number, len: number): boolean {
    const b = this.#refill.bytes
    const word = this.#isBigEndian ? u32 : u32le
    const source = len < STATISTICS_LEN_MIN ? undefined : this.#interfaces[word(b, at + INTERFACE_ID)]
    if (source === undefined) return true
    if (this.#slabInterface !== null && this.#slabInterface !== source) return false
    this.statisticsBlocks++
    source.clock.read(word(b, at + TIME_HIGH), word(b, at + TIME_LOW))
    const recordLen = takeStatistics(b, at, len, this.#isBigEndian, source.clock, this.#out)
    if (recordLen === 0) this.missingPackets = Math.max(this.missingPackets, missingPackets(b, at, len, this.#isBigEndian))
    this.#out += recordLen
    if (recordLen > 0) this.#slabInterface = source
    return true
  }

  /** Of the first interface, and without a time: it takes that of the packet before it. */
  #readSimplePacket(at: number, len: number): boolean {
    if (this.#interfaces.length === 0) return this.#damaged('a simple packet block before any interface block', at)
    const source = this.#interfaces[0]
    if (this.#slabInterface !== null && this.#slabInterface !== source) return false
    const b = this.#refill.bytes
    const room = len - SIMPLE_FRAME - 4
    const wireLen = room < 0 ? 0 : this.#isBigEndian ? u32(b, at + SIMPLE_WIRE_LEN) : u32le(b, at + SIMPLE_WIRE_LEN)
    const capLen = source.snapLen === 0 ? wireLen : Math.min(wireLen, source.snapLen)
    if (room < 0 || capLen > room || capLen > CAP_LEN_MAX)
      return this.#damaged(`damaged simple packet block: a captured length of ${capLen} octets in a block of ${len}`, at)
    this.#putRecord(source, at + SIMPLE_FRAME, capLen, wireLen)
    return true
  }

  #putRecord(source: Interface, frameAt: number, capLen: number, wireLen: number): void {
    const b = this.#refill.bytes
    const out = this.#out
    b.copyWithin(out + REC_HEADER_LEN, frameAt, frameAt + capLen)
    putU32le(b, out + REC_SEC, this.#sec)
    putU32le(b, out + REC_NSEC, this.#nsec)
    putU32le(b, out + REC_CAP_LEN, capLen)
    putU32le(b, out + REC_WIRE_LEN, Math.min(wireLen, MARKER_MIN - 1))
    this.#out = out + REC_HEADER_LEN + capLen
    this.#slabInterface = source
  }

  #noteEnd(): void {
    const { len, start, streamFault } = this.#refill
    if (len > 0 || this.#toSkip > 0) this.#damaged('the file ends inside a block', start)
    else if (streamFault !== null) this.#damaged('the file breaks off', start)
    else if (this.missingPackets > 0)
      this.#damaged(`${this.missingPackets} packets of the run are missing in this recording: its disk was too slow for them`, start)
  }

  /** @returns false, so that a check can end with it */
  #damaged(message: string, at: number): false {
    const { path, offset, start, streamFault } = this.#refill
    this.damage = { path, offset: offset + at - start, message: streamFault === null ? message : `${message}; ${streamFault}` }
    return false
  }
}

/** Blocks that must be whole in the buffer. */
function isRead(type: number): boolean {
  return (
    type === SECTION_HEADER ||
    type === INTERFACE ||
    type === ENHANCED_PACKET ||
    type === PACKET_OBSOLETE ||
    type === SIMPLE_PACKET ||
    type === STATISTICS
  )
}

/** '' when the section header at `at` can be read. */
function sectionFault(b: Uint8Array, at: number): string {
  const isBigEndian = u32(b, at + BYTE_ORDER) === BYTE_ORDER_MAGIC
  if (!isBigEndian && u32le(b, at + BYTE_ORDER) !== BYTE_ORDER_MAGIC) return 'damaged section header: no byte-order magic'
  const len = (isBigEndian ? u32 : u32le)(b, at + BLOCK_LEN)
  if (len < SECTION_LEN_MIN) return `damaged section header: a length of ${len} octets`
  const major = (isBigEndian ? u16 : u16le)(b, at + MAJOR)
  return major === MAJOR_READ ? '' : `pcapng version ${major}, of which only ${MAJOR_READ} is known`
}
