/**
 * One interface captured through our addon: packets in slabs, ticks while the line is silent, losses as the kernel counts them.
 *
 * In:  the addon and what to capture. Out: `fill` writes records to the slab; `watermarkUs` says how far its time has come.
 * Not: other interfaces: live-merge.ts brings several into one order of time.
 *
 * The invariant: no record is earlier than a tick before it. The kernel keeps packets back for up to two block time-outs to hand
 * them on together, so when the ring was found empty at a time t, what is still to come is at most LAG_US older than t.
 */
import { putU32le, putU64le, u32le } from '../base/bytes.ts'
import { type LiveInterface, type LiveOptions, OpenError } from './live-source.ts'
import { type LinkState, READ_INTERRUPTED, READ_TIMEOUT, type RingAddon, type RingHandle, type RingStats } from './ring-addon.ts'
import {
  LOSS,
  LOSS_BY_INTERFACE,
  LOSS_BY_KERNEL,
  LOSS_LEN,
  LOSS_RECEIVED,
  REC_CAP_LEN,
  REC_HEADER_LEN,
  REC_NSEC,
  REC_SEC,
  REC_WIRE_LEN,
  SLAB_LEN,
  type Slab,
  TICK,
} from './slab.ts'

const US_PER_S = 1e6
const BLOCK_TIMEOUT_MS = 10
/** Two block time-outs, and four more for a kernel that is late under load. */
const LAG_US = 6 * BLOCK_TIMEOUT_MS * 1000
/** Flows expire by the second: more ticks than one a second would change nothing. */
const TICK_EVERY_US = US_PER_S
/** What is older than the newest by more is a clock set back (flow/table.ts). */
const CLOCK_STEP_US = 30 * US_PER_S
/** How often the kernel is asked for losses and link state. */
const ASK_EVERY_MS = 1000
const REOPEN_FIRST_MS = 100
const REOPEN_LAST_MS = 5000
/** Behind the packets of a slab there is room for a loss record. */
const TAIL_LEN = REC_HEADER_LEN + LOSS_LEN
/** PACKET_FANOUT_HASH: both directions of a conversation go to one queue. */
const FANOUT_HASH = 0

const ZERO_STATS: RingStats = { received: 0, droppedByKernel: 0, droppedByInterface: 0, noRoom: 0 }

export class RingInterface implements LiveInterface {
  readonly device: string
  readonly interfaceId: number
  readonly snapLen: number
  linkType = 0
  timeSource: LiveInterface['timeSource'] = 'kernel, microseconds'
  state: LinkState = 'up'
  fault = ''
  reopenings = 0
  received = 0
  droppedByKernel = 0
  droppedByInterface = 0
  /** No later record has a time before this, in µs since 1970. */
  watermarkUs = 0
  readonly slab: Slab

  readonly #ring: RingAddon
  readonly #options: LiveOptions
  #filter: string
  readonly #packetRoom: Uint8Array
  #handle: RingHandle | null = null
  #stats = ZERO_STATS
  #lastTickUs = 0
  #askAtMs = 0
  #reopenAtMs = 0
  #reopenWaitMs = REOPEN_FIRST_MS

  /** @throws OpenError when the interface cannot be captured now. */
  constructor(ring: RingAddon, options: LiveOptions) {
    this.#ring = ring
    this.#options = options
    this.#filter = options.filter
    this.device = options.device
    this.interfaceId = options.interfaceId
    this.snapLen = options.snapLen
    const bytes = new Uint8Array(Math.max(SLAB_LEN, 2 * (options.snapLen + REC_HEADER_LEN)) + TAIL_LEN)
    this.#packetRoom = bytes.subarray(0, bytes.length - TAIL_LEN)
    this.slab = { bytes, start: 0, end: 0, linkType: 0, interfaceId: options.interfaceId }
    this.#open()
  }

  #open(): void {
    const { device, snapLen, bufferBytes, isPromiscuous, fanoutGroup } = this.#options
    try {
      this.#handle = this.#ring.open({
        device,
        filter: this.#filter,
        snapLen,
        bufferBytes,
        isPromiscuous,
        fanoutGroup,
        fanoutMode: FANOUT_HASH,
        blockTimeoutMs: BLOCK_TIMEOUT_MS,
        isNanosecond: true,
      })
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException
      throw new OpenError(device, code ?? '', message)
    }
    this.linkType = this.#handle.linkType
    this.slab.linkType = this.linkType
    this.timeSource = this.#handle.isNanosecond ? 'kernel, nanoseconds' : 'kernel, microseconds'
    this.#stats = ZERO_STATS
    this.state = 'up'
    this.fault = ''
    this.#reopenWaitMs = REOPEN_FIRST_MS
  }

  get filter(): string {
    return this.#filter
  }

  /** From the next packet on; an interface that is away has it when it comes back. @throws OpenError, and the old filter holds */
  changeFilter(filter: string): void {
    try {
      if (this.#handle !== null) this.#ring.setFilter(this.#handle, filter)
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException
      throw new OpenError(this.device, code ?? '', message)
    }
    this.#filter = filter
  }

  /** Fills the slab anew, waiting at most `waitMs`: whether it holds anything. */
  fill(waitMs: number): boolean {
    this.slab.start = 0
    this.slab.end = 0
    if (this.#handle === null) this.#tryAgain(waitMs)
    else this.#read(this.#handle, waitMs)
    if (performance.now() >= this.#askAtMs) this.#ask()
    return this.slab.end > 0
  }

  #read(handle: RingHandle, waitMs: number): void {
    const got = this.#ring.read(handle, this.#packetRoom, 0, waitMs)
    if (got > 0) this.slab.end = got
    else if (got === READ_TIMEOUT || got === READ_INTERRUPTED) this.#noteSilence(this.#ring.emptyAtUs(handle) - LAG_US)
    else this.#lose(this.#ring.faultText(handle))
  }

  /** Nothing came: time has passed all the same. */
  #noteSilence(timeUs: number): void {
    // The clock was set back: whoever waits for this interface must not wait until it has caught up.
    if (timeUs < this.watermarkUs - CLOCK_STEP_US) {
      this.watermarkUs = timeUs
      this.#lastTickUs = 0
    }
    if (timeUs > this.watermarkUs) this.watermarkUs = timeUs
    if (timeUs < this.#lastTickUs + TICK_EVERY_US) return
    this.#lastTickUs = timeUs
    this.#putHeader(timeUs, 0, TICK)
  }

  #putHeader(timeUs: number, capLen: number, wireLen: number): void {
    const { bytes, end } = this.slab
    const sec = Math.floor(timeUs / US_PER_S)
    putU32le(bytes, end + REC_SEC, sec)
    putU32le(bytes, end + REC_NSEC, Math.floor(timeUs - sec * US_PER_S) * 1000)
    putU32le(bytes, end + REC_CAP_LEN, capLen)
    putU32le(bytes, end + REC_WIRE_LEN, wireLen)
    this.slab.end = end + REC_HEADER_LEN + capLen
  }

  /** The interface is gone or its capture broke: it is opened again as soon as it can be. */
  #lose(fault: string): void {
    this.close()
    this.state = 'gone'
    this.fault = fault
    this.#reopenAtMs = performance.now() + this.#reopenWaitMs
  }

  #tryAgain(waitMs: number): void {
    if (performance.now() < this.#reopenAtMs) {
      sleep(waitMs)
      // No packet can come from an interface that is not open.
      return this.#noteSilence(nowUs() - LAG_US)
    }
    try {
      this.#open()
      this.reopenings++
    } catch (error) {
      this.fault = (error as OpenError).message
      this.#reopenWaitMs = Math.min(2 * this.#reopenWaitMs, REOPEN_LAST_MS)
      this.#reopenAtMs = performance.now() + this.#reopenWaitMs
    }
  }

  #ask(): void {
    this.#askAtMs = performance.now() + ASK_EVERY_MS
    if (this.#handle === null) return
    this.state = this.#ring.linkState(this.#handle)
    this.#addStats(this.#handle)
  }

  /** The last look at losses, for the end of a run. */
  takeLosses(): boolean {
    this.slab.start = 0
    this.slab.end = 0
    if (this.#handle !== null) this.#addStats(this.#handle)
    return this.slab.end > 0
  }

  /** Counts on from what an earlier handle counted; a loss record says so where anything was lost since. */
  #addStats(handle: RingHandle): void {
    const now = this.#ring.stats(handle)
    // 32-bit counters that wrap.
    const since = (key: 'received' | 'droppedByKernel' | 'droppedByInterface'): number => (now[key] - this.#stats[key]) >>> 0
    this.received += since('received')
    const lostByKernel = since('droppedByKernel')
    const lostByInterface = since('droppedByInterface')
    this.#stats = now
    if (lostByKernel === 0 && lostByInterface === 0) return
    this.droppedByKernel += lostByKernel
    this.droppedByInterface += lostByInterface
    const body = this.slab.end + REC_HEADER_LEN
    putU64le(this.slab.bytes, body + LOSS_RECEIVED, this.received)
    putU64le(this.slab.bytes, body + LOSS_BY_KERNEL, this.droppedByKernel)
    putU64le(this.slab.bytes, body + LOSS_BY_INTERFACE, this.droppedByInterface)
    this.#putHeader(this.#newestUs(), LOSS_LEN, LOSS)
  }

  /** Of the slab's last record: a loss record must not stand before packets that are older than it. */
  #newestUs(): number {
    const { bytes, end } = this.slab
    let newestUs = Math.max(this.watermarkUs, 0)
    for (let at = 0; at < end; at += REC_HEADER_LEN + u32le(bytes, at + REC_CAP_LEN)) newestUs = recordTimeUs(bytes, at)
    return newestUs
  }

  close(): void {
    if (this.#handle === null) return
    this.#addStats(this.#handle)
    this.#ring.close(this.#handle)
    this.#handle = null
  }
}

/** The clock that the kernel stamps packets with. */
function nowUs(): number {
  return Date.now() * 1000
}

/** Blocks this thread, which has nothing else to do. */
function sleep(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
}

/** Time of the record at `at`, in µs since 1970. */
export function recordTimeUs(bytes: Uint8Array, at: number): number {
  return u32le(bytes, at + REC_SEC) * US_PER_S + u32le(bytes, at + REC_NSEC) / 1000
}
