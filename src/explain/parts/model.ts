/** Model explanation, for a flow that raised no alert: each characteristic, whether it deviates, what may cause it; then their ranking. */
import type { Evidence } from '../../score/evidence.ts'
import { baselineText, byWeight, claimSentence, ended, weightText } from '../claims.ts'
import type { Facts } from '../facts.ts'
import { NORMAL_PREFIX } from '../kinds/normal.ts'
import { blocks, bullets, code, escapeText } from '../markdown.ts'
import { capitalised, sentences } from '../words.ts'

export function modelExplanation({ alert }: Facts): string {
  if (!alert.kind.startsWith(NORMAL_PREFIX)) return ''
  const items = byWeight([...alert.benign, ...alert.evidence])
  if (items.length === 0) return 'The record holds nothing that stands out, and no pattern that fits.'
  const ranked = items.map(
    (item) => `${code(item.id)} ${escapeText(item.label)}: ${weightText(item)}${item.lr === 0 ? ' (weighs nothing)' : ''}`,
  )
  return blocks([
    'What stands out, and what it means, the heaviest first.',
    ...items.map(characteristic),
    '**Ranking of what contributed**',
    bullets(ranked),
  ])
}

function characteristic(item: Evidence): string {
  const deviates =
    item.baseline === undefined || item.baseline.scope === 'none'
      ? 'nobody can say: there is no baseline of this network to compare with'
      : baselineText(item)
  const reasons = item.alt === undefined ? 'ordinary use, of the kind that the pattern is named after' : escapeText(item.alt)
  return blocks([
    `### ${escapeText(item.label.charAt(0).toUpperCase() + item.label.slice(1))} (${escapeText(item.id)})`,
    bullets([
      `**Observed**: ${claimSentence(item)}`,
      `**Does it deviate?** ${ended(capitalised(sentences(deviates)))}`,
      `**Possible reasons**: ${ended(capitalised(reasons))}`,
    ]),
  ])
}
