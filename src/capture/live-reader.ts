/**
 * A live source as a reader of slabs like that of a file: it ends when it is told to, or has as many packets as it may.
 *
 * In:  a live source, what to record to, and whether to go on. Out: slabs until the end, then null; each recorded before it is handed on.
 * Not: order over interfaces (live-merge.ts). What comes out here is what a recording holds, so that whatever is done with the
 *      slabs afterwards is done the same in a replay.
 */
import { u32le } from '../base/bytes.ts'
import type { LiveSource } from './live-source.ts'
import type { PcapngWriter } from './pcapng-writer.ts'
import type { CaptureReader, Damage } from './reader.ts'
import { MARKER_MIN, REC_CAP_LEN, REC_HEADER_LEN, REC_WIRE_LEN, type Slab } from './slab.ts'

/** How long a read waits before the caller is asked whether to go on. */
const WAIT_MS = 100
/** At the end: how long the line must be silent, since what came before the signal may be in a block that the kernel holds. */
const LAST_WAIT_MS = 150
const LAST_READS_MS_MAX = 2000

export interface LiveReaderOptions {
  source: LiveSource
  recording: PcapngWriter | null
  /** Stop after so many packets; Infinity: never. */
  packetsMax: number
  /** Asked between reads; may block for a while. False ends the reading. */
  goesOn(): boolean
}

export class LiveReader implements CaptureReader {
  readonly damage: Damage | null = null
  /** A line has no place in a file. */
  readonly offset = 0
  packets = 0
  /** What ended the recording early; the run goes on without it. */
  recordFault: string | null = null
  readonly #options: LiveReaderOptions
  #recording: PcapngWriter | null
  #lastReadsUntilMs = 0
  #rest: Iterator<Slab> | null = null

  constructor(options: LiveReaderOptions) {
    this.#options = options
    this.#recording = options.recording
  }

  /** @returns null at the end; until then it waits for records, however long the line is silent. */
  async next(): Promise<Slab | null> {
    const { source, goesOn, packetsMax } = this.#options
    while (this.packets < packetsMax && goesOn()) {
      const slab = await source.next(WAIT_MS)
      if (slab !== null) return this.#handOn(slab)
    }
    return await this.#nextOfRest()
  }

  async #nextOfRest(): Promise<Slab | null> {
    const { source, packetsMax } = this.#options
    if (this.#lastReadsUntilMs === 0) this.#lastReadsUntilMs = performance.now() + LAST_READS_MS_MAX
    if (this.#rest === null && this.packets < packetsMax && performance.now() < this.#lastReadsUntilMs) {
      const slab = await source.next(LAST_WAIT_MS)
      if (slab !== null) return this.#handOn(slab)
    }
    this.#rest ??= source.drain()[Symbol.iterator]()
    const { value, done } = this.#rest.next()
    return done === true ? null : this.#handOn(value)
  }

  #handOn(slab: Slab): Slab {
    const { packets, end } = countPackets(slab, this.#options.packetsMax - this.packets)
    this.packets += packets
    const taken = end === slab.end ? slab : { ...slab, end }
    this.#record(taken)
    return taken
  }

  #record(slab: Slab): void {
    this.#recordBy((recording) => recording.write(slab))
  }

  /** Nothing older than this will be recorded: whoever waits for this recording need not wait for it until then. */
  recordTime(timeUs: number): void {
    this.#recordBy((recording) => recording.passTime(timeUs))
  }

  #recordBy(work: (recording: PcapngWriter) => void): void {
    if (this.#recording === null) return
    try {
      work(this.#recording)
    } catch (error) {
      this.recordFault = (error as Error).message
      this.#closeRecording()
    }
  }

  /** The first fault is the one to tell. */
  #closeRecording(): void {
    const recording = this.#recording
    this.#recording = null
    try {
      recording?.close()
    } catch (error) {
      this.recordFault ??= (error as Error).message
    }
  }

  close(): void {
    this.#options.source.close()
    this.#closeRecording()
  }
}

/** How many packets a slab holds, `max` at most, and where the last of them ends; ticks and loss records are none. */
function countPackets({ bytes, start, end }: Slab, max: number): { packets: number; end: number } {
  let packets = 0
  let at = start
  for (; at < end; at += REC_HEADER_LEN + u32le(bytes, at + REC_CAP_LEN)) {
    if (u32le(bytes, at + REC_WIRE_LEN) >= MARKER_MIN) continue
    if (packets === max) break
    packets++
  }
  return { packets, end: at }
}
