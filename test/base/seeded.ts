/**
 * Random numbers from a seed, for tests that try many inputs: the same seed gives the same inputs on every machine.
 *
 * Out: a generator, and the seed and count that environment variables may set for a longer or a repeated run.
 * Not: Math.random, with which a failure could not be repeated.
 */

export interface Random {
  /** From [0, 1). */
  next(): number
  /** A whole number from [0, below). */
  below(below: number): number
  pick<T>(from: readonly T[]): T
}

/** Mulberry32. */
export function seeded(seed: number): Random {
  let state = seed >>> 0
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), state | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
  const below = (n: number): number => Math.floor(next() * n)
  return { next, below, pick: (from) => from[below(from.length)] }
}

/** A whole number from the environment, or `otherwise`. */
export function fromEnvironment(name: string, otherwise: number): number {
  const text = process.env[name]
  if (text === undefined || text === '') return otherwise
  const value = Number(text)
  if (!Number.isInteger(value)) throw new Error(`${name}=${text}: not a whole number`)
  return value
}
