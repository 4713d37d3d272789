/**
 * What was not seen, measured while metering: the books of each interface, and what the checks of single packets need.
 *
 *   packet → copy of an earlier one? → larger than a segment? → checksums of a sample → books of its interface
 *
 * In:  decoded packets with their octets, in order; loss records. Out: `InterfaceHealth` by interface; `Seen`, the sums of all.
 * Not: gaps in sequence numbers (ack-gaps.ts), which need the flow's row.
 * The invariant: all of it is a function of the packets and their order alone, so that a recording's replay counts the same.
 */
import { type Packet, SYN } from '../decode/packet.ts'
import { checkSums, SUM_EMPTY, SUM_UNKNOWN, SUM_WRONG } from './checksums.ts'
import { Duplicates } from './duplicates.ts'
import { InterfaceHealth } from './interface-health.ts'
import { IP_LEN_STANDARD, SegmentSizes } from './oversize.ts'

/** Interfaces with books of their own; further ones share the last. */
const INTERFACES_MAX = 256
/** Checksums of so many packets are looked at from the start, then of one packet in CHECK_EVERY: a full sum costs more than metering. */
const CHECK_FIRST = 256
const CHECK_EVERY = 256

export interface HealthOptions {
  /** Whether second copies of packets are left out. */
  isDeduplicated: boolean
  /** Of which packets checksums are looked at: none, a sample, or all. */
  checksums: 'none' | 'auto' | 'all'
}

export const HEALTH_DEFAULTS: HealthOptions = { isDeduplicated: true, checksums: 'auto' }

/** Sums over all interfaces since the run began, up to the packet at hand: what analysis is told with each hand-over. */
export interface Seen {
  /** Packet time of the sums, in µs of the run. */
  atUs: number
  packets: number
  /** Frames of which a flow's packet may be missing. */
  notDecoded: number
  cutShort: number
  late: number
  evictedFlows: number
  lostByKernel: number
  lostByInterface: number
  duplicates: number
  acks: number
  ackGaps: number
  oversize: number
  checksumsLooked: number
  checksumsBad: number
  checksumsEmpty: number
  clockSteps: number
}

export class Health {
  /** In order of first appearance. */
  readonly interfaces: InterfaceHealth[] = []
  readonly #byId = new Map<number, InterfaceHealth>()
  readonly #duplicates: Duplicates | null
  readonly #sizes = new SegmentSizes()
  readonly #checkEvery: number
  #untilCheck = 1
  #looked = 0
  #at: InterfaceHealth

  constructor({ isDeduplicated, checksums }: HealthOptions, isVlanInKey: boolean) {
    this.#duplicates = isDeduplicated ? new Duplicates(isVlanInKey) : null
    this.#checkEvery = checksums === 'all' ? 1 : CHECK_EVERY
    if (checksums === 'none') this.#untilCheck = Number.MAX_SAFE_INTEGER
    this.#at = new InterfaceHealth(0)
  }

  /** The books that the next packets are written to. */
  enter(interfaceId: number): InterfaceHealth {
    if (this.#at.interfaceId === interfaceId && this.interfaces.length > 0) return this.#at
    this.#at = this.#byId.get(interfaceId) ?? this.#open(interfaceId)
    return this.#at
  }

  #open(interfaceId: number): InterfaceHealth {
    if (this.interfaces.length >= INTERFACES_MAX) return this.interfaces[INTERFACES_MAX - 1]
    const opened = new InterfaceHealth(interfaceId)
    this.interfaces.push(opened)
    this.#byId.set(interfaceId, opened)
    return opened
  }

  isCopy(b: Uint8Array, p: Packet): boolean {
    if (this.#duplicates === null || !this.#duplicates.isCopy(b, p)) return false
    this.#at.duplicates++
    return true
  }

  /** In: a packet that is metered. */
  look(b: Uint8Array, p: Packet): void {
    if ((p.flags & SYN) !== 0) this.#sizes.noteSyn(b, p)
    if (p.ipLen > IP_LEN_STANDARD && this.#sizes.isOversize(p)) this.#at.oversize++
    else if (--this.#untilCheck === 0) this.#check(b, p)
  }

  #check(b: Uint8Array, p: Packet): void {
    this.#looked++
    this.#untilCheck = this.#looked < CHECK_FIRST ? 1 : this.#checkEvery
    const found = checkSums(b, p)
    if (found === SUM_UNKNOWN) return
    this.#at.checksumsLooked++
    if (found === SUM_WRONG) this.#at.checksumsBad++
    else if (found === SUM_EMPTY) this.#at.checksumsEmpty++
  }

  sumOf(key: Exclude<keyof InterfaceHealth, 'interfaceId'>): number {
    let sum = 0
    for (const one of this.interfaces) sum += one[key]
    return sum
  }
}
