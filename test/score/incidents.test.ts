import { describe, expect, it, vi } from 'vitest'
import type { Flow } from '../../src/flow/flow.ts'
import { analyst, judge, openedTo, range, refused, said, session, unanswered } from './flows.ts'

// Thousands of flows a case: seconds on a busy machine.
vi.setConfig({ testTimeout: 60_000 })

const intruder = '10.0.0.14'
const taken = '10.0.0.20'
const office = range(6).map((h) => session({ client: `10.0.1.${h + 1}`, server: `203.0.${h}.9`, port: 443, at: h }))
const scan = range(60).map((i) => refused({ client: intruder, server: taken, port: 1 + i * 3, at: 10 + i / 10 }))
const guesses = (hasSuccess: boolean): Flow[] => [
  ...range(30).map((i) => session({ client: intruder, server: taken, port: 22, at: 200 + i * 3 }, 1900 + (i % 3), 2400, 2)),
  ...(hasSuccess ? [session({ client: intruder, server: taken, port: 22, at: 300 }, 30_000, 90_000, 110)] : []),
]
const upload = session({ client: taken, server: '198.51.100.77', port: 80, at: 900 }, 6e7, 200, 100)

describe('incidents', () => {
  it('joins scan, guess and upload across the host that was taken over, in order of time', () => {
    const { alerts } = judge([...office, ...scan, ...guesses(true), upload])
    const exfil = alerts.find((a) => a.kind === 'exfil.volume')
    expect(exfil?.incident?.members.map((m) => `${m.kind} ${m.actor}→${m.victim}`)).toEqual([
      `scan.vertical ${intruder}→${taken}`,
      `brute.login ${intruder}→${taken}`,
      `exfil.volume ${taken}→198.51.100.77`,
    ])
    expect(exfil?.evidence.map((e) => e.code)).toContain('I.chain')
    expect(new Set(alerts.map((a) => a.incident?.id)).size).toBe(1)
  })

  it('guesses that did not succeed hand nothing over', () => {
    const { alerts } = judge([...office, ...scan, ...guesses(false), upload])
    expect(alerts.filter((a) => a.kind === 'exfil.volume' && a.incident !== undefined)).toEqual([])
    expect(alerts.filter((a) => a.incident !== undefined).map((a) => a.kind)).toEqual(['scan.vertical', 'brute.login'])
  })

  it('an upload of an unrelated host stands alone, and an earlier step gains nothing from a later one', () => {
    const { alerts } = judge([...office, ...scan, ...guesses(true), { ...upload, addr: ['10.0.0.99', '198.51.100.77'] }])
    const codes = alerts
      .filter((a) => a.kind === 'scan.vertical' || a.kind === 'exfil.volume')
      .flatMap((a) => a.evidence.map((e) => e.code))
    expect(codes).not.toContain('I.chain')
  })

  it('two days later it is another story', () => {
    const late: Flow = { ...upload, startUs: 2e11, lastUs: 2.001e11, endUs: 2.0011e11 }
    const { alerts } = judge([...office, ...scan, ...guesses(true), late])
    expect(alerts.filter((a) => a.kind === 'exfil.volume' && a.incident !== undefined)).toEqual([])
  })
})

describe('open flows', () => {
  it('a flood is found while all its flows are open, and not counted twice when they end', () => {
    const kinds: string[] = []
    const it = analyst((event) => kinds.push(`${event.event} ${event.kind} ${event.actor}`))
    const victim = '10.0.0.9'
    const open = unanswered({ client: '198.51.100.4', server: victim, port: 80, at: 4 })
    const sources = range(64).map((i) => `20.0.0.${i}`)
    for (const second of range(4)) it.onDestinationCounters(openedTo(victim, (second + 1) * 1e6, 400, sources), open)
    expect(kinds).toEqual(['open flood.syn many'])
    for (const i of range(1600)) it.onFlow(unanswered({ client: `20.${i % 40}.${i >> 5}.9`, server: victim, port: 80, at: 1 + i / 400 }))
    it.finish(100e6)
    expect(kinds.filter((kind) => kind.startsWith('open flood'))).toHaveLength(1)
    expect(kinds.some((kind) => kind.includes('burst'))).toBe(false)
  })

  it('slow connections are found while they are open', () => {
    const kinds: string[] = []
    const it = analyst((event) => kinds.push(`${event.event} ${event.kind}`))
    const held = range(80).map(
      (i): Flow => ({ ...session({ client: '198.51.100.4', server: '10.0.0.9', port: 80, at: i / 20 }, 230, 0, 30), endUs: 40e6 }),
    )
    it.onOpenFlows(held, 40e6, (_what, _flow, work) => work())
    expect(kinds).toEqual(['open slow.http'])
  })

  it('says nothing about what is open and ordinary', () => {
    const run = judge(office)
    expect(said(run)).toEqual([])
  })
})
