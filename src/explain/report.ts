/**
 * The report of an alert: Markdown with its pictures, from the alert line alone.
 *
 * In:  an `AlertLine`. Out: the parts of REPORT.md section 3 for which there is content, in that order; picture files
 *      that lie beside the report. The same line gives the same bytes.
 * Not: any judgement: what the alert does not hold is not said.
 * The invariant: every number is `Num.text`, or a value of the alert rendered by words.ts.
 */
import type { AlertLine } from './alert-line.ts'
import { factsOf } from './facts.ts'
import { kindWords } from './kinds.ts'
import { blocks } from './markdown.ts'
import { networkBehaviour } from './parts/behaviour.ts'
import { classification } from './parts/classification.ts'
import { benignExplanations, whatWouldChange } from './parts/explanations.ts'
import { observableFeatures } from './parts/features.ts'
import { incident } from './parts/incident.ts'
import { modelExplanation } from './parts/model.ts'
import { muted } from './parts/muted.ts'
import { type PictureFile, pictures } from './parts/pictures.ts'
import { provenance } from './parts/provenance.ts'
import { recommendations } from './parts/recommendations.ts'
import { summary, titleAndHeadline } from './parts/summary.ts'
import { threatAnalysis } from './parts/threat.ts'
import { visibility } from './parts/visibility.ts'

export interface Report {
  alertId: string
  /** Name of the report's file without its ending; pictures begin with it too. */
  stem: string
  /** The day of the episode's first packet, YYYY-MM-DD: stable over the episode. */
  day: string
  markdown: string
  pictures: readonly PictureFile[]
}

export function renderReport(line: AlertLine): Report {
  const { alert, envelope } = line
  const facts = factsOf(alert)
  const words = kindWords(alert.kind)
  const { day, stem } = reportPlace(alert)
  const drawn = pictures(facts, stem)
  const markdown = blocks([
    titleAndHeadline(facts),
    muted(alert),
    section('Summary', summary(facts, words)),
    section('Incident', incident(facts)),
    section('Attack classification', classification(facts)),
    section('Pictures', drawn.markdown),
    section('Benign explanations considered', benignExplanations(facts, words)),
    section('What would change this', whatWouldChange(facts)),
    section('Threat analysis', threatAnalysis(facts, words)),
    section('Model explanation', modelExplanation(facts)),
    section('Network behaviour', networkBehaviour(facts)),
    section('Observable features', observableFeatures(facts)),
    section('Visibility', visibility(facts)),
    section('Recommendations', recommendations(facts, words)),
    section('Evidence', provenance(facts, envelope, stem)),
  ])
  return { alertId: alert.id, stem, day, markdown: `${markdown}\n`, pictures: drawn.files }
}

/** A part without content is left out whole. */
function section(title: string, body: string): string {
  return body === '' ? '' : `## ${title}\n\n${body}`
}

const STEM_LEN_MAX = 120

/** An alert id as a file name: ids of our own making pass as they are. */
export function fileStem(id: string): string {
  const safe = id.replace(/[^A-Za-z0-9._-]/g, '_').slice(0, STEM_LEN_MAX)
  return /^[A-Za-z0-9_]/.test(safe) ? safe : `_${safe}`
}

/** Where the report of an alert lies: the folder and the name without its ending. */
export function reportPlace({ id, episode }: AlertLine['alert']): Pick<Report, 'day' | 'stem'> {
  return { day: dayOf(episode.first), stem: fileStem(id) }
}

function dayOf(eveTime: string): string {
  return /^\d{4}-\d\d-\d\dT/.test(eveTime) ? eveTime.slice(0, 10) : 'undated'
}
