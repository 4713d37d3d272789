/**
 * What `flowscribe features` prints: the feature contract, or all about one feature.
 *
 * In:  the tables of features/ and the windowed features of context/. Out: text.
 */
import { UsageError } from '../base/errors.ts'
import { nearestKey } from '../config-value.ts'
import { WINDOW_FEATURES } from '../context/window-features.ts'
import { contractText, explanationOf, knownNames } from '../features/contract.ts'

/** @param explain a feature's name in any dialect; absent: all. @throws UsageError for an unknown name. */
export function describeFeatures(explain: string | undefined): string {
  if (explain === undefined) return contractText(WINDOW_FEATURES)
  const text = explanationOf(explain, WINDOW_FEATURES)
  if (text !== null) return text
  const near = nearestKey(knownNames(), explain.trim())
  throw new UsageError(`no feature is called '${explain}' in any dialect${near === null ? '' : `; did you mean '${near}'?`}`)
}
