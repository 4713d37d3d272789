/**
 * A set of keys that takes next to no memory while it has one: most windows of a flood or a sweep never have another.
 *
 * In:  numbers or texts. Out: what a Set gives, in order of first arrival. Not: a limit; whoever adds has one.
 */
export class KeySet<K extends string | number> {
  /** The only key; undefined when there is none, or when there are several. */
  #only: K | undefined = undefined
  /** Made with the second key, and kept from then on. */
  #several: Set<K> | null = null

  get size(): number {
    if (this.#several !== null) return this.#several.size
    return this.#only === undefined ? 0 : 1
  }

  has(key: K): boolean {
    return this.#several === null ? this.#only === key : this.#several.has(key)
  }

  add(key: K): void {
    if (this.#several !== null) this.#several.add(key)
    else if (this.#only === undefined) this.#only = key
    else if (this.#only !== key) {
      this.#several = new Set<K>().add(this.#only).add(key)
      this.#only = undefined
    }
  }

  /** True when it was there. */
  delete(key: K): boolean {
    if (this.#several !== null) return this.#several.delete(key)
    if (this.#only !== key) return false
    this.#only = undefined
    return true
  }

  /** In order of first arrival. */
  list(): K[] {
    if (this.#several !== null) return [...this.#several]
    return this.#only === undefined ? [] : [this.#only]
  }
}
