/**
 * CICFlowMeter's flow table, plain and slow: what the compat profiles are metered by, and what tests hold the fast meter to.
 *
 * In:  slabs. Out: flows through `onFlow`: those that ended, in the order in which they ended; at the end of the input those
 *      still open, in the order of their first packets. (The tools write the latter in the order of a Java HashMap.)
 * Not: timers, and no bound on memory: a flow is looked at only when a packet with its own key comes (O20). FEATURES.md section 3.
 */
import type { Slab } from '../../capture/slab.ts'
import { ACK, FIN, RST, SYN } from '../../decode/packet.ts'
import { UDP } from '../../flow/flow.ts'
import { type PlainPacket, plainFrames } from './plain-reader.ts'
import { BACKWARD, type Ends, endsOf, FORWARD, newConnection, ReferenceFlow, reversed } from './reference-flow.ts'
import { type CompatProfile, type Rules, rulesOf } from './rules.ts'

const FLOW_TIMEOUT_US = 120_000_000

export class ReferenceMeter {
  /** Frames seen, those of them that the plain reader read, octets on the wire, flows written, time of the newest frame. */
  readonly counters = { seen: 0, read: 0, wireBytes: 0, flows: 0, newestUs: 0 }
  readonly #rules: Rules
  readonly #onFlow: (flow: ReferenceFlow) => void
  /** In the order of their first packets. */
  readonly #open = new Map<string, ReferenceFlow>()

  /** @param rules only tests give their own, to see what one rule changes */
  constructor(profile: CompatProfile, onFlow: (flow: ReferenceFlow) => void, rules: Rules = rulesOf(profile)) {
    this.#rules = rules
    this.#onFlow = onFlow
  }

  meterSlab(slab: Slab): void {
    const { counters } = this
    for (const { timeUs, wireLen, packet } of plainFrames(slab)) {
      counters.seen++
      counters.wireBytes += wireLen
      counters.newestUs = timeUs
      if (packet !== null) this.meter(packet)
    }
  }

  meter(p: PlainPacket): void {
    this.counters.read++
    const ends = endsOf(p)
    const flow = this.#open.get(keyOf(ends, p.proto)) ?? this.#open.get(keyOf(reversed(ends), p.proto))
    if (flow === undefined) this.#start(this.#sourceFirst(p), p)
    else if (this.#isOver(flow, p)) this.#restart(flow, p)
    else if ((p.flags & FIN) !== 0) this.#addFin(flow, p)
    else if ((p.flags & RST) !== 0) this.#addReset(flow, p)
    else this.#addOther(flow, p)
  }

  /** The input has ended. */
  finish(): void {
    for (const flow of [...this.#open.values()]) this.#end(flow)
  }

  #sourceFirst(p: PlainPacket): Ends {
    const isReply = (p.flags & (SYN | ACK)) === (SYN | ACK)
    return this.#rules.synAckReverses && isReply ? reversed(endsOf(p)) : endsOf(p)
  }

  #start(ends: Ends, p: PlainPacket, id = keyOf(ends, p.proto)): void {
    this.#open.set(id, new ReferenceFlow(this.#rules, id, ends, p, newConnection()))
  }

  #isOver(flow: ReferenceFlow, p: PlainPacket): boolean {
    return p.timeUs - flow.startUs > FLOW_TIMEOUT_US || (flow.close === 'closed' && (p.flags & SYN) !== 0)
  }

  /** A new flow under the same key: one of its own, or the next piece of the same connection. */
  #restart(flow: ReferenceFlow, p: PlainPacket): void {
    this.#end(flow)
    const isReused = flow.close === 'closed' && (p.flags & SYN) !== 0
    const isSilentUdp = this.#rules.silentUdpStartsAnew && p.proto === UDP && p.timeUs - flow.lastUs > FLOW_TIMEOUT_US
    if (isReused || isSilentUdp) {
      this.#start(this.#sourceFirst(p), p, flow.id)
      return
    }
    const { segments, earlierUs } = flow.connection
    const connection = { segments, earlierUs: earlierUs + p.timeUs - flow.startUs }
    const direction = this.#rules.cutStartsForward ? FORWARD : undefined
    this.#open.set(flow.id, new ReferenceFlow(this.#rules, flow.id, flow.ends, p, connection, direction))
  }

  #addFin(flow: ReferenceFlow, p: PlainPacket): void {
    const direction = flow.directionOf(p)
    flow.fins[direction]++
    const isEnd = this.#rules.firstBackwardFinEnds && direction === BACKWARD
    if (this.#rules.repeatedForwardFinIsLost && direction === FORWARD && flow.fins[FORWARD] > 1) return
    flow.add(p)
    if (isEnd) this.#end(flow)
    else if (flow.close === 'open') flow.close = 'one FIN'
    else if (flow.close === 'one FIN' && flow.fins[FORWARD] > 0 && flow.fins[BACKWARD] > 0) flow.close = 'both FIN'
  }

  #addReset(flow: ReferenceFlow, p: PlainPacket): void {
    flow.add(p)
    if (this.#rules.endedFlowsLeave) this.#end(flow)
    else flow.close = 'closed'
  }

  #addOther(flow: ReferenceFlow, p: PlainPacket): void {
    flow.add(p)
    if (flow.close === 'both FIN' && (p.flags & ACK) !== 0) flow.close = 'closed'
  }

  #end(flow: ReferenceFlow): void {
    this.#open.delete(flow.id)
    if (flow.packets === 1 && this.#rules.onePacketFlowsAreLost) return
    this.counters.flows++
    this.#onFlow(flow)
  }
}

function keyOf(ends: Ends, proto: number): string {
  return `${ends.src}-${ends.dst}-${ends.srcPort}-${ends.dstPort}-${proto}`
}
