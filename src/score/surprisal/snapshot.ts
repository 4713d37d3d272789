/**
 * A baseline as something that can be stored: a header of plain values and a list of number arrays.
 *
 * In:  the model and the histories; or a snapshot of the same feature set. Out: the other.
 * Not: bytes, files and checksums, which are sink/'s.
 * The invariant: restore(snapshotOf(x)) judges every later flow as x would have.
 */

import { createHash } from 'node:crypto'
import type { HistoriesRecord } from '../../context/histories.ts'
import { HISTORY_CELLS } from '../../context/host-history.ts'
import { SCORE_BINS } from './calibration.ts'
import { BINS, FEATURE_PAIRS, PAIR_BINS, SURPRISAL_FEATURES } from './features.ts'
import { BUCKET_COUNT, GROUP_COUNT } from './groups.ts'
import type { BaselineState, LifeCycleRecord } from './life-cycle.ts'
import type { Surprisal } from './surprisal.ts'

/** The layout of header and arrays; goes up when either changes. */
export const SNAPSHOT_FORMAT = 1

/** Counts mean something only beside the features, groups and bins that they were counted with. */
export const BASELINE_FEATURES = `acs-${createHash('sha256')
  .update(JSON.stringify([SURPRISAL_FEATURES, FEATURE_PAIRS, GROUP_COUNT, BUCKET_COUNT, BINS, PAIR_BINS, SCORE_BINS, HISTORY_CELLS]))
  .digest('hex')
  .slice(0, 12)}`

export interface SnapshotHeader {
  format: number
  features: string
  /** Packet time of the snapshot, seconds since 1970. */
  takenSec: number
  state: BaselineState
  lifeCycle: LifeCycleRecord
  driftedCommits: number
  votes: number
  groups: number
  hosts: number
  pairs: number
}

export interface Snapshot {
  header: SnapshotHeader
  arrays: readonly Float64Array<ArrayBuffer>[]
  histories: HistoriesRecord
}

export function snapshotOf(surprisal: Surprisal, histories: HistoriesRecord, takenSec: number): Snapshot {
  const { lifeCycle, base, driftedCommits } = surprisal
  return {
    header: {
      format: SNAPSHOT_FORMAT,
      features: BASELINE_FEATURES,
      takenSec,
      state: lifeCycle.state,
      lifeCycle: { ...lifeCycle.record },
      driftedCommits,
      votes: totalVotes(surprisal),
      groups: base.votes.subarray(1).filter((votes) => votes > 0).length,
      hosts: histories.hosts.length,
      pairs: histories.pairs.length,
    },
    arrays: arraysOf(surprisal).map((array) => array.slice()),
    histories,
  }
}

/** @throws Error when the arrays are not those of this version; the caller has checked format and features. */
export function restoreSurprisal(surprisal: Surprisal, { header, arrays }: Snapshot): void {
  const targets = arraysOf(surprisal)
  if (arrays.length !== targets.length || arrays.some((array, i) => array.length !== targets[i].length)) {
    throw new Error('arrays of another size')
  }
  targets.forEach((target, i) => {
    target.set(arrays[i])
  })
  surprisal.lifeCycle.restore(header.lifeCycle)
  surprisal.driftedCommits = header.driftedCommits
  surprisal.refit()
}

/** Votes in all three stages. */
export function totalVotes({ base, held, shadow }: Surprisal): number {
  return base.votes[0] + held.votes[0] + shadow.votes[0]
}

/** Lengths that a file must have, in order. */
export function arrayLengths(surprisal: Surprisal): number[] {
  return arraysOf(surprisal).map((array) => array.length)
}

function arraysOf(surprisal: Surprisal): Float64Array<ArrayBufferLike>[] {
  const { base, held, shadow, lastDay, calibrations, hostWindows } = surprisal
  const scores = [...calibrations, hostWindows.calibration].flatMap(({ committed, shadow: recent }) => [committed, recent])
  return [...base.arrays, ...held.arrays, ...shadow.arrays, lastDay, ...scores]
}
