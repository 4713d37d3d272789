/**
 * B3: the pair has been seen for weeks. A server that a host has used for a month is seldom an intruder's.
 *
 * In:  the first day of the pair in the baseline. Out: evidence for, from seven days on, more from thirty; not evaluated while the
 *      baseline knows too little of the host to say that anything is new.
 */

import { num } from '../number.ts'
import type { BenignAnswer, BenignQuestion, BenignRow } from './benign.ts'
import { benignDraft, NOTHING_MEASURED } from './benign.ts'

const HOURS_A_DAY = 24
/** SCORER.md B3, the longest first. */
const STEPS: readonly { fromDays: number; lr: number }[] = [
  { fromDays: 30, lr: -0.8 },
  { fromDays: 7, lr: -0.5 },
]

export const LONG_KNOWN_PAIR: BenignRow = {
  id: 'B3',
  title: 'Long-known pair',
  appliesTo: ['c2.beacon', 'c2.deadpeer', 'exfil.volume', 'dns.tunnel', 'icmp.tunnel', 'lateral.fanout'],
  lr: STEPS[0].lr,
  ifTrue: 'these two hosts had been doing this for a month',
  ask,
}

function ask({ context, actor, victim, sample }: BenignQuestion): BenignAnswer {
  const { histories } = context
  const history = histories.host(actor)
  if (history?.isUsable !== true) {
    const why = 'whether these hosts have known each other for weeks: less than a day of this host is in the baseline'
    return { ...NOTHING_MEASURED, notEvaluated: [{ code: 'B3.known_pair', why }] }
  }
  const pair = histories.pair(actor, victim)
  const days = pair === undefined ? 0 : Math.floor(histories.hour / HOURS_A_DAY) - pair.firstDay
  const words = {
    code: 'B3.known_pair',
    label: 'known for weeks',
    claim: '{x0} and {x1} first spoke {m0} days ago',
    next: 'Compare with what they did on those days.',
  }
  const lr = STEPS.find((step) => days >= step.fromDays)?.lr ?? 0
  return {
    evidence: benignDraft(words, lr, { measured: [num(days, 'count')], names: [actor, victim], sample }),
    cap: null,
    notEvaluated: [],
  }
}
