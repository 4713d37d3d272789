/**
 * The windowed features under the NetFlow names that analysts know (REPORT.md section 1, item 6).
 *
 * In:  contacts in row order. Out: five numbers about a flow's source and destination host over the last five minutes.
 * Not: packets of flows still open: a flow counts with all it is worth when its row arrives, as in a flow collector.
 *
 * Source and destination are client and server after orientation.
 */

import { ICMP, ICMPV6, TCP, UDP } from '../flow/flow.ts'
import { MinuteRing } from './minute-ring.ts'

const FLOWS = 0
const PACKETS = 1
const SYN_FLOWS = 2
/** TCP, UDP, ICMP of both families, everything else. */
const PROTO = 3
const PROTO_KINDS = 4

/** What the anomaly model reads beside: failed flows, payload sent. */
const FAILED = PROTO + PROTO_KINDS
const BYTES = FAILED + 1

export function sourceRing(): MinuteRing {
  return new MinuteRing(BYTES + 1)
}

export function targetRing(): MinuteRing {
  return new MinuteRing(1)
}

export function addToSource(ring: MinuteRing, endUs: number, proto: number, packets: number, hasSyn: boolean): void {
  ring.advance(endUs)
  ring.addNow(FLOWS, 1)
  ring.addNow(PACKETS, packets)
  if (hasSyn) ring.addNow(SYN_FLOWS, 1)
  ring.addNow(PROTO + protoKind(proto), 1)
}

export function addToTarget(ring: MinuteRing, endUs: number): void {
  ring.add(endUs, FLOWS, 1)
}

/** Of the contact that `addToSource` was told of. */
export function addActivity(ring: MinuteRing, bytes: number, hasFailed: boolean): void {
  if (hasFailed) ring.addNow(FAILED, 1)
  if (bytes > 0) ring.addNow(BYTES, bytes)
}

/** Of a source or a target, as of the contact last added; so are the next two. */
export function flowsInWindow(ring: MinuteRing): number {
  return ring.sumNow(FLOWS)
}

export function failedInWindow(ring: MinuteRing): number {
  return ring.sumNow(FAILED)
}

export function bytesInWindow(ring: MinuteRing): number {
  return ring.sumNow(BYTES)
}

type WindowFeature = {
  name: string
  unit: string
  definition: string
  compute: (source: MinuteRing, target: MinuteRing, endUs: number) => number
}

/** Sums run over the flow's minute and the five whole minutes before it. */
export const WINDOW_FEATURES = [
  {
    name: 'dst_flows_in_window',
    unit: 'flows',
    definition: 'Flows that ended towards the same server.',
    compute: (_source, target, endUs) => target.sum(endUs, FLOWS),
  },
  {
    name: 'src_entropy_PROTOCOL',
    unit: 'bit',
    definition: 'Shannon entropy of the protocols (TCP, UDP, ICMP, other) of the flows of the same client; at most 2 bits.',
    compute: (source, _target, endUs) => protoEntropyBits(source, endUs),
  },
  {
    name: 'src_IN_PKTS_sum',
    unit: 'packets',
    definition: 'Packets that the same client sent.',
    compute: (source, _target, endUs) => source.sum(endUs, PACKETS),
  },
  {
    name: 'src_flows_in_window',
    unit: 'flows',
    definition: 'Flows of the same client that ended.',
    compute: (source, _target, endUs) => source.sum(endUs, FLOWS),
  },
  {
    name: 'src_flag_SYN',
    unit: 'flows',
    definition: 'Flows of the same client with a SYN from it.',
    compute: (source, _target, endUs) => source.sum(endUs, SYN_FLOWS),
  },
] as const satisfies readonly WindowFeature[]

export function windowFeatures(source: MinuteRing, target: MinuteRing, endUs: number): Record<string, number> {
  const features = WINDOW_FEATURES.map((f): [string, number] => [f.name, f.compute(source, target, endUs)])
  return Object.fromEntries([...features, [PROTOCOLS_NAME, protocolsInWindow(source, endUs)]])
}

/** An entropy says nothing without the number of values behind it: told with the features, and no column of any format. */
const PROTOCOLS_NAME = 'src_values_PROTOCOL'

function protocolsInWindow(source: MinuteRing, endUs: number): number {
  let kinds = 0
  for (let kind = 0; kind < PROTO_KINDS; kind++) if (source.sum(endUs, PROTO + kind) > 0) kinds++
  return kinds
}

function protoKind(proto: number): number {
  if (proto === TCP) return 0
  if (proto === UDP) return 1
  return proto === ICMP || proto === ICMPV6 ? 2 : 3
}

function protoEntropyBits(source: MinuteRing, endUs: number): number {
  const flows = source.sum(endUs, FLOWS)
  let bits = 0
  for (let kind = 0; kind < PROTO_KINDS; kind++) {
    const share = source.sum(endUs, PROTO + kind) / flows
    if (share > 0) bits -= share * Math.log2(share)
  }
  return bits
}
