/**
 * The one catch around one slab, and around one judged flow (STYLE.md section 7, 'bug'): counted, kept for a test, gone on from.
 *
 * In:  a piece of work, and what it was done on. Out: a file a fault, FILES_MAX at most, in a folder of their own; a message for the log.
 * Not: for what the world or the operator did wrong: such errors pass through, and so does whatever happens too often.
 *
 * Live only. A replay or a test ends at a bug: whoever runs it is there to see it, and a result with a hole in it must not be taken for
 * a whole one. A daemon alone on a mirror port must not be put out by one packet that we had not thought of.
 */
import { mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { ConfigError, RunError, UsageError } from './base/errors.ts'

const FILES_MAX = 32
/** Beyond this something is broken for good: the service manager's restart is the better cure. */
const FAULTS_A_MINUTE_MAX = 10
const MINUTE_MS = 60_000

export interface Bug {
  /** What was being done. */
  what: string
  /** Message and stack of the error. */
  stack: string
  /** Where what it was done on was kept; null when enough is kept already, or it could not be written. */
  path: string | null
}

export class BugGuard {
  count = 0
  readonly #folder: string
  readonly #tell: (bug: Bug) => void
  readonly #nowMs: () => number
  /** Times of the last faults, oldest first; FAULTS_A_MINUTE_MAX + 1 at most. */
  readonly #timesMs: number[] = []

  /** @param folder made when there is something to keep */
  constructor(folder: string, tell: (bug: Bug) => void, nowMs: () => number = () => performance.now()) {
    this.#folder = folder
    this.#tell = tell
    this.#nowMs = nowMs
  }

  /**
   * Does the work; a bug in it is counted and told.
   * @param keep writes what the work was done on to the path given; the name's ending says what it is
   * @throws the error itself when it is no bug, or one too many
   */
  run(what: string, ending: string, work: () => void, keep: (path: string) => void): void {
    try {
      work()
    } catch (error) {
      if (isOfTheWorld(error)) throw error
      this.count++
      this.#tell({
        what,
        stack: error instanceof Error ? (error.stack ?? error.message) : String(error),
        path: this.#keep(what, ending, keep),
      })
      if (this.#isTooOften()) throw new Error(`more than ${FAULTS_A_MINUTE_MAX} faults of the program in a minute`, { cause: error })
    }
  }

  #isTooOften(): boolean {
    const nowMs = this.#nowMs()
    this.#timesMs.push(nowMs)
    while (this.#timesMs[0] < nowMs - MINUTE_MS) this.#timesMs.shift()
    return this.#timesMs.length > FAULTS_A_MINUTE_MAX
  }

  /** Files of earlier runs count: a restart must not fill the disk. */
  #keep(what: string, ending: string, keep: (path: string) => void): string | null {
    try {
      mkdirSync(this.#folder, { recursive: true, mode: 0o750 })
      const names = readdirSync(this.#folder)
      if (names.length >= FILES_MAX) return null
      for (let number = 1; number <= FILES_MAX; number++) {
        const name = `${what}-${number}.${ending}`
        if (names.includes(name)) continue
        keep(join(this.#folder, name))
        return join(this.#folder, name)
      }
    } catch {
      // The disk says no: the fault itself is told all the same.
    }
    return null
  }
}

/** A full disk, a missing right: with words of its own, and not cured by going on. */
function isOfTheWorld(error: unknown): boolean {
  if (error instanceof RunError || error instanceof ConfigError || error instanceof UsageError) return true
  return error instanceof Error && 'syscall' in error
}
