/**
 * Each digit of a report and of its pictures changed, one at a time, and held to its alert.
 *
 * In:  a report as rendered from its line, a verifier of that line. Out: how many changes, which went unnoticed, and how many of those in
 *      the text the check that shares nothing with the renderer noticed by itself.
 */
import type { Report } from '../../src/explain/report.ts'
import type { Verifier } from '../../src/explain/verify.ts'

export interface DigitChanges {
  changes: number
  /** `the digit at 812 of name.md`, the first hundred. */
  unnoticed: string[]
  textChanges: number
  noticedWithoutRenderer: number
}

const UNNOTICED_TOLD_MAX = 100

/** Every text that differs from `text` in one digit, with where. */
export function* oneDigitChanged(text: string): Generator<{ text: string; at: number }> {
  for (const match of text.matchAll(/\d/g)) {
    const other = String((Number(match[0]) + 1 + (match.index % 9)) % 10)
    yield { text: text.slice(0, match.index) + other + text.slice(match.index + 1), at: match.index }
  }
}

export function changeEachDigit({ stem, markdown, pictures }: Report, verify: Verifier): DigitChanges {
  const found: DigitChanges = { changes: 0, unnoticed: [], textChanges: 0, noticedWithoutRenderer: 0 }
  const note = (isNoticed: boolean, at: number, name: string): void => {
    found.changes++
    if (!isNoticed && found.unnoticed.length < UNNOTICED_TOLD_MAX) found.unnoticed.push(`the digit at ${at} of ${name}`)
  }
  for (const { text, at } of oneDigitChanged(markdown)) {
    const faults = verify(text, pictures)
    note(faults.length > 0, at, `${stem}.md`)
    found.textChanges++
    if (faults.some(({ message }) => message.endsWith('is no value of the alert'))) found.noticedWithoutRenderer++
  }
  for (const [i, picture] of pictures.entries()) {
    for (const { text: svg, at } of oneDigitChanged(picture.svg)) {
      note(verify(markdown, pictures.with(i, { ...picture, svg })).length > 0, at, picture.name)
    }
  }
  return found
}
