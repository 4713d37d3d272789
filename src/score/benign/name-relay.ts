/**
 * B15: a resolver. It asks what its clients ask, from one port if it is set so, and the names of many hosts at once are large and many.
 *
 * In:  how many hosts the asking host has itself answered on the port of names. Out: evidence for.
 * Not: an acquittal of the names: what one client of it asks is judged between that client and the resolver.
 */

import { num } from '../number.ts'
import type { BenignAnswer, BenignQuestion, BenignRow } from './benign.ts'
import { benignDraft, NOTHING_MEASURED } from './benign.ts'

const LR = -1.5

export const NAME_RELAY: BenignRow = {
  id: 'B15',
  title: 'Resolver that asks for others',
  appliesTo: ['dns.tunnel'],
  lr: LR,
  ifTrue: 'the host that asks were a name server that others ask',
  ask,
}

function ask({ actor, assessment, sample }: BenignQuestion): BenignAnswer {
  const { relay } = assessment.facts
  if (relay === undefined) return NOTHING_MEASURED
  const holds = relay.clients > 0
  const words = {
    code: 'B15.relay',
    label: 'asks for others',
    claim: holds
      ? '{x0} is a name server itself: it answered at least {m0} hosts, and asks outside what they ask'
      : '{x0} answered {m0} hosts that looked up names: it asks for itself',
    next: holds
      ? 'Judge the questions between the resolver and its clients, or read its log: which client asked for these names?'
      : 'Check that it is no resolver whose clients the sensor does not see.',
  }
  const measured = [num(relay.clients, 'count')]
  return { evidence: benignDraft(words, holds ? LR : 0, { measured, names: [actor], sample }), cap: null, notEvaluated: [] }
}
