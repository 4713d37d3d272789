/**
 * What another thread sent us, dealt with a little at a time, so that signals, timers and sockets get their turn between them.
 *
 * In:  pieces of work in order, the moment they come. Out: the same, done in order, in stretches of about TURN_MS.
 * Not: a bound; whoever sends waits for what was taken (live/metering.ts, ROWS_WAITING).
 *
 * Node hands over up to a thousand messages in one turn of its loop: with a backlog of rows nobody would hear SIGTERM for seconds, nor
 * the service manager from us.
 */
const TURN_MS = 20

export class Inbox {
  #waiting: (() => void)[] = []
  #next = 0
  #isScheduled = false

  /** @param work must not throw. */
  add(work: () => void): void {
    this.#waiting.push(work)
    this.#schedule()
  }

  #schedule(): void {
    if (this.#isScheduled) return
    this.#isScheduled = true
    setImmediate(() => this.#takeSome())
  }

  #takeSome(): void {
    this.#isScheduled = false
    const untilMs = performance.now() + TURN_MS
    const waiting = this.#waiting
    while (this.#next < waiting.length && performance.now() < untilMs) waiting[this.#next++]()
    // What was taken is let go of; a stretch of thousands is moved up once, not message by message.
    this.#waiting = waiting.slice(this.#next)
    this.#next = 0
    if (this.#waiting.length > 0) this.#schedule()
  }
}
