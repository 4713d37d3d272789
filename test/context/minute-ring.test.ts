import { expect, it } from 'vitest'
import { MinuteRing } from '../../src/context/minute-ring.ts'
import { seeded } from '../base/seeded.ts'

const MINUTE_US = 60e6

it.each([1, 2, 3])('sums the present minute and the five before it, as adding all up again does (seed %i)', (seed) => {
  const random = seeded(seed)
  const ring = new MinuteRing(3)
  const added: { minute: number; cell: number; amount: number }[] = []
  // From before the run's base second on; most steps are short, some leave minutes out, some leave all of them out.
  let nowUs = -500e6
  let newest = Number.NEGATIVE_INFINITY
  for (let i = 0; i < 500; i++) {
    nowUs += random.pick([1e6, 10e6, 40e6, 200e6 * random.below(4)])
    const atUs = nowUs - random.below(90e6)
    newest = Math.max(newest, Math.floor(atUs / MINUTE_US))
    const one = { minute: newest, cell: random.below(3), amount: random.below(2 ** 40) }
    ring.add(atUs, one.cell, one.amount)
    added.push(one)
    const sums = [0, 1, 2].map((cell) =>
      added.filter((a) => a.cell === cell && a.minute > newest - 6).reduce((sum, { amount }) => sum + amount, 0),
    )
    expect([0, 1, 2].map((cell) => ring.sum(atUs, cell))).toEqual(sums)
  }
})

it('sums to nothing once six minutes have passed, with one minute in it and with several', () => {
  for (const times of [[10e6], [10e6, 70e6]]) {
    const ring = new MinuteRing(1)
    for (const atUs of times) ring.add(atUs, 0, 5)
    expect(ring.sum(400e6, 0)).toBe(times.length === 1 ? 0 : 5)
    expect(ring.sum(430e6, 0)).toBe(0)
    ring.add(430e6, 0, 2)
    expect(ring.sum(500e6, 0)).toBe(2)
  }
})
