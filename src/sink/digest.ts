/**
 * What a run saw and said, in one number: equal digests, equal flows and alerts.
 *
 * In:  flow rows and alert lines in the order they leave. Out: SHA-256 in hex.
 * Not: what differs between a live run and its replay without anything having been seen differently: interface, file,
 *      packet source and the sensor's name (DESIGN.md section 2); they are taken out wherever an alert line has them.
 *
 * Flows and alerts are hashed apart, so that it does not matter how the two were interleaved.
 */
import { createHash, type Hash } from 'node:crypto'

/** Keys of eve's top level that do not count. */
const OUTER_KEYS = ['in_iface', 'pcap_filename', 'pkt_src', 'host']

const GATHERED_LEN = 64 * 1024

export class RunDigest {
  readonly #flows = new TextHash()
  readonly #alerts = new TextHash()

  /** @param text one row or several, each with its newline. */
  addFlowRows(text: string): void {
    this.#flows.add(text)
  }

  /** @param line the JSON text of an alert line. */
  addAlertLine(line: string): void {
    this.#alerts.add(`${comparableLine(line)}\n`)
  }

  /** May be asked once, at the end. */
  finish(): string {
    const both = createHash('sha256')
    both.update(this.#flows.finish()).update(this.#alerts.finish())
    return both.digest('hex')
  }
}

/** An alert line without what only says where the packets came from. */
export function comparableLine(line: string): string {
  const event = JSON.parse(line) as { alert?: { context?: { flowscribe?: { visibility?: object; sensor?: object } } } }
  const outer = without(event, OUTER_KEYS)
  const verdict = event.alert?.context?.flowscribe
  if (verdict === undefined) return JSON.stringify(outer)
  const flowscribe = {
    ...verdict,
    visibility: without(verdict.visibility ?? {}, ['source']),
    sensor: without(verdict.sensor ?? {}, ['name']),
  }
  return JSON.stringify({ ...outer, alert: { ...event.alert, context: { ...event.alert?.context, flowscribe } } })
}

function without(value: object, keys: readonly string[]): object {
  return Object.fromEntries(Object.entries(value).filter(([key]) => !keys.includes(key)))
}

/** Hashing row by row would cost more than the rows. */
class TextHash {
  readonly #hash: Hash = createHash('sha256')
  #parts: string[] = []
  #gatheredLen = 0

  add(text: string): void {
    this.#parts.push(text)
    this.#gatheredLen += text.length
    if (this.#gatheredLen >= GATHERED_LEN) this.#flush()
  }

  #flush(): void {
    this.#hash.update(this.#parts.join(''))
    this.#parts = []
    this.#gatheredLen = 0
  }

  finish(): Buffer {
    this.#flush()
    return this.#hash.digest()
  }
}
