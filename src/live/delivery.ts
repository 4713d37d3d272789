/**
 * Where the alerts of a live run go: alerts.jsonl, reports/, a syslog server; each behind a bounded queue.
 *
 *   alert event → line ─▶ queue ─▶ writing thread: alerts.jsonl, flushed ─▶ queue ─▶ writing thread: report
 *                      ├▶ queue ─▶ slicing thread: packets
 *                      └▶ queue ─▶ syslog
 *
 * In:  alert events, the configuration. Out: files and messages; one log line at each change of a sink's state; counters.
 * Not: waiting. A disk that is full, slow or broken, and a server that is away, cost no packet and no judgement: what does not fit into
 *      a queue is lost, counted and said.
 * The invariant: a report is only ever of an alert that is in the log.
 */
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from 'pino'
import { AlertTally, type MutedCount } from '../alert-tally.ts'
import { JoinedMemory, type MemoryBlock, type Remembered } from '../capture/packet-memory.ts'
import type { Config } from '../config.ts'
import { type AlertLine, makeAlertLine } from '../explain/alert-line.ts'
import { reportPlace } from '../explain/report.ts'
import type { AlertEvent } from '../score/evidence.ts'
import { alertText } from '../sensor.ts'
import { DeliveryQueue, type QueueChange, Undeliverable } from '../sink/delivery-queue.ts'
import type { RunDigest } from '../sink/digest.ts'
import type { ReportLimits } from '../sink/report-bounds.ts'
import { type SliceWants, sliceWantsOf } from '../sink/slice.ts'
import { SyslogSink } from '../sink/syslog-sink.ts'
import { sliceBoundsOf, sliceNote } from '../slices.ts'
import { AskedThread } from './asked-thread.ts'
import type { SlicingFacts, SlicingOptions, SlicingRequest } from './slicing.ts'
import type { WritingFacts, WritingOptions, WritingRequest } from './writing.ts'

const MB = 1e6
const MS_PER_DAY = 86_400_000
const LINES_MAX = 100_000
/** One flush to the disk is worth so many lines; a crash costs no more than these. */
const BATCH_LINES_MAX = 256
const BATCH_BYTES_MAX = 1e6
/** A line with all its evidence is tens of kilobytes: a flush for each megabyte would be one for two dozen alerts. */
const ALERT_BATCH_BYTES_MAX = 8e6
/** While alerts wait, a report lets them go first, looking so often whether they are through. */
const REPORT_WAIT_MS = 20
/** One pass over the memory finds the packets of so many alerts. */
const SLICES_A_PASS = 64
/** One pass writes a batch in some tens of milliseconds. */
const ROOM_WAIT_MS = 5
/** Of what may wait, from where on lines travel alone. */
const BEYOND_SHARE_MAX = 0.5
const TIDY_EVERY_MS = 60_000
/** When there is no end to be met, as when the run fails. */
const END_MS = 9000
/** Of the time until the end: kept for what comes after the alerts, after the reports, and for files that never were opened. */
const AFTER_ALERTS_MS = 1000
const AFTER_REPORTS_MS = 500
const LAST_FILES_MS = 1500

export type DeliveryConfig = Pick<Config, 'output' | 'syslog' | 'mutes' | 'flow'>

export interface DeliveryOptions {
  folder: string
  config: DeliveryConfig
  sensorName: string
  inIface: string
  digest: RunDigest
  log: Logger
  /** What the meters remember of packets; empty, or absent, where none are kept. */
  memory?: readonly MemoryBlock[]
  /** The folder in which the threads' programs lie, when not beside this one: for tests. */
  programs?: URL
}

/** What one sink has to say for itself. */
export interface SinkFacts {
  sink: string
  length: number
  delivered: number
  dropped: number
  errors: number
  isAway: boolean
}

/** An alert line, whether a report follows it, and what the line had no room for. */
interface QueuedLine extends QueuedReport {
  isReported: boolean
}

interface QueuedReport {
  /** Of the alert. */
  id: string
  text: string
  beyond: string | undefined
}

export class LiveDelivery {
  readonly alertsPath: string
  readonly #reportsPath: string
  readonly #options: DeliveryOptions
  readonly #log: Logger
  readonly #thread: AskedThread<WritingRequest, WritingFacts>
  /** null where no packets are kept. */
  readonly #slicer: AskedThread<SlicingRequest, SlicingFacts> | null
  readonly #alerts: DeliveryQueue<QueuedLine>
  readonly #reports: DeliveryQueue<QueuedReport>
  readonly #slices: DeliveryQueue<SliceWants>
  /** Reports that wait, by alert: a later word on an episode makes an earlier one's report needless. */
  readonly #reportsWaiting = new Map<string, QueuedReport>()
  readonly #memory: Remembered | null
  readonly #syslog: SyslogSink
  readonly #tally = new AlertTally()
  /** Alerts by kind and severity, as they were when first told; events by name. */
  readonly #opened = new Map<string, { kind: string; severity: string; count: number }>()
  /** Muted when first told, by rule. */
  readonly #suppressed = new Map<string, number>()
  readonly #events = { open: 0, update: 0, close: 0 }
  #hasReports: boolean
  #isClosing = false
  #config: DeliveryConfig
  #files: WritingFacts | null = null
  #sliced: SlicingFacts | null = null
  #tidying: NodeJS.Timeout | null = null

  /** @throws RunError when the folder cannot be written. */
  static async open(options: DeliveryOptions): Promise<LiveDelivery> {
    const delivery = new LiveDelivery(options)
    await delivery.#open()
    return delivery
  }

  private constructor(options: DeliveryOptions) {
    const { folder, config, log } = options
    this.#options = options
    this.#log = log
    this.#config = config
    this.#hasReports = config.output.reports
    this.alertsPath = join(folder, 'alerts.jsonl')
    this.#reportsPath = join(folder, 'reports')
    const bytesOf = ({ text, beyond = '' }: QueuedReport): number => Buffer.byteLength(text) + 1 + Buffer.byteLength(beyond)
    const queue = { bytesMax: config.output.queue_MB * MB, itemsMax: LINES_MAX }
    const { memory = [] } = options
    this.#memory = memory.length === 0 ? null : new JoinedMemory(memory)
    const programs = options.programs ?? new URL('./', import.meta.url)
    const writing: WritingOptions = { folder, limits: limitsOf(config) }
    this.#thread = new AskedThread('writing', new URL('writing-worker.js', programs), writing)
    const isVlanInKey = config.flow.vlan_in_key
    const slicing: SlicingOptions | null = memory.length === 0 ? null : { folder: this.#reportsPath, memory, isVlanInKey }
    this.#slicer = slicing === null ? null : new AskedThread('slicing', new URL('slicing-worker.js', programs), slicing)
    this.#alerts = new DeliveryQueue<QueuedLine>({
      ...queue,
      bytesOf,
      name: 'alerts',
      batchItemsMax: BATCH_LINES_MAX,
      batchBytesMax: ALERT_BATCH_BYTES_MAX,
      deliver: (lines) => this.#writeAlerts(lines),
      onState: (change) => this.#say('alerts', change),
    })
    this.#reports = new DeliveryQueue<QueuedReport>({
      ...queue,
      bytesOf,
      name: 'reports',
      batchItemsMax: 1,
      batchBytesMax: BATCH_BYTES_MAX,
      deliver: ([report]) => this.#writeReport(report),
      onState: (change) => this.#say('reports', change),
    })
    this.#slices = new DeliveryQueue({
      ...queue,
      name: 'slices',
      batchItemsMax: SLICES_A_PASS,
      batchBytesMax: SLICES_A_PASS * BATCH_BYTES_MAX,
      bytesOf: wantsBytes,
      deliver: (wants) => this.#cutSlices(wants),
      onState: (change) => this.#say('slices', change),
    })
    this.#syslog = new SyslogSink(config.syslog, (change) => this.#say('syslog', change))
  }

  async #open(): Promise<void> {
    try {
      this.#files = await this.#thread.ask({ kind: 'open' })
    } catch (error) {
      await Promise.all([this.#thread.end(LAST_FILES_MS), this.#slicer?.end(LAST_FILES_MS)])
      throw error
    }
    const { repairedBytes } = this.#files
    if (repairedBytes > 0) this.#log.warn({ bytes: repairedBytes }, 'a torn last line was cut off alerts.jsonl')
    this.#tidying = setInterval(() => this.#keepFacts(this.#thread.ask({ kind: 'tidy' })), TIDY_EVERY_MS)
    this.#tidying.unref()
  }

  /**
   * Resolves when less than half of what may wait for the alert log does, when the log does not get on, or at `untilMs` (performance.now()):
   * for those who have many alerts to tell at once, as when a run ends.
   */
  async room(untilMs: number): Promise<void> {
    const halfFull = (this.#config.output.queue_MB * MB) / 2
    await new Promise((resolve) => setImmediate(resolve))
    while (this.#alerts.bytes > halfFull && !this.#alerts.isAway && performance.now() < untilMs)
      await new Promise((resolve) => setTimeout(resolve, ROOM_WAIT_MS))
  }

  /** Queues an alert event for every sink. Never waits and never throws. */
  write(event: AlertEvent): void {
    const { sensorName, inIface, digest } = this.#options
    const isMuted = event.suppressed !== undefined
    const { reports, forward } = this.#config.mutes
    const isReported = !isMuted || reports
    // A slice belongs to a report.
    const memory = this.#hasReports && isReported ? this.#memory : null
    const told = memory === null ? event : { ...event, slice: sliceNote(sliceBoundsOf(this.#config), memory) }
    const line = makeAlertLine(told, { timestamp: event.episode.last, in_iface: inIface, host: sensorName })
    digest.addAlertLine(line.text)
    this.#tally.note(event)
    this.#count(event)
    this.#alerts.add({
      id: event.id,
      text: line.text,
      beyond: isReported && this.#hasReports ? this.#fitting(line.beyond) : undefined,
      isReported,
    })
    // Not after the log: the disk may be slow, and memory is short.
    const wants = memory === null ? null : sliceWantsOf(line.alert)
    if (wants !== null) this.#slices.add(wants)
    if (!isMuted || forward) this.#syslog.add(line)
    if (event.event === 'close' && !isMuted) this.#sayClosed(line)
  }

  /** Pictures' rest shall cost no alert its place: beyond half of what may wait, it is left behind. */
  #fitting(beyond: string | undefined): string | undefined {
    if (beyond === undefined) return undefined
    const waiting = this.#alerts.bytes + this.#reports.bytes + Buffer.byteLength(beyond)
    return waiting <= BEYOND_SHARE_MAX * this.#config.output.queue_MB * MB ? beyond : undefined
  }

  #count({ event, kind, severity, suppressed }: AlertEvent): void {
    this.#events[event]++
    if (event !== 'open') return
    if (suppressed !== undefined) {
      this.#suppressed.set(suppressed.rule, (this.#suppressed.get(suppressed.rule) ?? 0) + 1)
      return
    }
    const key = `${kind} ${severity}`
    const row = this.#opened.get(key) ?? { kind, severity, count: 0 }
    row.count++
    this.#opened.set(key, row)
  }

  #sayClosed({ alert }: AlertLine): void {
    const { day, stem } = reportPlace(alert)
    const report = this.#hasReports ? join(this.#reportsPath, day, `${stem}.md`) : null
    this.#log.info({ id: alert.id, severity: alert.severity, report }, alertText(alert, null))
  }

  async #writeAlerts(lines: readonly QueuedLine[]): Promise<void> {
    this.#files = await this.#thread.ask({ kind: 'alerts', lines: lines.map(({ text }) => text) })
    if (this.#hasReports) for (const { id, text, beyond, isReported } of lines) if (isReported) this.#addReport({ id, text, beyond })
  }

  /** In the place of an earlier word's, so that none waits for ever behind its next. */
  #addReport(report: QueuedReport): void {
    const earlier = this.#reportsWaiting.get(report.id)
    const isTaken = (earlier !== undefined && this.#reports.replace(earlier, report)) || this.#reports.add(report)
    if (isTaken) this.#reportsWaiting.set(report.id, report)
  }

  async #writeReport(report: QueuedReport): Promise<void> {
    const { id, text, beyond } = report
    // One thread writes both. An alert log that is away holds up no report of what is in it.
    while (this.#alerts.length > (this.#isClosing ? 0 : BATCH_LINES_MAX) && !this.#alerts.isAway) await sleep(REPORT_WAIT_MS)
    const settle = (): void => {
      if (this.#reportsWaiting.get(id) === report) this.#reportsWaiting.delete(id)
    }
    try {
      this.#files = await this.#thread.ask({ kind: 'report', line: text, ...(beyond === undefined ? {} : { beyond }) })
      settle()
    } catch (error) {
      // What is refused stays in the queue.
      if (error instanceof Undeliverable) settle()
      throw error
    }
  }

  async #cutSlices(wants: readonly SliceWants[]): Promise<void> {
    if (this.#slicer === null) return
    this.#sliced = await this.#slicer.ask({ kind: 'slices', wants, bounds: sliceBoundsOf(this.#config) })
    const { places } = this.#sliced
    if (places.length > 0) this.#keepFacts(this.#thread.ask({ kind: 'sliced', places }))
  }

  #keepFacts(asked: Promise<WritingFacts>): void {
    asked.then(
      (files) => {
        this.#files = files
      },
      // The next line to be written says what is wrong.
      () => {},
    )
  }

  #say(sink: string, change: QueueChange): void {
    const name = sink === 'syslog' ? `syslog server ${this.#config.syslog.target}` : sink === 'alerts' ? 'alert log' : sink
    const { state, ...fields } = change
    if (state === 'away')
      this.#log.error({ sink, waiting: change.waiting }, `${name}: ${change.why}; tried again, meanwhile what comes waits`)
    else if (state === 'back')
      this.#log.warn({ sink, ...fields }, `${name}: takes again what comes; ${change.droppedMeanwhile} lost meanwhile`)
    else if (state === 'full') this.#log.error({ sink, ...fields }, `${name}: too much waits; what comes now is lost and counted`)
    else this.#log.error({ sink, dropped: change.dropped }, `${name}: ${change.why}`)
  }

  /** Puts another configuration in force. */
  apply(config: DeliveryConfig): void {
    this.#config = config
    this.#hasReports = config.output.reports
    const bytesMax = config.output.queue_MB * MB
    this.#alerts.limit(LINES_MAX, bytesMax)
    this.#reports.limit(LINES_MAX, bytesMax)
    this.#slices.limit(LINES_MAX, bytesMax)
    this.#syslog.apply(config.syslog)
    this.#keepFacts(this.#thread.ask({ kind: 'limit', limits: limitsOf(config) }))
  }

  /** The alert log may have been moved away: the next line goes to a file of its name. @throws RunError when that cannot be opened yet */
  async reopen(): Promise<void> {
    this.#files = await this.#thread.ask({ kind: 'reopen' })
    this.#alerts.retryNow()
    this.#reports.retryNow()
    this.#slices.retryNow()
  }

  /** Alerts by their last severity, gravest first. */
  tally(): { severity: string; count: number }[] {
    return this.#tally.counts()
  }

  get opened(): readonly { kind: string; severity: string; count: number }[] {
    return [...this.#opened.values()]
  }

  muted(): MutedCount {
    return this.#tally.muted()
  }

  /** By rule; of those now in force also the ones that muted nothing yet. */
  suppressed(rules: readonly { id: string }[]): readonly { rule: string; count: number }[] {
    const ids = new Set([...rules.map(({ id }) => id), ...this.#suppressed.keys()])
    return [...ids].map((rule) => ({ rule, count: this.#suppressed.get(rule) ?? 0 }))
  }

  get events(): Readonly<Record<'open' | 'update' | 'close', number>> {
    return this.#events
  }

  get files(): WritingFacts | null {
    return this.#files
  }

  /** Slices cut so far; null where none are. */
  get sliced(): SlicingFacts | null {
    return this.#sliced
  }

  /** A syslog server that was never configured is none. */
  get sinks(): SinkFacts[] {
    const { queue: syslog, isOn } = this.#syslog
    const hasSyslog = isOn || syslog.counters.added > 0
    const files = this.#memory === null ? [this.#alerts, this.#reports] : [this.#alerts, this.#reports, this.#slices]
    const queues = [...files, ...(hasSyslog ? [syslog] : [])]
    return queues.map(({ name, length, counters, isAway }) => ({
      sink: name,
      length,
      delivered: counters.delivered,
      dropped: counters.dropped,
      errors: counters.errors,
      isAway,
    }))
  }

  /** More waits than the disk takes at once: at the end alerts need time. */
  get isBehind(): boolean {
    return this.#alerts.isAway || this.#alerts.length > BATCH_LINES_MAX
  }

  /**
   * Waits for what is on its way, says what was lost, and gives back how many alert lines were.
   * @param untilMs by performance.now(): what is not done by then is given up, whatever hangs
   */
  async close(untilMs = performance.now() + END_MS): Promise<number> {
    const msUntil = (beforeMs: number): number => Math.max(0, untilMs - beforeMs - performance.now())
    if (this.#tidying !== null) clearInterval(this.#tidying)
    this.#isClosing = true
    const syslogLeft = this.#syslog.close(msUntil(AFTER_REPORTS_MS))
    const alertsLeft = await this.#alerts.close(msUntil(AFTER_ALERTS_MS))
    const slicesLeft = this.#slices.close(msUntil(AFTER_REPORTS_MS))
    const reportsLeft = await this.#reports.close(msUntil(AFTER_REPORTS_MS))
    if (this.#sliced !== null) {
      const { slices, incomplete } = this.#sliced
      this.#log.info({ slices, incomplete }, 'packets kept beside reports')
    }
    if ((await slicesLeft) > 0) this.#log.error({ sink: 'slices', lost: await slicesLeft }, 'slices: not written before the end')
    if (reportsLeft > 0) this.#log.error({ sink: 'reports', lost: reportsLeft }, 'reports: not written before the end')
    if ((await syslogLeft) > 0) this.#log.error({ sink: 'syslog', lost: await syslogLeft }, 'syslog: not delivered before the end')
    const haveEnded = await Promise.all([this.#thread.end(msUntil(0)), this.#slicer?.end(msUntil(0)) ?? true])
    if (haveEnded.includes(false)) dieAtExit()
    return alertsLeft
  }
}

/** About as many as they take. */
function wantsBytes({ flows, arp }: SliceWants): number {
  return 500 + 500 * flows.length + 50 * (arp?.names.size ?? 0)
}

/** A thread that hangs in a call to the disk would hold the process for ever: the kernel takes both. */
function dieAtExit(): void {
  process.once('exit', () => process.kill(process.pid, 'SIGKILL'))
}

function limitsOf({ output }: DeliveryConfig): ReportLimits {
  return { countMax: output.reports_max, ageMaxMs: output.reports_age_d * MS_PER_DAY, bytesMax: output.reports_MB * MB }
}
