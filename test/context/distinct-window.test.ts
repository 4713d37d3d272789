import { describe, expect, it } from 'vitest'
import { DistinctWindow } from '../../src/context/distinct-window.ts'

const WIDTH = 100

describe('distinct window', () => {
  it('counts each key once, in order of arrival', () => {
    const window = new DistinctWindow<string>(WIDTH, 64)
    expect(['a', 'b', 'a'].map((k, i) => window.add(k, i))).toEqual([true, true, false])
    expect([window.count(), window.keys(), window.spanUs()]).toEqual([2, ['a', 'b'], 2])
  })

  it('forgets after two buckets, keeps over one', () => {
    const window = new DistinctWindow<number>(WIDTH, 64)
    window.add(1, 0)
    window.add(2, 150)
    window.add(1, 160)
    expect([window.count(), window.keys()]).toEqual([2, [1, 2]])
    window.advance(250)
    expect(window.keys()).toEqual([2, 1])
    window.advance(1000)
    expect([window.count(), window.spanUs()]).toEqual([0, 0])
  })

  it('a late key counts in the present bucket', () => {
    const window = new DistinctWindow<number>(WIDTH, 64)
    window.add(1, 250)
    window.add(2, 40)
    expect([window.count(), window.firstUs(), window.lastUs()]).toEqual([2, 40, 250])
  })

  it('takes back a key, from both buckets', () => {
    const window = new DistinctWindow<number>(WIDTH, 64)
    for (const [key, at] of [
      [1, 0],
      [1, 110],
      [2, 120],
    ])
      window.add(key, at)
    expect(window.remove(1)).toBe(true)
    expect(window.remove(9)).toBe(false)
    expect([window.count(), window.keys()]).toEqual([1, [2]])
  })

  it.each([100, 1000, 20_000, 200_000])('estimates %d distinct keys within 20 %%, over two buckets', (n) => {
    const window = new DistinctWindow<number>(WIDTH, 64)
    for (let i = 0; i < n; i++) window.add(i, i < n / 2 ? 0 : WIDTH)
    expect(window.isEstimate()).toBe(n > 128)
    expect(Math.abs(window.count() - n) / n).toBeLessThan(0.2)
    expect(window.keys().length).toBeLessThanOrEqual(128)
  })
})
