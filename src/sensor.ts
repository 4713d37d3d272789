/**
 * The stages joined in order.
 *
 *   captures → slabs → meter (decode, flow table) → batches of rows → analyst (context, score) → alert events → sinks
 *
 * In:  captures and a checked configuration. Out: flows, alerts and reports; a summary of the run.
 * Not: the command line, signals and exit codes, which are main.ts's.
 * The invariant: packet time only. The same input and configuration give the same rows, alerts and reports, byte for byte.
 */
import { createHash, randomInt } from 'node:crypto'
import { join } from 'node:path'
import type { MutedCount } from './alert-tally.ts'
import { NetworkSet } from './base/address.ts'
import type { Damage } from './capture/reader.ts'
import type { ReorderCounters } from './capture/reorder.ts'
import { meterCompat } from './compat-flows.ts'
import type { Config } from './config.ts'
import { renderConfig } from './config-file.ts'
import { NOTHING_COUNTED } from './context/capture-history.ts'
import { FlowWindows } from './context/flow-windows.ts'
import { seedTables } from './context/key-hash.ts'
import { DROP_REASONS } from './decode/drop-reason.ts'
import type { EmptyForm } from './features/cic.ts'
import { communityIdOf } from './features/community-id.ts'
import { featureSetId, featureVector } from './features/features.ts'
import { type FlowFormatName, type FlowProfile, flowFormat, isCompat } from './features/formats.ts'
import type { FlowBatch } from './flow/batch.ts'
import type { Flow, RowRef } from './flow/flow.ts'
import type { HealthOptions, Seen } from './flow/health.ts'
import type { Interim } from './flow/interim.ts'
import { tableLimits } from './flow/limits.ts'
import { Meter } from './flow/meter.ts'
import { RowView } from './flow/row-view.ts'
import { judge, judgeInterim, watchLimits } from './judge.ts'
import type { Progress } from './progress.ts'
import { type Interruption, newReading, type Reading, readCaptures } from './reading.ts'
import { ReplayOutput } from './replay-output.ts'
import { ReplaySlices, type SliceCounts } from './replay-slices.ts'
import { Analyst, type AnalystOptions } from './score/analyst.ts'
import type { AlertEvent, Visibility } from './score/evidence.ts'
import type { FlowReader } from './score/kept-flow.ts'
import { type MuteRule, type MuteSubject, type Mutes, NO_MUTES } from './score/mutes.ts'
import type { Snapshot } from './score/surprisal/snapshot.ts'
import { RunDigest } from './sink/digest.ts'
import { FlowFile } from './sink/flow-file.ts'
import { VERSION } from './version.ts'

const US_PER_S = 1e6
/** Name of a sensor that the configuration gives none, in what a replay writes. */
export const SENSOR_NAME = 'flowscribe'
const CONFIG_DIGEST_LEN = 16

/** What `replay` and `flows` have in common. */
interface RunOptions {
  inputs: readonly string[]
  config: Config
  progress: Progress
  signal: AbortSignal
}

export interface ReplayOptions extends RunOptions {
  outputDir: string
  /** What to judge against; null: what is learnt on the way. */
  baseline?: Snapshot | null
  /** Flows without an alert get a report too. */
  isReportingAll?: boolean
  /** The site's rules that keep alerts from notifying. */
  mutes?: Mutes
}

/** What every reading of captures ends with. */
export interface ReadSummary {
  packets: number
  bytes: number
  flows: number
  digestFlows: string
  damage: readonly Damage[]
  /** Packets put in time order, and packets that came too late for it. */
  order: Readonly<ReorderCounters>
  /** Inputs that could not be read at all. */
  failures: string[]
  notDecoded: { reason: string; count: number }[]
  /** What was not seen, or seen twice; null where nobody looks. */
  seen: Seen | null
  /** ARP messages beyond what is judged of a second; a part of `arp` in `notDecoded`. */
  arpNotJudged: number
  /** Where a signal stopped the reading. */
  interruptedAt: Interruption | null
}

export interface ReplaySummary extends ReadSummary {
  /** Gravest first. */
  alerts: { severity: string; count: number }[]
  /** Not among `alerts`. */
  muted: MutedCount
  digestAlerts: string
  /** Folder of the reports; null when none was written. */
  reportsDir: string | null
  alertsPath: string
  /** Reports on flows without an alert; null when none were asked for. */
  plain: { written: number; leftOut: number; path: string } | null
  /** Packets kept beside reports; null when none were asked for. */
  slices: SliceCounts | null
}

/** Captures through the whole pipeline: metered, judged, explained, written. */
export async function replay(options: ReplayOptions): Promise<ReplaySummary> {
  const { config, progress, mutes = NO_MUTES } = options
  const plainMax = options.isReportingAll ? config.output.plain_reports_max : 0
  const digest = new RunDigest()
  const run: { flows: number; analyst: Analyst | null; output: ReplayOutput | null } = { flows: 0, analyst: null, output: null }
  const output = (): ReplayOutput => {
    run.output ??= new ReplayOutput({
      folder: options.outputDir,
      hasReports: config.output.reports,
      plainReportsMax: plainMax,
      hasMutedReports: config.mutes.reports,
      sensorName: SENSOR_NAME,
      digest,
      onClosed: (alert, reportPath) => progress.alert(alertText(alert, reportPath), alert.severity),
    })
    return run.output
  }
  const slices = await ReplaySlices.open(options.inputs, config, join(options.outputDir, 'reports'))
  const tell = (event: AlertEvent): void => {
    const told = slices === null ? event : { ...event, slice: slices.note() }
    const alert = output().write(told, { pcap_filename: reading.path })
    slices?.add(alert)
  }
  /** With packets, as long as there is room for them: an episode that was told of keeps its own. */
  const tellPlain = (event: AlertEvent): void => {
    const kept = slices?.hasRoom === true ? slices : null
    const flow = output().writePlain(kept === null ? event : { ...event, slice: kept.note() }, { pcap_filename: reading.path })
    if (flow !== null) kept?.add(flow)
  }
  const reading = newReading()
  const analystOf = (baseSec: number): Analyst => {
    if (run.analyst !== null) return run.analyst
    for (const rule of mutes.expiredAt(baseSec)) progress.note(expiredText(rule))
    run.analyst = openAnalyst(
      config,
      baseSec,
      () => ({ ...NOTHING_COUNTED, bothHalves: null, inputDamage: reading.damage[0]?.message ?? null, source: 'file' }),
      tell,
      {
        muteOf: (subject: MuteSubject) => mutes.suppressionOf(subject),
        ...(plainMax === 0 ? {} : { onPlainFlow: tellPlain }),
        ...(options.baseline === undefined || options.baseline === null ? {} : { baseline: options.baseline }),
      },
    )
    return run.analyst
  }
  const takeRows = (batch: FlowBatch): void => {
    run.flows += batch.count
    digest.addRows(batch)
    const analyst = analystOf(batch.baseSec)
    analyst.onSeen(meter.seenSoFar())
    judge(batch, analyst)
  }
  const takeInterim = (interim: Interim): void => {
    const analyst = analystOf(interim.baseSec)
    analyst.onSeen(meter.seenSoFar())
    judgeInterim(interim, analyst)
  }
  const interim = { limits: watchLimits(config), onInterim: takeInterim }
  const meter: Meter = new Meter(tableLimits(config.flow, randomHashSeed()), takeRows, interim, healthOptions(config))
  await readCaptures(reading, {
    ...options,
    isReordered: true,
    take: async (slab) => {
      output()
      slices?.take(slab)
      meter.meterSlab(slab)
      await slices?.settle()
      return true
    },
    state: () => stateOf(meter),
  })
  const { alertsPath, reportsPath } = output()
  try {
    meter.finish()
    run.analyst?.onSeen(meter.seenSoFar())
    run.analyst?.finish(meter.table.nowUs)
    const isInOrder = meter.table.counters.clockSteps === 0
    await slices?.finish(isInOrder, options.signal, (done, total) => progress.step(done, total, meter.counters.seen, null))
  } finally {
    output().close()
  }
  const digests = digest.digests()
  return {
    ...readSummary(meter, run.flows, reading, digests.flows),
    alerts: output().tally(),
    muted: output().muted(),
    digestAlerts: digests.alerts,
    reportsDir: output().hasWrittenReports ? reportsPath : null,
    alertsPath,
    plain: plainMax === 0 ? null : { ...output().plain, path: output().plainPath },
    slices: slices?.counts ?? null,
  }
}

export interface FlowsOptions extends RunOptions {
  /** A path, or '-' for standard output. */
  output: string
  /** Whose definitions; the compat profiles write `cic` or `none`. */
  profile: FlowProfile
  format: FlowFormatName
  /** What stands for a value that does not exist for a flow. */
  empty: EmptyForm
  /** Whether the windowed features are joined; only the netflow format has columns for them. */
  hasWindows: boolean
}

export type FlowsSummary = ReadSummary

/** Meters only: CICFlowMeter's job. */
export async function meterFlows(options: FlowsOptions): Promise<FlowsSummary> {
  const { config, format, profile, empty } = options
  if (isCompat(profile)) return { ...(await meterCompat({ ...options, profile })), seen: null }
  const { header, line } = flowFormat(format)
  const windows = new FlowWindows(config.context.hosts_max)
  const context = options.hasWindows ? { empty, windowFeatures: (flow: Flow) => windows.join(flow) } : { empty }
  const digest = new RunDigest()
  const run: { flows: number; file: FlowFile | null } = { flows: 0, file: null }
  const file = (): FlowFile | null => {
    if (format === 'none' || run.file !== null) return run.file
    run.file = options.output === '-' ? FlowFile.toStdout() : FlowFile.toPath(options.output)
    if (header !== null) run.file.add(`${header}\n`)
    return run.file
  }
  const takeRows = (batch: FlowBatch): void => {
    run.flows += batch.count
    if (run.file === null) return
    digest.addRows(batch)
    const row = RowView.of(batch)
    for (let i = 0; i < batch.count; i++) run.file.add(`${line(row.moveTo(batch, i), context)}\n`)
  }
  const meter = new Meter(tableLimits(config.flow, randomHashSeed()), takeRows, null, {
    ...healthOptions(config),
    // As CICFlowMeter does: its rows count every frame.
    isDeduplicated: false,
  })
  const reading = newReading()
  await readCaptures(reading, {
    ...options,
    isReordered: true,
    take: async (slab) => {
      const open = file()
      meter.meterSlab(slab)
      if (open?.isFull) await open.drain()
      return !open?.isClosed
    },
    state: () => stateOf(meter),
  })
  const open = file()
  while (meter.finishSome()) if (open?.isFull) await open.drain()
  await open?.close()
  return readSummary(meter, run.flows, reading, format === 'none' ? '' : digest.digests().flows)
}

/** What not every run wants of its analyst. */
export type AnalystExtras = Pick<
  AnalystOptions,
  'muteOf' | 'onPlainFlow' | 'kindsLeftOut' | 'baseline' | 'onCommit' | 'onLook' | 'onDropped'
>

/** What the features stage knows of a flow, for those who keep flows. */
export function flowReaderOf(baseSec: number): FlowReader & { featureSet: string } {
  const viewOf = (ref: RowRef): RowView => new RowView(ref.cells, ref.words).moveToCell(ref.at, baseSec)
  return {
    featureVector: (ref) => featureVector(viewOf(ref)),
    timeline: (ref) => viewOf(ref).timeline(),
    communityId: communityIdOf,
    featureSet: featureSetId,
  }
}

/** A rule that ended before the first packet: said once, and of no effect. */
export function expiredText({ id, until, owner, reason }: MuteRule): string {
  return `mute rule ${id} of ${owner} (${reason}) ended ${until}: it mutes nothing`
}

export function openAnalyst(
  config: Config,
  baseSec: number,
  visibility: () => Visibility,
  emit: (event: AlertEvent) => void,
  extras: AnalystExtras = {},
): Analyst {
  seedTables(randomHashSeed())
  return new Analyst({
    ...judgingBy(config),
    baseSec,
    visibility,
    ...flowReaderOf(baseSec),
    ...extras,
    emit,
    sensor: { name: SENSOR_NAME, version: VERSION, configDigest: configDigest(config) },
  })
}

/** What of an analyst's options the configuration decides, and a reload changes. */
export function judgingBy(config: Config): Pick<AnalystOptions, 'score' | 'internal' | 'sensor'> {
  return {
    score: config,
    internal: new NetworkSet(config.networks.internal),
    sensor: { name: SENSOR_NAME, version: VERSION, configDigest: configDigest(config) },
  }
}

export function healthOptions({ capture }: Config): HealthOptions {
  const { checksums } = capture
  return { isDeduplicated: capture.deduplicate, checksums: checksums === 'none' || checksums === 'all' ? checksums : 'auto' }
}

/** Equal for two runs that were configured alike; where rules and what was learnt lie, and whom muted alerts reach, changes no judgement. */
function configDigest({ mutes: _, ...config }: Config): string {
  return createHash('sha256')
    .update(renderConfig({ ...config, baseline: { folder: '' } }))
    .digest('hex')
    .slice(0, CONFIG_DIGEST_LEN)
}

/** So that nobody outside can choose addresses that collide; it changes no row and no order. */
export function randomHashSeed(): number {
  return randomInt(2 ** 32) | 0
}

function stateOf(meter: Meter): { packets: number; packetTimeSec: number | null } {
  const { seen } = meter.counters
  return { packets: seen, packetTimeSec: seen === 0 ? null : meter.baseSec + meter.table.nowUs / US_PER_S }
}

function readSummary(meter: Meter, flows: number, reading: Reading, digestFlows: string): ReadSummary {
  const { counters } = meter
  return {
    packets: counters.seen,
    bytes: counters.wireBytes,
    flows,
    digestFlows,
    damage: reading.damage,
    order: reading.order,
    failures: reading.failures,
    notDecoded: DROP_REASONS.map(({ name }, code) => ({ reason: name, count: counters.dropped[code] })),
    seen: meter.seenSoFar(),
    arpNotJudged: counters.arpNotJudged,
    interruptedAt: reading.interruptedAt,
  }
}

/** kind, actor → victim, likelihood, severity: one line for a terminal. */
export function alertText(alert: AlertEvent, reportPath: string | null): string {
  const { addresses, count } = alert.victims
  const more = count > 1 ? ` and ${count - 1} more` : ''
  const victim = addresses.length === 0 ? 'nobody named' : `${addresses[0]}${more}`
  const line = `${alert.kind}  ${alert.actor} → ${victim}  ${Math.round(alert.likelihood * 100)} % likely, ${alert.severity}`
  return reportPath === null ? line : `${line}  ${reportPath}`
}
