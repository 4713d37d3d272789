/**
 * network.changed: what this network does has become another mix, for two commits of the baseline in a row, with nothing suspicious
 * open that would explain it (SCORER.md section 4.5). Information, not a finding about anybody.
 *
 * In:  the features that drifted at the last commit, told with the first flow after it. Out: one event; the baseline has by then
 *      halved what it knew, so that it follows.
 */

import type { OptionTable } from '../../base/option.ts'
import { num } from '../number.ts'
import { SURPRISAL_FEATURES } from '../surprisal/features.ts'
import type { Detector, Finding, Look } from './detector.ts'
import { draft } from './detector.ts'
import { INFORMATION, informationFinding } from './information.ts'

const OPTIONS = {} as const satisfies OptionTable

const WEIGHTS = {
  drifted: {
    lr: 0.1,
    group: 'anomaly',
    basis: 'test',
    label: 'another mix of traffic',
    claim: 'over the last day {m0} of {m1} features differ from the baseline; most of all {x0}, with a stability index of {m2}',
    alt: 'a new service, a move, a holiday, another mirror port',
    next: 'If this is not known: compare what hosts and services are active now with last week.',
  },
} as const

export const NETWORK_CHANGED = {
  ...INFORMATION,
  kind: 'network.changed',
  code: 'PSI',
  title: 'The network does other things than before',
  inputs: 'shares of the features of all flows, the last day beside the baseline',
  windowUs: 24 * 3600e6,
  entryTest: 'stability index above one quarter in three features or more, at two commits in a row, no episode open',
  options: OPTIONS,
  cap: { limit: 0.1, why: 'a change is no sign of anything by itself' },
  weights: WEIGHTS,
  detect,
} as const satisfies Detector<typeof OPTIONS>

function detect(look: Look): Finding | null {
  const { judged, surprisal } = look
  const { changed } = surprisal
  if (changed === null) return null
  const sample = { n: changed.length, fromUs: judged.startUs, toUs: judged.lastUs, flowIds: [judged.flowId] }
  const measured = [num(changed.length, 'count'), num(SURPRISAL_FEATURES.length, 'count'), num(changed[0].psi, 'ratio')]
  const names = [SURPRISAL_FEATURES[changed[0].feature].words]
  return informationFinding(look, judged.startUs, () => draft('PSI.drifted', WEIGHTS.drifted, { measured, names, sample }))
}
