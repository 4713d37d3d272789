/**
 * The subcommands: their options, help and examples, and what each calls.
 *
 * In:  the words after `flowscribe`; streams, environment and a signal that ends reading early.
 * Out: an exit code (base/errors.ts); results on standard output, everything for people on standard error.
 * Not: signals, printing of errors and the process's end, which are main.ts's.
 */
import yargs, { type Argv, type Options } from 'yargs'
import { EXIT, UsageError } from '../base/errors.ts'
import { type Config, loadConfig } from '../config.ts'
import { renderConfig } from '../config-file.ts'
import { nearestKey } from '../config-value.ts'
import { EMPTY_FORMS, type EmptyForm } from '../features/cic.ts'
import {
  FLOW_FORMAT_NAMES,
  FLOW_FORMATS,
  FLOW_PROFILES,
  type FlowFormatName,
  type FlowProfile,
  formatsOf,
  isCompat,
} from '../features/formats.ts'
import type { ServiceEnvironment } from '../live/service-manager.ts'
import { mutesOf } from '../mute-file.ts'
import { type Environment, openProgress, type Paint, type Progress, paintFor, SILENT, type Terminal } from '../progress.ts'
import { meterFlows, type ReadSummary, replay } from '../sensor.ts'
import { readBaseline } from '../sink/baseline-file.ts'
import { faultLines, flowsSummaryLines, replaySummaryLines } from '../summary.ts'
import { VERSION } from '../version.ts'
import { addBaseline, BASELINE_COMMAND_OPTIONS } from './baseline.ts'
import { addDoctor, DOCTOR_OPTIONS } from './doctor.ts'
import { describeFeatures } from './features.ts'
import { addMute, MUTE_OPTIONS } from './mute.ts'
import { reportOfAlert, reportOfFlow, writeReport } from './report.ts'
import { addDevices, addRun, RUN_OPTIONS } from './run.ts'
import { addScore, SCORE_COMMAND_OPTIONS } from './score.ts'
import { verifyFiles } from './verify.ts'

export interface CommandContext {
  /** Results, to standard output. */
  print(text: string): Promise<void>
  stderr: Terminal
  env: Environment & ServiceEnvironment & { SUDO_USER?: string | undefined }
  /** Aborted by the first signal: read no further, write what there is, return as usual. */
  signal: AbortSignal
  /** What `run` does at signals that do not end it. */
  onSignal(name: 'SIGHUP' | 'SIGUSR1', work: () => void): void
}

const HELP_WIDTH_MAX = 110

const CONFIG_OPTIONS = {
  config: { alias: 'c', type: 'string', requiresArg: true, describe: 'Configuration file (YAML); without it, defaults' },
  'home-net': { type: 'string', requiresArg: true, describe: 'Networks that are inside: CIDR,… (networks.internal)' },
  set: { type: 'array', string: true, requiresArg: true, describe: 'One configuration key: section.key=value (repeatable)' },
} as const satisfies Record<string, Options>

const READ_OPTIONS = {
  ...CONFIG_OPTIONS,
  strict: { type: 'boolean', describe: `Exit with ${EXIT.damagedInput} when an input is damaged` },
  quiet: { alias: 'q', type: 'boolean', describe: 'No progress and no summary' },
} as const satisfies Record<string, Options>

const REPLAY_OPTIONS = {
  'log-dir': {
    alias: 'l',
    type: 'string',
    requiresArg: true,
    default: 'flowscribe-out',
    describe: 'Folder for everything that is written',
  },
  ...READ_OPTIONS,
  baseline: {
    type: 'string',
    requiresArg: true,
    describe: 'Judge against this baseline (baseline export); without it, against what is learnt on the way',
  },
  mutes: { type: 'string', requiresArg: true, describe: 'File of rules that keep alerts from notifying (flowscribe mute)' },
  'exit-code': { type: 'boolean', describe: `Exit with ${EXIT.alertsFound} when there are alerts` },
  'report-all': { type: 'boolean', describe: 'A report also on flows that raise no alert (output.plain_reports_max of them)' },
} as const satisfies Record<string, Options>

const SCORE_OPTIONS = { ...SCORE_COMMAND_OPTIONS, ...REPLAY_OPTIONS } as const satisfies Record<string, Options>

const FLOWS_OPTIONS = {
  output: { alias: 'o', type: 'string', requiresArg: true, default: '-', describe: 'Where the flows go: a file, or - for standard output' },
  format: {
    choices: FLOW_FORMAT_NAMES,
    requiresArg: true,
    default: 'cic',
    describe: FLOW_FORMATS.map(({ name, what }) => `${name}: ${what}`).join('; '),
  },
  profile: {
    choices: FLOW_PROFILES,
    requiresArg: true,
    default: 'flowscribe',
    describe: "Whose definitions: ours, or the corrected or the original CICFlowMeter's, bugs included (94 and 84 columns)",
  },
  windows: {
    type: 'boolean',
    describe: 'With --format netflow: join what the two hosts did in the last five minutes (dst_flows_in_window and four more)',
  },
  empty: {
    choices: EMPTY_FORMS.slice(1),
    requiresArg: true,
    describe: 'What stands where a value is undefined, such as the rate of a flow that took no time; without it, nothing',
  },
  ...READ_OPTIONS,
} as const satisfies Record<string, Options>

const REPORT_OPTIONS = {
  alerts: { type: 'string', requiresArg: true, default: 'flowscribe-out/alerts.jsonl', describe: 'The alert log' },
  format: {
    choices: ['md', 'html'],
    requiresArg: true,
    default: 'md',
    describe: 'md: with pictures beside it; html: one page, pictures inside',
  },
  output: { alias: 'o', type: 'string', requiresArg: true, default: '-', describe: 'A file, a folder, or - for standard output' },
  flow: {
    type: 'string',
    requiresArg: true,
    describe: "Instead of an alert: a flow's id, Community ID, 'tcp ADDRESS PORT ADDRESS PORT', or a record's name ('line 12', Zeek's uid)",
  },
  read: {
    alias: 'r',
    type: 'array',
    string: true,
    requiresArg: true,
    describe: 'With --flow: captures, or files of flow records as score reads them, that hold it (repeatable)',
  },
  from: { ...SCORE_COMMAND_OPTIONS.from, describe: 'The format of flow records, where the content does not tell it, as for score' },
  ...CONFIG_OPTIONS,
} as const satisfies Record<string, Options>

const FEATURES_OPTIONS = {
  explain: { type: 'string', requiresArg: true, describe: 'All about one feature' },
} as const satisfies Record<string, Options>

const CHECK_CONFIG_OPTIONS = {
  ...CONFIG_OPTIONS,
  dump: { type: 'boolean', describe: 'Print the configuration that is in force' },
  defaults: { type: 'boolean', describe: 'Print every key with its default, as a file to start from' },
} as const satisfies Record<string, Options>

const GLOBAL_OPTIONS = {
  verbose: { alias: 'v', type: 'boolean', describe: 'Say more, also where an internal error happened' },
} as const satisfies Record<string, Options>

const LIVE_OPTIONS = {
  ...RUN_OPTIONS,
  ...CONFIG_OPTIONS,
  quiet: { alias: 'q', type: 'boolean', describe: 'No summary' },
} as const satisfies Record<string, Options>

const DOCTOR_COMMAND_OPTIONS = { ...DOCTOR_OPTIONS, ...CONFIG_OPTIONS } as const satisfies Record<string, Options>
const BASELINE_OPTIONS = { ...CONFIG_OPTIONS, ...BASELINE_COMMAND_OPTIONS } as const satisfies Record<string, Options>
const MUTE_COMMAND_OPTIONS = { ...MUTE_OPTIONS, ...CONFIG_OPTIONS } as const satisfies Record<string, Options>

const COMMAND_OPTIONS: Readonly<Record<string, Readonly<Record<string, Options>>>> = {
  run: LIVE_OPTIONS,
  replay: REPLAY_OPTIONS,
  score: SCORE_OPTIONS,
  flows: FLOWS_OPTIONS,
  devices: {},
  doctor: DOCTOR_COMMAND_OPTIONS,
  baseline: BASELINE_OPTIONS,
  verify: {},
  report: REPORT_OPTIONS,
  mute: MUTE_COMMAND_OPTIONS,
  features: FEATURES_OPTIONS,
  'check-config': CHECK_CONFIG_OPTIONS,
}

/** @throws UsageError, ConfigError, RunError; anything else is a bug. */
export async function runCommandLine(args: readonly string[], context: CommandContext): Promise<number> {
  refuseUnknownCommand(args[0])
  let code: number = EXIT.done
  const set = (value: number): void => {
    code = value
  }
  const cli = commandLine(context)
  addRun(cli, LIVE_OPTIONS, context)
  addReplay(cli, context, set)
  addScore(cli, SCORE_OPTIONS, context, set)
  addFlows(cli, context, set)
  addDevices(cli, context)
  addDoctor(cli, DOCTOR_COMMAND_OPTIONS, context, set)
  // yargs has checked the words against the table; its types do not say so.
  addBaseline(cli, BASELINE_OPTIONS, context.print, (argv) => configOf(argv as Parameters<typeof configOf>[0]))
  addVerify(cli, context, set)
  addReport(cli, context)
  addMute(cli, MUTE_COMMAND_OPTIONS, (argv) => configOf(argv as unknown as ReadArguments), context)
  addFeatures(cli, context)
  addCheckConfig(cli, context)
  if (args.length === 0) await context.print(`${await cli.getHelp()}\n`)
  else await cli.parseAsync(plainWords(args))
  return code
}

/** yargs would take it for an argument too many. `help` is yargs's own. */
function refuseUnknownCommand(word: string | undefined): void {
  const commands = Object.keys(COMMAND_OPTIONS)
  if (word === undefined || word.startsWith('-') || word === 'help' || commands.includes(word)) return
  throw new UsageError(`unknown command '${word}'${didYouMean(nearestKey(commands, word)) || `; commands: ${commands.join(', ')}`}`)
}

/** Stands for `-` on its way through yargs, which loses that word among positional arguments. */
const DASH = '\u0000-'

/** The words in a form in which yargs understands them as everybody does. */
function plainWords(args: readonly string[]): string[] {
  const end = args.indexOf('--')
  const words = end === -1 ? [...args] : args.slice(0, end)
  // After `--` stand file names, whatever they begin with.
  const files = end === -1 ? [] : args.slice(end + 1).map((word) => (/^-./.test(word) ? `./${word}` : word))
  // It takes -1 for an option.
  const empty = words.indexOf('--empty')
  if (empty !== -1 && words[empty + 1] === '-1') words.splice(empty, 2, '--empty=-1')
  return [...words, ...files].map((word) => (word === '-' ? DASH : word))
}

function restoreDashes(argv: Record<string, unknown>): void {
  const restored = (value: unknown): unknown => (value === DASH ? '-' : value)
  for (const [name, value] of Object.entries(argv)) argv[name] = Array.isArray(value) ? value.map(restored) : restored(value)
}

type SetCode = (code: number) => void

function commandLine(context: CommandContext): Argv {
  return yargs()
    .scriptName('flowscribe')
    .usage('$0 COMMAND …\n\nMeters every conversation in a capture, judges each, and writes alerts that explain themselves.')
    .locale('en')
    .parserConfiguration({
      'boolean-negation': false,
      'camel-case-expansion': false,
      'dot-notation': false,
      'greedy-arrays': false,
      'parse-numbers': false,
      'parse-positional-numbers': false,
    })
    .options(GLOBAL_OPTIONS)
    .version(`flowscribe ${VERSION}`)
    .alias('version', 'V')
    .help()
    .alias('help', 'h')
    .strict()
    .demandCommand(1, 'no command given')
    .exitProcess(false)
    .wrap(Math.min(HELP_WIDTH_MAX, context.stderr.columns ?? HELP_WIDTH_MAX))
    .middleware(restoreDashes)
    .check((argv) => onlyOnce(argv))
    .fail((message, error) => {
      // yargs throws a YError of its own where a value is missing; every other error is ours.
      if (error && error.name !== 'YError') throw error
      throw new UsageError(usageMessage(message ?? error.message))
    })
    .example('$0 replay office.pcap.gz', 'judge a capture; alerts and reports go to flowscribe-out/')
    .example('$0 score conn.log', 'judge flow records that something else metered')
    .example('$0 flows office.pcap.gz -o flows.csv', "CICFlowMeter's job")
    .epilogue(
      `Exit codes: ${EXIT.done} done, ${EXIT.failed} failed, ${EXIT.usage} wrong usage or configuration, ` +
        `${EXIT.alertsFound} alerts found (--exit-code), ${EXIT.damagedInput} damaged input (--strict).`,
    )
}

/** An option that takes one value, given twice, arrives as an array: nobody can know which was meant. */
function onlyOnce(argv: Readonly<Record<string, unknown>>): true {
  for (const [name, value] of Object.entries(argv)) {
    if (Array.isArray(value) && !['_', 'set', 'file', 'report', 'interface', 'i', 'read', 'r'].includes(name))
      throw new UsageError(`option ${dashed(name)} was given more than once`)
  }
  return true
}

function dashed(name: string): string {
  return name.length === 1 ? `-${name}` : `--${name}`
}

/** What yargs says, in our words and with the nearest thing there is. */
function usageMessage(message: string): string {
  const unknown = /^Unknown arguments?: ([^,\n]+)/.exec(message)
  if (unknown) {
    const options = [GLOBAL_OPTIONS, ...Object.values(COMMAND_OPTIONS)].flatMap((table) => Object.keys(table))
    const near = nearestKey(options, unknown[1])
    return `unknown option or argument '${unknown[1]}'${didYouMean(near === null ? null : dashed(near))}`
  }
  const valueless = /^Not enough arguments following: (.+)/.exec(message)
  if (valueless) return `option ${dashed(valueless[1])} needs a value`
  const choice = /Argument: (.+), Given: (.+), Choices: (.+)/.exec(message)
  if (choice) return `option ${dashed(choice[1])}: got ${choice[2]}; allowed: ${choice[3].replaceAll('"', '')}`
  return message.replace(/\s*\n\s*/g, ' ').trim()
}

function didYouMean(near: string | null): string {
  return near === null ? '' : `; did you mean '${near}'?`
}

interface ReadArguments {
  config: string | undefined
  'home-net': string | undefined
  set: readonly string[] | undefined
  strict: boolean | undefined
  quiet: boolean | undefined
  file: readonly string[] | undefined
}

/** What `replay` and `flows` have in common. */
interface Reading {
  inputs: readonly string[]
  config: Config
  isStrict: boolean
  progress: Progress
  signal: AbortSignal
}

function openReading(argv: ReadArguments, context: CommandContext): Reading {
  const inputs = argv.file ?? []
  if (inputs.length === 0) throw new UsageError('no capture given: name a file, a folder, or - for standard input')
  if (inputs.filter((input) => input === '-').length > 1) throw new UsageError('standard input (-) can be read only once')
  return {
    inputs,
    config: configOf(argv),
    isStrict: argv.strict === true,
    progress: argv.quiet ? SILENT : openProgress(context.stderr, context.env),
    signal: context.signal,
  }
}

function configOf(argv: Pick<ReadArguments, 'config' | 'home-net' | 'set'>): Config {
  return loadConfig({ path: argv.config, homeNet: argv['home-net'], settings: argv.set })
}

function endCode(summary: ReadSummary, isStrict: boolean): number {
  if (summary.failures.length > 0) return EXIT.failed
  return isStrict && summary.damage.length > 0 ? EXIT.damagedInput : EXIT.done
}

/** Runs a command that reads captures, and says what came of it unless told to be quiet. */
async function read<S extends ReadSummary>(
  reading: Reading,
  isQuiet: boolean | undefined,
  context: CommandContext,
  work: () => Promise<S>,
  lines: (summary: S, elapsedSec: number, paint: Paint) => string[],
): Promise<S> {
  const startMs = performance.now()
  try {
    const summary = await work()
    reading.progress.close()
    const elapsedSec = (performance.now() - startMs) / 1000
    if (isQuiet) for (const line of faultLines(summary)) context.stderr.write(`${line}\n`)
    else context.stderr.write(`\n${lines(summary, elapsedSec, paintFor(context.stderr, context.env)).join('\n')}\n`)
    return summary
  } finally {
    reading.progress.close()
  }
}

/** What replay and flows read. */
const CAPTURES = {
  type: 'string',
  array: true,
  defaultDescription: 'none',
  describe: 'Capture files, folders of them, or - for standard input',
} as const

function addReplay(cli: Argv, context: CommandContext, set: SetCode): void {
  cli.command(
    'replay [file..]',
    'Judge captures: alerts, reports, summary',
    (y) =>
      y
        .positional('file', CAPTURES)
        .options(REPLAY_OPTIONS)
        .example('$0 replay office.pcap.gz', 'alerts to flowscribe-out/alerts.jsonl, reports beside it')
        .example('$0 replay -l monday --home-net 192.0.2.0/24 monday/*.pcap', 'several files as one stretch of time')
        .example('$0 replay --baseline monday.baseline today.pcap', 'a short capture judged against what a sensor has learnt')
        .example('tcpdump -i eth1 -w - -c 100000 | $0 replay -', 'from standard input')
        .example('$0 replay --report-all lab.pcap', 'a report on every flow, also on those that raise no alert')
        .example('$0 replay --exit-code -q x.pcap || echo look', `for scripts: exit code ${EXIT.alertsFound} when there are alerts`),
    async (argv) => {
      const reading = openReading(argv, context)
      const baseline = argv.baseline === undefined ? null : readBaseline(argv.baseline).snapshot
      const outputs = { outputDir: argv['log-dir'], isReportingAll: argv['report-all'] === true }
      const work = () => replay({ ...reading, ...mutesOf(argv.mutes, reading.config), ...outputs, baseline })
      const summary = await read(reading, argv.quiet, context, work, replaySummaryLines)
      const code = endCode(summary, reading.isStrict)
      const hasAlerts = summary.alerts.some((row) => row.count > 0)
      set(code === EXIT.done && argv['exit-code'] && hasAlerts ? EXIT.alertsFound : code)
    },
  )
}

function addFlows(cli: Argv, context: CommandContext, set: SetCode): void {
  cli.command(
    'flows [file..]',
    "Meter only: flow records in CICFlowMeter's columns, NetFlow's or our own names",
    (y) =>
      y
        .positional('file', CAPTURES)
        .options(FLOWS_OPTIONS)
        .example('$0 flows office.pcap.gz > flows.csv', '84 columns, names as CICFlowMeter writes them')
        .example('$0 flows --empty nan -o flows.csv *.pcap', 'no zeros where nothing was measured')
        .example('$0 flows --format jsonl office.pcap.gz', 'every feature by our own names, with community id and state')
        .example('$0 flows --format netflow --windows x.pcap', 'NetFlow names, with what both hosts did in the five minutes before')
        .example('$0 flows --profile as-published x.pcap', "what published CSV files hold, CICFlowMeter's bugs included")
        .example('$0 flows --format none big.pcap', 'how fast does it go?'),
    async (argv) => {
      const reading = openReading(argv, context)
      const work = () => meterFlows({ ...reading, ...flowsWriting(argv) })
      set(endCode(await read(reading, argv.quiet, context, work, flowsSummaryLines), reading.isStrict))
    },
  )
}

interface WritingArguments {
  output: string
  format: FlowFormatName
  profile: FlowProfile
  empty: EmptyForm | undefined
  windows: boolean | undefined
}

/** How flows are written; the compat profiles write what the tools write and nothing else. */
function flowsWriting(argv: WritingArguments) {
  const { output, profile, format, empty, windows } = argv
  if (!formatsOf(profile).includes(format))
    throw new UsageError(`profile ${profile} has CICFlowMeter's columns only; allowed formats: ${formatsOf(profile).join(', ')}`)
  if (isCompat(profile) && empty !== undefined)
    throw new UsageError(`profile ${profile} writes undefined values as CICFlowMeter does; --empty is for profile flowscribe`)
  if (windows && format !== 'netflow') throw new UsageError('--windows joins columns that only --format netflow has')
  return { output, format, profile, empty: empty ?? ('' as const), hasWindows: windows === true }
}

function addVerify(cli: Argv, context: CommandContext, set: SetCode): void {
  cli.command(
    'verify [alerts] [report..]',
    'Check that every number in reports was measured',
    (y) =>
      y
        .positional('alerts', { type: 'string', describe: 'The alert log, alerts.jsonl' })
        .positional('report', { type: 'string', array: true, defaultDescription: 'none', describe: 'Reports made from it' })
        .example('$0 verify flowscribe-out/alerts.jsonl flowscribe-out/reports/*/*.md', 'every report of a replay'),
    async (argv) => {
      if (argv.alerts === undefined || argv.report === undefined || argv.report.length === 0) {
        throw new UsageError('verify needs an alert log and at least one report')
      }
      const outcome = await verifyFiles(argv.alerts, argv.report)
      await context.print(`${outcome.lines.join('\n')}\n`)
      set(outcome.isVerified ? EXIT.done : EXIT.failed)
    },
  )
}

function addReport(cli: Argv, context: CommandContext): void {
  cli.command(
    'report [alert]',
    'Make a report again from the alert log, or explain one flow',
    (y) =>
      y
        .positional('alert', { type: 'string', describe: "An alert's id, or its beginning" })
        .options(REPORT_OPTIONS)
        .example(
          '$0 report fs-20260823-0123456789',
          'the report on standard output, from the log alone; -o FOLDER writes its pictures, too',
        )
        .example('$0 report fs-20260823 --format html -o report.html', 'one page that needs nothing else')
        .example("$0 report --flow 'tcp 10.0.0.7 51514 10.0.0.9 443' --read office.pcap", 'what was looked at, and why it is no alert')
        .example('$0 report --flow CHhAvVGS1DHFjwGM9 --read conn.log', "the same of a record of Zeek's"),
    async (argv) => {
      const { alert, flow, read: inputs, from = null, format, output } = argv
      const isForFlow = flow !== undefined
      if (isForFlow === (alert !== undefined)) throw new UsageError("report needs an alert's id, or --flow with --read")
      if (isForFlow !== (inputs !== undefined)) throw new UsageError('--flow and --read go together')
      if (!isForFlow && from !== null) throw new UsageError('--from goes with --flow and --read')
      const report = isForFlow
        ? await reportOfFlow(flow, { inputs: inputs ?? [], from, config: configOf(argv), progress: SILENT, signal: context.signal })
        : reportOfAlert(alert ?? '', argv.alerts)
      await context.print(writeReport(report, { format: format === 'html' ? 'html' : 'md', output }))
    },
  )
}

function addFeatures(cli: Argv, context: CommandContext): void {
  cli.command(
    'features',
    'List what a flow is measured by',
    (y) =>
      y
        .options(FEATURES_OPTIONS)
        .example('$0 features', 'every name in each dialect, with unit, definition and what CICFlowMeter makes of it')
        .example("$0 features --explain 'Fwd IAT Mean'", "one of them, under any dialect's name"),
    async (argv) => {
      await context.print(`${describeFeatures(argv.explain).trimEnd()}\n`)
    },
  )
}

function addCheckConfig(cli: Argv, context: CommandContext): void {
  cli.command(
    'check-config [path]',
    'Check a configuration file; all faults at once',
    (y) =>
      y
        .positional('path', { type: 'string', describe: 'The file; without it, what the options say over the defaults' })
        .options(CHECK_CONFIG_OPTIONS)
        .example('$0 check-config /etc/flowscribe/flowscribe.yaml', "'ok', or each fault with its line")
        .example('$0 check-config --defaults > flowscribe.yaml', 'a file to start from')
        .example('$0 check-config --dump flowscribe.yaml', 'what is in force, defaults included'),
    async (argv) => {
      if (argv.path !== undefined && argv.config !== undefined) throw new UsageError('two configuration files given: name one')
      if (argv.defaults) {
        await context.print(renderConfig(loadConfig({})))
        return
      }
      const config = configOf({ ...argv, config: argv.path ?? argv.config })
      await context.print(argv.dump ? renderConfig(config) : 'ok\n')
    },
  )
}
