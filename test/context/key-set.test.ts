import { expect, it } from 'vitest'
import { KeySet } from '../../src/context/key-set.ts'
import { seeded } from '../base/seeded.ts'

it('gives what a Set gives, whatever comes and goes', () => {
  const random = seeded(41)
  for (let round = 0; round < 200; round++) {
    const keys = new KeySet<number>()
    const model = new Set<number>()
    for (let i = 0; i < 20; i++) {
      const key = random.below(4)
      if (random.below(3) === 0) expect(keys.delete(key)).toBe(model.delete(key))
      else {
        keys.add(key)
        model.add(key)
      }
      expect([keys.size, keys.list(), keys.has(key)]).toEqual([model.size, [...model], model.has(key)])
    }
  }
})
