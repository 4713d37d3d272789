/**
 * B8: a crowd. Its connections are completed, and each client asks for something else.
 *
 * In:  connections completed of those begun, how much requests differ, how many clients.
 */

import { num } from '../number.ts'
import type { BenignAnswer, BenignQuestion, BenignRow } from './benign.ts'
import { benignDraft, NOTHING_MEASURED } from './benign.ts'

const LR = -1.2
const COMPLETED_SHARE_MIN = 0.7
const VARIATION_MIN = 0.2
const CLIENTS_MIN = 10

export const FLASH_CROWD: BenignRow = {
  id: 'B8',
  title: 'Flash crowd',
  appliesTo: ['flood.syn', 'flood.http'],
  lr: LR,
  ifTrue: 'most connections were completed and the requests differed',
  ask,
}

function ask({ assessment, sample }: BenignQuestion): BenignAnswer {
  const { crowd } = assessment.facts
  if (crowd === undefined) return NOTHING_MEASURED
  const { completed, begun, variation, clients } = crowd
  const holds = clients >= CLIENTS_MIN && completed >= COMPLETED_SHARE_MIN * begun && variation !== null && variation >= VARIATION_MIN
  const words = {
    code: 'B8.crowd',
    label: 'flash crowd',
    claim: '{m0} of {m1} connections of {m2} clients were completed',
    next: 'Check whether something was published that draws people.',
  }
  const measured = [num(completed, 'count'), num(begun, 'count'), num(clients, 'count')]
  return { evidence: benignDraft(words, holds ? LR : 0, { measured, names: [], sample }), cap: null, notEvaluated: [] }
}
