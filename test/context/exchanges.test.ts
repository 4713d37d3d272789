import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import { AttemptSeries } from '../../src/context/attempts.ts'
import { SlowConnections } from '../../src/context/slow-connections.ts'
import { Transfers } from '../../src/context/transfers.ts'
import { range } from '../score/flows.ts'

const S = 1e6

/** Octets that the heap keeps of what `make` gives, each; the collector is run before and after. */
function heapBytesEach(count: number, make: (i: number) => object): number {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  const kept: object[] = new Array(count)
  collect()
  const before = process.memoryUsage().heapUsed
  for (let i = 0; i < count; i++) kept[i] = make(i)
  collect()
  const grown = process.memoryUsage().heapUsed - before
  expect(kept.length).toBe(count)
  return grown / count
}

describe('attempts', () => {
  const attempt = (atUs: number) => ({ flowId: atUs, atUs, durationUs: 0, clientBytes: 100, serverBytes: 10, isAnswered: true })

  it('are kept in order of start, the newest twenty-five, bursts as one', () => {
    const series = new AttemptSeries(0)
    for (const i of range(60)) series.add(attempt((i ^ 1) * 10 * S), false, 40_000 + i)
    series.add(attempt(590.2 * S), false, 1)
    const starts = series.kept.map((a) => a.atUs / S)
    expect(starts).toEqual([...starts].sort((a, b) => a - b))
    expect([starts.length, starts[starts.length - 1], series.total, series.clientPorts]).toEqual([25, 590, 61, 16])
    expect(series.kept[24].clientBytes).toBe(200)
  })

  it('one port again and again is one port', () => {
    const series = new AttemptSeries(0)
    for (const i of range(9)) series.add(attempt(i * S), true, 123)
    expect([series.clientPorts, series.failed]).toEqual([1, 9])
  })
})

describe('attempts, by the thousand', () => {
  const series = (attempts: number) => (i: number) => {
    const made = new AttemptSeries(0)
    for (const n of range(attempts)) {
      const atUs = n * 30e6 + i + 0.5
      made.add({ flowId: 2 ** 40 + i, atUs, durationUs: 1e5 + n, clientBytes: 100, serverBytes: 10, isAnswered: true }, false, 40_000)
    }
    return made
  }

  // 65,536 series and 131,072 pairs have one each: what is said of their memory in the configuration rests on this.
  it('take a kilobyte and a half when busy, a quarter of one when asked once', () => {
    expect(heapBytesEach(4000, series(60))).toBeLessThan(1600)
    expect(heapBytesEach(4000, series(1))).toBeLessThan(320)
  })
})

describe('slow connections', () => {
  const row = (flowId: number, fromS: number, toS: number) => ({
    flowId,
    startUs: fromS * S,
    lastUs: toS * S,
    clientBytes: 200,
    serverBytes: 0,
    clientPackets: 9,
  })

  it('an interim row stands for its flow and is replaced, never added', () => {
    const slow = new SlowConnections()
    for (const seconds of [20, 40, 60]) slow.add(row(1, 0, seconds), true)
    slow.add(row(1, 0, 100), false)
    expect(slow.openTogether(10 * S)).toEqual([row(1, 0, 100)])
  })

  it('later pieces of a cut connection join the first', () => {
    const slow = new SlowConnections()
    slow.add(row(1, 0, 120), false)
    slow.add(row(1, 121, 130), false)
    expect(slow.openTogether(10 * S)).toMatchObject([{ startUs: 0, lastUs: 130 * S, clientBytes: 400 }])
  })

  it('counts what was open at one moment, not one after the other', () => {
    const slow = new SlowConnections()
    for (const i of range(100)) slow.add(row(i, i * 15, i * 15 + 14), false)
    expect(slow.openTogether(10 * S)).toHaveLength(1)
  })

  it('keeps a thousand and counts the rest', () => {
    const slow = new SlowConnections()
    for (const i of range(1500)) slow.add(row(i, 0, 100), false)
    expect([slow.size, slow.beyondCount]).toEqual([1024, 476])
  })
})

it('transfers: an hour and no longer', () => {
  const transfers = new Transfers()
  for (const i of range(24)) transfers.add(1000, 10, i * 300 * S, i * 300 * S)
  expect(transfers.sums()).toEqual([12_000, 120])
})
