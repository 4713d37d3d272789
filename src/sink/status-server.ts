/**
 * A few pages for machines over HTTP: /metrics, /healthz, /readyz.
 *
 * In:  where to listen, and what each path answers. Out: the pages, to GET and HEAD. Not: passwords, encryption, anything that changes the sensor.
 * The invariant: no request takes more than a few seconds or one of a few connections, whatever it sends.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { type Endpoint, parseEndpoint } from '../base/endpoint.ts'
import { RunError } from '../base/errors.ts'
import { errorCode } from './write-fault.ts'

export interface Page {
  status: number
  type: string
  body: string
}

/** By path. */
export type Pages = Readonly<Record<string, () => Page | Promise<Page>>>

const CONNECTIONS_MAX = 16
const REQUEST_MS = 5000
const IDLE_MS = 30_000

export class StatusServer {
  readonly #pages: Pages
  #server: Server | null = null
  #listen = ''

  constructor(pages: Pages) {
    this.#pages = pages
  }

  /** Where it listens; '' for nowhere. */
  get listen(): string {
    return this.#listen
  }

  /** Listens there, and no longer elsewhere; at the old place still when the new one is not to be had. @throws RunError */
  async apply(listen: string): Promise<void> {
    if (listen === this.#listen) return
    const to = parseEndpoint(listen)
    const server = to === null ? null : await this.#open(to, listen)
    await this.close()
    this.#server = server
    this.#listen = listen
  }

  async #open({ host, port }: Endpoint, listen: string): Promise<Server> {
    const server = createServer(
      { requestTimeout: REQUEST_MS, headersTimeout: REQUEST_MS, keepAliveTimeout: IDLE_MS },
      (request, response) => {
        void this.#answer(request, response)
      },
    )
    server.maxConnections = CONNECTIONS_MAX
    await new Promise<void>((resolve, reject) => {
      server.once('error', (error) => reject(new RunError(`cannot listen at ${listen} (metrics.listen): ${remedy(error)}`)))
      server.listen({ host, port, exclusive: true }, resolve)
    })
    server.removeAllListeners('error')
    // Of single connections; none of them is worth the sensor's end.
    server.on('error', () => {})
    server.unref()
    return server
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { status, type, body } = await this.#page(request)
    response.writeHead(status, {
      'content-type': type,
      'content-length': Buffer.byteLength(body),
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      ...(status === 405 ? { allow: 'GET, HEAD' } : {}),
    })
    response.end(request.method === 'HEAD' ? undefined : body)
  }

  async #page({ method, url }: IncomingMessage): Promise<Page> {
    if (method !== 'GET' && method !== 'HEAD') return plain(405, 'only GET and HEAD')
    const path = (url ?? '').replace(/[?#].*$/s, '')
    if (!Object.hasOwn(this.#pages, path)) return plain(404, `there are: ${Object.keys(this.#pages).join(' ')}`)
    try {
      return await this.#pages[path]()
    } catch (error) {
      return plain(500, error instanceof Error ? error.message : String(error))
    }
  }

  async close(): Promise<void> {
    const server = this.#server
    this.#server = null
    this.#listen = ''
    if (server === null) return
    const closed = new Promise((resolve) => server.close(resolve))
    server.closeAllConnections()
    await closed
  }
}

export function plain(status: number, text: string): Page {
  return { status, type: 'text/plain; charset=utf-8', body: `${text}\n` }
}

const REMEDIES: Readonly<Record<string, string>> = {
  EADDRINUSE: 'the port is taken, perhaps by another sensor: choose another',
  EADDRNOTAVAIL: 'no interface of this machine has that address',
  EACCES: 'not allowed: ports below 1024 need a privilege',
  ENOTFOUND: 'no such host',
  EAI_AGAIN: 'the name cannot be looked up',
}

function remedy(error: unknown): string {
  return REMEDIES[errorCode(error)] ?? (error instanceof Error ? error.message : String(error))
}
