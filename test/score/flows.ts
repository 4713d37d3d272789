/**
 * Flows made by hand, for tests of context/ and score/. Times in seconds; everything else as in `Flow`.
 */

import { NetworkSet } from '../../src/base/address.ts'
import type { DestinationCounters } from '../../src/flow/destination-counters.ts'
import type { FlagCounts, Flow } from '../../src/flow/flow.ts'
import { TCP, UDP } from '../../src/flow/flow.ts'
import { Analyst } from '../../src/score/analyst.ts'
import type { AlertEvent } from '../../src/score/evidence.ts'
import type { ScoreOptions } from '../../src/score/options.ts'
import { defaultScoreOptions } from '../../src/score/options.ts'

const S = 1e6
export const BASE_SEC = 1_787_000_000

const NO_FLAGS: FlagCounts = { fin: 0, syn: 0, rst: 0, psh: 0, ack: 0, urg: 0, ece: 0, cwr: 0, synAck: 0 }
export const flags = (some: Partial<FlagCounts> = {}): FlagCounts => ({ ...NO_FLAGS, ...some })

export interface Ends {
  client: string
  server: string
  port: number
  clientPort?: number
  at: number
}

let nextId = 1

export function flow(ends: Ends, over: Partial<Flow> = {}): Flow {
  const startUs = ends.at * S
  return {
    id: nextId++,
    proto: TCP,
    addr: [ends.client, ends.server],
    port: [ends.clientPort ?? 40_000 + (nextId % 20_000), ends.port],
    vlans: [],
    startUs,
    lastUs: startUs,
    endUs: startUs + 60 * S,
    endReason: 'idle',
    directionBasis: 'syn',
    isContinuation: false,
    packets: [1, 0],
    payloadBytes: [0, 0],
    ipBytes: [60, 0],
    flags: [flags({ syn: 1 }), flags()],
    connState: 'S0',
    history: 'S',
    icmpErrors: 0,
    idleUs: 0,
    firstFlags: 0x02,
    row: null,
    ...over,
  }
}

/** A SYN and silence; `packets` counts its retransmissions. */
export const unanswered = (ends: Ends, packets = 1): Flow =>
  flow(ends, { packets: [packets, 0], flags: [flags({ syn: packets }), flags()] })

/** A SYN answered by a reset. */
export const refused = (ends: Ends): Flow =>
  flow(ends, {
    packets: [1, 1],
    flags: [flags({ syn: 1 }), flags({ rst: 1, ack: 1 })],
    endUs: ends.at * S + 5 * S,
    connState: 'REJ',
    history: 'Sr',
  })

/** A whole connection with data both ways. */
export function session(ends: Ends, clientBytes = 500, serverBytes = 5000, seconds = 1): Flow {
  const lastUs = (ends.at + seconds) * S
  return flow(ends, {
    lastUs,
    endUs: lastUs + 5 * S,
    endReason: 'fin',
    packets: [8, 8],
    payloadBytes: [clientBytes, serverBytes],
    ipBytes: [clientBytes + 320, serverBytes + 320],
    flags: [flags({ syn: 1, ack: 7, fin: 1, psh: 2 }), flags({ syn: 1, synAck: 1, ack: 8, fin: 1, psh: 2 })],
    connState: 'SF',
    history: 'ShADadFf',
  })
}

export const datagram = (ends: Ends, over: Partial<Flow> = {}): Flow =>
  flow(ends, {
    proto: UDP,
    flags: null,
    firstFlags: null,
    directionBasis: 'first_packet',
    payloadBytes: [30, 0],
    connState: null,
    history: null,
    ...over,
  })

export const datagramAnswered = (ends: Ends): Flow => datagram(ends, { packets: [1, 1], payloadBytes: [30, 90] })

export const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i)

/** Rows leave the meter in the order of their end. */
export const inRowOrder = (flows: readonly Flow[]): Flow[] => [...flows].sort((a, b) => a.endUs - b.endUs || a.startUs - b.startUs)

/** Counters of a second in which so many connections were begun and left half open; one source sends all, unless `sources` are many. */
export function openedTo(destination: string, atUs: number, halfOpen: number, sources = ['20.0.0.0']): DestinationCounters {
  return {
    destination,
    proto: 6,
    atUs,
    firstUs: atUs,
    lastUs: atUs + 0.9 * S,
    amounts: { packets: halfOpen, bytes: 0, replies: 0, flows: halfOpen, halfOpen, completed: 0, refused: 0, stray: 0 },
    sources,
    ports: 1,
    port: 80,
    leader: { source: sources[0], packets: Math.ceil(halfOpen / sources.length) },
    sourcePort: { port: 4000, packets: 1, bytes: 0 },
  }
}

export interface Run {
  events: AlertEvent[]
  /** The closing event of each episode. */
  alerts: AlertEvent[]
  counters: Readonly<Record<string, number>>
}

export function analyst(emit: (event: AlertEvent) => void, score: ScoreOptions = defaultScoreOptions()): Analyst {
  return new Analyst({
    score,
    baseSec: BASE_SEC,
    internal: new NetworkSet(['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', 'fd00::/8', 'fe80::/10']),
    visibility: () => ({
      packetsSeen: 1,
      packetsNotDecoded: 0,
      truncatedPackets: 0,
      latePackets: 0,
      evictedFlows: 0,
      bothHalves: null,
      inputDamage: null,
      source: 'file',
    }),
    featureVector: () => ({}),
    timeline: () => [],
    communityId: (f) => `1:${f.id}`,
    emit,
    sensor: { name: 'test', version: '0', configDigest: '0' },
    featureSet: 'test',
  })
}

export function judge(flows: readonly Flow[], score?: ScoreOptions): Run {
  const events: AlertEvent[] = []
  const it = analyst((event) => events.push(event), score)
  const rows = inRowOrder(flows)
  for (const row of rows) it.onFlow(row)
  it.finish(rows.length === 0 ? 0 : rows[rows.length - 1].endUs)
  return { events, alerts: events.filter((e) => e.event === 'close'), counters: it.counters }
}

/** `kind actor→first victim (count)` of each alert, for table tests. */
export const said = (run: Run): string[] => run.alerts.map((a) => `${a.kind} ${a.actor}→${a.victims.addresses[0]} (${a.victims.count})`)
