/** Benign explanations that were considered, and what would change the verdict. */
import { byWeight, claimSentence, ended, valuesText, weightText } from '../claims.ts'
import type { Facts } from '../facts.ts'
import type { KindWords } from '../kinds/kind.ts'
import { blocks, bullets, code, escapeText, table } from '../markdown.ts'
import { capitalised } from '../words.ts'

export function benignExplanations(facts: Facts, words: KindWords): string {
  const { alert } = facts
  const tested = [...byWeight(alert.benign.filter((e) => e.lr < 0)), ...byWeight(alert.benign.filter((e) => e.lr >= 0))]
  const rows = tested.map((evidence) => [
    code(evidence.id),
    claimSentence(evidence),
    valuesText(evidence),
    evidence.lr < 0 ? `for it (${weightText(evidence)})` : 'against it',
    ended(escapeText(capitalised(evidence.next))),
  ])
  const open = byWeight(alert.evidence)
    .filter((evidence) => evidence.alt !== undefined)
    .map((evidence) => [
      code(evidence.id),
      ended(escapeText(capitalised(evidence.alt ?? ''))),
      ended(escapeText(capitalised(evidence.next))),
    ])
  return blocks([
    tested.length === 0
      ? 'No benign explanation had a measurement that speaks for or against it.'
      : blocks(['Measured, the strongest first:', table(['Id', 'Explanation', 'Measurement', 'Speaks', 'Check'], rows)]),
    open.length === 0 ? '' : blocks(['Not excluded by the evidence:', table(['Evidence', 'It may also be', 'Check'], open)]),
    `**The one check that decides**: ${words.decidingCheck(facts)}`,
  ])
}

/** '' when re-scoring gave nothing to say. */
export function whatWouldChange(facts: Facts): string {
  return bullets(facts.alert.wouldChange.map((change) => ended(escapeText(capitalised(change)))))
}
