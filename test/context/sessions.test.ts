import { expect, it } from 'vitest'
import { type Session, SessionWindow } from '../../src/context/sessions.ts'
import { seeded } from '../base/seeded.ts'

const BUCKET_US = 300e6
const KEPT = 256

it.each([1, 2, 3])('keeps the newest of two buckets, as plain lists do (seed %i)', (seed) => {
  const random = seeded(seed)
  const window = new SessionWindow()
  let slot = Number.NEGATIVE_INFINITY
  let now: Session[] = []
  let before: Session[] = []
  let beyond = 0
  let nowUs = -BUCKET_US
  for (let i = 0; i < 2500; i++) {
    nowUs += random.below(i % 500 === 499 ? 900e6 : 1.2e6)
    const session = {
      flowId: i,
      atUs: nowUs + random.next(),
      durationUs: random.below(1e6),
      clientBytes: random.below(2 ** 40),
      serverBytes: random.below(9),
    }
    window.add(session)
    const its = Math.floor(session.atUs / BUCKET_US)
    if (its > slot) {
      before = its === slot + 1 ? now : []
      now = []
      beyond = 0
      slot = its
    }
    if (now.length < KEPT) now.push(session)
    else now[beyond++ % KEPT] = session
    expect([window.keptCount, window.beyondCount()]).toEqual([now.length + before.length, beyond])
    if (i % 100 !== 0) continue
    const fromUs = nowUs - random.below(600e6)
    const wanted = [...before, ...now].filter(({ atUs }) => atUs >= fromUs).sort((a, b) => a.atUs - b.atUs)
    expect(window.since(fromUs)).toEqual(wanted)
  }
})
