/** The structures under the flow table, each against the plainest thing that does the same. */
import { describe, expect, test } from 'vitest'
import { AgeList, ANSWERED, UNANSWERED } from '../../src/flow/age-list.ts'
import { FlowIndex } from '../../src/flow/flow-index.ts'
import * as Row from '../../src/flow/row.ts'
import { RowOrder } from '../../src/flow/row-order.ts'
import { DONE, TimerWheel } from '../../src/flow/timer-wheel.ts'
import { seeded } from '../base/seeded.ts'

describe('flow index', () => {
  /** All slots that a probe for `hash` meets, as the table walks them. */
  function probe(index: FlowIndex, hash: number): Set<number> {
    const slots = new Set<number>()
    for (let i = hash & index.mask; index.entries[i * 2 + 1] !== 0; i = (i + 1) & index.mask)
      if (index.entries[i * 2] === hash) slots.add(index.entries[i * 2 + 1] - 1)
    return slots
  }

  test.each([
    ['hashes that spread', 2 ** 32],
    ['hashes that collide', 37],
    ['one hash for all', 1],
  ])('agrees with a Map under random insertions, removals and replacements: %s', (_, hashes) => {
    const random = seeded(10)
    const slotsMax = 64
    const index = new FlowIndex(slotsMax)
    const held = new Map<number, number>()
    for (let step = 0; step < 20_000; step++) {
      const slot = random.below(slotsMax)
      const hash = held.get(slot)
      if (hash === undefined) {
        const fresh = (random.below(hashes) * 0x01000193) | 0
        index.insert(fresh, slot)
        held.set(slot, fresh)
      } else if (random.below(3) === 0 && held.size < slotsMax) {
        const other = Array.from({ length: slotsMax }, (_, i) => i).find((i) => !held.has(i)) ?? 0
        index.replace(hash, slot, other)
        held.delete(slot)
        held.set(other, hash)
      } else {
        index.remove(hash, slot)
        held.delete(slot)
      }
      if (step % 20 !== 0) continue
      for (const [s, h] of held) expect(probe(index, h).has(s), `step ${step}: slot ${s}`).toBe(true)
      expect(index.entries.filter((_, i) => i % 2 === 1).filter((entry) => entry !== 0).length).toBe(held.size)
    }
  })

  test('removing what is not there is a bug, and says so', () => {
    const index = new FlowIndex(8)
    index.insert(5, 3)
    expect(() => index.remove(5, 4)).toThrow('slot 4 is not filed under hash 5')
  })
})

describe('timer wheel', () => {
  test('each entry is looked at in its second, whatever the steps, near and beyond the horizon', () => {
    const random = seeded(11)
    const wheel = new TimerWheel(200)
    wheel.restart(1000)
    const due = new Map<number, number>()
    const looked: string[] = []
    let now = 1000
    for (let step = 0; step < 3000; step++) {
      const entry = random.below(200)
      const second = now + 1 + random.below(random.pick([3, 100, 2047, 10_000]))
      if (random.below(4) === 0) {
        wheel.remove(entry)
        due.delete(entry)
      } else {
        wheel.file(entry, second)
        due.set(entry, second)
      }
      if (random.below(3) !== 0) continue
      const to = now + random.below(random.pick([2, 5, 50, 3000]))
      const turns: number[] = []
      wheel.advance(
        to,
        (e, at) => {
          const wanted = due.get(e)
          if (wanted === undefined) looked.push(`entry ${e} looked at though it is not filed`)
          // Beyond the horizon it is looked at early and files itself again.
          if (wanted !== undefined && wanted > at) return wanted
          if (wanted !== at) looked.push(`entry ${e} looked at in ${at}, not in ${wanted}`)
          due.delete(e)
          return DONE
        },
        (second) => turns.push(second),
      )
      now = Math.max(now, to)
      expect(wheel.second).toBe(now)
      expect(turns).toEqual([...turns].sort((a, b) => a - b))
      if (to > 1000 && turns.length > 0) expect(turns.at(-1)).toBe(to)
      for (const [e, second2] of due) expect(second2, `entry ${e} was missed`).toBeGreaterThan(now)
    }
    expect(looked).toEqual([])
  })

  test('an entry filed in the past comes next', () => {
    const wheel = new TimerWheel(1)
    wheel.restart(50)
    wheel.file(0, 7)
    const seen: number[] = []
    wheel.advance(
      60,
      (_, due) => {
        seen.push(due)
        return DONE
      },
      () => undefined,
    )
    expect(seen).toEqual([51])
  })

  test('an empty wheel crosses a century at once, in one turn', () => {
    const wheel = new TimerWheel(1)
    wheel.restart(0)
    const turns: number[] = []
    wheel.advance(
      3_155_760_000,
      () => DONE,
      (second) => turns.push(second),
    )
    expect(turns).toEqual([3_155_760_000])
  })

  test('the time may be negative, before the first packet of the run', () => {
    const wheel = new TimerWheel(1)
    wheel.restart(-5000)
    wheel.file(0, -10)
    const seen: number[] = []
    wheel.advance(
      0,
      (_, due) => {
        seen.push(due)
        return due < -10 ? -10 : DONE
      },
      () => undefined,
    )
    expect(seen.at(-1)).toBe(-10)
  })

  test('starting over with entries filed is a bug, and says so', () => {
    const wheel = new TimerWheel(1)
    wheel.file(0, 7)
    expect(() => wheel.restart(0)).toThrow('restarted with 1 entries filed')
  })
})

test('age list: agrees with two arrays under random additions and removals', () => {
  const random = seeded(12)
  const list = new AgeList(50)
  const model: number[][] = [[], []]
  for (let step = 0; step < 20_000; step++) {
    const slot = random.below(50)
    const at = model.findIndex((slots) => slots.includes(slot))
    if (at === -1) {
      const ageClass = random.pick([UNANSWERED, ANSWERED])
      list.add(slot, ageClass)
      model[ageClass].push(slot)
    } else {
      list.remove(slot)
      model[at].splice(model[at].indexOf(slot), 1)
      // Removing once more changes nothing.
      list.remove(slot)
    }
    expect(list.oldest()).toBe(model[UNANSWERED][0] ?? model[ANSWERED][0] ?? -1)
  }
})

test('row order: agrees with a sort by end, start and key, for any number of rows', () => {
  const random = seeded(13)
  const slotsMax = 300
  const f = new Float64Array(slotsMax * Row.ROW_CELLS)
  const w = new Uint32Array(f.buffer)
  const order = new RowOrder(f, w, slotsMax)
  for (let round = 0; round < 60; round++) {
    const count = round < 10 ? round : random.below(slotsMax + 1)
    const keys: number[][] = []
    for (let slot = 0; slot < slotsMax; slot++) {
      const at = slot * Row.ROW_CELLS
      f[at + Row.END_US] = random.below(4) - 2
      f[at + Row.ROW_START_US] = random.below(4)
      // The last word of all differs, so that no two rows are equal.
      for (let i = 0; i < 12; i++) w[2 * at + i] = i === 11 ? slot : random.below(2) * 0xffffffff
      keys.push([f[at + Row.END_US], f[at + Row.ROW_START_US], ...w.subarray(2 * at, 2 * at + 12)])
    }
    const slots = Int32Array.from({ length: slotsMax }, (_, i) => (i * 7) % slotsMax)
    const wanted = [...slots.subarray(0, count)].sort((a, b) => {
      const i = keys[a].findIndex((value, j) => value !== keys[b][j])
      return i === -1 ? 0 : keys[a][i] - keys[b][i]
    })
    order.sort(slots, count)
    expect([...slots.subarray(0, count)]).toEqual(wanted)
  }
})
