/**
 * An evaluation in Markdown: what was found, what was missed, what was raised where all is quiet, and how far to trust the per cents.
 *
 * In:  an `Evaluation`. Out: text. Not: a verdict on the bars; the reader has them.
 */
import { DETECTORS } from '../../src/score/detectors/table.ts'
import type { AlertSummary, Evaluation, Outcome } from './evaluation.ts'

export function evaluationText(evaluation: Evaluation): string {
  const { benign, calibration } = evaluation
  const { outcomes } = evaluation
  return `${[
    '# Evaluation',
    `${evaluation.captures} captures, ${evaluation.packets} packets, ${evaluation.flows} flows; each alone, with an empty baseline.`,
    '## By kind',
    table(
      ['expected', 'how sure', 'found', 'missed', 'flows to detect (median)', 'seconds to detect (median)'],
      evaluation.kinds.map((k) => [k.kind, k.howSure, `${k.found}`, `${k.missed}`, value(k.flowsMedian), value(k.secondsMedian)]),
    ),
    '## Where something was expected',
    table(
      ['capture', 'expected', 'how sure', 'result', 'alerts', 'below the limit, or why not read'],
      outcomes.filter((o) => o.expect.length > 0).map(attackRow),
    ),
    '## Benign captures',
    `${benign.captures} captures, ${value(benign.hours)} hours, ${value(benign.hostDays)} host-days: ${benign.alerts} alerts at one half or more (${value(benign.alerts / benign.hostDays)} a host-day), ${benign.notifications} notifications, ${benign.high} high or critical.`,
    table(
      ['capture', 'alerts'],
      outcomes.filter((o) => o.result === 'false alert').map((o) => [o.file, o.alerts.map(alertText).join('<br>')]),
    ),
    '## Simple rules on the same captures',
    table(
      ['rule', 'kinds of ours', 'finds of attacks', 'we find', 'speaks on benign captures', 'we do'],
      evaluation.rules.map((r) => [
        r.name,
        r.kinds.join(', '),
        `${r.found} of ${r.attacks}`,
        `${r.foundByUs}`,
        `${r.benignSpoken} of ${r.benign}`,
        `${r.benignByUs}`,
      ]),
    ),
    '## Attacks without a demand',
    table(
      ['capture', 'alerts'],
      outcomes
        .filter((o) => o.class === 'attack' && o.result === 'no demand')
        .map((o) => [o.file, o.alerts.map(alertText).join('<br>') || 'none']),
    ),
    '## Likelihoods',
    `${calibration.judgements} episodes with a known truth: Brier score ${value(calibration.brier)}, expected calibration error ${value(calibration.ece)}. Whole captures: Brier score ${value(evaluation.captureBrier)}.`,
    table(
      ['stated', 'episodes', 'mean stated', 'true'],
      calibration.table.map((row) => [
        `${row.from.toFixed(1)}–${row.to.toFixed(1)}`,
        `${row.count}`,
        row.meanLikelihood.toFixed(3),
        row.trueShare.toFixed(3),
      ]),
    ),
    '## Not read, or not to the end',
    table(
      ['capture', 'why'],
      outcomes.filter((o) => o.fault !== null && o.class !== 'hostile').map((o) => [o.file, o.fault ?? '']),
    ),
  ].join('\n\n')}\n`
}

function attackRow(o: Outcome): string[] {
  const why = o.result === 'not read' ? (o.fault ?? '') : o.below === null ? entryTests(o) : alertText(o.below)
  return [o.file, o.expect.join(', '), o.howSure, o.result, o.alerts.map(alertText).join('<br>'), why]
}

/** What a missed capture did not meet. */
function entryTests({ result, expect }: Outcome): string {
  if (result !== 'missed') return ''
  return expect
    .map((kind) => {
      const detector = Object.values(DETECTORS).find((row) => row.kind === kind)
      return detector === undefined ? `no detector of ${kind} yet` : `the entry test of ${kind} was not met: ${detector.entryTest}`
    })
    .join('; ')
}

function alertText(alert: AlertSummary): string {
  const victims = `${alert.victims.join(' ')}${alert.victimCount > alert.victims.length ? ` of ${alert.victimCount}` : ''}`
  const against = alert.benign.length === 0 ? '' : `; ${alert.benign.join(', ')}`
  return `${alert.kind} ${alert.actor} → ${victims}: ${Math.round(alert.likelihood * 100)} % ${alert.severity} (${alert.evidence.join(', ')}${against})`
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return 'None.'
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|').replaceAll('\n', ' ')).join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}

function value(v: number | null): string {
  return v === null ? '–' : String(Number(v.toPrecision(3)))
}
