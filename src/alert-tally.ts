/**
 * How many alerts a run has told, by the last severity of each.
 *
 * In:  alert events. Out: counts, gravest first; apart from them, what rules of the site mute. Not: alerts of earlier runs.
 * The invariant: a daemon's memory does not grow with its alerts: of the oldest episodes only the count is kept.
 */
import type { AlertEvent } from './score/evidence.ts'

const EPISODES_KEPT_MAX = 10_000
export const SEVERITIES = ['critical', 'high', 'medium', 'low', 'info'] as const satisfies readonly AlertEvent['severity'][]

/** Alerts that are muted, and by how many rules. */
export interface MutedCount {
  alerts: number
  rules: number
}

const MUTED = 'muted by '

export class AlertTally {
  /** Of the newest episodes, which may yet change; what falls out is counted. A muted one stands under its rule. */
  readonly #severities = new Map<string, string>()
  readonly #settled = new Map<string, number>()

  note({ id, severity: judged, suppressed }: AlertEvent): void {
    const severity = suppressed === undefined ? judged : `${MUTED}${suppressed.rule}`
    this.#severities.delete(id)
    this.#severities.set(id, severity)
    if (this.#severities.size <= EPISODES_KEPT_MAX) return
    for (const [oldest, settled] of this.#severities) {
      this.#severities.delete(oldest)
      this.#settled.set(settled, (this.#settled.get(settled) ?? 0) + 1)
      return
    }
  }

  counts(): { severity: string; count: number }[] {
    const newest = [...this.#severities.values()]
    return SEVERITIES.map((severity) => ({
      severity,
      count: (this.#settled.get(severity) ?? 0) + newest.filter((found) => found === severity).length,
    }))
  }

  muted(): MutedCount {
    const newest = [...this.#severities.values()].filter(isMuted)
    const settled = [...this.#settled].filter(([state]) => isMuted(state))
    return {
      alerts: newest.length + settled.reduce((sum, [, count]) => sum + count, 0),
      rules: new Set([...newest, ...settled.map(([state]) => state)]).size,
    }
  }
}

function isMuted(state: string): boolean {
  return state.startsWith(MUTED)
}
