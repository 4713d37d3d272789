/**
 * Alert events forwarded to a syslog server: message, queue and transport joined.
 *
 * In:  alert lines, the configuration's section `syslog`. Out: messages; counters; a word at each change of state.
 * Not: waiting. `add` only queues, so that a server that is away costs no packet and no judgement.
 * The invariant: other settings change where the waiting messages go, not whether: they are moved to the new server.
 */
import { hostname } from 'node:os'
import { parseEndpoint } from '../base/endpoint.ts'
import type { OptionValues } from '../base/option.ts'
import type { AlertLine } from '../explain/alert-line.ts'
import { DeliveryQueue, type QueueChange, Undeliverable } from './delivery-queue.ts'
import type { SYSLOG_OPTIONS } from './options.ts'
import { DATAGRAM_BYTES_MAX, type SyslogSpeaker, syslogMessage } from './syslog-message.ts'
import { type SyslogTransport, TcpTransport, UdpTransport } from './syslog-transport.ts'

export type SyslogSettings = OptionValues<typeof SYSLOG_OPTIONS>

const QUEUE_BYTES_MAX = 16e6
/** One connection, or one wait for a refusal, a batch: as much as every server's first window takes (syslog-transport.ts). */
const BATCH_ITEMS_MAX = 64
const BATCH_BYTES_MAX = 60_000
/** A line of alerts.jsonl, and its head. */
const STREAM_BYTES_MAX = 68 * 1024
const RETRY_FIRST_MS = 500
const RETRY_MAX_MS = 30_000

export class SyslogSink {
  readonly queue: DeliveryQueue<Buffer>
  #settings: SyslogSettings
  #transport: SyslogTransport | null

  constructor(settings: SyslogSettings, onState: (change: QueueChange) => void) {
    this.#settings = settings
    this.#transport = transportOf(settings)
    this.queue = new DeliveryQueue<Buffer>({
      name: 'syslog',
      itemsMax: settings.queue_messages,
      bytesMax: QUEUE_BYTES_MAX,
      batchItemsMax: BATCH_ITEMS_MAX,
      batchBytesMax: BATCH_BYTES_MAX,
      bytesOf: ({ length }) => length,
      deliver: (batch) => this.#send(batch),
      onState,
      retryFirstMs: RETRY_FIRST_MS,
      retryMaxMs: RETRY_MAX_MS,
    })
  }

  get isOn(): boolean {
    return this.#transport !== null
  }

  add(line: AlertLine): void {
    if (this.#transport === null) return
    const bytesMax = this.#settings.transport === 'udp' ? DATAGRAM_BYTES_MAX : STREAM_BYTES_MAX
    this.queue.add(syslogMessage(line, speakerOf(this.#settings), bytesMax))
  }

  #send(batch: readonly Buffer[]): Promise<void> {
    return this.#transport?.send(batch) ?? Promise.reject(new Undeliverable('syslog.target is no longer set'))
  }

  apply(settings: SyslogSettings): void {
    if (JSON.stringify(settings) === JSON.stringify(this.#settings)) return
    this.#settings = settings
    this.queue.limit(settings.queue_messages, QUEUE_BYTES_MAX)
    const old = this.#transport
    this.#transport = transportOf(settings)
    old?.close()
    this.queue.retryNow()
  }

  /** Gives back how many messages were not delivered in that time. */
  async close(limitMs: number): Promise<number> {
    const left = await this.queue.close(limitMs)
    this.#transport?.close()
    return left
  }
}

function transportOf({ target, transport }: SyslogSettings): SyslogTransport | null {
  const to = parseEndpoint(target)
  if (to === null) return null
  return transport === 'udp' ? new UdpTransport(to) : new TcpTransport(to)
}

function speakerOf({ facility, host, enterprise_number, message }: SyslogSettings): SyslogSpeaker {
  return {
    // Checked against the option's list when the configuration was read.
    facility: facility as SyslogSpeaker['facility'],
    host: host === '' ? hostname() : host,
    procId: process.pid,
    enterpriseNumber: enterprise_number,
    message: message as SyslogSpeaker['message'],
  }
}
