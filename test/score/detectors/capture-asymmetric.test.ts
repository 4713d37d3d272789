/** A capture with one direction of each conversation, and the same with both. */
import { describe, expect, test, vi } from 'vitest'
import { loadConfig } from '../../../src/config.ts'
import { NOTHING_COUNTED } from '../../../src/context/capture-history.ts'
import { tableLimits } from '../../../src/flow/limits.ts'
import { Meter } from '../../../src/flow/meter.ts'
import { judge, judgeInterim, watchLimits } from '../../../src/judge.ts'
import type { Analyst } from '../../../src/score/analyst.ts'
import type { AlertEvent } from '../../../src/score/evidence.ts'
import { openAnalyst } from '../../../src/sensor.ts'
import { type Frame, slabsOf } from '../../capture/records.ts'
import { conversation } from '../../flow/conversation.ts'
import { range } from '../flows.ts'

// Tens of thousands of frames: seconds on a busy machine.
vi.setConfig({ testTimeout: 60_000 })

/** Twenty clients, each with a web page of one of eight servers a minute, as a mirror port that shows `sides` sees it. */
function office(fromMinute: number, toMinute: number, sides: 'both' | 'client'): Frame[] {
  return range(toMinute - fromMinute).flatMap((n) =>
    range(20).flatMap((i) => {
      const minute = fromMinute + n
      const server = { address: `198.51.100.${1 + ((i + minute) % 8)}`, port: 443 }
      const c = conversation({ client: { address: `10.0.0.${10 + i}`, port: 20_000 + minute * 20 + i }, server })
      const at = minute * 60 + i * 2.5
      const out = [
        c.tcp(at, '>', 'S'),
        c.tcp(at + 0.02, '>', 'A'),
        c.tcp(at + 0.03, '>', 'PA', 400 + i),
        c.tcp(at + 0.3, '>', 'A'),
        c.tcp(at + 1, '>', 'FA'),
      ]
      const back = [c.tcp(at + 0.01, '<', 'SA'), c.tcp(at + 0.2, '<', 'PA', 1200 + 7 * i), c.tcp(at + 1.1, '<', 'FA')]
      return sides === 'both' ? [...out, ...back] : out
    }),
  )
}

function eventsOf(frames: Frame[]): AlertEvent[] {
  const config = loadConfig({})
  const events: AlertEvent[] = []
  const run: { analyst: Analyst | null } = { analyst: null }
  const analystOf = (): Analyst => {
    const visibility = () => ({ ...NOTHING_COUNTED, bothHalves: null, inputDamage: null, source: 'file' as const })
    run.analyst ??= openAnalyst(config, meter.baseSec, visibility, (alert) => events.push(alert))
    return run.analyst
  }
  const meter: Meter = new Meter({ ...tableLimits(config.flow), maxFlows: 4096 }, (batch) => judge(batch, analystOf()), {
    limits: watchLimits(config),
    onInterim: (interim) => judgeInterim(interim, analystOf()),
  })
  for (const slab of slabsOf(frames.sort((a, b) => a.sec - b.sec || a.nsec - b.nsec))) meter.meterSlab(slab)
  meter.finish()
  run.analyst?.finish(meter.table.nowUs)
  return events
}

const told = (events: AlertEvent[], event: string): AlertEvent[] =>
  events.filter((one) => one.kind === 'capture.asymmetric' && one.event === event)

describe('capture.asymmetric', () => {
  test('one direction for twenty-five minutes: told once, as information, after ten', () => {
    const events = eventsOf(office(0, 25, 'client'))
    const [alert, ...more] = told(events, 'open')
    expect(more).toEqual([])
    expect(alert).toMatchObject({ severity: 'info', shouldNotify: false, actor: 'many' })
    expect(alert.likelihood).toBeLessThanOrEqual(0.1)
    expect(alert.visibility.bothHalves).toBe(0)
    const openedAtMinute = alert.episode.lastUs / 60e6
    expect(openedAtMinute).toBeGreaterThanOrEqual(10)
    expect(openedAtMinute).toBeLessThan(14)
    // It accuses nobody, and nothing else does.
    expect(events.filter(({ kind }) => kind !== 'capture.asymmetric')).toEqual([])
  })

  test('its twin with both directions, and one direction for a few minutes: nothing', () => {
    expect(eventsOf(office(0, 25, 'both'))).toEqual([])
    expect(told(eventsOf([...office(0, 4, 'client'), ...office(4, 30, 'both')]), 'open')).toEqual([])
  })

  test('after it has recovered it ends, and is told again when it comes back for good', () => {
    const events = eventsOf([...office(0, 20, 'client'), ...office(20, 150, 'both'), ...office(150, 170, 'client')])
    expect(told(events, 'open')).toHaveLength(2)
    const [closed] = told(events, 'close')
    expect(closed.episode.lastUs / 60e6).toBeLessThan(27)
  })
})
