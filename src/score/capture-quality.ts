/**
 * What gaps of the capture mean for a verdict.
 *
 * In:  an alert's visibility. Out: how many steps its stated confidence is lowered by.
 * Not: the likelihood: where a kind rests on silence, B11 (benign/capture-artefact.ts) limits that.
 */
import type { Visibility } from './evidence.ts'
import { VISIBLE_SHARE_MIN } from './orientation.ts'

/** From here on loss is worth a word: below it, less than one packet in a hundred is missing. */
export const MISSING_TOLD_MIN = 0.01
/** Zeek's capture-loss script warns from here on (CaptureLoss::too_much_loss). */
export const MISSING_GRAVE_MIN = 0.1

/** Wrong checksums are looked for in a sample: of fewer than this, one says nothing. */
const CHECKSUMS_MIN = 100

type Quality =
  | 'missingShare'
  | 'bothHalves'
  | 'inputDamage'
  | 'packetsSeen'
  | 'oversizePackets'
  | 'checksumsLooked'
  | 'checksumsBad'
  | 'clockSteps'

/** One step for a gap, two for a grave one, one for what is distorted; at most two. */
export function confidenceSteps(v: Pick<Visibility, Quality>): number {
  const missing = v.missingShare ?? 0
  const lossSteps = missing >= MISSING_GRAVE_MIN ? 2 : missing >= MISSING_TOLD_MIN ? 1 : 0
  const isOneWay = v.bothHalves !== null && v.bothHalves < VISIBLE_SHARE_MIN
  return Math.min(2, lossSteps + (isOneWay ? 1 : 0) + (v.inputDamage === null ? 0 : 1) + (isDistorted(v) ? 1 : 0))
}

/** What came is not what the wire carried: packets merged or damaged, times that do not compare. */
function isDistorted({ packetsSeen, oversizePackets, checksumsLooked, checksumsBad, clockSteps }: Pick<Visibility, Quality>): boolean {
  const isMerged = (oversizePackets ?? 0) > 0 && (oversizePackets ?? 0) >= MISSING_TOLD_MIN * (packetsSeen ?? 0)
  const looked = checksumsLooked ?? 0
  const isDamaged = looked >= CHECKSUMS_MIN && (checksumsBad ?? 0) >= MISSING_TOLD_MIN * looked
  return isMerged || isDamaged || (clockSteps ?? 0) > 0
}
