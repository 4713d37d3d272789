/**
 * What can go wrong outside the traffic, and the exit code each fault deserves (DESIGN.md section 6).
 *
 * Out: three kinds of error. Traffic faults are not here: they are drop reasons and counters.
 */

/** Exit codes of every command. */
export const EXIT = { done: 0, failed: 1, usage: 2, alertsFound: 3, damagedInput: 4, unfit: 5 } as const

/** One fault of a configuration file; `line` counts from 1, 0 when the fault is not in a file. */
export interface ConfigFault {
  file: string
  line: number
  keyPath: string
  /** What is wrong, with the value got and the values allowed. */
  message: string
}

/** All faults of a configuration at once; exit code 2. */
export class ConfigError extends Error {
  readonly faults: readonly ConfigFault[]
  constructor(faults: readonly ConfigFault[]) {
    super(faults.map(describeFault).join('\n'))
    this.name = 'ConfigError'
    this.faults = faults
  }
}

function describeFault(fault: ConfigFault): string {
  const place = fault.line > 0 ? `${fault.file}:${fault.line}` : fault.file
  return `${place}: ${fault.keyPath === '' ? '' : `${fault.keyPath}: `}${fault.message}`
}

/** The command line asks for something that cannot be; exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/** The world said no (no such file, not a capture, disk full); one line with place and remedy; exit code 1. */
export class RunError extends Error {
  override readonly name = 'RunError'
}
