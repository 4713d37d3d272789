/**
 * B12: an update or a delivery network. Nearly all comes in, and other hosts use the same servers.
 *
 * In:  payload each way, inside users of the server's network. For uploads it never holds; it is asked so that a report says so.
 */

import { num } from '../number.ts'
import type { BenignAnswer, BenignQuestion, BenignRow } from './benign.ts'
import { benignDraft, NOTHING_MEASURED } from './benign.ts'

const LR = -1.2
const PULL_RATIO_MAX = -0.9
const USERS_MIN = 2

export const SHARED_DOWNLOAD: BenignRow = {
  id: 'B12',
  title: 'Software update or download',
  appliesTo: ['exfil.volume', 'long.conn'],
  lr: LR,
  ifTrue: 'nearly all of it had come in, from servers that other hosts use',
  ask,
}

function ask({ assessment, sample }: BenignQuestion): BenignAnswer {
  const { transfer } = assessment.facts
  if (transfer === undefined) return NOTHING_MEASURED
  const { clientBytes, serverBytes, users } = transfer
  const ratio = (clientBytes - serverBytes) / Math.max(1, clientBytes + serverBytes)
  const words = {
    code: 'B12.download',
    label: 'download',
    claim: '{m0} went out and {m1} came in; inside hosts that use the network of this server: {m2}',
    next: 'Look up whose servers these are.',
  }
  const measured = [num(clientBytes, 'B'), num(serverBytes, 'B'), num(users, 'count')]
  const holds = ratio <= PULL_RATIO_MAX && users >= USERS_MIN
  return { evidence: benignDraft(words, holds ? LR : 0, { measured, names: [], sample }), cap: null, notEvaluated: [] }
}
