/**
 * The capture addon (native/ring.c) as TypeScript sees it.
 *
 * In:  build/ring.node, which set-up compiles. Out: its calls with their types; null where it is not there.
 * Not: checks of arguments, which the addon does itself.
 */
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'

export interface RingOptions {
  device: string
  /** Octets kept of a frame, up to 262,144. */
  snapLen: number
  bufferBytes: number
  /** How long the kernel may hold packets back to hand them on together. */
  blockTimeoutMs: number
  isPromiscuous: boolean
  /** Asks for nanoseconds; the handle says whether the device has them. */
  isNanosecond: boolean
  /** PACKET_FANOUT group; -1: none. */
  fanoutGroup: number
  fanoutMode: number
  /** A BPF expression; '' takes all. */
  filter: string
}

/** An open capture. Only `id` means something in another thread. */
export interface RingHandle {
  readonly id: number
  readonly linkType: number
  readonly linkTypeName: string
  readonly isNanosecond: boolean
  readonly snapLen: number
}

/** Counters of the kernel, 32 bits each, since the capture was opened. */
export interface RingStats {
  received: number
  droppedByKernel: number
  droppedByInterface: number
  /** Records that did not fit a slab: 0 unless the addon has a bug. */
  noRoom: number
}

export type LinkState = 'up' | 'no carrier' | 'down' | 'gone'

export interface Device {
  name: string
  description: string
  addresses: string[]
  connection: 'connected' | 'disconnected' | 'not applicable' | 'unknown'
  isUp: boolean
  isRunning: boolean
  isLoopback: boolean
}

/** What `read` returns when it is not a count of octets. */
export const READ_TIMEOUT = 0
export const READ_INTERRUPTED = -1
export const READ_GONE = -2

/** `code` of what `open` throws. */
export type OpenCode = 'EPERM' | 'ENODEV' | 'ENETDOWN' | 'EFILTER' | 'EFANOUT' | 'EMFILE' | 'ECAPTURE' | 'EINVAL'

export interface RingAddon {
  readonly libraryVersion: string
  open(options: RingOptions): RingHandle
  /** Fills slab[offset, …) with records: octets written, or a READ_… status. Blocks the thread. */
  read(handle: RingHandle, slab: Uint8Array, offset: number, timeoutMs: number): number
  stats(handle: RingHandle): RingStats
  linkState(handle: RingHandle): LinkState
  /** The clock, in µs since 1970, before the last look that found no packet. */
  emptyAtUs(handle: RingHandle): number
  /** What the last failed read was about. */
  faultText(handle: RingHandle): string
  /** From any thread: ends a read. False when no such capture is open. */
  interrupt(id: number): boolean
  close(handle: RingHandle): void
  devices(): Device[]
  /** Another filter from the next packet on, without a gap between the two; throws EFILTER, and then the old one holds. */
  setFilter(handle: RingHandle, filter: string): void
  /** One datagram to the service manager's socket (sd_notify(3)), never waiting: '' when it was handed over, else why not. */
  notify(address: string, text: string): string
}

/** From src/capture/ and from dist/. */
const PLACES = ['../../build/ring.node', '../build/ring.node']

/** The addon, or null when set-up could not compile it. */
export function loadRing(): RingAddon | null {
  const path = PLACES.map((place) => fileURLToPath(new URL(place, import.meta.url))).find((place) => existsSync(place))
  if (path === undefined) return null
  try {
    return createRequire(import.meta.url)(path) as RingAddon
  } catch {
    // Compiled on another system, or libpcap was taken away since.
    return null
  }
}
