/**
 * `flowscribe doctor`: is this mirror port, or this capture, fit to judge from?
 *
 * In:  an interface and how long to look, or capture files. Out: each fault with its numbers and the commands that cure it, for people or
 *      as JSON, on standard output; exit code 0 when it is fit, EXIT.unfit when a fault was found.
 * Not: a run: nothing is judged or written. What cannot be opened at all is a fault, too, and said in the same form.
 */
import { readFileSync } from 'node:fs'
import type { Argv, Options } from 'yargs'
import { parseAddress } from '../base/address.ts'
import { EXIT, RunError, UsageError } from '../base/errors.ts'
import { printable } from '../base/printable.ts'
import { CaptureChain, expandInputs } from '../capture/inputs.ts'
import { RingSource } from '../capture/live-merge.ts'
import { LiveReader } from '../capture/live-reader.ts'
import { type LiveOptions, OpenError } from '../capture/live-source.ts'
import { describeDamage } from '../capture/reader.ts'
import { loadRing, type RingAddon } from '../capture/ring-addon.ts'
import { CAP_LEN_MAX } from '../capture/slab.ts'
import { type Config, loadConfig } from '../config.ts'
import { count, diagnose, type Found, seconds } from '../doctor/faults.ts'
import { type Observation, Observer, type OwnAddresses } from '../doctor/observation.ts'
import { tableLimits } from '../flow/limits.ts'
import { explainFailure } from '../live/failure.ts'

const MS_PER: Readonly<Record<string, number>> = { s: 1000, m: 60_000, min: 60_000, h: 3_600_000 }
const FOR_MS_DEFAULT = 60_000
const SLABS_A_TURN = 16
/** IFF_PROMISC of linux/if.h, as /sys/class/net/IF/flags shows it. */
const IFF_PROMISC = 0x100

export const DOCTOR_OPTIONS = {
  interface: {
    alias: 'i',
    type: 'array',
    string: true,
    requiresArg: true,
    describe: 'Interface to look at (repeatable: the ports of a tap)',
  },
  for: { type: 'string', requiresArg: true, describe: 'How long to look at it: 30s, 5m (60s)' },
  json: { type: 'boolean', describe: 'For scripts: one JSON object' },
} as const satisfies Record<string, Options>

export interface DoctorContext {
  print(text: string): Promise<void>
  stderr: { write(text: string): unknown }
  /** Aborted by the first SIGINT or SIGTERM: look no longer, say what was found. */
  signal: AbortSignal
}

interface DoctorArguments {
  config: string | undefined
  'home-net': string | undefined
  set: readonly string[] | undefined
  interface: readonly string[] | undefined
  for: string | undefined
  json: boolean | undefined
  file: readonly string[] | undefined
}

interface Diagnosis {
  of: string
  observation: Observation | null
  found: Found[]
}

export function addDoctor(
  cli: Argv,
  options: Readonly<Record<string, Options>>,
  context: DoctorContext,
  set: (code: number) => void,
): void {
  cli.command(
    'doctor [file..]',
    'Is this mirror port, or this capture, fit to judge from?',
    (y) =>
      y
        .positional('file', { type: 'string', array: true, defaultDescription: 'none', describe: 'Capture files, folders of them, or -' })
        .options(options)
        .example('$0 doctor -i eth1 --for 60s', 'each fault with its numbers and the command that cures it')
        .example('$0 doctor monday.pcap.gz', 'the same of a recording')
        .example('$0 doctor -i eth1 --json || echo look', `for scripts: exit code ${EXIT.unfit} when it is not fit`),
    // yargs has checked them against the table; its types do not say so.
    async (argv) => set(await doctor(argv as unknown as DoctorArguments, context)),
  )
}

async function doctor(argv: DoctorArguments, context: DoctorContext): Promise<number> {
  const devices = argv.interface ?? []
  const files = argv.file ?? []
  if ((devices.length === 0) === (files.length === 0)) throw new UsageError('name an interface (-i IF) or capture files, one of the two')
  if (files.length > 0 && argv.for !== undefined) throw new UsageError('--for is for interfaces: a file is read to its end')
  if (new Set(devices).size < devices.length) throw new UsageError('an interface is named twice')
  const config = loadConfig({ path: argv.config, homeNet: argv['home-net'], settings: argv.set })
  const diagnosis =
    files.length > 0 ? await examineFiles(files, config, context) : await examineLine(devices, durationMs(argv.for), config, context)
  const isFit = diagnosis.found.every(({ severity }) => severity !== 'fault')
  await context.print(argv.json === true ? jsonOf(diagnosis, isFit) : textOf(diagnosis, isFit))
  return isFit ? EXIT.done : EXIT.unfit
}

function durationMs(text: string | undefined): number {
  if (text === undefined) return FOR_MS_DEFAULT
  const match = /^(\d+(?:\.\d+)?)(s|m|min|h)?$/.exec(text)
  const ms = match === null ? 0 : Number(match[1]) * MS_PER[match[2] ?? 's']
  if (ms >= 1000 && ms <= 24 * MS_PER.h) return ms
  throw new UsageError(`option --for: got '${printable(text)}'; allowed: a time from 1s to 24h, such as 90s or 5m`)
}

/** @throws RunError when no file could be read. */
async function examineFiles(files: readonly string[], config: Config, { signal }: DoctorContext): Promise<Diagnosis> {
  const chain = new CaptureChain(await expandInputs(files))
  const observer = new Observer(tableLimits(config.flow), null)
  let path = ''
  try {
    for (let turn = 1; !signal.aborted; turn++) {
      const slab = await chain.next()
      if (slab === null) break
      if (chain.currentPath !== path) observer.startFile()
      path = chain.currentPath
      observer.take(slab)
      if (turn % SLABS_A_TURN === 0) await turnOfEvents()
    }
  } finally {
    await chain.close()
  }
  if (chain.failures.length > 0) throw new RunError(chain.failures.map(({ message }) => message).join('\n'))
  const observation = observer.finish()
  const damage = chain.damages.map(describeDamage)
  return {
    of: files.join(', '),
    observation,
    found: diagnose({ observation, device: 'IF', isLive: false, isPromiscuous: null, damage }),
  }
}

async function examineLine(devices: readonly string[], forMs: number, config: Config, context: DoctorContext): Promise<Diagnosis> {
  const of = devices.join(', ')
  const interfaces = devices.map((device, interfaceId) => liveOptions(device, interfaceId, config))
  const ring = loadRing()
  if (ring === null) return { of, observation: null, found: [unopened('ENORING', '', '', interfaces)] }
  let source: RingSource
  try {
    source = new RingSource(ring, interfaces)
  } catch (error) {
    if (!(error instanceof OpenError)) throw error
    return { of, observation: null, found: [unopened(error.code, error.device, error.message, interfaces)] }
  }
  context.stderr.write(`flowscribe: looking at ${of} for ${seconds(forMs / 1000)}\n`)
  const observer = new Observer(tableLimits(config.flow), ownAddresses(ring, devices))
  const untilMs = performance.now() + forMs
  const reader = new LiveReader({
    source,
    recording: null,
    packetsMax: Infinity,
    goesOn: () => performance.now() < untilMs && !context.signal.aborted,
  })
  const isPromiscuous = config.capture.promiscuous || devices.every(isPromiscuousNow)
  try {
    for (let slab = await reader.next(); slab !== null; slab = await reader.next()) {
      observer.take(slab)
      await turnOfEvents()
    }
  } finally {
    reader.close()
  }
  const observation = observer.finish()
  const lost = source.interfaces.filter(({ state }) => state !== 'up').map(({ device, state, fault }) => gone(device, state, fault))
  return { of, observation, found: [...lost, ...diagnose({ observation, device: devices[0], isLive: true, isPromiscuous, damage: [] })] }
}

function turnOfEvents(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

function liveOptions(device: string, interfaceId: number, { capture }: Config): LiveOptions {
  const snapLen = capture.snap_length_B === 0 ? CAP_LEN_MAX : capture.snap_length_B
  const bufferBytes = Math.min(capture.buffer_KiB * 1024, 2 ** 30)
  return { device, interfaceId, filter: capture.filter, snapLen, bufferBytes, isPromiscuous: capture.promiscuous, fanoutGroup: -1 }
}

function ownAddresses(ring: RingAddon, devices: readonly string[]): OwnAddresses {
  const texts = ring.devices().flatMap(({ name, addresses }) => (devices.includes(name) ? addresses : []))
  return texts.flatMap((text) => {
    const address = parseAddress(text.replace(/[%/].*$/, ''))
    return address === null ? [] : [address]
  })
}

function isPromiscuousNow(device: string): boolean {
  try {
    return (Number(readFileSync(`/sys/class/net/${device}/flags`, 'utf8')) & IFF_PROMISC) !== 0
  } catch {
    // Not Linux: what was asked of the driver holds.
    return false
  }
}

const UNOPENED: Readonly<Record<string, { id: string; what: string }>> = {
  ENORING: { id: 'no-capture-addon', what: 'live capture is not built here, or libpcap is missing' },
  EPERM: { id: 'no-privileges', what: 'this user may not capture' },
  ENODEV: { id: 'no-such-interface', what: 'there is no such interface' },
  ENETDOWN: { id: 'interface-down', what: 'the interface is down' },
}

/** What keeps the port from being opened, with the remedy that `run` gives. */
function unopened(code: string, device: string, message: string, interfaces: readonly LiveOptions[]): Found {
  const { id, what } = UNOPENED[code] ?? { id: 'cannot-capture', what: message }
  const remedy = explainFailure({ kind: 'failed', device, code, message }, { interfaces, driver: 'ring' })
  return { id, severity: 'fault', text: device === '' ? what : `${device}: ${what}`, measured: {}, cures: [remedy] }
}

function gone(device: string, state: string, fault: string): Found {
  const isDown = state === 'down'
  return {
    id: state === 'no carrier' ? 'no-link' : isDown ? 'interface-down' : 'interface-gone',
    severity: 'fault',
    text: `${device} is ${state}${fault === '' ? '' : `: ${fault}`}`,
    measured: {},
    cures: [isDown ? `sudo ip link set ${device} up` : `ip link show ${device}   # cable, transceiver, switch port`],
  }
}

function textOf({ of, observation, found }: Diagnosis, isFit: boolean): string {
  const lines = [`${printable(of)}: ${isFit ? 'fit to judge from' : 'NOT fit to judge from'}`]
  if (observation !== null) {
    const { frames, seconds: span, bothDirections, oneDirection, seen } = observation
    lines.push(
      `looked at ${count(frames)} frames over ${seconds(span)}; ${count(bothDirections + oneDirection)} TCP connections with data, ${count(bothDirections)} of them in both directions; ${count(seen.acks)} acknowledgements, ${count(seen.ackGaps)} of data not seen`,
    )
  }
  for (const { id, severity, text, cures } of found) {
    lines.push(
      '',
      `${severity}  ${id}: ${printable(text)}`,
      ...cures.map((cure) => `       ${severity === 'fault' ? 'cure' : 'hint'}: ${printable(cure)}`),
    )
  }
  return `${lines.join('\n')}\n`
}

function jsonOf({ of, observation, found }: Diagnosis, isFit: boolean): string {
  return `${JSON.stringify({ of, isFit, found, observation }, null, 2)}\n`
}
