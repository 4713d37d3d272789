/**
 * Mean, variance and rates from the sums that a row keeps.
 *
 * Out: finite numbers, or null for a rate that is undefined. Never NaN, never Infinity.
 * Sample variance (n − 1), 0 for one value, as CICFlowMeter's commons-math gives it.
 */

const EXACT_MAX = Number.MAX_SAFE_INTEGER

/** @param n how many; 0 gives 0 */
export function mean(n: number, sum: number): number {
  return n === 0 ? 0 : sum / n
}

const CARRY_BITS = 52n

/**
 * Sample variance of whole numbers, exact up to the last division: n·Σx² − (Σx)² is computed in integers, which
 * a naive or running formula in floating point would lose to cancellation when all values are nearly equal.
 *
 * @param sumSq Σx² less 2^52 for each unit of `carry`
 */
export function varianceOfIntegers(n: number, sum: number, sumSq: number, carry = 0): number {
  if (n < 2) return 0
  const isSmall = carry === 0 && n * sumSq <= EXACT_MAX && sum * sum <= EXACT_MAX
  const scaled = isSmall ? n * sumSq - sum * sum : scaledVariance(BigInt(n), BigInt(sum), BigInt(sumSq) + (BigInt(carry) << CARRY_BITS))
  // Sums beyond 2^53 (payloads that only a forged length can claim) were rounded and can miss zero from below.
  return Math.max(0, scaled) / n / (n - 1)
}

function scaledVariance(n: bigint, sum: bigint, sumSq: bigint): number {
  return Number(n * sumSq - sum * sum)
}

/** Sample standard deviation from Welford's sum of squared deviations. */
export function deviation(n: number, m2: number): number {
  return n < 2 ? 0 : Math.sqrt(Math.max(0, m2) / (n - 1))
}

/** `amount` a second; null when no time passed. */
export function perSecond(amount: number, durationUs: number): number | null {
  return durationUs > 0 ? amount / (durationUs / 1e6) : null
}

/** a / b; 0 when there is no b. */
export function ratio(a: number, b: number): number {
  return b === 0 ? 0 : a / b
}
