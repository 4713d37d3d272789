import { expect, it } from 'vitest'
import { KINDS } from '../../src/explain/kinds.ts'
import { DETECTORS } from '../../src/score/detectors/table.ts'

it('every kind that a detector can raise has words, and no others do', () => {
  const raised = Object.values(DETECTORS).map((detector) => detector.kind)
  expect(Object.keys(KINDS).sort()).toEqual([...raised].sort())
})

it('evidence codes of different detectors begin differently', () => {
  const codes = Object.values(DETECTORS).map((detector) => detector.code)
  expect(new Set(codes).size).toBe(codes.length)
})
