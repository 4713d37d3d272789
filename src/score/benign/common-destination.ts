/**
 * B2: others go there, too. A server that many inside hosts use is one of the site's services, or of the Internet's.
 *
 * In:  inside hosts that go to the server's network, of all seen. Out: evidence for, growing with their share.
 */

import { num } from '../number.ts'
import type { BenignAnswer, BenignQuestion, BenignRow } from './benign.ts'
import { benignDraft, NOTHING_MEASURED } from './benign.ts'

const LR = -0.7
/** Three hosts, or three in ten of those seen (SCORER.md B2). */
const USERS_MIN = 3
const SHARE_MIN = 0.3
const HOSTS_MIN = 3

export const COMMON_DESTINATION: BenignRow = {
  id: 'B2',
  title: 'Commonly used destination',
  appliesTo: ['c2.beacon', 'c2.deadpeer', 'exfil.volume'],
  lr: LR,
  ifTrue: 'a third of the hosts here used the same server',
  ask,
}

function ask({ assessment, sample }: BenignQuestion): BenignAnswer {
  const { prevalence } = assessment.facts
  if (prevalence === undefined) return NOTHING_MEASURED
  const { users, hosts } = prevalence
  if (hosts < HOSTS_MIN) {
    return { ...NOTHING_MEASURED, notEvaluated: [{ code: 'B2.common', why: 'whether others use this server: too few inside hosts seen' }] }
  }
  const words = {
    code: 'B2.common',
    label: 'others go there, too',
    claim: '{m0} of {m1} inside hosts seen go to the network of this server',
    next: 'Look up whose network it is.',
  }
  const holds = users >= USERS_MIN || (users > 1 && users >= SHARE_MIN * hosts)
  const measured = [num(users, 'count'), num(hosts, 'count')]
  return { evidence: benignDraft(words, holds ? LR : 0, { measured, names: [], sample }), cap: null, notEvaluated: [] }
}
