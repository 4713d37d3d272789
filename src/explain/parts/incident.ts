/** Incident: the chain of alerts that this one belongs to, in order of time. */
import type { Facts } from '../facts.ts'
import { blocks, code, escapeText, table } from '../markdown.ts'
import { secondText, sentences } from '../words.ts'

/** '' when the alert stands alone. */
export function incident({ alert }: Facts): string {
  if (alert.incident === undefined) return ''
  const { id, members } = alert.incident
  const rows = members.map((member) => [
    escapeText(secondText(member.first)),
    member.id === alert.id ? '**this alert**' : code(member.id),
    `${escapeText(member.title)} (${code(member.kind)})`,
    `${code(member.actor)} → ${code(member.victim)}`,
  ])
  return blocks([
    sentences(
      `This alert is part of incident ${code(id)}: steps of one actor, or of a host that it had got into, in order of time.`,
      'Each later step was weighed knowing the earlier ones.',
    ),
    table(['Began', 'Alert', 'What', 'Who → whom'], rows),
  ])
}
