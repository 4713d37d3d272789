/** Records of one direction: halves that belong together, pieces of one connection, and what has no other half. */
import { expect, test } from 'vitest'
import { csv, readRecords } from './records.ts'

const HEADER = 'ts,td,sa,da,sp,dp,pr,flg,ipkt,ibyt,opkt,obyt'
const half = (at: string, lasted: number, ends: string, flags = '...AP.SF', packets = 10): string =>
  `2026-11-20 10:${at},${lasted},${ends},TCP,${flags},${packets},${packets * 100},0,0`

const OUT = '10.0.0.1,203.0.113.5,40000,443'
const BACK = '203.0.113.5,10.0.0.1,443,40000'

test('two mirrored halves are one conversation, its SYN without ACK tells who began', async () => {
  const { flows, reading } = await readRecords(
    csv(HEADER, half('00:01.200', 1, BACK, '...A..S.', 1), half('00:01.200', 1, OUT, '......S.', 1)),
  )
  expect(flows).toHaveLength(1)
  expect(flows[0]).toMatchObject({ addr: ['10.0.0.1', '203.0.113.5'], port: [40000, 443], packets: [1, 1], directionBasis: 'syn' })
  expect(flows[0].flags?.map((side) => [side.syn, side.synAck])).toEqual([
    [1, 0],
    [1, 1],
  ])
  expect(reading.pairing).toMatchObject({ paired: 1, unpaired: 0 })
})

test('of two whole halves the earlier one began', async () => {
  const { flows } = await readRecords(csv(HEADER, half('00:01.210', 5, BACK), half('00:01.200', 5, OUT)))
  expect(flows[0]).toMatchObject({ addr: ['10.0.0.1', '203.0.113.5'], directionBasis: 'syn' })
})

test('starts more than two seconds apart without overlap are two conversations', async () => {
  const { flows, reading } = await readRecords(csv(HEADER, half('00:01.000', 1, OUT), half('00:05.000', 1, BACK)))
  expect(flows).toHaveLength(2)
  expect(reading.pairing).toMatchObject({ paired: 0, unpaired: 2 })
})

test('halves that overlap belong together however far apart they began', async () => {
  const { flows } = await readRecords(csv(HEADER, half('00:01.000', 30, OUT), half('00:12.000', 10, BACK)))
  expect(flows).toHaveLength(1)
})

test('a lone half stays one: its other side is 0 packets, of one direction', async () => {
  const { flows, reading } = await readRecords(csv(HEADER, half('00:01.000', 1, BACK)))
  expect(flows[0]).toMatchObject({ packets: [10, 0], record: { isOneWay: true } })
  expect(reading.visibility().records).toMatchObject({ serverHalvesOnly: 1, clientHalvesOnly: 0 })
})

test('pieces that the active timeout cut are one connection, a new SYN is another', async () => {
  const piece = (at: string, flags: string): string[] => [half(at, 59.9, OUT, flags), half(at, 59.9, BACK, flags)]
  const { flows } = await readRecords(
    csv(
      HEADER,
      ...piece('00:00.000', '...AP.S.'),
      ...piece('01:05.000', '...AP...'),
      ...piece('02:10.000', '...AP...'),
      ...piece('03:15.000', '...AP.S.'),
    ),
  )
  expect(flows.map((flow) => flow.isContinuation)).toEqual([false, true, true, false])
  expect(flows[1].id).toBe(flows[0].id)
  expect(flows[3].id).not.toBe(flows[0].id)
})

test('short exchanges over one pair of ports are not pieces of a connection', async () => {
  const poll = (at: string): string => `2026-11-20 10:${at},0.01,10.0.0.1,203.0.113.5,123,123,UDP,........,1,76,1,76`
  const { flows } = await readRecords(csv(HEADER, poll('00:00.000'), poll('01:04.000'), poll('02:08.000')))
  expect(flows.map((flow) => flow.isContinuation)).toEqual([false, false, false])
})

test('ICMP: question and answer find each other by their types', async () => {
  const echo = (ends: string, type: string): string => `2026-11-20 10:00:00.000,3,${ends},0,${type},ICMP,........,4,336,0,0`
  const { flows } = await readRecords(csv(HEADER, echo('10.0.0.1,10.0.0.2', '8.0'), echo('10.0.0.2,10.0.0.1', '0.0')))
  expect(flows).toHaveLength(1)
  expect(flows[0]).toMatchObject({ port: [8, 0], addr: ['10.0.0.1', '10.0.0.2'], packets: [4, 4], payloadBytes: [224, 224] })
})

test('records in any order come out by their ends; what comes too late is counted', async () => {
  const rows = Array.from({ length: 40 }, (_, i) =>
    half(`00:${String((i * 17) % 40).padStart(2, '0')}.000`, 1, `10.0.0.${i},203.0.113.5,40000,443`, '......S.', 1),
  )
  const whole = await readRecords(csv(HEADER, ...rows))
  const ends = whole.flows.map((flow) => flow.endUs)
  expect(ends).toEqual([...ends].sort((a, b) => a - b))
  expect(whole.reading.order.tooLate).toBe(0)
  const narrow = await readRecords(csv(HEADER, ...rows), ['records.held_max=16'])
  expect(narrow.flows).toHaveLength(40)
  expect(narrow.reading.order.tooLate).toBeGreaterThan(0)
})

test('sampled records are scaled and say so', async () => {
  const { flows, reading } = await readRecords(csv(HEADER, half('00:01.000', 1, OUT)), ['records.sampling=100'])
  expect(flows[0]).toMatchObject({ packets: [1000, 0], ipBytes: [100_000, 0] })
  expect(reading.visibility().records?.notes.join()).toContain('one packet in 100 was metered')
})
