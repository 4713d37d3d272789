/**
 * How far the baseline has come: learning → partial → ready, and drifting while the network has become another.
 *
 * In:  packet time. Out: when to commit, what the baseline is called, how long until it is ready, how much the anomaly counts.
 * Not: time in which nothing was seen: a step of more than STEP_MAX_US counts as that.
 * The invariant: the first commits come at set ages, all later ones every six hours (SCORER.md section 4.5).
 */

const US_PER_S = 1e6
const MINUTE_US = 60 * US_PER_S
export const HOUR_US = 60 * MINUTE_US
const STEP_MAX_US = 10 * MINUTE_US

/** Ages of the first commits; then every COMMIT_EVERY_US. */
const FIRST_COMMITS_US = [10 * MINUTE_US, 30 * MINUTE_US, HOUR_US, 3 * HOUR_US, 6 * HOUR_US] as const
export const COMMIT_EVERY_US = 6 * HOUR_US
/** The first commit comes earlier when there is this much to learn from. */
const FIRST_VOTES = 2000

const LEARNING_UNTIL_US = HOUR_US
const PARTIAL_UNTIL_US = 24 * HOUR_US
/** The time of the week means nothing before a week was seen. */
const WEEK_US = 7 * 24 * HOUR_US

export type BaselineState = 'learning' | 'partial' | 'ready' | 'drifting'

/** What is stored of it. */
export interface LifeCycleRecord {
  watchedUs: number
  commits: number
  committedAtUs: number
  isDrifting: boolean
}

export class LifeCycle {
  #record: LifeCycleRecord = { watchedUs: 0, commits: 0, committedAtUs: 0, isDrifting: false }
  #nowUs = Number.NEGATIVE_INFINITY

  /** Goes on from a stored one. */
  restore(record: LifeCycleRecord): void {
    this.#record = { ...record }
  }

  get record(): Readonly<LifeCycleRecord> {
    return this.#record
  }

  advance(nowUs: number): void {
    if (nowUs > this.#nowUs && this.#nowUs !== Number.NEGATIVE_INFINITY) {
      this.#record.watchedUs += Math.min(STEP_MAX_US, nowUs - this.#nowUs)
    }
    this.#nowUs = Math.max(this.#nowUs, nowUs)
  }

  isCommitDue(votes: number): boolean {
    const { watchedUs, commits, committedAtUs } = this.#record
    if (commits === 0 && votes >= FIRST_VOTES) return true
    return watchedUs >= (commits < FIRST_COMMITS_US.length ? FIRST_COMMITS_US[commits] : committedAtUs + COMMIT_EVERY_US)
  }

  /** Past the warm-up: this commit closes a whole period. */
  get isSteady(): boolean {
    return this.#record.commits >= FIRST_COMMITS_US.length
  }

  noteCommit(isDrifting: boolean): void {
    this.#record.commits++
    this.#record.committedAtUs = this.#record.watchedUs
    this.#record.isDrifting = isDrifting
  }

  get state(): BaselineState {
    const { watchedUs, commits, isDrifting } = this.#record
    if (commits === 0 || watchedUs < LEARNING_UNTIL_US) return 'learning'
    if (watchedUs < PARTIAL_UNTIL_US) return 'partial'
    return isDrifting ? 'drifting' : 'ready'
  }

  /** How much the anomaly counts. */
  get weight(): number {
    const { state } = this
    return state === 'learning' ? 0 : state === 'partial' ? 0.5 : 1
  }

  get watchedUs(): number {
    return this.#record.watchedUs
  }

  /** Until it is ready; 0 from then on. */
  get remainingUs(): number {
    return Math.max(0, PARTIAL_UNTIL_US - this.#record.watchedUs)
  }

  get hasSeenWeek(): boolean {
    return this.#record.watchedUs >= WEEK_US
  }
}
