/**
 * The baseline of a live run, under its state folder: read at start, stored at each commit and at the end.
 *
 * In:  the folder. Out: the snapshot to start from; log lines when one cannot be used or stored. A run never ends because of it.
 * Not: ours alone: who imports or resets a baseline meanwhile wins; the run then keeps its own to itself and says so.
 * The invariant: a file that could not be used is kept beside, never overwritten.
 */
import { existsSync, renameSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { Logger } from 'pino'
import type { Analyst } from './score/analyst.ts'
import type { Snapshot } from './score/surprisal/snapshot.ts'
import { BaselineFault, encodeBaseline, readBaseline, writeBaseline } from './sink/baseline-file.ts'
import { VERSION } from './version.ts'

const FILE_NAME = 'baseline.flowscribe'

export function baselinePath(folder: string): string {
  return join(folder, FILE_NAME)
}

/** Moves a file out of the way under a name that says why; gives that name. */
export function keepAside(path: string, why: 'damaged' | 'refused' | 'before'): string {
  const aside = `${path}.${why}`
  renameSync(path, aside)
  return aside
}

export class BaselineStore {
  readonly snapshot: Snapshot | null
  readonly #path: string
  readonly #log: Logger
  /** What lies there as we know it; null for nothing. */
  #known: string | null
  #isOurs = true
  #beginning: { fields: object; text: string } | null = null

  /** @param folder '' keeps no baseline. */
  constructor(folder: string, log: Logger) {
    this.#path = folder === '' ? '' : baselinePath(folder)
    this.#log = log
    this.snapshot = this.#path === '' ? null : this.#read()
    this.#known = this.#stamp()
  }

  /** Once capture has begun: what cannot begin says only why. */
  announce(): void {
    if (this.#beginning !== null) this.#log.info({ path: this.#path, ...this.#beginning.fields }, this.#beginning.text)
  }

  save(analyst: Analyst): void {
    const { state, watched, remaining, votes, hosts } = analyst.baseline
    const fields = { state, watched: watched.text, remaining: remaining?.text ?? 'none', votes: votes.v, hosts: hosts.v }
    if (this.#path === '' || !this.#isOurs) return this.#log.info(fields, 'baseline')
    if (this.#stamp() !== this.#known) {
      this.#isOurs = false
      this.#log.warn({ path: this.#path }, 'the baseline was imported or reset meanwhile: in force from the next start on, not overwritten')
      return
    }
    try {
      writeBaseline(this.#path, encodeBaseline(analyst.snapshot(), VERSION))
      this.#known = this.#stamp()
      this.#log.info({ ...fields, path: this.#path }, 'baseline stored')
    } catch (error) {
      this.#log.error(`baseline not stored: ${messageOf(error)}`)
    }
  }

  /** A copy of what this run started from, for replaying what it records; false when it started from none. */
  copyStart(path: string): boolean {
    if (this.snapshot === null) return false
    writeBaseline(path, encodeBaseline(this.snapshot, VERSION))
    return true
  }

  #read(): Snapshot | null {
    if (!existsSync(this.#path)) {
      this.#beginning = { fields: {}, text: 'no baseline yet: learning' }
      return null
    }
    try {
      const { snapshot } = readBaseline(this.#path)
      const { state, votes, hosts } = snapshot.header
      this.#beginning = { fields: { state, votes: Math.round(votes), hosts }, text: 'baseline read' }
      return snapshot
    } catch (error) {
      this.#log.error(`${messageOf(error)}; learning anew${this.#setAside(error)}`)
      return null
    }
  }

  #setAside(error: unknown): string {
    if (!(error instanceof BaselineFault)) return ''
    try {
      return `, the file is kept as ${keepAside(this.#path, error.isDamaged ? 'damaged' : 'refused')}`
    } catch (fault) {
      this.#isOurs = false
      return `; it cannot be moved away (${messageOf(fault)}), so nothing is stored`
    }
  }

  #stamp(): string | null {
    try {
      const { ino, mtimeMs, size } = statSync(this.#path)
      return `${ino} ${mtimeMs} ${size}`
    } catch {
      return null
    }
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
