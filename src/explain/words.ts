/**
 * Numbers and times in words, for values that carry no text of their own (`Num.text`).
 *
 * In:  plain numbers in the unit that the function names; times as eve writes them.
 * Out: text, rounded as score/number.ts rounds evidence: one rounding everywhere.
 * Not: rounding of evidence: `Num.text` was rendered once, where it was measured, and is printed as it is.
 *
 * The invariant: a value that was not measured reads 'not measured', never 0.
 */
import { cicTime, eveTime, plainTime } from '../base/packet-time.ts'
import { num, percentText } from '../score/number.ts'
import { code } from './markdown.ts'

export const NOT_MEASURED = 'not measured'

export function countText(count: number): string {
  return num(count, 'count').text
}

/** '1 flow', '12 flows'. */
export function countOf(count: number, thing: string, things = `${thing}s`): string {
  return `${countText(count)} ${count === 1 ? thing : things}`
}

export function bytesText(bytes: number): string {
  return num(bytes, 'B').text
}

/** No time at all is no microsecond either. */
export function durationText(us: number): string {
  return us === 0 ? '0 s' : num(us, 'us').text
}

/** A share of 1 in per cent. */
export function shareText(share: number): string {
  return num(share * 100, 'percent').text
}

/** A number with no unit of its own, as the feature tables print it: at most six significant digits. */
export function plainNumber(value: number): string {
  return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(6)))
}

/** A likelihood in whole per cent; what rounds to none is under one, so that the arithmetic before it comes out. */
export function likelihoodText(p: number): string {
  return p < 0.005 ? 'under 1 %' : percentText(p)
}

/** A text in code marks, or 'not measured'. */
export function measuredCode(text: string | null): string {
  return text === null ? NOT_MEASURED : code(text)
}

/** `render(value)`, or 'not measured'. */
export function measuredText(value: number | null | undefined, render: (value: number) => string): string {
  return value === null || value === undefined ? NOT_MEASURED : render(value)
}

interface EveInstant {
  baseSec: number
  timeUs: number
}

function readEveTime(eve: string): EveInstant | null {
  const match = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\.(\d{6})\+0000$/.exec(eve)
  if (match === null) return null
  const ms = Date.parse(`${match[1]}Z`)
  return Number.isNaN(ms) ? null : { baseSec: ms / 1000, timeUs: Number(match[2]) }
}

/** `2026-08-23 10:11:12 UTC`; a text that is no eve time is given back as it is. */
export function secondText(eve: string): string {
  const at = readEveTime(eve)
  return at === null ? eve : plainTime(at.baseSec, at.timeUs)
}

/** `2026-08-23 10:11:12.123456`, UTC, moved on by `afterUs`: the NetFlow table's form. */
export function exactTimeText(eve: string, afterUs = 0): string {
  const at = readEveTime(eve)
  return at === null ? eve : cicTime(at.baseSec, at.timeUs + afterUs)
}

/** An eve time moved on by `afterUs`. */
export function laterEveTime(eve: string, afterUs: number): string {
  const at = readEveTime(eve)
  return at === null ? eve : eveTime(at.baseSec, at.timeUs + afterUs)
}

/** One paragraph of these sentences. */
export function sentences(...parts: readonly string[]): string {
  return parts.join(' ')
}

/** 'a', 'a and b', 'a, b and c'. */
export function listText(items: readonly string[]): string {
  if (items.length < 2) return items.join('')
  return `${items.slice(0, -1).join(', ')} and ${items[items.length - 1]}`
}

/** Only a plain word is changed: an address or a name keeps its first letter. */
export function capitalised(sentence: string): string {
  if (!/^[a-z]+(?=[\s,]|$)/.test(sentence)) return sentence
  return sentence.charAt(0).toUpperCase() + sentence.slice(1)
}
