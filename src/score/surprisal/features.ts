/**
 * What the anomaly model looks at in a flow: 26 values, each put into one of 32 bins by a fixed transform (SCORER.md section 4.1).
 *
 * In:  a judged flow and what its hosts did lately. Out: bin numbers, NO_BIN where a flow has no such value.
 * Not: learnt ranges. A fixed transform means the same before and after every commit, and on every sensor.
 * The invariant: what was not measured is left out, never 0; and a bin's number is ⌊32 · min(0.999999, T(x) / R)⌋.
 */

import { CLIENT, SERVER } from '../../context/contact.ts'
import type { Observed } from '../../context/windows.ts'
import { ICMP, ICMPV6, TCP } from '../../flow/flow.ts'
import type { Unit } from '../evidence.ts'
import type { Judged } from '../orientation.ts'

/** Bins of one feature, and of one side of a pair of features. */
export const BINS = 32
export const PAIR_BINS = 16
export const NO_BIN = -1
/** What a value beyond its range is taken for: the last bin. */
const RATIO_MAX = 0.999999

/** `log2`: log2(1 + x); `half`: (x + 1) / 2; `quarter`: x / 4; `id`: x itself. */
export type Transform = 'log2' | 'half' | 'quarter' | 'id'

export interface SurprisalFeature {
  name: string
  /** Goes after "its": words for reports, without numbers. */
  words: string
  unit: Unit
  transform: Transform
  range: number
  /** Bins without order: only their own share counts, no tail. */
  isCategory: boolean
}

export const SURPRISAL_FEATURES = [
  { name: 'duration_ms', words: 'duration', unit: 'us', transform: 'log2', range: 26, isCategory: false },
  { name: 'client_bytes', words: 'payload sent', unit: 'B', transform: 'log2', range: 36, isCategory: false },
  { name: 'server_bytes', words: 'payload received', unit: 'B', transform: 'log2', range: 36, isCategory: false },
  { name: 'client_packets', words: 'packets sent', unit: 'count', transform: 'log2', range: 24, isCategory: false },
  { name: 'server_packets', words: 'packets received', unit: 'count', transform: 'log2', range: 24, isCategory: false },
  { name: 'client_packet_bytes', words: 'payload of a packet sent', unit: 'B', transform: 'log2', range: 11, isCategory: false },
  { name: 'server_packet_bytes', words: 'payload of a packet received', unit: 'B', transform: 'log2', range: 11, isCategory: false },
  { name: 'push_ratio', words: 'balance of sent and received', unit: 'ratio', transform: 'half', range: 1, isCategory: false },
  { name: 'byte_rate', words: 'rate', unit: 'Bps', transform: 'log2', range: 34, isCategory: false },
  { name: 'gap_mean_ms', words: 'mean gap between packets', unit: 'us', transform: 'log2', range: 24, isCategory: false },
  { name: 'gap_variation', words: 'variation of the gaps', unit: 'ratio', transform: 'quarter', range: 1, isCategory: false },
  { name: 'idle_share', words: 'share of silence', unit: 'ratio', transform: 'id', range: 1, isCategory: false },
  { name: 'client_packet_std', words: 'spread of packet sizes sent', unit: 'B', transform: 'log2', range: 11, isCategory: false },
  { name: 'server_packet_std', words: 'spread of packet sizes received', unit: 'B', transform: 'log2', range: 11, isCategory: false },
  { name: 'since_last_ms', words: 'time since the last such connection', unit: 'us', transform: 'log2', range: 30, isCategory: false },
  { name: 'client_flows', words: "client's flows in five minutes", unit: 'count', transform: 'log2', range: 16, isCategory: false },
  { name: 'client_servers', words: "client's different servers", unit: 'count', transform: 'log2', range: 14, isCategory: false },
  { name: 'client_ports', words: "client's different server ports", unit: 'count', transform: 'log2', range: 14, isCategory: false },
  {
    name: 'client_fail_share',
    words: "share of the client's flows that failed",
    unit: 'ratio',
    transform: 'id',
    range: 1,
    isCategory: false,
  },
  {
    name: 'client_bytes_out',
    words: 'all that the client sent in five minutes',
    unit: 'B',
    transform: 'log2',
    range: 36,
    isCategory: false,
  },
  { name: 'server_flows', words: "server's flows in five minutes", unit: 'count', transform: 'log2', range: 16, isCategory: false },
  { name: 'server_clients', words: "server's different clients", unit: 'count', transform: 'log2', range: 14, isCategory: false },
  { name: 'state', words: 'way it ended', unit: 'count', transform: 'id', range: 8, isCategory: true },
  { name: 'new_pair', words: 'first meeting of the two hosts', unit: 'count', transform: 'id', range: 2, isCategory: true },
  { name: 'new_port', words: "client's first use of this port", unit: 'count', transform: 'id', range: 2, isCategory: true },
  { name: 'time_of_week', words: 'time of the week', unit: 'count', transform: 'id', range: 24, isCategory: true },
] as const satisfies readonly SurprisalFeature[]

export type SurprisalFeatureName = (typeof SURPRISAL_FEATURES)[number]['name']

export const FEATURE_COUNT = SURPRISAL_FEATURES.length

/** Index of a feature; a misspelt name does not compile. */
export function featureIndex(name: SurprisalFeatureName): number {
  return SURPRISAL_FEATURES.findIndex((feature) => feature.name === name)
}

export const TIME_OF_WEEK = featureIndex('time_of_week')

/** Two features whose values go together: the surprise of the second, given the first. */
export const FEATURE_PAIRS: readonly (readonly [number, number])[] = (
  [
    ['client_bytes', 'server_bytes'],
    ['duration_ms', 'server_bytes'],
    ['duration_ms', 'client_bytes'],
    ['state', 'server_packets'],
    ['since_last_ms', 'client_bytes'],
    ['client_flows', 'client_servers'],
    ['client_flows', 'client_fail_share'],
    ['client_packet_bytes', 'client_packets'],
  ] as const satisfies readonly (readonly [SurprisalFeatureName, SurprisalFeatureName])[]
).map(([a, b]) => [featureIndex(a), featureIndex(b)])

export const PAIR_COUNT = FEATURE_PAIRS.length

/** Ways a flow ends, in the order of their bins. */
const STATES = ['est-data', 'est-nodata', 'no-answer', 'rst-by-server', 'rst-by-client', 'mid-stream', 'icmp-ok', 'icmp-err'] as const
type State = (typeof STATES)[number]
export const STATE_WORDS: readonly string[] = [
  'data both ways',
  'connected, no data',
  'no answer',
  'reset by the server',
  'reset by the client',
  'joined midway',
  'echo answered',
  'unreachable',
]

/** Zeek's conn_state; established ones are told apart by their data. */
const CONN_STATES: Readonly<Record<string, State>> = {
  S0: 'no-answer',
  SH: 'no-answer',
  REJ: 'rst-by-server',
  RSTR: 'rst-by-server',
  RSTRH: 'mid-stream',
  SHR: 'mid-stream',
  OTH: 'mid-stream',
  RSTO: 'rst-by-client',
  RSTOS0: 'rst-by-client',
}

const US_PER_MS = 1000
const US_PER_S = 1e6
const HOUR_S = 3600
const DAY_S = 24 * HOUR_S
/** 1970-01-01 was a Thursday. */
const FIRST_WEEKDAY = 4

/** 24 classes of the week: two hours each of working days, then of weekends. UTC, as all times are. */
export function timeOfWeek(sec: number): number {
  const weekday = (Math.floor(sec / DAY_S) + FIRST_WEEKDAY) % 7
  const slot = Math.floor((sec % DAY_S) / (2 * HOUR_S))
  return weekday === 0 || weekday === 6 ? 12 + slot : slot
}

/** First values of each bin of log2 features, and where to begin looking for a value of each power of two. */
interface Steps {
  from: Float64Array
  startOf: Uint8Array
}

function stepsOf(range: number): Steps {
  const from = Float64Array.from({ length: BINS }, (_, b) => 2 ** ((b * range) / BINS) - 1)
  const startOf = Uint8Array.from({ length: 32 }, (_, e) =>
    Math.max(
      0,
      from.findLastIndex((x) => x <= 2 ** e - 1),
    ),
  )
  return { from, startOf }
}

const STEPS: readonly (Steps | null)[] = SURPRISAL_FEATURES.map((f) => (f.transform === 'log2' ? stepsOf(f.range) : null))
const RATIO_RANGES = SURPRISAL_FEATURES.map((f) => f.range)
const TRANSFORMS: readonly Transform[] = SURPRISAL_FEATURES.map((f) => f.transform)
const CLZ_MAX = 2 ** 31 - 2

/** @param value NaN for what was not measured */
export function binOf(feature: number, value: number): number {
  if (Number.isNaN(value)) return NO_BIN
  const steps = STEPS[feature]
  if (steps === null) return ratioBin(TRANSFORMS[feature], value, RATIO_RANGES[feature])
  const { from, startOf } = steps
  let bin = value <= CLZ_MAX ? startOf[31 - Math.clz32(value + 1)] : startOf[30]
  while (bin < BINS - 1 && value >= from[bin + 1]) bin++
  return bin
}

function ratioBin(transform: Transform, value: number, range: number): number {
  const shaped = transform === 'half' ? (value + 1) / 2 : transform === 'quarter' ? value / 4 : value
  return (Math.min(RATIO_MAX, Math.max(0, shaped / range)) * BINS) | 0
}

/** The value at a place in a feature's bins, counted in bins: 3.5 is the middle of the fourth. */
export function valueAt(feature: number, place: number): number {
  const { transform, range } = SURPRISAL_FEATURES[feature]
  const shaped = (place / BINS) * range
  if (transform === 'log2') return 2 ** shaped - 1
  if (transform === 'half') return 2 * shaped - 1
  return transform === 'quarter' ? 4 * shaped : shaped
}

const nanOf = (value: number | null | undefined): number => value ?? Number.NaN

/** Writes the 26 values of a flow into `out`, in the table's order; NaN for what was not measured. */
export function measure(judged: Judged, observed: Observed, baseSec: number, out: Float64Array): void {
  const { flow } = judged
  const client = nanOf(judged.payloadBytes[CLIENT])
  const server = nanOf(judged.payloadBytes[SERVER])
  // How many packets the wire carried is not known where the capturing host merged some: nothing is unusual by their number and sizes.
  const isMerged = flow.mergedPackets !== undefined
  const clientPackets = isMerged ? Number.NaN : nanOf(judged.packets[CLIENT])
  const serverPackets = isMerged ? Number.NaN : nanOf(judged.packets[SERVER])
  const durationUs = judged.lastUs - judged.startUs
  const packets = clientPackets + serverPackets
  const gapMeanUs = packets >= 2 ? durationUs / (packets - 1) : Number.NaN
  const { activity } = observed
  out[0] = durationUs / US_PER_MS
  out[1] = client
  out[2] = server
  out[3] = clientPackets
  out[4] = serverPackets
  out[5] = clientPackets > 0 ? client / clientPackets : Number.NaN
  out[6] = serverPackets > 0 ? server / serverPackets : Number.NaN
  out[7] = client + server > 0 ? (client - server) / (client + server) : Number.NaN
  out[8] = durationUs > 0 ? ((client + server) * US_PER_S) / durationUs : Number.NaN
  out[9] = gapMeanUs / US_PER_MS
  out[10] = packets >= 3 && gapMeanUs > 0 ? nanOf(flow.gapStdUs) / gapMeanUs : Number.NaN
  out[11] = durationUs > 0 ? nanOf(flow.idleUs) / durationUs : Number.NaN
  out[12] = sizeStd(judged, CLIENT)
  out[13] = sizeStd(judged, SERVER)
  out[14] = activity.sinceLastUs / US_PER_MS
  out[15] = activity.clientFlows
  out[16] = activity.clientServers
  out[17] = activity.clientPorts
  out[18] = activity.clientFlows > 0 ? activity.clientFailed / activity.clientFlows : Number.NaN
  out[19] = activity.clientBytes
  out[20] = activity.serverFlows
  out[21] = activity.serverClients
  out[22] = stateOf(judged)
  out[23] = activity.isNewPair ? 1 : 0
  out[24] = activity.isNewPort ? 1 : 0
  out[25] = timeOfWeek(baseSec + judged.startUs / US_PER_S)
}

function sizeStd(judged: Judged, side: 0 | 1): number {
  const n = judged.packets[side] ?? 0
  const sum = judged.payloadBytes[side]
  const squares = judged.payloadSquares?.[side]
  if (n < 2 || sum === null || squares === null || squares === undefined) return Number.NaN
  return Math.sqrt(Math.max(0, (squares - (sum * sum) / n) / (n - 1)))
}

const STATE = Object.fromEntries(STATES.map((state, i) => [state, i])) as Readonly<Record<State, number>>

/** Index into STATES; NaN when the record does not tell. */
function stateOf(judged: Judged): number {
  const { flow, proto, packets, payloadBytes } = judged
  if ((flow.icmpErrors ?? 0) > 0) return STATE['icmp-err']
  const server = packets[SERVER]
  if (proto === ICMP || proto === ICMPV6) {
    if (server === null) return Number.NaN
    return STATE[server > 0 ? 'icmp-ok' : 'no-answer']
  }
  if (proto !== TCP) {
    if (server === null) return Number.NaN
    return STATE[server > 0 ? 'est-data' : 'no-answer']
  }
  if (judged.failure === 'refused') return STATE['rst-by-server']
  if (flow.connState === null) return Number.NaN
  const ended = CONN_STATES[flow.connState]
  if (ended !== undefined) return STATE[ended]
  const hasData = (payloadBytes[CLIENT] ?? 0) + (payloadBytes[SERVER] ?? 0) > 0
  return STATE[hasData ? 'est-data' : 'est-nodata']
}
