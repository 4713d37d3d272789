import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import { NetworkSet } from '../../src/base/address.ts'
import { Context } from '../../src/context/context.ts'
import { hitHeight } from '../../src/context/first-contacts.ts'
import type { Flow } from '../../src/flow/flow.ts'
import { defaultScoreOptions } from '../../src/score/options.ts'
import type { Judged } from '../../src/score/orientation.ts'
import { Orienter } from '../../src/score/orientation.ts'
import { fromEnvironment } from '../base/seeded.ts'
import { datagramAnswered, range, refused, session, unanswered } from '../score/flows.ts'

function fresh(): { context: Context; see: (flow: Flow) => { judged: Judged; observed: ReturnType<Context['observe']> } } {
  const context = new Context(defaultScoreOptions().context, new Set())
  const orienter = new Orienter(new NetworkSet(['10.0.0.0/8']), context.services)
  const see = (flow: Flow): { judged: Judged; observed: ReturnType<Context['observe']> } => {
    context.advance(flow.endUs)
    const judged = orienter.judge(flow, context.visibility.share())
    return { judged, observed: context.observe(judged) }
  }
  return { context, see }
}
const client = '10.0.0.7'
const server = (i: number): string => `198.51.${i >> 8}.${i & 255}`

describe('first contacts', () => {
  it('seven net failures hit at one in ten thousand; the same server counts once', () => {
    const { see } = fresh()
    const walk = range(14).map((i) => see(unanswered({ client, server: server(i >> 1), port: 80, at: i })).observed.client.walkHeight)
    expect(walk.findIndex((height) => height >= hitHeight(1e-4))).toBe(12)
  })

  it('a failure that becomes an answer is taken back', () => {
    const { see } = fresh()
    see(refused({ client, server: server(1), port: 443, at: 0 }))
    const { observed } = see(session({ client, server: server(1), port: 443, at: 1 }))
    expect([observed.client.firstFailed, observed.client.firstAnswered]).toEqual([0, 1])
    expect(observed.client.walkHeight).toBeLessThan(0)
    expect(observed.client.failed?.servers.count()).toBe(0)
  })
})

describe('visibility', () => {
  const halved = (flow: Flow): Flow => ({ ...flow, packets: [8, 0], payloadBytes: [500, 0] })
  it('is unknown under ten pairs, then a share of pairs with data', () => {
    const { context, see } = fresh()
    for (const i of range(9)) see(session({ client: `10.0.2.${i}`, server: server(i), port: 443, at: i }))
    expect(context.visibility.share()).toBeNull()
    see(halved(session({ client: '10.0.2.9', server: server(9), port: 443, at: 9 })))
    expect(context.visibility.share()).toBe(0.9)
  })

  it('a big scan does not lower it, and is none by itself', () => {
    const { context, see } = fresh()
    for (const i of range(5000)) see(unanswered({ client, server: server(i), port: 22, at: i / 100 }))
    expect(context.visibility.share()).toBeNull()
    for (const i of range(20)) see(session({ client: `10.0.2.${i}`, server: server(i), port: 443, at: 50 + i }))
    expect(context.visibility.share()).toBe(1)
  })

  it('one host counts with sixteen pairs at most', () => {
    const { context, see } = fresh()
    for (const i of range(100)) see(halved(session({ client: `10.0.2.${i}`, server: server(1), port: 443, at: i })))
    for (const i of range(64)) see(session({ client: `10.0.3.${i}`, server: server(100 + i), port: 443, at: 100 + i }))
    expect(context.visibility.share()).toBeCloseTo(64 / 80, 12)
  })
})

it('windowed features: whole minutes, forgotten after six', () => {
  const { context, see } = fresh()
  for (const i of range(4)) see(datagramAnswered({ client, server: server(1), port: 53, at: i }))
  const { judged } = see(session({ client, server: server(1), port: 443, at: 60 }))
  const now = context.windowFeatures(judged)
  expect(now).toMatchObject({ dst_flows_in_window: 5, src_IN_PKTS_sum: 12, src_flows_in_window: 5, src_flag_SYN: 1 })
  expect(now.src_entropy_PROTOCOL).toBeCloseTo(0.7219, 4)
  const later = see(session({ client, server: server(2), port: 443, at: 3600 }))
  expect(context.windowFeatures(later.judged)).toMatchObject({ dst_flows_in_window: 1, src_flows_in_window: 1, src_entropy_PROTOCOL: 0 })
})

describe('services', () => {
  it('an outage needs three clients, a service that worked, and ends with an answer', () => {
    const { context, see } = fresh()
    const ends = (c: number, at: number): { client: string; server: string; port: number; at: number } => ({
      client: `10.0.2.${c}`,
      server: server(1),
      port: 80,
      at,
    })
    const failing = (): number => context.services.failingClients(server(1), 6, 80, 200e6)
    for (const c of range(3)) see(unanswered(ends(c, c)))
    expect(failing()).toBe(0)
    see(session(ends(0, 100)))
    for (const c of range(3)) see(refused(ends(c, 110 + c)))
    expect(failing()).toBe(3)
    see(session(ends(1, 150)))
    expect(failing()).toBe(0)
  })
})

/** A million hosts take half a minute on a busy machine and fill the tables no fuller. */
/** Of the heap and outside it, after a collection. */
function heldBytes(): number {
  setFlagsFromString('--expose-gc')
  runInNewContext('gc')()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

const HOSTS = fromEnvironment('FLOWSCRIBE_CONTEXT_HOSTS', 200_000)

it(
  `${HOSTS} hosts: tables stay at their limits, and say so`,
  () => {
    const small = {
      ...defaultScoreOptions().context,
      hosts_max: 4096,
      pairs_max: 4096,
      services_max: 4096,
      session_windows_max: 1024,
      series_max: 4096,
    }
    const context = new Context(small, new Set([22]))
    const orienter = new Orienter(new NetworkSet(['10.0.0.0/8']), context.services)
    const before = heldBytes()
    for (let i = 0; i < HOSTS; i++) {
      const a = `10.${(i >> 16) & 255}.${(i >> 8) & 255}.${i & 255}`
      const ends = { client: a, server: server(i & 0xffff), port: 1 + (i & 1023), at: i / 1000 }
      context.observe(orienter.judge(i % 2 === 0 ? unanswered(ends) : session(ends), null))
    }
    const { counters } = context
    expect(counters.clientsEvicted).toBe(HOSTS - 4096)
    expect(counters.pairsEvicted).toBe(HOSTS - 4096)
    // What lives, not what lies about: about 2 kB for each of 4,096 hosts, their pairs and services.
    expect(heldBytes() - before).toBeLessThan(20e6)
  },
  60_000 + HOSTS / 5,
)
