/**
 * B13: a router asks for every address of its networks that somebody outside knocks at.
 *
 * In:  whose packets the asking card hands on. Out: evidence for, where they are those of several others.
 */

import { num } from '../number.ts'
import type { BenignAnswer, BenignQuestion, BenignRow } from './benign.ts'
import { benignDraft, NOTHING_MEASURED } from './benign.ts'

const LR = -1.5
/** A host has few addresses of its own; a machine with guests that share its card has some. */
const SOURCES_MIN = 4

export const ROUTER_ASKS: BenignRow = {
  id: 'B13',
  title: 'Router',
  appliesTo: ['sweep.arp'],
  lr: LR,
  ifTrue: 'this were a router that passes on what others send to these addresses',
  ask,
}

function ask({ actor, assessment, sample }: BenignQuestion): BenignAnswer {
  const { router } = assessment.facts
  if (router === undefined) return NOTHING_MEASURED
  const holds = router.foreignSources >= SOURCES_MIN
  const words = {
    code: 'B13.router',
    label: 'router',
    claim: holds
      ? '{x0} hands on packets of {m0} other senders, as a router does that looks for whom they are meant'
      : '{x0} was seen to hand on packets of {m0} other senders, too few for a router',
    next: 'Look whether somebody outside knocked at these addresses at the same time.',
  }
  const measured = [num(router.foreignSources, 'count')]
  return { evidence: benignDraft(words, holds ? LR : 0, { measured, names: [actor], sample }), cap: null, notEvaluated: [] }
}
