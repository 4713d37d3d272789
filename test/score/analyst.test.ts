import { describe, expect, it } from 'vitest'
import type { Flow } from '../../src/flow/flow.ts'
import type { AlertEvent } from '../../src/score/evidence.ts'
import { defaultScoreOptions } from '../../src/score/options.ts'
import { analyst, inRowOrder, judge, range, refused, session, unanswered } from './flows.ts'

const MINUTE = 60
const scan = (at: number, n = 40, client = '10.0.0.7'): Flow[] =>
  range(n).map((i) => refused({ client, server: '10.0.0.9', port: 1 + i * 3, at: at + i / 10 }))
const lives = (events: readonly AlertEvent[]): string[] => events.map((e) => `${e.event} ${e.episode.flows}`)

/** Every number of a claim comes as a token. */
function renderedClaims(event: AlertEvent): string[] {
  return [...event.evidence, ...event.benign].map((e) =>
    e.claim.replace(/\{([mx])(\d+)\}/g, (_all, which: string, i: string) =>
      which === 'm' ? e.measured[Number(i)].text : e.names[Number(i)],
    ),
  )
}

describe('an episode', () => {
  it('opens at the entry test, is updated in steps, closes with all flows counted', () => {
    expect(lives(judge(scan(0, 400)).events)).toEqual(['open 15', 'update 30', 'update 100', 'update 162', 'update 300', 'close 400'])
  })

  it('closes after half an hour of quiet, and comes back under its id within a day', () => {
    const { events } = judge([
      ...scan(0),
      session({ client: '10.0.0.1', server: '10.0.0.2', port: 443, at: 40 * MINUTE }),
      ...scan(90 * MINUTE),
    ])
    expect(lives(events)).toEqual(['open 15', 'update 30', 'close 40', 'open 41', 'close 80'])
    expect(new Set(events.map((e) => e.id)).size).toBe(1)
    expect(events[3].episode.first).toBe(events[0].episode.first)
  })

  it('is a new one after more than a day', () => {
    const { events, counters } = judge([...scan(0), ...scan(26 * 60 * MINUTE)])
    expect(new Set(events.map((e) => e.id)).size).toBe(2)
    expect([counters.opened, counters.reopened]).toEqual([2, 0])
  })

  it('has an id of its first day and a hash', () => {
    expect(judge(scan(0)).events[0].id).toMatch(/^fs-20260817-[0-9a-f]{10}$/)
  })

  it('keeps at most eight flows, oriented, with their window', () => {
    const [alert] = judge(scan(0, 100)).alerts
    expect(alert.flows).toHaveLength(8)
    expect(alert.flows[0].addr).toEqual(['10.0.0.7', '10.0.0.9'])
    expect(alert.windowFeatures).toMatchObject({
      src_flows_in_window: 15,
      dst_flows_in_window: 15,
      src_flag_SYN: 15,
      src_entropy_PROTOCOL: 0,
    })
  })

  it('says every number as a token: claims, checks and readings hold no digit', () => {
    const hosts = range(120).map((i) => unanswered({ client: '10.0.0.7', server: `10.1.0.${i + 1}`, port: 445, at: i }))
    const guesses = range(40).map((i) => session({ client: '10.0.0.7', server: '10.0.0.9', port: 22, at: i * 3 }, 1900, 2400, 1))
    const { events } = judge([...scan(0, 200), ...hosts, ...guesses])
    expect(new Set(events.map((e) => e.kind)).size).toBe(3)
    for (const event of events) {
      for (const e of [...event.evidence, ...event.benign]) {
        expect(`${e.claim.replace(/\{[mx]\d+\}/g, '')} ${e.alt ?? ''} ${e.next} ${e.label}`).not.toMatch(/\d/)
      }
      for (const text of [...event.wouldChange, ...event.severityWhy, ...event.notEvaluated.map((n) => n.why)])
        expect(text).not.toMatch(/\d/)
      for (const text of renderedClaims(event)) expect(text).not.toMatch(/undefined|NaN|Infinity|\{/)
    }
  })
})

describe('notification', () => {
  it('each actor and kind once a day', () => {
    const { events } = judge([...scan(0), ...scan(3 * 60 * MINUTE)])
    expect(events.filter((e) => e.shouldNotify)).toHaveLength(1)
  })

  it('all together up to the budget; the rest says how many were held back', () => {
    const defaults = defaultScoreOptions()
    const score = { ...defaults, alerts: { ...defaults.alerts, notifications_per_day: 2 } }
    const { events, counters } = judge(
      range(5).flatMap((i) => scan(i, 40, `10.0.3.${i + 1}`)),
      score,
    )
    expect(events.filter((e) => e.shouldNotify)).toHaveLength(2)
    expect(counters.notificationsHeldBack).toBe(3)
    expect(events[events.length - 1].heldBackCount).toBe(3)
  })
})

describe('the analyst', () => {
  it('says the same of the same flows, byte for byte', () => {
    const flows = [
      ...scan(0, 300),
      ...range(200).map((i) => unanswered({ client: '10.0.0.8', server: `198.51.100.${i}`, port: 23, at: i })),
    ]
    expect(JSON.stringify(judge(flows).events)).toBe(JSON.stringify(judge(flows).events))
  })

  it('counts what it did', () => {
    expect(judge(scan(0, 100)).counters).toMatchObject({ flowsJudged: 100, candidates: 1, opened: 1, closed: 1, episodesFull: 0 })
  })

  it('closes the quietest episode when there are too many', () => {
    const defaults = defaultScoreOptions()
    const score = { ...defaults, alerts: { ...defaults.alerts, episodes_max: 16 } }
    const { counters } = judge(
      range(20).flatMap((i) => scan(i, 20, `10.0.3.${i + 1}`)),
      score,
    )
    expect([counters.opened, counters.episodesFull, counters.closed]).toEqual([20, 4, 20])
  })

  it('does not mind silence of years, nor time going back', () => {
    const events: AlertEvent[] = []
    const it = analyst((e) => events.push(e))
    for (const f of inRowOrder(scan(0))) it.onFlow(f)
    it.onTime(50 * 365 * 86_400e6)
    it.onTime(0)
    expect(events.map((e) => e.event)).toEqual(['open', 'update', 'close'])
    it.finish(0)
    expect(events).toHaveLength(3)
  })
})
