/**
 * What waits for a sink that is slow, full or away: a bounded queue, emptied in batches, in order.
 *
 * In:  items, of any sink: alert lines, reports, syslog messages. Out: batches, one at a time; counters; a word at each change of state.
 * Not: how a sink takes a batch: `deliver` does. Not a disk either: what waits here is lost with the process.
 *
 * A batch that is refused stays at the head and is tried again, with twice the wait each time up to a limit. When the queue is full,
 * what comes newly is not taken: what came first says how it began.
 * The invariant: added = delivered + dropped + length, and at most itemsMax items of bytesMax octets wait.
 */

export interface QueueOptions<T> {
  /** Name of the sink, as metrics and log lines have it. */
  name: string
  itemsMax: number
  bytesMax: number
  batchItemsMax: number
  batchBytesMax: number
  bytesOf(item: T): number
  /** Resolves when the sink has the batch. Rejects with Undeliverable: never mind it; with anything else: try again. */
  deliver(batch: readonly T[]): Promise<void>
  onState(change: QueueChange): void
  retryFirstMs?: number
  retryMaxMs?: number
  /** A sink that has not answered after so long counts as away; it is waited for all the same. */
  slowMs?: number
}

/** Told when a sink goes away, when it is back, and when it refuses for good. */
export type QueueChange =
  | { state: 'away'; why: string; waiting: number }
  | { state: 'back'; waiting: number; droppedMeanwhile: number }
  | { state: 'full'; waiting: number }
  | { state: 'refused'; why: string; dropped: number }

/** Trying this batch again would not help. */
export class Undeliverable extends Error {
  override readonly name = 'Undeliverable'
}

const RETRY_FIRST_MS = 500
const RETRY_MAX_MS = 30_000
const RETRY_CLOSING_MS = 250
const SLOW_MS = 15_000

export class DeliveryQueue<T> {
  readonly name: string
  readonly counters = { added: 0, delivered: 0, dropped: 0, errors: 0 }
  #options: QueueOptions<T>
  readonly #items: T[] = []
  #bytes = 0
  /** Of the first items, those that the sink has been offered. */
  #onTheirWay = 0
  #isRunning = false
  #isClosing = false
  #isClosed = false
  #isAway = false
  #isFull = false
  #droppedBefore = 0
  #wake: (() => void) | null = null
  #onEmpty: (() => void) | null = null

  constructor(options: QueueOptions<T>) {
    this.#options = options
    this.name = options.name
  }

  get length(): number {
    return this.#items.length
  }

  /** Octets that wait, as `bytesOf` counts them. */
  get bytes(): number {
    return this.#bytes
  }

  /** Whether the sink took the last batch that it was offered. */
  get isAway(): boolean {
    return this.#isAway
  }

  /** Other limits from now on; what waits already stays. */
  limit(itemsMax: number, bytesMax: number): void {
    this.#options = { ...this.#options, itemsMax, bytesMax }
  }

  /** False when it was not taken. */
  add(item: T): boolean {
    const { itemsMax, bytesMax, bytesOf, onState } = this.#options
    const bytes = bytesOf(item)
    this.counters.added++
    if (this.#isClosed || this.#items.length >= itemsMax || this.#bytes + bytes > bytesMax) {
      this.counters.dropped++
      if (!this.#isFull) onState({ state: 'full', waiting: this.#items.length })
      this.#isFull = true
      return false
    }
    this.#items.push(item)
    this.#bytes += bytes
    if (!this.#isRunning) void this.#run()
    return true
  }

  /** Puts another in the place of one that waits and is not on its way; false when there is none such. It is the same item, grown: not counted. */
  replace(old: T, now: T): boolean {
    const at = this.#items.indexOf(old, this.#onTheirWay)
    if (at < 0) return false
    this.#bytes += this.#options.bytesOf(now) - this.#options.bytesOf(old)
    this.#items[at] = now
    return true
  }

  /** Tries at once what waits for its next try: the sink may have been changed. */
  retryNow(): void {
    this.#wake?.()
  }

  /** Waits until all is delivered, at most so long; gives back how many items were not. Nothing is taken afterwards. */
  async close(limitMs: number): Promise<number> {
    this.#isClosing = true
    this.retryNow()
    if (this.#items.length > 0) {
      let limit: NodeJS.Timeout | undefined
      await new Promise<void>((resolve) => {
        this.#onEmpty = resolve
        limit = setTimeout(resolve, limitMs)
      })
      clearTimeout(limit)
    }
    this.#isClosed = true
    this.#wake?.()
    return this.#forgetAll()
  }

  #forgetAll(): number {
    this.#onTheirWay = 0
    const left = this.#items.length
    this.counters.dropped += left
    this.#items.length = 0
    this.#bytes = 0
    return left
  }

  async #run(): Promise<void> {
    this.#isRunning = true
    // What is added in one go leaves in one batch.
    await Promise.resolve()
    let retryMs = this.#options.retryFirstMs ?? RETRY_FIRST_MS
    while (this.#items.length > 0 && !this.#isClosed) {
      const batch = this.#nextBatch()
      this.#onTheirWay = batch.length
      try {
        await this.#deliver(batch)
        if (this.#isClosed) break
        this.#take(batch)
        this.counters.delivered += batch.length
        this.#noteBack()
        retryMs = this.#options.retryFirstMs ?? RETRY_FIRST_MS
      } catch (error) {
        if (this.#isClosed) break
        this.counters.errors++
        if (error instanceof Undeliverable) this.#refuse(batch, error)
        else {
          this.#noteAway(error)
          // At the end there is no time to be patient.
          await this.#wait(this.#isClosing ? RETRY_CLOSING_MS : retryMs)
          retryMs = Math.min(retryMs * 2, this.#options.retryMaxMs ?? RETRY_MAX_MS)
        }
      }
    }
    this.#isRunning = false
    this.#onEmpty?.()
  }

  async #deliver(batch: readonly T[]): Promise<void> {
    const slowMs = this.#options.slowMs ?? SLOW_MS
    const slow = setTimeout(() => this.#noteAway(`no answer for ${slowMs / 1000} s`), slowMs)
    try {
      await this.#options.deliver(batch)
    } finally {
      clearTimeout(slow)
    }
  }

  #nextBatch(): T[] {
    const { batchItemsMax, batchBytesMax, bytesOf } = this.#options
    const batch: T[] = []
    let bytes = 0
    for (const item of this.#items) {
      bytes += bytesOf(item)
      if (batch.length > 0 && (batch.length >= batchItemsMax || bytes > batchBytesMax)) break
      batch.push(item)
    }
    return batch
  }

  #take(batch: readonly T[]): void {
    this.#onTheirWay = 0
    this.#items.splice(0, batch.length)
    for (const item of batch) this.#bytes -= this.#options.bytesOf(item)
    // Not with the first that leaves: a sink that is only slow would say so again and again.
    if (this.#items.length <= this.#options.itemsMax / 2 && this.#bytes <= this.#options.bytesMax / 2) this.#isFull = false
  }

  #refuse(batch: readonly T[], error: Undeliverable): void {
    this.#take(batch)
    this.counters.dropped += batch.length
    this.#options.onState({ state: 'refused', why: error.message, dropped: batch.length })
  }

  #noteAway(error: unknown): void {
    if (this.#isAway) return
    this.#isAway = true
    this.#droppedBefore = this.counters.dropped
    const why = error instanceof Error ? error.message : String(error)
    this.#options.onState({ state: 'away', why, waiting: this.#items.length })
  }

  #noteBack(): void {
    if (!this.#isAway) return
    this.#isAway = false
    const droppedMeanwhile = this.counters.dropped - this.#droppedBefore
    this.#options.onState({ state: 'back', waiting: this.#items.length, droppedMeanwhile })
  }

  #wait(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer)
        this.#wake = null
        resolve()
      }
      const timer = setTimeout(done, ms)
      this.#wake = done
    })
  }
}
