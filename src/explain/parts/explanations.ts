/** Benign explanations that were considered, and what would change the verdict. */
import { percentText } from '../../score/number.ts'
import { byWeight, claimSentence, ended, valuesText, weightText } from '../claims.ts'
import type { Facts } from '../facts.ts'
import type { KindWords } from '../kinds/kind.ts'
import { blocks, bullets, code, escapeText, proseText, table } from '../markdown.ts'
import { capitalised } from '../words.ts'

export function benignExplanations(facts: Facts, words: KindWords): string {
  const { alert } = facts
  const tested = [...byWeight(alert.benign.filter((e) => e.lr < 0)), ...byWeight(alert.benign.filter((e) => e.lr >= 0))]
  const rows = tested.map((evidence) => [
    code(evidence.id),
    claimSentence(evidence),
    valuesText(evidence),
    evidence.lr < 0 ? `for it (${weightText(evidence)})` : 'against it',
    ended(proseText(capitalised(evidence.next))),
  ])
  const open = byWeight(alert.evidence)
    .filter((evidence) => evidence.alt !== undefined)
    .map((evidence) => [code(evidence.id), ended(proseText(capitalised(evidence.alt ?? ''))), ended(proseText(capitalised(evidence.next)))])
  return blocks([
    tested.length === 0
      ? 'No benign explanation had a measurement that speaks for or against it.'
      : blocks(['Measured, the strongest first:', table(['Id', 'Explanation', 'Measurement', 'Speaks', 'Check'], rows)]),
    open.length === 0 ? '' : blocks(['Not excluded by the evidence:', table(['Evidence', 'It may also be', 'Check'], open)]),
    `**The one check that decides**: ${words.decidingCheck(facts)}`,
  ])
}

/** '' when re-scoring gave nothing to say. An alert of an older line has the words alone. */
export function whatWouldChange({ alert }: Facts): string {
  const { counterfactual } = alert
  if (counterfactual === undefined) return bullets(alert.wouldChange.map((change) => ended(escapeText(capitalised(change)))))
  const { threshold, changes, observations } = counterfactual
  const rows = changes.map((change) => [
    escapeText(change.what),
    escapeText(change.from.text),
    escapeText(change.to.text),
    change.likelihood === null ? 'no finding: the entry test is not met' : percentText(change.likelihood),
    change.half.text === change.from.text ? '' : `${escapeText(change.half.text)}: ${percentText(change.likelihoodAtHalf)}`,
  ])
  const seen = observations.map(
    ({ text, likelihood }) => `If ${escapeText(text)}: **${percentText(alert.likelihood)} → ${percentText(likelihood)}**`,
  )
  return blocks([
    rows.length === 0
      ? ''
      : blocks([
          `There would be no alert (it begins at ${percentText(threshold)}) with any one of these values, all else as measured. The sensor judged each case anew:`,
          table(['What was measured', 'Here', 'No alert with', 'Likelihood then', 'Half of the way'], rows),
        ]),
    seen.length === 0 ? '' : blocks(['What would move it most:', bullets(seen)]),
  ])
}
