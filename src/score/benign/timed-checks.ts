/**
 * B17 for logins: a program that looks whether a service is there, or for mail, on a timer. It is done at once and waits for the next
 * time; a guessing tool does not wait between guesses: what passes between two starts is the server's delay.
 *
 * In:  how regular the starts are, the middle gap between them and the middle duration; where the actor sits. Out: evidence for.
 * Not: clients from outside: nobody out there watches over the services of this site. Where neither end is known to be inside, nobody
 *      told which networks are, and a clock is read as anywhere else.
 */

import { num } from '../number.ts'
import type { BenignAnswer, BenignQuestion, BenignRow } from './benign.ts'
import { benignDraft, NOTHING_MEASURED } from './benign.ts'

const LR = -1.5
const CHANCE_MAX = 1e-6
/** Load balancers check every two seconds (HAProxy's `inter`), monitoring and mail programs every ten or more. */
const GAP_US_MIN = 1.8e6
/** Of the time between two starts, a session takes at most this share. */
const BUSY_SHARE_MAX = 0.2
/** A clock makes hundreds of sessions as easily as ten: their number must not outweigh it. */
const CAP = { limit: 0.4, why: 'sessions that wait for a timer are checks far more often than guesses' }

export const TIMED_CHECKS: BenignRow = {
  id: 'B17',
  title: 'Checks on a timer',
  appliesTo: ['brute.login'],
  lr: LR,
  ifTrue: 'the sessions had come on a timer, with waiting between them',
  ask,
}

function ask({ assessment, sample }: BenignQuestion): BenignAnswer {
  const { timer } = assessment.facts
  if (timer === undefined) return NOTHING_MEASURED
  const { chance, gapUs, durationUs, isFromOutside } = timer
  const isWaiting = gapUs >= GAP_US_MIN && durationUs <= BUSY_SHARE_MAX * gapUs
  const holds = !isFromOutside && isWaiting && chance <= CHANCE_MAX
  const words = {
    code: 'B17.timer',
    label: 'checks on a timer',
    claim: holds
      ? 'the sessions take {m0} each and start {m1} apart, as on a timer: guessing does not wait'
      : 'the sessions take {m0} each and start {m1} apart: no inside program that waits for its timer',
    next: 'Ask whether this service is monitored from the actor, or mail fetched.',
  }
  const measured = [num(durationUs, 'us'), num(gapUs, 'us')]
  return { evidence: benignDraft(words, holds ? LR : 0, { measured, names: [], sample }), cap: holds ? CAP : null, notEvaluated: [] }
}
