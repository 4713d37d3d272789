/** Later fragments are counted with the flow of their first, without reassembly. */
import { describe, expect, test } from 'vitest'
import { putU32le } from '../../src/base/bytes.ts'
import { defaultsOf } from '../../src/base/option.ts'
import { loadConfig } from '../../src/config.ts'
import { DROP_REASONS, FRAGMENT_OF_TUNNEL, FRAGMENT_WITHOUT_FIRST } from '../../src/decode/drop-reason.ts'
import { FIRST_FRAGMENT, LATER_FRAGMENT, Packet } from '../../src/decode/packet.ts'
import { featureVector } from '../../src/features/features.ts'
import { jsonLine } from '../../src/features/jsonl.ts'
import type { FlowBatch } from '../../src/flow/batch.ts'
import { Fragments } from '../../src/flow/fragments.ts'
import { tableLimits } from '../../src/flow/limits.ts'
import { Meter, type MeterInterim } from '../../src/flow/meter.ts'
import { FLOW_OPTIONS } from '../../src/flow/options.ts'
import { readFlow } from '../../src/flow/read-flow.ts'
import { RowView, type Tunnel } from '../../src/flow/row-view.ts'
import { watchLimits } from '../../src/judge.ts'
import { hex } from '../hex.ts'

const MACS = '020000000002 020000000001'
const LINK_ETHERNET = 1

interface MeteredFlow {
  addr: readonly [string, string]
  port: readonly [number, number]
  proto: number
  packets: readonly (number | null)[]
  payloadBytes: readonly (number | null)[]
  history: string | null
  tunnel: Tunnel | null
}

/** Frames a millisecond apart, unless a time in ms is given. */
function meter(
  frames: readonly (string | [ms: number, frame: string])[],
  onRow: (view: RowView) => void = () => undefined,
  interim: MeterInterim | null = null,
): {
  flows: MeteredFlow[]
  meter: Meter
  dropped: Record<string, number>
} {
  const flows: MeteredFlow[] = []
  const onBatch = (batch: FlowBatch): void => {
    const view = RowView.of(batch)
    for (let i = 0; i < batch.count; i++) {
      const flow = readFlow(view.moveTo(batch, i))
      const { addr, port, proto, packets, payloadBytes, history } = flow
      flows.push({ addr, port, proto, packets, payloadBytes, history, tunnel: view.tunnel })
      onRow(view)
    }
  }
  const stage = new Meter({ ...tableLimits(defaultsOf(FLOW_OPTIONS)), maxFlows: 1024 }, onBatch, interim)
  frames.forEach((entry, i) => {
    const [ms, text] = typeof entry === 'string' ? [i, entry] : entry
    const frame = hex(text)
    const bytes = new Uint8Array(16 + frame.length)
    putU32le(bytes, 0, 1_700_000_000 + Math.floor(ms / 1000))
    putU32le(bytes, 4, (ms % 1000) * 1e6)
    putU32le(bytes, 8, frame.length)
    putU32le(bytes, 12, frame.length)
    bytes.set(frame, 16)
    stage.meterSlab({ bytes, start: 0, end: bytes.length, linkType: LINK_ETHERNET, interfaceId: 0 })
  })
  stage.finish()
  const { seen, decoded, dropped } = stage.counters
  expect(seen).toBe(decoded + dropped.reduce((sum, n) => sum + n, 0))
  const named = [...dropped].map((n, i) => [DROP_REASONS[i].name, n] as const).filter(([, n]) => n > 0)
  return { flows, meter: stage, dropped: Object.fromEntries(named) }
}

const u16 = (n: number): string => n.toString(16).padStart(4, '0')

function ipv4(id: number, offset: number, isLast: boolean, proto: number, payload: string): string {
  const word = (isLast ? 0 : 0x2000) | (offset / 8)
  return `4500 ${u16(20 + hex(payload).length)} ${u16(id)} ${u16(word)} 40 ${proto.toString(16).padStart(2, '0')} 0000 0a000001 0a000002 ${payload}`
}

const frame4 = (...args: Parameters<typeof ipv4>): string => `${MACS} 0800 ${ipv4(...args)}`
const UDP_FIRST = `03e8 0035 0040 0000 ${'aa'.repeat(16)}`
const TCP_FIRST = `03e8 0050 00000001 00000001 5018 1000 0000 0000 ${'bb'.repeat(12)}`

describe('fragments', () => {
  test('of UDP: three packets, one flow, the payload of all', () => {
    const { flows, meter: stage } = meter([
      frame4(7, 0, false, 17, UDP_FIRST),
      frame4(7, 24, false, 17, 'cc'.repeat(16)),
      frame4(7, 40, true, 17, 'cc'.repeat(24)),
    ])
    expect(flows).toHaveLength(1)
    expect(flows[0]).toMatchObject({ port: [1000, 53], proto: 17, packets: [3, 0], payloadBytes: [56, 0] })
    expect(stage.fragments.counters).toEqual({ first: 1, attributed: 2, evicted: 0 })
  })

  test('of TCP: no flags, no window, no retransmission', () => {
    const { flows } = meter([frame4(7, 0, false, 6, TCP_FIRST), frame4(7, 32, true, 6, 'cc'.repeat(16))])
    expect(flows[0]).toMatchObject({ port: [1000, 80], proto: 6, packets: [2, 0], payloadBytes: [28, 0], history: 'D' })
  })

  test('of ICMP keep type and code', () => {
    const { flows } = meter([frame4(7, 0, false, 1, `0800 0000 0009 0001 ${'aa'.repeat(8)}`), frame4(7, 16, true, 1, 'cc'.repeat(16))])
    expect(flows).toHaveLength(1)
    expect(flows[0]).toMatchObject({ port: [8, 0], packets: [2, 0], payloadBytes: [24, 0] })
  })

  test('overlapping, tiny and overlong ones count as what the wire carried', () => {
    const { flows } = meter([
      frame4(7, 0, false, 17, UDP_FIRST),
      frame4(7, 8, false, 17, 'cc'.repeat(16)),
      frame4(7, 8, false, 17, ''),
      frame4(7, 65528, true, 17, 'cc'.repeat(64)),
    ])
    expect(flows[0]).toMatchObject({ packets: [4, 0], payloadBytes: [16 + 16 + 64, 0] })
  })

  // The row has no transport header: its shortest is 2^32 - 1 now.
  test('alone in a row, behind a cut by the active timeout: no header is 0, not a number that stands for none', () => {
    const features: Record<string, number | null>[] = []
    const frames: [number, string][] = [0, 30, 60, 90, 119].map((s) => [
      s * 1000,
      frame4(s, 0, true, 17, `03e8 0035 0018 0000 ${'aa'.repeat(16)}`),
    ])
    const first: [number, string] = [119_500, frame4(7, 0, false, 17, UDP_FIRST)]
    const later: [number, string] = [120_001, frame4(7, 64, true, 17, 'cc'.repeat(16))]
    meter([...frames, first, later], (view) => features.push(featureVector(view)))
    expect(features.map(({ fwd_packets }) => fwd_packets)).toEqual([6, 1])
    expect(features.map(({ fwd_header_min }) => fwd_header_min)).toEqual([8, 0])
  })

  test.each([
    ['before its first', [frame4(7, 24, true, 17, 'cc'.repeat(16)), frame4(7, 0, false, 17, UDP_FIRST)]],
    ['with another id', [frame4(7, 0, false, 17, UDP_FIRST), frame4(8, 24, true, 17, 'cc'.repeat(16))]],
    ['of another protocol', [frame4(7, 0, false, 17, UDP_FIRST), frame4(7, 24, true, 6, 'cc'.repeat(16))]],
    ['half a minute later', [frame4(7, 0, false, 17, UDP_FIRST), [30_001, frame4(7, 24, true, 17, 'cc'.repeat(16))]]],
    ['whose first was cut', [frame4(7, 0, false, 17, '03e8'), frame4(7, 24, true, 17, 'cc'.repeat(16))]],
  ] as const)('a fragment %s is dropped and counted', (_, frames) => {
    expect(meter(frames as readonly (string | [number, string])[]).dropped).toMatchObject({ fragment_without_first: 1 })
  })

  test('of IPv6, also when the first has an extension header more than the later ones name', () => {
    const head = (len: number): string => `60000000 ${u16(len)} 2c 40 fd000000000000000000000000000001 fd000000000000000000000000000002`
    const first = `3c 00 0001 00000007 11 00 010400000000 ${UDP_FIRST}`
    const later = `3c 00 0020 00000007 ${'cc'.repeat(16)}`
    const { flows } = meter([`${MACS} 86dd ${head(hex(first).length)} ${first}`, `${MACS} 86dd ${head(24)} ${later}`])
    expect(flows).toHaveLength(1)
    expect(flows[0]).toMatchObject({ proto: 17, port: [1000, 53], packets: [2, 0], payloadBytes: [32, 0] })
  })

  test('of a wrapper: what it carries counts whole with the first, the rest is named', () => {
    const inner = '4500 0220 0001 0000 40 11 0000 0a090001 0a090002  03e8 07d0 020c 0000 01020304'
    const { flows, dropped } = meter([frame4(7, 0, false, 47, `0000 0800 ${inner}`), frame4(7, 40, true, 47, 'cc'.repeat(500))])
    expect(flows).toHaveLength(1)
    expect(flows[0]).toMatchObject({ addr: ['10.9.0.1', '10.9.0.2'], packets: [1, 0], payloadBytes: [516, 0] })
    expect(flows[0].tunnel).toEqual({ kind: 'gre', id: 0, depth: 1, outerAddr: ['10.0.0.1', '10.0.0.2'] })
    expect(dropped).toEqual({ fragment_of_tunnel: 1 })
  })

  test('the table is bounded: what is let go is counted', () => {
    const fragments = new Fragments()
    const p = new Packet()
    p.srcW2 = 0xffff
    p.dstW2 = 0xffff
    p.proto = 17
    p.fragment = FIRST_FRAGMENT
    for (let id = 0; id < 65_536; id++) {
      p.ipId = id
      p.timeUs = id
      expect(fragments.resolve(p)).toBe(0)
    }
    const { first, evicted } = fragments.counters
    expect(first).toBe(65_536)
    expect(evicted).toBeGreaterThanOrEqual(65_536 - 4096)
    let known = 0
    p.fragment = LATER_FRAGMENT
    for (let id = 0; id < 65_536; id++) {
      p.ipId = id
      const reason = fragments.resolve(p)
      expect([0, FRAGMENT_WITHOUT_FIRST]).toContain(reason)
      if (reason === 0) known++
    }
    expect(known).toBe(65_536 - evicted)
    expect(FRAGMENT_OF_TUNNEL).toBeGreaterThan(0)
  })
})

describe('a TCP header in pieces', () => {
  const PIECES = [
    frame4(7, 0, false, 6, '03e8 0050 00000001'),
    frame4(7, 8, false, 6, '00000000 6002 0400'),
    frame4(7, 16, true, 6, '0000 0000 020405b4'),
  ]

  test('where nobody judges: no flow, as in CICFlowMeter', () => {
    const { flows, dropped } = meter(PIECES)
    expect(flows).toEqual([])
    expect(dropped).toEqual({ tcp_truncated: 1, fragment_without_first: 2 })
  })

  test('where somebody does: one flow, and the rest of the header is no payload', () => {
    const { flows } = meter(PIECES, undefined, { limits: watchLimits(loadConfig({})), onInterim: () => undefined })
    expect(flows[0]).toMatchObject({ port: [1000, 80], proto: 6, packets: [3, 0], payloadBytes: [4, 0], history: '' })
  })
})

describe('tunnels in the table', () => {
  const inner = '4500 0020 0001 0000 40 11 0000 0a090001 0a090002  03e8 07d0 000c 0000 01020304'
  const back = '4500 0020 0001 0000 40 11 0000 0a090002 0a090001  07d0 03e8 000c 0000 01020304'
  const gre = (key: string, packet: string): string => `2000 0800 ${key} ${packet}`
  const greBack = `${MACS} 0800 4500 003c 0001 0000 40 2f 0000 0a000002 0a000001 ${gre('00000007', back)}`

  test('JSON lines name the wrapper and its addresses; a flow on the bare wire has none', () => {
    const lines: { tunnel: unknown }[] = []
    meter([frame4(1, 0, true, 47, gre('00000007', inner)), `${MACS} 0800 ${inner}`], (view) => {
      lines.push(JSON.parse(jsonLine(view)) as { tunnel: unknown })
    })
    const wrapper = { kind: 'gre', id: 7, depth: 1, src_ip: '10.0.0.1', dest_ip: '10.0.0.2' }
    expect(lines.map(({ tunnel }) => tunnel)).toEqual(expect.arrayContaining([wrapper, null]))
    expect(lines).toHaveLength(2)
  })

  test('equal addresses and ports in two tunnels, and bare, are three flows', () => {
    const { flows } = meter([
      frame4(1, 0, true, 47, gre('00000007', inner)),
      frame4(2, 0, true, 47, gre('00000008', inner)),
      `${MACS} 0800 ${inner}`,
      greBack,
    ])
    expect(flows.map((flow) => [flow.tunnel?.id ?? null, flow.packets])).toEqual(
      expect.arrayContaining([
        [7, [1, 1]],
        [8, [1, 0]],
        [null, [1, 0]],
      ]),
    )
    expect(flows).toHaveLength(3)
  })

  test('the outer addresses stand on the side of the end that they are nearer to', () => {
    const { flows } = meter([greBack, frame4(1, 0, true, 47, gre('00000007', inner))])
    expect(flows[0]).toMatchObject({ addr: ['10.9.0.2', '10.9.0.1'], tunnel: { outerAddr: ['10.0.0.2', '10.0.0.1'] } })
  })

  test('a wrapper that was not opened is counted by reason and metered', () => {
    const { flows, meter: stage } = meter([frame4(1, 0, true, 47, '0000 0000')])
    expect(flows[0]).toMatchObject({ addr: ['10.0.0.1', '10.0.0.2'], proto: 47, tunnel: null })
    expect([...stage.counters.notOpened].reduce((sum, n) => sum + n, 0)).toBe(1)
  })
})
