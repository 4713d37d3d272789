/**
 * Whom one host pings: distinct targets, and which of them answered.
 *
 * In:  echo requests by target, answers by target. Out: distinct targets and answering ones over two rotating buckets of five minutes.
 */

import { DistinctWindow } from './distinct-window.ts'

const BUCKET_US = 5 * 60e6
const TARGETS_EXACT = 1024

export class EchoTargets {
  readonly asked = new DistinctWindow<string>(BUCKET_US, TARGETS_EXACT)
  readonly answered = new DistinctWindow<string>(BUCKET_US, TARGETS_EXACT)
  /** Requests to network and broadcast addresses: no single host has them. */
  groupTargets = 0

  note(target: string, isGroup: boolean, hasAnswered: boolean, atUs: number): void {
    this.asked.add(target, atUs)
    if (isGroup) this.groupTargets++
    if (hasAnswered) this.answered.add(target, atUs)
    this.answered.advance(atUs)
  }
}
