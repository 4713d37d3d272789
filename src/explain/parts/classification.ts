/** Attack classification: the likelihood as arithmetic, the technique it is consistent with, the key indicators. */
import type { AlertEvent, LikelihoodStep } from '../../score/evidence.ts'
import { percentText } from '../../score/number.ts'
import { baselineText, basisText, byWeight, claimSentence, valuesText, weightText } from '../claims.ts'
import type { Facts } from '../facts.ts'
import { blocks, bullets, code, escapeText, table } from '../markdown.ts'
import { likelihoodText, sentences } from '../words.ts'

export function classification(facts: Facts): string {
  const { alert } = facts
  return blocks([
    bullets([
      `**Likelihood**: ${arithmeticText(alert)}`,
      `**Kind**: ${escapeText(alert.title)} (${code(alert.kind)}), ${alert.band}`,
      ...(alert.attack.length === 0
        ? []
        : [`**Consistent with** MITRE ATT\\&CK: ${techniquesText(alert)}. Consistent with is not proof of.`]),
    ]),
    sentences(
      'A factor speaks for malice (×) or for a harmless reading (÷).',
      'Measurements of one group overlap: the strongest counts whole, each further one three tenths of its logarithm.',
    ),
    ...(alert.cap === null ? [] : [`The likelihood is held at **${percentText(alert.cap.limit)}** at most: ${escapeText(alert.cap.why)}.`]),
    '### Key indicators',
    indicatorTable(alert),
  ])
}

/** `1 % prior ×32 many closed ports (E1) ×10 a hundred ports (E2) ÷16 server outage (B1) = 97 %` */
export function arithmeticText(alert: AlertEvent): string {
  const steps = alert.arithmetic.filter((step) => step.name !== 'cap').map((step) => stepText(step, alert))
  const capped = alert.arithmetic.some((step) => step.name === 'cap') ? ', capped at' : ' ='
  return `${steps.join(' ')}${capped} **${likelihoodText(alert.likelihood)}**`
}

function stepText(step: LikelihoodStep, alert: AlertEvent): string {
  const [strongest] = step.evidenceIds
  const named = [...alert.evidence, ...alert.benign].find((evidence) => evidence.id === strongest)?.label ?? step.name
  const ids = step.evidenceIds.length === 0 ? '' : ` (${step.evidenceIds.map(escapeText).join(', ')})`
  return `${escapeText(step.text)} ${escapeText(named)}${ids}`
}

function techniquesText(alert: AlertEvent): string {
  return alert.attack
    .map(
      (technique) =>
        `${escapeText(technique.id)} ${escapeText(technique.name)} (${escapeText(technique.tacticName)}, ${escapeText(technique.tactic)})`,
    )
    .join('; ')
}

function indicatorTable(alert: AlertEvent): string {
  const rows = byWeight(alert.evidence).map((evidence) => [
    code(evidence.id),
    claimSentence(evidence),
    valuesText(evidence),
    baselineText(evidence),
    weightText(evidence),
    `${evidence.group}; ${basisText(evidence)}`,
  ])
  return table(['Id', 'Claim', 'Value', 'Baseline', 'Weight', 'Group; basis'], rows)
}
