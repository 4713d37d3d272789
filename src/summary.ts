/**
 * The closing table of a command that read captures.
 *
 * In:  a run's summary.
 * Out: lines for standard error: packets, flows, alerts by severity, what was damaged or not decoded, digests, where
 *      the results lie.
 */
import type { MutedCount } from './alert-tally.ts'
import { printable } from './base/printable.ts'
import { describeDamage } from './capture/reader.ts'
import { describeFault } from './capture/record-file.ts'
import type { Seen } from './flow/health.ts'
import type { LiveSummary } from './live/live.ts'
import { durationText, type Paint, type Severity } from './progress.ts'
import type { ScoreSummary } from './score-records.ts'
import type { ReadSummary, ReplaySummary } from './sensor.ts'

type Row = readonly [label: string, text: string]

export function flowsSummaryLines(summary: ReadSummary, elapsedSec: number, paint: Paint): string[] {
  return tableLines([...readRows(summary, elapsedSec), ...endRows(summary)], paint)
}

export function replaySummaryLines(summary: ReplaySummary, elapsedSec: number, paint: Paint): string[] {
  return tableLines(
    [
      ...readRows(summary, elapsedSec),
      ['alerts', alertsText(summary, paint)],
      ...mutedRows(summary),
      ...endRows(summary),
      ['', `alerts ${summary.digestAlerts}`],
      ['alert log', printable(summary.alertsPath)],
      ...(summary.reportsDir === null ? [] : [['reports', printable(summary.reportsDir)] as const]),
      ...sliceRows(summary.slices),
      ...plainRows(summary.plain),
    ],
    paint,
  )
}

export function scoreSummaryLines(summary: ScoreSummary, elapsedSec: number, paint: Paint): string[] {
  const { records, formats, flows, packets, pairing, order, faults, failures, notes, interruptedAt } = summary
  const rate = elapsedSec > 0 ? `, ${groupDigits(records / elapsedSec)}/s` : ''
  const rows: Row[] = [
    ['records', `${groupDigits(records)} (${formats.join(', ') || 'none'}) in ${elapsedText(elapsedSec)}${rate}`],
    ['flows', `${groupDigits(flows)}, ${groupDigits(packets)} packets`],
    ['alerts', alertsText(summary, paint)],
    ...mutedRows(summary),
  ]
  if (pairing.paired + pairing.unpaired > 0)
    rows.push(['halves', `${groupDigits(pairing.paired)} pairs, ${groupDigits(pairing.unpaired)} without the other half`])
  if (pairing.pieces > 0) rows.push(['pieces', `${groupDigits(pairing.pieces)} go on from an earlier record of the same connection`])
  if (pairing.leftEarly > 0) rows.push(['left early', `${groupDigits(pairing.leftEarly)} for lack of room (records.held_max)`])
  if (order.reordered + order.tooLate > 0)
    rows.push(['disorder', `${groupDigits(order.reordered)} put in order, ${groupDigits(order.tooLate)} too late for it`])
  for (const note of notes) rows.push(['note', printable(note)])
  for (const failure of failures) rows.push(['not read', printable(failure)])
  for (const fault of faults.told) rows.push(['damaged', printable(describeFault(fault))])
  if (faults.count > faults.told.length) rows.push(['damaged', `${groupDigits(faults.count - faults.told.length)} more lines`])
  if (interruptedAt !== null) rows.push(['interrupted', `${printable(interruptedAt.path)} at line ${interruptedAt.line}`])
  rows.push(['digest', `alerts ${summary.digestAlerts}`], ['alert log', printable(summary.alertsPath)])
  if (summary.reportsDir !== null) rows.push(['reports', printable(summary.reportsDir)])
  return tableLines([...rows, ...plainRows(summary.plain)], paint)
}

function sliceRows(slices: ReplaySummary['slices']): Row[] {
  if (slices === null) return []
  if (slices.isInterrupted) return [['evidence', 'no packets kept beside reports: interrupted before the captures were read again']]
  if (slices.written === 0) return []
  const lacking = slices.written - slices.whole
  const whole = lacking === 0 ? 'whole' : `${groupDigits(lacking)} incomplete, why stands in their .pcap.json`
  const leftOut = slices.leftOut === 0 ? '' : `; ${groupDigits(slices.leftOut)} more left out (output.slices_max)`
  return [
    [
      'evidence',
      `${groupDigits(slices.written)} ${slices.written === 1 ? 'slice' : 'slices'} of packets beside the reports, ${whole}${leftOut}`,
    ],
  ]
}

function plainRows(plain: ReplaySummary['plain']): Row[] {
  if (plain === null) return []
  const left = plain.leftOut === 0 ? '' : `, ${groupDigits(plain.leftOut)} more left out (output.plain_reports_max)`
  return [['other flows', `${groupDigits(plain.written)} reports, lines in ${printable(plain.path)}${left}`]]
}

/** What went wrong with inputs, a line each: said also when nothing else is. */
export function faultLines(summary: ReadSummary): string[] {
  return [...summary.failures, ...summary.damage.map(describeDamage)].map((line) => `flowscribe: ${printable(line)}`)
}

/** The kernel's part in tcpdump's words, then what came of it. */
export function liveSummaryLines(summary: LiveSummary): string[] {
  const { facts, seen, flows, alerts, muted, digestFlows, digestAlerts, alertsPath, recordPath, configChanges, notJudged } = summary
  const sum = (key: 'received' | 'droppedByKernel' | 'droppedByInterface'): string =>
    facts.interfaces.some((one) => one[key] === null)
      ? 'unknown'
      : String(facts.interfaces.reduce((total, one) => total + (one[key] ?? 0), 0))
  const found = alerts.filter((row) => row.count > 0).map((row) => `${row.count} ${row.severity}`)
  return [
    `${facts.packets} packets captured`,
    `${sum('received')} packets received by filter`,
    `${sum('droppedByKernel')} packets dropped by kernel`,
    `${sum('droppedByInterface')} packets dropped by interface`,
    ...unseenTexts(seen).map((text) => `not seen: ${text}`),
    `${flows} flows, alerts: ${found.length === 0 ? 'none' : found.join(', ')}`,
    ...(muted.alerts === 0 ? [] : [mutedText(muted)]),
    `digest: flows ${digestFlows}, alerts ${digestAlerts}`,
    ...(notJudged === 0 ? [] : [`${notJudged} flows not judged, since the time for the end was over: a replay judges them`]),
    // Whoever compares digests must know.
    ...(configChanges === 0 ? [] : [`configuration changed ${configChanges} times meanwhile: a replay under one configuration may differ`]),
    `alert log: ${printable(alertsPath)}`,
    ...(recordPath === null ? [] : [`recording: ${printable(recordPath)}`]),
    ...(facts.notRecorded === 0 ? [] : [`${facts.notRecorded} packets not recorded: its replay differs from this run`]),
  ]
}

function readRows(summary: ReadSummary, elapsedSec: number): Row[] {
  const rate = elapsedSec > 0 ? `, ${groupDigits(summary.packets / elapsedSec)}/s` : ''
  return [
    ['packets', `${groupDigits(summary.packets)} (${groupDigits(summary.bytes)} bytes on the wire) in ${elapsedText(elapsedSec)}${rate}`],
    ['flows', groupDigits(summary.flows)],
  ]
}

function endRows(summary: ReadSummary): Row[] {
  // ARP is read and judged, and belongs to no flow: no loss.
  const arp = summary.notDecoded.find((row) => row.reason === 'arp')?.count ?? 0
  const notDecoded = summary.notDecoded.filter((row) => row.count > 0 && row.reason !== 'arp' && row.reason !== 'duplicate')
  const rows: Row[] = [
    ...(arp === 0
      ? []
      : [
          [
            'arp',
            `${groupDigits(arp)} messages${summary.arpNotJudged === 0 ? '' : `, ${groupDigits(summary.arpNotJudged)} too many in a second to be judged`}`,
          ] as Row,
        ]),
    ['not decoded', notDecoded.length === 0 ? 'none' : notDecoded.map((row) => `${row.reason} ${groupDigits(row.count)}`).join(', ')],
  ]
  const lost = (summary.seen?.lostByKernel ?? 0) + (summary.seen?.lostByInterface ?? 0)
  const unseen = lost > 0 ? [`${groupDigits(lost)} packets dropped while this was recorded`] : []
  if (summary.seen !== null) unseen.push(...unseenTexts(summary.seen))
  if (unseen.length > 0) rows.push(['not seen', unseen.join('; ')])
  const { reordered, tooLate } = summary.order
  if (reordered + tooLate > 0) rows.push(['disorder', `${groupDigits(reordered)} put in order, ${groupDigits(tooLate)} too late for it`])
  for (const failure of summary.failures) rows.push(['not read', printable(failure)])
  for (const damage of summary.damage) rows.push(['damaged', printable(describeDamage(damage))])
  if (summary.interruptedAt !== null) {
    const { path, offset, share } = summary.interruptedAt
    rows.push(['interrupted', `${printable(path)} at byte ${offset}${share === null ? '' : ` (${Math.floor(share * 100)} % read)`}`])
  }
  if (summary.digestFlows !== '') rows.push(['digest', `flows ${summary.digestFlows}`])
  return rows
}

/** What happened, each in a few words; packets that kernel or interface dropped are told elsewhere. */
function unseenTexts(seen: Seen): string[] {
  const { acks, ackGaps, duplicates, oversize, checksumsBad, checksumsLooked, evictedFlows, clockSteps } = seen
  const texts: string[] = []
  if (ackGaps > 0) texts.push(`${groupDigits(ackGaps)} of ${groupDigits(acks)} acknowledgements are of data that never came`)
  if (duplicates > 0) texts.push(`${groupDigits(duplicates)} second copies left out`)
  if (oversize > 0) texts.push(`${groupDigits(oversize)} packets merged by receive offload`)
  if (checksumsBad > 0) texts.push(`${groupDigits(checksumsBad)} wrong checksums of ${groupDigits(checksumsLooked)} looked at`)
  if (evictedFlows > 0) texts.push(`${groupDigits(evictedFlows)} flows ended early for lack of room`)
  if (clockSteps > 0) texts.push(`the clock was set back ${groupDigits(clockSteps)} times`)
  return texts
}

function mutedRows({ muted }: Pick<ReplaySummary, 'muted'>): Row[] {
  return muted.alerts === 0 ? [] : [['muted', mutedText(muted)]]
}

function mutedText({ alerts, rules }: MutedCount): string {
  const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`
  return `${counted(alerts, 'alert')} muted by ${counted(rules, 'rule')}`
}

function alertsText(summary: Pick<ReplaySummary, 'alerts'>, paint: Paint): string {
  const found = summary.alerts.filter((row) => row.count > 0)
  if (found.length === 0) return 'none'
  return found
    .map((row) => (isSeverity(row.severity) ? paint(row.severity, `${row.count} ${row.severity}`) : `${row.count} ${row.severity}`))
    .join(', ')
}

function isSeverity(text: string): text is Severity {
  return ['info', 'low', 'medium', 'high', 'critical'].includes(text)
}

function tableLines(rows: readonly Row[], paint: Paint): string[] {
  const width = Math.max(...rows.map(([label]) => label.length))
  return rows.map(([label, text]) => `${paint('bold', label.padEnd(width))}  ${text}`)
}

/** Tenths matter while they are worth comparing. */
function elapsedText(seconds: number): string {
  return seconds < 60 ? `${seconds.toFixed(1)} s` : durationText(seconds)
}

/** 1234567 as 1,234,567, whatever the locale. */
function groupDigits(value: number): string {
  return String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, ',')
}
