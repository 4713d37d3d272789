/**
 * `flowscribe baseline show|export|import|reset`: the stored baseline as a person handles it.
 *
 * In:  what to do, the configuration (which names the state folder), a file. Out: lines for standard output.
 * Not: learning. A run that is going on keeps what an import or reset put there, and takes it up at its next start.
 */
import { existsSync } from 'node:fs'
import type { Argv, Options } from 'yargs'
import { RunError, UsageError } from '../base/errors.ts'
import { printable } from '../base/printable.ts'
import { baselinePath, keepAside } from '../baseline-store.ts'
import type { Config } from '../config.ts'
import { num } from '../score/number.ts'
import type { LifeCycleRecord } from '../score/surprisal/life-cycle.ts'
import { encodeBaseline, readBaseline, type StoredBaseline, writeBaseline } from '../sink/baseline-file.ts'

const ACTIONS = ['show', 'export', 'reset', 'import'] as const
type Action = (typeof ACTIONS)[number]

export const BASELINE_COMMAND_OPTIONS = {
  json: { type: 'boolean', describe: 'With show: as JSON' },
} as const satisfies Record<string, Options>

interface BaselineArguments {
  action: Action | undefined
  file: string | undefined
  json: boolean | undefined
}

export function addBaseline(
  cli: Argv,
  options: Readonly<Record<string, Options>>,
  print: (text: string) => Promise<void>,
  configOf: (argv: unknown) => Config,
): void {
  cli.command(
    'baseline [action] [file]',
    'Show, export, import or reset what a live run has learnt',
    (y) =>
      y
        .positional('action', { type: 'string', choices: ACTIONS, describe: 'What to do' })
        .positional('file', { type: 'string', describe: 'A baseline: to look at, to write to, to read from' })
        .options(options)
        .example('$0 baseline show', 'how far it has come: state, age, votes, groups, hosts')
        .example('$0 baseline export monday.baseline', 'a copy, for another sensor or for replay --baseline')
        .example('$0 baseline import monday.baseline', 'in force from the next start of run on; the old one is kept beside')
        .example('$0 baseline reset', 'learn anew; the old one is kept beside'),
    async (argv) => {
      const words = argv as unknown as BaselineArguments
      await print(`${runBaseline(words, configOf(argv).baseline.folder).join('\n')}\n`)
    },
  )
}

function runBaseline({ action, file, json }: BaselineArguments, folder: string): string[] {
  if (action === undefined) throw new UsageError(`baseline needs one of: ${ACTIONS.join(', ')}`)
  if (json && action !== 'show') throw new UsageError('--json is for baseline show')
  if (action === 'reset' && file !== undefined) throw new UsageError('baseline reset takes no file: it resets the one of the state folder')
  if ((action === 'export' || action === 'import') && file === undefined) throw new UsageError(`baseline ${action} needs a file`)
  if (action === 'show' && file !== undefined) return show(file, json === true)
  if (folder === '') throw new RunError('baseline.folder is empty: no baseline is kept')
  const path = baselinePath(folder)
  const given = file ?? ''
  if (action === 'import') return importFrom(given, path)
  if (!existsSync(path)) throw new RunError(`${path}: no baseline is stored there`)
  if (action === 'show') return show(path, json === true)
  return action === 'export' ? exportTo(path, given) : reset(path)
}

function exportTo(path: string, file: string): string[] {
  const { snapshot, by } = readBaseline(path)
  writeBaseline(file, encodeBaseline(snapshot, by))
  return [`exported to ${printable(file)}: ${stateText(snapshot.header)}`]
}

function importFrom(file: string, path: string): string[] {
  const { snapshot, by } = readBaseline(file)
  const before = existsSync(path) ? keepAside(path, 'before') : null
  writeBaseline(path, encodeBaseline(snapshot, by))
  const kept = before === null ? [] : [`the one before is kept as ${before}`]
  return [`imported to ${path}: ${stateText(snapshot.header)}`, ...kept, 'in force from the next start of flowscribe run on']
}

function reset(path: string): string[] {
  return [`reset: the next start of flowscribe run learns anew; the one before is kept as ${keepAside(path, 'before')}`]
}

function show(path: string, isJson: boolean): string[] {
  const stored = readBaseline(path)
  return isJson ? [JSON.stringify(described(path, stored), null, 2)] : lines(path, stored)
}

function described(path: string, { snapshot, by, bytes }: StoredBaseline): object {
  const { header } = snapshot
  return {
    path,
    bytes,
    version: by,
    format: header.format,
    features: header.features,
    taken: takenText(header.takenSec),
    state: header.state,
    watched_s: Math.round(header.lifeCycle.watchedUs / 1e6),
    commits: header.lifeCycle.commits,
    votes: Math.round(header.votes),
    groups: header.groups,
    hosts: header.hosts,
    pairs: header.pairs,
  }
}

function lines(path: string, { snapshot, by, bytes }: StoredBaseline): string[] {
  const { header } = snapshot
  const rows: readonly (readonly [string, string])[] = [
    ['baseline', printable(path)],
    ['state', stateText(header)],
    ['taken', takenText(header.takenSec)],
    ['commits', String(header.lifeCycle.commits)],
    ['votes', `${num(Math.round(header.votes), 'count').text} (one a host, minute and service)`],
    ['groups', `${header.groups} with flows (protocol, service, direction)`],
    ['hosts', num(header.hosts, 'count').text],
    ['pairs', num(header.pairs, 'count').text],
    ['feature set', `${header.features}, format ${header.format}, written by ${printable(by)}`],
    ['size', num(bytes, 'B').text],
  ]
  return rows.map(([label, text]) => `${label.padEnd(12)}${text}`)
}

function takenText(sec: number): string {
  return `${new Date(Math.floor(sec) * 1000).toISOString().slice(0, 19)}Z`
}

function stateText({ state, lifeCycle }: { state: string; lifeCycle: LifeCycleRecord }): string {
  const watchedSec = lifeCycle.watchedUs / 1e6
  const restSec = 86_400 - watchedSec
  const rest = restSec > 0 ? `, ready in ${num(Math.ceil(restSec), 's').text}` : ''
  return `${state} after ${num(Math.round(watchedSec), 's').text} of traffic${rest}`
}
