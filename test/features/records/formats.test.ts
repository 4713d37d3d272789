/** Each format's records as flows: what is measured, what is not, and what cannot be believed. */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { describeFault } from '../../../src/capture/record-file.ts'
import { csv, readRecordFile, readRecords } from './records.ts'

const fixtures = fileURLToPath(new URL('../../fixtures/records', import.meta.url))

describe('CICFlowMeter', () => {
  const TODAY =
    'Src IP,Src Port,Dst IP,Dst Port,Protocol,Timestamp,Flow Duration,Total Fwd Packet,Total Bwd packets,Total Length of Fwd Packet,Total Length of Bwd Packet,FIN Flag Count,SYN Flag Count,RST Flag Count,PSH Flag Count,ACK Flag Count,Bwd Init Win Bytes,Bwd Header Length'
  const row = (counts: string): string => `10.0.0.1,40000,10.0.0.2,22,6,2026-11-20 10:00:00.5,1000,${counts}`
  const flagsOf = async (counts: string) => {
    const { flows } = await readRecords(csv(TODAY, row(counts)))
    const [flow] = flows
    return { state: flow.connState, sides: flow.flags?.map((side) => `${side.syn} ${side.synAck} ${side.rst} ${side.ack} ${side.fin}`) }
  }

  test.each([
    ['a SYN and silence', '2,0,0,0,0,2,0,0,0,0,0', 'S0', ['2 0 0 0 0', '0 0 0 0 0']],
    ['a closed port', '1,1,0,0,0,1,1,0,1,0,20', 'REJ', ['1 0 0 0 0', '0 0 1 1 0']],
    ['a half-open scan of an open port', '2,1,0,0,0,2,1,0,1,64240,24', null, ['1 0 1 0 0', '1 1 0 1 0']],
    ['a SYN sent twice to a closed port', '2,2,0,0,0,2,2,0,2,0,40', 'REJ', ['2 0 0 0 0', '0 0 2 2 0']],
    ['a whole session', '8,7,500,900,2,2,0,4,14,64240,224', 'SF', ['1 0 0 7 1', '1 1 0 7 1']],
    ['a lone SYN-ACK', '1,0,0,0,0,1,0,0,1,0,0', null, ['1 1 0 1 0', '0 0 0 0 0']],
  ])('%s: who sent which flag', async (_, counts, state, sides) => {
    expect(await flagsOf(counts)).toEqual({ state, sides })
  })

  test.each([
    [
      '2017',
      ' Source IP, Source Port, Destination IP, Destination Port, Protocol, Timestamp, Flow Duration, Total Fwd Packets, Total Backward Packets,Total Length of Fwd Packets, Total Length of Bwd Packets',
    ],
    ['2018', 'Src IP,Src Port,Dst IP,Dst Port,Protocol,Timestamp,Flow Duration,Tot Fwd Pkts,Tot Bwd Pkts,TotLen Fwd Pkts,TotLen Bwd Pkts'],
    [
      'today',
      'Src IP,Src Port,Dst IP,Dst Port,Protocol,Timestamp,Flow Duration,Total Fwd Packet,Total Bwd packets,Total Length of Fwd Packet,Total Length of Bwd Packet',
    ],
  ])('the header of %s', async (_, header) => {
    const { flows } = await readRecords(csv(header, '10.0.0.1,40000,10.0.0.2,53,17,22/02/2018 09:14:07,1500,2,1,60,120'))
    expect(flows[0]).toMatchObject({ proto: 17, packets: [2, 1], payloadBytes: [60, 120], ipBytes: [null, null], flags: null })
    expect(flows[0].lastUs - flows[0].startUs).toBe(1500)
  })

  test('an edition that counted one flag for a whole connection is not believed, an empty column is not 0', async () => {
    const { flows } = await readRecordFile(join(fixtures, 'cic-2018-download.csv'))
    expect(flows[0]).toMatchObject({ payloadBytes: [null, 4_201_344], flags: null, connState: null })
    expect(flows[0].record).toMatchObject({ hasAddresses: false, hasPort: [false, true], hasUnusableFlags: true })
    expect(flows[0].record?.features()).toMatchObject({ bwd_payload_max: 62_780, fwd_payload_bytes: null })
  })
})

describe('Zeek', () => {
  test.each(['conn.log', 'conn.jsonl'])('%s: unset fields, labels, who is inside', async (name) => {
    const { flows, reading } = await readRecordFile(join(fixtures, name))
    const byPort = (port: number) => flows.find((flow) => flow.port[1] === port)
    expect(flows).toHaveLength(5)
    expect(byPort(443)).toBeDefined()
    expect(byPort(3389)).toMatchObject({
      connState: 'S0',
      payloadBytes: [0, 0],
      packets: [1, 0],
      record: { isInside: [false, true], name: 'Ca3' },
    })
    expect(byPort(53)).toMatchObject({ proto: 17, payloadBytes: [34, 90], ipBytes: [62, 118], flags: null, icmpErrors: null })
    expect(flows.find((flow) => flow.proto === 1)).toMatchObject({ port: [8, 0], packets: [2, 2] })
    expect(flows.find((flow) => flow.addr[1] === '2001:db8::9')).toMatchObject({ connState: 'REJ', history: 'Sr', directionBasis: 'syn' })
    expect(reading.faults.told.map((fault) => `${fault.line} ${fault.column} ${fault.why}`)).toEqual([
      `${name === 'conn.log' ? 13 : 5} id.orig_p 'nonsense' is no number`,
    ])
  })

  test('compressed, and as rotated pieces joined with their headers', async () => {
    const text = readFileSync(join(fixtures, 'conn.log'), 'utf8')
    const { flows } = await readRecords(gzipSync(text + text))
    expect(flows).toHaveLength(10)
  })

  test('payload beyond what IP carried is not believed', async () => {
    const header =
      '#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\torig_bytes\tresp_bytes\tconn_state\thistory\torig_pkts\torig_ip_bytes\tresp_pkts\tresp_ip_bytes'
    const { flows } = await readRecords(`${header}\n1.5\tC1\t10.0.0.1\t1025\t10.0.0.2\t80\ttcp\t4294967295\t0\tRSTO\tShR\t3\t140\t1\t44\n`)
    expect(flows[0].payloadBytes).toEqual([140, 0])
  })
})

describe('NetFlow names', () => {
  test('one direction, with what its maker knew of the minutes around it', async () => {
    const { flows } = await readRecordFile(join(fixtures, 'netflow-server-half.csv'))
    expect(flows[0]).toMatchObject({ id: 5_120_077, packets: [12, 0], ipBytes: [9316, 0], flags: null, record: { isOneWay: true } })
    expect(flows[0].record?.windowFeatures()).toEqual({
      dst_flows_in_window: 19,
      src_entropy_PROTOCOL: 0.98742,
      src_IN_PKTS_sum: 1206,
      src_flows_in_window: 41,
      src_flag_SYN: 6,
    })
  })

  test('both directions in JSON lines, flags a side', async () => {
    const record = {
      IPV4_SRC_ADDR: '10.0.0.1',
      IPV4_DST_ADDR: '10.0.0.2',
      L4_SRC_PORT: 40000,
      L4_DST_PORT: 445,
      PROTOCOL: 6,
      FLOW_START_MILLISECONDS: 1620115200100,
      FLOW_END_MILLISECONDS: 1620115201100,
      IN_PKTS: 1,
      IN_BYTES: 60,
      OUT_PKTS: 1,
      OUT_BYTES: 40,
      CLIENT_TCP_FLAGS: 2,
      SERVER_TCP_FLAGS: 20,
    }
    const { flows } = await readRecords(`${JSON.stringify(record)}\n`)
    expect(flows[0]).toMatchObject({ directionBasis: 'syn', packets: [1, 1], payloadBytes: [0, 0], record: { isOneWay: false } })
    expect(flows[0].flags?.[1]).toMatchObject({ rst: 1, ack: 1, syn: 0 })
    expect(flows[0].lastUs - flows[0].startUs).toBe(1e6)
  })

  test('sampling that a record states', async () => {
    const { flows, reading } = await readRecords(
      csv(
        'IPV4_SRC_ADDR,IPV4_DST_ADDR,L4_SRC_PORT,L4_DST_PORT,PROTOCOL,FIRST_SWITCHED,IN_PKTS,IN_BYTES,SAMPLING_INTERVAL',
        '10.0.0.1,10.0.0.2,1,2,17,1620115200,3,300,512',
      ),
    )
    expect(flows[0].packets[0]).toBe(1536)
    expect(reading.ledger.sampling).toBe(512)
  })
})

describe('nfdump', () => {
  test.each(['nfdump-ssh.csv', 'nfdump-ssh.json-records'])('%s: halves, lettered flags, totals at its end left out', async (name) => {
    const { flows, reading } = await readRecordFile(join(fixtures, name))
    expect(reading.faults.count).toBe(0)
    expect(reading.pairing.paired).toBeGreaterThan(0)
    expect(flows.every((flow) => flow.proto === 6 && flow.port.includes(22))).toBe(true)
    expect(flows.find((flow) => flow.packets[1] !== 0)).toMatchObject({ record: { isPayloadEstimated: true } })
  })

  test('the fields of nfdump 1.7.3 and later', async () => {
    const { flows } = await readRecords(
      csv(
        'firstSeen,duration,proto,srcAddr,srcPort,dstAddr,dstPort,packets,bytes,flows',
        '2026-11-20 10:02:33.135,0.063,UDP,10.20.1.14,47990,10.20.1.20,53,1,60,1',
      ),
    )
    expect(flows[0]).toMatchObject({ proto: 17, port: [47990, 53], packets: [1, 0], payloadBytes: [32, 0] })
  })
})

describe('damage', () => {
  const HEADER = 'IPV4_SRC_ADDR,IPV4_DST_ADDR,L4_SRC_PORT,L4_DST_PORT,PROTOCOL,FIRST_SWITCHED,IN_PKTS,IN_BYTES'
  const GOOD = '10.0.0.1,10.0.0.2,1,2,17,1620115200,3,300'

  test.each([
    ['10.0.0.1,10.0.0.2,1,2,17,1620115200,3', 'records:3: 7 cells where the header names 8 (cut short?)'],
    ['10.0.0.1,10.0.0.2,1,2,17,1620115200,-3,300', "records:3: column 'IN_PKTS': -3 cannot be a count"],
    ['10.0.0.1,10.0.0.2,1,70000,17,1620115200,3,300', "records:3: column 'L4_DST_PORT': 70000 is no port: 0 to 65535"],
    ['10.0.0.300,10.0.0.2,1,2,17,1620115200,3,300', "'10.0.0.300' is no address"],
    ['10.0.0.1,10.0.0.2,1,2,warp,1620115200,3,300', "'warp' is no protocol"],
    ['10.0.0.1,10.0.0.2,1,2,17,yesterday,3,300', "column 'FIRST_SWITCHED': 'yesterday' is no time in a form that I know"],
    ['10.0.0.1,"10.0.0.2,1,2,17,1620115200,3,300', 'a quote is not closed'],
  ])('%s', async (line, why) => {
    const { flows, reading } = await readRecords(csv(HEADER, GOOD, line, GOOD))
    expect(flows).toHaveLength(2)
    expect(reading.faults.told.map(describeFault).join()).toContain(why)
    expect(reading.visibility().records?.damaged).toBe(1)
  })

  test('a line of a megabyte is one fault, and no memory', async () => {
    const { flows, reading } = await readRecords(`${HEADER}\n${GOOD}\n${'x'.repeat(1 << 20)}\n${GOOD}\n`)
    expect(flows).toHaveLength(2)
    expect(reading.faults.told[0]).toMatchObject({ line: 3, why: 'the line is too long for a flow record' })
  })

  test('a compressed file that breaks off is used up to there', async () => {
    const rows = Array.from(
      { length: 5000 },
      (_, i) => `10.0.${(i >> 8) & 255}.${i & 255},10.9.${(i * 7) & 255}.${(i * 13) & 255},${i},2,17,${1620115200 + i},3,${300 + i}`,
    )
    const packed = gzipSync(csv(HEADER, ...rows))
    const { flows, reading } = await readRecords(packed.subarray(0, packed.length >> 1))
    expect(flows.length).toBeGreaterThan(1000)
    expect(reading.faults.told[reading.faults.told.length - 1].why).toContain('the compressed stream is damaged')
  }, 30_000)

  test.each([
    ['', 'the file is empty'],
    ['hello world\n', 'its first line is no header that I know'],
    ['#separator \\x09\n#path\tdns\n#fields\tts\tuid\tquery\n', 'a Zeek log of something else'],
    [new Uint8Array([0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0]), 'flowscribe replay'],
    ['PK\u0003\u0004abc', 'a zip archive'],
    [csv(HEADER, '1,2'), 'no line in it could be used'],
    ['[1, 2, 3]\n{"a": 1}\n', 'no line in it could be used'],
  ])('%j is refused with a reason', async (text, why) => {
    await expect(readRecords(text)).rejects.toThrow(why)
  })
})
