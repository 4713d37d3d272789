/**
 * What was not seen, over the time that a question is about: a verdict on this hour does not suffer from a loss of last week.
 *
 * In:  the meter's sums since the run began (`Seen`), with each hand-over. Out: `CaptureLedger`, what they grew by since some packet time.
 * Not: finer than the hand-overs, at least one a minute of traffic: the ledger reaches back to the last one before that time.
 * The invariant: at most SNAPSHOTS_MAX sums are kept; beyond that, every second one goes, and old time is told more coarsely.
 */
import type { Seen } from '../flow/health.ts'

const SNAPSHOT_EVERY_US = 30e6
const SNAPSHOTS_MAX = 1440
/** Fewer acknowledgements than this say nothing about loss. */
const ACKS_MIN = 50

/** What was seen and what was not, in a stretch of time. */
export interface CaptureLedger {
  packetsSeen: number
  /** Frames of which a flow's packet may be missing; ARP and kindred are none. */
  packetsNotDecoded: number
  truncatedPackets: number
  /** Packets later than the flow's last time: their time was raised to it. */
  latePackets: number
  evictedFlows: number
  lostByKernel: number
  lostByInterface: number
  /** Acknowledgements of new data, and those of data that was never seen (flow/ack-gaps.ts). */
  acks: number
  ackGaps: number
  /** Second copies, left out. */
  duplicatePackets: number
  /** Several packets merged into one by the capturing host. */
  oversizePackets: number
  checksumsLooked: number
  checksumsBad: number
  clockSteps: number
  /** Share of the packets that did not reach the sensor, by the graver of the two measures; null when neither tells. */
  missingShare: number | null
}

export class CaptureHistory {
  readonly #snapshots: Seen[] = []
  #now: Seen | null = null
  /** Sums were thinned out or begin late: what is older than the first one is told from there. */
  #isCut = false

  note(seen: Seen): void {
    this.#now = seen
    const kept = this.#snapshots
    // The clock was set back: sums of a later time are no longer before anything.
    while (kept.length > 0 && kept[kept.length - 1].atUs > seen.atUs) {
      kept.pop()
      this.#isCut = true
    }
    if (kept.length > 0 && seen.atUs - kept[kept.length - 1].atUs < SNAPSHOT_EVERY_US) return
    kept.push(seen)
    if (kept.length > SNAPSHOTS_MAX) this.#snapshots.splice(0, kept.length, ...kept.filter((_, i) => i % 2 === 0))
  }

  /** null when nobody counted, as with flow records that something else metered. */
  since(fromUs: number): CaptureLedger | null {
    if (this.#now === null) return null
    const earlier = this.#snapshots.findLast((one) => one.atUs <= fromUs)
    return ledgerOf(earlier ?? (this.#isCut ? (this.#snapshots[0] ?? null) : null), this.#now)
  }
}

function ledgerOf(before: Seen | null, now: Seen): CaptureLedger {
  // A gap that turned out to be disorder is taken back, maybe from before this time.
  const grown = (key: keyof Seen): number => Math.max(0, now[key] - (before?.[key] ?? 0))
  const packetsSeen = grown('packets')
  const lost = grown('lostByKernel') + grown('lostByInterface')
  const acks = grown('acks')
  const shares = [...(lost > 0 ? [lost / (lost + packetsSeen)] : []), ...(acks >= ACKS_MIN ? [grown('ackGaps') / acks] : [])]
  return {
    packetsSeen,
    packetsNotDecoded: grown('notDecoded'),
    truncatedPackets: grown('cutShort'),
    latePackets: grown('late'),
    evictedFlows: grown('evictedFlows'),
    lostByKernel: grown('lostByKernel'),
    lostByInterface: grown('lostByInterface'),
    acks,
    ackGaps: grown('ackGaps'),
    duplicatePackets: grown('duplicates'),
    oversizePackets: grown('oversize'),
    checksumsLooked: grown('checksumsLooked'),
    checksumsBad: grown('checksumsBad'),
    clockSteps: grown('clockSteps'),
    missingShare: shares.length === 0 ? null : Math.round(Math.max(...shares) * 1e4) / 1e4,
  }
}

/** Where nobody counted, as with flow records that something else metered: null, never 0. */
export type Unmeasured<T> = { [K in keyof T]: T[K] | null }

export const NOTHING_COUNTED: Unmeasured<CaptureLedger> = {
  packetsSeen: null,
  packetsNotDecoded: null,
  truncatedPackets: null,
  latePackets: null,
  evictedFlows: null,
  lostByKernel: null,
  lostByInterface: null,
  acks: null,
  ackGaps: null,
  duplicatePackets: null,
  oversizePackets: null,
  checksumsLooked: null,
  checksumsBad: null,
  clockSteps: null,
  missingShare: null,
}
