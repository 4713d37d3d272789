/**
 * Threshold random walk over a client's first contacts: Jung, Paxson, Berger, Balakrishnan, "Fast Portscan Detection Using
 * Sequential Hypothesis Testing", IEEE S&P 2004.
 *
 * In:  for each server a client had never contacted before, whether the contact failed.
 * Out: the walk's height (natural log of scanner : ordinary client).
 * Not: a verdict; detectors compare the height with `hitHeight`.
 *
 * A first contact that failed and was answered later (a browser racing two addresses, a server just started) is taken back.
 */

/** Probability that a first contact succeeds: for an ordinary client, for a scanner (the paper's θ0, θ1). */
const SUCCESS_ORDINARY = 0.8
const SUCCESS_SCANNER = 0.2
const FAILURE_STEP = Math.log((1 - SUCCESS_SCANNER) / (1 - SUCCESS_ORDINARY))
const SUCCESS_STEP = Math.log(SUCCESS_SCANNER / SUCCESS_ORDINARY)
/** Good behaviour saves up no more credit than this: ln(.01/.99). */
const FLOOR = Math.log(0.01 / 0.99)
/** No evidence beyond this is of use, and a walk must find its way down again. */
const CEILING = 25
const DETECTION = 0.99

/** The height at which an ordinary client is mistaken for a scanner with probability `alpha` at most. */
export function hitHeight(alpha: number): number {
  return Math.log(DETECTION / alpha)
}

export function step(height: number, hasFailed: boolean): number {
  const next = height + (hasFailed ? FAILURE_STEP : SUCCESS_STEP)
  return Math.min(CEILING, Math.max(FLOOR, next))
}

/** A failure taken back and replaced by the success it became. */
export function correct(height: number): number {
  return step(Math.max(FLOOR, height - FAILURE_STEP), false)
}
