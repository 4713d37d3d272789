/**
 * The sensor's memory: the last packets as they came, from which an alert's evidence is cut.
 *
 *   pages of PAGE_LEN octets, used in turn; each holds whole records of one interface, in their order
 *   page words: number | length | link type | interface | first time | until when (times: sec, nsec)
 *
 * In:  slabs, in order, from one thread. Out: pages, to any thread, copied; how far back the memory reaches.
 * Not: waiting. The writer never looks at readers: what it overwrote while it was read is thrown away by the reader, who can tell.
 *      Not the slabs' own buffers in turn, either: live, most slabs hold few records, and one that is filled over and over stays in the
 *      core's cache, which filling ever fresh memory would cost more than this copy.
 *
 * The invariant: a page's number is 0 while it is made ready for other records, and new afterwards; records are only ever added behind
 * its length. So what was copied is good when the number is the same before and after.
 */
import { u32le } from '../base/bytes.ts'
import { CAP_LEN_MAX, REC_CAP_LEN, REC_HEADER_LEN, REC_NSEC, REC_SEC, type Slab } from './slab.ts'

/** Room for the longest record, and small enough that what is forgotten at once is little. */
export const PAGE_LEN = 1 << 19
if (PAGE_LEN < CAP_LEN_MAX + REC_HEADER_LEN) throw new Error('a page must hold the longest record')

const NUMBER = 0
const LENGTH = 1
const LINK_TYPE = 2
const INTERFACE = 3
const FIRST_SEC = 4
const FIRST_NSEC = 5
/** No record of the page is later; 0 while it is still written to. */
const UNTIL_SEC = 6
const UNTIL_NSEC = 7
const PAGE_WORDS = 8

// Before the pages' words: of all that was overwritten, the latest time; whether anything was; a word that only orders memory.
const LOST_SEC = 0
const LOST_NSEC = 1
const HAS_LOST = 2
const FENCE = 3
const HEAD_WORDS = 4

const NS_PER_S = 1e9
const BYTES_PER_MIB = 1 << 20

/** What threads share; plain data, so that it can be handed to a worker. */
export interface MemoryBlock {
  words: Int32Array<SharedArrayBuffer>
  bytes: Uint8Array<SharedArrayBuffer>
}

export interface Instant {
  sec: number
  nsec: number
}

/** Taken whole now, not page by page as packets come. null for a memory of nothing. */
export function newMemoryBlock(sizeMiB: number): MemoryBlock | null {
  const pages = Math.floor((sizeMiB * BYTES_PER_MIB) / PAGE_LEN)
  if (pages === 0) return null
  return {
    words: new Int32Array(new SharedArrayBuffer(4 * (HEAD_WORDS + pages * PAGE_WORDS))),
    bytes: new Uint8Array(new SharedArrayBuffer(pages * PAGE_LEN)).fill(0),
  }
}

/** One for each thread that fills it, together of that size; none for a memory of nothing. */
export function newMemoryBlocks(sizeMiB: number, count: number): MemoryBlock[] {
  return Array.from({ length: count }, () => newMemoryBlock(sizeMiB / count)).filter((block) => block !== null)
}

/** What can be asked of a memory, whoever fills it. */
export interface Remembered {
  /** What is later than this is all held; null when nothing was ever forgotten. */
  readonly reachesBackTo: Instant | null
  /** Pages that may hold something from `fromNs` to `toNs`, each good until the next one. */
  pages(fromNs: number, toNs: number): Iterable<Slab>
}

/** The memories of several threads as one. */
export class JoinedMemory implements Remembered {
  readonly #parts: readonly PacketMemory[]

  constructor(blocks: readonly MemoryBlock[]) {
    this.#parts = blocks.map((block) => new PacketMemory(block))
  }

  get reachesBackTo(): Instant | null {
    let latest: Instant | null = null
    for (const { reachesBackTo: back } of this.#parts) {
      if (back === null) continue
      if (latest === null || back.sec > latest.sec || (back.sec === latest.sec && back.nsec > latest.nsec)) latest = back
    }
    return latest
  }

  *pages(fromNs: number, toNs: number): Generator<Slab> {
    for (const part of this.#parts) yield* part.pages(fromNs, toNs)
  }
}

export class PacketMemory implements Remembered {
  readonly #words: Int32Array
  readonly #bytes: Uint8Array
  readonly #pages: number
  /** By interface: its page that is not full. */
  readonly #open = new Map<number, number>()
  #numbersGiven = 0

  constructor({ words, bytes }: MemoryBlock) {
    this.#words = words
    this.#bytes = bytes
    this.#pages = bytes.length / PAGE_LEN
  }

  get sizeBytes(): number {
    return this.#bytes.length
  }

  /** Takes a copy of the slab's records. For one thread only. */
  put({ bytes, start, end, linkType, interfaceId }: Slab): void {
    for (let at = start; at < end; ) {
      const page = this.#pageFor(bytes, at, linkType, interfaceId)
      const length = this.#words[wordsOf(page) + LENGTH]
      const room = PAGE_LEN - length
      const stop = end - at <= room ? end : lastWhole(bytes, at, at + room)
      this.#bytes.set(bytes.subarray(at, stop), page * PAGE_LEN + length)
      Atomics.store(this.#words, wordsOf(page) + LENGTH, length + stop - at)
      at = stop
    }
  }

  /** The interface's open page if the record at `at` fits into it, else a fresh one. */
  #pageFor(bytes: Uint8Array, at: number, linkType: number, interfaceId: number): number {
    const open = this.#open.get(interfaceId)
    if (open !== undefined) {
      const w = wordsOf(open)
      const fits = this.#words[w + LENGTH] + REC_HEADER_LEN + u32le(bytes, at + REC_CAP_LEN) <= PAGE_LEN
      if (fits && this.#words[w + LINK_TYPE] === linkType) return open
      // An interface's records are in order: none in there is later than the one that comes next.
      this.#words[w + UNTIL_SEC] = u32le(bytes, at + REC_SEC)
      this.#words[w + UNTIL_NSEC] = u32le(bytes, at + REC_NSEC)
    }
    return this.#begin(bytes, at, linkType, interfaceId)
  }

  #begin(bytes: Uint8Array, at: number, linkType: number, interfaceId: number): number {
    const words = this.#words
    const page = this.#numbersGiven % this.#pages
    const w = wordsOf(page)
    if (words[w + NUMBER] !== 0) this.#forget(page)
    words[w + LENGTH] = 0
    words[w + LINK_TYPE] = linkType
    words[w + INTERFACE] = interfaceId
    words[w + FIRST_SEC] = u32le(bytes, at + REC_SEC)
    words[w + FIRST_NSEC] = u32le(bytes, at + REC_NSEC)
    words[w + UNTIL_SEC] = 0
    words[w + UNTIL_NSEC] = 0
    this.#numbersGiven++
    // Never 0, also after 2^31 pages.
    Atomics.store(words, w + NUMBER, this.#numbersGiven & 0x7fffffff || 1)
    this.#open.set(interfaceId, page)
    return page
  }

  #forget(page: number): void {
    const words = this.#words
    const w = wordsOf(page)
    if (this.#open.get(words[w + INTERFACE]) === page) {
      this.#open.delete(words[w + INTERFACE])
      this.#setUntil(page)
    }
    if (isLater(words, w + UNTIL_SEC, LOST_SEC)) {
      words[LOST_SEC] = words[w + UNTIL_SEC]
      words[LOST_NSEC] = words[w + UNTIL_NSEC]
    }
    Atomics.store(words, HAS_LOST, 1)
    Atomics.store(words, w + NUMBER, 0)
    Atomics.add(words, FENCE, 1)
  }

  /** Of a page that was never closed, its interface having fallen silent. */
  #setUntil(page: number): void {
    const w = wordsOf(page)
    const start = page * PAGE_LEN
    const end = start + this.#words[w + LENGTH]
    for (let at = start; at < end; at += REC_HEADER_LEN + u32le(this.#bytes, at + REC_CAP_LEN)) {
      this.#words[w + UNTIL_SEC] = u32le(this.#bytes, at + REC_SEC)
      this.#words[w + UNTIL_NSEC] = u32le(this.#bytes, at + REC_NSEC)
    }
  }

  /** What is later than this is all held; null when nothing was ever forgotten. Asked from other threads it may be a moment old. */
  get reachesBackTo(): Instant | null {
    if (Atomics.load(this.#words, HAS_LOST) === 0) return null
    return { sec: this.#words[LOST_SEC] >>> 0, nsec: this.#words[LOST_NSEC] >>> 0 }
  }

  /**
   * Pages that may hold something from `fromNs` to `toNs` (since 1970), oldest first, each a copy that is good until the next one.
   * A page that is overwritten meanwhile is left out.
   */
  *pages(fromNs: number, toNs: number): Generator<Slab> {
    const copy = new Uint8Array(PAGE_LEN)
    for (const { page, number } of this.#inOrder(fromNs, toNs)) {
      const w = wordsOf(page)
      const end = Atomics.load(this.#words, w + LENGTH)
      const linkType = this.#words[w + LINK_TYPE]
      const interfaceId = this.#words[w + INTERFACE]
      copy.set(this.#bytes.subarray(page * PAGE_LEN, page * PAGE_LEN + end))
      // Reads may be moved behind a load of another word, but not behind this.
      Atomics.add(this.#words, FENCE, 1)
      if (Atomics.load(this.#words, w + NUMBER) === number) yield { bytes: copy, start: 0, end, linkType, interfaceId }
    }
  }

  #inOrder(fromNs: number, toNs: number): { page: number; number: number }[] {
    const found: { page: number; number: number }[] = []
    for (let page = 0; page < this.#pages; page++) {
      const w = wordsOf(page)
      const number = Atomics.load(this.#words, w + NUMBER)
      if (number === 0) continue
      const firstNs = timeNs(this.#words, w + FIRST_SEC)
      const untilNs = timeNs(this.#words, w + UNTIL_SEC)
      if (firstNs <= toNs && (untilNs === 0 || untilNs >= fromNs)) found.push({ page, number })
    }
    return found.sort((a, b) => a.number - b.number)
  }
}

function wordsOf(page: number): number {
  return HEAD_WORDS + page * PAGE_WORDS
}

/** A time in two words; nanoseconds since 1970 are exact to a quarter of a microsecond, which is enough to choose pages by. */
function timeNs(words: Int32Array, at: number): number {
  return (words[at] >>> 0) * NS_PER_S + (words[at + 1] >>> 0)
}

function isLater(words: Int32Array, a: number, b: number): boolean {
  const bySec = (words[a] >>> 0) - (words[b] >>> 0)
  return bySec > 0 || (bySec === 0 && words[a + 1] >>> 0 > words[b + 1] >>> 0)
}

/** Where the last record ends that lies before `limit` as a whole. */
function lastWhole(bytes: Uint8Array, start: number, limit: number): number {
  let at = start
  for (;;) {
    const next = at + REC_HEADER_LEN + u32le(bytes, at + REC_CAP_LEN)
    if (next > limit) return at
    at = next
  }
}
