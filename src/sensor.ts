/**
 * The stages joined in order. A stub: what the command line calls, without the stages.
 *
 * In:  captures and a checked configuration.
 * Out: flows, alerts and reports; a summary of the run.
 * Not: the command line, signals and exit codes, which are main.ts's.
 */
import { RunError } from './base/errors.ts'
import type { Config } from './config.ts'
import type { Progress } from './progress.ts'

export interface ReplayOptions {
  inputs: readonly string[]
  outputDir: string
  config: Config
  isStrict: boolean
  progress: Progress
  signal: AbortSignal
}

/** Where an input is damaged; everything before it was used. */
export interface Damage {
  path: string
  offset: number
  message: string
}

/** What every reading of captures ends with. */
export interface ReadSummary {
  packets: number
  bytes: number
  flows: number
  digestFlows: string
  damage: Damage[]
  notDecoded: { reason: string; count: number }[]
  /** Where a signal stopped the reading; `share` of the input read, null when its size is unknown. */
  interruptedAt: { path: string; offset: number; share: number | null } | null
}

export interface ReplaySummary extends ReadSummary {
  /** Gravest first. */
  alerts: { severity: string; count: number }[]
  digestAlerts: string
  /** Folder of the reports; null when none was written. */
  reportsDir: string | null
  alertsPath: string
}

export async function replay(options: ReplayOptions): Promise<ReplaySummary> {
  await Promise.resolve()
  throw new RunError(`${options.inputs[0]}: this build cannot replay`)
}

export type EmptyCell = '0' | '-1' | 'nan'

export interface FlowsOptions {
  inputs: readonly string[]
  /** A path, or '-' for standard output. */
  output: string
  format: 'cic' | 'none'
  /** What stands for a value that does not exist for a flow. */
  empty: EmptyCell
  config: Config
  isStrict: boolean
  progress: Progress
  signal: AbortSignal
}

export type FlowsSummary = ReadSummary

export async function meterFlows(options: FlowsOptions): Promise<FlowsSummary> {
  await Promise.resolve()
  throw new RunError(`${options.inputs[0]}: this build cannot meter`)
}
