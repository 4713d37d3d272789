/**
 * The report on one flow: what it looks like, which detectors looked at it, and why it raised no alert, or which.
 *
 * In:  a kept flow, what the entry tests measured on it, and what became of the episodes it belonged to. Out: Markdown and the timeline.
 * Not: a verdict of its own. A flow is never an alert (SCORER.md section 5.3); episodes are.
 */
import { TCP, UDP } from '../flow/flow.ts'
import type { AlertEvent, KeptFlow, Visibility } from '../score/evidence.ts'
import { percentText } from '../score/number.ts'
import type { EntryTest, FlowExplanation } from '../score/what-if/explain-flow.ts'
import { byWeight, claimSentence } from './claims.ts'
import { portText } from './facts.ts'
import { blocks, bullets, code, escapeText, table } from './markdown.ts'
import { endpointText, orientationText, stateLine } from './parts/behaviour.ts'
import { featureTables } from './parts/features.ts'
import { timeline } from './parts/pictures.ts'
import { flowFilter, recordText } from './parts/provenance.ts'
import { visibilityTable } from './parts/visibility.ts'
import { fileStem, type Report } from './report.ts'
import { bytesText, countOf, countText, durationText, listText, measuredText, secondText, sentences } from './words.ts'

export interface ExplainedFlow {
  flow: KeptFlow
  orientation: AlertEvent['orientation']
  features: AlertEvent['features']
  windowFeatures: AlertEvent['windowFeatures']
  featureSet: string
  explanation: FlowExplanation
  /** Episodes of the actors whose entry test this flow met, as last judged. */
  episodes: readonly { alert: AlertEvent; isAlert: boolean }[]
  /** Likelihood from which an episode is an alert. */
  threshold: number
  /** What the sensor, or whoever metered it, missed meanwhile. */
  visibility: Visibility
  /** Rows that the active timeout cut it into; one of them is explained. */
  rows: number
}

export function renderFlowReport(explained: ExplainedFlow): Report {
  const { flow, explanation } = explained
  const stem = fileStem(`flow-${flow.id}`)
  const drawn = flow.timeline.length === 0 ? null : timeline(flow, stem)
  const markdown = blocks([
    `# Flow ${endpointText(flow, 0)} → ${endpointText(flow, 1)} (${code(String(flow.id))})`,
    '## Summary',
    summary(explained),
    '## Which detectors looked at it',
    looked(explanation),
    ...(drawn === null ? [] : ['## Pictures', drawn.markdown]),
    '## Network behaviour',
    behaviour(explained),
    '## Observable features',
    featureTables(flow, {
      flows: [flow],
      features: explained.features,
      windowFeatures: explained.windowFeatures,
      featureSet: explained.featureSet,
    }),
    '## Visibility',
    visibilityTable(explained.visibility),
    '## Evidence',
    bullets([
      ...(flow.record === undefined ? [] : [`Record: ${recordText(flow)}`]),
      `Community ID ${flow.communityId === null ? 'not known' : code(flow.communityId)}, feature set ${code(explained.featureSet)}`,
      ...(flowFilter(flow) === '' ? [] : [`In tshark: ${code(flowFilter(flow))}`]),
    ]),
  ])
  return {
    alertId: String(flow.id),
    stem,
    day: flow.start.slice(0, 10),
    markdown: `${markdown}\n`,
    pictures: drawn === null ? [] : [drawn.file],
  }
}

function summary({ flow, explanation, episodes, threshold }: ExplainedFlow): string {
  const { pattern, looked: tests } = explanation
  const met = tests.filter((test) => test.isMet)
  const alerts = episodes.filter(({ isAlert }) => isAlert)
  const looksLike = `It looks like ${code(pattern.name)}: ${escapeText(pattern.title.charAt(0).toLowerCase() + pattern.title.slice(1))}${portWords(flow)}.`
  if (alerts.length > 0) {
    const named = alerts.map(({ alert }) => `${code(alert.id)} (${escapeText(alert.title)}, ${percentText(alert.likelihood)})`)
    return sentences(looksLike, `**It belongs to ${alerts.length === 1 ? 'an alert' : 'alerts'}**: ${listText(named)}.`)
  }
  if (met.length === 0)
    return sentences(
      looksLike,
      '**It raised no alert**: no entry test was met.',
      nearest(tests, flow.addr[0] !== null || flow.addr[1] !== null),
    )
  return blocks([
    sentences(
      looksLike,
      `**It raised no alert**: ${listText(met.map((test) => `the entry test of ${code(test.kind)}`))} was met, but that is not enough.`,
    ),
    bullets(met.map((test) => whyNotEnough(test, episodes, threshold))),
  ])
}

/** Only where there are ports. */
function portWords(flow: KeptFlow): string {
  return (flow.proto === TCP || flow.proto === UDP) && flow.port[1] !== null ? `; ${escapeText(portText(flow.proto, flow.port[1]))}` : ''
}

function nearest(tests: readonly EntryTest[], isNamed: boolean): string {
  const [first] = tests
  if (first === undefined)
    return isNamed ? 'No detector had anything to measure on it.' : 'No detector could look at it: the record names no hosts.'
  const wanting = first.measures.find(({ holds }) => !holds)
  if (wanting === undefined)
    return `${code(first.kind)} came nearest: each single bound holds, but not all in the window that its test asks for.`
  return `${code(first.kind)} came nearest: ${escapeText(wanting.what)} ${escapeText(wanting.measured.text)}, where ${wanting.side} ${escapeText(wanting.bound.text)} is asked for.`
}

/** What spoke against it, or that its evidence is simply not worth more. */
function whyNotEnough(test: EntryTest, episodes: ExplainedFlow['episodes'], threshold: number): string {
  const episode = episodes.find(({ alert }) => alert.kind === test.kind)
  if (episode === undefined) return `${code(test.kind)}: the episode was not judged again.`
  const { likelihood, benign, cap } = episode.alert
  const against = byWeight(benign).filter((evidence) => evidence.lr < 0)
  const why =
    against.length > 0
      ? against.map(claimSentence).join(' ')
      : cap !== null
        ? `The likelihood is held down: ${escapeText(cap.why)}.`
        : 'Its evidence weighs no more.'
  return `${code(test.kind)}: judged **${percentText(likelihood)}**, an alert begins at ${percentText(threshold)}. ${why}`
}

function looked({ looked: tests, notConcerned }: FlowExplanation): string {
  const rows = tests.flatMap((test) =>
    test.measures.map((measure) => [
      code(test.kind),
      escapeText(measure.what),
      escapeText(measure.measured.text),
      `${measure.side} ${escapeText(measure.bound.text)}`,
      measure.holds ? 'yes' : '**no**',
    ]),
  )
  return blocks([
    rows.length === 0
      ? 'None had anything to measure on it.'
      : blocks([
          'As its surroundings were when the flow came, those that came nearest first:',
          table(['Kind', 'What is measured', 'Here', 'Entry test asks for', 'Holds'], rows),
        ]),
    notConcerned.length === 0 ? '' : `Had nothing to measure on it: ${notConcerned.map(code).join(', ')}.`,
  ])
}

function behaviour({ flow, orientation, rows }: ExplainedFlow): string {
  return blocks([
    table(
      ['Sent by', 'Packets', 'Payload'],
      ([0, 1] as const).map((side) => [
        endpointText(flow, side),
        measuredText(flow.packets[side], countText),
        measuredText(flow.payloadBytes[side], bytesText),
      ]),
    ),
    bullets([
      `It began ${escapeText(secondText(flow.start))} and lasted ${durationText(flow.durationUs)}.`,
      stateLine(flow.connState ?? '', [flow.history ?? ''], flow.proto === TCP),
      `Who is initiator: ${orientationText(orientation)}.`,
      ...(rows === 1 ? [] : [`It came in ${countOf(rows, 'row')}, as the active timeout cut it: this is one of them.`]),
    ]),
  ])
}
