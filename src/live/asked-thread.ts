/**
 * A thread that writes, seen from outside: a promise a request.
 *
 * In:  requests. Out: what each came to: facts, an Error that another try may cure, or Undeliverable.
 * Not: a queue of its own. Callers keep to a few requests at a time, so that what waits is counted where it waits.
 * The invariant: answers come in the order of the requests; a thread that dies fails all of them.
 */
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { RunError } from '../base/errors.ts'
import { Undeliverable } from '../sink/delivery-queue.ts'

/** What such a thread answers, and what it is asked at its end. */
export type ThreadAnswer<Facts> = { kind: 'done'; facts: Facts } | { kind: 'refused'; why: string } | { kind: 'failed'; why: string }

interface Waiting<Facts> {
  resolve(facts: Facts): void
  reject(error: Error): void
}

export class AskedThread<Request extends { kind: string }, Facts> {
  readonly #worker: Worker
  readonly #waiting: Waiting<Facts>[] = []
  #dead: Error | null = null

  /**
   * @param name for messages
   * @param workerData what the program takes
   */
  constructor(name: string, program: URL, workerData: unknown) {
    this.#worker = new Worker(fileURLToPath(program), { workerData })
    this.#worker.on('message', (answer: ThreadAnswer<Facts>) => this.#settle(answer))
    this.#worker.on('error', (error) => this.#die(error))
    this.#worker.on('exit', (code) => this.#die(new Error(`the ${name} thread ended by itself (${code})`)))
  }

  ask(request: Request | { kind: 'close' }): Promise<Facts> {
    return new Promise((resolve, reject) => {
      if (this.#dead !== null) return reject(this.#dead)
      this.#waiting.push({ resolve, reject })
      this.#worker.postMessage(request)
    })
  }

  #settle(answer: ThreadAnswer<Facts>): void {
    const waiting = this.#waiting.shift()
    if (answer.kind === 'done') waiting?.resolve(answer.facts)
    else waiting?.reject(answer.kind === 'refused' ? new RunError(answer.why) : new Undeliverable(answer.why))
  }

  #die(error: Error): void {
    this.#dead ??= error
    for (const { reject } of this.#waiting.splice(0)) reject(this.#dead)
  }

  /** Closes the files and ends the thread; false when it does not answer in that time, for it hangs in a call to the disk. */
  async end(limitMs: number): Promise<boolean> {
    let limit: NodeJS.Timeout | undefined
    const late = new Promise<boolean>((resolve) => {
      limit = setTimeout(() => resolve(false), limitMs)
    })
    const closed = this.ask({ kind: 'close' }).then(
      () => true,
      () => true,
    )
    const hasEnded = await Promise.race([closed, late])
    clearTimeout(limit)
    if (hasEnded) {
      this.#worker.removeAllListeners('exit')
      await this.#worker.terminate()
    }
    return hasEnded
  }
}
