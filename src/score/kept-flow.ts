/**
 * The telling flows of an episode, copied while their rows are alive.
 *
 * In:  judged flows. Out: at most KEPT_MAX plain records, the most telling first, with the features of the first.
 * The invariant: nothing kept refers to a row; a row's numbers are read now or never.
 */

import { eveTime } from '../base/packet-time.ts'
import type { Context } from '../context/context.ts'
import type { Flow, RowRef, TimelinePacket } from '../flow/flow.ts'
import type { KeptFlow } from './evidence.ts'
import type { Judged } from './orientation.ts'

const KEPT_MAX = 8
/** Eight timelines of this length stay under 16 kB of an alert line. */
const TIMELINE_MAX = 32

/** What the features stage knows of a flow; handed in by the sensor. */
export interface FlowReader {
  featureVector: (row: RowRef) => Record<string, number | null>
  timeline: (row: RowRef) => TimelinePacket[]
  communityId: (flow: Flow) => string
}

interface Entry {
  telling: number
  flow: KeptFlow
}

export class KeptFlows {
  features: Record<string, number | null> = {}
  windowFeatures: Record<string, number | null> = {}
  #entries: Entry[] = []

  get list(): KeptFlow[] {
    return this.#entries.map((entry) => entry.flow)
  }

  offer(judged: Judged, telling: number, context: Context, reader: FlowReader, baseSec: number): void {
    const at = this.#entries.findIndex((entry) => telling > entry.telling)
    const index = at < 0 ? this.#entries.length : at
    if (index >= KEPT_MAX) return
    this.#entries.splice(index, 0, { telling, flow: keptFlow(judged, reader, baseSec) })
    this.#entries.length = Math.min(this.#entries.length, KEPT_MAX)
    if (index > 0) return
    const { row } = judged.flow
    this.features = row === null ? {} : reader.featureVector(row)
    this.windowFeatures = context.windowFeatures(judged)
  }
}

/** Addresses and values as oriented: [client, server]. */
export function keptFlow(judged: Judged, reader: FlowReader, baseSec: number): KeptFlow {
  const { flow } = judged
  const isSwapped = judged.addr[0] !== flow.addr[0] || (judged.addr[0] === judged.addr[1] && judged.port[0] !== flow.port[0])
  const timeline = flow.row === null ? [] : reader.timeline(flow.row).slice(0, TIMELINE_MAX)
  return {
    id: flow.id,
    communityId: reader.communityId(flow),
    proto: flow.proto,
    addr: [...judged.addr],
    port: [...judged.port],
    start: eveTime(baseSec, flow.startUs),
    durationUs: flow.lastUs - flow.startUs,
    connState: flow.connState,
    history: flow.history,
    packets: [...judged.packets],
    payloadBytes: [...judged.payloadBytes],
    ipBytes: isSwapped ? [flow.ipBytes[1], flow.ipBytes[0]] : [...flow.ipBytes],
    timeline: timeline.map((packet) => ({ ...packet, direction: isSwapped ? opposite(packet.direction) : packet.direction })),
  }
}

function opposite(direction: 0 | 1): 0 | 1 {
  return direction === 0 ? 1 : 0
}
