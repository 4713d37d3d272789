/**
 * Records in time order, as far as a bounded window allows: what several capture queues, interfaces or files disorder a little.
 *
 * In:  slabs. Out: slabs with the same records; each record is held until it is `windowNs` older than the newest one, or until the
 *      records held take more than `bytesMax` octets. A record older than one already let go is too late: it passes at once, counted.
 * Not: a sort of the whole input. A clock set back by more than half a minute starts the order anew.
 * The invariant: the order that comes out depends on the records alone, never on where slabs end.
 *
 * Free where nothing is out of order: a sorted slab is handed on as it is but for its end, the part inside the window, which is
 * copied whole and handed on before the next slab. Only slabs that are not sorted go through a heap, record by record.
 */
import { u32le } from '../base/bytes.ts'
import type { CaptureReader, Damage } from './reader.ts'
import { CAP_LEN_MAX, REC_CAP_LEN, REC_HEADER_LEN, REC_NSEC, REC_SEC, SLAB_LEN, type Slab } from './slab.ts'
import { copyRecord, TimeHeap } from './time-heap.ts'

const NS_PER_S = 1e9
const CLOCK_STEP_NS = 30 * NS_PER_S
const OUT_LEN = SLAB_LEN
/** In a sorted slab, the place of every 64th record is noted, so that the window's start is found without walking all of it. */
const MARK_EVERY = 64
const MARKS_MAX = Math.ceil((SLAB_LEN + 2 * CAP_LEN_MAX) / (REC_HEADER_LEN * MARK_EVERY)) + 1

/** What becomes of a slab: handed on but for its end; held whole behind the run; record by record. */
const DIRECT = 0
const INTO_RUN = 1
const BY_HEAP = 2

export interface ReorderLimits {
  windowNs: number
  /** Octets of records held, headers included; at most SLAB_LEN. */
  bytesMax: number
}

export const REORDER_DEFAULTS: ReorderLimits = { windowNs: 100e6, bytesMax: 1 << 18 }

export interface ReorderCounters {
  /** Records that were put before newer ones which had come earlier. */
  reordered: number
  /** Records that came after a newer one had already been let go: out of order still. */
  tooLate: number
}

export class Reorder implements CaptureReader {
  readonly counters: ReorderCounters = { reordered: 0, tooLate: 0 }
  readonly #source: CaptureReader
  readonly #limits: ReorderLimits
  /** The slab at hand, and where its next record is. */
  #slab: Slab | null = null
  #at = 0
  /** Part of the slab at hand to be handed on next: [#at, #directEnd). */
  #directEnd = 0
  #way = DIRECT
  /** Times of a sorted slab's last record, and of the last one outside the window. */
  #lastNs = 0
  #directLastNs = 0
  #isAtEnd = false
  /** Times count from the first record's second, to be exact to the nanosecond. */
  #baseSec = -1
  #newestNs = -Infinity
  #releasedNs = -Infinity

  /** Records held in one sorted run: run bytes [#runStart, #runEnd) of one interface. */
  #run = new Uint8Array(0)
  #runStart = 0
  #runEnd = 0
  #runOf: RecordSource | null = null
  /** Records held otherwise. Never both. */
  readonly #heap: TimeHeap
  readonly #out = new Uint8Array(OUT_LEN)
  #outEnd = 0
  #outLinkType = 0
  #outInterfaceId = 0
  readonly #marks = new Uint32Array(MARKS_MAX)
  #markCount = 0

  constructor(source: CaptureReader, limits: ReorderLimits = REORDER_DEFAULTS) {
    this.#source = source
    this.#limits = { windowNs: limits.windowNs, bytesMax: Math.min(limits.bytesMax, SLAB_LEN) }
    this.#heap = new TimeHeap(this.#limits.bytesMax)
  }

  get damage(): Damage | null {
    return this.#source.damage
  }

  get offset(): number {
    return this.#source.offset
  }

  async next(): Promise<Slab | null> {
    this.#outEnd = 0
    for (;;) {
      if (this.#slab === null) {
        if (this.#isAtEnd) return this.#drain()
        const slab = await this.#source.next()
        if (slab === null) this.#isAtEnd = true
        else this.#begin(slab)
        continue
      }
      const out = this.#step(this.#slab)
      if (out !== null) return out
    }
  }

  #begin(slab: Slab): void {
    if (slab.start === slab.end) return
    this.#slab = slab
    this.#at = slab.start
    this.#directEnd = slab.start
    if (this.#baseSec < 0) this.#baseSec = u32le(slab.bytes, slab.start + REC_SEC)
    this.#way = this.#wayOf(slab)
    if (this.#way === BY_HEAP) this.#holdRunInHeap()
    else this.#newestNs = this.#lastNs
  }

  #wayOf(slab: Slab): number {
    if (!this.#isSorted(slab)) return BY_HEAP
    this.#directEnd = this.#windowStart(slab)
    if (this.#directEnd > slab.start) return DIRECT
    const of = this.#runOf
    const isOneInterface = of === null || (of.linkType === slab.linkType && of.interfaceId === slab.interfaceId)
    return this.#heap.count === 0 && isOneInterface ? INTO_RUN : BY_HEAP
  }

  /** One thing to hand on, or null when the slab needs another step or is used up. */
  #step(slab: Slab): Slab | null {
    if (this.#way === BY_HEAP) return this.#stepThroughHeap(slab)
    if (this.#way === INTO_RUN) return this.#releaseRun(slab) ?? this.#finishInto(slab, slab.start)
    if (this.#at === this.#directEnd) return this.#finishInto(slab, this.#directEnd)
    // All that is held is older than the slab's start, which is outside the window: it goes first.
    const held = this.#drain()
    if (held !== null) return held
    this.#at = this.#directEnd
    this.#releasedNs = this.#directLastNs
    return view(slab, slab.bytes, slab.start, this.#directEnd)
  }

  /** What is left of a sorted slab is held. */
  #finishInto(slab: Slab, from: number): null {
    if (from < slab.end) this.#appendToRun(slab, from)
    this.#slab = null
    return null
  }

  /** Whether no record is older than the one before it or than any seen before; notes marks and the last time. */
  #isSorted(slab: Slab): boolean {
    const { bytes, start, end } = slab
    let lastNs = this.#newestNs
    let marks = 0
    let toMark = 0
    for (let at = start; at < end; ) {
      const timeNs = this.#timeNs(bytes, at)
      if (timeNs < lastNs) return false
      lastNs = timeNs
      if (toMark-- === 0 && marks < MARKS_MAX) {
        this.#marks[marks++] = at
        toMark = MARK_EVERY - 1
      }
      at += REC_HEADER_LEN + u32le(bytes, at + REC_CAP_LEN)
    }
    this.#markCount = marks
    this.#lastNs = lastNs
    return true
  }

  /** In: a sorted slab whose last record is the newest. Out: the first record inside the window. */
  #windowStart(slab: Slab): number {
    const { bytes, end } = slab
    let mark = this.#markCount - 1
    while (mark > 0 && this.#isInWindow(bytes, this.#marks[mark], end)) mark--
    let at = this.#marks[mark]
    while (at < end && !this.#isInWindow(bytes, at, end)) {
      this.#directLastNs = this.#timeNs(bytes, at)
      at += REC_HEADER_LEN + u32le(bytes, at + REC_CAP_LEN)
    }
    return at
  }

  #isInWindow(bytes: Uint8Array, at: number, end: number): boolean {
    return end - at <= this.#limits.bytesMax && this.#lastNs - this.#timeNs(bytes, at) <= this.#limits.windowNs
  }

  #timeNs(bytes: Uint8Array, at: number): number {
    return (u32le(bytes, at + REC_SEC) - this.#baseSec) * NS_PER_S + u32le(bytes, at + REC_NSEC)
  }

  /** The part of the run that leaves the window as a sorted slab comes in behind it. */
  #releaseRun(slab: Slab): Slab | null {
    const of = this.#runOf
    if (of === null) return null
    const start = this.#runStart
    // As if the slab stood behind the run already.
    const end = this.#runEnd + slab.end - slab.start
    while (this.#runStart < this.#runEnd && !this.#isInWindow(this.#run, this.#runStart, end)) {
      this.#releasedNs = this.#timeNs(this.#run, this.#runStart)
      this.#runStart += REC_HEADER_LEN + u32le(this.#run, this.#runStart + REC_CAP_LEN)
    }
    return this.#runStart === start ? null : view(of, this.#run, start, this.#runStart)
  }

  #appendToRun(slab: Slab, from: number): void {
    const len = slab.end - from
    if (this.#run.length === 0) this.#run = new Uint8Array(SLAB_LEN + CAP_LEN_MAX)
    if (this.#runEnd + len > this.#run.length) {
      this.#run.copyWithin(0, this.#runStart, this.#runEnd)
      this.#runEnd -= this.#runStart
      this.#runStart = 0
    }
    this.#run.set(slab.bytes.subarray(from, slab.end), this.#runEnd)
    this.#runEnd += len
    this.#runOf = slab
  }

  #holdRunInHeap(): void {
    const of = this.#runOf
    if (of === null) return
    for (let at = this.#runStart; at < this.#runEnd; ) {
      const len = REC_HEADER_LEN + u32le(this.#run, at + REC_CAP_LEN)
      this.#heap.push(this.#timeNs(this.#run, at), this.#run, at, len, of.linkType, of.interfaceId)
      at += len
    }
    this.#dropRun()
  }

  #dropRun(): void {
    this.#runStart = 0
    this.#runEnd = 0
    this.#runOf = null
  }

  /** Hands on all that is held, a slab at a time; null when nothing is. */
  #drain(): Slab | null {
    const of = this.#runOf
    if (of !== null) {
      const out = view(of, this.#run, this.#runStart, this.#runEnd)
      this.#releasedNs = this.#newestNs
      this.#dropRun()
      return out
    }
    while (this.#heap.count > 0) if (!this.#release()) break
    return this.#takeOut()
  }

  /** Takes records of the slab in until the output is full. */
  #stepThroughHeap(slab: Slab): Slab | null {
    const { bytes, end } = slab
    const heap = this.#heap
    while (this.#at < end) {
      if (!this.#releaseDue()) return this.#takeOut()
      const at = this.#at
      const len = REC_HEADER_LEN + u32le(bytes, at + REC_CAP_LEN)
      const timeNs = this.#timeNs(bytes, at)
      if (timeNs < this.#newestNs - CLOCK_STEP_NS) {
        while (heap.count > 0) if (!this.#release()) return this.#takeOut()
        this.#newestNs = timeNs
        this.#releasedNs = -Infinity
      }
      if (timeNs < this.#releasedNs) {
        if (!this.#put(slab.linkType, slab.interfaceId, bytes, at, len)) return this.#takeOut()
        this.counters.tooLate++
      } else {
        if (timeNs < this.#newestNs) this.counters.reordered++
        this.#newestNs = Math.max(this.#newestNs, timeNs)
        heap.push(timeNs, bytes, at, len, slab.linkType, slab.interfaceId)
      }
      this.#at = at + len
    }
    if (!this.#releaseDue()) return this.#takeOut()
    this.#slab = null
    return this.#takeOut()
  }

  /** False: the output is full, or of another interface than the next record. */
  #releaseDue(): boolean {
    const heap = this.#heap
    const { bytesMax, windowNs } = this.#limits
    while (heap.count > 0 && (heap.bytesHeld > bytesMax || this.#newestNs - heap.firstNs > windowNs)) if (!this.#release()) return false
    return true
  }

  #release(): boolean {
    const heap = this.#heap
    if (!this.#put(heap.firstLinkType, heap.firstInterfaceId, heap.bytes, heap.firstAt, heap.firstLen)) return false
    this.#releasedNs = Math.max(this.#releasedNs, heap.firstNs)
    heap.pop()
    return true
  }

  #put(linkType: number, interfaceId: number, bytes: Uint8Array, at: number, len: number): boolean {
    if (this.#outEnd > 0) {
      if (this.#outLinkType !== linkType || this.#outInterfaceId !== interfaceId || this.#outEnd + len > this.#out.length) return false
    } else {
      this.#outLinkType = linkType
      this.#outInterfaceId = interfaceId
    }
    copyRecord(bytes, at, len, this.#out, this.#outEnd)
    this.#outEnd += len
    return true
  }

  #takeOut(): Slab | null {
    if (this.#outEnd === 0) return null
    return { bytes: this.#out, start: 0, end: this.#outEnd, linkType: this.#outLinkType, interfaceId: this.#outInterfaceId }
  }
}

interface RecordSource {
  readonly linkType: number
  readonly interfaceId: number
}

function view(of: RecordSource, bytes: Uint8Array, start: number, end: number): Slab {
  return { bytes, start, end, linkType: of.linkType, interfaceId: of.interfaceId }
}
