/** Reordering: what comes out is a function of the records alone, equal to a plain model, whatever the slabs. */
import { describe, expect, test } from 'vitest'
import { Reorder, type ReorderLimits } from '../../src/capture/reorder.ts'
import { REC_HEADER_LEN } from '../../src/capture/slab.ts'
import { seeded } from '../seeded.ts'
import { readAll, SlabList, slabOf, slabsOf, type TestRecord } from './slab-records.ts'

const MS = 1e6

/** The same rule, written plainly: held records as a sorted list, one record at a time. */
function model(records: readonly TestRecord[], limits: ReorderLimits): { ids: number[]; reordered: number; tooLate: number } {
  const ids: number[] = []
  let held: TestRecord[] = []
  let newest = -Infinity
  let released = -Infinity
  let reordered = 0
  let tooLate = 0
  for (const r of records) {
    if (r.timeNs < newest - 30e9) {
      ids.push(...held.map((h) => h.id))
      held = []
      newest = r.timeNs
      released = -Infinity
    }
    if (r.timeNs < released) {
      tooLate++
      ids.push(r.id)
      continue
    }
    if (r.timeNs < newest) reordered++
    newest = Math.max(newest, r.timeNs)
    held.push(r)
    held.sort((a, b) => a.timeNs - b.timeNs || a.id - b.id)
    const size = (): number => held.reduce((sum, h) => sum + h.len + REC_HEADER_LEN, 0)
    while (held.length > 0 && (size() > limits.bytesMax || newest - held[0].timeNs > limits.windowNs)) {
      released = Math.max(released, held[0].timeNs)
      ids.push(held[0].id)
      held.shift()
    }
  }
  return { ids: [...ids, ...held.map((h) => h.id)], reordered, tooLate }
}

async function reorder(records: readonly TestRecord[], limits: ReorderLimits, isCut: () => boolean) {
  const stage = new Reorder(new SlabList(slabsOf(records, isCut)), limits)
  const out = await readAll(stage)
  return { out, ids: out.map((r) => r.id), ...stage.counters }
}

describe('reorder', () => {
  test('a sorted slab comes out as it went in, and nothing is counted', async () => {
    const records = Array.from({ length: 500 }, (_, id) => ({ timeNs: id * 10 * MS, id, len: 60 }))
    const got = await reorder(records, { windowNs: 100 * MS, bytesMax: 1 << 18 }, () => false)
    expect(got.ids).toEqual(records.map((r) => r.id))
    expect(got).toMatchObject({ reordered: 0, tooLate: 0 })
  })

  test('a sorted slab is not copied but for the part inside the window', async () => {
    const slab = slabOf(Array.from({ length: 500 }, (_, id) => ({ timeNs: id * 10 * MS, id, len: 60 })))
    const stage = new Reorder({ next: () => Promise.resolve(slab), damage: null, offset: 0 })
    const first = await stage.next()
    expect(first?.bytes).toBe(slab.bytes)
    expect(first?.end).toBe(slab.end - 11 * (60 + REC_HEADER_LEN))
  })

  test.each([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12])('equals the model in any slabs, seed %i', async (seed) => {
    const random = seeded(seed)
    const limits = { windowNs: (seed % 3) * 5 * MS + 1, bytesMax: seed % 2 === 0 ? 2000 : 20_000 }
    let timeNs = 0
    const interfaces = seed % 4 === 0 ? 2 : 1
    const records = Array.from({ length: 1500 }, (_, id) => {
      timeNs += Math.floor(random() * 2 * MS)
      // Quiet stretches of order, and stretches where a third of the records come late.
      const isLate = Math.floor(id / 200) % 2 === 1 && random() < 0.3
      const isStep = random() < 0.001
      if (isStep) timeNs -= 40e9
      const interfaceId = Math.floor(random() * interfaces)
      return { timeNs: timeNs - (isLate ? Math.floor(random() * 20 * MS) : 0), id, len: 4 + Math.floor(random() * 200), interfaceId }
    })
    const wanted = model(records, limits)
    for (const share of [0, 0.01, 0.2, 1]) {
      const { ids, reordered, tooLate, out } = await reorder(records, limits, () => random() < share)
      expect({ ids, reordered, tooLate }).toEqual(wanted)
      for (const r of out) expect(r).toMatchObject({ len: records[r.id].len, interfaceId: records[r.id].interfaceId })
    }
  })

  test('two interfaces merge by time', async () => {
    const records = [0, 1].flatMap((interfaceId) =>
      Array.from({ length: 20 }, (_, i) => ({ timeNs: i * 2 * MS + interfaceId * MS, id: i * 2 + interfaceId, len: 40, interfaceId })),
    )
    const got = await reorder(records, { windowNs: 100 * MS, bytesMax: 1 << 18 }, () => false)
    expect(got.ids).toEqual(Array.from({ length: 40 }, (_, i) => i))
    expect(got.reordered).toBe(19)
  })
})
