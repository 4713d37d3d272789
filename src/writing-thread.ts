/**
 * The writing thread, seen from outside: a promise a request.
 *
 * In:  requests. Out: what each came to: facts, an Error that another try may cure, or Undeliverable.
 * Not: a queue of its own. Callers keep to a few requests at a time, so that what waits is counted where it waits.
 * The invariant: answers come in the order of the requests; a thread that dies fails all of them.
 */
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { RunError } from './base/errors.ts'
import type { WritingAnswer, WritingFacts, WritingOptions, WritingRequest } from './live-writing.ts'
import { Undeliverable } from './sink/delivery-queue.ts'

interface Waiting {
  resolve(facts: WritingFacts): void
  reject(error: Error): void
}

export class WritingThread {
  readonly #worker: Worker
  readonly #waiting: Waiting[] = []
  #dead: Error | null = null

  /** @param program where the thread's program lies, when not beside this one */
  constructor(options: WritingOptions, program = new URL('./live-writer.js', import.meta.url)) {
    this.#worker = new Worker(fileURLToPath(program), { workerData: options })
    this.#worker.on('message', (answer: WritingAnswer) => this.#settle(answer))
    this.#worker.on('error', (error) => this.#die(error))
    this.#worker.on('exit', (code) => this.#die(new Error(`the writing thread ended by itself (${code})`)))
  }

  ask(request: WritingRequest): Promise<WritingFacts> {
    return new Promise((resolve, reject) => {
      if (this.#dead !== null) return reject(this.#dead)
      this.#waiting.push({ resolve, reject })
      this.#worker.postMessage(request)
    })
  }

  #settle(answer: WritingAnswer): void {
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
