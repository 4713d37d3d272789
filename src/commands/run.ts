/**
 * The subcommands of live capture: `run` and `devices`.
 *
 * In:  their words. Out: an exit code; log lines (pino, JSON) and the closing summary on standard error.
 */
import { readFileSync } from 'node:fs'
import pino from 'pino'
import type { Argv, Options } from 'yargs'
import { RunError, UsageError } from '../base/errors.ts'
import { printable } from '../base/printable.ts'
import type { LiveOptions } from '../capture/live-source.ts'
import { CAPTURE_OPTIONS } from '../capture/options.ts'
import { type Device, loadRing } from '../capture/ring-addon.ts'
import { CAP_LEN_MAX } from '../capture/slab.ts'
import { type Config, loadConfig } from '../config.ts'
import { explainFailure } from '../live/failure.ts'
import { runLive } from '../live/live.ts'
import { type ServiceEnvironment, ServiceManager } from '../live/service-manager.ts'
import { liveSummaryLines } from '../summary.ts'

export interface LiveContext {
  print(text: string): Promise<void>
  stderr: { write(text: string): unknown }
  /** Aborted by the first SIGINT or SIGTERM. */
  signal: AbortSignal
  onSignal(name: 'SIGHUP' | 'SIGUSR1', work: () => void): void
  env: ServiceEnvironment
}

export const RUN_OPTIONS = {
  interface: { alias: 'i', type: 'array', string: true, requiresArg: true, describe: 'Interface to capture on (repeatable)' },
  filter: { alias: 'f', type: 'string', requiresArg: true, describe: 'BPF expression, as of tcpdump (capture.filter)' },
  'filter-file': { alias: 'F', type: 'string', requiresArg: true, describe: 'File that holds the BPF expression' },
  snaplen: { alias: 's', type: 'string', requiresArg: true, describe: 'Octets kept of a frame; 0 keeps all (capture.snap_length_B)' },
  'buffer-size': { alias: 'B', type: 'string', requiresArg: true, describe: 'Buffer of each interface in KiB (capture.buffer_KiB)' },
  driver: { choices: ['ring', 'cap'], requiresArg: true, describe: 'ring is our own; cap is portable and slow (capture.driver)' },
  queues: {
    type: 'string',
    requiresArg: true,
    describe: 'Threads that share the packets of each interface, by flow; not for fragments and VXLAN (capture.queues)',
  },
  'log-dir': { alias: 'l', type: 'string', requiresArg: true, describe: 'Folder for everything that is written (output.folder)' },
  write: { alias: 'w', type: 'string', requiresArg: true, describe: 'Record what is seen to this pcapng file, for replay' },
  count: { type: 'string', requiresArg: true, describe: 'Stop after so many packets' },
} as const satisfies Record<string, Options>

const QUEUES_MAX = CAPTURE_OPTIONS.queues.max

interface RunArguments {
  config: string | undefined
  'home-net': string | undefined
  set: readonly string[] | undefined
  interface: readonly string[] | undefined
  filter: string | undefined
  'filter-file': string | undefined
  snaplen: string | undefined
  'buffer-size': string | undefined
  driver: string | undefined
  queues: string | undefined
  'log-dir': string | undefined
  write: string | undefined
  count: string | undefined
  quiet: boolean | undefined
}

export function addRun(cli: Argv, options: Readonly<Record<string, Options>>, context: LiveContext): void {
  cli.command(
    'run',
    'Judge live traffic until SIGTERM',
    (y) =>
      y
        .options(options)
        .example('$0 run -i eth1', 'alerts and reports under output.folder')
        .example("$0 run -i eth1 -i eth2 -f 'not port 22' -l /srv/sensor", 'the two ports of a tap, as one line')
        .example('$0 run -i eth1 --queues 2', 'two threads for a line that is too fast for one')
        .example('$0 run -i eth1 -w seen.pcapng; $0 replay seen.pcapng', 'the same flows and alerts again: equal digests'),
    // yargs has checked them against the table; its types do not say so.
    (argv) => run(argv as unknown as RunArguments, context),
  )
}

async function run(argv: RunArguments, context: LiveContext): Promise<void> {
  const load = (): Config => loadConfig({ path: argv.config, homeNet: argv['home-net'], settings: argv.set })
  const config = load()
  const driver = argv.driver === 'cap' || argv.driver === 'ring' ? argv.driver : config.capture.driver === 'cap' ? 'cap' : 'ring'
  const interfaces = interfacesOf(argv, config)
  if (driver === 'cap' && interfaces.length > 1) throw new UsageError('--driver cap takes one interface')
  const queues = argv.queues === undefined ? config.capture.queues : wholeNumber(argv.queues, '--queues', 1, QUEUES_MAX)
  if (driver === 'cap' && queues > 1) throw new UsageError('--driver cap has one queue: --queues is of the driver ring')
  if (argv.count !== undefined && queues > 1)
    throw new UsageError('--count needs --queues 1: of several queues, none knows which packet is the last')
  const log = pino({ name: 'flowscribe', level: config.log.level }, pino.destination({ fd: 2, sync: true }))
  if (driver === 'cap') log.warn('driver cap: times are of arrival, lost packets are not counted')
  const summary = await runLive({
    driver,
    interfaces,
    queues,
    outputDir: argv['log-dir'] ?? config.output.folder,
    config,
    reload: () => {
      const fresh = load()
      // As at start: what the command line says comes before the file.
      return { config: fresh, filter: filterOf(argv, fresh) }
    },
    packetsMax: argv.count === undefined ? 0 : wholeNumber(argv.count, '--count', 1, Number.MAX_SAFE_INTEGER),
    recordPath: argv.write ?? null,
    log,
    manager: new ServiceManager({ env: context.env, pid: process.pid, addon: loadRing() }),
    signal: context.signal,
    onSignal: context.onSignal,
  })
  if (argv.quiet !== true) context.stderr.write(`${liveSummaryLines(summary).join('\n')}\n`)
  if (summary.alertLinesLost > 0) {
    throw new RunError(`${summary.alertLinesLost} alert lines were not written to ${summary.alertsPath} before the end`)
  }
}

function interfacesOf(argv: RunArguments, config: Config): LiveOptions[] {
  const devices = argv.interface ?? []
  if (devices.length === 0) throw new UsageError('no interface given: -i IF; flowscribe devices lists them')
  if (new Set(devices).size < devices.length) throw new UsageError('an interface is named twice')
  if (argv.filter !== undefined && argv['filter-file'] !== undefined) throw new UsageError('-f and -F are both given: name one')
  const { capture } = config
  const snapLen = argv.snaplen === undefined ? capture.snap_length_B : wholeNumber(argv.snaplen, '-s', 0, CAP_LEN_MAX)
  const bufferKiB = argv['buffer-size'] === undefined ? capture.buffer_KiB : wholeNumber(argv['buffer-size'], '-B', 64, 1_048_576)
  const filter = filterOf(argv, config)
  return devices.map((device, interfaceId) => ({
    device,
    interfaceId,
    filter,
    snapLen: snapLen === 0 ? CAP_LEN_MAX : snapLen,
    bufferBytes: Math.min(bufferKiB * 1024, 2 ** 30),
    isPromiscuous: capture.promiscuous,
    fanoutGroup: -1,
  }))
}

function filterOf(argv: RunArguments, { capture }: Config): string {
  return argv['filter-file'] === undefined ? (argv.filter ?? capture.filter) : readFilter(argv['filter-file'])
}

function wholeNumber(text: string, name: string, min: number, max: number): number {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN
  if (value >= min && value <= max) return value
  throw new UsageError(`option ${name}: got '${printable(text)}'; allowed: a whole number from ${min} to ${max}`)
}

/** One expression, over as many lines as wanted; `#` begins a comment. */
function readFilter(path: string): string {
  try {
    return readFileSync(path, 'utf8').replace(/#.*$/gm, '').replace(/\s+/g, ' ').trim()
  } catch (error) {
    throw new RunError(`${path}: cannot be read (${(error as NodeJS.ErrnoException).code ?? String(error)})`)
  }
}

export function addDevices(cli: Argv, context: LiveContext): void {
  cli.command(
    'devices',
    'List interfaces with addresses and link state',
    (y) => y.example('$0 devices', 'what -i takes'),
    async () => {
      const ring = loadRing()
      if (ring === null) {
        const failure = { kind: 'failed', device: '', code: 'ENORING', message: '' } as const
        throw new RunError(explainFailure(failure, { interfaces: [], driver: 'ring' }))
      }
      await context.print(`${deviceLines(ring.devices()).join('\n')}\n`)
    },
  )
}

function deviceLines(devices: readonly Device[]): string[] {
  const rows = devices.map((device) => [device.name, stateOf(device), device.addresses.join(' '), device.description])
  const width = (column: number): number => Math.max(...rows.map((row) => row[column].length))
  return rows.map((row) =>
    row
      .map((cell, column) => (column === 3 ? cell : cell.padEnd(width(column))))
      .join('  ')
      .trimEnd(),
  )
}

function stateOf({ isUp, isRunning, connection }: Device): string {
  if (!isUp) return 'down'
  if (!isRunning || connection === 'disconnected') return 'up, no link'
  return 'up'
}
