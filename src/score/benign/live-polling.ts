/**
 * B4: a client that asks a live service for news. It is answered nearly always, on a port where that is how things work.
 *
 * In:  connections and answers, the port, whether the server is inside. Out: evidence for. Inside, any answered service may be polled:
 *      monitoring, directories and databases keep a clock on every port.
 */

import { num } from '../number.ts'
import { POLLED_PORTS } from '../ports.ts'
import type { BenignAnswer, BenignQuestion, BenignRow } from './benign.ts'
import { benignDraft, NOTHING_MEASURED } from './benign.ts'

const LR = -1.2
const ANSWERED_SHARE_MIN = 0.9

export const LIVE_POLLING: BenignRow = {
  id: 'B4',
  title: 'Client polling a live service',
  appliesTo: ['c2.beacon'],
  lr: LR,
  ifTrue: 'the service answered nearly always, on a port that clients poll',
  ask,
}

function ask({ assessment, sample }: BenignQuestion): BenignAnswer {
  const { polling } = assessment.facts
  if (polling === undefined) return NOTHING_MEASURED
  const { connections, answered, port, isServerInternal, isReconnecting } = polling
  const isPolled = isServerInternal || (POLLED_PORTS.has(port) && !isReconnecting)
  const holds = isPolled && answered >= ANSWERED_SHARE_MIN * connections
  const words = {
    code: 'B4.polling',
    label: 'polls a live service',
    claim: isReconnecting
      ? '{m0} of {m1} connections were answered, on port {m2}; but a client that polls so often keeps one open'
      : '{m0} of {m1} connections were answered, on port {m2}',
    next: 'Find out which program asks: mail, push, update and monitoring clients do.',
  }
  const measured = [num(answered, 'count'), num(connections, 'count'), num(port, 'port')]
  return { evidence: benignDraft(words, holds ? LR : 0, { measured, names: [], sample }), cap: null, notEvaluated: [] }
}
