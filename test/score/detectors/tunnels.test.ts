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
  ['service discovery to all', range(300).map((i) => questions(i, 1, 160, 0, {}, '224.0.0.251'))],
]

describe('dns.tunnel', () => {
  it.each(DNS_TUNNELS)('finds: %s', (_name, flows) => {
    const { alerts } = judge(flows)
    expect(alerts.map((a) => `${a.kind} ${a.actor} ${a.victims.addresses[0]}`)).toEqual([`dns.tunnel ${client} ${resolver}`])
    expect(alerts[0].likelihood).toBeLessThanOrEqual(0.7)
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

describe('icmp.tunnel', () => {
  it('finds echoes that carry data, in one episode for both hosts', () => {
    const back = echoes(300, 100, 260, 1.1, { addr: [server, client] })
    const { alerts } = judge([echoes(0, 120, 240, 1.1), echoes(130, 120, 220, 1), back])
    expect(alerts.map((a) => `${a.kind} ${a.actor} ${a.victims.addresses[0]}`)).toEqual([`icmp.tunnel ${client} ${server}`])
  })

  it.each<[string, Flow[]]>([
    ['pings', [echoes(0, 600, 56, 0)]],
    ['large pings, all alike', [echoes(0, 600, 1400, 0)]],
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
