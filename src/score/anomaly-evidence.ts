/**
 * The baseline's part in an episode of another kind: how rare its rarest flow is, as one piece of evidence.
 *
 * In:  the note of the rarest flow. Out: a draft of the group `anomaly`, at most half a power of ten; null when it says nothing.
 */

import type { Draft } from './detectors/detector.ts'
import { anomalyLr, flowLr } from './flow-likelihood.ts'
import { num } from './number.ts'
import type { SurpriseNote } from './surprisal/surprise.ts'

export function anomalyDraft(note: SurpriseNote | null): Draft | null {
  const top = note?.top[0]
  if (note === null || top === undefined) return null
  return {
    code: 'ACS.rare',
    label: 'unusual here',
    claim: `one in {m0} comparable flows is as unusual as the most unusual of these; most of all its {x0}, {m1}, seen once in {m2} ${top.among}`,
    measured: [num(Math.round(1 / note.p), 'count'), top.value, num(Math.round(top.oneIn.v), 'count')],
    names: [top.words],
    sample: { n: 1, fromUs: note.startUs, toUs: note.lastUs, flowIds: [note.flowId] },
    baseline: { scope: top.scope, n: top.votes, median: top.median, p95: top.p95 },
    lr: anomalyLr(note.p, note.weight),
    group: 'anomaly',
    basis: 'test',
    supports: 'malicious',
    alt: 'a rare but harmless use of the service',
    next: 'Compare this flow with others of the same service.',
  }
}

/** The same for a flow that stands alone, by its own scale (SCORER.md section 5.1): the verdict's cap holds it at 25 %. */
export function plainFlowDraft(note: SurpriseNote | null): Draft | null {
  const made = anomalyDraft(note)
  return made === null || note === null ? null : { ...made, lr: flowLr(note.p, note.weight) }
}
