/**
 * What commons-math's SummaryStatistics keeps, in its order of operations: mean and squared deviations by Welford, the sum apart.
 *
 * In:  values one by one. Out: count, sum, extremes, mean, sample variance; all 0 before the first value.
 * Not: the exact sums of flow/count.ts: this is the other way to the same numbers, so that the two check each other.
 */

export class RunningStatistics {
  n = 0
  sum = 0
  min = 0
  max = 0
  mean = 0
  #m2 = 0

  add(value: number): void {
    this.n++
    const deviation = value - this.mean
    const share = deviation / this.n
    this.mean += share
    this.#m2 += (this.n - 1) * deviation * share
    this.sum += value
    this.min = this.n === 1 ? value : Math.min(this.min, value)
    this.max = this.n === 1 ? value : Math.max(this.max, value)
  }

  get variance(): number {
    return this.n < 2 ? 0 : this.#m2 / (this.n - 1)
  }

  get std(): number {
    return Math.sqrt(this.variance)
  }
}
