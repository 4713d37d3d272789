/**
 * The metering half of a live run: capture, decode and flow table in one loop, away from analysis.
 *
 *   interfaces → slabs → recording, meter → messages: rows, facts, the end
 *
 * In:  what to capture and how to meter; a block of shared words by which the run is stopped and slowed down.
 * Out: messages in order. Everything in them is plain data, so that they could cross a thread or a network.
 * Not: judging and writing. A report that takes a second to write costs no packet: the ring is read here meanwhile.
 *
 * The invariant: at most `rowsWaitingMax` rows wait for analysis. Beyond that the ring is not read until analysis has caught up, so
 * that what is lost is lost in the kernel, where it is counted.
 */

import { type Bug, BugGuard } from '../bug-guard.ts'
import { CapSource, loadCap } from '../capture/live-cap.ts'
import { RingSource } from '../capture/live-merge.ts'
import { LiveReader } from '../capture/live-reader.ts'
import { type LiveInterface, type LiveOptions, type LiveSource, OpenError } from '../capture/live-source.ts'
import { type MemoryBlock, PacketMemory } from '../capture/packet-memory.ts'
import { PcapngWriter } from '../capture/pcapng-writer.ts'
import { GAP_SECONDS_MAX, QueueSource } from '../capture/queue-source.ts'
import { QueueSink, type RecordQueue } from '../capture/record-queue.ts'
import { Reorder } from '../capture/reorder.ts'
import { loadRing } from '../capture/ring-addon.ts'
import type { Slab } from '../capture/slab.ts'
import { DROP_REASONS } from '../decode/drop-reason.ts'
import type { FlowBatch } from '../flow/batch.ts'
import type { HealthOptions, Seen } from '../flow/health.ts'
import type { InterfaceHealth } from '../flow/interface-health.ts'
import type { Interim } from '../flow/interim.ts'
import { Meter } from '../flow/meter.ts'
import { ENDED_EVICTED } from '../flow/row.ts'
import type { TableCounters, TableLimits } from '../flow/table.ts'
import { NO_WATCH, type Watch, type WatchLimits } from '../flow/watch.ts'
import { startRecording } from './recording.ts'
import { RowGatherer, type RowsMessage } from './row-gatherer.ts'

export interface LiveMeterOptions {
  driver: 'ring' | 'cap'
  interfaces: readonly LiveOptions[]
  limits: TableLimits
  health: HealthOptions
  watch: WatchLimits
  /** Stop after so many packets; 0: never. */
  packetsMax: number
  /** Where to record what is seen; null: nowhere. */
  recordPath: string | null
  /** Where slabs are kept that the program could not bear. */
  bugFolder: string
  /** What is remembered of packets, for whoever looks for them later; null: nothing. */
  memory: MemoryBlock | null
  /** CONTROL_WORDS words; see below. */
  control: Int32Array<SharedArrayBuffer>
  /** Rows that may wait for analysis, at most. */
  rowsWaitingMax: number
  /** When this is one of several queues of a line; null: it has the line alone. */
  queue: QueueShare | null
}

/** What the meters of several queues agree on, through the thread that started them. */
export interface QueueShare {
  /** AGREEMENT_WORDS words, the same for all queues; see below. */
  agreed: Int32Array<SharedArrayBuffer>
  /** In µs since 1970: when the run begins and ends, at the places of STARTS and ENDS. */
  timesUs: Float64Array<SharedArrayBuffer>
  /** Where this queue's part of the recording goes; null: nowhere. */
  recording: RecordQueue | null
}

export const AGREEMENT_WORDS = 2
/** NOT_YET until all queues are open, and until all have read what there was. */
export const STARTS = 0
export const ENDS = 1
export const NOT_YET = 0
export const AGREED = 1
/** A queue failed: nobody need wait any longer. */
export const ABANDONED = 2

export const CONTROL_WORDS = 4
/** Set to 1 from outside: end the run. */
export const STOP = 0
/** Rows handed over and not yet judged; analysis subtracts what it has done. */
export const ROWS_WAITING = 1
/** Counted up by metering wherever it gets on, also while it waits for packets or for analysis: it stands still only when metering is stuck. */
export const PULSE = 2
/** Counted up from outside with each change that was posted: the loop looks for messages only then. */
export const CHANGES = 3
/** 96 MiB of rows, of all queues together. At the end they are judged with a full table of flows as far as its time allows (live/live.ts). */
export const ROWS_WAITING_MAX = 131_072

const FACTS_EVERY_MS = 1000
const WAIT_FOR_ANALYSIS_MS = 100
/** How often a queue says how far its recording has come: the others' parts wait for it in memory. */
const RECORD_TIME_EVERY_MS = 200
const US_PER_S = 1e6

export type InterfaceFacts = Pick<
  LiveInterface,
  | 'device'
  | 'linkType'
  | 'snapLen'
  | 'timeSource'
  | 'state'
  | 'fault'
  | 'reopenings'
  | 'received'
  | 'droppedByKernel'
  | 'droppedByInterface'
> & {
  /** What its packets show that it does not see everything; counters since the run began. */
  health: HealthFacts
}

/** `InterfaceHealth` without what the interface's own counters say better. */
export type HealthFacts = Omit<InterfaceHealth, 'interfaceId' | 'received' | 'lostByKernel' | 'lostByInterface'>

/** What is known about the run at one moment. */
export interface LiveFacts {
  interfaces: InterfaceFacts[]
  packets: number
  wireBytes: number
  notDecoded: { reason: string; count: number }[]
  flowsOpen: number
  flowsCreated: number
  evictedFlows: number
  /** Times that the ring was left alone because analysis was behind. */
  stalls: number
  /** Slabs given up because of a fault of the program. */
  bugs: number
  /** Packets that the recording had no room for. */
  notRecorded: number
  /** What ended the recording; null while it goes on, or there is none. */
  recordFault: string | null
  queues: number
  /** Seconds that were judged without a queue that was too far behind (live/queues.ts). */
  turnsNotWaitedFor: number
  counters: LiveCounters
}

/** Every counter of decoding and metering, for metrics. */
export interface LiveCounters {
  decoded: number
  cutShort: number
  /** By DROP_REASONS. */
  dropped: number[]
  notOpened: number[]
  table: TableCounters
  /** What was not told of open flows, for want of room. */
  watch: Watch['counters']
}

export type LiveMessage =
  | { kind: 'failed'; device: string; code: string; message: string }
  | { kind: 'open'; facts: LiveFacts }
  | RowsMessage
  | { kind: 'interim'; interim: Interim; seen: Seen }
  | { kind: 'facts'; facts: LiveFacts }
  /** A change was put in force, or not: then `fault` says why, and all is as before. */
  | { kind: 'changed'; fault: string }
  | { kind: 'bug'; bug: Bug }
  | { kind: 'end'; facts: LiveFacts; nowUs: number; seen: Seen }

/** The turn at which a run ends. Finite, so that what is before it can be told from it. */
export const AFTER_ALL_SEC = 2 ** 32

/** Of one queue among several, for live/queues.ts: packet time enters second `sec` of the run, and all that is due by it was told. */
export type TurnMessage = { kind: 'turn'; sec: number; seen: Seen } | { kind: 'through' }
export type QueueMessage = Extract<LiveMessage, { kind: 'rows' | 'interim' }> | TurnMessage
/** What a queue's thread says; `drained`: all that came before the end was read, the newest at `nowUs` since 1970. */
export type WorkerMessage = LiveMessage | TurnMessage | { kind: 'drained'; nowUs: number }

export type Emit = (message: LiveMessage) => void
export type EmitToStarter = (message: WorkerMessage) => void

/** What can be changed while metering goes on, without a packet lost. */
export interface MeterChange {
  filter: string
}

/** The next change that was posted; null when there is none. */
export type TakeChange = () => MeterChange | null

/** Runs until stopped. What cannot be captured at start is a message, not an exception. */
export async function runLiveMeter(options: LiveMeterOptions, emit: EmitToStarter, takeChange: TakeChange): Promise<void> {
  let source: LiveSource
  let recording: PcapngWriter | null
  try {
    source = openSource(options)
    recording = openRecording(options, source)
  } catch (error) {
    const { device, code } = error instanceof OpenError ? error : { device: '', code: '' }
    return emit({ kind: 'failed', device, code, message: (error as Error).message })
  }
  await new LiveMeter({ options, source, recording, emit, takeChange }).run()
}

function openRecording({ recordPath, queue }: LiveMeterOptions, { interfaces }: LiveSource): PcapngWriter | null {
  if (queue === null) return recordPath === null ? null : startRecording(recordPath, interfaces)
  return queue.recording === null ? null : new PcapngWriter(interfaces, new QueueSink(queue.recording, null))
}

/** @throws OpenError */
function openSource({ driver, interfaces }: LiveMeterOptions): LiveSource {
  if (driver === 'ring') {
    const ring = loadRing()
    if (ring === null) throw new OpenError('', 'ENORING', 'the capture addon is not there')
    return new RingSource(ring, interfaces)
  }
  const cap = loadCap()
  if (cap === null) throw new OpenError('', 'ENOCAP', 'the package cap is not there')
  return new CapSource(cap, interfaces[0])
}

interface LiveMeterParts {
  options: LiveMeterOptions
  source: LiveSource
  recording: PcapngWriter | null
  emit: EmitToStarter
  takeChange: TakeChange
}

class LiveMeter {
  readonly #options: LiveMeterOptions
  readonly #source: LiveSource
  readonly #emit: EmitToStarter
  readonly #rows: RowGatherer
  readonly #meter: Meter
  #reader: LiveReader | null = null
  /** Of several: what is read, from the instant agreed on. */
  #queueSource: QueueSource | null = null
  readonly #takeChange: TakeChange
  readonly #recording: PcapngWriter | null
  readonly #guard: BugGuard
  readonly #memory: PacketMemory | null
  #stalls = 0
  /** The second of the run that packet time is in, and the one that the starter knows to be over with. */
  #turnSec = -Infinity
  #throughSec = -Infinity
  #isFinishing = false
  #changesSeen = 0
  #factsAtMs = performance.now() + FACTS_EVERY_MS
  #recordTimeAtMs = 0

  constructor({ options, source, recording, emit, takeChange }: LiveMeterParts) {
    this.#options = options
    this.#takeChange = takeChange
    this.#recording = recording
    this.#rows = new RowGatherer(emit)
    this.#emit = (message) => {
      this.#rows.flush()
      emit(message)
    }
    this.#guard = new BugGuard(options.bugFolder, (bug) => this.#emit({ kind: 'bug', bug }))
    this.#memory = options.memory === null ? null : new PacketMemory(options.memory)
    this.#source = source
    this.#meter = new Meter(
      options.limits,
      (batch) => this.#handOn(batch),
      {
        limits: options.watch,
        onInterim: (interim) => this.#emit({ kind: 'interim', interim, seen: this.#meter.seenSoFar() }),
        ...(options.queue === null ? {} : { onTurn: (nowUs: number) => this.#turn(nowUs) }),
      },
      options.health,
    )
    this.#meter.table.takeMemory()
  }

  async run(): Promise<void> {
    this.#emit({ kind: 'open', facts: this.#facts() })
    const { queue, packetsMax } = this.#options
    if (queue !== null && !this.#waitFor(queue, STARTS)) return this.#source.close()
    if (queue !== null && this.#source instanceof RingSource) this.#queueSource = new QueueSource(this.#source, queue.timesUs[STARTS])
    const reader = new LiveReader({
      source: this.#queueSource ?? this.#source,
      recording: this.#recording,
      packetsMax: packetsMax === 0 ? Infinity : packetsMax,
      goesOn: () => this.#goesOn(),
    })
    this.#reader = reader
    // As in a replay: several queues or ports of a card disorder packets a little.
    const inOrder = new Reorder(reader)
    for (let slab = await inOrder.next(); slab !== null; slab = await inOrder.next()) {
      // Before its rows can leave: whoever judges them finds their packets.
      this.#memory?.put(slab)
      this.#meterSlab(slab)
      this.#rows.flush()
      this.#tellThrough()
    }
    reader.close()
    if (queue !== null && !this.#agreeOnEnd(queue)) return
    this.#isFinishing = true
    this.#meter.finish()
    this.#tellThrough()
    const { nowUs } = this.#meter.table
    this.#emit({ kind: 'end', facts: this.#facts(), nowUs, seen: this.#meter.seenSoFar() })
  }

  /** Told by the meter, before anything that is due by it. */
  #turn(nowUs: number): void {
    this.#turnSec = this.#isFinishing ? AFTER_ALL_SEC : Math.floor(nowUs / US_PER_S)
    this.#throughSec = Number.NaN
    this.#emit({ kind: 'turn', sec: this.#turnSec, seen: this.#meter.seenSoFar() })
  }

  #tellThrough(): void {
    if (this.#throughSec === this.#turnSec) return
    this.#throughSec = this.#turnSec
    this.#emit({ kind: 'through' })
  }

  /** Flows that are cut by the end are cut at one instant, whatever queue they came through. Returns whether there is to be an end. */
  #agreeOnEnd(queue: QueueShare): boolean {
    const { table, baseSec } = this.#meter
    this.#emit({ kind: 'drained', nowUs: table.nowUs + baseSec * US_PER_S })
    if (!this.#waitFor(queue, ENDS)) return false
    const endUs = queue.timesUs[ENDS] - baseSec * US_PER_S
    const first = Math.floor(table.nowUs / US_PER_S) + 1
    const last = Math.floor(endUs / US_PER_S)
    if (last - first < GAP_SECONDS_MAX) for (let second = first; second <= last; second++) table.advance(second * US_PER_S)
    if (endUs > table.nowUs) table.advance(endUs)
    return true
  }

  #waitFor({ agreed }: QueueShare, what: number): boolean {
    while (Atomics.load(agreed, what) === NOT_YET) {
      Atomics.wait(agreed, what, NOT_YET, WAIT_FOR_ANALYSIS_MS)
      Atomics.add(this.#options.control, PULSE, 1)
    }
    return Atomics.load(agreed, what) === AGREED
  }

  /** A bug ends one slab, not the run: the slab is kept as a capture, which replays to the same fault. */
  #meterSlab(slab: Slab): void {
    this.#guard.run(
      'slab',
      'pcapng',
      () => this.#meter.meterSlab(slab),
      (path) => {
        const file = PcapngWriter.open(path, this.#source.interfaces)
        try {
          file.write(slab)
        } finally {
          file.close()
        }
      },
    )
  }

  #goesOn(): boolean {
    Atomics.add(this.#options.control, PULSE, 1)
    if (Atomics.load(this.#options.control, CHANGES) !== this.#changesSeen) this.#takeChanges()
    if (performance.now() >= this.#factsAtMs) {
      this.#factsAtMs = performance.now() + FACTS_EVERY_MS
      this.#emit({ kind: 'facts', facts: this.#facts() })
    }
    if (this.#queueSource !== null && performance.now() >= this.#recordTimeAtMs) {
      this.#recordTimeAtMs = performance.now() + RECORD_TIME_EVERY_MS
      this.#reader?.recordTime(this.#queueSource.watermarkUs)
    }
    this.#waitForAnalysis()
    return !this.#isStopped()
  }

  #takeChanges(): void {
    for (let change = this.#takeChange(); change !== null; change = this.#takeChange()) {
      this.#changesSeen++
      this.#emit({ kind: 'changed', fault: this.#change(change) })
    }
  }

  /** Returns what stood in the way; '' for nothing. */
  #change({ filter }: MeterChange): string {
    if (!(this.#source instanceof RingSource)) return 'the driver cap cannot change its filter'
    try {
      this.#source.changeFilter(filter)
      return ''
    } catch (error) {
      return (error as Error).message
    }
  }

  #isStopped(): boolean {
    return Atomics.load(this.#options.control, STOP) !== 0
  }

  #handOn(batch: FlowBatch): void {
    Atomics.add(this.#options.control, ROWS_WAITING, batch.count)
    Atomics.add(this.#options.control, PULSE, 1)
    this.#rows.add(batch, this.#meter.seenSoFar())
  }

  #waitForAnalysis(): void {
    const { control, rowsWaitingMax } = this.#options
    let waiting = Atomics.load(control, ROWS_WAITING)
    if (waiting <= rowsWaitingMax) return
    this.#stalls++
    while (waiting > rowsWaitingMax && !this.#isStopped()) {
      Atomics.wait(control, ROWS_WAITING, waiting, WAIT_FOR_ANALYSIS_MS)
      Atomics.add(control, PULSE, 1)
      waiting = Atomics.load(control, ROWS_WAITING)
    }
  }

  #facts(): LiveFacts {
    const { counters, table } = this.#meter
    return {
      interfaces: this.#source.interfaces.map((one) => factsOf(one, this.#meter.health.enter(one.interfaceId))),
      packets: counters.seen,
      wireBytes: counters.wireBytes,
      notDecoded: DROP_REASONS.map(({ name }, code) => ({ reason: name, count: counters.dropped[code] })).filter(({ count }) => count > 0),
      flowsOpen: table.size,
      flowsCreated: table.counters.flowsCreated,
      evictedFlows: table.counters.rowsEnded[ENDED_EVICTED],
      stalls: this.#stalls,
      bugs: this.#guard.count,
      notRecorded: this.#recording?.lostPackets ?? 0,
      recordFault: this.#reader?.recordFault ?? null,
      queues: 1,
      turnsNotWaitedFor: 0,
      counters: {
        decoded: counters.decoded,
        cutShort: counters.cutShort,
        dropped: [...counters.dropped],
        notOpened: [...counters.notOpened],
        table: { ...table.counters, rowsEnded: [...table.counters.rowsEnded] },
        watch: table.watch?.counters ?? NO_WATCH,
      },
    }
  }
}

function factsOf(from: LiveInterface, health: InterfaceHealth): InterfaceFacts {
  const { device, linkType, snapLen, timeSource, state, fault, reopenings, received, droppedByKernel, droppedByInterface } = from
  const { interfaceId, received: _, lostByKernel, lostByInterface, ...counters } = health
  return {
    device,
    linkType,
    snapLen,
    timeSource,
    state,
    fault,
    reopenings,
    received,
    droppedByKernel,
    droppedByInterface,
    health: { ...counters, ackGaps: Math.max(0, counters.ackGaps) },
  }
}
