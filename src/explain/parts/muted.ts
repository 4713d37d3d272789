/** Who muted this alert, until when and why. */
import type { AlertEvent } from '../../score/evidence.ts'
import { code } from '../markdown.ts'

/** '' when no rule does. */
export function muted({ suppressed }: AlertEvent): string {
  if (suppressed === undefined) return ''
  const { rule, owner, until, reason } = suppressed
  return `**Muted**: nobody is notified, by rule ${code(rule)} of ${code(owner)}, until ${code(until)}: ${code(reason)}. What follows is judged as if there were no rule.`
}
