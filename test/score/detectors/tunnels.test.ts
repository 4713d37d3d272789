import { describe, expect, it, vi } from 'vitest'
import type { Flow } from '../../../src/flow/flow.ts'
import { ICMP } from '../../../src/flow/flow.ts'
import { datagram, judge, range, said } from '../flows.ts'

// Thousands of flows a case: seconds on a busy machine.
vi.setConfig({ testTimeout: 60_000 })

const client = '10.0.0.7'
const resolver = '198.51.100.53'

/** `n` questions of one conversation. */
const questions = (at: number, n: number, query: number, reply: number, over: Partial<Flow> = {}, server = resolver): Flow =>
  datagram(
    { client, server, port: 53, at },
    {
      lastUs: (at + n / 10) * 1e6,
      packets: [n, n],
      payloadBytes: [n * query, n * reply],
      payloadSquares: [n * query * query * 1.2, n * reply * reply * 1.1],
      ...over,
    },
  )

const DNS_TUNNELS: readonly [string, Flow[]][] = [
  ['one port, large and many', [questions(0, 220, 76, 166)]],
  ['a new port each time, very large', range(150).map((i) => questions(i, 1, 190, 240))],
  ['thirty very large ones, each from its own port', range(30).map((i) => questions(i, 1, 160, 240))],
  ['a short burst of large ones from one port', [questions(0, 22, 118, 100)]],
]
const DNS_LOOK_ALIKES: readonly [string, Flow[]][] = [
  ['a busy resolver', range(2000).map((i) => questions(i / 10, 1, 38 + (i % 20), 120 + (i % 200)))],
  ['a forwarder with one port', [questions(0, 3000, 44, 160)]],
  ['ninety reverse look-ups of long addresses', range(90).map((i) => questions(i, 1, 101, 150))],
  ['a reputation service: large names, few', range(60).map((i) => questions(i * 5, 1, 105, 90))],
  [
    "a mail server's look-ups of senders, digests and keys by a resolver of its own",
    [
      ...range(6).map((h) =>
        datagram({ client: `10.0.1.${h + 1}`, server: '10.0.0.53', port: 53, at: h }, { packets: [1, 1], payloadBytes: [40, 80] }),
      ),
      ...range(500).map((i) => questions(i / 4, 1, 60 + ((i * 37) % 70), 100 + ((i * 91) % 300))),
    ],
  ],
  ['service discovery to all', range(300).map((i) => questions(i, 1, 160, 0, {}, '224.0.0.251'))],
]

/** Names that others of the office look up, so that a resolver is known for one. */
const clientsOf = (relay: string, n = 3): Flow[] =>
  range(n).map((i) => questions(i / 10, 1, 40, 120, { addr: [`10.0.0.${20 + i}`, relay] }, relay))
const officeResolver = '10.0.0.53'
const DNS_RELAYS: readonly [string, Flow[], string[]][] = [
  [
    'a resolver that asks from one port, large names among them',
    [...clientsOf(officeResolver), questions(5, 1800, 75, 150, { addr: [officeResolver, resolver] })],
    [],
  ],
  [
    'a tunnel by the resolver is that of its client',
    [
      ...clientsOf(officeResolver),
      questions(5, 400, 180, 240, {}, officeResolver),
      questions(5, 400, 180, 240, { addr: [officeResolver, resolver] }),
    ],
    [`dns.tunnel ${client}→${officeResolver} (1)`],
  ],
  [
    'a host that nobody asks answers for itself',
    [...clientsOf(officeResolver), questions(5, 400, 180, 240, { addr: ['10.0.0.54', resolver] })],
    [`dns.tunnel 10.0.0.54→${resolver} (1)`],
  ],
]

describe('dns.tunnel', () => {
  it.each(DNS_TUNNELS)('finds: %s', (_name, flows) => {
    const { alerts } = judge(flows)
    expect(alerts.map((a) => `${a.kind} ${a.actor} ${a.victims.addresses[0]}`)).toEqual([`dns.tunnel ${client} ${resolver}`])
    expect(alerts[0].likelihood).toBeLessThanOrEqual(0.7)
  })

  it.each(DNS_RELAYS)('by others: %s', (_name, flows, expected) => {
    expect(said(judge(flows))).toEqual(expected)
  })

  it.each(DNS_LOOK_ALIKES)('stays quiet: %s', (_name, flows) => {
    expect(said(judge(flows))).toEqual([])
  })
})

const server = '198.51.100.9'
const echoes = (at: number, n: number, bytes: number, variation: number, over: Partial<Flow> = {}): Flow => {
  const squares = n * bytes * bytes * (1 + variation * variation)
  return datagram(
    { client, server, port: 0, at },
    {
      proto: ICMP,
      port: [8, 0],
      lastUs: (at + n) * 1e6,
      endUs: (at + n + 30) * 1e6,
      packets: [n, n],
      payloadBytes: [n * bytes, n * bytes],
      payloadSquares: [squares, squares],
      ...over,
    },
  )
}

/** Pings of these sizes, each answered by as much, but the `lost` largest. */
function pings(at: number, sizes: readonly number[], lost = 0): Flow {
  const sums = (all: readonly number[], power: number): number => all.reduce((sum, size) => sum + size ** power, 0)
  const answered = [...sizes].sort((a, b) => a - b).slice(0, sizes.length - lost)
  return echoes(at, sizes.length, 0, 0, {
    packets: [sizes.length, answered.length],
    payloadBytes: [sums(sizes, 1), sums(answered, 1)],
    payloadSquares: [sums(sizes, 2), sums(answered, 2)],
  })
}

describe('icmp.tunnel', () => {
  it('finds it where the mean sizes of both sides agree, as in a shell whose echoes come back', () => {
    // 200 requests, 196 replies of nearly the same mean and spread, which cannot be theirs.
    const alike = (at: number): Flow =>
      echoes(at, 200, 220, 1.1, { packets: [200, 196], payloadBytes: [44_000, 43_600], payloadSquares: [21_392_800, 21_392_700] })
    expect(judge([alike(0), alike(240)]).alerts.map((a) => a.kind)).toEqual(['icmp.tunnel'])
  })

  it('finds echoes that carry data, in one episode for both hosts', () => {
    const back = echoes(300, 100, 260, 1.1, { addr: [server, client] })
    const { alerts } = judge([echoes(0, 120, 240, 1.1), echoes(130, 120, 220, 1), back])
    expect(alerts.map((a) => `${a.kind} ${a.actor} ${a.victims.addresses[0]}`)).toEqual([`icmp.tunnel ${client} ${server}`])
  })

  it('finds it where the first packet seen is a reply', () => {
    // What comes back is not what was asked: answers that repeat their questions are pings (B16).
    const asked = { bytes: 28_800, squares: 15_275_520 }
    const answered = { bytes: 21_600, squares: 7_776_000 }
    const sizes = (first: typeof asked, second: typeof asked): Partial<Flow> => ({
      payloadBytes: [first.bytes, second.bytes],
      payloadSquares: [first.squares, second.squares],
    })
    const begun = echoes(0, 120, 240, 1.1, { addr: [server, client], port: [0, 0], ...sizes(answered, asked) })
    const { alerts } = judge([begun, echoes(130, 120, 220, 1, sizes(asked, answered))])
    expect(alerts.map((a) => `${a.kind} ${a.actor} ${a.victims.addresses[0]}`)).toEqual([`icmp.tunnel ${client} ${server}`])
    expect(said(judge([echoes(0, 600, 56, 0, { addr: [server, client], port: [0, 0] })]))).toEqual([])
  })

  it.each<[string, Flow[]]>([
    ['pings', [echoes(0, 600, 56, 0)]],
    ['large pings, all alike', [echoes(0, 600, 1400, 0)]],
    ['pings of two sizes to one host', [pings(0, [...range(70).map(() => 1400), ...range(75).map(() => 56)])]],
    [
      'a search for the largest packet, the largest of them lost',
      [
        pings(
          0,
          range(60).flatMap((i) => [300 + 20 * i, 300 + 20 * i]),
          12,
        ),
      ],
    ],
    [
      'pings of ever other sizes, one lost',
      [
        pings(
          0,
          range(90).map((i) => 56 + 13 * i),
          1,
        ),
        pings(
          200,
          range(90).map((i) => 56 + 13 * i),
        ),
      ],
    ],
    ['a path test in steps, short', [echoes(0, 25, 800, 0.6)]],
    ['requests that nobody answers', range(3).map((i) => echoes(i * 130, 120, 240, 1.1, { packets: [120, 0], payloadBytes: [28_800, 0] }))],
  ])('stays quiet: %s', (_name, flows) => {
    expect(said(judge(flows))).toEqual([])
  })
})

const ping = (i: number, target: string, isAnswered: boolean): Flow =>
  datagram(
    { client, server: target, port: 0, at: i / 10 },
    { proto: ICMP, port: [8, 0], packets: [1, isAnswered ? 1 : 0], payloadBytes: [8, isAnswered ? 8 : 0] },
  )

describe('sweep.icmp', () => {
  it.each<[string, Flow[]]>([
    ['a network, a third in use', range(254).map((i) => ping(i, `10.0.2.${i + 1}`, i % 3 === 0))],
    [
      'a short one with network and broadcast',
      [...range(14).map((i) => ping(i, `10.0.2.${i * 7 + 1}`, i % 3 !== 0)), ping(15, '10.0.2.0', false), ping(16, '10.0.2.255', false)],
    ],
  ])('finds: %s', (_name, flows) => {
    expect(judge(flows).alerts.map((a) => `${a.kind} ${a.actor}`)).toEqual([`sweep.icmp ${client}`])
  })

  it.each<[string, Flow[]]>([
    ['monitoring that nearly all answer', range(600).map((i) => ping(i * 10, `10.0.2.${(i % 60) + 1}`, i % 60 !== 7))],
    ['six hosts looked for', range(6).map((i) => ping(i, `10.0.2.${i + 1}`, false))],
    ['one host pinged for long', range(200).map((i) => ping(i * 10, '10.0.2.1', false))],
  ])('stays quiet: %s', (_name, flows) => {
    expect(said(judge(flows))).toEqual([])
  })
})
