/**
 * What a search for hosts by ARP and one by ping have in common (SCORER.md D4).
 *
 * In:  the addresses that one host asked for, and who answered. Out: weights of scale and haste, their drafts, the picture.
 * Not: an entry test: each detector has its own.
 */

import type { DistinctWindow } from '../../context/distinct-window.ts'
import type { PictureData } from '../evidence.ts'
import { num } from '../number.ts'
import type { Draft } from './detector.ts'
import { draft } from './detector.ts'

const FAST_US = 1e6
const MANY_TARGETS = 100
const GRID_CELLS_MAX = 400

/** Each puts them into its own table. */
export const SWEEP_WEIGHTS = {
  many: {
    lr: 0.5,
    group: 'scale',
    basis: 'expert',
    label: 'very many addresses',
    claim: '{m0} addresses, where {m1} are enough to call it a sweep',
    next: 'Look for the same actor scanning ports.',
  },
  fast: {
    lr: 0.4,
    group: 'timing',
    basis: 'expert',
    label: 'all at once',
    claim: 'one address every {m0} in the mean',
    next: 'Look at the order of the targets.',
  },
} as const

/** @param code of the detector, before the weight's name. */
export function scaleDrafts(code: string, asked: DistinctWindow<string>, targetsMin: number, sample: Draft['sample']): Draft[] {
  const count = asked.count()
  const meanUs = asked.spanUs() / count
  const drafts: Draft[] = []
  if (count >= MANY_TARGETS)
    drafts.push(draft(`${code}.many`, SWEEP_WEIGHTS.many, { measured: [num(count, 'count'), num(targetsMin, 'count')], sample }))
  if (meanUs <= FAST_US) drafts.push(draft(`${code}.fast`, SWEEP_WEIGHTS.fast, { measured: [num(meanUs, 'us')], sample }))
  return drafts
}

export function sweepGrid(asked: DistinctWindow<string>, hasAnswered: (target: string) => boolean): PictureData {
  const shown = asked.keys().slice(0, GRID_CELLS_MAX)
  const cells = shown.map((target, i) => ({
    target: i,
    port: 0,
    outcome: hasAnswered(target) ? ('answered' as const) : ('failed' as const),
  }))
  return { picture: 'grid', targets: shown, ports: [0], cells, omitted: Math.max(0, asked.count() - shown.length) }
}
