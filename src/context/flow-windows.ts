/**
 * The windowed features for flow records, where nothing is judged: `flows --windows`.
 *
 * In:  flows in row order. Out: the five numbers about a flow's initiator and responder (window-features.ts), the flow itself included.
 * Not: orientation by ports and server tables, which belongs to judging: here the source is the initiator.
 */
import { type Flow, ORIG, RESP } from '../flow/flow.ts'
import { HostTable } from './host-table.ts'
import type { MinuteRing } from './minute-ring.ts'
import { addToSource, addToTarget, sourceRing, targetRing, windowFeatures } from './window-features.ts'

/** No longer in any window: six minutes. */
const QUIET_US = 360e6

export class FlowWindows {
  readonly #sources: HostTable<MinuteRing>
  readonly #targets: HostTable<MinuteRing>

  constructor(hostsMax: number) {
    this.#sources = new HostTable(hostsMax, QUIET_US)
    this.#targets = new HostTable(hostsMax, QUIET_US)
  }

  /** Hosts forgotten because the table was full: their sums start anew. */
  get evictedCount(): number {
    return this.#sources.evictedCount + this.#targets.evictedCount
  }

  /** Adds the flow, and gives the sums with it. */
  join(flow: Flow): Record<string, number> {
    this.#sources.advance(flow.endUs)
    this.#targets.advance(flow.endUs)
    const source = this.#sources.getOrCreate(flow.addr[ORIG], sourceRing)
    const target = this.#targets.getOrCreate(flow.addr[RESP], targetRing)
    addToSource(source, flow.endUs, flow.proto, flow.packets[ORIG] ?? 0, (flow.flags?.[ORIG].syn ?? 0) > 0)
    addToTarget(target, flow.endUs)
    return windowFeatures(source, target, flow.endUs)
  }
}
