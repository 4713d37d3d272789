/**
 * From a score to "1 in N": how many comparable flows score as high (SCORER.md section 4.6).
 *
 *   p = (1 + #{s' ≥ s}) / (n + 1)                                   conformal, while enough scores lie above
 *   p = (Nt / n) · (1 + γ(s − t) / σ)^(−1/γ)                        generalised Pareto tail beyond, fitted to the top 2 %
 *   γ = ½(1 − ȳ²/v), σ = ½ȳ(ȳ²/v + 1)                               by moments of the excesses over t
 *
 * In:  scores taken before they were learnt from. Out: p; never rarer than 1 in 10·n.
 * Not: a chance of attack. It says how unusual a score is here and nothing else.
 * The invariant: what is asked about was folded in at an earlier commit, never since.
 */

/** 512 steps of a quarter: 34 parts of at most 3 fit. */
export const SCORE_BINS = 512
const SCORE_STEP = 0.25
/** With so many scores above, counting them is better than any fit. */
const COUNTED_MIN = 20
const TAIL_SHARE = 0.02
/** A tail of fewer is no sample to fit. */
const TAIL_MIN = 10
const FOLD_DECAY = 0.9
const BEYOND_SEEN = 10

interface Tail {
  from: number
  count: number
  gamma: number
  sigma: number
}

export class Calibration {
  readonly committed = new Float64Array(SCORE_BINS)
  readonly shadow = new Float64Array(SCORE_BINS)
  /** Scores in this bin or above. */
  readonly #above = new Float64Array(SCORE_BINS + 1)
  #tail: Tail | null = null

  note(score: number, count = 1): void {
    this.shadow[scoreBin(score)] += count
  }

  /** Folds in what was noted since the last time. */
  commit(): void {
    for (let b = 0; b < SCORE_BINS; b++) this.committed[b] = this.committed[b] * FOLD_DECAY + this.shadow[b]
    this.shadow.fill(0)
    this.refit()
  }

  /** After `committed` was filled from outside. */
  refit(): void {
    this.#above[SCORE_BINS] = 0
    for (let b = SCORE_BINS - 1; b >= 0; b--) this.#above[b] = this.#above[b + 1] + this.committed[b]
    this.#tail = this.#fitTail()
  }

  get count(): number {
    return this.#above[0]
  }

  /** null before anything was folded in. */
  p(score: number): number | null {
    const n = this.count
    if (n < 1) return null
    const above = this.#above[scoreBin(score)]
    const counted = Math.min(1, (1 + above) / (n + 1))
    if (above >= COUNTED_MIN || this.#tail === null) return counted
    return Math.min(counted, Math.max(1 / (BEYOND_SEEN * n), tailShare(this.#tail, score, n)))
  }

  #fitTail(): Tail | null {
    const n = this.count
    let start = SCORE_BINS
    while (start > 0 && this.#above[start - 1] <= TAIL_SHARE * n) start--
    const from = start * SCORE_STEP
    const count = this.#above[Math.min(start, SCORE_BINS)]
    if (count < TAIL_MIN) return null
    let sum = 0
    let squares = 0
    for (let b = start; b < SCORE_BINS; b++) {
      const excess = (b + 0.5) * SCORE_STEP - from
      sum += this.committed[b] * excess
      squares += this.committed[b] * excess * excess
    }
    const mean = sum / count
    // All in one bin: take the bin's own spread.
    const variance = Math.max(squares / count - mean * mean, (SCORE_STEP * SCORE_STEP) / 12)
    const shape = (mean * mean) / variance
    return { from, count, gamma: 0.5 * (1 - shape), sigma: 0.5 * mean * (shape + 1) }
  }
}

const GAMMA_ZERO = 1e-6

function tailShare({ from, count, gamma, sigma }: Tail, score: number, n: number): number {
  const excess = Math.max(0, score - from)
  if (Math.abs(gamma) < GAMMA_ZERO) return (count / n) * Math.exp(-excess / sigma)
  const base = 1 + (gamma * excess) / sigma
  // A tail with an end (γ < 0), and a score beyond it.
  return base <= 0 ? 0 : (count / n) * base ** (-1 / gamma)
}

function scoreBin(score: number): number {
  return Math.max(0, Math.min(SCORE_BINS - 1, Math.floor(score / SCORE_STEP)))
}
