/** Visibility: what the sensor did not see, what that means for this verdict, what was not evaluated. */
import type { Visibility } from '../../score/evidence.ts'
import { ended } from '../claims.ts'
import type { Facts } from '../facts.ts'
import { blocks, bullets, code, escapeText, table } from '../markdown.ts'
import { countText, measuredText, shareText } from '../words.ts'
import { recordLimits, recordRows } from './records.ts'

const SOURCES = { file: 'a capture file', live: 'a live interface', 'flow records': 'flow records metered elsewhere' } as const

/** Below this share of two-way pairs a missing answer is a gap of the sensor's, not a fact (SCORER.md section 3). */
const BOTH_HALVES_MIN = 0.8

export function visibility(facts: Facts): string {
  const v = facts.alert.visibility
  const rows = [
    ['Source', SOURCES[v.source], ''],
    ['Packets seen', measuredText(v.packetsSeen, countText), ''],
    ['Packets not decoded', measuredText(v.packetsNotDecoded, countText), v.packetsNotDecoded ? 'missing from every count here' : ''],
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

function bothHalvesMeaning(share: number | null): string {
  if (share === null) return 'too few pairs to tell; nothing was held back for it'
  return share >= BOTH_HALVES_MIN ? 'a missing answer is a fact' : 'a missing answer may be a gap of the sensor'
}

function verdictMeaning(v: Visibility): string {
  if (v.records !== undefined) return 'Something else metered these flows: what it did not see or did not write down is not known here.'
  const isComplete = v.packetsNotDecoded === 0 && v.evictedFlows === 0 && v.inputDamage === null
  if (!isComplete) return 'The ledger above has gaps: counts in this report are lower bounds.'
  return v.source === 'live'
    ? 'Nothing that reached the sensor is missing from this report.'
    : 'Nothing in the input is missing from this report. What the capture itself lost is not known.'
}
