/**
 * Hashes of addresses for tables: seeded, and not computed twice for the same flow.
 *
 * In:  texts, a table's seed. Out: 32 bits. Not: the hash of estimates and ids (`hash32`), which must be the same in every run.
 * The invariant: the seed decides where an entry lies, never whether it is found or in which order entries go.
 */

let seedOfTables = 0x811c9dc5 | 0

/** For tables made from now on. @param seed any 32 bits; a daemon takes random ones, as for its flows. */
export function seedTables(seed: number): void {
  seedOfTables = seed | 0
}

export function tableSeed(): number {
  return seedOfTables
}

/** A flow's two addresses are looked up in a dozen tables, one after another, as the very same texts. */
let lastText = ''
let lastHash = 0
let beforeText = ''
let beforeHash = 0
let seedOfMemo = Number.NaN

export function seededHash(text: string, seed: number): number {
  if (seed !== seedOfMemo) forget(seed)
  if (text === lastText) return lastHash
  if (text === beforeText) return beforeHash
  beforeText = lastText
  beforeHash = lastHash
  lastText = text
  lastHash = hashOf(text, seed)
  return lastHash
}

function forget(seed: number): void {
  seedOfMemo = seed
  lastText = ''
  beforeText = ''
  lastHash = hashOf('', seed)
  beforeHash = lastHash
}

/** FNV-1a from the seed on, then MurmurHash3's finaliser with the seed once more. */
function hashOf(text: string, seed: number): number {
  let hash = seed
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 16) ^ seed, 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return hash ^ (hash >>> 16)
}
