/**
 * CICFlowMeter's 76 features, by their corrected definitions (FEATURES.md section 5), in its order.
 *
 * In:  a finished row. Out: numbers; null only where a rate is undefined.
 * Not: the identifiers (addresses, ports, times), which each format writes itself.
 */
import * as Row from '../flow/row.ts'
import type { RowView } from '../flow/row-view.ts'
import { allPackets, allPayload, both, type DirectionWords, headerMinOf, ORIG, packetsOf, payloadOf, RESP } from './directions.ts'
import type { Feature } from './feature.ts'
import { deviation, mean, perSecond, ratio, varianceOfIntegers } from './statistics.ts'

function payloadVariance(row: RowView): number {
  return varianceOfIntegers(
    allPackets(row),
    allPayload(row),
    row.cellOf(ORIG, Row.D_PAYLOAD_SUM_SQ) + row.cellOf(RESP, Row.D_PAYLOAD_SUM_SQ),
  )
}

/** The smallest or largest payload of either direction that sent anything. */
function payloadExtreme(row: RowView, of: (a: number, b: number) => number, offset: number): number {
  if (packetsOf(row, ORIG) === 0) return row.wordOf(RESP, offset)
  if (packetsOf(row, RESP) === 0) return row.wordOf(ORIG, offset)
  return of(row.wordOf(ORIG, offset), row.wordOf(RESP, offset))
}

function payloadSizes({ index, name, cic, who }: DirectionWords): Feature[] {
  const of = (suffix: string, cicSuffix: string, what: string, compute: Feature['compute']): Feature => ({
    name: `${name}_payload_${suffix}`,
    cic: `${cic} Packet Length ${cicSuffix}`,
    unit: 'B',
    definition: `${what} payload of the ${who}'s packets; 0 when it sent none.`,
    empty: 0,
    differences: ['A4'],
    deviations: ['O25'],
    compute,
  })
  return [
    of('max', 'Max', 'Largest', (row) => row.wordOf(index, Row.D_PAYLOAD_MAX_W)),
    of('min', 'Min', 'Smallest', (row) => (packetsOf(row, index) === 0 ? 0 : row.wordOf(index, Row.D_PAYLOAD_MIN_W))),
    of('mean', 'Mean', 'Mean', (row) => mean(packetsOf(row, index), payloadOf(row, index))),
    of('std', 'Std', 'Sample standard deviation of the', (row) =>
      Math.sqrt(varianceOfIntegers(packetsOf(row, index), payloadOf(row, index), row.cellOf(index, Row.D_PAYLOAD_SUM_SQ))),
    ),
  ]
}

interface Gaps {
  count(row: RowView): number
  sumUs(row: RowView): number
  sumSq(row: RowView): number
  carry(row: RowView): number
  minUs(row: RowView): number
  maxUs(row: RowView): number
}

const FLOW_GAPS: Gaps = {
  count: (row) => Math.max(0, allPackets(row) - 1),
  sumUs: (row) => row.durationUs,
  sumSq: (row) => row.cell(Row.FLOW_IAT_SQ),
  carry: (row) => row.word(Row.FLOW_IAT_SQ_CARRY_W),
  minUs: (row) => (allPackets(row) < 2 ? 0 : row.word(Row.FLOW_IAT_MIN_W)),
  maxUs: (row) => row.word(Row.FLOW_IAT_MAX_W),
}

function directionGaps(d: number): Gaps {
  return {
    count: (row) => Math.max(0, packetsOf(row, d) - 1),
    sumUs: (row) => row.cellOf(d, Row.D_LAST_US) - row.cellOf(d, Row.D_FIRST_US),
    sumSq: (row) => row.cellOf(d, Row.D_IAT_SQ),
    carry: (row) => row.gapCarryOf(d),
    minUs: (row) => (packetsOf(row, d) < 2 ? 0 : row.wordOf(d, Row.D_IAT_MIN_W)),
    maxUs: (row) => row.wordOf(d, Row.D_IAT_MAX_W),
  }
}

function gapFeatures(name: string, cic: string, between: string, gaps: Gaps): Feature[] {
  const of = (suffix: string, cicSuffix: string, what: string, compute: Feature['compute']): Feature => ({
    name: `${name}_iat_${suffix}`,
    cic: `${cic} IAT ${cicSuffix}`,
    unit: 'µs',
    definition: `${what} time between consecutive packets ${between}; 0 with fewer than two.`,
    empty: 0,
    differences: ['A12'],
    deviations: ['O26'],
    compute,
  })
  return [
    of('mean', 'Mean', 'Mean', (row) => mean(gaps.count(row), gaps.sumUs(row))),
    of('std', 'Std', 'Sample standard deviation of the', (row) =>
      Math.sqrt(varianceOfIntegers(gaps.count(row), gaps.sumUs(row), gaps.sumSq(row), gaps.carry(row))),
    ),
    of('max', 'Max', 'Longest', gaps.maxUs),
    of('min', 'Min', 'Shortest', gaps.minUs),
  ]
}

function directionGapFeatures({ index, name, cic, who }: DirectionWords): Feature[] {
  const gaps = directionGaps(index)
  const total: Feature = {
    name: `${name}_iat_total`,
    cic: `${cic} IAT Total`,
    unit: 'µs',
    definition: `Sum of the times between consecutive packets of the ${who}; 0 with fewer than two.`,
    empty: 0,
    differences: ['A12'],
    deviations: ['O26'],
    compute: gaps.sumUs,
  }
  return [total, ...gapFeatures(name, cic, `of the ${who}`, gaps)]
}

function directionFlag(flag: 'PSH' | 'URG', offset: number): Feature[] {
  return both(({ index, name, cic, who }) => ({
    name: `${name}_${flag.toLowerCase()}_flags`,
    cic: `${cic} ${flag} Flags`,
    unit: 'packets',
    definition: `Packets of the ${who} with ${flag}.`,
    empty: 0,
    deviations: ['O7'],
    compute: (row) => row.wordOf(index, offset),
  }))
}

function flagCount(flag: string, offset: number): Feature {
  return {
    name: `${flag.toLowerCase()}_flag_count`,
    cic: `${flag} Flag Count`,
    unit: 'packets',
    definition: `Packets with ${flag}, both directions.`,
    empty: 0,
    ...(flag === 'FIN' ? { deviations: ['O2'] } : {}),
    compute: (row) => row.wordOf(ORIG, offset) + row.wordOf(RESP, offset),
  }
}

function bulkFeatures({ index, name, cic, who }: DirectionWords): Feature[] {
  const what = `the ${who}'s bulk transfers (four or more packets with payload, none the other way, no gap over 1 s)`
  const bulks = (row: RowView): number => row.wordOf(index, Row.D_BULKS_W)
  return [
    {
      name: `${name}_bulk_bytes_mean`,
      cic: `${cic} Bytes/Bulk Avg`,
      unit: 'B',
      definition: `Payload octets per bulk, of ${what}; 0 without one.`,
      empty: 0,
      deviations: ['O8', 'O9'],
      compute: (row) => ratio(row.cellOf(index, Row.D_BULK_BYTES), bulks(row)),
    },
    {
      name: `${name}_bulk_packets_mean`,
      cic: `${cic} Packet/Bulk Avg`,
      unit: 'packets',
      definition: `Packets per bulk, of ${what}; 0 without one.`,
      empty: 0,
      deviations: ['O8', 'O9'],
      compute: (row) => ratio(row.wordOf(index, Row.D_BULK_PACKETS_W), bulks(row)),
    },
    {
      name: `${name}_bulk_rate`,
      cic: `${cic} Bulk Rate Avg`,
      unit: 'B/s',
      definition: `Payload octets a second inside ${what}; 0 without one, or when they took no time.`,
      empty: 0,
      deviations: ['O8', 'O9'],
      compute: (row) => ratio(row.cellOf(index, Row.D_BULK_BYTES), row.cellOf(index, Row.D_BULK_DURATION_US) / 1e6),
    },
  ]
}

function subflowFeatures({ index, name, cic, who }: DirectionWords): Feature[] {
  const gaps = (row: RowView): number => row.word(Row.SUBFLOW_GAPS_W)
  return [
    {
      name: `${name}_subflow_packets`,
      cic: `Subflow ${cic} Packets`,
      unit: 'packets',
      definition: `Packets of the ${who} divided by the number of gaps over 1 s (either direction); 0 without such a gap.`,
      empty: 0,
      differences: ['A8'],
      deviations: ['O10', 'O21'],
      compute: (row) => ratio(packetsOf(row, index), gaps(row)),
    },
    {
      name: `${name}_subflow_bytes`,
      cic: `Subflow ${cic} Bytes`,
      unit: 'B',
      definition: `Payload octets of the ${who} divided by the number of gaps over 1 s (either direction); 0 without such a gap.`,
      empty: 0,
      differences: ['A8'],
      deviations: ['O10', 'O21'],
      compute: (row) => ratio(payloadOf(row, index), gaps(row)),
    },
  ]
}

interface Periods {
  countAt: number
  sumAt: number
  m2At: number
  minAt: number
  maxAt: number
}

function periodFeatures(name: 'active' | 'idle', cic: 'Active' | 'Idle', definition: string, at: Periods): Feature[] {
  const of = (suffix: string, cicSuffix: string, what: string, compute: Feature['compute']): Feature => ({
    name: `${name}_${suffix}`,
    cic: `${cic} ${cicSuffix}`,
    unit: 'µs',
    definition: `${what} ${definition}`,
    empty: 0,
    differences: ['A9'],
    deviations: ['O22'],
    compute,
  })
  return [
    of('mean', 'Mean', 'Mean', (row) => mean(row.word(at.countAt), row.cell(at.sumAt))),
    of('std', 'Std', 'Sample standard deviation of the', (row) => deviation(row.word(at.countAt), row.cell(at.m2At))),
    of('max', 'Max', 'Longest', (row) => row.word(at.maxAt)),
    of('min', 'Min', 'Shortest', (row) => row.word(at.minAt)),
  ]
}

function windowOf(row: RowView, direction: number): number {
  const packed = row.wordOf(direction, Row.D_INIT_WINDOW_W)
  // The initiator's very first window, whatever it is; the responder's first that is not zero (an RST carries none).
  return direction === ORIG ? packed & 0xffff : packed >>> 16
}

const VOLUME: readonly Feature[] = [
  {
    name: 'duration_us',
    cic: 'Flow Duration',
    netflow: 'FLOW_DURATION_MILLISECONDS',
    netflowUnit: 1000,
    unit: 'µs',
    definition: 'Time from the first to the last packet.',
    empty: 0,
    differences: ['A12'],
    deviations: ['O26'],
    compute: (row) => row.durationUs,
  },
  ...both(({ index, name, cic, who, netflow }) => ({
    name: `${name}_packets`,
    cic: index === ORIG ? `Total ${cic} Packet` : `Total ${cic} packets`,
    unit: 'packets',
    definition: `Packets of the ${who}.`,
    empty: 0,
    differences: ['A6'],
    netflow: `${netflow}_PKTS`,
    compute: (row) => packetsOf(row, index),
  })),
  ...both(({ index, name, cic, who }) => ({
    name: `${name}_payload_bytes`,
    cic: `Total Length of ${cic} Packet`,
    unit: 'B',
    definition: `Payload octets of the ${who}: what IP or UDP says, not what was captured.`,
    empty: 0,
    differences: ['A4', 'A6'],
    deviations: ['O25'],
    compute: (row) => payloadOf(row, index),
  })),
  ...both(payloadSizes),
  {
    name: 'bytes_per_s',
    cic: 'Flow Bytes/s',
    unit: 'B/s',
    definition: 'Payload octets of both directions a second; undefined when the flow took no time.',
    empty: null,
    differences: ['A4', 'A7'],
    deviations: ['O14', 'F9', 'O25'],
    compute: (row) => perSecond(allPayload(row), row.durationUs),
  },
  {
    name: 'packets_per_s',
    cic: 'Flow Packets/s',
    unit: 'packets/s',
    definition: 'Packets of both directions a second; undefined when the flow took no time.',
    empty: null,
    differences: ['A7'],
    deviations: ['O14', 'F9'],
    compute: (row) => perSecond(allPackets(row), row.durationUs),
  },
]

const TIMING: readonly Feature[] = [...gapFeatures('flow', 'Flow', 'of either direction', FLOW_GAPS), ...both(directionGapFeatures)]

const HEADERS: readonly Feature[] = [
  ...directionFlag('PSH', Row.D_PSH_W),
  ...directionFlag('URG', Row.D_URG_W),
  ...both(({ index, name, cic, who }) => ({
    name: `${name}_header_bytes`,
    cic: `${cic} Header Length`,
    unit: 'B',
    definition: `Octets of the ${who}'s transport headers, TCP options included; no IP or link header.`,
    empty: 0,
    compute: (row) => row.wordOf(index, Row.D_HEADER_SUM_W),
  })),
  ...both(({ index, name, cic, who }) => ({
    name: `${name}_packets_per_s`,
    cic: `${cic} Packets/s`,
    unit: 'packets/s',
    definition: `Packets of the ${who} a second; undefined when the flow took no time.`,
    empty: null,
    differences: ['A7'],
    deviations: ['F9'],
    compute: (row) => perSecond(packetsOf(row, index), row.durationUs),
  })),
]

const SIZES: readonly Feature[] = [
  {
    name: 'payload_min',
    cic: 'Packet Length Min',
    unit: 'B',
    definition: 'Smallest payload, both directions.',
    empty: 0,
    differences: ['A4'],
    deviations: ['O25'],
    compute: (row) => payloadExtreme(row, Math.min, Row.D_PAYLOAD_MIN_W),
  },
  {
    name: 'payload_max',
    cic: 'Packet Length Max',
    unit: 'B',
    definition: 'Largest payload, both directions.',
    empty: 0,
    differences: ['A4'],
    deviations: ['O25'],
    compute: (row) => payloadExtreme(row, Math.max, Row.D_PAYLOAD_MAX_W),
  },
  {
    name: 'payload_mean',
    cic: 'Packet Length Mean',
    unit: 'B',
    definition: 'Mean payload, both directions.',
    empty: 0,
    differences: ['A4'],
    deviations: ['O6', 'O25', 'F14'],
    compute: (row) => mean(allPackets(row), allPayload(row)),
  },
  {
    name: 'payload_std',
    cic: 'Packet Length Std',
    unit: 'B',
    definition: 'Sample standard deviation of the payload, both directions.',
    empty: 0,
    differences: ['A4'],
    deviations: ['O6', 'O25'],
    compute: (row) => Math.sqrt(payloadVariance(row)),
  },
  {
    name: 'payload_variance',
    cic: 'Packet Length Variance',
    unit: 'B²',
    definition: 'Sample variance of the payload, both directions.',
    empty: 0,
    differences: ['A4'],
    deviations: ['O6', 'O25', 'F14'],
    compute: payloadVariance,
  },
]

const FLAGS: readonly Feature[] = [
  flagCount('FIN', Row.D_FIN_W),
  flagCount('SYN', Row.D_SYN_W),
  flagCount('RST', Row.D_RST_W),
  flagCount('PSH', Row.D_PSH_W),
  flagCount('ACK', Row.D_ACK_W),
  flagCount('URG', Row.D_URG_W),
  flagCount('CWR', Row.D_CWR_W),
  flagCount('ECE', Row.D_ECE_W),
]

const RATIOS: readonly Feature[] = [
  {
    name: 'down_up_ratio',
    cic: 'Down/Up Ratio',
    unit: 'ratio',
    definition: 'Packets of the responder for each packet of the initiator; 0 when the initiator sent none.',
    empty: 0,
    differences: ['A3'],
    deviations: ['O11'],
    compute: (row) => ratio(packetsOf(row, RESP), packetsOf(row, ORIG)),
  },
  {
    name: 'payload_average',
    cic: 'Average Packet Size',
    unit: 'B',
    definition: 'Payload octets divided by packets: the same as payload_mean.',
    empty: 0,
    differences: ['A4'],
    deviations: ['O6', 'O25', 'F14'],
    compute: (row) => mean(allPackets(row), allPayload(row)),
  },
  ...both(({ index, name, cic, who }) => ({
    name: `${name}_segment_average`,
    cic: `${cic} Segment Size Avg`,
    unit: 'B',
    definition: `Payload octets of the ${who} divided by its packets: the same as ${name}_payload_mean.`,
    empty: 0,
    differences: ['A4'],
    deviations: ['O25', 'F14'],
    compute: (row) => mean(packetsOf(row, index), payloadOf(row, index)),
  })),
]

const CONNECTION: readonly Feature[] = [
  ...both(({ index, name, cic, who }) => ({
    name: `${name}_init_window`,
    cic: index === ORIG ? 'FWD Init Win Bytes' : `${cic} Init Win Bytes`,
    unit: 'B',
    definition:
      index === ORIG
        ? `Raw TCP window of the ${who}'s first packet in the connection; 0 when not TCP.`
        : `First raw TCP window of the ${who} in the connection that is not 0; 0 when not TCP.`,
    empty: 0,
    differences: ['A10'],
    deviations: index === ORIG ? ['F5'] : ['F5', 'O13'],
    compute: (row) => windowOf(row, index),
  })),
  {
    name: 'fwd_data_packets',
    cic: 'Fwd Act Data Pkts',
    unit: 'packets',
    definition: "The initiator's packets with at least one octet of payload.",
    empty: 0,
    differences: ['A3'],
    deviations: ['O12'],
    compute: (row) => row.wordOf(ORIG, Row.D_DATA_PACKETS_W),
  },
  {
    name: 'fwd_header_min',
    cic: 'Fwd Seg Size Min',
    unit: 'B',
    definition: "Shortest transport header of the initiator's packets (20 to 60 for TCP, 8 for UDP); not a segment size.",
    empty: 0,
    differences: ['A3', 'A10'],
    deviations: ['F6'],
    compute: (row) => headerMinOf(row, ORIG),
  },
]

const PERIODS: readonly Feature[] = [
  ...periodFeatures('active', 'Active', 'time of activity between pauses over 5 s; the last period and lone packets are not counted.', {
    countAt: Row.ACTIVE_COUNT_W,
    sumAt: Row.ACTIVE_SUM_US,
    m2At: Row.ACTIVE_M2,
    minAt: Row.ACTIVE_MIN_W,
    maxAt: Row.ACTIVE_MAX_W,
  }),
  ...periodFeatures('idle', 'Idle', 'pause over 5 s.', {
    countAt: Row.IDLE_COUNT_W,
    sumAt: Row.IDLE_SUM_US,
    m2At: Row.IDLE_M2,
    minAt: Row.IDLE_MIN_W,
    maxAt: Row.IDLE_MAX_W,
  }),
]

export const CIC_TABLE: readonly Feature[] = [
  ...VOLUME,
  ...TIMING,
  ...HEADERS,
  ...SIZES,
  ...FLAGS,
  ...RATIOS,
  ...both(bulkFeatures),
  ...both(subflowFeatures),
  ...CONNECTION,
  ...PERIODS,
]
