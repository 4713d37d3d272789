/** Visibility: what the sensor did not see, what that means for this verdict, what was not evaluated. */
import { confidenceSteps, MISSING_TOLD_MIN } from '../../score/capture-quality.ts'
import type { AlertEvent, Visibility } from '../../score/evidence.ts'
import { VISIBLE_SHARE_MIN } from '../../score/orientation.ts'
import { ended } from '../claims.ts'
import type { Facts } from '../facts.ts'
import { blocks, bullets, code, escapeText, table } from '../markdown.ts'
import { countText, measuredText, sentences, shareText } from '../words.ts'
import { recordLimits, recordRows } from './records.ts'

const SOURCES = {
  file: 'a capture file',
  live: 'a live interface',
  'live, losses not counted': 'a live interface, by a driver that does not count what it loses',
  'flow records': 'flow records metered elsewhere',
} as const

export function visibility(facts: Facts): string {
  const v = facts.alert.visibility
  const missed = facts.alert.notEvaluated.map((entry) => `${code(entry.code)}: ${ended(escapeText(entry.why))}`)
  return blocks([
    v.records === undefined ? 'Counted from the episode’s first packet (or up to a minute before it) to this alert.' : '',
    table(['What', 'Measured', 'What it means here'], rowsOf(v)),
    verdictMeaning(facts.alert),
    recordLimits(v.records),
    missed.length === 0 ? 'Everything that this kind is judged by was evaluated.' : blocks(['**Not evaluated**', bullets(missed)]),
  ])
}

/** The table alone, for a report that is on no alert. */
export function visibilityTable(v: Visibility): string {
  return blocks([table(['What', 'Measured', 'What it means here'], rowsOf(v)), recordLimits(v.records)])
}

/** What, measured, what it means here. */
type Row = string[]

function rowsOf(v: Visibility): Row[] {
  return [
    ['Source', SOURCES[v.source], ''],
    ['Packets seen', measuredText(v.packetsSeen, countText), ''],
    ...lossRows(v),
    ['Packets not decoded', measuredText(v.packetsNotDecoded, countText), v.packetsNotDecoded ? 'missing from every count here' : ''],
    ['Packets cut short', measuredText(v.truncatedPackets, countText), v.truncatedPackets ? 'sizes come from headers and stay right' : ''],
    ['Packets out of order in time', measuredText(v.latePackets, countText), v.latePackets ? 'short gaps may be wrong' : ''],
    ['Flows evicted for lack of room', measuredText(v.evictedFlows, countText), v.evictedFlows ? 'long flows may appear in pieces' : ''],
    ...faultRows(v),
    ['Seen in both directions', measuredText(v.bothHalves, shareText).replace('not measured', 'unknown'), bothHalvesMeaning(v.bothHalves)],
    [
      'Input damaged',
      v.inputDamage === null ? 'no' : escapeText(v.inputDamage),
      v.inputDamage === null ? '' : 'what lies behind the damage was not seen',
    ],
    ...recordRows(v.records),
  ]
}

/** Loss of packets: by the host's own count, and inferred from acknowledgements. */
function lossRows(v: Visibility): Row[] {
  const rows: Row[] = []
  if (v.lostByKernel) rows.push(['Packets dropped by the kernel', countText(v.lostByKernel), 'missing from every count here'])
  if (v.lostByInterface) rows.push(['Packets dropped by the interface', countText(v.lostByInterface), 'missing from every count here'])
  if (v.acks === null) return rows
  rows.push([
    'Acknowledgements of data that was never seen',
    v.acks === 0 ? 'none to look at' : `${countText(v.ackGaps ?? 0)} of ${countText(v.acks)}`,
    !v.ackGaps ? '' : 'packets were lost before they reached this host',
  ])
  return rows
}

/** What is worth a line only when it happened. */
function faultRows(v: Visibility): Row[] {
  const rows: Row[] = []
  if (v.duplicatePackets) rows.push(['Packets seen twice', countText(v.duplicatePackets), 'the second copies are left out of every count'])
  if (v.oversizePackets)
    rows.push([
      'Packets merged by receive offload',
      countText(v.oversizePackets),
      'the capturing host joined several into one: packet counts are too low, sizes and gaps too large, and none of these is evidence for such flows. `ethtool -K IF gro off lro off tso off` there cures it',
    ])
  if (v.checksumsBad)
    rows.push([
      'Wrong checksums',
      `${countText(v.checksumsBad)} of ${countText(v.checksumsLooked ?? 0)} looked at`,
      'the tap or cable damages packets',
    ])
  if (v.clockSteps) rows.push(['Clock set back', countText(v.clockSteps), 'flows end there; times before and after do not compare'])
  return rows
}

function bothHalvesMeaning(share: number | null): string {
  if (share === null) return 'too few pairs to tell; nothing was held back for it'
  return share >= VISIBLE_SHARE_MIN ? 'a missing answer is a fact' : 'a missing answer may be a gap of the sensor'
}

function verdictMeaning({ visibility: v, benign }: AlertEvent): string {
  if (v.records !== undefined) return 'Something else metered these flows: what it did not see or did not write down is not known here.'
  const gaps = [v.lostByKernel, v.lostByInterface, v.ackGaps, v.evictedFlows, v.clockSteps]
  const isComplete = gaps.every((count) => !count) && v.inputDamage === null
  const parts: string[] = []
  if (isComplete && v.packetsNotDecoded) parts.push(`${undecodedText(v.packetsNotDecoded, v.packetsSeen)} ${completeText(v, 'else ')}`)
  else if (isComplete) parts.push(completeText(v))
  else parts.push('The ledger above has gaps: counts in this report are lower bounds.')
  if (v.missingShare !== null && v.missingShare >= MISSING_TOLD_MIN) {
    parts.push(`${shareText(v.missingShare)} of the packets did not reach the sensor. What this report counts was really there.`)
    parts.push(
      benign.some((item) => item.code === 'B11.loss')
        ? 'That something was not answered is less sure: part of the answers may be among the lost packets, so the likelihood is held down to the share of the packets that came.'
        : 'This kind is judged by what was seen, not by what was missing, so the likelihood stands.',
    )
  }
  if (confidenceSteps(v) > 0) parts.push('Because of these gaps the alert states a lower confidence than its likelihood alone would give.')
  return sentences(...parts)
}

/** Frames that cannot be read are gaps of their own kind: which ones they are can be looked up, and few of them lower no count by much. */
function undecodedText(count: number, seen: number | null): string {
  const of = seen === null || seen === 0 ? countText(count) : `${countText(count)} of ${countText(seen)}`
  return `${of} packets could not be decoded: what they carried is in no count here.`
}

function completeText({ source }: Visibility, other: 'else ' | '' = ''): string {
  if (source === 'live') return `Nothing ${other}that reached the sensor is missing from this report.`
  if (source === 'live, losses not counted')
    return `Nothing ${other}that was captured is missing from this report. What was lost is not known.`
  return `Nothing ${other}in the input is missing from this report. What the capture itself lost is not known.`
}
