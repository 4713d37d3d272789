/**
 * An evaluation in Markdown: what was found, what was missed, what was raised where all is quiet, and how far to trust the per cents.
 *
 * In:  an `Evaluation`. Out: text. Not: a verdict on the bars; the reader has them.
 */
import { DETECTORS } from '../../src/score/detectors/table.ts'
import type { Evaluation } from './evaluation.ts'
import type { LogOutcome, LogView } from './flow-logs.ts'
import type { Outcome } from './outcome.ts'
import { FALSE_POSITIVES, type TrialRow } from './surprisal-trial.ts'
import { alertText, table, value } from './text.ts'

export function evaluationText(evaluation: Evaluation): string {
  const { benign } = evaluation
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
      [...outcomes, ...evaluation.ownOutcomes].filter((o) => o.expect.length > 0).map(attackRow),
    ),
    '## Benign captures',
    `${benign.captures} captures, ${value(benign.hostDays)} host-days: ${benign.alerts} alerts at one half or more (${value(benign.hostDays === 0 ? null : benign.alerts / benign.hostDays)} a host-day), ${benign.notifications} notifications, ${benign.high} high or critical.`,
    table(
      ['capture', 'alerts'],
      [...outcomes, ...evaluation.ownOutcomes]
        .filter((o) => o.result === 'false alert')
        .map((o) => [o.file, o.alerts.map(alertText).join('<br>')]),
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
    ...logsText(evaluation.logs),
    ...surprisalText(evaluation.surprisal),
    ...likelihoodsText(evaluation),
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

function logsText(logs: readonly LogOutcome[]): string[] {
  if (logs.length === 0) return ['## Flow records', 'No folder `flows/`.']
  return [
    '## Flow records',
    'Each log with its labels taken off, with an empty baseline. Alerts are episodes at one half or more that are more than information; the daily roll-up of background scanning is counted apart.',
    table(
      ['log', 'lines judged', 'flows', 'host-days', 'alerts', 'alerts a host-day', 'notifications', 'roll-ups', 'simple rules that spoke'],
      logs.flatMap((log) => [
        viewRow(log.file, 'all', log.whole),
        ...(log.benign === null ? [] : [viewRow(log.file, 'benign', log.benign)]),
      ]),
    ),
    '### Alerts on flow records',
    table(
      ['log', 'lines judged', 'alert', 'flows to detect', 'seconds to detect', 'labels of its flows'],
      logs.flatMap((log) => [
        ...alertRows(log.file, 'all', log.whole),
        ...(log.benign === null ? [] : alertRows(log.file, 'benign', log.benign)),
      ]),
    ),
    '### By label',
    table(
      ['log', 'label', 'flows', 'taken by alerts', 'kinds'],
      logs.flatMap((log) => log.labels.map((row) => [log.file, row.label, `${row.flows}`, `${row.claimed}`, row.kinds.join(', ')])),
    ),
  ]
}

function viewRow(file: string, lines: string, view: LogView): string[] {
  const counts = [view.alerts.length, view.alertsAHostDay, view.notifications, view.rollUps]
  return [file, lines, `${view.flows}`, value(view.hostDays), ...counts.map(value), view.simple.join(', ')]
}

function alertRows(file: string, lines: string, view: LogView): string[][] {
  return view.alerts.map((alert) => [
    file,
    lines,
    alertText(alert),
    `${alert.timeToDetect.flows}`,
    value(alert.timeToDetect.seconds),
    Object.entries(alert.labels)
      .map(([label, count]) => `${label} ${count}`)
      .join(', '),
  ])
}

function surprisalText(rows: readonly TrialRow[]): string[] {
  if (rows.length === 0) return []
  const share = (v: number): string => v.toFixed(3)
  const models = ['surprisal', 'histograms', 'packets'] as const
  return [
    '## Surprisal',
    `Learnt from the first half of a log's benign lines, then frozen; flows of the other log are moved into its second half and scored among it. Area under the curve, and share above the score that ${FALSE_POSITIVES * 100} % of the second half's benign flows exceed. Rows that are not *Malicious* are controls: they say how much is merely another network.`,
    table(
      ['learnt from', 'scored', 'label', 'flows', ...models.map((model) => `${model}: area, share found`)],
      rows.map((row) => [
        row.learnt,
        row.scored,
        row.label,
        `${row.flows}`,
        ...models.map((model) => `${share(row.byModel[model].auc)}, ${share(row.byModel[model].found)}`),
      ]),
    ),
  ]
}

function likelihoodsText({ calibration, calibrationBySource, captureBrier }: Evaluation): string[] {
  return [
    '## Likelihoods',
    `Episodes with a known truth, alert or not. Whole captures of the folder as one statement each: Brier score ${value(captureBrier)}.`,
    table(
      ['source', 'episodes', 'Brier score', 'expected calibration error'],
      [...calibrationBySource, { source: '**all**', ...calibration }].map((c) => [
        c.source,
        `${c.judgements}`,
        value(c.brier),
        value(c.ece),
      ]),
    ),
    table(
      ['stated', 'episodes', 'mean stated', 'true'],
      calibration.table.map((row) => [
        `${row.from.toFixed(1)}–${(row.from + 0.1).toFixed(1)}`,
        `${row.count}`,
        row.meanLikelihood.toFixed(3),
        row.trueShare.toFixed(3),
      ]),
    ),
  ]
}
