/**
 * A live run: the metering thread's rows judged and written, until a signal ends it.
 *
 *   live-worker.ts (capture, decode, flow) ──rows──▶ analyst ──events──▶ live-delivery.ts: alerts.jsonl, reports/, syslog
 *
 * In:  interfaces, a checked configuration, signals. Out: alert events to their sinks; log lines; a summary of the run.
 * Not: the command line and exit codes (live-command.ts, main.ts).
 * The invariant: what an alert says depends on rows and on what the meter had seen when they left, never on when they are judged.
 */
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import type { Logger } from 'pino'
import { RunError } from './base/errors.ts'
import type { LiveOptions } from './capture/live-source.ts'
import type { Config } from './config.ts'
import { FlowBatch } from './flow/batch.ts'
import { tableLimits } from './flow/limits.ts'
import { ROW_CELLS } from './flow/row.ts'
import { LiveDelivery } from './live-delivery.ts'
import { explainFailure } from './live-failure.ts'
import {
  CONTROL_WORDS,
  type Emit,
  type InterfaceFacts,
  type LiveFacts,
  type LiveMessage,
  type LiveMeterOptions,
  type Metered,
  ROWS_WAITING,
  runLiveMeter,
  STOP,
} from './live-meter.ts'
import { LiveStatus } from './live-status.ts'
import type { Analyst } from './score/analyst.ts'
import { judge, judgeInterim, openAnalyst, randomHashSeed, SENSOR_NAME } from './sensor.ts'
import { RunDigest } from './sink/digest.ts'

export interface LiveRunOptions {
  driver: 'ring' | 'cap'
  interfaces: readonly LiveOptions[]
  outputDir: string
  config: Config
  /** The configuration as it stands now. @throws ConfigError */
  loadConfig(): Config
  packetsMax: number
  recordPath: string | null
  log: Logger
  /** Aborted: end the run. */
  signal: AbortSignal
  onSignal(name: 'SIGHUP' | 'SIGUSR1', work: () => void): void
}

export interface LiveSummary {
  facts: LiveFacts
  flows: number
  alerts: { severity: string; count: number }[]
  digestFlows: string
  digestAlerts: string
  alertsPath: string
  /** Alert lines that could not be written before the end. */
  alertLinesLost: number
  recordPath: string | null
}

/** @throws RunError when an interface cannot be captured or the output cannot be written. */
export async function runLive(options: LiveRunOptions): Promise<LiveSummary> {
  const digest = new RunDigest()
  // Before anything is captured: a folder that cannot be written is said now, not with the first alert.
  const delivery = await LiveDelivery.open({
    folder: options.outputDir,
    config: options.config,
    sensorName: SENSOR_NAME,
    inIface: inIfaceOf(options),
    digest,
    log: options.log,
  })
  return await new LiveRun(options, delivery, digest).run()
}

class LiveRun {
  readonly #options: LiveRunOptions
  readonly #log: Logger
  readonly #digest: RunDigest
  readonly #delivery: LiveDelivery
  readonly #status: LiveStatus
  readonly #control = new Int32Array(new SharedArrayBuffer(4 * CONTROL_WORDS))
  readonly #config: Config
  #analyst: Analyst | null = null
  #seen: Metered = { packetsSeen: 0, packetsNotDecoded: 0, packetsWithoutFlow: 0, truncatedPackets: 0, latePackets: 0, evictedFlows: 0 }
  #flows = 0
  #facts: LiveFacts | null = null

  constructor(options: LiveRunOptions, delivery: LiveDelivery, digest: RunDigest) {
    this.#options = options
    this.#log = options.log
    this.#config = options.config
    this.#delivery = delivery
    this.#digest = digest
    this.#status = new LiveStatus(options.outputDir, options.log, () => ({
      facts: this.#facts,
      flowsMax: this.#options.config.flow.max_flows,
      rowsWaiting: Atomics.load(this.#control, ROWS_WAITING),
      rowsJudged: this.#flows,
      analysis: this.#analyst?.counters ?? {},
      opened: delivery.opened,
      events: delivery.events,
      sinks: delivery.sinks,
      files: delivery.files,
    }))
  }

  async run(): Promise<LiveSummary> {
    const { signal, onSignal } = this.#options
    const stop = (): void => {
      Atomics.store(this.#control, STOP, 1)
      Atomics.notify(this.#control, ROWS_WAITING)
    }
    signal.addEventListener('abort', stop, { once: true })
    onSignal('SIGHUP', () => void this.#reload())
    onSignal('SIGUSR1', () => this.#logStatistics())
    let alertLinesLost = 0
    let end: Extract<LiveMessage, { kind: 'end' }>
    try {
      await this.#status.apply(this.#config.metrics.listen)
      if (signal.aborted) stop()
      end = await this.#meterUntilStopped()
    } finally {
      stop()
      signal.removeEventListener('abort', stop)
      await this.#status.close()
      alertLinesLost = await this.#delivery.close()
    }
    return this.#summary(end, alertLinesLost)
  }

  /** Resolves with the meter's last message. */
  #meterUntilStopped(): Promise<Extract<LiveMessage, { kind: 'end' }>> {
    return new Promise((resolve, reject) => {
      const take = (message: LiveMessage): void => {
        try {
          if (message.kind === 'end') {
            this.#finish(message)
            resolve(message)
          } else if (message.kind === 'failed') reject(new RunError(explainFailure(message, this.#options)))
          else this.#take(message)
        } catch (error) {
          // Metering stops, too: nobody would judge what it finds.
          Atomics.store(this.#control, STOP, 1)
          reject(error)
        }
      }
      this.#startMeter(take, reject)
    })
  }

  #startMeter(take: Emit, reject: (error: unknown) => void): void {
    const { driver, interfaces, packetsMax, recordPath, config } = this.#options
    const limits = tableLimits(config.flow, randomHashSeed())
    const options: LiveMeterOptions = { driver, interfaces, limits, packetsMax, recordPath, control: this.#control }
    if (driver === 'cap') {
      // It does not load in a worker thread.
      runLiveMeter(options, take).catch(reject)
      return
    }
    const worker = new Worker(fileURLToPath(new URL('./live-worker.js', import.meta.url)), { workerData: options })
    worker.on('message', take)
    worker.on('error', reject)
    worker.on('exit', (code) => reject(new Error(`the metering thread ended by itself (${code})`)))
  }

  #take(message: Exclude<LiveMessage, { kind: 'end' | 'failed' }>): void {
    if (message.kind === 'rows') {
      this.#judge(message.baseSec, message.cells, message.seen)
      return
    }
    if (message.kind === 'interim') {
      this.#seen = message.seen
      judgeInterim(message.interim, this.#analystOf(message.interim.baseSec))
      return
    }
    if (message.kind === 'open') for (const one of message.facts.interfaces) this.#log.info(openFields(one), 'capturing')
    else this.#logChanges(message.facts)
    this.#facts = message.facts
    this.#status.noteFacts(message.facts)
  }

  #judge(baseSec: number, cells: Float64Array<ArrayBuffer>, seen: Metered): void {
    this.#seen = seen
    const batch = FlowBatch.of(cells, baseSec)
    this.#flows += batch.count
    this.#digest.addRows(batch)
    judge(batch, this.#analystOf(baseSec))
    Atomics.sub(this.#control, ROWS_WAITING, cells.length / ROW_CELLS)
    Atomics.notify(this.#control, ROWS_WAITING)
  }

  #analystOf(baseSec: number): Analyst {
    if (this.#analyst !== null) return this.#analyst
    const visibility = () => ({ ...this.#seen, bothHalves: null, inputDamage: null, source: 'live' as const })
    this.#analyst = openAnalyst(this.#config, baseSec, visibility, (event) => this.#delivery.write(event))
    return this.#analyst
  }

  #finish({ facts, nowUs, seen, recordFault }: Extract<LiveMessage, { kind: 'end' }>): void {
    this.#facts = facts
    this.#seen = seen
    this.#analyst?.finish(nowUs)
    if (recordFault !== null) this.#log.error(recordFault)
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
    if (facts.stalls > before.stalls) this.#log.warn('analysis is behind: capture waits for it')
  }

  #logStatistics(): void {
    const { rss, heapUsed } = process.memoryUsage()
    const rowsWaiting = Atomics.load(this.#control, ROWS_WAITING)
    const { counters: _, ...facts } = this.#facts ?? { counters: null }
    this.#log.info(
      { ...facts, sinks: this.#delivery.sinks, rowsJudged: this.#flows, rowsWaiting, memory_B: rss, heap_B: heapUsed },
      'statistics',
    )
  }

  /** Files are opened anew and the configuration is read anew; a bad one changes nothing. Capture goes on meanwhile. */
  async #reload(): Promise<void> {
    const config = this.#newConfig()
    if (config !== null) {
      this.#log.level = config.log.level
      this.#delivery.apply(config)
    }
    try {
      await this.#delivery.reopen()
      if (config !== null) await this.#status.apply(config.metrics.listen)
    } catch (error) {
      this.#log.error((error as Error).message)
      return
    }
    const later = config === null ? [] : sectionsThatDiffer(this.#config, config).filter((name) => !APPLIED_AT_ONCE.includes(name))
    if (later.length > 0) this.#log.warn({ sections: later }, 'changed, but in force only from the next start on')
    this.#log.info('files opened anew, configuration read')
  }

  /** The configuration as it stands now; null when it is bad, which is said. */
  #newConfig(): Config | null {
    try {
      const config = this.#options.loadConfig()
      this.#status.noteReload(true)
      return config
    } catch (error) {
      this.#log.error(`configuration not changed: ${(error as Error).message.replaceAll('\n', '; ')}`)
      this.#status.noteReload(false)
      return null
    }
  }

  #summary({ facts }: Extract<LiveMessage, { kind: 'end' }>, alertLinesLost: number): LiveSummary {
    const digests = this.#digest.digests()
    return {
      facts,
      flows: this.#flows,
      alerts: this.#delivery.tally(),
      digestFlows: digests.flows,
      digestAlerts: digests.alerts,
      alertsPath: this.#delivery.alertsPath,
      alertLinesLost,
      recordPath: this.#options.recordPath,
    }
  }
}

/** Sections of the configuration that a reload puts in force. */
const APPLIED_AT_ONCE = ['log', 'output', 'syslog', 'metrics']

function sectionsThatDiffer(before: Config, after: Config): string[] {
  return Object.entries(after)
    .filter(([name, section]) => JSON.stringify(section) !== JSON.stringify(before[name as keyof Config]))
    .map(([name]) => name)
}

function inIfaceOf({ interfaces }: LiveRunOptions): string {
  return interfaces.map(({ device }) => device).join(',')
}

function openFields({ device, linkType, snapLen, timeSource }: InterfaceFacts): object {
  return { interface: device, linkType, snapLen, timeSource }
}
