/**
 * B1: names, time, addresses and discovery: every host asks for them on a clock, and everybody asks the same servers.
 *
 * In:  the service asked and how many inside hosts use it. Out: evidence for, where the port is one of infrastructure's.
 */

import { num } from '../number.ts'
import { INFRASTRUCTURE_PORTS } from '../ports.ts'
import type { BenignAnswer, BenignQuestion, BenignRow } from './benign.ts'
import { benignDraft, NOTHING_MEASURED } from './benign.ts'

const LR = -1.5

export const INFRASTRUCTURE: BenignRow = {
  id: 'B1',
  title: 'Infrastructure service',
  appliesTo: ['c2.beacon', 'c2.deadpeer', 'exfil.volume', 'long.conn'],
  lr: LR,
  ifTrue: 'this were a name, time or discovery service that the site uses',
  ask,
}

function ask({ assessment, sample }: BenignQuestion): BenignAnswer {
  const { infrastructure } = assessment.facts
  if (infrastructure === undefined) return NOTHING_MEASURED
  const holds = INFRASTRUCTURE_PORTS.has(infrastructure.port)
  const words = {
    code: 'B1.infrastructure',
    label: 'infrastructure service',
    claim: holds
      ? 'port {m0} is one of names, time and discovery, which hosts ask for by themselves'
      : 'port {m0} is none of those of names, time and discovery',
    next: 'Check that the server is one of those which the site is meant to use.',
  }
  return {
    evidence: benignDraft(words, holds ? LR : 0, { measured: [num(infrastructure.port, 'port')], names: [], sample }),
    cap: null,
    notEvaluated: [],
  }
}
