/**
 * B14: an address moved from one card to another: a laptop between cable and radio, a spare that took over, a lease handed on.
 *
 * In:  who held the address before, and whether those cards have sent anything since. Out: evidence for, where all fell silent.
 */

import { num } from '../number.ts'
import type { BenignAnswer, BenignQuestion, BenignRow } from './benign.ts'
import { benignDraft, NOTHING_MEASURED } from './benign.ts'

const LR = -1.5
/** Who takes over announces it to all. Hosts told one by one are not how it is done; and a port that sees only them sees no other card. */
const LR_TOLD = -0.5

export const ADDRESS_HAND_OVER: BenignRow = {
  id: 'B14',
  title: 'Address moved',
  appliesTo: ['mitm.arp'],
  lr: LR,
  ifTrue: 'the card that held the address before had fallen silent',
  ask,
}

function ask({ assessment, sample }: BenignQuestion): BenignAnswer {
  const { handOver } = assessment.facts
  if (handOver === undefined) return NOTHING_MEASURED
  const { holders, silent, isTold } = handOver
  const holds = silent === holders
  const words = {
    code: 'B14.hand_over',
    label: 'address moved',
    claim: '{m0} of {m1} cards that held these addresses before have been silent since',
    next: 'Ask whether both cards belong to one machine, or to two that stand in for each other.',
  }
  const measured = [num(silent, 'count'), num(holders, 'count')]
  return { evidence: benignDraft(words, holds ? (isTold ? LR_TOLD : LR) : 0, { measured, names: [], sample }), cap: null, notEvaluated: [] }
}
