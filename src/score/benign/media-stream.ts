/**
 * B10: a call or a stream. Datagrams both ways at a steady rate, of the sizes of speech and pictures.
 *
 * In:  packets a second each way and their mean payload. Source: SCORER.md B10 (20 to 200 packets a second, 60 to 1,300 octets).
 */

import { UDP } from '../../flow/flow.ts'
import { num } from '../number.ts'
import type { BenignAnswer, BenignQuestion, BenignRow } from './benign.ts'
import { benignDraft, NOTHING_MEASURED } from './benign.ts'

const LR = -1
const PPS_MIN = 20
const PPS_MAX = 2000
const BYTES_MIN = 60
const BYTES_MAX = 1300
/** Both sides send at least a tenth of what the other does. */
const BALANCE_MIN = 0.1

export const MEDIA_STREAM: BenignRow = {
  id: 'B10',
  title: 'Call or stream',
  appliesTo: ['exfil.volume', 'flood.udp'],
  lr: LR,
  ifTrue: 'the packets went both ways at the rate of a call',
  ask,
}

function ask({ assessment, sample }: BenignQuestion): BenignAnswer {
  const { stream } = assessment.facts
  if (stream === undefined) return NOTHING_MEASURED
  const { proto, clientPps, serverPps, meanBytes } = stream
  const [less, more] = [Math.min(clientPps, serverPps), Math.max(clientPps, serverPps)]
  const isRate = more >= PPS_MIN && more <= PPS_MAX && less >= BALANCE_MIN * more
  const holds = proto === UDP && isRate && meanBytes >= BYTES_MIN && meanBytes <= BYTES_MAX
  const words = {
    code: 'B10.stream',
    label: 'call or stream',
    claim: '{m0} went one way and {m1} back, with {m2} in the mean',
    next: 'Ask whether somebody was in a call.',
  }
  const measured = [num(clientPps, 'pps'), num(serverPps, 'pps'), num(meanBytes, 'B')]
  return { evidence: benignDraft(words, holds ? LR : 0, { measured, names: [], sample }), cap: null, notEvaluated: [] }
}
