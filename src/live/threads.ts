/**
 * The metering threads of a live run, seen as one meter: a thread for each capture queue, or this very thread for the driver cap.
 *
 *   live/metering-worker.ts, queue 0 ─▶ ┐
 *   live/metering-worker.ts, queue 1 ─▶ ├─ live/queues.ts ─▶ messages as of one meter, in order, a little at a time (live/inbox.ts)
 *
 * In:  what to capture and how to meter. Out: LiveMessages; reloads and the wish to end are passed on to every thread.
 * Not: judging (live/live.ts), metering (live/metering.ts).
 *
 * The invariant: all queues begin at one instant, when the last one is open, and end at one, the newest that any of them has seen: flows cut
 * by the run's end and the base of all times do not depend on how the kernel spread packets.
 */
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import type { LiveOptions } from '../capture/live-source.ts'
import type { MemoryBlock } from '../capture/packet-memory.ts'
import { ROW_CELLS } from '../flow/row.ts'
import { sumOfFacts } from './facts.ts'
import { Inbox } from './inbox.ts'
import {
  ABANDONED,
  AGREED,
  AGREEMENT_WORDS,
  CHANGES,
  CONTROL_WORDS,
  type Emit,
  ENDS,
  type LiveFacts,
  type LiveMessage,
  type LiveMeterOptions,
  type MeterChange,
  NOT_YET,
  PULSE,
  ROWS_WAITING,
  ROWS_WAITING_MAX,
  runLiveMeter,
  STARTS,
  STOP,
  type WorkerMessage,
} from './metering.ts'
import { QueueMerge } from './queues.ts'
import { openSharedRecording, type SharedRecording } from './recording.ts'

/** Groups of a network namespace are told apart by 16 bits. */
const FANOUT_GROUPS = 2 ** 16
const US_PER_MS = 1000

export type ThreadOptions = Omit<LiveMeterOptions, 'control' | 'queue' | 'rowsWaitingMax' | 'memory'>

type End = Extract<LiveMessage, { kind: 'end' }>

/** One queue's thread. */
interface Thread {
  control: Int32Array<SharedArrayBuffer>
  worker: Worker | null
  facts: LiveFacts | null
  drainedUs: number | null
  end: End | null
  /** What it said to the change at hand. */
  fault: string | null
}

export class LiveThreads {
  readonly #threads: readonly Thread[]
  readonly #agreed = new Int32Array(new SharedArrayBuffer(4 * AGREEMENT_WORDS))
  readonly #timesUs = new Float64Array(new SharedArrayBuffer(8 * AGREEMENT_WORDS))
  readonly #fanoutGroup: number
  readonly #inbox = new Inbox()
  #merge: QueueMerge | null = null
  #recording: SharedRecording | null = null
  #memory: readonly MemoryBlock[] = []
  #take: Emit = () => {}
  #reject: (error: unknown) => void = () => {}
  /** The filter in force; one that is tried; why not all took it, while those that did are set back. */
  #filter = ''
  #tried = ''
  #refusal: string | null = null

  /** @param fanoutGroup any number: programs that capture here must not share one */
  constructor(queues: number, fanoutGroup: number) {
    this.#fanoutGroup = fanoutGroup
    this.#threads = Array.from({ length: queues }, () => ({
      control: new Int32Array(new SharedArrayBuffer(4 * CONTROL_WORDS)),
      worker: null,
      facts: null,
      drainedUs: null,
      end: null,
      fault: null,
    }))
  }

  /**
   * @param memory one for each thread, or none
   * @param reject told of a thread that broke
   * @throws RunError when the recording cannot be opened
   */
  start(options: ThreadOptions, memory: readonly MemoryBlock[], take: Emit, reject: (error: unknown) => void): void {
    this.#take = take
    this.#memory = memory
    this.#reject = reject
    this.#filter = options.interfaces[0]?.filter ?? ''
    const count = this.#threads.length
    if (count === 1) return this.#startAlone(options)
    const { arrivalsPerSMin, openTogetherMin } = options.watch
    this.#merge = new QueueMerge(count, { arrivalsPerSMin, openTogetherMin }, (message, rowsOf) =>
      this.#inbox.add(() => {
        take(message)
        rowsOf?.forEach((rows, i) => {
          this.#giveBack(i, rows)
        })
      }),
    )
    this.#recording = options.recordPath === null ? null : openSharedRecording(options.recordPath, count)
    this.#startNext(options)
  }

  #startAlone(options: ThreadOptions): void {
    const whole = {
      ...options,
      control: this.#threads[0].control,
      rowsWaitingMax: ROWS_WAITING_MAX,
      queue: null,
      memory: this.#memory[0] ?? null,
    }
    const takeAlone = (message: WorkerMessage): void => {
      if (isOfQueues(message)) return
      this.#take(message)
      if (message.kind === 'rows') this.#giveBack(0, message.cells.length / ROW_CELLS)
    }
    // The driver cap does not load in a worker thread.
    if (options.driver === 'cap') runLiveMeter(whole, takeAlone, () => null).catch(this.#reject)
    else this.#startWorker(0, whole, (message) => this.#inbox.add(() => takeAlone(message)))
  }

  /** One after the other: a queue's place in its fanout group is the same on every interface, so that both ports of a tap agree. */
  #startNext(options: ThreadOptions): void {
    const count = this.#threads.length
    const index = this.#threads.findIndex(({ worker }) => worker === null)
    const { limits, watch } = options
    const own: LiveMeterOptions = {
      ...options,
      interfaces: options.interfaces.map((one) => this.#inGroup(one)),
      limits: { ...limits, maxFlows: Math.max(1, Math.floor(limits.maxFlows / count)) },
      watch: { ...watch, queues: count },
      control: this.#threads[index].control,
      rowsWaitingMax: Math.ceil(ROWS_WAITING_MAX / count),
      memory: this.#memory[index] ?? null,
      queue: { agreed: this.#agreed, timesUs: this.#timesUs, recording: this.#recording?.queues[index] ?? null },
    }
    this.#startWorker(index, own, (message) => this.#takeOfQueue(index, message, options))
  }

  #inGroup(one: LiveOptions): LiveOptions {
    return { ...one, fanoutGroup: (this.#fanoutGroup + one.interfaceId) % FANOUT_GROUPS }
  }

  #startWorker(index: number, workerData: LiveMeterOptions, take: (message: WorkerMessage) => void): void {
    const worker = new Worker(fileURLToPath(new URL('./metering-worker.js', import.meta.url)), { workerData })
    const thread = this.#threads[index]
    const who = this.#threads.length === 1 ? 'the metering thread' : `the metering thread of queue ${index}`
    thread.worker = worker
    worker.on('message', take)
    // In their turn, behind the rows that came before.
    worker.on('error', (error) => this.#inbox.add(() => this.#fail(error)))
    worker.on('exit', (code) => {
      if (this.#threads.length === 1 || thread.end === null)
        this.#inbox.add(() => this.#fail(new Error(`${who} ended by itself (${code})`)))
    })
  }

  /** The run is over, whatever the other queues do. */
  #fail(error: unknown): void {
    this.#abandon()
    this.#reject(error)
  }

  #abandon(): void {
    this.stop()
    for (const what of [STARTS, ENDS]) {
      Atomics.compareExchange(this.#agreed, what, NOT_YET, ABANDONED)
      Atomics.notify(this.#agreed, what)
    }
  }

  #takeOfQueue(index: number, message: WorkerMessage, options: ThreadOptions): void {
    const thread = this.#threads[index]
    const { kind } = message
    if (kind === 'rows' || kind === 'interim' || kind === 'turn' || kind === 'through') this.#merge?.take(index, message)
    else if (kind === 'drained') this.#noteDrained(thread, message.nowUs)
    else if (kind === 'changed') this.#noteChanged(thread, message.fault)
    else if (kind === 'bug') this.#pass(message)
    else if (kind === 'failed') {
      this.#abandon()
      this.#pass(message)
    } else if (kind === 'end') this.#noteEnd(thread, message)
    else {
      thread.facts = message.facts
      if (kind === 'open') this.#noteOpen(options)
      else if (index === 0) this.#pass({ kind, facts: this.#facts() })
    }
  }

  #pass(message: LiveMessage): void {
    this.#inbox.add(() => this.#take(message))
  }

  #facts(): LiveFacts {
    const known = this.#threads.flatMap(({ facts }) => (facts === null ? [] : [facts]))
    return { ...sumOfFacts(known), queues: this.#threads.length, turnsNotWaitedFor: this.#merge?.notWaitedFor ?? 0 }
  }

  #noteOpen(options: ThreadOptions): void {
    if (this.#threads.some(({ worker }) => worker === null)) return this.#startNext(options)
    this.#agree(STARTS, Date.now() * US_PER_MS)
    this.#pass({ kind: 'open', facts: this.#facts() })
  }

  #noteDrained(thread: Thread, nowUs: number): void {
    thread.drainedUs = nowUs
    const all = this.#threads.flatMap(({ drainedUs }) => (drainedUs === null ? [] : [drainedUs]))
    if (all.length === this.#threads.length) this.#agree(ENDS, Math.max(...all))
  }

  #agree(what: number, timeUs: number): void {
    this.#timesUs[what] = timeUs
    Atomics.compareExchange(this.#agreed, what, NOT_YET, AGREED)
    Atomics.notify(this.#agreed, what)
  }

  #noteEnd(thread: Thread, end: End): void {
    thread.end = end
    thread.facts = end.facts
    const ends = this.#threads.flatMap((one) => (one.end === null ? [] : [one.end]))
    if (ends.length < this.#threads.length || this.#merge === null) return
    const { seen } = this.#merge
    this.#pass({ kind: 'end', facts: this.#facts(), nowUs: Math.max(...ends.map(({ nowUs }) => nowUs)), seen })
  }

  /** All queues take a filter, or none does. */
  #noteChanged(thread: Thread, fault: string): void {
    thread.fault = fault
    const faults = this.#threads.flatMap((one) => (one.fault === null ? [] : [one.fault]))
    if (faults.length < this.#threads.length) return
    for (const one of this.#threads) one.fault = null
    const refusal = this.#refusal ?? faults.find((text) => text !== '') ?? ''
    if (refusal !== '' && this.#refusal === null && faults.includes('')) {
      this.#refusal = refusal
      return this.#send({ filter: this.#filter })
    }
    this.#refusal = null
    if (refusal === '') this.#filter = this.#tried
    this.#pass({ kind: 'changed', fault: refusal })
  }

  post(change: MeterChange): void {
    this.#tried = change.filter
    this.#send(change)
  }

  #send(change: MeterChange): void {
    for (const { worker, control } of this.#threads) {
      worker?.postMessage(change)
      Atomics.add(control, CHANGES, 1)
    }
  }

  stop(): void {
    for (const { control } of this.#threads) {
      Atomics.store(control, STOP, 1)
      Atomics.notify(control, ROWS_WAITING)
    }
  }

  /** To be called when nothing more is to come. */
  async close(): Promise<void> {
    this.#abandon()
    await this.#recording?.close()
  }

  #giveBack(index: number, rows: number): void {
    const { control } = this.#threads[index]
    Atomics.sub(control, ROWS_WAITING, rows)
    Atomics.notify(control, ROWS_WAITING)
  }

  get rowsWaiting(): number {
    return this.#threads.reduce((sum, { control }) => sum + Atomics.load(control, ROWS_WAITING), 0)
  }

  /** Of each thread, a number that stands still only when it is stuck. */
  get pulses(): number[] {
    return this.#threads.map(({ control }) => Atomics.load(control, PULSE))
  }
}

function isOfQueues(message: WorkerMessage): message is Exclude<WorkerMessage, LiveMessage> {
  return message.kind === 'turn' || message.kind === 'through' || message.kind === 'drained'
}
