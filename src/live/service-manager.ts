/**
 * What the service manager that started us is told (sd_notify(3)): ready, reloading, stopping, a line of state, and that work goes on.
 *
 * In:  NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID of the environment; the addon, which has the socket that Node has not.
 * Out: datagrams. Nothing where nobody listens: no service manager, no addon, no answer.
 * Not: whether work goes on; the caller knows, and is asked at half of the watchdog's time.
 */
import type { RingAddon } from '../capture/ring-addon.ts'

/** What it is told by. */
export interface ServiceEnvironment {
  NOTIFY_SOCKET?: string | undefined
  WATCHDOG_USEC?: string | undefined
  WATCHDOG_PID?: string | undefined
}

export interface ServiceManagerOptions {
  env: ServiceEnvironment
  pid: number
  addon: Pick<RingAddon, 'notify'> | null
}

const US_PER_MS = 1000
/** A watchdog that is asked for in less than this is a mistake, and would only keep us busy. */
const WATCHDOG_US_MIN = 100_000

export class ServiceManager {
  readonly #address: string
  readonly #addon: Pick<RingAddon, 'notify'> | null
  /** How often to say that work goes on; 0: nobody asks. */
  readonly aliveEveryMs: number
  #timer: NodeJS.Timeout | null = null

  constructor({ env, pid, addon }: ServiceManagerOptions) {
    this.#address = env.NOTIFY_SOCKET ?? ''
    this.#addon = this.#address === '' ? null : addon
    const watchdogUs = Number(env.WATCHDOG_USEC ?? 0)
    const isForUs = env.WATCHDOG_PID === undefined || Number(env.WATCHDOG_PID) === pid
    this.aliveEveryMs = isForUs && watchdogUs >= WATCHDOG_US_MIN ? Math.floor(watchdogUs / 2 / US_PER_MS) : 0
  }

  /** @param hasProgressed asked at half of the watchdog's time; when it says no, the manager is left to think the worst */
  ready(status: string, hasProgressed: () => boolean): void {
    this.#say('READY=1', `STATUS=${oneLine(status)}`)
    if (this.aliveEveryMs === 0 || this.#addon === null || this.#timer !== null) return
    this.#timer = setInterval(() => {
      if (hasProgressed()) this.#say('WATCHDOG=1')
    }, this.aliveEveryMs)
    this.#timer.unref()
  }

  status(status: string): void {
    this.#say(`STATUS=${oneLine(status)}`)
  }

  /** With the time, since a manager of Type=notify-reload compares it with its own. */
  reloading(): void {
    this.#say('RELOADING=1', `MONOTONIC_USEC=${process.hrtime.bigint() / 1000n}`, 'STATUS=reading the configuration')
  }

  reloaded(status: string): void {
    this.#say('READY=1', `STATUS=${oneLine(status)}`)
  }

  stopping(): void {
    this.#say('STOPPING=1', 'STATUS=flushing flows and alerts')
  }

  close(): void {
    if (this.#timer !== null) clearInterval(this.#timer)
    this.#timer = null
  }

  #say(...lines: string[]): void {
    this.#addon?.notify(this.#address, lines.join('\n'))
  }
}

const STATUS_LEN_MAX = 500

/** A line break would begin another assignment, NUL is refused. */
function oneLine(text: string): string {
  return text.replace(/\p{Cc}+/gu, ' ').slice(0, STATUS_LEN_MAX)
}
