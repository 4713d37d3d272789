/** Visibility of flow records that something else metered: how many, which halves, what such records cannot say. */
import type { RecordVisibility } from '../../score/evidence.ts'
import { ended } from '../claims.ts'
import { blocks, bullets, escapeText } from '../markdown.ts'
import { countText, listText } from '../words.ts'

export function recordRows(records: RecordVisibility | undefined): string[][] {
  if (records === undefined) return []
  const { formats, read, damaged, tooLate, sampling, clientHalvesOnly, serverHalvesOnly } = records
  return [
    ['Records read', `${countText(read)} (${formats.map(escapeText).join(', ')})`, ''],
    ['Lines that were no record', countText(damaged), damaged === 0 ? '' : 'missing from every count here'],
    ['Records too late to be put in order', countText(tooLate), tooLate === 0 ? '' : 'windows may miss them'],
    ['Sampling', sampling === 1 ? 'none stated' : `one packet in ${countText(sampling)}`, sampling === 1 ? '' : 'volumes are scaled'],
    [
      'Conversations with the client half only',
      countText(clientHalvesOnly),
      clientHalvesOnly === 0 ? '' : 'no reply, or its record was lost',
    ],
    [
      'Conversations with the server half only',
      countText(serverHalvesOnly),
      serverHalvesOnly === 0 ? '' : "the client's record was not there",
    ],
  ]
}

export function recordLimits(records: RecordVisibility | undefined): string {
  if (records === undefined) return ''
  const lines = [...records.notes, ...(records.lacks.length === 0 ? [] : [`Not measured: ${listText(records.lacks)}`])]
  return lines.length === 0 ? '' : blocks(['**What these records cannot say**', bullets(lines.map((line) => ended(escapeText(line))))])
}
