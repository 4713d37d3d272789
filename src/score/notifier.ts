/**
 * Who may be woken: each actor and kind once a day, again only when it gets worse, and all together up to the day's budget.
 *
 * In:  an alert that wants to notify, in packet time. Out: whether it may, and how many were held back today.
 * Not: sending. What may not notify stays in the alert log, marked.
 */

import { HostTable } from '../context/host-table.ts'

const DAY_US = 86_400e6
const ACTORS_MAX = 16_384
/** Severity level 0 is info: never notifies, and is not counted as held back. */
const INFO = 0

export class Notifier {
  heldBackToday = 0
  heldBackCount = 0
  notifiedCount = 0
  #perDayMax: number
  readonly #baseUs: number
  readonly #told: HostTable<{ atUs: number; level: number }>
  #day = Number.NEGATIVE_INFINITY
  #notifiedToday = 0

  constructor(perDayMax: number, baseSec: number) {
    this.#perDayMax = perDayMax
    this.#baseUs = (baseSec % 86_400) * 1e6
    this.#told = new HostTable(ACTORS_MAX, DAY_US)
  }

  /** Another budget, from the next alert on; what was told today counts. */
  change(perDayMax: number): void {
    this.#perDayMax = perDayMax
  }

  mayNotify(kind: string, actor: string, level: number, nowUs: number): boolean {
    this.#turnDay(nowUs)
    if (level <= INFO) return false
    const key = `${kind} ${actor}`
    const told = this.#told.peek(key)
    if (told !== undefined && nowUs - told.atUs < DAY_US && level <= told.level) return false
    if (this.#notifiedToday >= this.#perDayMax) {
      this.heldBackToday++
      this.heldBackCount++
      return false
    }
    this.#notifiedToday++
    this.notifiedCount++
    const entry = this.#told.getOrCreate(key, () => ({ atUs: nowUs, level }))
    entry.atUs = nowUs
    entry.level = level
    return true
  }

  /** Days are UTC days of packet time. */
  #turnDay(nowUs: number): void {
    this.#told.advance(nowUs)
    const day = Math.floor((this.#baseUs + nowUs) / DAY_US)
    if (day <= this.#day) return
    this.#day = day
    this.#notifiedToday = 0
    this.heldBackToday = 0
  }
}
