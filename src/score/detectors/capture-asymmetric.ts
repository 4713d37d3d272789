/**
 * capture.asymmetric: for ten minutes fewer than half of the conversations were seen in both directions (SCORER.md section 3).
 * Information about the mirror port, not a finding about anybody.
 *
 * In:  the visibility share, told with a flow each five minutes while it is so low. Out: one episode, which ends when the share recovers.
 * Not: which interface. A flow has none: of a tap's two ports each shows one direction, and only both together make a conversation.
 */

import type { OptionTable } from '../../base/option.ts'
import { ASYMMETRIC_US } from '../../context/visibility-share.ts'
import { num } from '../number.ts'
import type { Detector, Finding, Look } from './detector.ts'
import { draft } from './detector.ts'
import { INFORMATION, informationFinding } from './information.ts'

const OPTIONS = {} as const satisfies OptionTable

const WEIGHTS = {
  one_way: {
    lr: 0.1,
    group: 'anomaly',
    basis: 'measured',
    label: 'one direction only',
    claim: 'of {m0} pairs of hosts that exchange data {m1} are seen in both directions, and it has been fewer than half for {m2}',
    alt: 'routing that takes another way back, past the mirror port',
    next: 'Run `flowscribe doctor` on the interface: it names the fault of the mirror port and what cures it.',
  },
} as const

export const CAPTURE_ASYMMETRIC = {
  ...INFORMATION,
  kind: 'capture.asymmetric',
  code: 'VIS',
  title: 'The capture shows one direction only',
  inputs: 'share of client-server pairs with TCP data that were seen in both directions, last five to ten minutes',
  windowUs: ASYMMETRIC_US,
  entryTest: 'fewer than half of ten pairs or more, for ten minutes',
  options: OPTIONS,
  cap: { limit: 0.1, why: 'what a mirror port shows is no sign of anything that anybody did' },
  weights: WEIGHTS,
  detect,
} as const satisfies Detector<typeof OPTIONS>

function detect(look: Look): Finding | null {
  const { judged, context } = look
  const { asymmetry } = context.visibility
  if (asymmetry === null) return null
  const { pairs, bothPairs, sinceUs } = asymmetry
  const sample = { n: pairs, fromUs: sinceUs, toUs: judged.endUs, flowIds: [judged.flowId] }
  const measured = [num(pairs, 'count'), num(bothPairs, 'count'), num(judged.endUs - sinceUs, 'us')]
  return informationFinding(look, sinceUs, () => draft('VIS.one_way', WEIGHTS.one_way, { measured, sample }))
}
