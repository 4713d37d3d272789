/**
 * B9 for uploads: the same host sends the same server about as much at about this hour, day after day: a backup, a sync, a release.
 *
 * In:  the volume that the detector measured; the jobs of the pair in the baseline. Out: evidence for, from the third earlier day on.
 * Not: a licence: what came back every day was reported on the first ones.
 */

import { num } from '../number.ts'
import type { BenignAnswer, BenignQuestion, BenignRow } from './benign.ts'
import { benignDraft, NOTHING_MEASURED } from './benign.ts'

const LR = -1.2
const EARLIER_DAYS_MIN = 3
/** A new provider, an odd port and an unusual volume are the same on each of those days: they must not outweigh it. */
const CAP = { limit: 0.4, why: 'what comes back every day at this hour was told on the first three days' }

export const RECURRING_JOB: BenignRow = {
  id: 'B9',
  title: 'Recurring upload',
  appliesTo: ['exfil.volume'],
  lr: LR,
  ifTrue: 'it had sent as much there at this hour on several days before',
  ask,
}

function ask({ assessment, context, actor, victim, sample }: BenignQuestion): BenignAnswer {
  const { transfer } = assessment.facts
  if (transfer === undefined) return NOTHING_MEASURED
  if (context.histories.pair(actor, victim) === undefined || context.histories.host(actor) === undefined) {
    const why = 'whether this is a job that comes back every day: these two hosts are not in the baseline'
    return { ...NOTHING_MEASURED, notEvaluated: [{ code: 'B9.recurring', why }] }
  }
  const jobs = context.histories.earlierJobs(actor, victim, transfer.clientBytes)
  const words = {
    code: 'B9.recurring',
    label: 'comes back every day',
    claim: 'on {m0} earlier days it sent {x0} half to twice as much at this hour of the day',
    next: 'Ask which job runs at this hour.',
  }
  const lr = jobs.length >= EARLIER_DAYS_MIN ? LR : 0
  return {
    evidence: benignDraft(words, lr, { measured: [num(jobs.length, 'count')], names: [victim], sample }),
    cap: lr < 0 ? CAP : null,
    notEvaluated: [],
  }
}
