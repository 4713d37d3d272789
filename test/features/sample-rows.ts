/**
 * A fixed set of conversations, metered: what the feature contract's pinned outputs are made from.
 *
 * Out: the finished rows, in order. Every feature has a row here in which it is not 0 (features.test.ts says so).
 * Changing a packet here changes the pinned outputs: add conversations rather than edit them.
 */
import { defaultsOf } from '../../src/base/option.ts'
import type { Flow } from '../../src/flow/flow.ts'
import { tableLimits } from '../../src/flow/limits.ts'
import { Meter } from '../../src/flow/meter.ts'
import { FLOW_OPTIONS } from '../../src/flow/options.ts'
import { readFlow } from '../../src/flow/read-flow.ts'
import { RowView } from '../../src/flow/row-view.ts'

const LINK_RAW = 101
const BASE_SEC = 1_700_000_000
const [FIN, SYN, RST, PSH, ACK, URG, ECE, CWR] = [1, 2, 4, 8, 16, 32, 64, 128]
const [ICMP, TCP, UDP] = [1, 6, 17]

interface Sent {
  /** Milliseconds since the base second. */
  ms: number
  from: number
  to: number
  proto: number
  l4: number[]
}

const u16 = (value: number): number[] => [(value >>> 8) & 255, value & 255]
const u32 = (value: number): number[] => [...u16(value >>> 16), ...u16(value)]

function ipv4({ from, to, proto, l4 }: Omit<Sent, 'ms'>): number[] {
  return [0x45, 0, ...u16(20 + l4.length), 0, 1, 0, 0, 64, proto, 0, 0, 192, 0, 2, from, 192, 0, 2, to, ...l4]
}

const payload = (len: number): number[] => new Array<number>(len).fill(0x2a)

/** A TCP connection between hosts 1 and 2 on the given client port; `direction` 0 is the client. */
function tcp(clientPort: number) {
  const next = [1000, 5000]
  return (
    ms: number,
    direction: 0 | 1,
    flags: number,
    len = 0,
    options: { window?: number; back?: number; optionLen?: number } = {},
  ): Sent => {
    const { window = 501 - direction, back = 0, optionLen = 0 } = options
    const seq = next[direction] - back
    if (back === 0) next[direction] += len + ((flags & SYN) >> 1) + (flags & FIN)
    const ports = direction === 0 ? [clientPort, 443] : [443, clientPort]
    const header = [...u16(ports[0]), ...u16(ports[1]), ...u32(seq), ...u32(next[1 - direction]), (5 + optionLen / 4) << 4, flags]
    const l4 = [...header, ...u16(window), 0, 0, 0, 0, ...new Array<number>(optionLen).fill(1), ...payload(len)]
    return { ms, from: 1 + direction, to: 2 - direction, proto: TCP, l4 }
  }
}

function udp(ms: number, from: number, to: number, srcPort: number, dstPort: number, len: number): Sent {
  return { ms, from, to, proto: UDP, l4: [...u16(srcPort), ...u16(dstPort), ...u16(8 + len), 0, 0, ...payload(len)] }
}

function icmp(ms: number, from: number, to: number, type: number, code: number, rest: number[]): Sent {
  return { ms, from, to, proto: ICMP, l4: [type, code, 0, 0, ...rest] }
}

/** Handshake, a bulk each way, pauses over 1 s and over 5 s, every flag, a retransmission, a closed window, a close. */
function longTalk(): Sent[] {
  const send = tcp(40_000)
  return [
    send(0, 0, SYN | ECE | CWR, 0, { window: 64_240, optionLen: 12 }),
    send(20, 1, SYN | ACK | ECE, 0, { window: 65_160, optionLen: 12 }),
    send(40, 0, ACK),
    ...[100, 130, 170, 230, 300].map((ms, i) => send(ms, 0, ACK | PSH, 100 + 10 * i)),
    ...[400, 410, 430, 470, 490, 600].map((ms, i) => send(ms, 1, ACK | PSH, 1000 + 50 * i)),
    send(610, 0, ACK, 0, { window: 0 }),
    send(640, 1, ACK | PSH, 1250, { back: 1250 }),
    send(2000, 0, ACK | PSH | URG, 5),
    send(2001, 1, ACK | URG, 7, { window: 0 }),
    send(9000, 0, ACK | PSH, 140),
    send(9050, 0, ACK | PSH, 140, { back: 140 }),
    send(9500, 1, ACK, 1),
    send(22_000, 1, ACK | PSH | CWR, 300),
    send(22_100, 0, ACK),
    send(28_000, 0, FIN | ACK),
    send(28_010, 1, FIN | ACK),
    send(28_020, 0, ACK),
  ]
}

/** Over the active timeout: two rows of one connection, the second begun by the server; then a reset. */
function cutTalk(): Sent[] {
  const send = tcp(40_001)
  return [
    send(30, 0, SYN),
    send(50, 1, SYN | ACK),
    send(70, 0, ACK),
    ...[1, 2, 3, 4].map((i) => send(30_000 * i + 500, 1, ACK | PSH, 60 * i)),
    send(121_000, 0, ACK | PSH, 44),
    send(121_500, 0, RST | ACK),
  ]
}

function refusedTalk(): Sent[] {
  const send = tcp(40_002)
  return [send(4000, 0, SYN), send(4001, 1, RST | ACK)]
}

function everything(): Sent[] {
  const question = udp(5000, 3, 4, 50_000, 53, 33)
  return [
    ...longTalk(),
    ...cutTalk(),
    ...refusedTalk(),
    // A question without an answer: one packet, and an ICMP error that quotes it.
    question,
    icmp(5010, 4, 3, 3, 3, [0, 0, 0, 0, ...ipv4(question)]),
    udp(6000, 5, 4, 50_001, 53, 20),
    udp(6003, 4, 5, 53, 50_001, 480),
    ...[7000, 8000].flatMap((ms) => [
      icmp(ms, 1, 5, 8, 0, [0, 7, 0, 1, ...payload(48)]),
      icmp(ms + 9, 5, 1, 0, 0, [0, 7, 0, 1, ...payload(48)]),
    ]),
  ].sort((a, b) => a.ms - b.ms)
}

function slabBytes(sent: readonly Sent[]): Uint8Array {
  const records = sent.flatMap((packet) => {
    const frame = ipv4(packet)
    const header = new DataView(new ArrayBuffer(16))
    const words = [BASE_SEC + Math.floor(packet.ms / 1000), (packet.ms % 1000) * 1e6, frame.length, frame.length]
    words.forEach((word, i) => {
      header.setUint32(4 * i, word, true)
    })
    return [...new Uint8Array(header.buffer), ...frame]
  })
  return Uint8Array.from(records)
}

/** Calls `use` for each row while it is alive. */
export function forEachSampleRow(use: (row: RowView) => void): void {
  const meter = new Meter(tableLimits({ ...defaultsOf(FLOW_OPTIONS), max_flows: 1024 }), (batch) => {
    const row = RowView.of(batch)
    for (let i = 0; i < batch.count; i++) use(row.moveTo(batch, i))
  })
  const bytes = slabBytes(everything())
  meter.meterSlab({ bytes, start: 0, end: bytes.length, linkType: LINK_RAW, interfaceId: 0 })
  meter.finish()
}

export function sampleFlows(): Flow[] {
  const flows: Flow[] = []
  forEachSampleRow((row) => flows.push({ ...readFlow(row), row: null }))
  return flows
}

export function sampleFlow(): Flow {
  return sampleFlows()[0]
}
