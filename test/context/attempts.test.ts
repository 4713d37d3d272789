import { expect, it } from 'vitest'
import { type Attempt, AttemptSeries } from '../../src/context/attempts.ts'
import { seeded } from '../base/seeded.ts'

const KEPT = 25
const BURST_US = 0.5e6

/** What a plain list does: in order of start, bursts joined, the newest that fit. */
function keepIn(list: Attempt[], attempt: Attempt): void {
  let at = list.length
  while (at > 0 && list[at - 1].atUs > attempt.atUs) at--
  const near = [list[at - 1], list[at]].find((one) => one !== undefined && Math.abs(one.atUs - attempt.atUs) < BURST_US)
  if (near !== undefined) {
    near.durationUs = Math.max(near.durationUs, attempt.durationUs)
    near.clientBytes += attempt.clientBytes
    near.serverBytes += attempt.serverBytes
    near.isAnswered ||= attempt.isAnswered
    return
  }
  list.splice(at, 0, { ...attempt })
  if (list.length > KEPT) list.shift()
}

it.each([1, 2, 3, 4])('keeps what a plain list keeps, in whatever order rows come (seed %i)', (seed) => {
  const random = seeded(seed)
  const series = new AttemptSeries(443)
  const list: Attempt[] = []
  const starts: number[] = []
  let nowUs = 0
  for (let i = 0; i < 400; i++) {
    nowUs += random.below(3e6)
    const atUs = nowUs - random.below(seed * 10e6)
    const attempt = {
      flowId: i,
      atUs,
      durationUs: random.below(1e6),
      clientBytes: random.below(1000),
      serverBytes: random.below(2 ** 40),
      isAnswered: random.below(2) === 1,
    }
    const lastUs = Math.max(Number.NEGATIVE_INFINITY, ...starts)
    series.add(attempt, !attempt.isAnswered, 1024 + i)
    keepIn(list, attempt)
    starts.push(atUs)
    expect([series.keptCount, series.sinceLastUs]).toEqual([list.length, Math.max(0, atUs - lastUs)])
    if (i % 7 === 0) expect(series.kept).toEqual(list)
  }
  expect(series.kept).toEqual(list)
  expect([series.firstUs, series.lastUs, series.total]).toEqual([Math.min(...starts), Math.max(...starts), 400])
  expect(series.answered + series.failed).toBe(400)
})
