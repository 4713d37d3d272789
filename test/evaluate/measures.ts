/**
 * How good likelihoods are: reliability table, Brier score, expected calibration error.
 *
 * In:  pairs of a stated likelihood and whether it was so. Out: plain numbers; null where there is nothing to measure.
 */

export interface Judgement {
  likelihood: number
  isTrue: boolean
}

export interface ReliabilityRow {
  from: number
  to: number
  count: number
  meanLikelihood: number
  trueShare: number
}

const BINS = 10

export function reliability(judgements: readonly Judgement[]): ReliabilityRow[] {
  const bins = Array.from({ length: BINS }, (_, i) => judgements.filter((j) => Math.min(BINS - 1, Math.floor(j.likelihood * BINS)) === i))
  return bins.flatMap((bin, i) => {
    if (bin.length === 0) return []
    const sum = bin.reduce((total, j) => total + j.likelihood, 0)
    const trueCount = bin.filter((j) => j.isTrue).length
    return [{ from: i / BINS, to: (i + 1) / BINS, count: bin.length, meanLikelihood: sum / bin.length, trueShare: trueCount / bin.length }]
  })
}

export function brierScore(judgements: readonly Judgement[]): number | null {
  if (judgements.length === 0) return null
  const sum = judgements.reduce((total, j) => total + (j.likelihood - (j.isTrue ? 1 : 0)) ** 2, 0)
  return sum / judgements.length
}

/** Mean distance of stated likelihood from observed share, weighed by the bins' sizes (Naeini, AAAI 2015). */
export function expectedCalibrationError(judgements: readonly Judgement[]): number | null {
  if (judgements.length === 0) return null
  const sum = reliability(judgements).reduce((total, row) => total + row.count * Math.abs(row.meanLikelihood - row.trueShare), 0)
  return sum / judgements.length
}

/** Chance that one of `strange` scores above one of `usual`, ties half: the area under the ROC curve. */
export function areaUnderCurve(usual: readonly number[], strange: readonly number[]): number {
  const all = [...usual.map((score) => ({ score, isStrange: 0 })), ...strange.map((score) => ({ score, isStrange: 1 }))]
  all.sort((a, b) => a.score - b.score)
  let rankSum = 0
  for (let i = 0; i < all.length; ) {
    let end = i
    while (end < all.length && all[end].score === all[i].score) end++
    // Equal scores share the mean of their ranks.
    const rank = (i + 1 + end) / 2
    for (; i < end; i++) rankSum += all[i].isStrange * rank
  }
  return (rankSum - (strange.length * (strange.length + 1)) / 2) / (usual.length * strange.length)
}

/** Share of `strange` above the score that only this share of `usual` exceeds. */
export function shareFoundAt(falsePositives: number, usual: readonly number[], strange: readonly number[]): number {
  const sorted = [...usual].sort((a, b) => b - a)
  const limit = sorted[Math.floor(falsePositives * sorted.length)]
  return strange.filter((score) => score > limit).length / strange.length
}
