/**
 * Pieces of Markdown that the texts of an evaluation share.
 *
 * In:  plain values. Out: text.
 */
import type { AlertSummary } from './outcome.ts'

export function alertText(alert: AlertSummary): string {
  const victims = `${alert.victims.join(' ')}${alert.victimCount > alert.victims.length ? ` of ${alert.victimCount}` : ''}`
  const against = alert.benign.length === 0 ? '' : `; ${alert.benign.join(', ')}`
  return `${alert.kind} ${alert.actor} → ${victims}: ${Math.round(alert.likelihood * 100)} % ${alert.severity} (${alert.evidence.join(', ')}${against})`
}

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return 'None.'
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|').replaceAll('\n', ' ')).join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}

export function value(v: number | null): string {
  return v === null ? '–' : String(Number(v.toPrecision(3)))
}
