/**
 * What arrives at busy destinations, counted second by second while the flows are open.
 *
 *   packet → sketch of counts by destination → HOT_MIN in one second: an entry of exact counters → handed over SETTLE_S later
 *
 * In:  datagrams of flows that are not answered, first answers, SYNs, connections completed or refused; the turn of each second.
 * Out: DestinationCounters of seconds that are over, each with the row so far of one of its flows, for destinations that drew
 *      `perSecondMin` or more.
 * Not: TCP segments, and what a flow brings once it is answered: a flood is not answered, and these are nearly all packets there
 *      are. Not who is client: the receiver is whom the row's initiator sent to; analysis asks the row.
 *
 * The invariants: what is counted depends on packets alone, never on the hash seed (the sketch has none; the index of exact
 * entries has one, so that nobody outside can choose addresses that collide). Nothing is allocated for a packet. A second is
 * handed over once, SETTLE_S after its end, when its handshakes have had time to be completed.
 *
 * The sketch is one octet a cell and many destinations a cell: sharing makes a destination's entry come early, never late.
 */
import { formatAddress } from '../base/address.ts'
import type { Packet } from '../decode/packet.ts'
import type { DestinationCounters } from './destination-counters.ts'
import * as Row from './row.ts'

const US_PER_S = 1e6
const TCP = 6
/** Packets in one second, of all destinations of a sketch cell, from which on they are counted one by one. */
const HOT_MIN = 25
const SKETCH_BITS = 16
const ENTRIES_MAX = 512
const INDEX_MASK = 4 * ENTRIES_MAX - 1
const NONE = -1
/** Whole seconds between a second's end and its hand-over. */
const SETTLE_S = 2
/** Seconds at hand: the one that runs, and those that wait. A power of two. */
const RING = 4
const MULTIPLIER_A = 0x9e3779b1 | 0
const MULTIPLIER_B = 0x85ebca6b | 0

// Cells of one entry and second: a line that each packet touches, and one for what is rarer.
const PACKETS = 0
const BYTES = 1
const LAST_US = 2
const LEADER_PACKETS = 3
const LEADER_VOTES = 4
const PORT_PACKETS = 5
const PORT_VOTES = 6
const PORT_BYTES = 7
const FLOWS = 8
const REPLIES = 9
const COMPLETED = 10
const REFUSED = 11
const FIRST_US = 12
const CELLS = 16

// Words of one entry and second: the leader's address, the senders' port, which source places are taken, a port of the
// destination and which places of its ports are taken, the sources.
const LEADER_W = 0
const PORT_W = 4
const TAKEN_W = 5
const DST_PORT_W = 7
const DST_PORTS_W = 8
const DST_PORT_PLACES = 1024
const SOURCES_W = DST_PORTS_W + DST_PORT_PLACES / 32
const SOURCES_MAX = 64
const ADDRESS_WORDS = 4
const WORDS = SOURCES_W + SOURCES_MAX * ADDRESS_WORDS

// Words of an entry's key.
const KEY_WORDS = 5
const KEY_PROTO = 4

export interface ArrivalCounters {
  /** Packets of busy destinations for which there was no entry left. */
  packetsNotCounted: number
  /** Seconds of destinations that were not handed over because none of their flows was there any more. */
  secondsWithoutFlow: number
}

/** One second's counters, in the order in which destinations became busy; `slots[i]` holds a flow of `counters[i]`. */
export type OnSecond = (counters: DestinationCounters[], slots: number[]) => void

export class Arrivals {
  readonly counters: ArrivalCounters = { packetsNotCounted: 0, secondsWithoutFlow: 0 }
  readonly #w: Uint32Array
  readonly #f: Float64Array
  readonly #hashSeed: number
  readonly #perSecondMin: number
  readonly #hotMin: number
  readonly #sketch = new Uint8Array(1 << SKETCH_BITS)
  #isSketchUsed = false
  readonly #keys = new Int32Array(ENTRIES_MAX * KEY_WORDS)
  readonly #cells = new Float64Array(ENTRIES_MAX * RING * CELLS)
  readonly #words = new Int32Array(ENTRIES_MAX * RING * WORDS)
  /** A flow of the entry, the newest counted. */
  readonly #slots = new Int32Array(ENTRIES_MAX)
  readonly #index = new Int32Array(INDEX_MASK + 1).fill(NONE)
  /** Entries in the order in which they were made; behind `#entryCount`, the free ones. */
  readonly #order = Int32Array.from({ length: ENTRIES_MAX }, (_, i) => i)
  #entryCount = 0
  /** Which second lies in which place of the ring; -Infinity: none. */
  readonly #seconds = new Float64Array(RING).fill(Number.NEGATIVE_INFINITY)
  #place = 0

  /**
   * @param f, w the table's cells and words.
   * @param perSecondMin connections begun, or other packets, from which a second is told.
   * @param queues how many meters share the line: a destination that is hot has its packets in all of them.
   */
  constructor(f: Float64Array, w: Uint32Array, hashSeed: number, { perSecondMin, queues }: { perSecondMin: number; queues: number }) {
    this.#hotMin = Math.ceil(HOT_MIN / queues)
    this.#f = f
    this.#w = w
    this.#hashSeed = hashSeed
    this.#perSecondMin = perSecondMin
  }

  /** A packet, not TCP's, of a flow that nobody has answered; of ICMP, also of others: each echo wants its answer. */
  datagram(p: Packet, slot: number, isNew: boolean): void {
    if (this.#isHot(p.dstW2, p.dstW3, p.proto)) this.#count(p, slot, isNew)
  }

  /** The first answer in a flow that is not TCP's, and each of ICMP; `p` is sent by the destination. */
  answered(p: Packet): void {
    if (this.#entryCount === 0) return
    const entry = this.#find(p.srcW0, p.srcW1, p.srcW2, p.srcW3, p.proto)
    if (entry !== NONE) this.#cells[(entry * RING + this.#place) * CELLS + REPLIES]++
  }

  /** A SYN that opens a connection. */
  syn(p: Packet, slot: number): void {
    if (this.#isHot(p.dstW2, p.dstW3, p.proto)) this.#count(p, slot, true)
  }

  /** The connection in `slot` was completed, or refused before it was. */
  settled(slot: number, isCompleted: boolean): void {
    if (this.#entryCount === 0) return
    const second = Math.floor(this.#f[slot * Row.ROW_CELLS + Row.CONNECTION_START_US] / US_PER_S)
    const place = second & (RING - 1)
    if (this.#seconds[place] !== second) return
    const at = this.#responderAt(slot)
    const w = this.#w
    const entry = this.#find(w[at] | 0, w[at + 1] | 0, w[at + 2] | 0, w[at + 3] | 0, TCP)
    if (entry !== NONE) this.#cells[(entry * RING + place) * CELLS + (isCompleted ? COMPLETED : REFUSED)]++
  }

  /** Packet time enters `second`: what is older than SETTLE_S is told, and the sketch starts over. */
  turn(second: number, onSecond: OnSecond): void {
    this.#tellBefore(second - SETTLE_S, onSecond)
    if (this.#isSketchUsed) this.#sketch.fill(0)
    this.#isSketchUsed = false
    this.#place = second & (RING - 1)
    this.#seconds[this.#place] = second
  }

  /** The run ends, or the clock was set back: everything is told. */
  finish(onSecond: OnSecond): void {
    this.#tellBefore(Number.POSITIVE_INFINITY, onSecond)
    this.#seconds.fill(Number.NEGATIVE_INFINITY)
  }

  /** Counted one by one: it, or what shares its sketch cell, drew HOT_MIN this second; or it may have an entry already. */
  #isHot(w2: number, w3: number, proto: number): boolean {
    const cell = sketchCell(w2, w3, proto)
    const seen = this.#sketch[cell]
    if (seen >= this.#hotMin) return true
    this.#sketch[cell] = seen + 1
    this.#isSketchUsed = true
    return this.#entryCount > 0 && this.#index[this.#home(w2, w3, proto)] !== NONE
  }

  #count(p: Packet, slot: number, isNew: boolean): void {
    const entry = this.#entryOf(p.dstW0, p.dstW1, p.dstW2, p.dstW3, p.proto)
    if (entry === NONE) return
    const cells = this.#cells
    const at = (entry * RING + this.#place) * CELLS
    const atW = (entry * RING + this.#place) * WORDS
    const timeUs = Math.max(p.timeUs, this.#seconds[this.#place] * US_PER_S)
    const isFirst = cells[at + PACKETS] === 0
    if (isFirst) cells[at + FIRST_US] = timeUs
    if (timeUs > cells[at + LAST_US]) cells[at + LAST_US] = timeUs
    cells[at + PACKETS]++
    cells[at + BYTES] += p.payloadLen
    this.#slots[entry] = slot
    this.#voteLeader(p, at, atW)
    this.#votePort(p, at, atW)
    if (isNew) cells[at + FLOWS]++
    if (isNew || isFirst) this.#noteEnds(p, atW)
  }

  /** The busiest source and, below, the busiest port by majority vote (Boyer and Moore 1981). */
  #voteLeader(p: Packet, at: number, atW: number): void {
    const cells = this.#cells
    const words = this.#words
    const isLeader =
      words[atW + 3] === p.srcW3 && words[atW + 2] === p.srcW2 && words[atW + 1] === p.srcW1 && words[atW + LEADER_W] === p.srcW0
    if (cells[at + LEADER_VOTES] === 0) {
      putAddress(words, atW + LEADER_W, p)
      cells[at + LEADER_VOTES] = 1
      cells[at + LEADER_PACKETS] = 1
    } else if (isLeader) {
      cells[at + LEADER_VOTES]++
      cells[at + LEADER_PACKETS]++
    } else {
      cells[at + LEADER_VOTES]--
    }
  }

  #votePort(p: Packet, at: number, atW: number): void {
    const cells = this.#cells
    if (cells[at + PORT_VOTES] === 0) {
      this.#words[atW + PORT_W] = p.srcPort
      cells[at + PORT_VOTES] = 1
      cells[at + PORT_PACKETS] = 1
      cells[at + PORT_BYTES] = p.payloadLen
    } else if (this.#words[atW + PORT_W] === p.srcPort) {
      cells[at + PORT_VOTES]++
      cells[at + PORT_PACKETS]++
      cells[at + PORT_BYTES] += p.payloadLen
    } else {
      cells[at + PORT_VOTES]--
    }
  }

  /** Some sources by name, one a place of a small table; and the destination's port. */
  #noteEnds(p: Packet, atW: number): void {
    const words = this.#words
    const h = Math.imul(p.dstPort, MULTIPLIER_A)
    // Mixed twice: ports that follow each other would fall on places of their own, and the count be too large.
    const port = Math.imul(h ^ (h >>> 15), MULTIPLIER_B) >>> 22
    words[atW + DST_PORT_W] = p.dstPort
    words[atW + DST_PORTS_W + (port >> 5)] |= 1 << (port & 31)
    const place = Math.imul(p.srcW0 ^ p.srcW1 ^ Math.imul(p.srcW2, MULTIPLIER_B) ^ p.srcW3, MULTIPLIER_A) >>> 26
    const takenW = atW + TAKEN_W + (place >> 5)
    if ((words[takenW] & (1 << (place & 31))) !== 0) return
    words[takenW] |= 1 << (place & 31)
    putAddress(words, atW + SOURCES_W + place * ADDRESS_WORDS, p)
  }

  #entryOf(w0: number, w1: number, w2: number, w3: number, proto: number): number {
    const entry = this.#find(w0, w1, w2, w3, proto)
    if (entry !== NONE) return entry
    // Another destination of its sketch cell, or a neighbour in the index, brought it here.
    if (this.#sketch[sketchCell(w2, w3, proto)] < this.#hotMin) return NONE
    if (this.#entryCount === ENTRIES_MAX) {
      this.counters.packetsNotCounted++
      return NONE
    }
    const made = this.#order[this.#entryCount++]
    const key = made * KEY_WORDS
    this.#keys[key] = w0
    this.#keys[key + 1] = w1
    this.#keys[key + 2] = w2
    this.#keys[key + 3] = w3
    this.#keys[key + KEY_PROTO] = proto
    this.#file(made)
    return made
  }

  #home(w2: number, w3: number, proto: number): number {
    const h = Math.imul(Math.imul(w3 ^ this.#hashSeed, MULTIPLIER_A) ^ w2 ^ proto, MULTIPLIER_B)
    return (h ^ (h >>> 15)) & INDEX_MASK
  }

  #find(w0: number, w1: number, w2: number, w3: number, proto: number): number {
    const keys = this.#keys
    for (let i = this.#home(w2, w3, proto); ; i = (i + 1) & INDEX_MASK) {
      const entry = this.#index[i]
      if (entry === NONE) return NONE
      const key = entry * KEY_WORDS
      if (keys[key + 3] === w3 && keys[key + 2] === w2 && keys[key + 1] === w1 && keys[key] === w0 && keys[key + KEY_PROTO] === proto)
        return entry
    }
  }

  #file(entry: number): void {
    const key = entry * KEY_WORDS
    let i = this.#home(this.#keys[key + 2], this.#keys[key + 3], this.#keys[key + KEY_PROTO])
    while (this.#index[i] !== NONE) i = (i + 1) & INDEX_MASK
    this.#index[i] = entry
  }

  /** Where the row in `slot` keeps the address of whom its initiator sent to. */
  #responderAt(slot: number): number {
    const at = slot * Row.ROW_WORDS
    return at + (1 - (this.#w[at + Row.STATE_W] & Row.ORIG_IS_B)) * ADDRESS_WORDS
  }

  #tellBefore(second: number, onSecond: OnSecond): void {
    const due: number[] = []
    for (let place = 0; place < RING; place++) {
      if (this.#seconds[place] < second && this.#seconds[place] !== Number.NEGATIVE_INFINITY) due.push(place)
    }
    due.sort((a, b) => this.#seconds[a] - this.#seconds[b])
    for (const place of due) {
      if (this.#entryCount > 0) this.#tell(place, onSecond)
      this.#seconds[place] = Number.NEGATIVE_INFINITY
    }
    if (due.length > 0 && this.#entryCount > 0) this.#dropQuiet()
  }

  #tell(place: number, onSecond: OnSecond): void {
    const counters: DestinationCounters[] = []
    const slots: number[] = []
    for (let i = 0; i < this.#entryCount; i++) {
      const entry = this.#order[i]
      const at = (entry * RING + place) * CELLS
      if (this.#cells[at + PACKETS] >= this.#perSecondMin) {
        if (this.#isFlowOf(entry)) {
          counters.push(this.#read(entry, place))
          slots.push(this.#slots[entry])
        } else {
          this.counters.secondsWithoutFlow++
        }
      }
      this.#cells.fill(0, at, at + CELLS)
      const atW = (entry * RING + place) * WORDS
      this.#words.fill(0, atW, atW + SOURCES_W)
    }
    if (counters.length > 0) onSecond(counters, slots)
  }

  /** The slot still holds a flow towards this destination. */
  #isFlowOf(entry: number): boolean {
    const slot = this.#slots[entry]
    const w = this.#w
    const keyProto = w[slot * Row.ROW_WORDS + Row.KEY_PROTO_W]
    if ((keyProto & Row.KEY_IS_LIVE) === 0 || w[slot * Row.ROW_WORDS + Row.PACKETS_W] === 0) return false
    const key = entry * KEY_WORDS
    const at = this.#responderAt(slot)
    for (let i = 0; i < ADDRESS_WORDS; i++) if ((w[at + i] | 0) !== this.#keys[key + i]) return false
    return (keyProto & 0xff) === this.#keys[key + KEY_PROTO]
  }

  #read(entry: number, place: number): DestinationCounters {
    const at = (entry * RING + place) * CELLS
    const atW = (entry * RING + place) * WORDS
    const cell = (offset: number): number => this.#cells[at + offset]
    const words = this.#words
    const sources: string[] = []
    for (let i = 0; i < SOURCES_MAX; i++) {
      const isTaken = (words[atW + TAKEN_W + (i >> 5)] & (1 << (i & 31))) !== 0
      if (isTaken) sources.push(addressAt(words, atW + SOURCES_W + i * ADDRESS_WORDS))
    }
    const proto = this.#keys[entry * KEY_WORDS + KEY_PROTO]
    return {
      destination: addressAt(this.#keys, entry * KEY_WORDS),
      proto,
      atUs: this.#seconds[place] * US_PER_S,
      firstUs: cell(FIRST_US),
      lastUs: cell(LAST_US),
      amounts: {
        packets: cell(PACKETS),
        bytes: cell(BYTES),
        replies: cell(REPLIES),
        flows: cell(FLOWS),
        // What was begun before the entry was made may be completed in it: never less than none.
        halfOpen: proto === TCP ? Math.max(0, cell(FLOWS) - cell(COMPLETED) - cell(REFUSED)) : 0,
        completed: cell(COMPLETED),
        refused: cell(REFUSED),
        stray: 0,
      },
      sources,
      ports: this.#portCount(atW),
      port: words[atW + DST_PORT_W],
      leader: { source: addressAt(words, atW + LEADER_W), packets: cell(LEADER_PACKETS) },
      sourcePort: { port: words[atW + PORT_W], packets: cell(PORT_PACKETS), bytes: cell(PORT_BYTES) },
    }
  }

  /** Linear counting (Whang 1990): exact for a few, some per cent off for thousands. */
  #portCount(atW: number): number {
    let free = DST_PORT_PLACES
    for (let i = 0; i < DST_PORT_PLACES / 32; i++) {
      for (let rest = this.#words[atW + DST_PORTS_W + i]; rest !== 0; rest &= rest - 1) free--
    }
    return Math.round(DST_PORT_PLACES * Math.log(DST_PORT_PLACES / Math.max(1, free)))
  }

  /** Entries without a busy second among those at hand make room; the order of the others stays. */
  #dropQuiet(): void {
    const quiet: number[] = []
    let kept = 0
    for (let i = 0; i < this.#entryCount; i++) {
      const entry = this.#order[i]
      if (this.#isBusy(entry)) this.#order[kept++] = entry
      else quiet.push(entry)
    }
    if (quiet.length === 0) return
    for (const [i, entry] of quiet.entries()) {
      this.#order[kept + i] = entry
      this.#cells.fill(0, entry * RING * CELLS, (entry + 1) * RING * CELLS)
      for (let place = 0; place < RING; place++) {
        const atW = (entry * RING + place) * WORDS
        this.#words.fill(0, atW, atW + SOURCES_W)
      }
    }
    this.#entryCount = kept
    this.#index.fill(NONE)
    for (let i = 0; i < kept; i++) this.#file(this.#order[i])
  }

  #isBusy(entry: number): boolean {
    for (let place = 0; place < RING; place++) {
      if (this.#cells[(entry * RING + place) * CELLS + PACKETS] >= HOT_MIN) return true
    }
    return false
  }
}

function sketchCell(w2: number, w3: number, proto: number): number {
  return Math.imul(Math.imul(w2 ^ proto, MULTIPLIER_B) ^ w3, MULTIPLIER_A) >>> (32 - SKETCH_BITS)
}

function putAddress(words: Int32Array, at: number, p: Packet): void {
  words[at] = p.srcW0
  words[at + 1] = p.srcW1
  words[at + 2] = p.srcW2
  words[at + 3] = p.srcW3
}

function addressAt(words: Int32Array, at: number): string {
  return formatAddress(words[at], words[at + 1], words[at + 2], words[at + 3])
}
