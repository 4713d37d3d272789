/** Threat analysis: severity and why, what follows if it is so, and how it may go on. */
import { ended } from '../claims.ts'
import type { Facts } from '../facts.ts'
import type { KindWords } from '../kinds/kind.ts'
import { blocks, bullets, escapeText } from '../markdown.ts'
import { capitalised, sentences } from '../words.ts'

export function threatAnalysis(facts: Facts, words: KindWords): string {
  const { alert } = facts
  const why = alert.severityWhy.length === 0 ? '' : `: ${alert.severityWhy.map(escapeText).join('; ')}`
  const vectors = words.vectors(facts)
  return blocks([
    sentences(
      `**Severity: ${alert.severity}**${why}.`,
      'Severity is how bad it would be; likelihood is how sure the sensor is. Neither is computed from the other alone.',
    ),
    '**What it means if it is so**',
    bullets(words.implications(facts)),
    vectors.length === 0 ? '' : blocks(['**Possible vectors**', bullets(vectors.map((vector) => ended(capitalised(vector))))]),
    `**Not decidable from headers**: ${ended(words.undecidable.join('; '))}`,
  ])
}
