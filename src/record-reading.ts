/**
 * Flow records of other tools, from files to flows that an Analyst takes: what `score` and the evaluation stand on.
 *
 *   const reading = new RecordReading({ records: config.records, from: null, isInsideTaken: true })
 *   for await (const flows of reading.flows(paths)) for (const flow of flows) analyst.onFlow(flow)
 *
 * In:  paths (plain, .gz, .zst, or '-'); the format, or null to tell it from the content.
 * Out: flows in the order of their ends over all files, times relative to `baseSec`; what was read, what could not be used, what is lacking.
 * Not: judging, and no output. One bad file does not lose the others.
 */
import { basename } from 'node:path'
import { RunError } from './base/errors.ts'
import type { OptionValues } from './base/option.ts'
import { describeFault, RecordFaults, RecordFile } from './capture/record-file.ts'
import type { RecordFormatName } from './capture/record-format.ts'
import type { RECORD_OPTIONS } from './features/records/options.ts'
import { RecordFlows } from './features/records/record-flows.ts'
import type { Flow } from './flow/flow.ts'
import type { Visibility } from './score/evidence.ts'
import { isServicePort } from './score/orientation.ts'

export interface RecordReadingOptions {
  records: OptionValues<typeof RECORD_OPTIONS>
  /** null: told from the content. */
  from: RecordFormatName | null
  /** Whether a log's own word on who is inside (Zeek's local_orig, local_resp) counts beside the configured networks. */
  isInsideTaken: boolean
  /** Ends the reading early. */
  signal?: AbortSignal
  /** How far the reading is, after each block. */
  onProgress?: (doneBytes: number, totalBytes: number | null, records: number) => void
}

export class RecordReading {
  readonly faults = new RecordFaults()
  /** Files that could not be read at all, each a line with its remedy. */
  readonly failures: string[] = []
  /** The file at hand. */
  path = ''
  /** The line at hand when a signal ended the reading; null when none did. */
  interruptedAt: { path: string; line: number } | null = null
  readonly #options: RecordReadingOptions
  readonly #flows: RecordFlows

  constructor(options: RecordReadingOptions) {
    this.#options = options
    this.#flows = new RecordFlows({
      heldMax: options.records.held_max,
      sampling: options.records.sampling,
      isInsideTaken: options.isInsideTaken,
      faults: this.faults,
    })
  }

  /** What the flows' times count from; known with the first flow. */
  get baseSec(): number {
    return this.#flows.baseSec
  }

  get ledger(): RecordFlows['ledger'] {
    return this.#flows.ledger
  }

  get order(): RecordFlows['order'] {
    return this.#flows.order
  }

  get pairing(): RecordFlows['pairing'] {
    return this.#flows.pairing
  }

  /** @throws RunError when no file could be read. */
  async *flows(paths: readonly string[]): AsyncGenerator<Flow[]> {
    for (const path of paths) {
      if (this.#options.signal?.aborted) break
      try {
        yield* this.#fileFlows(path)
      } catch (error) {
        if (!(error instanceof RunError)) throw error
        this.failures.push(error.message)
      }
    }
    if (this.failures.length > 0 && this.failures.length === paths.length) throw new RunError(this.failures.join('\n'))
    yield this.#noted(this.#flows.finish())
  }

  /** What an alert's visibility says of records. */
  visibility(): Visibility {
    const { ledger, order } = this
    return {
      packetsSeen: ledger.packets,
      packetsNotDecoded: null,
      truncatedPackets: null,
      latePackets: null,
      evictedFlows: null,
      bothHalves: null,
      inputDamage: this.faults.count === 0 ? null : 'lines that were no flow records',
      source: 'flow records',
      records: {
        formats: [...ledger.formats],
        read: ledger.read,
        damaged: this.faults.count,
        tooLate: order.tooLate,
        sampling: ledger.sampling,
        clientHalvesOnly: ledger.clientHalves,
        serverHalvesOnly: ledger.serverHalves,
        lacks: ledger.lacks,
        notes: ledger.notes,
      },
    }
  }

  async *#fileFlows(path: string): AsyncGenerator<Flow[]> {
    const file = await RecordFile.open(path, this.faults, this.#options.from)
    const { signal, onProgress } = this.#options
    // A blocked read of a pipe ends when its source is closed.
    const stop = (): void => void file.close()
    signal?.addEventListener('abort', stop, { once: true })
    this.path = file.path
    const before = { read: this.ledger.read, faults: this.faults.count }
    const name = path === '-' ? file.path : basename(path)
    try {
      for await (const records of file.records()) {
        if (signal?.aborted) {
          this.interruptedAt = { path: file.path, line: records[0].line }
          return
        }
        const flows = records.flatMap((record) => this.#flows.take(record, file.path, name))
        onProgress?.(file.doneBytes, file.totalBytes, this.ledger.read)
        if (flows.length > 0) yield this.#noted(flows)
      }
      if (this.ledger.read === before.read && this.faults.count > before.faults) {
        const [first] = this.faults.told.filter((fault) => fault.path === file.path)
        throw new RunError(`${file.path}: no line in it could be used${first === undefined ? '' : `; the first: ${describeFault(first)}`}`)
      }
    } catch (error) {
      // Closing a source under a waiting read may make it fail: after a signal that is how it was meant to end.
      if (signal?.aborted !== true) throw error
      this.interruptedAt ??= { path: file.path, line: 0 }
    } finally {
      signal?.removeEventListener('abort', stop)
      await file.close()
    }
  }

  #noted(flows: Flow[]): Flow[] {
    for (const flow of flows) {
      if (flow.record?.isOneWay === true) this.ledger.noteHalf(isServicePort(flow.port[0]) && !isServicePort(flow.port[1]))
    }
    return flows
  }
}
