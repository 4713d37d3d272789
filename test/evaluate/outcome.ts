/**
 * What one judged capture comes to beside its label: found, missed, quiet, or a false alert.
 *
 * In:  a label, what was judged. Out: an outcome. Not: sums over captures.
 */
import type { JudgedCapture, JudgedEpisode } from './judge-capture.ts'
import type { Label } from './labels.ts'
import { isOf } from './labels.ts'

export const ALERT_MIN = 0.5

export interface AlertSummary {
  kind: string
  actor: string
  victims: string[]
  victimCount: number
  likelihood: number
  severity: string
  evidence: string[]
  benign: string[]
}

export interface Outcome {
  file: string
  class: string
  expect: readonly string[]
  howSure: string
  result: 'found' | 'missed' | 'quiet' | 'false alert' | 'no demand' | 'not read'
  /** Flows and seconds of packet time from the episode's first packet to its first alert. */
  timeToDetect: { flows: number; seconds: number } | null
  alerts: AlertSummary[]
  /** The likeliest episode of a wanted kind that stayed below the limit, or of any kind where silence was wanted. */
  below: AlertSummary | null
  fault: string | null
}

export function isAlert({ alert, found }: JudgedEpisode): boolean {
  return found !== null && alert.likelihood >= ALERT_MIN && alert.severity !== 'info'
}

export function isWanted({ alert }: JudgedEpisode, { expect, actor, victim }: Label): boolean {
  return expect.includes(alert.kind) && isOf(actor, [alert.actor]) && isOf(victim, alert.victims.addresses)
}

export function outcomeOf(label: Label, capture: JudgedCapture): Outcome {
  const { episodes, fault } = capture
  const alerts = episodes.filter(isAlert)
  const wanted = episodes.filter((episode) => isWanted(episode, label))
  const hits = wanted.filter((episode) => episode.alert.likelihood >= ALERT_MIN && episode.found !== null)
  const below = (label.expect.length > 0 ? wanted : episodes)
    .filter((episode) => !hits.includes(episode) && !alerts.includes(episode))
    .sort((a, b) => b.alert.likelihood - a.alert.likelihood)[0]
  const seconds = hits.map(({ found }) => found?.seconds ?? 0)
  const first = hits[seconds.indexOf(Math.min(...seconds))]
  return {
    file: label.file,
    class: label.class,
    expect: label.expect,
    howSure: label.howSure,
    result: resultOf(label, capture, hits.length, alerts.length),
    timeToDetect: first?.found ?? null,
    alerts: episodes.filter(({ found }) => found !== null).map(summaryOf),
    below: below === undefined ? null : summaryOf(below),
    fault,
  }
}

function resultOf(label: Label, capture: JudgedCapture, hits: number, alerts: number): Outcome['result'] {
  if (capture.packets === 0 && capture.fault !== null) return 'not read'
  if (label.expect.length > 0) return hits > 0 ? 'found' : 'missed'
  if (!label.mustBeQuiet) return 'no demand'
  return alerts > 0 ? 'false alert' : 'quiet'
}

export function summaryOf({ alert }: JudgedEpisode): AlertSummary {
  const { kind, actor, victims, likelihood, severity } = alert
  const weights = (items: readonly { code: string; lr: number }[]): string[] => items.map(({ code, lr }) => `${code} ${lr.toFixed(2)}`)
  return {
    kind,
    actor,
    victims: victims.addresses.slice(0, 4),
    victimCount: victims.count,
    likelihood,
    severity,
    evidence: weights(alert.evidence),
    benign: weights(alert.benign.filter(({ lr }) => lr < 0)),
  }
}
