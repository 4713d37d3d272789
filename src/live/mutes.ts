/**
 * The mute rules of a live run: read at start and at SIGHUP from the file of `mutes.file`.
 *
 * In:  the configuration. Out: the rule that mutes an episode; log lines about what is in force and what has ended.
 * Not: when a rule ends; packet time says that (score/mutes.ts).
 * The invariant: a faulty file ends the start, and at SIGHUP changes nothing.
 */
import type { Logger } from 'pino'
import type { Config } from '../config.ts'
import { loadMutes } from '../mute-file.ts'
import type { Suppression } from '../score/evidence.ts'
import { type MuteRule, type MuteSubject, type Mutes, NO_MUTES } from '../score/mutes.ts'
import { expiredText } from '../sensor.ts'

type MutesConfig = Pick<Config, 'mutes' | 'networks'>

export class LiveMutes {
  readonly #log: Logger
  readonly #said = new Set<string>()
  #mutes: Mutes = NO_MUTES
  #baseSec: number | null = null

  /** @throws ConfigError */
  constructor(config: MutesConfig, log: Logger) {
    this.#log = log
    this.use(this.read(config))
  }

  /** The rules as they stand in the file now, not yet in force. @throws ConfigError */
  read({ mutes, networks }: MutesConfig): Mutes {
    return loadMutes(mutes.file, networks.internal, true)
  }

  /** Puts rules in force; false when they are those that were. */
  use(mutes: Mutes): boolean {
    const hasChanged = JSON.stringify(mutes.rules) !== JSON.stringify(this.#mutes.rules)
    this.#mutes = mutes
    if (hasChanged) this.#log.info({ rules: mutes.rules.length }, 'mute rules in force')
    if (this.#baseSec !== null) this.sayExpired(this.#baseSec)
    return hasChanged
  }

  /** Says once of each rule that it had ended before this second. */
  sayExpired(baseSec: number): void {
    this.#baseSec = baseSec
    const expired = this.#mutes.expiredAt(baseSec).filter(({ id, until }) => !this.#said.has(`${id} ${until}`))
    for (const rule of expired) {
      this.#log.warn({ rule: rule.id }, expiredText(rule))
      this.#said.add(`${rule.id} ${rule.until}`)
    }
  }

  suppressionOf(subject: MuteSubject): Suppression | null {
    return this.#mutes.suppressionOf(subject)
  }

  get rules(): readonly MuteRule[] {
    return this.#mutes.rules
  }
}
