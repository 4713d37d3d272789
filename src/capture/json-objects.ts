/**
 * The objects of a JSON file, one after the other: one a line, spread over lines, or the elements of one array.
 *
 * In:  lines. Out: each outermost object's text with the line that it began on, or where one is too long or what stands between is none.
 * Not: parsing; only braces and strings are followed.
 * The invariant: memory is one object of at most OBJECT_CHARS_MAX.
 */
import type { TextLine } from './text-lines.ts'

/** nfdump writes a record over some thirty lines of twenty characters. */
const OBJECT_CHARS_MAX = 1 << 18

export interface JsonText {
  number: number
  /** null: too long to be a flow record, or no object. */
  text: string | null
  why: string
}

const BRACE_OR_STRING = /[{}"]/g
const STRING_END = /\\.|"/g

export class JsonObjects {
  #parts: string[] = []
  #chars = 0
  #depth = 0
  #beganAt = 0
  #isInString = false

  /** The objects that end in this line, and what in it is no object. */
  take(line: TextLine): JsonText[] {
    const { number, text } = line
    if (text === null) return [this.#reset({ number, text: null, why: 'the line is too long for a flow record' })]
    const found: JsonText[] = []
    let at = 0
    let kept = 0
    while (at < text.length) {
      const pattern = this.#isInString ? STRING_END : BRACE_OR_STRING
      pattern.lastIndex = at
      const match = pattern.exec(text)
      if (match === null) break
      at = pattern.lastIndex
      const [mark] = match
      if (this.#isInString) {
        if (mark === '"') this.#isInString = false
      } else if (mark === '"') {
        if (this.#depth > 0) this.#isInString = true
        else return [...found, { number, text: null, why: 'text outside any {object}' }]
      } else if (mark === '{') {
        if (this.#depth === 0) {
          if (!isBetween(text.slice(kept, match.index))) found.push({ number, text: null, why: 'text outside any {object}' })
          this.#beganAt = number
          kept = match.index
        }
        this.#depth++
      } else if (this.#depth > 0 && --this.#depth === 0) {
        this.#parts.push(text.slice(kept, at))
        found.push({ number: this.#beganAt, text: this.#parts.join('\n'), why: '' })
        this.#parts = []
        this.#chars = 0
        kept = at
      }
    }
    if (this.#depth > 0) {
      this.#parts.push(text.slice(kept))
      this.#chars += text.length - kept
      if (this.#chars > OBJECT_CHARS_MAX) found.push(this.#reset({ number: this.#beganAt, text: null, why: 'longer than any flow record' }))
    } else if (!isBetween(text.slice(kept))) {
      found.push({ number, text: null, why: 'text outside any {object}' })
    }
    // JSON strings do not go over line ends: a quote left open is damage, which the parser will tell.
    this.#isInString = false
    return found
  }

  /** What is still open at the end of the file. */
  end(): JsonText[] {
    if (this.#depth === 0) return []
    return [this.#reset({ number: this.#beganAt, text: null, why: 'the object does not end before the file does' })]
  }

  #reset(fault: JsonText): JsonText {
    this.#parts = []
    this.#chars = 0
    this.#depth = 0
    this.#isInString = false
    return fault
  }
}

/** Brackets and commas of an array, and blanks. */
function isBetween(text: string): boolean {
  return /^[\s,[\]]*$/.test(text)
}
