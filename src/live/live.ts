/**
 * A live run: the metering thread's rows judged and written, until a signal ends it.
 *
 *   live/threads.ts (capture, decode, flow) ──rows──▶ analyst ──events──▶ live/delivery.ts: alerts.jsonl, reports/, syslog
 *
 * In:  interfaces, a checked configuration, signals. Out: alert events to their sinks; log lines; a summary of the run.
 * Not: the command line and exit codes (commands/run.ts, main.ts).
 * The invariant: what an alert says depends on rows and on what the meter had seen when they left, never on when they are judged.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Logger } from 'pino'
import type { MutedCount } from '../alert-tally.ts'
import { RunError } from '../base/errors.ts'
import { BaselineStore } from '../baseline-store.ts'
import { type Bug, BugGuard } from '../bug-guard.ts'
import type { LiveOptions } from '../capture/live-source.ts'
import { type MemoryBlock, newMemoryBlocks } from '../capture/packet-memory.ts'
import type { Config } from '../config.ts'
import { NOTHING_COUNTED } from '../context/capture-history.ts'
import { FlowBatch } from '../flow/batch.ts'
import type { Seen } from '../flow/health.ts'
import { tableLimits } from '../flow/limits.ts'
import { flowsOf, judgeInterim, watchLimits } from '../judge.ts'
import type { Analyst, Guarded } from '../score/analyst.ts'
import type { AlertEvent } from '../score/evidence.ts'
import type { Mutes } from '../score/mutes.ts'
import { healthOptions, judgingBy, openAnalyst, randomHashSeed, SENSOR_NAME } from '../sensor.ts'
import { RunDigest } from '../sink/digest.ts'
import { hasSlices } from '../slices.ts'
import { LiveDelivery } from './delivery.ts'
import { explainFailure } from './failure.ts'
import type { Emit, InterfaceFacts, LiveFacts, LiveMessage } from './metering.ts'
import { LiveMutes } from './mutes.ts'
import { planReload, type Reload } from './reload.ts'
import { type RowsMessage, stretchesOf } from './row-gatherer.ts'
import type { ServiceManager } from './service-manager.ts'
import { LiveStatus } from './status.ts'
import { LiveThreads } from './threads.ts'

/** Under the output folder: what the program could not bear. */
const BUG_FOLDER = 'bugs'
const STATUS_EVERY_MS = 5000
/** After a signal, of the ten seconds in which the process must be gone: all is given up that is not done by then. */
const END_MS = 9300
/** Of these, flows are judged for so long; less where the disk is behind with alerts. The rest is for episodes that close, and for files. */
const JUDGE_AT_END_MS = 7600
const JUDGE_AT_END_BEHIND_MS = 5500
/** Of episodes that close at the end, and how long they may wait for the disk in between. */
const LAST_WORDS_AT_ONCE = 64
const LAST_WORDS_MS = 1000

export interface LiveRunOptions {
  driver: 'ring' | 'cap'
  interfaces: readonly LiveOptions[]
  /** Threads among which the packets of each interface are shared. */
  queues: number
  outputDir: string
  config: Config
  /** The configuration and the capture filter as they stand now. @throws ConfigError, or RunError for a filter's file */
  reload(): { config: Config; filter: string }
  packetsMax: number
  recordPath: string | null
  log: Logger
  manager: ServiceManager
  /** Aborted: end the run. */
  signal: AbortSignal
  onSignal(name: 'SIGHUP' | 'SIGUSR1', work: () => void): void
}

export interface LiveSummary {
  facts: LiveFacts
  /** What was not seen, or seen twice. */
  seen: Seen
  flows: number
  alerts: { severity: string; count: number }[]
  /** Not among `alerts`. */
  muted: MutedCount
  digestFlows: string
  digestAlerts: string
  alertsPath: string
  /** Times that the configuration was changed: a replay under one configuration may then differ. */
  configChanges: number
  /** Flows that the end came too soon for. */
  notJudged: number
  /** Alert lines that could not be written before the end. */
  alertLinesLost: number
  recordPath: string | null
}

/** @throws RunError when an interface cannot be captured or the output cannot be written. */
export async function runLive(options: LiveRunOptions): Promise<LiveSummary> {
  const digest = new RunDigest()
  const mutes = new LiveMutes(options.config, options.log)
  const memory = hasSlices(options.config) ? newMemoryBlocks(options.config.capture.memory_MiB, options.queues) : []
  // Before anything is captured: a folder that cannot be written is said now, not with the first alert.
  const delivery = await LiveDelivery.open({
    folder: options.outputDir,
    config: options.config,
    sensorName: SENSOR_NAME,
    inIface: inIfaceOf(options),
    digest,
    log: options.log,
    memory,
  })
  return await new LiveRun({ options, delivery, digest, mutes, memory }).run()
}

interface LiveRunParts {
  options: LiveRunOptions
  delivery: LiveDelivery
  digest: RunDigest
  mutes: LiveMutes
  memory: readonly MemoryBlock[]
}

class LiveRun {
  readonly #options: LiveRunOptions
  readonly #log: Logger
  readonly #digest: RunDigest
  readonly #mutes: LiveMutes
  readonly #delivery: LiveDelivery
  readonly #status: LiveStatus
  readonly #threads: LiveThreads
  readonly #memory: readonly MemoryBlock[]
  readonly #baseline: BaselineStore
  readonly #guard: BugGuard
  #config: Config
  #filter: string
  /** The reload that waits for the meter's word, and whether another was asked for meanwhile. */
  #pending: { plan: Reload; filter: string; mutes: Mutes | null } | null = null
  #isAskedAgain = false
  /** When the end was asked for; Infinity until then. */
  #endsSinceMs = Infinity
  #notJudged = 0
  #statusAtMs = 0
  #configChanges = 0
  #analyst: Analyst | null = null
  #flows = 0
  #facts: LiveFacts | null = null

  constructor({ options, delivery, digest, mutes, memory }: LiveRunParts) {
    this.#mutes = mutes
    this.#memory = memory
    this.#options = options
    this.#log = options.log
    this.#config = options.config
    this.#threads = new LiveThreads(options.queues, randomHashSeed() >>> 16)
    this.#delivery = delivery
    this.#digest = digest
    this.#status = new LiveStatus(options.outputDir, options.log, () => ({
      facts: this.#facts,
      flowsMax: this.#options.config.flow.max_flows,
      rowsWaiting: this.#threads.rowsWaiting,
      rowsJudged: this.#flows,
      judgingBugs: this.#guard.count,
      analysis: this.#analyst?.counters ?? {},
      opened: delivery.opened,
      suppressed: delivery.suppressed(mutes.rules),
      events: delivery.events,
      sinks: delivery.sinks,
      files: delivery.files,
    }))
    this.#baseline = new BaselineStore(options.config.baseline.folder, options.log)
    this.#filter = options.interfaces[0]?.filter ?? ''
    this.#guard = new BugGuard(join(options.outputDir, BUG_FOLDER), (bug) => this.#logBug(bug))
  }

  async run(): Promise<LiveSummary> {
    const { signal, onSignal, manager } = this.#options
    const stop = (): void => {
      this.#endsSinceMs = Math.min(this.#endsSinceMs, performance.now())
      manager.stopping()
      this.#threads.stop()
    }
    signal.addEventListener('abort', stop, { once: true })
    onSignal('SIGHUP', () => this.#reload())
    onSignal('SIGUSR1', () => this.#logStatistics())
    let alertLinesLost = 0
    let end: Extract<LiveMessage, { kind: 'end' }>
    try {
      await this.#status.apply(this.#config.metrics.listen)
      if (signal.aborted) stop()
      end = await this.#meterUntilStopped()
    } finally {
      stop()
      manager.close()
      signal.removeEventListener('abort', stop)
      await this.#status.close()
      await this.#threads.close()
      alertLinesLost = await this.#delivery.close(this.#endsSinceMs + END_MS)
    }
    return this.#summary(end, alertLinesLost)
  }

  /** Resolves with the meter's last message. */
  #meterUntilStopped(): Promise<Extract<LiveMessage, { kind: 'end' }>> {
    return new Promise((resolve, reject) => {
      let hasEnded = false
      const take = (message: LiveMessage): void => {
        try {
          if (message.kind === 'end') {
            hasEnded = true
            this.#finish(message).then(() => resolve(message), reject)
          } else if (message.kind === 'failed') reject(new RunError(explainFailure(message, this.#options)))
          else this.#take(message)
        } catch (error) {
          // Metering stops, too: nobody would judge what it finds.
          this.#threads.stop()
          reject(error)
        }
      }
      // After its last message a meter may go; what it said is still to be finished.
      this.#startMeter(take, (error) => {
        if (!hasEnded) reject(error)
      })
    })
  }

  #startMeter(take: Emit, reject: (error: unknown) => void): void {
    const { driver, interfaces, packetsMax, recordPath, config } = this.#options
    const limits = tableLimits(config.flow, randomHashSeed())
    const bugFolder = join(this.#options.outputDir, BUG_FOLDER)
    const [health, watch] = [healthOptions(config), watchLimits(config)]
    const metering = { driver, interfaces, limits, health, watch, packetsMax, recordPath, bugFolder }
    this.#threads.start(metering, this.#memory, take, reject)
  }

  #take(message: Exclude<LiveMessage, { kind: 'end' | 'failed' }>): void {
    if (message.kind === 'rows') return this.#judge(message)
    if (message.kind === 'interim') {
      const analyst = this.#analystOf(message.interim.baseSec)
      analyst.onSeen(message.seen)
      judgeInterim(message.interim, analyst, this.#guarded)
      return
    }
    if (message.kind === 'changed') return void this.#finishReload(message.fault)
    if (message.kind === 'bug') return this.#logBug(message.bug)
    if (message.kind === 'open') this.#begin(message.facts)
    else this.#logChanges(message.facts)
    this.#facts = message.facts
    this.#status.noteFacts(message.facts)
    this.#tellStatus()
  }

  #begin(facts: LiveFacts): void {
    for (const one of facts.interfaces) this.#log.info(openFields(one), 'capturing')
    this.#baseline.announce()
    // What the recording must be replayed with to give the same alerts.
    const { recordPath } = this.#options
    if (recordPath !== null && this.#baseline.copyStart(`${recordPath}.baseline`))
      this.#log.info({ path: `${recordPath}.baseline` }, 'baseline at the start: replay the recording with it (--baseline)')
    const progress = new Progress(this.#threads)
    this.#options.manager.ready(statusText(facts, this.#flows), () => progress.hasBeenMade(this.#flows))
  }

  /** The manager's status line need not be newer than what a person reads. */
  #tellStatus(): void {
    if (this.#facts === null || performance.now() < this.#statusAtMs) return
    this.#statusAtMs = performance.now() + STATUS_EVERY_MS
    this.#options.manager.status(statusText(this.#facts, this.#flows))
  }

  #logBug({ what, stack, path }: Bug): void {
    const kept = path === null ? 'nothing of it was kept' : `it is kept in ${path}`
    this.#log.error({ stack, path }, `internal error, this is a bug: one ${what} was given up; ${kept}`)
  }

  #judge(message: RowsMessage): void {
    const batch = FlowBatch.of(message.cells, message.baseSec)
    this.#flows += batch.count
    this.#digest.addRows(batch)
    const analyst = this.#analystOf(message.baseSec)
    if (this.#isOutOfTime()) {
      analyst.onSeen(message.seen)
      this.#notJudged += batch.count
      return
    }
    for (const { from, to, seen } of stretchesOf(message)) {
      analyst.onSeen(seen)
      for (const flow of flowsOf(batch, from, to)) this.#guarded('flow', flow, () => analyst.onFlow(flow))
    }
  }

  /** Whether what is still to be judged must be left. */
  #isOutOfTime(): boolean {
    const sinceMs = performance.now() - this.#endsSinceMs
    return sinceMs >= JUDGE_AT_END_MS || (sinceMs >= JUDGE_AT_END_BEHIND_MS && this.#delivery.isBehind)
  }

  /** A bug ends the judging of one record, not the run: the record is kept, the next one is judged. */
  readonly #guarded: Guarded = (what, record, work) =>
    this.#guard.run(what, 'json', work, (path) => writeFileSync(path, JSON.stringify(record), { mode: 0o640 }))

  #analystOf(baseSec: number): Analyst {
    if (this.#analyst !== null) return this.#analyst
    const source = this.#options.driver === 'cap' ? ('live, losses not counted' as const) : ('live' as const)
    const visibility = () => ({ ...NOTHING_COUNTED, bothHalves: null, inputDamage: null, source })
    this.#mutes.sayExpired(baseSec)
    const emit = (event: AlertEvent): void => this.#delivery.write(event)
    this.#analyst = openAnalyst(this.#config, baseSec, visibility, emit, {
      muteOf: (subject) => this.#mutes.suppressionOf(subject),
      ...(this.#baseline.snapshot === null ? {} : { baseline: this.#baseline.snapshot }),
      onCommit: () => this.#storeBaseline(),
    })
    return this.#analyst
  }

  #storeBaseline(): void {
    if (this.#analyst !== null) this.#baseline.save(this.#analyst)
  }

  async #finish({ facts, nowUs, seen }: Extract<LiveMessage, { kind: 'end' }>): Promise<void> {
    this.#logChanges(facts)
    this.#facts = facts
    this.#analyst?.onSeen(seen)
    // A thousand last words at once would not fit into what may wait for the disk.
    const untilMs = performance.now() + LAST_WORDS_MS
    while (this.#analyst?.finishSome(nowUs, LAST_WORDS_AT_ONCE) === true) await this.#delivery.room(untilMs)
    this.#storeBaseline()
    if (this.#notJudged > 0) this.#log.warn({ flows: this.#notJudged }, 'flows not judged: the time for the end was over')
  }

  /** State changes and new losses, once each: nothing is logged a packet. */
  #logChanges(facts: LiveFacts): void {
    const before = this.#facts
    if (before === null) return
    facts.interfaces.forEach((now, i) => {
      const then = before.interfaces[i]
      const { device } = now
      if (now.state !== then.state) this.#log.warn({ interface: device, state: now.state, fault: now.fault }, `interface is ${now.state}`)
      if (now.reopenings !== then.reopenings) this.#log.warn({ interface: device }, 'interface is captured again')
      const lost = (now.droppedByKernel ?? 0) - (then.droppedByKernel ?? 0)
      if (lost > 0) this.#log.warn({ interface: device, packets: lost }, 'packets dropped by kernel')
    })
    const unrecorded = facts.notRecorded - before.notRecorded
    if (unrecorded > 0) this.#log.warn({ packets: unrecorded }, 'packets not recorded: the disk is too slow for them')
    if (facts.recordFault !== null && before.recordFault === null) this.#log.error(facts.recordFault)
    if (facts.stalls > before.stalls) this.#log.warn('analysis is behind: capture waits for it')
  }

  #logStatistics(): void {
    const { rss, heapUsed, arrayBuffers } = process.memoryUsage()
    const { rowsWaiting } = this.#threads
    const state = this.#analyst?.baseline
    const baseline = state && {
      state: state.state,
      watched: state.watched.text,
      remaining: state.remaining?.text ?? 'none',
      votes: state.votes.v,
    }
    const { counters: _, ...facts } = this.#facts ?? { counters: null }
    this.#log.info(
      {
        ...facts,
        sinks: this.#delivery.sinks,
        rowsJudged: this.#flows,
        judgingBugs: this.#guard.count,
        rowsWaiting,
        analysis: this.#analyst?.counters ?? null,
        memory_B: rss,
        heap_B: heapUsed,
        arrayBuffers_B: arrayBuffers,
        baseline,
      },
      'statistics',
    )
  }

  /**
   * Files are opened anew and the configuration is read anew; a bad one changes nothing. Capture goes on meanwhile. Where the filter
   * changes, the meter is asked first, since only the interface can say whether it takes it.
   */
  #reload(): void {
    if (this.#pending !== null) {
      this.#isAskedAgain = true
      return
    }
    this.#options.manager.reloading()
    try {
      const { config, filter } = this.#options.reload()
      this.#pending = { plan: planReload(this.#config, config), filter, mutes: this.#mutes.read(config) }
      this.#status.noteReload(true)
    } catch (error) {
      this.#pending = { plan: planReload(this.#config, this.#config), filter: this.#filter, mutes: null }
      this.#log.error(`configuration not changed: ${(error as Error).message.replaceAll('\n', '; ')}`)
      this.#status.noteReload(false)
    }
    if (this.#pending.filter === this.#filter) void this.#finishReload('')
    else if (this.#options.driver === 'cap') void this.#finishReload('the driver cap cannot change its filter while it runs')
    else this.#threads.post({ filter: this.#pending.filter })
  }

  /** @param fault why the new filter cannot be; then nothing of the new configuration holds */
  async #finishReload(fault: string): Promise<void> {
    const pending = this.#pending
    if (pending === null) return
    if (fault === '') this.#putInForce(pending.plan, pending.filter)
    if (fault === '' && pending.mutes !== null && this.#mutes.use(pending.mutes)) this.#configChanges++
    else this.#status.noteReload(false)
    if (fault !== '') this.#log.error(`configuration not changed: filter '${pending.filter}': ${fault}`)
    try {
      this.#delivery.apply(this.#config)
      await this.#delivery.reopen()
      await this.#status.apply(this.#config.metrics.listen)
      this.#log.info('files opened anew')
    } catch (error) {
      this.#log.error((error as Error).message)
    }
    this.#options.manager.reloaded(this.#facts === null ? 'starting' : statusText(this.#facts, this.#flows))
    this.#pending = null
    if (!this.#isAskedAgain) return
    this.#isAskedAgain = false
    this.#reload()
  }

  #putInForce({ inForce, atOnce, later }: Reload, filter: string): void {
    const changed = [...atOnce.filter((key) => key !== 'capture.filter'), ...(filter === this.#filter ? [] : ['capture.filter'])]
    this.#config = inForce
    this.#filter = filter
    this.#log.level = inForce.log.level
    if (later.length > 0) this.#log.warn({ keys: later }, 'changed, but in force only from the next start on')
    if (changed.length === 0) return
    this.#configChanges++
    this.#analyst?.change(judgingBy(inForce))
    this.#log.info({ keys: changed }, 'configuration changed')
  }

  #summary({ facts, seen }: Extract<LiveMessage, { kind: 'end' }>, alertLinesLost: number): LiveSummary {
    const digests = this.#digest.digests()
    return {
      facts,
      seen,
      flows: this.#flows,
      alerts: this.#delivery.tally(),
      muted: this.#delivery.muted(),
      digestFlows: digests.flows,
      digestAlerts: digests.alerts,
      alertsPath: this.#delivery.alertsPath,
      alertLinesLost,
      configChanges: this.#configChanges,
      notJudged: this.#notJudged,
      recordPath: this.#options.recordPath,
    }
  }
}

/** Whether all threads get on, asked now and then. */
class Progress {
  readonly #threads: LiveThreads
  #pulses: readonly number[] = []
  #flows = Number.NaN

  constructor(threads: LiveThreads) {
    this.#threads = threads
  }

  /**
   * Since it was last asked. That somebody can ask says that analysis is not stuck in one flow; that rows wait and none was judged, that
   * it gets none.
   */
  hasBeenMade(flowsJudged: number): boolean {
    const { pulses, rowsWaiting } = this.#threads
    const isMetering = pulses.every((pulse, i) => pulse !== this.#pulses[i])
    const isJudging = flowsJudged !== this.#flows || rowsWaiting <= 0
    this.#pulses = pulses
    this.#flows = flowsJudged
    return isMetering && isJudging
  }
}

/** One line for the service manager. */
function statusText({ interfaces, packets, flowsOpen }: LiveFacts, flowsJudged: number): string {
  const lines = interfaces.map(({ device, state }) => (state === 'up' ? device : `${device} (${state})`))
  const lost = interfaces.reduce((sum, one) => sum + (one.droppedByKernel ?? 0) + (one.droppedByInterface ?? 0), 0)
  return `${lines.join(', ')}: ${packets} packets, ${lost} lost; ${flowsOpen} flows open, ${flowsJudged} judged`
}

function inIfaceOf({ interfaces }: LiveRunOptions): string {
  return interfaces.map(({ device }) => device).join(',')
}

function openFields({ device, linkType, snapLen, timeSource }: InterfaceFacts): object {
  return { interface: device, linkType, snapLen, timeSource }
}
