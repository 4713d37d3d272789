/**
 * B6: peer-to-peer. Many peers, each on its own high port, of which some answer and most are gone.
 *
 * In:  first contacts of the client and how many were answered; the protocol and the number of ports.
 */

import { UDP } from '../../flow/flow.ts'
import { num } from '../number.ts'
import type { BenignAnswer, BenignQuestion, BenignRow } from './benign.ts'
import { benignDraft, NOTHING_MEASURED } from './benign.ts'

const LR = -1
const PEERS_MIN = 10
const ANSWERED_MIN = 0.2
const ANSWERED_MAX = 0.8
const PORTS_MIN = 4

export const PEER_TO_PEER: BenignRow = {
  id: 'B6',
  title: 'Peer-to-peer',
  appliesTo: ['scan.horizontal'],
  lr: LR,
  ifTrue: 'the peers were asked by datagrams on ports that differ, and some answered',
  ask,
}

function ask({ assessment, sample }: BenignQuestion): BenignAnswer {
  const { peers } = assessment.facts
  if (peers === undefined) return NOTHING_MEASURED
  const share = peers.answered / Math.max(1, peers.peers)
  const isMixed = share >= ANSWERED_MIN && share <= ANSWERED_MAX
  const holds = peers.proto === UDP && peers.peers >= PEERS_MIN && peers.ports >= PORTS_MIN && isMixed
  const words = {
    code: 'B6.peers',
    label: 'peer-to-peer',
    claim: '{m0} of {m1} first contacts were answered; the failed ones went to {m2} ports',
    next: 'Look for a peer-to-peer or calling program on the actor.',
  }
  const measured = [num(peers.answered, 'count'), num(peers.peers, 'count'), num(peers.ports, 'count')]
  return { evidence: benignDraft(words, holds ? LR : 0, { measured, names: [], sample }), cap: null, notEvaluated: [] }
}
