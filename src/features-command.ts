/**
 * What `flowscribe features` prints. A stub until the feature table exists.
 *
 * Out: one line a feature, or all about one.
 */
import { RunError } from './base/errors.ts'

/** @param explain a feature's name in any dialect; absent: all. @throws UsageError for an unknown name. */
export function describeFeatures(explain: string | undefined): string {
  throw new RunError(`features${explain === undefined ? '' : ` ${explain}`}: this build has none`)
}
