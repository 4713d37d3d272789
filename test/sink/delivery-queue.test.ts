import { describe, expect, test } from 'vitest'
import { DeliveryQueue, type QueueChange, type QueueOptions, Undeliverable } from '../../src/sink/delivery-queue.ts'
import { seeded } from '../seeded.ts'

/** A sink that can be told to refuse. */
function bench(options: Partial<QueueOptions<string>> = {}) {
  const took: string[] = []
  const changes: QueueChange[] = []
  const sink = { refuses: null as Error | null, tries: 0 }
  const queue = new DeliveryQueue<string>({
    name: 'test',
    itemsMax: 100,
    bytesMax: 1e6,
    batchItemsMax: 3,
    batchBytesMax: 1e6,
    bytesOf: ({ length }) => length,
    deliver: async (batch) => {
      sink.tries++
      await Promise.resolve()
      if (sink.refuses !== null) throw sink.refuses
      took.push(...batch)
    },
    onState: (change) => changes.push(change),
    retryFirstMs: 5,
    retryMaxMs: 20,
    ...options,
  })
  return { queue, took, changes, sink }
}

const numbers = (count: number): string[] => Array.from({ length: count }, (_, i) => String(i))

describe('delivery queue', () => {
  test('all arrive, in order, in batches', async () => {
    const { queue, took, sink, changes } = bench()
    for (const item of numbers(10)) expect(queue.add(item)).toBe(true)
    expect(await queue.close(1000)).toBe(0)
    expect(took).toEqual(numbers(10))
    expect(sink.tries).toBe(4)
    expect(changes).toEqual([])
    expect(queue.counters).toEqual({ added: 10, delivered: 10, dropped: 0, errors: 0 })
  })

  test('an item that waits can be replaced in its place; one on its way, or gone, cannot', async () => {
    const { queue, took } = bench({ bytesMax: 30 })
    for (const item of ['a', 'b', 'c', 'd', 'e']) queue.add(item)
    // The first batch leaves with this turn's end.
    await Promise.resolve()
    expect([queue.replace('b', 'bb'), queue.replace('e', 'eeeee'), queue.replace('x', 'y')]).toEqual([false, true, false])
    expect([queue.bytes, queue.length]).toEqual([9, 5])
    expect(await queue.close(1000)).toBe(0)
    expect(took).toEqual(['a', 'b', 'c', 'd', 'eeeee'])
    expect(queue.replace('d', 'dd')).toBe(false)
    expect([queue.bytes, queue.counters.added, queue.counters.delivered]).toEqual([0, 5, 5])
  })

  test('a sink that is away is tried again, told once when it goes and once when it is back, and loses nothing that fits', async () => {
    const { queue, took, sink, changes } = bench()
    sink.refuses = new Error('no route')
    for (const item of numbers(10)) queue.add(item)
    await new Promise((resolve) => setTimeout(resolve, 60))
    expect(queue.isAway).toBe(true)
    expect(sink.tries).toBeGreaterThan(3)
    // With twice the wait each time: no storm of tries.
    expect(sink.tries).toBeLessThan(12)
    sink.refuses = null
    expect(await queue.close(1000)).toBe(0)
    expect(took).toEqual(numbers(10))
    expect(changes).toEqual([
      { state: 'away', why: 'no route', waiting: 10 },
      { state: 'back', waiting: 7, droppedMeanwhile: 0 },
    ])
    expect(queue.counters.errors).toBe(sink.tries - 4)
  })

  test.each([
    ['items', { itemsMax: 5 }],
    ['octets', { bytesMax: 5 }],
  ])('full of %s: what comes newly is dropped, counted and told once', async (_, limits) => {
    const { queue, took, sink, changes } = bench(limits)
    sink.refuses = new Error('away')
    expect(numbers(9).map((item) => queue.add(item))).toEqual([true, true, true, true, true, false, false, false, false])
    sink.refuses = null
    expect(await queue.close(1000)).toBe(0)
    expect(took).toEqual(numbers(5))
    expect(changes.filter(({ state }) => state === 'full')).toEqual([{ state: 'full', waiting: 5 }])
    expect(queue.counters).toMatchObject({ added: 9, delivered: 5, dropped: 4 })
  })

  test('what is undeliverable for good is dropped, counted and told; what follows goes on', async () => {
    const took: string[] = []
    const deliver = (batch: readonly string[]): Promise<void> => {
      if (batch.includes('0')) return Promise.reject(new Undeliverable('no such thing'))
      took.push(...batch)
      return Promise.resolve()
    }
    const { queue, changes } = bench({ deliver })
    for (const item of numbers(4)) queue.add(item)
    expect(await queue.close(1000)).toBe(0)
    expect(changes[0]).toEqual({ state: 'refused', why: 'no such thing', dropped: 3 })
    expect(took).toEqual(['3'])
    expect(queue.counters).toEqual({ added: 4, delivered: 1, dropped: 3, errors: 1 })
  })

  test('closing waits no longer than told, and counts what is left; a sink that never answers is told', async () => {
    const { queue, changes } = bench({ deliver: () => new Promise(() => {}), slowMs: 10 })
    for (const item of numbers(4)) queue.add(item)
    const start = performance.now()
    expect(await queue.close(100)).toBe(4)
    expect(performance.now() - start).toBeLessThan(1000)
    expect(changes).toEqual([{ state: 'away', why: 'no answer for 0.01 s', waiting: 4 }])
    expect(queue.counters).toEqual({ added: 4, delivered: 0, dropped: 4, errors: 0 })
    expect(queue.add('late')).toBe(false)
  })

  test('added = delivered + dropped + length, at any moment, whatever the sink does', async () => {
    const random = seeded(7)
    const { queue, sink } = bench({ itemsMax: 20, retryFirstMs: 0, retryMaxMs: 1 })
    for (let i = 0; i < 1500; i++) {
      queue.add(String(i))
      const dice = random()
      sink.refuses = dice < 0.2 ? new Error('away') : dice < 0.3 ? new Undeliverable('never') : null
      if (random() > 0.9) await new Promise((resolve) => setTimeout(resolve, 0))
      const { added, delivered, dropped } = queue.counters
      expect(added).toBe(delivered + dropped + queue.length)
      expect(queue.length).toBeLessThanOrEqual(20)
    }
    const { delivered, dropped } = queue.counters
    expect(Math.min(delivered, dropped)).toBeGreaterThan(50)
  })
})
