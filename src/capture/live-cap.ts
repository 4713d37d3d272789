/**
 * The portable driver: npm's `cap`, one event a packet, for systems where our addon is not built.
 *
 * In:  one interface. Out: slabs and ticks as from every live source.
 * Not: packet time (records have the time of arrival here), wire lengths beyond 65,535 octets, counts of lost packets, link
 *      state, worker threads, several interfaces: cap has none of them, and the sensor says so.
 *
 * cap writes into our buffer long after `open` returned and keeps no reference to it: we do, for as long as it is open, or the
 * collector would take it away under cap's hands.
 */
import { createRequire } from 'node:module'
import { putU32le } from '../base/bytes.ts'
import { type LiveInterface, type LiveOptions, type LiveSource, OpenError } from './live-source.ts'
import { REC_CAP_LEN, REC_HEADER_LEN, REC_NSEC, REC_SEC, REC_WIRE_LEN, SLAB_LEN, type Slab, TICK } from './slab.ts'

/** cap's own, not to be changed. */
const SNAP_LEN = 65_535
const US_PER_S = 1e6
const TICK_EVERY_US = US_PER_S

/** What of the package is used. */
interface CapPackage {
  Cap: new () => CapHandle
}

interface CapHandle {
  open(device: string, filter: string, bufferBytes: number, buffer: Buffer): string
  setMinBytes?(bytes: number): void
  on(event: 'packet', listener: (capLen: number) => void): void
  close(): void
}

/** By the names that cap has for them. */
const LINK_TYPES: ReadonlyMap<string, number> = new Map([
  ['NULL', 0],
  ['ETHERNET', 1],
  ['RAW', 101],
  ['LINKTYPE_LINUX_SLL', 113],
  ['IEEE802_11_RADIO', 127],
])

/** The package, or null where it is not installed or could not be built. */
export function loadCap(): CapPackage | null {
  try {
    return createRequire(import.meta.url)('cap') as CapPackage
  } catch {
    return null
  }
}

export class CapSource implements LiveSource {
  readonly interfaces: readonly LiveInterface[]
  readonly #handle: CapHandle
  /** cap writes here. */
  readonly #frame = Buffer.alloc(SNAP_LEN)
  #filling: Slab
  #givenOut: Slab
  #newestUs = 0
  #onPacket: (() => void) | null = null

  /** @throws OpenError when the interface cannot be captured. */
  constructor(cap: CapPackage, options: LiveOptions) {
    const { device, filter, bufferBytes, interfaceId } = options
    this.#handle = new cap.Cap()
    const linkType = this.#open(device, filter, bufferBytes)
    this.interfaces = [
      {
        device,
        interfaceId,
        linkType,
        snapLen: SNAP_LEN,
        timeSource: 'arrival',
        state: 'up',
        fault: '',
        reopenings: 0,
        received: null,
        droppedByKernel: null,
        droppedByInterface: null,
      },
    ]
    const emptySlab = (): Slab => ({ bytes: new Uint8Array(SLAB_LEN), start: 0, end: 0, linkType, interfaceId })
    this.#filling = emptySlab()
    this.#givenOut = emptySlab()
    this.#handle.on('packet', (capLen) => this.#take(capLen))
  }

  #open(device: string, filter: string, bufferBytes: number): number {
    try {
      const name = this.#handle.open(device, filter, bufferBytes, this.#frame)
      this.#handle.setMinBytes?.(0)
      const linkType = LINK_TYPES.get(name)
      if (linkType !== undefined) return linkType
      this.#handle.close()
      throw new OpenError(device, 'ECAPTURE', `cap does not know this interface's link type (${name})`)
    } catch (error) {
      if (error instanceof OpenError) throw error
      const { message } = error as Error
      throw new OpenError(device, codeOf(message), message)
    }
  }

  #take(capLen: number): void {
    const len = Math.min(capLen, SNAP_LEN)
    // The slab is full only when nobody has asked for it since: the rest is lost, which cap cannot count either.
    if (this.#filling.end + REC_HEADER_LEN + len <= SLAB_LEN) this.#put(this.#now(), len, capLen)
    this.#onPacket?.()
  }

  /** Time of arrival, never earlier than what was handed on before. */
  #now(): number {
    this.#newestUs = Math.max(this.#newestUs, clockUs())
    return this.#newestUs
  }

  #put(timeUs: number, capLen: number, wireLen: number): void {
    const { bytes, end } = this.#filling
    const sec = Math.floor(timeUs / US_PER_S)
    putU32le(bytes, end + REC_SEC, sec)
    putU32le(bytes, end + REC_NSEC, (timeUs - sec * US_PER_S) * 1000)
    putU32le(bytes, end + REC_CAP_LEN, capLen)
    putU32le(bytes, end + REC_WIRE_LEN, wireLen)
    bytes.set(this.#frame.subarray(0, capLen), end + REC_HEADER_LEN)
    this.#filling.end = end + REC_HEADER_LEN + capLen
  }

  async next(waitMs: number): Promise<Slab | null> {
    if (this.#filling.end === 0) await this.#packetOrTime(waitMs)
    if (this.#filling.end === 0) {
      const silentUs = clockUs() - this.#newestUs
      if (silentUs < TICK_EVERY_US) return null
      // Whatever comes from now on has a later time of arrival.
      this.#put(this.#now(), 0, TICK)
    }
    const full = this.#filling
    this.#filling = Object.assign(this.#givenOut, { start: 0, end: 0 })
    this.#givenOut = full
    return full
  }

  /** Resolves a turn of the event loop after the first packet, so that those behind it come along. */
  #packetOrTime(waitMs: number): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        clearTimeout(timer)
        this.#onPacket = null
        setImmediate(resolve)
      }
      const timer = setTimeout(wake, waitMs)
      this.#onPacket = wake
    })
  }

  drain(): Iterable<Slab> {
    return []
  }

  close(): void {
    this.#handle.close()
  }
}

function clockUs(): number {
  return Math.floor((performance.timeOrigin + performance.now()) * 1000)
}

/** cap has words only. */
function codeOf(message: string): string {
  if (/permission|not permitted/i.test(message)) return 'EPERM'
  if (/no such device/i.test(message)) return 'ENODEV'
  return /syntax|expression|filter/i.test(message) ? 'EFILTER' : 'ECAPTURE'
}
