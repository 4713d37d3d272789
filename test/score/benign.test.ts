import { describe, expect, it } from 'vitest'
import type { Flow } from '../../src/flow/flow.ts'
import type { ScoreOptions } from '../../src/score/options.ts'
import { defaultScoreOptions } from '../../src/score/options.ts'
import { BASE_SEC, judge, range, refused, said, session, unanswered } from './flows.ts'

const scan = (client: string, n = 300): Flow[] => range(n).map((i) => refused({ client, server: '10.0.0.9', port: 1 + i, at: i / 10 }))

function withRole(role: Record<string, string>): ScoreOptions {
  return { ...defaultScoreOptions(), roles: { declared: [{ address: '10.0.0.0/29', role: 'scanner', owner: 'Ada', ...role }] } }
}
const day = (offset: number): string => new Date((BASE_SEC + offset * 86_400) * 1000).toISOString().slice(0, 10)

describe('B5 declared role', () => {
  it('holds the alert back, and counts it', () => {
    const run = judge(scan('10.0.0.7'), withRole({}))
    expect(run.events).toEqual([])
    expect([run.counters.explained, run.counters.opened]).toEqual([1, 0])
  })

  it.each<[string, Record<string, string>, string, number]>([
    ['until today', { until: day(0) }, '10.0.0.7', 0],
    ['until yesterday', { until: day(-1) }, '10.0.0.7', 1],
    ['another address', {}, '10.0.0.77', 1],
    ['a role that explains something else', { role: 'backup' }, '10.0.0.7', 1],
    ['a role nobody knows', { role: 'wizard' }, '10.0.0.7', 1],
  ])('%s', (_name, role, client, alerts) => {
    expect(judge(scan(client), withRole(role)).alerts).toHaveLength(alerts)
  })

  it('where none is declared the alert says that it was considered', () => {
    const considered = judge(scan('10.0.0.7')).alerts[0].benign
    expect(considered.find((b) => b.code === 'B5.role')).toMatchObject({ lr: 0, supports: 'benign' })
  })
})

describe('B7 server outage', () => {
  const ports = range(40).map((i) => 8000 + i)
  const clients = ['10.0.0.5', '10.0.0.6', '10.0.0.7', '10.0.0.8']
  const worked = clients.flatMap((client) => ports.map((port, i) => session({ client, server: '10.0.0.9', port, at: i })))
  const down = (some: readonly string[]): Flow[] =>
    ports.flatMap((port, i) => some.map((client, c) => unanswered({ client, server: '10.0.0.9', port, at: 600 + i + c / 10 })))

  it('four clients failing towards services that worked are one outage, not four scans', () => {
    expect(said(judge([...worked, ...down(clients)]))).toEqual([])
  })

  it('towards services nobody ever saw work they are scans', () => {
    expect(judge(down(clients)).alerts).toHaveLength(4)
  })
})

it('B11: an alert that rests on refusals says that silence was not evaluated', () => {
  const oneSided = range(20).map((i): Flow => {
    const whole = session({ client: `10.2.0.${i + 1}`, server: `198.51.100.${i + 1}`, port: 443, at: i })
    return { ...whole, packets: [8, 0], payloadBytes: [500, 0], endUs: whole.lastUs + 60e6 }
  })
  const later = scan('10.0.0.7').map((f): Flow => ({ ...f, startUs: f.startUs + 100e6, lastUs: f.lastUs + 100e6, endUs: f.endUs + 100e6 }))
  const [alert] = judge([...oneSided, ...later]).alerts
  expect(alert.notEvaluated.map((n) => n.code)).toContain('fail.silent')
  expect(alert.visibility.bothHalves).toBe(0)
})
