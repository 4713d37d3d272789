/**
 * Syslog messages on their way: UDP (RFC 5426), one a datagram; TCP with octet counting (RFC 6587, section 3.4.1).
 *
 * In:  messages. Out: a promise that is kept when they are delivered; an error otherwise.
 * Not: patience and order: delivery-queue.ts gives a batch at a time and comes again.
 *
 * Plain TCP tells nobody whether a message was read: what stands in the buffers of a server that stops is lost. So each batch has its own
 * connection. Its octets are given time to arrive; then our end is closed, and only when the server, having read that far, closes its
 * end without an error, is the batch delivered. A server that stops with something unread resets the connection, and one that closes before we
 * do has not read our end. Then the batch is sent again: at least once. Alerts are rare, connections cheap.
 */
import { createSocket, type Socket } from 'node:dgram'
import { lookup } from 'node:dns/promises'
import { once } from 'node:events'
import { connect, isIP, isIPv6 } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Endpoint } from '../base/endpoint.ts'
import { Undeliverable } from './delivery-queue.ts'
import { errorCode } from './write-fault.ts'

export interface SyslogTransport {
  send(messages: readonly Buffer[]): Promise<void>
  close(): void
}

const ANSWER_MS = 10_000
/** Several round trips, of which connecting took one, and at least so long. */
const ARRIVAL_MS_MIN = 50
const ARRIVAL_ROUND_TRIPS = 4
/** A server that reads and never closes its end: after so many tries its batch counts as lost. */
const UNANSWERED_MAX = 3

export class TcpTransport implements SyslogTransport {
  readonly #to: Endpoint
  readonly #answerMs: number
  #unanswered = 0
  #close: (() => void) | null = null

  constructor(to: Endpoint, answerMs = ANSWER_MS) {
    this.#to = to
    this.#answerMs = answerMs
  }

  async send(messages: readonly Buffer[]): Promise<void> {
    const outcome = await this.#exchange(framed(messages))
    if (outcome === 'read') {
      this.#unanswered = 0
      return
    }
    if (outcome !== 'unanswered') throw new Error(outcome)
    this.#unanswered++
    const why = `the server did not close the connection within ${this.#answerMs / 1000} s of the last message`
    if (this.#unanswered < UNANSWERED_MAX) throw new Error(why)
    this.#unanswered = 0
    throw new Undeliverable(why)
  }

  #exchange(bytes: Buffer): Promise<string> {
    return new Promise((resolve) => {
      const startMs = performance.now()
      const socket = connect({ ...this.#to, allowHalfOpen: true })
      let arrival: NodeJS.Timeout | undefined
      let hasSentAll = false
      let outcome = 'the server closed the connection before it had read all'
      this.#close = () => socket.destroy()
      socket.setTimeout(this.#answerMs, () => {
        outcome = hasSentAll ? 'unanswered' : 'no answer'
        socket.destroy()
      })
      // Without a reader its end would never be seen; syslog servers say nothing.
      socket.resume()
      socket.on('connect', () => {
        const arrivalMs = Math.max(ARRIVAL_MS_MIN, ARRIVAL_ROUND_TRIPS * (performance.now() - startMs))
        const end = (): void => {
          socket.end(() => {
            hasSentAll = true
          })
        }
        socket.write(bytes, () => {
          arrival = setTimeout(end, arrivalMs)
        })
      })
      socket.on('end', () => {
        if (hasSentAll) outcome = 'read'
        socket.destroy()
      })
      socket.on('error', (error) => {
        outcome = remark(error)
      })
      socket.on('close', () => {
        clearTimeout(arrival)
        this.#close = null
        resolve(outcome)
      })
    })
  }

  close(): void {
    this.#close?.()
  }
}

/** Each message behind its length in octets. */
export function framed(messages: readonly Buffer[]): Buffer {
  return Buffer.concat(messages.flatMap((message) => [Buffer.from(`${message.length} `), message]))
}

/** How long a host has to say that nobody listens: ICMP on a local network takes a fraction of it. */
const REFUSAL_MS = 50

/** Connected, so that the host's refusal (ICMP) comes back to us; then the batch is sent again. That a datagram was lost is not seen. */
export class UdpTransport implements SyslogTransport {
  readonly #to: Endpoint
  #socket: Socket | null = null
  #refusal: Error | null = null

  constructor(to: Endpoint) {
    this.#to = to
  }

  async send(messages: readonly Buffer[]): Promise<void> {
    try {
      this.#refusal = null
      this.#socket ??= await this.#connect()
      for (const message of messages) await sendDatagram(this.#socket, message)
      await sleep(REFUSAL_MS)
      if (this.#refusal !== null) throw this.#refusal
    } catch (error) {
      // A name may have another address by now.
      this.close()
      throw new Error(remark(error))
    }
  }

  async #connect(): Promise<Socket> {
    const { host, port } = this.#to
    const address = isIP(host) > 0 ? host : (await lookup(host)).address
    const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4')
    socket.on('error', (error) => {
      this.#refusal = error
    })
    socket.connect(port, address)
    await once(socket, 'connect')
    socket.unref()
    return socket
  }

  close(): void {
    this.#socket?.close()
    this.#socket = null
  }
}

function sendDatagram(socket: Socket, message: Buffer): Promise<void> {
  return new Promise((resolve, reject) => socket.send(message, (error) => (error === null ? resolve() : reject(error))))
}

const REMARKS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nobody listens there (connection refused)',
  ECONNRESET: 'the server closed the connection before it had read all',
  EPIPE: 'the server closed the connection before it had read all',
  ENOTFOUND: 'no such host',
  EAI_AGAIN: 'the name cannot be looked up now',
  ETIMEDOUT: 'no answer',
  EHOSTUNREACH: 'no way to that host',
  ENETUNREACH: 'no way to that network',
}

function remark(error: unknown): string {
  return REMARKS[errorCode(error)] ?? (error instanceof Error ? error.message : String(error))
}
