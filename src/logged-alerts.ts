/**
 * The alerts that an alert log holds, each as its last line tells it; read a piece at a time, however long the log is.
 *
 * In:  the path of an alerts.jsonl. Out: what a person or a mute rule asks of each alert; how many lines were none of ours.
 * Not: the evidence: who wants that reads the line (explain/alert-line.ts).
 */
import { createReadStream } from 'node:fs'
import { RunError } from './base/errors.ts'
import { printable } from './base/printable.ts'
import { LINE_BYTES_MAX } from './explain/alert-line.ts'
import { ALERT_SHAPE, type Schema } from './explain/alert-shape.ts'
import { faultsOf, isRecord } from './explain/shape-check.ts'
import type { AlertEvent } from './score/evidence.ts'
import type { MuteSubject } from './score/mutes.ts'

/** Of a longer log, the newest. */
const ALERTS_MAX = 500_000

export interface LoggedAlert extends Pick<AlertEvent, 'id' | 'kind' | 'actor' | 'victims' | 'servicePort' | 'likelihood' | 'severity'> {
  /** eve time of its newest packet. */
  last: string
  /** The rule that muted it already; '' for none. */
  mutedBy: string
}

export interface LoggedAlerts {
  /** In the order of their last lines. */
  alerts: LoggedAlert[]
  linesNotRead: number
}

/** @throws RunError when the file cannot be read */
export async function readLoggedAlerts(path: string): Promise<LoggedAlerts> {
  const alerts = new Map<string, LoggedAlert>()
  let linesNotRead = 0
  for await (const row of linesOf(path)) {
    const alert = row === null ? null : alertIn(row)
    if (alert === null) {
      linesNotRead++
      continue
    }
    alerts.delete(alert.id)
    alerts.set(alert.id, alert)
    const [oldest] = alerts.size > ALERTS_MAX ? alerts.keys() : []
    if (oldest !== undefined) alerts.delete(oldest)
  }
  return { alerts: [...alerts.values()], linesNotRead }
}

/** Only what is needed is asked of a line: a log may go back to versions that said less of the rest. */
const NEEDED = ['id', 'kind', 'actor', 'victims', 'servicePort', 'likelihood', 'severity', 'episode'] as const
const { properties = {} } = ALERT_SHAPE
const SHAPE = {
  type: 'object',
  properties: Object.fromEntries([...NEEDED, 'suppressed'].map((key) => [key, properties[key]])),
  required: NEEDED,
} satisfies Schema

function alertIn(row: string): LoggedAlert | null {
  const context = contextIn(row)
  if (faultsOf(context, SHAPE, '').length > 0) return null
  const { id, kind, actor, victims, servicePort, likelihood, severity, episode, suppressed } = context as AlertEvent
  return { id, kind, actor, victims, servicePort, likelihood, severity, last: episode.last, mutedBy: suppressed?.rule ?? '' }
}

function contextIn(row: string): unknown {
  try {
    const line: unknown = JSON.parse(row)
    return isRecord(line) && isRecord(line.alert) && isRecord(line.alert.context) ? line.alert.context.flowscribe : null
  } catch {
    return null
  }
}

/** What a mute rule asks of it; a log names the first victims only. */
export function subjectOf({ kind, actor, victims, servicePort, last }: LoggedAlert): MuteSubject {
  return { kind, actor, victims: victims.addresses, servicePort, atSec: Date.parse(last.replace('+0000', 'Z')) / 1000 }
}

/** Lines without their newline; null for one that is longer than any of ours. */
async function* linesOf(path: string): AsyncGenerator<string | null> {
  let rest = ''
  let isTooLong = false
  try {
    for await (const chunk of createReadStream(path, { encoding: 'utf8' })) {
      const rows = (rest + String(chunk)).split('\n')
      rest = rows.pop() ?? ''
      for (const row of rows) {
        if (isTooLong) yield null
        else if (row !== '') yield row
        isTooLong = false
      }
      if (rest.length <= LINE_BYTES_MAX) continue
      isTooLong = true
      rest = ''
    }
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    throw new RunError(`${printable(path)}: ${code === 'ENOENT' ? 'no such alert log' : `cannot be read (${code ?? String(error)})`}`)
  }
  if (isTooLong) yield null
  else if (rest !== '') yield rest
}
