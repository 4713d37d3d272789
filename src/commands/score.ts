/**
 * The subcommand `score`: its options, help and examples.
 *
 * In:  its words. Out: an exit code; everything for people on standard error.
 */
import type { Argv, Options } from 'yargs'
import { EXIT, UsageError } from '../base/errors.ts'
import { printable } from '../base/printable.ts'
import { describeFault } from '../capture/record-file.ts'
import { RECORD_FORMAT_NAMES, RECORD_FORMATS, type RecordFormatName } from '../capture/record-format.ts'
import { loadConfig } from '../config.ts'
import { mutesOf } from '../mute-file.ts'
import { type Environment, openProgress, paintFor, SILENT, type Terminal } from '../progress.ts'
import { type ScoreSummary, scoreRecords } from '../score-records.ts'
import { readBaseline } from '../sink/baseline-file.ts'
import { scoreSummaryLines } from '../summary.ts'

export interface ScoreContext {
  stderr: Terminal
  env: Environment
  /** Aborted by the first signal: read no further, write what there is, return as usual. */
  signal: AbortSignal
}

export const SCORE_COMMAND_OPTIONS = {
  from: {
    choices: RECORD_FORMAT_NAMES,
    requiresArg: true,
    describe: `The format, where the content does not tell it: ${RECORD_FORMATS.map(({ name, what }) => `${name}: ${what}`).join('; ')}`,
  },
} as const satisfies Record<string, Options>

interface ScoreArguments {
  file: readonly string[] | undefined
  from: RecordFormatName | undefined
  'log-dir': string
  'report-all': boolean | undefined
  baseline: string | undefined
  mutes: string | undefined
  config: string | undefined
  'home-net': string | undefined
  set: readonly string[] | undefined
  strict: boolean | undefined
  quiet: boolean | undefined
  'exit-code': boolean | undefined
}

export function addScore(
  cli: Argv,
  options: Readonly<Record<string, Options>>,
  context: ScoreContext,
  setCode: (code: number) => void,
): void {
  cli.command(
    'score [file..]',
    'Judge flow records that something else metered: CICFlowMeter, NetFlow names, nfdump, Zeek',
    (y) =>
      y
        .positional('file', {
          type: 'string',
          array: true,
          defaultDescription: 'none',
          describe: 'Files of flow records, plain or compressed, or - for standard input; several are one stretch of time',
        })
        .options(options)
        .example('$0 score conn.log', "Zeek's connections; alerts to flowscribe-out/alerts.jsonl, reports beside it")
        .example('$0 score --report-all flows.csv', 'a report on every flow, also on those that raise no alert')
        .example('nfdump -R /var/cache/nfdump -o csv | $0 score -', 'from standard input; run nfdump with TZ=UTC')
        .example('$0 flows office.pcap | $0 score --home-net 192.0.2.0/24 -', 'meter here, judge there')
        .example('$0 score --from netflow export.json', 'when the header has words of its own'),
    async (argv) => {
      // What yargs gives here is what the tables above say.
      setCode(await score(argv as unknown as ScoreArguments, context))
    },
  )
}

async function score(argv: ScoreArguments, context: ScoreContext): Promise<number> {
  const inputs = argv.file ?? []
  if (inputs.length === 0) throw new UsageError('no flow records given: name a file, or - for standard input')
  if (inputs.filter((input) => input === '-').length > 1) throw new UsageError('standard input (-) can be read only once')
  const config = loadConfig({ path: argv.config, homeNet: argv['home-net'], settings: argv.set })
  const progress = argv.quiet ? SILENT : openProgress(context.stderr, context.env, undefined, 'records')
  const startMs = performance.now()
  try {
    const summary = await scoreRecords({
      inputs,
      config,
      progress,
      signal: context.signal,
      outputDir: argv['log-dir'],
      from: argv.from ?? null,
      isReportingAll: argv['report-all'] === true,
      baseline: argv.baseline === undefined ? null : readBaseline(argv.baseline).snapshot,
      ...mutesOf(argv.mutes, config),
    })
    progress.close()
    const elapsedSec = (performance.now() - startMs) / 1000
    const lines = argv.quiet ? faultLines(summary) : ['', ...scoreSummaryLines(summary, elapsedSec, paintFor(context.stderr, context.env))]
    for (const line of lines) context.stderr.write(`${line}\n`)
    return endCode(summary, argv)
  } finally {
    progress.close()
  }
}

function faultLines({ failures, faults }: ScoreSummary): string[] {
  return [...failures, ...faults.told.map(describeFault)].map((line) => `flowscribe: ${printable(line)}`)
}

function endCode({ failures, faults, alerts }: ScoreSummary, argv: ScoreArguments): number {
  if (failures.length > 0) return EXIT.failed
  if (argv.strict && faults.count > 0) return EXIT.damagedInput
  return argv['exit-code'] && alerts.some((row) => row.count > 0) ? EXIT.alertsFound : EXIT.done
}
