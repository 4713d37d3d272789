import { expect, it } from 'vitest'
import { BoundedTable } from '../../src/context/bounded-table.ts'

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
