/**
 * ICMP errors that quote a flow of another queue: the kernel shares packets by their own addresses, and an error's are often those of a
 * router, so that the error comes to one queue and the flow to another.
 *
 * In:  quotes that no queue found in its own table, in order of time; then rows, finished or so far. Out: the rows, with their errors
 *      counted as one table would have counted them.
 * Not: evicted flows, whose rows leave before the quotes of their second are told.
 * The invariant: a quote is counted in one finished row, the first of its connection that was there at its time. QUOTES_MAX wait at most.
 */
import * as Row from './row.ts'

/** The key of a flow, as a row begins with it, and when an error quoted it. */
export interface Quote {
  atUs: number
  key: readonly number[]
}

const QUOTES_MAX = 65_536
/** No row is longer open: active timeout and idle timeouts are minutes. */
const KEPT_US = 3600e6
const FORGET_EVERY_US = 60e6
const US_PER_S = 1e6

export class PendingQuotes {
  /** Left out for lack of room. */
  notKept = 0
  readonly #byHash = new Map<number, Quote[]>()
  #count = 0
  #forgetAtUs = -Infinity

  add(quotes: readonly Quote[]): void {
    for (const quote of quotes) {
      if (this.#count >= QUOTES_MAX) this.notKept++
      else {
        this.#count++
        const hash = hashOf(quote.key, 0)
        const known = this.#byHash.get(hash)
        if (known === undefined) this.#byHash.set(hash, [quote])
        else known.push(quote)
      }
    }
    const nowUs = quotes.at(-1)?.atUs ?? -Infinity
    if (nowUs >= this.#forgetAtUs) this.#forget(nowUs)
  }

  /** Counts in a finished row what quotes it; that is done with then. `at`: the row's first cell. */
  settle(cells: Float64Array, words: Uint32Array, at: number): void {
    if (this.#count === 0) return
    const hash = hashOf(words, at * 2)
    const quotes = this.#byHash.get(hash)
    if (quotes === undefined) return
    const fromUs = cells[at + Row.CONNECTION_START_US]
    const toUs = leftAtUs(cells, words, at)
    const left = quotes.filter(({ atUs, key }) => !(atUs >= fromUs && atUs < toUs && isKeyOf(key, words, at * 2)))
    const counted = quotes.length - left.length
    words[at * 2 + Row.ICMP_ERRORS_W] += counted
    this.#count -= counted
    if (left.length === 0) this.#byHash.delete(hash)
    else this.#byHash.set(hash, left)
  }

  /** Rows so far, with what quotes them; their finished rows count it again. */
  noted(rows: Float64Array<ArrayBuffer>): Float64Array<ArrayBuffer> {
    if (this.#count === 0) return rows
    const cells = rows.slice()
    const words = new Uint32Array(cells.buffer)
    for (let at = 0; at < cells.length; at += Row.ROW_CELLS) {
      for (const { atUs, key } of this.#byHash.get(hashOf(words, at * 2)) ?? []) {
        if (atUs >= cells[at + Row.CONNECTION_START_US] && isKeyOf(key, words, at * 2)) words[at * 2 + Row.ICMP_ERRORS_W]++
      }
    }
    return cells
  }

  /** What no row came for, and a clock set back. */
  #forget(nowUs: number): void {
    this.#forgetAtUs = nowUs + FORGET_EVERY_US
    for (const [hash, quotes] of this.#byHash) {
      const left = quotes.filter(({ atUs }) => Math.abs(nowUs - atUs) <= KEPT_US)
      this.#count -= quotes.length - left.length
      if (left.length === 0) this.#byHash.delete(hash)
      else this.#byHash.set(hash, left)
    }
  }
}

/** When the row left the table: a flow whose time is over is still found until its second is. */
function leftAtUs(cells: Float64Array, words: Uint32Array, at: number): number {
  const endUs = cells[at + Row.END_US]
  const reason = words[at * 2 + Row.END_REASON_W]
  if (reason === Row.ENDED_PORT_REUSE || reason === Row.ENDED_ACTIVE) return endUs
  return (Math.floor(endUs / US_PER_S) + 1) * US_PER_S
}

/** Without the bit that says whether the connection is in its table. */
function keyWord(words: ArrayLike<number>, atW: number, i: number): number {
  return i === Row.KEY_PROTO_W ? (words[atW + i] & ~Row.KEY_IS_LIVE) >>> 0 : words[atW + i]
}

function isKeyOf(key: readonly number[], words: Uint32Array, atW: number): boolean {
  for (let i = 0; i < Row.KEY_WORDS_COUNT; i++) if (keyWord(key, 0, i) !== keyWord(words, atW, i)) return false
  return true
}

function hashOf(words: ArrayLike<number>, atW: number): number {
  let hash = 0
  for (let i = 0; i < Row.KEY_WORDS_COUNT; i++) {
    hash = Math.imul(hash ^ keyWord(words, atW, i), 0x9e3779b1)
    hash ^= hash >>> 15
  }
  return hash
}
