import { describe, expect, it } from 'vitest'
import { TableClock } from '../../src/context/bounded-table.ts'
import type { DestinationRow } from '../../src/context/destination-windows.ts'
import { type DestinationWindow, DestinationWindows } from '../../src/context/destination-windows.ts'
import type { DestinationCounters } from '../../src/flow/destination-counters.ts'
import { openedTo, range } from '../score/flows.ts'

const S = 1e6
const row = (over: Partial<DestinationRow> = {}): DestinationRow => ({
  source: '198.51.100.1',
  sourcePort: 40_000,
  port: 80,
  startUs: 0,
  lastUs: 0,
  packets: 1,
  isUnreachable: false,
  bytes: 0,
  squares: 0,
  replies: 0,
  outcome: 'halfOpen',
  ...over,
})
const counters = (second: number, halfOpen: number): DestinationCounters => openedTo('victim', second * S, halfOpen)
const windows = (): DestinationWindows => new DestinationWindows(64, 8, new TableClock())

function noteRow(all: DestinationWindows, destination: string, proto: number, row: DestinationRow): DestinationWindow | null {
  const window = all.windowFor(destination, proto, row.startUs, row.packets)
  window?.add(row)
  return window
}

describe('destination windows', () => {
  it('rows count in the second in which they began, however late and disordered they come', () => {
    const all = windows()
    const rows = range(200).map((i) => row({ startUs: (i % 4) * S, lastUs: (i % 4) * S }))
    const [window] = rows.map((r) => noteRow(all, 'victim', 6, r)).slice(-1)
    expect(range(4).map((s) => window?.inSecond(s * S, 'halfOpen'))).toEqual([42, 42, 42, 43])
    expect(window?.peak(3 * S, 'halfOpen', 40)).toEqual({ most: 43, seconds: 4 })
  })

  it('a long row is spread over its seconds', () => {
    const window = noteRow(windows(), 'victim', 17, row({ lastUs: 9.5 * S, packets: 1000, bytes: 5e6, outcome: null }))
    expect([window?.inSecond(0, 'packets'), window?.inTenSeconds(9 * S, 'bytes')]).toEqual([100, 5e6])
  })

  it('counters of open flows and the rows that follow are the same packets: the greater counts, never both', () => {
    const all = windows()
    const window = all.noteCounters(counters(5, 300))
    expect(window.inSecond(5 * S, 'halfOpen')).toBe(300)
    for (const i of range(300)) noteRow(all, 'victim', 6, row({ startUs: 5 * S + i, lastUs: 5 * S + i }))
    expect(window.inSecond(5 * S, 'halfOpen')).toBeLessThanOrEqual(300)
    expect(window.inSecond(5 * S, 'halfOpen')).toBeGreaterThanOrEqual(300 - 32)
    all.noteCounters(counters(5, 300))
    expect(window.inTenSeconds(5 * S, 'halfOpen')).toBe(300)
  })

  it('a destination that draws little has no window, and what is old is forgotten', () => {
    const all = windows()
    expect(
      range(20)
        .map((i) => noteRow(all, 'quiet', 6, row({ startUs: i * S, lastUs: i * S })))
        .every((w) => w === null),
    ).toBe(true)
    const window = all.noteCounters(counters(1, 500))
    all.noteCounters(counters(400, 1))
    expect(window.inSecond(S, 'halfOpen')).toBe(0)
  })

  it('names the one source that sends nearly all', () => {
    const all = windows()
    for (const i of range(600)) noteRow(all, 'victim', 6, row({ source: i % 20 === 0 ? `20.0.0.${i % 200}` : '198.51.100.1' }))
    expect(all.peek('victim', 6)?.soleSource('D5')).toBe('198.51.100.1')
    for (const i of range(600)) noteRow(all, 'victim', 6, row({ source: `20.0.1.${i % 200}` }))
    expect(all.peek('victim', 6)?.soleSource('D5')).toBeNull()
  })

  it('once said to flood, a source stays so down to half, and many stay many', () => {
    const all = windows()
    const one = '198.51.100.1'
    const sole = (): string | null | undefined => all.peek('victim', 6)?.soleSource('D5')
    for (const i of range(100)) noteRow(all, 'victim', 6, row({ source: one, startUs: i, lastUs: i }))
    expect(sole()).toBe(one)
    all.peek('victim', 6)?.noteSaid('D5', one)
    for (const i of range(40)) noteRow(all, 'victim', 6, row({ source: `20.0.1.${i}`, startUs: i, lastUs: i }))
    expect([sole(), all.peek('victim', 6)?.soleSource('D6H')]).toEqual([one, null])
    for (const i of range(100)) noteRow(all, 'victim', 6, row({ source: `20.0.2.${i}`, startUs: i, lastUs: i }))
    expect(sole()).toBeNull()
    all.peek('victim', 6)?.noteSaid('D5', null)
    for (const i of range(9000)) noteRow(all, 'victim', 6, row({ source: one, startUs: i, lastUs: i }))
    expect([sole(), all.peek('victim', 6)?.soleSource('D6H')]).toEqual([null, one])
  })

  it('flows and sources known by counters are not counted again when their rows come', () => {
    const all = windows()
    const window = all.noteCounters(counters(5, 300))
    expect([window.flows, window.packets, window.soleSource('D5')]).toEqual([300, 300, '20.0.0.0'])
    for (const i of range(320)) noteRow(all, 'victim', 6, row({ source: '20.0.0.0', startUs: 5 * S + i, lastUs: 5 * S + i }))
    expect([window.flows, window.packets]).toEqual([300, 300])
  })

  it('stays at its limit, and counts', () => {
    const all = windows()
    for (const d of range(40)) for (const i of range(40)) noteRow(all, `10.0.0.${d}`, 6, row({ startUs: i, lastUs: i }))
    expect(all.counters.destinationWindowsEvicted).toBe(32)
  })
})
