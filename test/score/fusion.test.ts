import { describe, expect, it } from 'vitest'
import type { EvidenceGroup } from '../../src/score/evidence.ts'
import { bandOf, fuse, likelihoodBy } from '../../src/score/fusion.ts'
import { seeded } from '../seeded.ts'

const e = (id: string, lr: number, group: EvidenceGroup): { id: string; lr: number; group: EvidenceGroup } => ({ id, lr, group })

describe('fusion', () => {
  it('adds groups: prior -1, +1.5, +0.5 is L = 1, P = 10/11', () => {
    const fused = fuse(-1, [e('E1', 1.5, 'pattern'), e('E2', 0.5, 'scale')], [])
    expect(fused.likelihood).toBeCloseTo(10 / 11, 12)
    expect(fused.arithmetic.map((s) => `${s.name} ${s.text}`)).toEqual(['prior 9 %', 'pattern ×32', 'scale ×3.2'])
    expect(fused.band).toBe('likely malicious')
  })

  it('counts the rest of a group at three tenths: 1 + 0.3 · (0.5 + 0.2) = 1.21', () => {
    const fused = fuse(-2, [e('E1', 0.5, 'target'), e('E2', 1, 'target'), e('E3', 0.2, 'target')], [])
    expect(fused.arithmetic[1].log10).toBeCloseTo(1.21, 12)
    expect(fused.arithmetic[1].evidenceIds).toEqual(['E1', 'E2', 'E3'])
  })

  it('clips each ratio to [-1.5, 2] before it counts', () => {
    expect(fuse(0, [e('E1', 5, 'pattern')], []).arithmetic[1].log10).toBe(2)
    expect(fuse(0, [e('B1', -9, 'benign'), e('B2', -0.5, 'benign')], []).arithmetic[1].log10).toBeCloseTo(-1.65, 12)
    expect(fuse(0, [e('B1', -1.5, 'benign')], []).arithmetic[1].text).toBe('÷32')
  })

  it('the likelihood alone is the same to the last bit', () => {
    const random = seeded(20_261_120)
    const groups: EvidenceGroup[] = ['pattern', 'scale', 'timing', 'benign', 'target', 'failure']
    for (let round = 0; round < 2000; round++) {
      const items = Array.from({ length: Math.floor(random() * 9) }, (_, i) =>
        e(`E${i}`, random() < 0.1 ? 0 : random() * 6 - 3, groups[Math.floor(random() * groups.length)]),
      )
      const caps = Array.from({ length: Math.floor(random() * 3) }, () => ({ limit: 0.2 + random() * 0.8, why: '' }))
      const prior = -3 * random()
      expect(likelihoodBy(prior, items, caps)).toBe(fuse(prior, items, caps).likelihood)
    }
  })

  it('leaves out what weighs nothing', () => {
    expect(fuse(-1, [e('B1', 0, 'benign')], []).arithmetic).toHaveLength(1)
  })

  it('the lowest cap rules, says so, and the steps still add up', () => {
    const fused = fuse(
      -1,
      [e('E1', 2, 'pattern'), e('E2', 2, 'scale')],
      [
        { limit: 0.99, why: 'a' },
        { limit: 0.2, why: 'b' },
      ],
    )
    expect([fused.likelihood, fused.cap?.why]).toEqual([0.2, 'b'])
    const sum = fused.arithmetic.reduce((total, step) => total + step.log10, 0)
    expect(1 / (1 + 10 ** -sum)).toBeCloseTo(0.2, 12)
    expect(fuse(-1, [], [{ limit: 0.99, why: 'a' }]).cap).toBeNull()
  })

  it.each([
    [0, 'likely benign'],
    [0.1999, 'likely benign'],
    [0.2, 'unclear'],
    [0.5, 'suspicious'],
    [0.8, 'likely malicious'],
    [0.95, 'very likely malicious'],
    [1, 'very likely malicious'],
  ])('%f is %s', (p, band) => {
    expect(bandOf(p)).toBe(band)
  })
})
