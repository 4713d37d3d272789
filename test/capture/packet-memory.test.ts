import { describe, expect, test } from 'vitest'
import { newMemoryBlock, PAGE_LEN, PacketMemory } from '../../src/capture/packet-memory.ts'
import type { Slab } from '../../src/capture/slab.ts'
import { seeded } from '../base/seeded.ts'
import { recordsOf, slabOf, type TestRecord } from './slab-records.ts'

const EVER = 1e20

function memoryOf(sizeMiB: number): PacketMemory {
  const block = newMemoryBlock(sizeMiB)
  if (block === null) throw new Error('no memory')
  return new PacketMemory(block)
}

/** A page is good until the next one only. */
function idsOf(pages: Iterable<Slab>): number[] {
  const ids: number[] = []
  for (const page of pages) ids.push(...recordsOf(page).map(({ id }) => id))
  return ids
}

const idsIn = (memory: PacketMemory): number[] => idsOf(memory.pages(0, EVER))

describe('packet memory', () => {
  test('none of no size', () => {
    expect(newMemoryBlock(0)).toBeNull()
  })

  test('while there is room all is held; then the oldest pages go, whole, and what is later than it says is held', () => {
    const random = seeded(1)
    const memory = memoryOf(2)
    const put: { id: number; timeNs: number }[] = []
    let timeNs = 0
    for (let id = 0; id < 6000; ) {
      const interfaceId = random.below(3)
      const records: TestRecord[] = Array.from({ length: 1 + random.below(40) }, () => {
        timeNs += random.below(1e6)
        return { timeNs, id: id++, len: 4 + random.below(1500), interfaceId }
      })
      memory.put(slabOf(records))
      put.push(...records.map((one) => ({ id: one.id, timeNs: one.timeNs })))
      if (id % 7 !== 0) continue
      const held = new Set(idsIn(memory))
      const back = memory.reachesBackTo
      const backNs = back === null ? -1 : (back.sec - 1_700_000_000) * 1e9 + back.nsec
      expect(put.filter((one) => one.timeNs > backNs && !held.has(one.id))).toEqual([])
    }
    expect(memory.reachesBackTo).not.toBeNull()
    const held = idsIn(memory)
    expect(new Set(held).size).toBe(held.length)
    expect(held.length).toBeGreaterThan(1000)
    expect(held.length).toBeLessThan(3500)
  })

  test('the longest record has room, and a slab longer than a page is cut between records', () => {
    const memory = memoryOf(4)
    memory.put(slabOf([{ timeNs: 0, id: 1, len: 262_144 }]))
    memory.put(slabOf(Array.from({ length: 5 }, (_, i) => ({ timeNs: i + 1, id: i + 2, len: 200_000 }))))
    expect(idsIn(memory)).toEqual([1, 2, 3, 4, 5, 6])
  })

  test('another link type begins another page', () => {
    const memory = memoryOf(2)
    memory.put(slabOf([{ timeNs: 0, id: 1, len: 60 }]))
    memory.put(slabOf([{ timeNs: 1, id: 2, len: 60, linkType: 101 }]))
    expect([...memory.pages(0, EVER)].map(({ linkType }) => linkType)).toEqual([1, 101])
  })

  test('only pages of the time that is asked for', () => {
    const memory = memoryOf(2)
    for (let i = 0; i < 20; i++) memory.put(slabOf([{ timeNs: i * 1e9, id: i, len: 60_000 }]))
    const baseNs = 1_700_000_000 * 1e9
    const found = idsOf(memory.pages(baseNs + 10e9, baseNs + 10.5e9))
    expect(found).toContain(10)
    expect(found.length).toBeLessThan(12)
  })

  test('what is overwritten while it is read is left out', () => {
    const memory = memoryOf(2)
    const full = (from: number): TestRecord[] =>
      Array.from({ length: 8 }, (_, i) => ({ timeNs: from + i, id: from + i, len: PAGE_LEN / 8 - 16 }))
    for (let page = 0; page < 4; page++) memory.put(slabOf(full(page * 8)))
    const reading = memory.pages(0, EVER)
    const ids = recordsOf(reading.next().value as Slab).map(({ id }) => id)
    expect(ids[0]).toBe(0)
    memory.put(slabOf(full(100)))
    memory.put(slabOf(full(108)))
    const rest = idsOf(reading)
    expect(rest.filter((id) => id >= 8 && id < 16)).toEqual([])
    expect(rest).toContain(16)
  })
})
