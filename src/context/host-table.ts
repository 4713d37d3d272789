/**
 * A table of hosts (or of anything with one text for a key) with a hard limit: least recently used goes first, and what has been quiet too
 * long is as good as gone.
 *
 * In:  text keys, packet times. Out: entries; `evictedCount` says how often the limit took one.
 * Not: a clock. lru-cache gets packet time as its clock (`perf`), so a replay forgets what the live run forgot. Not what every judged
 *      flow is looked up in, nor keys of several parts: those have bounded-table.ts.
 */

import { LRUCache } from 'lru-cache'

const US_PER_MS = 1000

export class HostTable<V extends object> {
  evictedCount = 0
  readonly #cache: LRUCache<string, V>
  #nowMs = 1

  /** @param quietUs an entry untouched for longer is forgotten. */
  constructor(max: number, quietUs: number) {
    this.#cache = new LRUCache<string, V>({
      max,
      ttl: Math.ceil(quietUs / US_PER_MS),
      // 0: the age is checked at each access, so that no timer of the runtime is involved.
      ttlResolution: 0,
      updateAgeOnGet: true,
      perf: { now: () => this.#nowMs },
      disposeAfter: (_value, _key, reason) => {
        if (reason === 'evict') this.evictedCount++
      },
    })
  }

  /** Packet time moves on; never back. lru-cache takes a start of 0 as "no age", hence the one. */
  advance(nowUs: number): void {
    this.#nowMs = Math.max(this.#nowMs, 1 + nowUs / US_PER_MS)
  }

  get(key: string): V | undefined {
    return this.#cache.get(key)
  }

  /** A look that doesn't make the entry younger. */
  peek(key: string): V | undefined {
    return this.#cache.peek(key)
  }

  getOrCreate(key: string, create: () => V): V {
    const found = this.#cache.get(key)
    if (found !== undefined) return found
    const made = create()
    this.#cache.set(key, made)
    return made
  }

  get size(): number {
    return this.#cache.size
  }
}
