/**
 * How bad it would be, apart from how likely it is (SCORER.md section 5.2).
 *
 *   level = base(kind) + inside actor + sign of success + scale, then the gates of likelihood
 *
 * In:  a kind's base level, what was found, the likelihood. Out: the severity and its reasons in words.
 * Not: critical-asset tags; no option declares them yet.
 */

import type { Severity } from './evidence.ts'

/** From the lowest up; a level is an index. */
export const LEVELS = ['info', 'low', 'medium', 'high', 'critical'] as const satisfies readonly Severity[]
const LOW = 1
const MEDIUM = 2
const HIGH = 3

export interface SeverityInput {
  /** 0 info, 1 low, 2 medium … for this kind before anything else is known. */
  base: number
  isActorInternal: boolean
  /** The actor is outside, the victims inside, and this is a kind whose background is everywhere (scans). */
  isFromOutside: boolean
  /** Words for the sign of success; null when there is none. */
  success: string | null
  /** Measured value over threshold; from 10 on it counts. */
  scaleRatio: number
  /** Servers that took part; null where the kind does not fold into background noise. */
  answeredServers: number | null
  /** Why it is low at least, whatever its kind; absent or undefined: nothing says so. */
  atLeastLow?: string | undefined
  likelihood: number
}

export interface Graded {
  severity: Severity
  why: string[]
}

export function gradeSeverity(input: SeverityInput): Graded {
  const why = [`this kind of finding starts at ${LEVELS[input.base]}`]
  let level = input.base
  const raise = (reason: string): void => {
    level++
    why.push(`raised: ${reason}`)
  }
  const limit = (highest: number, reason: string): void => {
    if (level <= highest) return
    level = highest
    why.push(`limited to ${LEVELS[highest]}: ${reason}`)
  }
  if (input.isActorInternal) raise('the actor is inside the network')
  if (input.success !== null) raise(input.success)
  if (input.scaleRatio >= 10) raise('at least ten times what the test asks for')
  level = Math.min(level, LEVELS.length - 1)
  const isLarge = input.success !== null || input.scaleRatio >= 10
  if (!(input.likelihood >= 0.9 && isLarge)) limit(HIGH, 'critical needs a very high likelihood and a sign of success or scale')
  if (input.likelihood < 0.8) limit(MEDIUM, 'high needs a likelihood of the upper bands')
  if (input.likelihood < 0.5) limit(LOW, 'the likelihood is under one half')
  if (input.likelihood < 0.2) limit(0, 'the likelihood is low')
  // SCORER.md D3: the whole Internet scans; only answers make one scan matter.
  if (input.isFromOutside && input.answeredServers === 0) limit(0, 'probes from outside that nothing inside answered are background noise')
  if (input.isFromOutside && input.answeredServers !== null) limit(LOW, 'a scan from outside, even when something answered')
  if (input.atLeastLow !== undefined && level < LOW) raise(input.atLeastLow)
  return { severity: LEVELS[level], why }
}
