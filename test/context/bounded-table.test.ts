import { expect, it } from 'vitest'
import { BoundedTable } from '../../src/context/bounded-table.ts'
import { seeded } from '../base/seeded.ts'

it('takes out the least recently used, and counts it', () => {
  const table = new BoundedTable<{ v: number }>(2, 1e9)
  table.getOrCreate('a', () => ({ v: 1 }))
  table.getOrCreate('b', () => ({ v: 2 }))
  table.get('a')
  table.getOrCreate('c', () => ({ v: 3 }))
  expect([table.get('a')?.v, table.get('b'), table.size, table.evictedCount]).toEqual([1, undefined, 2, 1])
})

it('forgets by packet time: what is used stays young, a peek does not count', () => {
  const table = new BoundedTable<{ v: number }>(10, 10e6)
  table.getOrCreate('used', () => ({ v: 1 }))
  table.getOrCreate('peeked', () => ({ v: 2 }))
  table.advance(6e6)
  table.get('used')
  table.peek('peeked')
  table.advance(12e6)
  expect([table.peek('used')?.v, table.peek('peeked')]).toEqual([1, undefined])
  expect(table.evictedCount).toBe(0)
  table.advance(0)
  expect(table.peek('peeked')).toBeUndefined()
})

it('gives what a plain map in order of use gives, while it grows, forgets and evicts', () => {
  const MAX = 200
  const QUIET_US = 50e6
  const random = seeded(43)
  const table = new BoundedTable<{ v: string }>(MAX, QUIET_US)
  /** In order of last use. */
  const model = new Map<string, { v: string; usedUs: number }>()
  let nowUs = 0
  let evicted = 0
  /** Told at the end: an expectation for each step takes longer than the step. */
  const faults: string[] = []
  const check = (what: string, got: unknown, wanted: unknown): void => {
    if (got !== wanted) faults.push(`${what}: ${got}, not ${wanted}`)
  }
  for (let i = 0; i < 5000; i++) {
    nowUs += random.below(200_000)
    table.advance(nowUs)
    const [text, other, n] = [`10.0.0.${random.below(30)}`, `h${random.below(8)}`, random.below(2)]
    const key = `${text} ${other} ${n}`
    const known = model.get(key)
    const isKnown = known !== undefined && nowUs - known.usedUs <= QUIET_US
    check(`peek ${i}`, table.peek(text, other, n)?.v, isKnown ? known.v : undefined)
    if (random.below(4) === 0) continue
    const v = isKnown ? known.v : `${key} ${i}`
    check(`getOrCreate ${i}`, table.getOrCreate(text, () => ({ v }), other, n).v, v)
    model.delete(key)
    if (!isKnown) {
      // Two of the quiet go for one that comes.
      for (const [old, { usedUs }] of [...model].slice(0, 2)) if (nowUs - usedUs > QUIET_US) model.delete(old)
      if (model.size >= MAX) {
        for (const [old] of [...model].slice(0, 1)) model.delete(old)
        evicted++
      }
    }
    model.set(key, { v, usedUs: nowUs })
    check(`size ${i}`, table.size, model.size)
  }
  expect([...table.entries()].map(({ value }) => value.v)).toEqual(
    [...model.values()].filter(({ usedUs }) => nowUs - usedUs <= QUIET_US).map(({ v }) => v),
  )
  expect(faults).toEqual([])
  expect(table.evictedCount).toBe(evicted)
  expect(evicted).toBeGreaterThan(300)
})
