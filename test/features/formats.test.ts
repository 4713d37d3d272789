/**
 * Rows as text: each format on the same rows.
 */
import { describe, expect, test } from 'vitest'
import type { EmptyForm } from '../../src/features/cic.ts'
import { FEATURES, featureSetId } from '../../src/features/features.ts'
import { FLOW_FORMATS, type FlowFormatName, flowFormat } from '../../src/features/formats.ts'
import type { WindowFeatures } from '../../src/features/netflow.ts'
import { forEachSampleRow } from './sample-rows.ts'

const ROWS = 8

function linesIn(name: FlowFormatName, empty: EmptyForm = '', windowFeatures?: WindowFeatures): string[] {
  const lines: string[] = []
  const context = windowFeatures === undefined ? { empty } : { empty, windowFeatures }
  forEachSampleRow((row) => lines.push(flowFormat(name).line(row, context) ?? 'no line'))
  return lines
}

/** Rows as objects, by the header. */
function recordsIn(name: FlowFormatName, empty: EmptyForm = '', windowFeatures?: WindowFeatures): Record<string, string>[] {
  const header = (flowFormat(name).header ?? '').split(',')
  return linesIn(name, empty, windowFeatures).map((line) => Object.fromEntries(line.split(',').map((cell, i) => [header[i], cell])))
}

describe.each(FLOW_FORMATS.filter(({ header }) => header !== null))('$name', ({ name, header }) => {
  test('every line has a cell for each column, and no cell is NaN, null or undefined', () => {
    const lines = linesIn(name)
    expect(lines).toHaveLength(ROWS)
    for (const line of lines) {
      expect(line.split(',')).toHaveLength((header ?? '').split(',').length)
      expect(line).not.toMatch(/NaN|null|undefined|Infinity/)
    }
  })
})

describe('cic', () => {
  const single = (empty: EmptyForm) => recordsIn('cic', empty).find((row) => row['Flow Duration'] === '0' && row.Protocol === '17')

  test.each<[EmptyForm]>([[''], ['0'], ['-1'], ['nan']])("an undefined rate is '%s'", (empty) => {
    expect(single(empty)).toMatchObject({ 'Flow Bytes/s': empty, 'Flow Packets/s': empty, 'Fwd Packets/s': empty, 'Flow IAT Mean': '0' })
  })

  test('identifiers', () => {
    expect(recordsIn('cic').find((row) => row['Src Port'] === '40000')).toMatchObject({
      'Flow ID': '192.0.2.1-192.0.2.2-40000-443-6',
      'Src IP': '192.0.2.1',
      'Src Port': '40000',
      'Dst IP': '192.0.2.2',
      'Dst Port': '443',
      Protocol: '6',
      Timestamp: '2023-11-14 22:13:20',
      'Flow Duration': '28020000',
      Label: 'NeedManualLabel',
    })
  })
})

describe('netflow', () => {
  test('IN_ is the initiator; times are UTC seconds', () => {
    expect(recordsIn('netflow').find((row) => row.L4_SRC_PORT === '40000')).toMatchObject({
      IP_SRC_ADDR: '192.0.2.1',
      L4_DST_PORT: '443',
      PROTOCOL_NUM: '6',
      FIRST_SWITCHED: '2023-11-14 22:13:20',
      LAST_SWITCHED: '2023-11-14 22:13:48',
      IN_PKTS: '14',
      OUT_PKTS: '12',
      FLOW_DURATION_MILLISECONDS: '28020',
      dst_flows_in_window: '',
      src_flag_SYN: '',
      TCP_FLAGS: '251',
      CLIENT_TCP_FLAGS: '251',
      SERVER_TCP_FLAGS: '251',
      FLOW_END_REASON: '3',
      BIFLOW_DIRECTION: '1',
    })
  })

  test('what is derived agrees with what it is derived from', () => {
    for (const row of recordsIn('netflow')) {
      expect(Number(row.avg_in_packet_size)).toBeCloseTo(Number(row.IN_BYTES) / Number(row.IN_PKTS), 9)
      if (row.IN_PKTS === '1') expect(row.inter_arrival_ms).toBe('')
      else expect(Number(row.inter_arrival_ms) * (Number(row.IN_PKTS) - 1)).toBeCloseTo(Number(row.DURATION_IN), 6)
    }
  })

  test('windowed features when somebody knows them; an unknown one stays empty', () => {
    const rows = recordsIn('netflow', 'nan', (flow) => ({ dst_flows_in_window: flow.proto, src_flag_SYN: 0, src_IN_PKTS_sum: null }))
    expect(rows[0]).toMatchObject({ dst_flows_in_window: '6', src_flag_SYN: '0', src_IN_PKTS_sum: '', src_flows_in_window: '' })
  })

  test('ICMP: type and code, no ports', () => {
    expect(recordsIn('netflow').filter((row) => row.PROTOCOL_NUM === '1')).toMatchObject([
      { ICMP_TYPE: '771', L4_SRC_PORT: '0', L4_DST_PORT: '0', TCP_FLAGS: '' },
      { ICMP_TYPE: '2048', L4_SRC_PORT: '0', L4_DST_PORT: '0', TCP_FLAGS: '' },
    ])
  })
})

describe('jsonl', () => {
  const rows = linesIn('jsonl').map((line): Record<string, unknown> => JSON.parse(line))

  test('who, when and how it ended', () => {
    expect(rows.find((row) => row.src_port === 40_000)).toMatchObject({
      src_ip: '192.0.2.1',
      src_port: 40_000,
      dest_ip: '192.0.2.2',
      dest_port: 443,
      proto: 'TCP',
      start: '2023-11-14T22:13:20.000000+0000',
      end: '2023-11-14T22:13:48.020000+0000',
      duration_us: 28_020_000,
      fwd_packets: 14,
      bwd_packets: 12,
      end_reason: 'fin',
      ipfix_end_reason: 3,
      eve_reason: 'timeout',
      eve_state: 'closed',
      direction_basis: 'syn',
      conn_state: 'SF',
      vlan: null,
      icmp_type: null,
      feature_set: featureSetId,
    })
  })

  test('every feature stands in every line; bytes count from the IP header on', () => {
    for (const row of rows) {
      expect(FEATURES.filter(({ name }) => !(name in row)).map(({ name }) => name)).toEqual([])
      expect(Number(row.fwd_bytes)).toBe(
        Number(row.fwd_payload_bytes) + Number(row.fwd_header_bytes) + 20 * Number(row.fwd_packets) + icmpHeaders(row),
      )
    }
  })

  /** ICMP's eight octets are neither payload nor, in CICFlowMeter's count, header. */
  function icmpHeaders(row: Record<string, unknown>): number {
    return row.proto === 'ICMP' ? 8 * Number(row.fwd_packets) : 0
  }

  test('rows of one connection share its id; ICMP has type and code for ports', () => {
    const [cut, rest] = rows.filter((row) => row.src_port === 40_001)
    expect(cut.flow_id).toBe(rest.flow_id)
    expect([cut.end_reason, cut.is_continuation, rest.end_reason, rest.is_continuation]).toEqual(['active', false, 'shutdown', true])
    expect(rest.connection_duration_us).toBe(121_470_000)
    expect(rows.filter((row) => row.proto === 'ICMP')).toMatchObject([
      { src_port: null, icmp_type: 3, icmp_code: 3 },
      { src_port: null, icmp_type: 8, icmp_code: 0, conn_state: 'SF' },
    ])
  })
})

test('none: no line', () => {
  expect(linesIn('none')).toEqual(new Array(ROWS).fill('no line'))
})
