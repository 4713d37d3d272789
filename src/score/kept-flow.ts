/**
 * The telling flows of an episode, copied while their rows are alive.
 *
 * In:  judged flows. Out: at most KEPT_MAX plain records, the most telling first, with the features of the first.
 * The invariant: nothing kept refers to a row; a row's numbers are read now or never.
 */

import { eveTime } from '../base/packet-time.ts'
import type { Context } from '../context/context.ts'
import { type Flow, type ForeignRecord, type Measured, type Pair, type RowRef, TCP, type TimelinePacket } from '../flow/flow.ts'
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
  startUs: number
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
    const known = this.#indexOf(judged)
    // The row so far of a flow that was open then: this is more of it.
    if (known >= 0) {
      this.#entries[known].flow = keptFlow(judged, reader, baseSec)
      if (known === 0) this.#noteFeatures(judged, context, reader)
      return
    }
    let index = 0
    while (index < this.#entries.length && telling <= this.#entries[index].telling) index++
    if (index >= KEPT_MAX) return
    this.#entries.splice(index, 0, { telling, startUs: judged.startUs, flow: keptFlow(judged, reader, baseSec) })
    this.#entries.length = Math.min(this.#entries.length, KEPT_MAX)
    if (index === 0) this.#noteFeatures(judged, context, reader)
  }

  #indexOf({ flowId, startUs }: Judged): number {
    for (let i = 0; i < this.#entries.length; i++) {
      const entry = this.#entries[i]
      if (entry.startUs === startUs && entry.flow.id === flowId) return i
    }
    return -1
  }

  #noteFeatures(judged: Judged, context: Context, reader: FlowReader): void {
    const { row } = judged.flow
    const { record } = judged.flow
    this.features = row === null ? statedBy(judged) : reader.featureVector(row)
    // What a record states of the minutes around it, its maker saw; we saw what else is in the file.
    const stated = { ...record?.windowFeatures() }
    this.windowFeatures = Object.keys(stated).length > 0 ? stated : context.windowFeatures(judged)
  }
}

/** A record states its features by its own source; ours are the client's (fwd) and the server's (bwd). */
function statedBy(judged: Judged): Record<string, Measured> {
  const stated = judged.flow.record?.features() ?? {}
  if (!isTurned(judged)) return { ...stated }
  const mirrored = (name: string): string => name.replace(/^(fwd|bwd)(?=_)/, (word) => (word === 'fwd' ? 'bwd' : 'fwd'))
  return Object.fromEntries(Object.entries(stated).map(([name, value]) => [mirrored(name), value]))
}

/** Orientation found that what the record calls its source is the server. */
function isTurned({ flow, addr, port }: Judged): boolean {
  return addr[0] !== flow.addr[0] || (addr[0] === addr[1] && port[0] !== flow.port[0])
}

/** Addresses and values as oriented: [client, server]. */
export function keptFlow(judged: Judged, reader: FlowReader, baseSec: number): KeptFlow {
  const { flow } = judged
  const isSwapped = isTurned(judged)
  const timeline = flow.row === null ? [] : reader.timeline(flow.row).slice(0, TIMELINE_MAX)
  const { record } = flow
  const hasPort = isSwapped && record !== undefined ? [record.hasPort[1], record.hasPort[0]] : record?.hasPort
  // A half that never came was not measured; that it never came stands in the orientation.
  const isUnseen = (side: 0 | 1): boolean => record?.isOneWay === true && judged.packets[side] === 0
  const seen = (pair: Pair<Measured>): [Measured, Measured] => [isUnseen(0) ? null : pair[0], isUnseen(1) ? null : pair[1]]
  return {
    id: flow.id,
    communityId: record?.hasAddresses === false || record?.hasPort.includes(false) ? null : reader.communityId(flow),
    proto: flow.proto,
    addr: record?.hasAddresses === false ? [null, null] : [...judged.addr],
    port: [hasPort?.[0] === false ? null : judged.port[0], hasPort?.[1] === false ? null : judged.port[1]],
    start: eveTime(baseSec, flow.startUs),
    ...(flow.connectionStartUs === undefined ? {} : { connectionStart: eveTime(baseSec, flow.connectionStartUs) }),
    durationUs: flow.lastUs - flow.startUs,
    connState: isSwapped ? turnedState(flow) : flow.connState,
    history: isSwapped && flow.history !== null ? turnedHistory(flow.history) : flow.history,
    packets: seen(judged.packets),
    payloadBytes: record?.isPayloadEstimated ? [null, null] : seen(judged.payloadBytes),
    ipBytes: seen(isSwapped ? [flow.ipBytes[1], flow.ipBytes[0]] : flow.ipBytes),
    timeline: timeline.map((packet) => ({ ...packet, direction: isSwapped ? opposite(packet.direction) : packet.direction })),
    ...(record === undefined ? {} : { record: keptRecord(record, isSwapped) }),
  }
}

function keptRecord(record: ForeignRecord, isSwapped: boolean): NonNullable<KeptFlow['record']> {
  const { format, file, line, name, side, isPayloadEstimated, hasUnusableFlags } = record
  return { format, file, line, name, side: isSwapped ? opposite(side) : side, isPayloadEstimated, hasUnusableFlags }
}

/** conn_state names the ends: of those that name one, what it is called from the other. */
const TURNED_STATES: Readonly<Record<string, string>> = { S2: 'S3', S3: 'S2', RSTO: 'RSTR', RSTR: 'RSTO', SH: 'SHR', SHR: 'SH' }
/** Of datagrams, where it says only who sent. */
const TURNED_DATAGRAM_STATES: Readonly<Record<string, string>> = { S0: 'SHR', SHR: 'S0' }

function turnedState({ proto, connState }: Flow): string | null {
  if (connState === null) return null
  const states = proto === TCP ? TURNED_STATES : TURNED_DATAGRAM_STATES
  return Object.hasOwn(states, connState) ? states[connState] : connState
}

function turnedHistory(history: string): string {
  return [...history].map((letter) => (letter === letter.toLowerCase() ? letter.toUpperCase() : letter.toLowerCase())).join('')
}

function opposite(direction: 0 | 1): 0 | 1 {
  return direction === 0 ? 1 : 0
}
