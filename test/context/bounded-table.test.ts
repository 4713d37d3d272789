import { expect, it } from 'vitest'
import { BoundedTable, TableClock } from '../../src/context/bounded-table.ts'
import { seeded } from '../base/seeded.ts'

it('takes out the least recently used, and counts it', () => {
  const table = new BoundedTable<{ v: number }>(2, 1e9, new TableClock())
  table.getOrCreate('a', () => ({ v: 1 }))
  table.getOrCreate('b', () => ({ v: 2 }))
  table.get('a')
  table.getOrCreate('c', () => ({ v: 3 }))
  expect([table.get('a')?.v, table.get('b'), table.size, table.evictedCount]).toEqual([1, undefined, 2, 1])
})

it('forgets by packet time: what is used stays young, a peek does not count', () => {
  const clock = new TableClock()
  const table = new BoundedTable<{ v: number }>(10, 10e6, clock)
  table.getOrCreate('used', () => ({ v: 1 }))
  table.getOrCreate('peeked', () => ({ v: 2 }))
  clock.advance(6e6)
  table.get('used')
  table.peek('peeked')
  clock.advance(12e6)
  expect([table.peek('used')?.v, table.peek('peeked')]).toEqual([1, undefined])
  expect(table.evictedCount).toBe(0)
  clock.advance(0)
  expect(table.peek('peeked')).toBeUndefined()
})

it('evicts at once where all were used, however many are in line', () => {
  const clock = new TableClock()
  const table = new BoundedTable<{ v: number }>(1000, 1e9, clock)
  for (let i = 0; i < 1000; i++) table.getOrCreate(`h${i}`, () => ({ v: i }))
  for (let i = 0; i < 1000; i++) table.get(`h${i}`)
  table.getOrCreate('new', () => ({ v: -1 }))
  expect([table.size, table.evictedCount, table.peek('new')?.v]).toEqual([1000, 1, -1])
})

it('keeps who is used while a flood goes by', () => {
  const table = new BoundedTable<{ v: number }>(100, 1e9, new TableClock())
  const used = Array.from({ length: 50 }, (_, i) => `used ${i}`)
  for (const name of used) table.getOrCreate(name, () => ({ v: 0 }))
  for (let i = 0; i < 5000; i++) {
    table.getOrCreate(`forged ${i}`, () => ({ v: i }))
    table.get(used[i % used.length])
  }
  expect(used.filter((name) => table.peek(name) === undefined)).toEqual([])
  expect(table.evictedCount).toBe(5000 - 50)
})

it('gives what a plain map with second chances gives, while it grows, forgets and evicts', () => {
  const MAX = 200
  const QUIET_US = 50e6
  const random = seeded(43)
  const clock = new TableClock()
  const table = new BoundedTable<{ v: string }>(MAX, QUIET_US, clock)
  /** In line. */
  const model = new Map<string, { v: string; usedUs: number; isMarked: boolean }>()
  let nowUs = 0
  let evicted = 0
  let spared = 0
  /** Told at the end: an expectation for each step takes longer than the step. */
  const faults: string[] = []
  const check = (what: string, got: unknown, wanted: unknown): void => {
    if (got !== wanted) faults.push(`${what}: ${got}, not ${wanted}`)
  }
  const spare = (key: string): boolean => {
    const known = model.get(key)
    if (known?.isMarked !== true) return false
    model.delete(key)
    model.set(key, { ...known, isMarked: false })
    spared++
    return true
  }
  const makeRoom = (): void => {
    // Two of the quiet go for one that comes.
    for (let n = 0; n < 2 && model.size > 0; n++) {
      const [[old, { usedUs }]] = model
      if (nowUs - usedUs > QUIET_US) model.delete(old)
      else if (!spare(old)) break
    }
    if (model.size < MAX) return
    for (let n = 0; n < 64 && spare([...model.keys()][0]); n++);
    model.delete([...model.keys()][0])
    evicted++
  }
  for (let i = 0; i < 5000; i++) {
    nowUs += random.below(200_000)
    clock.advance(nowUs)
    const [text, other, n] = [`10.0.0.${random.below(30)}`, `h${random.below(8)}`, random.below(2)]
    const key = `${text} ${other} ${n}`
    const known = model.get(key)
    const isKnown = known !== undefined && nowUs - known.usedUs <= QUIET_US
    check(`peek ${i}`, table.peek(text, other, n)?.v, isKnown ? known.v : undefined)
    if (random.below(4) === 0) continue
    const v = isKnown ? known.v : `${key} ${i}`
    check(`getOrCreate ${i}`, table.getOrCreate(text, () => ({ v }), other, n).v, v)
    if (isKnown) Object.assign(known, { usedUs: nowUs, isMarked: true })
    else {
      model.delete(key)
      makeRoom()
      model.set(key, { v, usedUs: nowUs, isMarked: false })
    }
    check(`size ${i}`, table.size, model.size)
  }
  expect([...table.entries()].map(({ value }) => value.v)).toEqual(
    [...model.values()]
      .filter(({ usedUs }) => nowUs - usedUs <= QUIET_US)
      .sort((a, b) => a.usedUs - b.usedUs)
      .map(({ v }) => v),
  )
  expect(faults).toEqual([])
  expect(table.evictedCount).toBe(evicted)
  expect(evicted).toBeGreaterThan(300)
  expect(spared).toBeGreaterThan(300)
})
