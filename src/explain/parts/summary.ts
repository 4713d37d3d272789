/** Title, headline and the three sentences that must be enough. */

import { byWeight, claimSentence, ended, openAlternative, strongestBenign, weightText } from '../claims.ts'
import type { Facts } from '../facts.ts'
import type { KindWords } from '../kinds/kind.ts'
import { NORMAL_PREFIX } from '../kinds/normal.ts'
import { blocks, code, escapeText } from '../markdown.ts'
import { capitalised, likelihoodText, secondText } from '../words.ts'

const EVENTS = { open: 'newly opened', update: 'going on', close: 'closed' } as const

const CALIBRATIONS = {
  prior: 'confidence stage: prior (weights not yet calibrated on this site)',
  site: 'confidence stage: site (weights calibrated on verdicts given here)',
} as const

export function titleAndHeadline(facts: Facts): string {
  const { alert } = facts
  const { first, last } = alert.episode
  const to = secondText(first) === secondText(last) ? '' : ` to ${secondText(last)}`
  const headline = [
    `likelihood **${likelihoodText(alert.likelihood)}** (${alert.band})`,
    `severity **${alert.severity}**`,
    CALIBRATIONS[alert.calibration],
    `${escapeText(secondText(first))}${escapeText(to)}`,
    facts.extent,
    `episode ${EVENTS[alert.event]}`,
  ]
  return blocks([
    `# ${escapeText(facts.alert.title)}: ${facts.actor} → ${facts.victims} (${code(alert.id)})`,
    capitalised(headline.join(' · ')),
  ])
}

export function summary(facts: Facts, words: KindWords): string {
  const [strongest] = byWeight(facts.alert.evidence).filter((evidence) => evidence.lr !== 0)
  const evidence =
    strongest === undefined
      ? ''
      : `The strongest evidence (${code(strongest.id)}, ${weightText(strongest)}): ${uncapitalised(claimSentence(strongest))}`
  const happened = ended(capitalised(words.happened(facts)))
  // Of what raised no alert the harmless reading comes first.
  const [first, then] = facts.alert.kind.startsWith(NORMAL_PREFIX) ? [harmlessReading(facts), evidence] : [evidence, harmlessReading(facts)]
  return `${happened} ${first} ${then}`.replace(/ {2,}/g, ' ').trim()
}

function harmlessReading(facts: Facts): string {
  const benign = strongestBenign(facts.alert)
  if (benign !== null)
    return `The strongest harmless reading (${code(benign.id)}, ${weightText(benign)}): ${uncapitalised(claimSentence(benign))}`
  const open = openAlternative(facts.alert)
  if (open !== null) return `A harmless reading that the measurements do not exclude: ${ended(escapeText(uncapitalised(open.alt)))}`
  return 'No harmless explanation that was tested fits the measurements.'
}

/** After a colon; an acronym or a code span keeps its first letter. */
function uncapitalised(sentence: string): string {
  return /^[A-Z][a-z]*(?=[\s,])/.test(sentence) ? sentence.charAt(0).toLowerCase() + sentence.slice(1) : sentence
}
