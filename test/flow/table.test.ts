/** Which packets form a row: conversations as scripts, and the rows that must come of them. */
import { describe, expect, test } from 'vitest'
import type { Frame } from '../capture/records.ts'
import { slabsOf } from '../capture/records.ts'
import { ipPacket, tcpSegment, udpDatagram } from '../decode/frames.ts'
import { BASE_SEC, conversation } from './conversation.ts'
import { type Metered, type MeteredRow, meterFrames, meterSlabs } from './run-meter.ts'

/** What most tests look at. Times are seconds since the run's first second. */
function brief(rows: readonly MeteredRow[]) {
  return rows.map((r) => ({
    from: `${r.addr[0]}:${r.port[0]}`,
    packets: [...r.packets],
    start: r.startUs / 1e6,
    last: r.lastUs / 1e6,
    end: r.endUs / 1e6,
    reason: r.endReason,
  }))
}

function allPackets(row: MeteredRow): number {
  return (row.packets[0] ?? 0) + (row.packets[1] ?? 0)
}

const CLIENT = '10.0.0.1:40000'
const SERVER = '10.0.0.2:80'

/** A packet of another conversation, by which time passes. */
function tick(timeS: number): Frame {
  return conversation({ client: { address: '192.0.2.1', port: 1 }, server: { address: '192.0.2.2', port: 2 } }).udp(timeS, '>')
}

function rowsOf(metered: Metered): MeteredRow[] {
  return metered.rows.filter((row) => row.addr[0] !== '192.0.2.1')
}

/** A TCP handshake from `timeS` on, 10 ms a step. */
function handshake(c: ReturnType<typeof conversation>, timeS: number): Frame[] {
  return [c.tcp(timeS, '>', 'S'), c.tcp(timeS + 0.01, '<', 'SA'), c.tcp(timeS + 0.02, '>', 'A')]
}

describe('idle timeouts: strictly greater, by protocol and state', () => {
  const cases: readonly (readonly [string, number, string, (timeS: number) => Frame[], (timeS: number) => Frame])[] = (() => {
    const c = conversation
    return [
      ['UDP', 60, 'idle', (t) => [c().udp(t, '>')], (t) => c().udp(t, '<')],
      ['TCP without an answer', 60, 'idle', (t) => [c().tcp(t, '>', 'S')], (t) => c().tcp(t, '<', 'SA')],
      ['ICMP', 30, 'idle', (t) => [c().icmp(t, '>', 8, 0)], (t) => c().icmp(t, '<', 0, 0)],
      ['TCP closed by RST', 5, 'rst', (t) => [c().tcp(t - 1, '>', 'S'), c().tcp(t, '<', 'RA')], (t) => c().tcp(t, '<', 'RA')],
      ['TCP closed by FIN both ways', 5, 'fin', (t) => [c().tcp(t - 1, '>', 'FA'), c().tcp(t, '<', 'FA')], (t) => c().tcp(t, '>', 'A')],
    ]
  })()

  test.each(cases)('%s: a packet after exactly %d s belongs to the flow', (_, idleS, __, opening, later) => {
    const { rows } = meterFrames([...opening(10), later(10 + idleS)])
    expect(rows.length).toBe(1)
    expect(rows[0].lastUs).toBe((10 + idleS) * 1e6 - (rows[0].baseSec - BASE_SEC) * 1e6)
  })

  test.each(cases)('%s: one microsecond after %d s opens a new one', (_, idleS, reason, opening, later) => {
    const { rows } = meterFrames([...opening(10), later(10 + idleS + 1e-6)])
    expect(rows.length).toBe(2)
    expect(rows[0].endReason).toBe(reason)
    expect(rows[0].endUs - rows[0].lastUs).toBe(idleS * 1e6)
    expect(allPackets(rows[1])).toBe(1)
  })

  test.each(cases)('%s: ends after %d s though no packet of its own comes', (_, idleS, reason, opening) => {
    const metered = meterFrames([...opening(10), tick(10 + idleS + 2), tick(500)])
    const [row] = rowsOf(metered)
    expect(row.endReason).toBe(reason)
    expect(row.endUs - row.lastUs).toBe(idleS * 1e6)
    // It left the table long before the run was over.
    expect(metered.rows.indexOf(row)).toBe(0)
  })

  test('TCP established: 600 s, of which each 120 s row that had a packet is a row', () => {
    const c = conversation()
    const frames = [...handshake(c, 0), c.tcp(600.02, '>', 'PA', 10), c.tcp(1200.020001, '>', 'PA', 10)]
    const { rows } = meterFrames(frames)
    expect(brief(rows)).toEqual([
      { from: CLIENT, packets: [2, 1], start: 0, last: 0.02, end: 120, reason: 'active' },
      { from: CLIENT, packets: [1, 0], start: 600.02, last: 600.02, end: 720.02, reason: 'active' },
      { from: CLIENT, packets: [1, 0], start: 1200.020001, last: 1200.020001, end: 1200.020001, reason: 'shutdown' },
    ])
    expect(rows.map((r) => r.isContinuation)).toEqual([false, true, false])
    expect(rows.map((r) => r.id === rows[0].id)).toEqual([true, true, false])
  })

  test('a closed connection whose idle timeout is shorter leaves at its new deadline, not at the old one', () => {
    const c = conversation()
    const metered = meterFrames([...handshake(c, 0), c.tcp(1, '>', 'RA'), tick(8), tick(9), tick(700)])
    expect(metered.rows.map((r) => r.endReason)[0]).toBe('rst')
  })

  test('an established idle timeout below that of the handshake is kept to the second as well', () => {
    const c = conversation()
    const limits = { idleTcpUs: [60e6, 10e6, 5e6] as const }
    const other = conversation({ client: { address: '10.9.0.1', port: 1 }, server: { address: '10.9.0.2', port: 2 } })
    const { rows } = meterFrames([...handshake(c, 0), other.icmp(1, '>', 8, 0), tick(33), tick(34)], limits)
    expect(rows.map((r) => [r.addr[0], r.endUs])).toEqual([
      ['10.0.0.1', 10.02e6],
      ['10.9.0.1', 31e6],
      ['192.0.2.1', 34e6],
    ])
  })
})

describe('the active timeout cuts the row, not the connection', () => {
  const c = conversation()
  const long = [
    ...handshake(c, 0),
    ...Array.from({ length: 30 }, (_, i) => c.tcp(10 * (i + 1), i % 3 === 0 ? '<' : '>', 'PA', 100)),
    c.tcp(301, '>', 'FA'),
    c.tcp(301.1, '<', 'FA'),
    c.tcp(301.2, '>', 'A'),
  ]

  test('rows of at most 120 s, in one connection', () => {
    const { rows, meter } = meterFrames(long)
    expect(brief(rows).map((r) => [r.start, r.last, r.end, r.reason])).toEqual([
      [0, 120, 120, 'active'],
      [130, 250, 250, 'active'],
      [260, 301.2, 301.2, 'shutdown'],
    ])
    expect(rows.map((r) => [...r.packets])).toEqual([
      [10, 5],
      [8, 5],
      [6, 2],
    ])
    expect(new Set(rows.map((r) => r.id)).size).toBe(1)
    expect(meter.table.counters.flowsCreated).toBe(1)
  })

  test('a packet at exactly 120 s is in the row, one microsecond later in the next', () => {
    const u = conversation()
    const { rows } = meterFrames([u.udp(0, '>'), u.udp(50, '>'), u.udp(100, '>'), u.udp(120, '<'), u.udp(120.000001, '<')])
    expect(rows.map((r) => [...r.packets])).toEqual([
      [3, 1],
      [0, 1],
    ])
    expect(rows[0].endReason).toBe('active')
    expect(rows[0].endUs).toBe(120e6)
  })

  test('the initial windows, the direction and its basis go on; the row starts from zero', () => {
    const w = conversation()
    const frames = [
      w.tcp(0, '>', 'S', 0, { window: 111 }),
      w.tcp(0.1, '<', 'SA', 0, { window: 222 }),
      w.tcp(0.2, '>', 'A', 0, { window: 333 }),
      w.tcp(130, '<', 'PA', 5, { window: 444 }),
      w.tcp(131, '>', 'A', 0, { window: 555 }),
    ]
    const { rows } = meterFrames(frames)
    expect(rows.length).toBe(2)
    for (const row of rows) {
      expect(row.features.fwd_init_window).toBe(111)
      expect(row.features.bwd_init_window).toBe(222)
      expect(row.directionBasis).toBe('syn')
    }
    expect(rows[1].features.flow_iat_mean).toBe(1e6)
    expect(rows[1].features.fwd_header_min).toBe(20)
    expect(rows[1].flags?.[0].syn).toBe(0)
    expect(rows[1].connState).toBe('S1')
    expect(rows[1].history).toBe('ShAd')
  })

  test('a connection that is silent after the cut makes no empty row', () => {
    const u = conversation()
    const { rows } = meterFrames([u.udp(0, '>'), u.udp(50, '>'), u.udp(100, '<'), tick(130), tick(161), tick(900)])
    expect(rows.filter((r) => r.addr[0] === '10.0.0.1').length).toBe(1)
  })

  test.each([
    ['a row after a cut', 300, {}, (): Frame[] => [...handshake(conversation(), 0), conversation().tcp(300, '>', 'A')]],
    ['an idle timeout longer than the active one', 0, { idleUdpUs: 1000e6 }, (): Frame[] => [conversation().udp(0, '>')]],
  ])('the row leaves at its active deadline, though the idle one is far: %s', (_, start, limits, script) => {
    const ping = conversation({ client: { address: '10.9.0.1', port: 1 }, server: { address: '10.9.0.2', port: 2 } })
    const { rows } = meterFrames([...script(), ping.icmp(start + 105, '>', 8, 0), tick(start + 200), tick(start + 250)], limits)
    expect(rows.slice(-3).map((r) => [r.addr[0], r.endUs / 1e6 - start])).toEqual([
      ['10.0.0.1', 120],
      ['10.9.0.1', 135],
      ['192.0.2.1', 250],
    ])
  })

  test('retransmissions are known across the cut', () => {
    const w = conversation()
    const { rows } = meterFrames([w.tcp(0, '>', 'PA', 100, { seq: 1 }), w.tcp(50, '<', 'A'), w.tcp(121, '>', 'PA', 100, { seq: 1 })])
    expect(rows.map((r) => r.features.fwd_retransmissions)).toEqual([0, 1])
  })

  test('an idle deadline and an active one at the same instant: idle', () => {
    const u = conversation()
    const { rows } = meterFrames([u.udp(0, '>'), u.udp(60, '>'), tick(200)])
    expect(rows.find((r) => r.addr[0] === '10.0.0.1')).toMatchObject({ endReason: 'idle', endUs: 120e6 })
  })
})

describe('ends and port reuse', () => {
  function closed(c: ReturnType<typeof conversation>): Frame[] {
    return [...handshake(c, 0), c.tcp(1, '>', 'FA'), c.tcp(1.1, '<', 'FA'), c.tcp(1.2, '>', 'A')]
  }

  test('late segments of the close are absorbed, a new SYN opens a new flow', () => {
    const c = conversation()
    const { rows } = meterFrames([...closed(c), c.tcp(2, '<', 'FA'), c.tcp(3, '>', 'S'), c.tcp(3.1, '<', 'SA')])
    expect(brief(rows)).toEqual([
      { from: CLIENT, packets: [4, 3], start: 0, last: 2, end: 3, reason: 'port_reuse' },
      { from: CLIENT, packets: [1, 1], start: 3, last: 3.1, end: 3.1, reason: 'shutdown' },
    ])
  })

  test('the new flow may go the other way', () => {
    const c = conversation()
    const { rows } = meterFrames([...closed(c), c.tcp(3, '<', 'S')])
    expect(brief(rows)[1]).toMatchObject({ from: SERVER, packets: [1, 0] })
  })

  test('a repeated SYN before the answer is a retransmission, not a new flow', () => {
    const c = conversation()
    const { rows } = meterFrames([c.tcp(0, '>', 'S', 0, { seq: 7 }), c.tcp(1, '>', 'S', 0, { seq: 7 }), c.tcp(3, '>', 'S', 0, { seq: 7 })])
    expect(rows.length).toBe(1)
    expect(rows[0].features.fwd_retransmissions).toBe(2)
    expect(rows[0].connState).toBe('S0')
  })

  test('a SYN after the active deadline of a closed connection opens a new flow, too', () => {
    const c = conversation()
    const u = Array.from({ length: 11 }, (_, i) => c.tcp(1 + 10 * i, '>', 'PA', 1))
    const { rows } = meterFrames([...handshake(c, 0), ...u, c.tcp(118, '<', 'RA'), c.tcp(120.5, '>', 'S'), c.tcp(120.6, '<', 'SA')])
    expect(brief(rows).map((r) => [r.start, r.packets, r.reason])).toEqual([
      [0, [13, 2], 'active'],
      [120.5, [1, 1], 'shutdown'],
    ])
    expect(rows[1].isContinuation).toBe(false)
  })

  test.each([
    ['the handshake ends with data', ['>S', '<SA', '>PA']],
    ['data in the SYN (RFC 7413), and data behind it', ['>S 10', '<SA', '>PA 10']],
    ['an ACK before the SYN+ACK as well as after it', ['>S', '>A', '<SA', '>A']],
  ])('established, so that 100 s of silence do not end it: %s', (_, packets) => {
    const c = conversation()
    const frames = packets.map((text, i) => {
      const [, arrow, flags, len] = /^([<>])([A-Z]+) ?(\d*)$/.exec(text) ?? []
      return c.tcp(i / 10, arrow === '<' ? '<' : '>', flags, Number(len))
    })
    expect(meterFrames([...frames, c.tcp(100, '<', 'A')]).rows.length).toBe(1)
  })

  test('one FIN does not close', () => {
    const c = conversation()
    const { rows } = meterFrames([...handshake(c, 0), c.tcp(1, '>', 'FA'), c.tcp(30, '<', 'PA', 10), c.tcp(31, '<', 'FA')])
    expect(rows.length).toBe(1)
    expect(rows[0].packets).toEqual([3, 3])
  })

  test('closed by FIN, then RST: the end is fin', () => {
    const c = conversation()
    const { rows } = meterFrames([...closed(c), c.tcp(1.3, '<', 'R'), tick(100)])
    expect(rowsOf({ rows } as Metered)[0].endReason).toBe('fin')
  })
})

describe('direction and its basis', () => {
  const c = (): ReturnType<typeof conversation> => conversation()
  const cases: readonly (readonly [string, (x: ReturnType<typeof conversation>) => Frame[], string, string, number])[] = [
    ['SYN', (x) => [x.tcp(0, '>', 'S')], CLIENT, 'syn', 0],
    ['SYN of the endpoint with the larger address', (x) => [x.tcp(0, '<', 'S')], SERVER, 'syn', 0],
    ['SYN+ACK first: its receiver began', (x) => [x.tcp(0, '<', 'SA'), x.tcp(1, '>', 'A')], CLIENT, 'synack', 0],
    ['data first: the sender began', (x) => [x.tcp(0, '<', 'PA', 5), x.tcp(1, '>', 'A')], SERVER, 'first_packet', 0],
    ['data, then a SYN the other way: corrected', (x) => [x.tcp(0, '<', 'PA', 5), x.tcp(1, '>', 'S')], CLIENT, 'syn', 1],
    ['SYN+ACK, then a SYN of the other side as expected', (x) => [x.tcp(0, '<', 'SA'), x.tcp(1, '>', 'S')], CLIENT, 'syn', 0],
    ['SYN+ACK, then a SYN of the same side: corrected', (x) => [x.tcp(0, '<', 'SA'), x.tcp(1, '<', 'S')], SERVER, 'syn', 1],
    ['data, then SYN+ACK of its receiver: nothing to correct', (x) => [x.tcp(0, '>', 'A'), x.tcp(1, '<', 'SA')], CLIENT, 'synack', 0],
    ['data, then SYN+ACK of the sender: corrected', (x) => [x.tcp(0, '<', 'A'), x.tcp(1, '<', 'SA')], CLIENT, 'synack', 1],
    ['SYN is never outdone', (x) => [x.tcp(0, '>', 'S'), x.tcp(1, '<', 'S')], CLIENT, 'syn', 0],
    ['the third packet may still correct', (x) => [x.tcp(0, '<', 'A'), x.tcp(1, '<', 'A'), x.tcp(2, '>', 'S')], CLIENT, 'syn', 1],
    [
      'the fourth may not',
      (x) => [x.tcp(0, '<', 'A'), x.tcp(1, '<', 'A'), x.tcp(2, '<', 'A'), x.tcp(3, '>', 'S')],
      SERVER,
      'first_packet',
      0,
    ],
    ['UDP: the first packet', (x) => [x.udp(0, '<'), x.udp(1, '>')], SERVER, 'first_packet', 0],
  ]

  test.each(cases)('%s', (_, script, from, basis, corrections) => {
    const frames = script(c())
    const { rows, meter } = meterFrames(frames)
    expect(rows.length).toBe(1)
    expect(brief(rows)[0].from).toBe(from)
    expect(rows[0].directionBasis).toBe(basis)
    expect(meter.table.counters.directionsCorrected).toBe(corrections)
    expect(allPackets(rows[0])).toBe(frames.length)
  })

  test('a corrected direction turns values, letters and timeline with it', () => {
    const x = c()
    const { rows } = meterFrames([x.tcp(0, '<', 'PA', 500), x.tcp(1, '>', 'S'), x.tcp(2, '<', 'SA')])
    expect(rows[0].payloadBytes).toEqual([0, 500])
    expect(rows[0].history).toBe('dSh')
    expect(rows[0].port).toEqual([40_000, 80])
  })

  test('loopback: equal addresses are told apart by their ports', () => {
    const x = conversation({ client: { address: '127.0.0.1', port: 50_000 }, server: { address: '127.0.0.1', port: 80 } })
    const { rows } = meterFrames([...handshake(x, 0), x.tcp(1, '<', 'PA', 9)])
    expect(rows.map((r) => [...r.packets])).toEqual([[2, 2]])
    expect(rows[0].port).toEqual([50_000, 80])
  })
})

describe('the key', () => {
  const endpoints = { client: { address: '10.0.0.1', port: 5 }, server: { address: '10.0.0.2', port: 6 } }

  test('holds addresses, ports and protocol, both families', () => {
    const frames = [
      conversation(endpoints).udp(0, '>'),
      conversation(endpoints).udp(0, '<'),
      conversation(endpoints).tcp(0, '>', 'S'),
      conversation({ ...endpoints, client: { address: '10.0.0.1', port: 7 } }).udp(0, '>'),
      conversation({ ...endpoints, client: { address: '10.0.0.3', port: 5 } }).udp(0, '>'),
      // The same 32 bits in another family.
      conversation({ client: { address: '::a00:1', port: 5 }, server: { address: '::a00:2', port: 6 } }).udp(0, '>'),
      conversation({ client: { address: '2001:db8:1::1', port: 5 }, server: { address: '2001:db8::2', port: 6 } }).udp(0, '>'),
      conversation({ client: { address: '2001:db8::2', port: 6 }, server: { address: '2001:db8:1::1', port: 5 } }).udp(0, '>'),
      conversation({ client: { address: '2001:db8:1:1::1', port: 5 }, server: { address: '2001:db8::2', port: 6 } }).udp(0, '>'),
    ]
    expect(
      meterFrames(frames)
        .rows.map((r) => allPackets(r))
        .sort(),
    ).toEqual([1, 1, 1, 1, 1, 2, 2])
  })

  test('a tag is no part of it, unless the option says so', () => {
    const frames = [
      conversation({ ...endpoints, vlans: [10] }).udp(0, '>'),
      conversation({ ...endpoints, vlans: [20] }).udp(1, '<'),
      conversation(endpoints).udp(2, '<'),
    ]
    expect(meterFrames(frames).rows.length).toBe(1)
    const apart = meterFrames(frames, { isVlanInKey: true }).rows
    expect(apart.map((r) => r.vlans)).toEqual([[10], [20], []])
  })

  test('tags are kept as the first packet had them, outermost first', () => {
    const { rows } = meterFrames([conversation({ ...endpoints, vlans: [1, 2, 3, 4] }).udp(0, '>')])
    expect(rows[0].vlans).toEqual([1, 2, 3, 4])
  })

  test('the same rows, in the same order, whatever the seed of the hash', () => {
    const frames = Array.from({ length: 300 }, (_, i) =>
      conversation({ ...endpoints, client: { address: `10.0.${i % 7}.1`, port: 1000 + (i % 50) } }).udp(i / 10, i % 2 === 0 ? '>' : '<'),
    )
    const plain = meterFrames(frames).rows
    expect(plain.length).toBeGreaterThan(100)
    for (const hashSeed of [1, 0x7fffffff, -5]) expect(meterFrames(frames, { hashSeed }).rows).toEqual(plain)
  })
})

describe('ICMP', () => {
  const id = (n: number): Uint8Array => Uint8Array.of(n >> 8, n & 255, 0, 1, 1, 2, 3, 4)

  test('request and reply are one flow; another echo id is another', () => {
    const c = conversation()
    const { rows } = meterFrames([c.icmp(0, '>', 8, 0, id(7)), c.icmp(0.1, '<', 0, 0, id(7)), c.icmp(1, '>', 8, 0, id(8))])
    expect(rows.map((r) => [...r.packets])).toEqual([
      [1, 1],
      [1, 0],
    ])
    expect(rows[0].port).toEqual([8, 0])
    expect(rows[0].connState).toBe('SF')
    expect(rows[1].connState).toBe('S0')
  })

  test('echo requests both ways with one id are two flows', () => {
    const c = conversation()
    const { rows } = meterFrames([c.icmp(0, '>', 8, 0, id(7)), c.icmp(1, '<', 8, 0, id(7))])
    expect(rows.length).toBe(2)
  })

  test.each([
    ['IPv4', '10.0.0.1', '10.0.0.2', 3, 3],
    ['IPv6', 'fd00::1', 'fd00::2', 1, 4],
  ])('an error marks the flow that it quotes, and is a packet of its own flow: %s', (_, client, server, type, code) => {
    const c = conversation({ client: { address: client, port: 40_000 }, server: { address: server, port: 53 } })
    const quote = (port: number): Uint8Array => Uint8Array.of(0, 0, 0, 0, ...ipPacket(client, server, udpDatagram(port, 53, 20)))
    const { rows, meter } = meterFrames([
      c.udp(0, '>'),
      c.icmp(0.1, '<', type, code, quote(40_000)),
      c.icmp(0.2, '<', type, code, quote(9)),
    ])
    expect(rows.map((r) => [r.proto, r.icmpErrors])).toEqual([
      [17, 1],
      [client.includes(':') ? 58 : 1, 0],
    ])
    expect(rows[1].packets).toEqual([2, 0])
    expect(meter.table.counters.icmpErrorsUnmatched).toBe(1)
  })

  test('an error for a TCP flow marks it, too', () => {
    const c = conversation()
    const quote = Uint8Array.of(0, 0, 0, 0, ...ipPacket('10.0.0.1', '10.0.0.2', tcpSegment(40_000, 80, { flags: 2 })))
    const { rows } = meterFrames([c.tcp(0, '>', 'S'), c.icmp(0.1, '<', 3, 13, quote)])
    expect(rows[0].icmpErrors).toBe(1)
  })
})

describe('time', () => {
  test('a late packet takes its flow’s last time, and is counted', () => {
    const c = conversation()
    const { rows, meter } = meterFrames([c.udp(10, '>'), c.udp(12, '<'), c.udp(11, '>'), c.udp(13, '>')])
    expect(brief(rows)[0]).toMatchObject({ packets: [3, 1], start: 0, last: 3 })
    expect(meter.table.counters.latePackets).toBe(1)
    expect(rows[0].features.flow_iat_min).toBe(0)
    expect(rows[0].features.fwd_iat_total).toBe(3e6)
  })

  test('a clock set back by more than half a minute ends all flows, and the run goes on', () => {
    const c = conversation()
    const { rows, meter } = meterFrames([c.udp(100, '>'), c.udp(101, '<'), c.udp(60, '>'), c.udp(61, '<'), c.udp(119, '<')])
    expect(meter.table.counters.clockSteps).toBe(1)
    expect(brief(rows).map((r) => [r.packets, r.start, r.last, r.reason])).toEqual([
      [[1, 1], 0, 1, 'shutdown'],
      [[1, 2], -40, 19, 'shutdown'],
    ])
  })

  test('flows expire by packet time before the first packet of the run, too', () => {
    const c = conversation()
    const { rows } = meterFrames([tick(5000), c.udp(10, '>'), tick(200), tick(300)])
    expect(rowsOf({ rows } as Metered)[0]).toMatchObject({ endReason: 'idle' })
    expect(rowsOf({ rows } as Metered)[0].endUs).toBe(-4930e6)
  })

  test('a silence of a century costs nothing and loses nothing', () => {
    const c = conversation()
    const far = 86_400 * 365 * 40
    const start = performance.now()
    const frames: Frame[] = []
    for (let i = 0; i < 20; i++) frames.push(c.udp(i * far * 0.05, '>'), c.udp(i * far * 0.05 + 1, '<'))
    const { rows } = meterFrames(frames)
    expect(performance.now() - start).toBeLessThan(1000)
    expect(rows.length).toBe(20)
    expect(rows.every((r, i) => r.packets[0] === 1 && r.packets[1] === 1 && (i === 19 || r.endUs - r.lastUs === 60e6))).toBe(true)
  })

  test('one-packet flows are rows', () => {
    const { rows } = meterFrames([conversation().tcp(0, '>', 'S')])
    expect(brief(rows)).toEqual([{ from: CLIENT, packets: [1, 0], start: 0, last: 0, end: 0, reason: 'shutdown' }])
  })

  test('frames that are no packets pass the time on', () => {
    const c = conversation()
    const arp: Frame = { sec: BASE_SEC + 300, nsec: 0, bytes: Uint8Array.of(...new Array<number>(12).fill(2), 8, 6, 0, 1) }
    const { rows, meter } = meterFrames([c.udp(0, '>'), arp, { ...arp, sec: BASE_SEC + 301 }])
    expect(rows[0].endReason).toBe('idle')
    expect(meter.table.nowUs).toBe(301e6)
  })
})

describe('the cap', () => {
  const flow = (i: number): ReturnType<typeof conversation> =>
    conversation({ client: { address: '10.1.0.1', port: i }, server: { address: '10.2.0.1', port: 80 } })

  test('the oldest unanswered flow goes first, then the oldest answered one; both are counted', () => {
    const frames = [
      ...[1, 2, 3, 4].flatMap((i) => (i % 2 === 0 ? [flow(i).udp(i, '>'), flow(i).udp(i + 0.1, '<')] : [flow(i).udp(i, '>')])),
      ...[5, 6, 7, 8].map((i) => flow(i).udp(i, '>')),
    ]
    const { rows, meter } = meterFrames(frames, { maxFlows: 4 })
    const evicted = rows.filter((r) => r.endReason === 'evicted')
    expect(evicted.map((r) => r.port[0])).toEqual([1, 3, 5, 6])
    expect(evicted.map((r) => r.endUs / 1e6 + 1)).toEqual([5, 6, 7, 8])
    expect(meter.table.counters.rowsEnded[5]).toBe(4)
    expect(rows.length).toBe(8)
  })

  test('answered flows go when there is no other', () => {
    const frames = [1, 2, 3].flatMap((i) => [flow(i).udp(i, '>'), flow(i).udp(i + 0.1, '<')])
    const { rows } = meterFrames(frames, { maxFlows: 2 })
    expect(rows.map((r) => [r.port[0], r.endReason])).toEqual([
      [1, 'evicted'],
      [2, 'shutdown'],
      [3, 'shutdown'],
    ])
  })

  test('an active cut in a full table evicts, and loses no packet', () => {
    const frames: Frame[] = []
    for (let t = 0; t < 400; t += 10) for (let i = 1; i <= 4; i++) frames.push(flow(i).udp(t + i / 10, '>'))
    const { rows, meter } = meterFrames(frames, { maxFlows: 4 })
    expect(rows.reduce((n, r) => n + allPackets(r), 0)).toBe(frames.length)
    expect(meter.table.size).toBe(0)
  })
})

describe('the order of rows, and independence from slabs', () => {
  test('a port reuse by a late packet does not go behind rows that have left', () => {
    const c = conversation()
    const other = conversation({ client: { address: '10.9.0.1', port: 1 }, server: { address: '10.9.0.2', port: 2 } })
    const { rows } = meterFrames([
      ...handshake(c, 0),
      other.tcp(0.1, '>', 'RA'),
      c.tcp(1, '>', 'RA'),
      c.tcp(1.1, '<', 'A'),
      tick(5.9),
      tick(6),
      c.tcp(2, '>', 'S'),
      tick(20),
    ])
    const ends = rows.map((r) => r.endUs)
    expect(ends).toEqual([...ends].sort((a, b) => a - b))
  })

  test('a slab may be one record long', () => {
    const c = conversation()
    const frames = [...handshake(c, 0), c.tcp(1, '>', 'PA', 100), c.tcp(2, '<', 'FA')]
    expect(meterSlabs(slabsOf(frames, 1, 1)).rows).toEqual(meterFrames(frames).rows)
  })
})
