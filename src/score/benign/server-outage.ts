/**
 * B7: the servers are down. Three clients or more fail towards services that worked before: that is one outage, not many scans.
 */

import { num } from '../number.ts'
import type { BenignAnswer, BenignQuestion, BenignRow } from './benign.ts'
import { benignDraft } from './benign.ts'

const LR = -1.5
const FAILING_CLIENTS_MIN = 3
/** Of the failed targets, this share must be services in an outage. */
const TARGET_SHARE_MIN = 0.5

export const SERVER_OUTAGE: BenignRow = {
  id: 'B7',
  title: 'Server outage',
  appliesTo: ['scan.horizontal', 'scan.vertical', 'c2.deadpeer'],
  lr: LR,
  ifTrue: 'other clients failed towards the same services as well',
  ask,
}

function ask({ assessment, sample }: BenignQuestion): BenignAnswer {
  const { outage } = assessment.facts
  if (outage === undefined) return { evidence: null, cap: null, notEvaluated: [] }
  const { targets, inOutage, failingClientsMax } = outage
  const holds = failingClientsMax >= FAILING_CLIENTS_MIN && inOutage >= TARGET_SHARE_MIN * targets
  const words = {
    code: 'B7.outage',
    label: 'server outage',
    claim: '{m0} of {m1} failed targets are services that worked before; at most {m2} clients fail towards one of them now',
    next: 'Check whether the servers were up at that time.',
  }
  const measured = [num(inOutage, 'count'), num(targets, 'count'), num(failingClientsMax, 'count')]
  return { evidence: benignDraft(words, holds ? LR : 0, { measured, names: [], sample }), cap: null, notEvaluated: [] }
}
