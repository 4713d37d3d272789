/**
 * A real rsyslogd on loopback: TCP and UDP at one high port, what it parsed written as a line a message.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'

export const RSYSLOGD = ['/usr/sbin/rsyslogd', '/sbin/rsyslogd'].find((path) => existsSync(path)) ?? ''

const ELSEWHERE_MS = 1500

/** A message as rsyslog took it apart. */
export interface Parsed {
  pri: string
  time: string
  host: string
  app: string
  procId: string
  msgId: string
  sd: string
  msg: string
}

const FIELDS = ['pri', 'timereported:::date-rfc3339', 'hostname', 'app-name', 'procid', 'msgid', 'structured-data', 'msg']
/** Not in any message. */
const BETWEEN = '\u241f'

export class Rsyslog {
  readonly port: number
  readonly #folder: string
  #child: ChildProcess | null = null

  constructor(folder: string, port: number) {
    this.#folder = folder
    this.port = port
    mkdirSync(join(folder, 'work'), { recursive: true })
    const template = FIELDS.map((field) => `%${field}%`).join(BETWEEN)
    writeFileSync(
      this.#path('rsyslog.conf'),
      [
        `global(workDirectory="${this.#path('work')}" maxMessageSize="64k" parser.escapeControlCharactersOnReceive="off")`,
        'module(load="imudp")',
        'module(load="imtcp")',
        `input(type="imudp" address="127.0.0.1" port="${port}")`,
        `input(type="imtcp" address="127.0.0.1" port="${port}")`,
        `template(name="all" type="string" string="${template}\\n")`,
        `*.* action(type="omfile" file="${this.#path('messages')}" template="all")`,
        '',
      ].join('\n'),
    )
  }

  #path(name: string): string {
    return join(this.#folder, name)
  }

  /** @param before words such as `ip netns exec NAME` */
  async start(before: readonly string[] = []): Promise<void> {
    const [program, ...words] = [...before, RSYSLOGD]
    this.#child = spawn(program, [...words, '-n', '-f', this.#path('rsyslog.conf'), '-i', this.#path('pid')], { stdio: 'ignore' })
    // In another namespace its port cannot be seen from here.
    if (before.length > 0) await sleep(ELSEWHERE_MS)
    else for (let tries = 0; tries < 100 && (await canListen(this.port)); tries++) await sleep(50)
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    const child = this.#child
    this.#child = null
    if (child === null) return
    const ended = new Promise((resolve) => child.on('exit', resolve))
    child.kill(signal)
    await ended
  }

  messages(): Parsed[] {
    if (!existsSync(this.#path('messages'))) return []
    const lines = readFileSync(this.#path('messages'), 'utf8').split('\n')
    return lines
      .map((line) => line.split(BETWEEN))
      .filter((parts) => parts[3] === 'flowscribe')
      .map(([pri, time, host, app, procId, msgId, sd, msg]) => ({ pri, time, host, app, procId, msgId, sd, msg: msg.trimStart() }))
  }

  /** Waits until `count` messages came; gives back what there is after ten seconds at most. */
  async received(count: number): Promise<Parsed[]> {
    for (let tries = 0; tries < 200 && this.messages().length < count; tries++) await sleep(50)
    return this.messages()
  }
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  return typeof address === 'object' && address !== null ? address.port : 0
}

function canListen(port: number): Promise<boolean> {
  const server = createServer()
  return new Promise((resolve) => {
    server.on('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}

/** `[flowscribe@32473 a="x" b="y"]` as the grammar of RFC 5424 section 6.3 has it; null when it is not that. */
export function parseStructuredData(text: string): { id: string; params: Record<string, string> } | null {
  const element =
    /^\[([\x21\x23-\x3c\x3e-\x5c\x5e-\x7e]{1,32})((?: [\x21\x23-\x3c\x3e-\x5c\x5e-\x7e]{1,32}="(?:[^"\\\]]|\\["\\\]])*")*)\]$/s.exec(text)
  if (element === null) return null
  const params = [...element[2].matchAll(/ ([^=]+)="((?:[^"\\\]]|\\["\\\]])*)"/gs)].map(([, name, value]) => [
    name,
    value.replace(/\\(["\\\]])/g, '$1'),
  ])
  return { id: element[1], params: Object.fromEntries(params) }
}
