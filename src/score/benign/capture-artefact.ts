/**
 * B11: the sensor sees only half. Where both directions reach it too seldom, silence is a gap: orientation then counts no silent
 * failure, and this row says so. What was refused outright was seen and still counts.
 */

import { num } from '../number.ts'
import { VISIBLE_SHARE_MIN } from '../orientation.ts'
import type { BenignAnswer, BenignQuestion, BenignRow } from './benign.ts'
import { benignDraft } from './benign.ts'

export const CAPTURE_ARTEFACT: BenignRow = {
  id: 'B11',
  title: 'Capture artefact',
  appliesTo: [
    'scan.horizontal',
    'scan.vertical',
    'c2.deadpeer',
    'amp.victim',
    'flood.udp',
    'flood.icmp',
    'flood.syn',
    'flood.tcp',
    'exfil.volume',
  ],
  // It weighs nothing: what it could explain was not counted in the first place.
  lr: 0,
  ifTrue: 'the sensor saw only one direction of this traffic',
  ask,
}

function ask({ context, sample }: BenignQuestion): BenignAnswer {
  const share = context.visibility.share()
  if (share === null) return { evidence: null, cap: null, notEvaluated: [] }
  const words = {
    code: 'B11.one_way',
    label: 'half seen',
    claim: 'of the connections with data in these minutes {m0} were seen in both directions',
    next: 'Check that the mirror port carries both directions.',
  }
  const evidence = benignDraft(words, 0, { measured: [num(share * 100, 'percent')], names: [], sample })
  if (share >= VISIBLE_SHARE_MIN) return { evidence, cap: null, notEvaluated: [] }
  const why = 'silence of a server: the sensor sees too few connections in both directions, so only refusals were counted'
  return { evidence, cap: null, notEvaluated: [{ code: 'fail.silent', why }] }
}
