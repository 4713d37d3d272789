/**
 * Numbers and times in words, for values that carry no text of their own (`Num.text`).
 *
 * In:  plain numbers in the unit that the function names; times as eve writes them.
 * Out: text. One rounding everywhere: whole counts exact, other magnitudes to three significant digits.
 * Not: rounding of evidence: `Num.text` was rendered once, where it was measured, and is printed as it is.
 *
 * The invariant: a value that was not measured reads 'not measured', never 0.
 */
import { cicTime, eveTime, plainTime } from '../base/packet-time.ts'

export const NOT_MEASURED = 'not measured'

/** Thousands are set apart from 10,000 on; below that a comma only slows the eye. */
const GROUP_FROM = 10_000

export function countText(count: number): string {
  const text = String(count)
  return Math.abs(count) < GROUP_FROM || !Number.isInteger(count) ? text : text.replace(/\B(?=(\d{3})+$)/g, ',')
}

/** '1 flow', '12 flows'. */
export function countOf(count: number, thing: string, things = `${thing}s`): string {
  return `${countText(count)} ${count === 1 ? thing : things}`
}

/** Exact below 10,000 B, then decimal kB, MB, GB. */
export function bytesText(bytes: number): string {
  if (bytes < GROUP_FROM) return `${plainNumber(bytes)} B`
  if (bytes < 1e6) return `${threeDigits(bytes / 1e3)} kB`
  if (bytes < 1e9) return `${threeDigits(bytes / 1e6)} MB`
  return `${threeDigits(bytes / 1e9)} GB`
}

const US_PER_MS = 1e3
const US_PER_S = 1e6
const US_PER_MIN = 60e6
const US_PER_HOUR = 3600e6
const US_PER_DAY = 86_400e6

export function durationText(us: number): string {
  if (us === 0) return '0 s'
  if (us < US_PER_MS) return `${Math.round(us)} µs`
  if (us < US_PER_S) return `${threeDigits(us / US_PER_MS)} ms`
  if (us < 2 * US_PER_MIN) return `${threeDigits(us / US_PER_S)} s`
  if (us < 2 * US_PER_HOUR) return `${threeDigits(us / US_PER_MIN)} min`
  if (us < 2 * US_PER_DAY) return `${threeDigits(us / US_PER_HOUR)} h`
  return `${threeDigits(us / US_PER_DAY)} days`
}

/** A share of 1 in per cent: whole per cents, one more digit at either end. */
export function percentText(share: number): string {
  const percent = share * 100
  if (percent > 99 && percent < 100) return `${Math.min(percent, 99.9).toFixed(1)} %`
  if (percent > 0 && percent < 1) return `${Number(percent.toPrecision(1))} %`
  return `${Math.round(percent)} %`
}

/** A log10 likelihood ratio as the factor it stands for: '×32', '×2.5', '÷16'; '×1' moves nothing. */
export function factorText(log10: number): string {
  const factor = 10 ** Math.abs(log10)
  const digits = factor >= 9.95 ? countText(Math.round(factor)) : String(Number(factor.toFixed(1)))
  return `${log10 < 0 && digits !== '1' ? '÷' : '×'}${digits}`
}

/** A number with no unit of its own, as the feature tables print it: at most six significant digits. */
export function plainNumber(value: number): string {
  return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(6)))
}

export function threeDigits(value: number): string {
  if (value >= 99.95) return value.toFixed(0)
  return value >= 9.995 ? value.toFixed(1) : value.toFixed(2)
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
  if (!/^[a-z]+(?=[\s,])/.test(sentence)) return sentence
  return sentence.charAt(0).toUpperCase() + sentence.slice(1)
}
