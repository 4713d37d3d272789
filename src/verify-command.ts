/**
 * What `flowscribe verify` does with files. A stub until reports exist.
 *
 * In:  paths of an alert log and of reports.
 * Out: a line for each report, and whether all hold.
 */
import { RunError } from './base/errors.ts'

export interface VerifyOutcome {
  lines: string[]
  isVerified: boolean
}

export async function verifyFiles(alertsPath: string, reportPaths: readonly string[]): Promise<VerifyOutcome> {
  await Promise.resolve()
  throw new RunError(`${alertsPath}: this build cannot verify ${reportPaths.length} reports`)
}
