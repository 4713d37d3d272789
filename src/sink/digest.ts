/**
 * What a run saw and said, in one number: equal digests, equal flows and alerts.
 *
 * In:  batches of flow rows and alert lines in the order they leave. Out: SHA-256 in hex, of each.
 * Not: what differs between a live run and its replay without anything having been seen differently: interface, file,
 *      packet source and the sensor's name (DESIGN.md section 2), and how far its memory of packets reached; they are taken out wherever an alert line has them.
 *
 * Flows and alerts are hashed apart, so that it does not matter how the two were interleaved.
 */
import { createHash } from 'node:crypto'
import { BATCH_CELLS, type FlowBatch } from '../flow/batch.ts'
import { ROW_BYTES, ROW_CELLS } from '../flow/row.ts'

/** Keys of eve's top level that do not count. */
const OUTER_KEYS = ['in_iface', 'pcap_filename', 'pkt_src', 'host']

export class RunDigest {
  readonly #flows = createHash('sha256')
  #hasBase = false
  /** Rows lie scattered in the table: they are gathered here. */
  readonly #rows = new Float64Array(BATCH_CELLS)
  readonly #alerts = createHash('sha256')

  /** The rows as they lie in the batch, and what their times count from. */
  addRows(batch: FlowBatch): void {
    if (!this.#hasBase) this.#flows.update(`rows of layout ${batch.version} since ${batch.baseSec}\n`)
    this.#hasBase = true
    // As they come from another thread they lie one after the other already.
    const isPacked = batch.cells.length === batch.count * ROW_CELLS
    if (!isPacked) batch.copyRows(this.#rows)
    const { buffer, byteOffset } = isPacked ? batch.cells : this.#rows
    this.#flows.update(new Uint8Array(buffer, byteOffset, batch.count * ROW_BYTES))
  }

  /** @param line the JSON text of an alert line. */
  addAlertLine(line: string): void {
    this.#alerts.update(`${comparableLine(line)}\n`)
  }

  /** What was added so far. */
  digests(): { flows: string; alerts: string } {
    return { flows: this.#flows.copy().digest('hex'), alerts: this.#alerts.copy().digest('hex') }
  }
}

/** An alert line without what only says where the packets came from. */
export function comparableLine(line: string): string {
  const event = JSON.parse(line) as { alert?: { context?: { flowscribe?: { visibility?: object; sensor?: object } } } }
  const outer = without(event, OUTER_KEYS)
  const verdict = event.alert?.context?.flowscribe
  if (verdict === undefined) return JSON.stringify(outer)
  const flowscribe = {
    ...without(verdict, ['slice']),
    visibility: without(verdict.visibility ?? {}, ['source']),
    sensor: without(verdict.sensor ?? {}, ['name']),
  }
  return JSON.stringify({ ...outer, alert: { ...event.alert, context: { ...event.alert?.context, flowscribe } } })
}

function without(value: object, keys: readonly string[]): object {
  return Object.fromEntries(Object.entries(value).filter(([key]) => !keys.includes(key)))
}
