/** What does not wait for a flow's end: each record is judged by itself, so that a fault costs no other. */
import { expect, test } from 'vitest'
import { loadConfig } from '../src/config.ts'
import { NOTHING_COUNTED } from '../src/context/capture-history.ts'
import type { Interim } from '../src/flow/interim.ts'
import { tableLimits } from '../src/flow/limits.ts'
import { Meter } from '../src/flow/meter.ts'
import { judgeInterim, watchLimits } from '../src/judge.ts'
import type { Analyst, Guarded } from '../src/score/analyst.ts'
import { openAnalyst } from '../src/sensor.ts'
import { type Frame, slabsOf } from './capture/records.ts'
import { conversation } from './flow/conversation.ts'
import { reply } from './score/arp-messages.ts'
import { range } from './score/flows.ts'

const config = loadConfig({})

function newAnalyst(): Analyst {
  const visibility = () => ({ ...NOTHING_COUNTED, bothHalves: null, inputDamage: null, source: 'live' as const })
  return openAnalyst(config, 1_700_000_000, visibility, () => {})
}

/** Notes what failed, and on what. */
function guard(): { guarded: Guarded; given: string[] } {
  const given: string[] = []
  const guarded: Guarded = (what, record, work) => {
    try {
      work()
    } catch (error) {
      given.push(`${what} ${JSON.stringify(record)} ${(error as Error).message}`)
    }
  }
  return { guarded, given }
}

/** Calls `method` as it is, but for those whose first argument is as asked: these throw. Returns how often it came through. */
function breakAt<K extends 'onLink' | 'onDestinationCounters'>(
  it: Analyst,
  method: K,
  isBad: (first: Parameters<Analyst[K]>[0]) => boolean,
): { judged: number } {
  const seen = { judged: 0 }
  const whole = it[method].bind(it) as (...words: Parameters<Analyst[K]>) => void
  it[method] = ((...words: Parameters<Analyst[K]>) => {
    if (isBad(words[0])) throw new TypeError('a bug')
    whole(...words)
    seen.judged++
  }) as Analyst[K]
  return seen
}

/** All that a meter hands over before flows end. */
function interimsOf(frames: Frame[]): Interim[] {
  const found: Interim[] = []
  const limits = { ...tableLimits(config.flow), maxFlows: 4096 }
  const meter = new Meter(limits, () => {}, { limits: watchLimits(config), onInterim: (one) => found.push(one) })
  for (const slab of slabsOf(frames.sort((a, b) => a.sec - b.sec || a.nsec - b.nsec))) meter.meterSlab(slab)
  return found
}

const toVictim = (victim: string) => (i: number) =>
  conversation({ client: { address: `20.0.${i >> 7}.${1 + (i & 127)}`, port: 1024 + i }, server: { address: victim, port: 80 } })

test('a sighting that cannot be judged costs no other of its second', () => {
  const it = newAnalyst()
  const seen = breakAt(it, 'onLink', (sighting) => sighting.kind === 'arp' && sighting.senderAddress === '10.0.0.66')
  const { guarded, given } = guard()
  const sightings = ['10.0.0.1', '10.0.0.66', '10.0.0.3'].map((from, i) => reply(from, '10.0.0.9', i / 10))
  judgeInterim({ kind: 'link', baseSec: 0, sightings }, it, guarded)
  expect(seen.judged).toBe(2)
  expect(given).toEqual([expect.stringMatching(/^sighting .*"10\.0\.0\.66".* a bug$/)])
})

test('counters of one destination that cannot be judged cost no other destination', () => {
  const floods = ['10.0.0.8', '10.0.0.9'].flatMap((victim) => range(600).map((i) => toVictim(victim)(i).tcp(1 + i / 200, '>', 'S')))
  const interims = interimsOf([...floods, toVictim('10.0.0.1')(1).tcp(9, '>', 'S')]).filter(({ kind }) => kind === 'counters')
  expect(interims.length).toBeGreaterThan(0)
  const it = newAnalyst()
  const seen = breakAt(it, 'onDestinationCounters', ({ destination }) => destination === '10.0.0.8')
  const { guarded, given } = guard()
  for (const interim of interims) judgeInterim(interim, it, guarded)
  expect(seen.judged).toBeGreaterThanOrEqual(2)
  expect(given.length).toBe(seen.judged)
  for (const one of given) expect(one).toMatch(/^counters .*"destination":"10\.0\.0\.8".* a bug$/)
})

test('one open flow that cannot be judged costs no other; without a guard, as in a replay, a fault ends the run', () => {
  const held = range(70).flatMap((i) => {
    const c = conversation({ client: { address: '10.0.0.50', port: 2000 + i }, server: { address: '10.0.0.9', port: 80 } })
    return [c.tcp(1, '>', 'S'), c.tcp(1.1, '<', 'SA'), c.tcp(1.2, '>', 'A'), c.tcp(1.3, '>', 'PA', 100), c.tcp(20, '>', 'PA', 4)]
  })
  const [interim] = interimsOf([...held, toVictim('10.0.0.1')(1).tcp(26, '>', 'S')]).filter(({ kind }) => kind === 'open')
  expect(interim).toBeDefined()
  const kinds: string[] = []
  const visibility = () => ({ ...NOTHING_COUNTED, bothHalves: null, inputDamage: null, source: 'live' as const })
  const it = openAnalyst(config, 1_700_000_000, visibility, ({ event, kind }) => kinds.push(`${event} ${kind}`))
  const { guarded, given } = guard()
  let first = true
  judgeInterim(interim, it, (what, record, work) =>
    guarded(what, record, () => {
      if (first) {
        first = false
        throw new TypeError('a bug')
      }
      work()
    }),
  )
  expect(given).toEqual([expect.stringMatching(/^open-flow .*"10\.0\.0\.9".* a bug$/)])
  expect(kinds).toEqual(['open slow.http'])
  const broken = newAnalyst()
  breakAt(broken, 'onLink', () => true)
  expect(() => judgeInterim({ kind: 'link', baseSec: 0, sightings: [reply('10.0.0.1', '10.0.0.9', 0)] }, broken)).toThrow('a bug')
})
