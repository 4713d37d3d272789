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
import { contentChoice, furtherChoice } from './content-choice.ts'
import { Duplicates } from './duplicates.ts'
import { InterfaceHealth } from './interface-health.ts'
import { IP_LEN_STANDARD, SegmentSizes } from './oversize.ts'

/** Interfaces with books of their own; further ones share the last. */
const INTERFACES_MAX = 256
/**
 * Checksums of one packet in sixteen are looked at in the first ten minutes, then of one in a thousand: a full sum costs more than metering.
 * Which ones, their content says (content-choice.ts).
 */
const CHECK_SAMPLE = 16
const CHECK_SAMPLE_LATER = 1024
const CHECK_DENSE_US = 600e6
/** Of one second: whoever makes packets that are all looked at must not slow metering down. */
const CHECKS_PER_SECOND_MAX = 50_000
const US_PER_S = 1e6

// What was found of a packet.
const NOTHING = 0
const COPY = 1
const OVERSIZE = 2
const GOOD_SUM = 3
const WRONG_SUM = 4
const EMPTY_SUM = 5

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
  readonly #checksums: HealthOptions['checksums']
  /** By place in the block at hand. */
  readonly #found: Uint8Array
  #checkSecond = -Infinity
  #checksLeft = 0
  #at: InterfaceHealth

  constructor({ isDeduplicated, checksums }: HealthOptions, isVlanInKey: boolean, blockMax: number) {
    this.#found = new Uint8Array(blockMax)
    this.#duplicates = isDeduplicated ? new Duplicates(isVlanInKey) : null
    this.#checksums = checksums
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

  /**
   * Looks at a block of packets before any of them is metered: nearly always nothing is found, and the loop that meters stays short.
   *
   * @returns whether `settle` is to be asked about each
   */
  inspect(b: Uint8Array, packets: readonly Packet[], count: number): boolean {
    let any = NOTHING
    const checksAll = this.#checksums === 'all'
    const checksSome = this.#checksums === 'auto'
    for (let i = 0; i < count; i++) {
      const p = packets[i]
      let found = NOTHING
      const choice = contentChoice(b, p)
      if (this.#duplicates?.isCopy(b, p, choice)) found = COPY
      else if (p.ipLen > IP_LEN_STANDARD && this.#sizes.isOversize(p)) found = OVERSIZE
      else if (checksAll || (checksSome && (choice & (CHECK_SAMPLE - 1)) === 0 && this.#isDue(b, p, choice))) found = check(b, p)
      if ((p.flags & SYN) !== 0) this.#sizes.noteSyn(b, p)
      this.#found[i] = found
      any |= found
    }
    return any !== NOTHING
  }

  /** Of the packets chosen for the first minutes: whether this one is looked at now. */
  #isDue(b: Uint8Array, p: Packet, choice: number): boolean {
    if (p.timeUs >= CHECK_DENSE_US && (((furtherChoice(b, p) << 8) | choice) & (CHECK_SAMPLE_LATER - 1)) !== 0) return false
    const second = Math.floor(p.timeUs / US_PER_S)
    if (second !== this.#checkSecond) {
      this.#checkSecond = second
      this.#checksLeft = CHECKS_PER_SECOND_MAX
    }
    return this.#checksLeft-- > 0
  }

  /** Writes what was found of one packet of the block to the books, as its turn comes. Returns whether it is a copy, not to be metered. */
  settle(index: number): boolean {
    const found = this.#found[index]
    if (found === NOTHING) return false
    const books = this.#at
    if (found === COPY) books.duplicates++
    else if (found === OVERSIZE) books.oversize++
    else {
      books.checksumsLooked++
      if (found === WRONG_SUM) books.checksumsBad++
      else if (found === EMPTY_SUM) books.checksumsEmpty++
    }
    return found === COPY
  }

  /** Whether the packet at this place of the block is several, merged by the capturing host. */
  isOversize(index: number): boolean {
    return this.#found[index] === OVERSIZE
  }

  sumOf(key: Exclude<keyof InterfaceHealth, 'interfaceId'>): number {
    let sum = 0
    for (const one of this.interfaces) sum += one[key]
    return sum
  }
}

function check(b: Uint8Array, p: Packet): number {
  const found = checkSums(b, p)
  return found === SUM_UNKNOWN ? NOTHING : found === SUM_WRONG ? WRONG_SUM : found === SUM_EMPTY ? EMPTY_SUM : GOOD_SUM
}
