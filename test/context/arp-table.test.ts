import { describe, expect, test } from 'vitest'
import { ArpTable } from '../../src/context/arp-table.ts'
import { TableClock } from '../../src/context/bounded-table.ts'
import { seeded } from '../base/seeded.ts'
import { announcement, mac, probe, reply, request } from '../score/arp-messages.ts'

const tableOf = (): ArpTable => new ArpTable(1024, new TableClock())

describe('arp table: what a message is', () => {
  test('an answer is one that its hearer asked for within seconds', () => {
    const table = tableOf()
    expect(table.noteArp(reply('10.0.0.1', '10.0.0.2', 0)).how).toBe('unasked')
    expect(table.noteArp(request('10.0.0.2', '10.0.0.1', 1)).how).toBe('question')
    expect(table.noteArp(reply('10.0.0.1', '10.0.0.2', 2)).how).toBe('answer')
    // Two cards of one machine answer one question, and both were asked.
    expect(table.noteArp(reply('10.0.0.1', '10.0.0.2', 2, mac('10.0.9.9'))).how).toBe('answer')
    expect(table.noteArp(reply('10.0.0.1', '10.0.0.3', 2)).how).toBe('unasked')
    expect(table.noteArp(reply('10.0.0.1', '10.0.0.2', 9)).how).toBe('unasked')
  })

  test('who asks for the own address announces it; who asks in nobody’s name claims nothing', () => {
    const table = tableOf()
    expect(table.noteArp(announcement('10.0.0.1', 0)).how).toBe('announcement')
    const { how, station } = table.noteArp(probe('10.0.0.7', 0))
    expect(how).toBe('probe')
    expect(station.used.size + station.forced.size).toBe(0)
  })

  test('the VLAN keeps claims apart, answers find their question without it', () => {
    const table = tableOf()
    table.noteArp({ ...request('10.0.0.2', '10.0.0.1', 0), segment: '12' })
    expect(table.noteArp(reply('10.0.0.1', '10.0.0.2', 1)).how).toBe('answer')
    for (const segment of ['1', '2']) {
      const { station } = table.noteArp({ ...reply('10.0.0.1', '10.0.0.9', 20, mac(segment)), segment })
      const [claimed] = [...station.forced]
      expect(claimed.others(station.mac, 20e6)).toEqual([])
    }
  })

  test('a claim that nobody repeated for ten minutes is forgotten', () => {
    const table = tableOf()
    table.noteArp(request('10.0.0.1', '10.0.0.9', 0))
    const { station } = table.noteArp(reply('10.0.0.1', '10.0.0.9', 599, mac('10.0.0.66')))
    const [claimed] = [...station.forced]
    expect(claimed.others(station.mac, 599e6).map((claim) => claim.mac)).toEqual([mac('10.0.0.1')])
    expect(claimed.others(station.mac, 601e6)).toEqual([])
  })

  test('a burst is one message', () => {
    const table = tableOf()
    const seen = [0, 0.001, 0.002, 5, 5.001].map((at) => table.noteArp(reply('10.0.0.1', '10.0.0.9', at)))
    const [claimed] = [...seen[0].station.forced]
    expect(claimed.claimOf(mac('10.0.0.1'))?.counts.unasked).toBe(2)
  })
})

describe('arp table: over which card packets come', () => {
  const carried = (from: string, to: string, source: string, destination: string, at: number) =>
    ({
      kind: 'carried',
      atUs: at * 1e6,
      fromMac: mac(from),
      toMac: mac(to),
      sourceAddress: source,
      destinationAddress: destination,
    }) as const

  test('a router is whoever sends packets of others', () => {
    const table = tableOf()
    table.noteArp(request('10.0.0.1', '10.0.0.9', 0))
    for (let i = 1; i < 6; i++) table.noteCarried(carried('10.0.0.1', '10.0.0.9', `198.51.100.${i}`, '10.0.0.9', 1))
    table.noteCarried(carried('10.0.0.1', '10.0.0.9', '10.0.0.1', '10.0.0.9', 1))
    expect(table.station(mac('10.0.0.1'))?.foreignSources).toBe(5)
  })

  test('diverted is what came over another card before the claim; both hops of one router are not', () => {
    const table = tableOf()
    for (const at of [1, 2, 3]) {
      expect(table.noteCarried(carried('10.0.0.9', '10.0.0.1', '10.0.0.9', '10.1.0.1', at))).toBeNull()
      expect(table.noteCarried(carried('10.0.0.1', '10.1.0.1', '10.0.0.9', '10.1.0.1', at))).toBeNull()
    }
    table.noteArp(reply('10.0.0.1', '10.0.0.9', 4, mac('10.0.0.66')))
    // Now .66 stands between them; its own packets are not diverted ones.
    expect(table.noteCarried(carried('10.0.0.66', '10.0.0.1', '10.0.0.9', '10.1.0.1', 5))?.divertedCount).toBe(1)
    expect(table.noteCarried(carried('10.0.0.66', '10.0.0.1', '10.0.0.66', '10.1.0.1', 5))).toBeNull()
  })
})

test('whatever comes, tables stay within their limit and say how often it was reached', () => {
  const clock = new TableClock()
  const table = new ArpTable(64, clock)
  const random = seeded(5)
  const address = (): string => `10.${random.below(4)}.${random.below(256)}.${random.below(256)}`
  for (let i = 0; i < 20_000; i++) {
    clock.advance(i * 1e4)
    const at = i / 100
    const { station } = table.noteArp(
      random.pick([request, reply])(address(), random.pick(['10.0.0.1', address()]), at, mac(`10.0.0.${random.below(200)}`)),
    )
    expect(station.used.size).toBeLessThanOrEqual(64)
    expect(station.forced.size).toBeLessThanOrEqual(64)
    for (const claimed of station.forced) expect(claimed.recent.length).toBeLessThanOrEqual(64)
  }
  expect(table.evictedCount).toBeGreaterThan(1000)
})
