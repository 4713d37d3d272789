/** Visibility: what the sensor did not see, what that means for this verdict, what was not evaluated. */
import type { Visibility } from '../../score/evidence.ts'
import { ended } from '../claims.ts'
import type { Facts } from '../facts.ts'
import { blocks, bullets, code, escapeText, table } from '../markdown.ts'
import { countText, listText, measuredText, shareText } from '../words.ts'
import { recordLimits, recordRows } from './records.ts'

const SOURCES = { file: 'a capture file', live: 'a live interface', 'flow records': 'flow records metered elsewhere' } as const

/** Below this share of two-way pairs a missing answer is a gap of the sensor's, not a fact (SCORER.md section 3). */
const BOTH_HALVES_MIN = 0.8

export function visibility(facts: Facts): string {
  const v = facts.alert.visibility
  const rows = [
    ['Source', SOURCES[v.source], ''],
    ['Packets seen', measuredText(v.packetsSeen, countText), ''],
    ...notDecodedRows(v),
    ['Packets cut short', measuredText(v.truncatedPackets, countText), v.truncatedPackets ? 'sizes come from headers and stay right' : ''],
    ['Packets out of order in time', measuredText(v.latePackets, countText), v.latePackets ? 'short gaps may be wrong' : ''],
    ['Flows evicted for lack of room', measuredText(v.evictedFlows, countText), v.evictedFlows ? 'long flows may appear in pieces' : ''],
    ['Seen in both directions', measuredText(v.bothHalves, shareText).replace('not measured', 'unknown'), bothHalvesMeaning(v.bothHalves)],
    [
      'Input damaged',
      v.inputDamage === null ? 'no' : escapeText(v.inputDamage),
      v.inputDamage === null ? '' : 'what lies behind the damage was not seen',
    ],
    ...recordRows(v.records),
  ]
  const missed = facts.alert.notEvaluated.map((entry) => `${code(entry.code)}: ${ended(escapeText(entry.why))}`)
  return blocks([
    table(['What', 'Measured', 'What it means here'], rows),
    verdictMeaning(v),
    recordLimits(v.records),
    missed.length === 0 ? 'Everything that this kind is judged by was evaluated.' : blocks(['**Not evaluated**', bullets(missed)]),
  ])
}

/** Packets that may belong to a flow; null where nobody counted. */
function lostOf(v: Visibility): number | null {
  return v.packetsNotDecoded === null ? null : v.packetsNotDecoded - (v.packetsWithoutFlow ?? 0)
}

/** Frames without an IP packet are no loss: a report that called counts lower bounds for ARP would never be believed again. */
function notDecodedRows(v: Visibility): string[][] {
  const withoutFlow = v.packetsWithoutFlow ?? 0
  const lost = lostOf(v)
  return [
    ...(withoutFlow === 0
      ? []
      : [['Frames without an IP packet', countText(withoutFlow), 'ARP and the like: no flow is missing for them']]),
    ['Packets not decoded', measuredText(lost, countText), lost ? 'missing from every count here' : ''],
  ]
}

function bothHalvesMeaning(share: number | null): string {
  if (share === null) return 'too few pairs to tell; nothing was held back for it'
  return share >= BOTH_HALVES_MIN ? 'a missing answer is a fact' : 'a missing answer may be a gap of the sensor'
}

function verdictMeaning(v: Visibility): string {
  if (v.records !== undefined) return 'Something else metered these flows: what it did not see or did not write down is not known here.'
  const gaps = [...(lostOf(v) ? ['packets that could not be decoded'] : []), ...(v.inputDamage === null ? [] : ['damage of the input'])]
  if (gaps.length > 0) return `Counts in this report are lower bounds: ${listText(gaps)} may have belonged to it.`
  if (v.evictedFlows) return 'No packet is missing, but long flows may have been told in pieces: counts of flows are upper bounds.'
  return v.source === 'live'
    ? 'Nothing that reached the sensor is missing from this report.'
    : 'Nothing in the input is missing from this report. What the capture itself lost is not known.'
}
