/**
 * Every labelled attack judged again as it might have been captured elsewhere, and how many are still found.
 *
 * In:  captures with their labels. Out: by kind and variation, found and tried; each one lost, with the likeliest episode that remains;
 *      each alert that quiet captures gain.
 * Not: a bar. A quarter of an attack may be too little for anyone.
 */
import type { Config } from '../../src/config.ts'
import { type JudgedCapture, judgeCapture } from './judge-capture.ts'
import type { Label } from './labels.ts'
import { type AlertSummary, isAlert, type Outcome, outcomeOf, summaryOf } from './outcome.ts'
import { VARIATIONS, type Vary } from './vary.ts'

export interface LabelledCapture {
  path: string
  /** A capture may hold several attacks. */
  labels: readonly Label[]
}

export interface VariationRow {
  variation: string
  kind: string
  howSure: string
  tried: number
  found: number
}

export interface Lost {
  variation: string
  file: string
  kind: string
  howSure: string
  packets: number
  /** The likeliest that remains of it. */
  best: AlertSummary | null
}

export interface VariationsResult {
  rows: VariationRow[]
  lost: Lost[]
  falseAlerts: { variation: string; file: string; alert: AlertSummary }[]
  quietTried: number
}

export interface VariationsOptions {
  captures: readonly LabelledCapture[]
  config: Config
  timeLimitMs: number
  onCapture: (done: number, total: number) => void
}

export async function judgeVariations({ captures, config, timeLimitMs, onCapture }: VariationsOptions): Promise<VariationsResult> {
  const result: VariationsResult = { rows: [], lost: [], falseAlerts: [], quietTried: 0 }
  for (const [i, { path, labels }] of captures.entries()) {
    let packets = 0
    for (const { name, make } of VARIATIONS) {
      const vary = make(packets)
      const capture = backToRecorded(await judgeCapture(path, config, timeLimitMs, vary), vary)
      // The first variation leaves it as it is.
      if (packets === 0) packets = capture.packets
      if (!vary.isApplied) continue
      for (const label of labels) noteOutcome(result, name, label, capture)
    }
    onCapture(i + 1, captures.length)
  }
  return result
}

function noteOutcome(result: VariationsResult, variation: string, label: Label, capture: JudgedCapture): void {
  const { file, howSure } = label
  if (label.mustBeQuiet) {
    result.quietTried++
    for (const episode of capture.episodes.filter(isAlert)) result.falseAlerts.push({ variation, file, alert: summaryOf(episode) })
    return
  }
  const outcome = outcomeOf(label, capture)
  const kind = label.expect.join(', ')
  const row = rowOf(result.rows, variation, kind, howSure)
  row.tried++
  if (outcome.result === 'found') row.found++
  else result.lost.push({ variation, file, kind, howSure, packets: capture.packets, best: bestOf(outcome) })
}

function rowOf(rows: VariationRow[], variation: string, kind: string, howSure: string): VariationRow {
  const known = rows.find((row) => row.variation === variation && row.kind === kind && row.howSure === howSure)
  if (known !== undefined) return known
  const row = { variation, kind, howSure, tried: 0, found: 0 }
  rows.push(row)
  return row
}

function bestOf({ below, alerts }: Outcome): AlertSummary | null {
  return below ?? alerts[0] ?? null
}

/** Labels name addresses as they were recorded. */
function backToRecorded(capture: JudgedCapture, vary: Vary): JudgedCapture {
  const episodes = capture.episodes.map(({ alert, ...rest }) => ({
    ...rest,
    alert: {
      ...alert,
      actor: vary.recordedOf(alert.actor),
      victims: { ...alert.victims, addresses: alert.victims.addresses.map((address) => vary.recordedOf(address)) },
    },
  }))
  return { ...capture, episodes }
}
