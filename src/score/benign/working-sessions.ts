/**
 * B9 for logins: the sessions are work. A key job, an Ansible run or a poll logs in and then moves something; a guess does not.
 */

import { num } from '../number.ts'
import type { BenignAnswer, BenignQuestion, BenignRow } from './benign.ts'
import { benignDraft } from './benign.ts'

const LR = -1.5

export const WORKING_SESSIONS: BenignRow = {
  id: 'B9',
  title: 'Recurring job with successful logins',
  appliesTo: ['brute.login'],
  lr: LR,
  ifTrue: 'the sessions carried more than a failed login does',
  ask,
}

function ask({ assessment, sample }: BenignQuestion): BenignAnswer {
  const { loginBytes } = assessment.facts
  if (loginBytes === undefined) return { evidence: null, cap: null, notEvaluated: [] }
  const words = {
    code: 'B9.working_sessions',
    label: 'sessions do work',
    claim: 'the middle session moved {m0} in its larger direction; failed logins of this service seldom move more than {m1}',
    next: "Look in the server's login log whether these logins succeeded.",
  }
  const measured = [num(loginBytes.median, 'B'), num(loginBytes.usualMax, 'B')]
  const holds = loginBytes.median > loginBytes.usualMax
  return { evidence: benignDraft(words, holds ? LR : 0, { measured, names: [], sample }), cap: null, notEvaluated: [] }
}
