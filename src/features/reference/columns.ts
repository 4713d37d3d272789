/**
 * CICFlowMeter's columns, in its order and spelling, read from the reference meter's flows (FEATURES.md section 5).
 *
 * In:  a flow. Out: a header and a CSV line, numbers as JavaScript writes them.
 * Not: Java's spelling of doubles (`1.0E7`, `0` beside `0.0`): cells are equal as numbers.
 */
import { cicTime, twelveHourTime } from '../../base/packet-time.ts'
import { BACKWARD, type FlagName, FORWARD, type ReferenceFlow } from './reference-flow.ts'
import type { CompatProfile } from './rules.ts'
import type { RunningStatistics } from './running-statistics.ts'

interface Column {
  name: string
  of(flow: ReferenceFlow): number | string
  /** The profile that has it; absent: both. */
  in?: CompatProfile
}

const US_PER_S = 1e6

const WORDS = ['Fwd', 'Bwd'] as const
const DIRECTIONS = [FORWARD, BACKWARD] as const

/** The same columns for both directions, forward first. */
function both(make: (d: 0 | 1, word: (typeof WORDS)[number]) => Column | Column[]): Column[] {
  return DIRECTIONS.flatMap((d) => make(d, WORDS[d]))
}

type Statistic = 'max' | 'min' | 'mean' | 'std'

function statistics(prefix: string, names: readonly Statistic[], of: (flow: ReferenceFlow) => RunningStatistics): Column[] {
  return names.map((name) => ({ name: `${prefix} ${name[0].toUpperCase()}${name.slice(1)}`, of: (flow) => of(flow)[name] }))
}

/** 0 where there is nothing to divide by. */
function ratio(a: number, b: number): number {
  return b === 0 ? 0 : a / b
}

function cut(value: number, isWhole: boolean): number {
  return isWhole ? Math.trunc(value) : value
}

/** A rate of the whole flow; a duration of 0 is Infinity, NaN or -1. */
function flowRate(flow: ReferenceFlow, amount: number): number {
  if (flow.durationUs === 0 && !flow.rules.ratesDivideByZero) return -1
  return amount / (flow.durationUs / US_PER_S)
}

function payloadOf(flow: ReferenceFlow, d: 0 | 1): number {
  return flow.sides[d].payload.sum
}

function flagOf(d: 0 | 1, word: string, flag: FlagName, only?: CompatProfile): Column {
  const of = (flow: ReferenceFlow): number => (flow.rules.flagsOfFirstPacketOnly && d === BACKWARD ? 0 : flow.sides[d].flags[flag])
  return { name: `${word} ${flag} Flags`, of, ...(only === undefined ? {} : { in: only }) }
}

function bulkColumns(d: 0 | 1, word: string): Column[] {
  const bulkOf = (flow: ReferenceFlow) => flow.sides[d].bulk
  const mean = (flow: ReferenceFlow, amount: number, by: number): number => cut(ratio(amount, by), flow.rules.bulkMeansAreWhole)
  return [
    { name: `${word} Bytes/Bulk Avg`, of: (flow) => mean(flow, bulkOf(flow).bytes, bulkOf(flow).bulks) },
    { name: `${word} Packet/Bulk Avg`, of: (flow) => mean(flow, bulkOf(flow).packets, bulkOf(flow).bulks) },
    { name: `${word} Bulk Rate Avg`, of: (flow) => mean(flow, bulkOf(flow).bytes, bulkOf(flow).durationUs / US_PER_S) },
  ]
}

function subflowColumns(d: 0 | 1, word: string): Column[] {
  const mean = (flow: ReferenceFlow, amount: number): number => cut(ratio(amount, flow.subflowGaps), flow.rules.subflowMeansAreWhole)
  return [
    { name: `Subflow ${word} Packets`, of: (flow) => mean(flow, flow.sides[d].packets) },
    { name: `Subflow ${word} Bytes`, of: (flow) => mean(flow, payloadOf(flow, d)) },
  ]
}

const IDENTIFIERS: readonly Column[] = [
  { name: 'Flow ID', of: (flow) => flow.id },
  { name: 'Src IP', of: (flow) => flow.ends.src },
  { name: 'Src Port', of: (flow) => flow.ends.srcPort },
  { name: 'Dst IP', of: (flow) => flow.ends.dst },
  { name: 'Dst Port', of: (flow) => flow.ends.dstPort },
  { name: 'Protocol', of: (flow) => flow.proto },
  { name: 'Timestamp', of: (flow) => (flow.rules.twelveHourTime ? twelveHourTime(0, flow.startUs) : cicTime(0, flow.startUs)) },
]

const VOLUME: readonly Column[] = [
  { name: 'Flow Duration', of: (flow) => flow.durationUs },
  { name: 'Total Fwd Packet', of: (flow) => flow.sides[FORWARD].packets },
  { name: 'Total Bwd packets', of: (flow) => flow.sides[BACKWARD].packets },
  ...both((d, word) => ({ name: `Total Length of ${word} Packet`, of: (flow) => payloadOf(flow, d) })),
  ...both((d, word) => statistics(`${word} Packet Length`, ['max', 'min', 'mean', 'std'], (flow) => flow.sides[d].payload)),
  { name: 'Flow Bytes/s', of: (flow) => flowRate(flow, payloadOf(flow, FORWARD) + payloadOf(flow, BACKWARD)) },
  { name: 'Flow Packets/s', of: (flow) => flowRate(flow, flow.packets) },
]

const TIMING: readonly Column[] = [
  ...statistics('Flow IAT', ['mean', 'std', 'max', 'min'], (flow) => flow.iat),
  ...both((d, word) => [
    { name: `${word} IAT Total`, of: (flow) => flow.sides[d].iat.sum },
    ...statistics(`${word} IAT`, ['mean', 'std', 'max', 'min'], (flow) => flow.sides[d].iat),
  ]),
]

const HEADERS: readonly Column[] = [
  ...both((d, word) => flagOf(d, word, 'PSH')),
  ...both((d, word) => flagOf(d, word, 'URG')),
  ...both((d, word) => flagOf(d, word, 'RST', 'corrected')),
  ...both((d, word) => ({ name: `${word} Header Length`, of: (flow) => flow.sides[d].headerBytes })),
  ...both((d, word) => ({
    name: `${word} Packets/s`,
    of: (flow) => (flow.durationUs > 0 ? flow.sides[d].packets / (flow.durationUs / US_PER_S) : 0),
  })),
]

const SIZES: readonly Column[] = [
  ...statistics('Packet Length', ['min', 'max', 'mean', 'std'], (flow) => flow.lengths),
  { name: 'Packet Length Variance', of: (flow) => flow.lengths.variance },
  ...(['FIN', 'SYN', 'RST', 'PSH', 'ACK', 'URG', 'CWR', 'ECE'] as const).map((flag) => ({
    name: `${flag} Flag Count`,
    of: (flow: ReferenceFlow) => flow.flags[flag],
  })),
  {
    name: 'Down/Up Ratio',
    of: (flow) => cut(ratio(flow.sides[BACKWARD].packets, flow.sides[FORWARD].packets), flow.rules.downUpRatioIsWhole),
  },
  { name: 'Average Packet Size', of: (flow) => flow.lengths.sum / flow.packets },
  ...both((d, word) => ({ name: `${word} Segment Size Avg`, of: (flow) => ratio(payloadOf(flow, d), flow.sides[d].packets) })),
]

const TRANSFERS: readonly Column[] = [
  ...both(bulkColumns),
  ...both(subflowColumns),
  { name: 'FWD Init Win Bytes', of: (flow) => flow.sides[FORWARD].initWindow },
  { name: 'Bwd Init Win Bytes', of: (flow) => flow.sides[BACKWARD].initWindow },
  { name: 'Fwd Act Data Pkts', of: (flow) => flow.sides[FORWARD].dataPackets },
  { name: 'Bwd Act Data Pkts', in: 'corrected', of: (flow) => flow.sides[BACKWARD].dataPackets },
  { name: 'Fwd Seg Size Min', of: (flow) => flow.sides[FORWARD].headerMin },
  { name: 'Bwd Seg Size Min', in: 'corrected', of: (flow) => flow.sides[BACKWARD].headerMin },
  ...statistics('Active', ['mean', 'std', 'max', 'min'], (flow) => flow.active),
  ...statistics('Idle', ['mean', 'std', 'max', 'min'], (flow) => flow.idle),
]

const ADDITIONS: readonly Column[] = [
  // The plain reader reads no ICMP.
  { name: 'ICMP Code', in: 'corrected', of: () => -1 },
  { name: 'ICMP Type', in: 'corrected', of: () => -1 },
  ...both((d, word) => ({
    name: `${word} TCP Retrans. Count`,
    in: 'corrected',
    of: (flow) => flow.sides[d].retransmissions,
  })),
  {
    name: 'Total TCP Retrans. Count',
    in: 'corrected',
    of: (flow) => flow.sides[FORWARD].retransmissions + flow.sides[BACKWARD].retransmissions,
  },
  { name: 'Total Connection Flow Time', in: 'corrected', of: (flow) => flow.connection.earlierUs + flow.durationUs },
  { name: 'Label', of: () => 'NeedManualLabel' },
]

const COLUMNS: readonly Column[] = [...IDENTIFIERS, ...VOLUME, ...TIMING, ...HEADERS, ...SIZES, ...TRANSFERS, ...ADDITIONS]

function columnsOf(profile: CompatProfile): readonly Column[] {
  return COLUMNS.filter((column) => column.in === undefined || column.in === profile)
}

const COLUMNS_OF: Readonly<Record<CompatProfile, readonly Column[]>> = {
  corrected: columnsOf('corrected'),
  'as-published': columnsOf('as-published'),
}

export function referenceHeader(profile: CompatProfile): string {
  return COLUMNS_OF[profile].map((column) => column.name).join(',')
}

export function referenceLine(profile: CompatProfile, flow: ReferenceFlow): string {
  return COLUMNS_OF[profile].map((column) => column.of(flow)).join(',')
}
