/**
 * B11: the sensor does not see everything. Where both directions reach it too seldom, silence is a gap: orientation then counts no silent
 * failure, and this row says so. Where packets are lost on the way, silence cannot be told from loss: the verdict is at most as sure as
 * the share of packets that came, but stays suspicious. What was refused outright, or answered, was seen and still counts.
 */

import { MISSING_TOLD_MIN } from '../capture-quality.ts'
import { num } from '../number.ts'
import { VISIBLE_SHARE_MIN } from '../orientation.ts'
import type { BenignAnswer, BenignQuestion, BenignRow } from './benign.ts'
import { benignDraft, NOTHING_MEASURED } from './benign.ts'

/** Loss never silences an alert: who floods the sensor would hide behind it. */
const LIMIT_MIN = 0.6

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
  // It weighs nothing: what one direction could explain was not counted in the first place, and loss sets a limit.
  lr: 0,
  ifTrue: 'the sensor saw only one direction of this traffic',
  ask,
}

function ask(question: BenignQuestion): BenignAnswer {
  const { context, sample } = question
  const missing = context.captured.since(sample.fromUs)?.missingShare ?? 0
  const loss = missing >= MISSING_TOLD_MIN ? lossAnswer(missing, sample) : NOTHING_MEASURED
  const oneWay = oneWayAnswer(question)
  return {
    evidence: loss.evidence ?? oneWay.evidence,
    cap: loss.cap,
    notEvaluated: [...oneWay.notEvaluated, ...loss.notEvaluated],
  }
}

function lossAnswer(missing: number, sample: BenignQuestion['sample']): BenignAnswer {
  const words = {
    code: 'B11.loss',
    label: 'packets lost',
    claim: '{m0} of the packets of these minutes did not reach the sensor',
    next: 'Run flowscribe doctor on this port, and cure what it names.',
  }
  return {
    evidence: benignDraft(words, 0, { measured: [num(missing * 100, 'percent')], names: [], sample }),
    cap: {
      limit: Math.max(LIMIT_MIN, 1 - missing),
      why: 'packets were lost on the way to the sensor, and silence cannot be told from loss',
    },
    notEvaluated: [{ code: 'loss.silent', why: 'which missing answers were lost on the way to the sensor, and which never came' }],
  }
}

function oneWayAnswer({ context, sample }: BenignQuestion): BenignAnswer {
  const share = context.visibility.share()
  if (share === null) return NOTHING_MEASURED
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
