/**
 * B16: pings and path tests, large or of changing size. Their replies repeat them: a system answers an echo with the same octets.
 *
 * In:  requests and replies, whether the replies can be repetitions of the requests. Out: evidence for.
 * Not: what the echoes hold. Data that is only sent, in echoes that the other side's own system answers, looks the same.
 */

import { num } from '../number.ts'
import type { BenignAnswer, BenignQuestion, BenignRow } from './benign.ts'
import { benignDraft, NOTHING_MEASURED } from './benign.ts'

const LR = -1.5

export const ECHOED_PINGS: BenignRow = {
  id: 'B16',
  title: 'Pings or a path test',
  appliesTo: ['icmp.tunnel'],
  lr: LR,
  ifTrue: 'each reply had repeated its request, as those of a ping do',
  ask,
}

function ask({ assessment, sample }: BenignQuestion): BenignAnswer {
  const { echoes } = assessment.facts
  if (echoes === undefined) return NOTHING_MEASURED
  const words = {
    code: 'B16.pings',
    label: 'replies repeat requests',
    claim: echoes.areRepeated
      ? 'one side asks, and the {m0} replies to its {m1} requests agree with them in size, as the replies to pings do'
      : 'the {m0} replies to {m1} requests do not repeat their sizes, or both sides ask: neither is so with pings',
    next: 'Ask whether somebody tested this path.',
  }
  const measured = [num(echoes.replies, 'count'), num(echoes.requests, 'count')]
  return { evidence: benignDraft(words, echoes.areRepeated ? LR : 0, { measured, names: [], sample }), cap: null, notEvaluated: [] }
}
