import { describe, expect, it } from 'vitest'
import { NetworkSet } from '../../src/base/address.ts'
import type { Flow } from '../../src/flow/flow.ts'
import { range, session, unanswered } from '../score/flows.ts'
import { ritaScore } from './rita-score.ts'
import { SimpleRules } from './simple-rules.ts'

const INSIDE = '10.0.0.7'
const OUTSIDE = '198.51.100.9'

function spoke(flows: readonly Flow[]): string[] {
  const rules = new SimpleRules(new NetworkSet(['10.0.0.0/8']))
  for (const flow of flows) rules.observe(flow)
  return rules.finish().spoke
}

describe('simple rules', () => {
  it.each([
    [14, []],
    [15, ['Zeek: 15 ports on a host in 5 min']],
  ])('%i unanswered ports on a host', (ports, rules) => {
    expect(spoke(range(ports).map((i) => unanswered({ client: INSIDE, server: '10.0.0.9', port: 100 + i, at: i })))).toEqual(rules)
  })

  it('six unanswered hosts on a port are enough for Slips, not for Zeek', () => {
    expect(spoke(range(6).map((i) => unanswered({ client: INSIDE, server: `10.0.1.${i}`, port: 445, at: i * 400 })))).toEqual([
      'Slips: 6 unanswered hosts on a port in 1 h',
    ])
  })

  it('thirty SSH sessions in half an hour, spread over an hour they are none', () => {
    const guesses = (everyS: number): Flow[] =>
      range(30).map((i) => session({ client: INSIDE, server: '10.0.0.9', port: 22, at: i * everyS }))
    expect(spoke(guesses(50))).toContain('Zeek: 30 short SSH sessions in 30 min')
    expect(spoke(guesses(120))).toEqual([])
  })

  it('a steady pair is a beacon for RITA only when it goes outside', () => {
    const beacon = (server: string): Flow[] => range(24 * 12).map((i) => session({ client: INSIDE, server, port: 443, at: i * 300 }))
    expect(spoke(beacon(OUTSIDE))).toEqual(['RITA v5: beacon score of 0.7'])
    expect(spoke(beacon('10.0.0.9'))).toEqual([])
  })

  it('100 MB to one host within an hour', () => {
    const upload = (bytes: number): Flow[] => [session({ client: INSIDE, server: OUTSIDE, port: 443, at: 0 }, bytes)]
    expect(spoke(upload(100e6))).toEqual(['Slips: 100 MB in 1 h to one host'])
    expect(spoke(upload(99e6))).toEqual([])
  })

  it('packets are counted for the host that they were sent to, in its busiest ten seconds', () => {
    const rules = new SimpleRules(new NetworkSet([]))
    for (const i of range(50)) rules.observe(unanswered({ client: `10.0.2.${i}`, server: OUTSIDE, port: 80, at: i % 10 }, 3))
    rules.observe(unanswered({ client: INSIDE, server: OUTSIDE, port: 80, at: 11 }, 9))
    expect(rules.finish().packets10sMax).toBe(150)
  })
})

describe('RITA score', () => {
  const startsUs = range(24 * 60).map((i) => i * 60e6)

  it('is one for a clockwork of equal connections all day', () => {
    expect(ritaScore({ startsUs, sentBytes: startsUs.map(() => 500) })).toBeCloseTo(1, 2)
  })

  it('needs four connections', () => {
    expect(ritaScore({ startsUs: [0, 1, 2], sentBytes: [1, 1, 1] })).toBeNull()
  })

  it('is low for bursts with pauses', () => {
    const bursts = [0, 1, 2, 300, 301, 5000, 5001, 5002, 40_000, 40_003].map((s) => s * 1e6)
    expect(ritaScore({ startsUs: bursts, sentBytes: bursts.map((_, i) => 100 + ((i * 7919) % 5000)) })).toBeLessThan(0.5)
  })
})
