/**
 * One configured value against its option's row.
 *
 * In:  a row of an option table and a YAML node.
 * Out: the checked value, or faults that say what was got and what is allowed, each with the node it is about.
 */
import { isMap, isScalar, isSeq } from 'yaml'
import { parseNetwork } from './base/address.ts'
import { parseEndpoint } from './base/endpoint.ts'
import type { NumberOption, NumbersOption, Option, RecordField, RecordsOption } from './base/option.ts'
import { printableCut } from './base/printable.ts'

export interface ValueFault {
  node: unknown
  /** Where inside the value: `[2]`, `[0].network`, or ''. */
  subPath: string
  message: string
}

export interface ValueCheck {
  value: unknown
  faults: ValueFault[]
}

/** Follows a YAML alias to what it stands for. */
export type Resolve = (node: unknown) => unknown

const SHOWN_MAX = 60

/** Units that keys end in, and those that people write instead. */
const UNIT = /_(us|ms|s|sec|secs|seconds?|min|minutes?|h|hours?|d|days?|[kmg]?i?b|bytes|[bp]ps|ratio|percent)$/i

export function checkOption(option: Option, given: unknown, resolve: Resolve): ValueCheck {
  const node = resolve(given)
  switch (option.kind) {
    case 'networks':
      return checkList(node, resolve, allowedText(option), (item) => checkNetwork(item))
    case 'numbers':
      return checkList(node, resolve, allowedText(option), (item) => checkNumber(option, item))
    case 'records':
      return checkList(node, resolve, allowedText(option), (item) => checkRecord(option, item, resolve))
    case 'flag':
      return isScalar(node) && typeof node.value === 'boolean' ? passed(node.value) : refused(node, allowedText(option))
    case 'text':
      return checkText(option.oneOf, node)
    case 'endpoint':
      return checkEndpoint(node, allowedText(option))
    default:
      return checkNumber(option, node)
  }
}

/** What may stand for this option, in words. */
export function allowedText(option: Option): string {
  switch (option.kind) {
    case 'networks':
      return 'a list of networks in CIDR notation or addresses, such as [10.0.0.0/8, fd00::/8]'
    case 'numbers':
      return `a list of ${rangeText(option)}`
    case 'records':
      return `a list of mappings with keys of: ${Object.keys(option.fields).join(', ')}`
    case 'flag':
      return 'true or false'
    case 'text':
      return textRange(option.oneOf)
    case 'endpoint':
      return "HOST:PORT, such as 127.0.0.1:514 or [::1]:514, or '' for none"
    default:
      return rangeText(option)
  }
}

function rangeText(option: NumberOption | NumbersOption): string {
  const noun = { number: 'a number', integer: 'a whole number', numbers: 'numbers' }[option.kind]
  return `${noun} from ${option.min} to ${option.max}${option.unit === '' ? '' : ` (${option.unit})`}`
}

function passed(value: unknown): ValueCheck {
  return { value, faults: [] }
}

function refused(node: unknown, allowed: string): ValueCheck {
  return { value: undefined, faults: [{ node, subPath: '', message: `got ${nodeText(node)}; allowed: ${allowed}` }] }
}

function checkNumber(option: NumberOption | NumbersOption, node: unknown): ValueCheck {
  const value = isScalar(node) ? node.value : undefined
  // Written so that NaN fails.
  const isInRange = typeof value === 'number' && value >= option.min && value <= option.max
  if (!isInRange || (option.kind === 'integer' && !Number.isInteger(value))) return refused(node, rangeText(option))
  return passed(value)
}

function checkText(oneOf: readonly string[] | undefined, node: unknown): ValueCheck {
  const text = scalarText(node)
  if (text !== null && (oneOf === undefined || oneOf.includes(text))) return passed(text)
  const near = text === null ? null : nearestKey(oneOf ?? [], text)
  return refused(node, `${textRange(oneOf)}${near === null ? '' : `; did you mean '${near}'?`}`)
}

function textRange(oneOf: readonly string[] | undefined): string {
  return oneOf === undefined ? 'text' : `one of ${oneOf.join(', ')}`
}

/** Text, also where YAML sees a number in it: a host may be called 007. */
export function scalarText(node: unknown): string | null {
  if (!isScalar(node)) return null
  if (typeof node.value === 'string') return node.value
  return typeof node.value === 'number' ? (node.source ?? String(node.value)) : null
}

function checkEndpoint(node: unknown, allowed: string): ValueCheck {
  const text = scalarText(node)
  return text !== null && (text === '' || parseEndpoint(text) !== null) ? passed(text) : refused(node, allowed)
}

export function checkNetwork(node: unknown): ValueCheck {
  const text = scalarText(node)
  return text !== null && parseNetwork(text) !== null ? passed(text) : refused(node, 'a network in CIDR notation or an address')
}

export function checkDate(node: unknown): ValueCheck {
  const text = scalarText(node) ?? ''
  const isDate = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d)?Z)?$/.test(text) && isCalendarDate(text)
  return isDate ? passed(text) : refused(node, 'a date (UTC), 2026-01-31 or 2026-01-31T12:00:00Z')
}

/** Refuses the 31st of February, which Date moves on to March. */
function isCalendarDate(text: string): boolean {
  const time = Date.parse(text)
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(text.slice(0, 10))
}

function checkList(node: unknown, resolve: Resolve, allowed: string, checkItem: (item: unknown) => ValueCheck): ValueCheck {
  if (!isSeq(node)) return refused(node, allowed)
  const value: unknown[] = []
  const faults: ValueFault[] = []
  for (const [i, given] of node.items.entries()) {
    const item = checkItem(resolve(given))
    value.push(item.value)
    faults.push(...item.faults.map((fault) => ({ ...fault, subPath: `[${i}]${fault.subPath}` })))
  }
  return { value, faults }
}

function checkRecord(option: RecordsOption, node: unknown, resolve: Resolve): ValueCheck {
  const names = Object.keys(option.fields)
  if (!isMap(node)) return refused(node, `a mapping with keys of: ${names.join(', ')}`)
  const value: Record<string, string> = {}
  const faults: ValueFault[] = []
  for (const pair of node.items) {
    const name = scalarText(pair.key) ?? nodeText(pair.key)
    if (Object.hasOwn(value, name)) faults.push({ node: pair.key, subPath: `.${name}`, message: 'given twice' })
    const result = Object.hasOwn(option.fields, name)
      ? checkField(option.fields[name], resolve(pair.value))
      : { value: undefined, faults: [{ node: pair.key, subPath: '', message: unknownText(names, name, '') }] }
    faults.push(...result.faults.map((fault) => ({ ...fault, subPath: `.${name}${fault.subPath}` })))
    value[name] = String(result.value)
  }
  for (const name of names) {
    if (option.fields[name].required && !Object.hasOwn(value, name))
      faults.push({ node, subPath: `.${name}`, message: 'missing, but required' })
  }
  return { value, faults }
}

function checkField(field: RecordField, node: unknown): ValueCheck {
  if (field.kind === 'network') return checkNetwork(node)
  if (field.kind === 'date') return checkDate(node)
  return checkText(field.oneOf, node)
}

/** A value as it stood in the file, cut short and safe to print. */
export function nodeText(node: unknown): string {
  if (isSeq(node)) return 'a list'
  if (isMap(node)) return 'a mapping'
  if (!isScalar(node) || node.value === null) return 'nothing'
  return typeof node.value === 'string'
    ? `'${printableCut(node.value, SHOWN_MAX)}'`
    : printableCut(node.source ?? String(node.value), SHOWN_MAX)
}

/** `suggestion` is what to offer when no key of this place is near, quoted; '' for none. */
export function unknownText(allowed: readonly string[], got: string, suggestion: string): string {
  const near = nearestKey(allowed, got)
  const offer = near === null ? suggestion : `'${near}'`
  return `unknown key; ${offer === '' ? '' : `did you mean ${offer}? `}allowed: ${allowed.join(', ')}`
}

/** The allowed word that a mistyped one most likely means: same but for its unit, or few letters apart; null for none. */
export function nearestKey(allowed: readonly string[], got: string): string | null {
  const wanted = got.toLowerCase().replaceAll('-', '_')
  const stem = (key: string): string => key.replace(UNIT, '')
  const sameStem = allowed.filter((key) => stem(key) === stem(wanted))
  const ranked = (sameStem.length > 0 ? sameStem : allowed)
    .map((key) => ({ key, distance: editDistance(key.toLowerCase(), wanted) }))
    .sort((a, b) => a.distance - b.distance)
  const best = ranked[0]
  if (best === undefined) return null
  // A third of the letters wrong is a slip; more is another word.
  return sameStem.length > 0 || best.distance <= Math.ceil(best.key.length / 3) ? best.key : null
}

/** Levenshtein's distance; words longer than any key of ours are not worth the quadratic time. */
function editDistance(a: string, b: string): number {
  if (b.length > 100) return b.length
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      row.push(Math.min(previous[j] + 1, row[j - 1] + 1, previous[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1)))
    }
    previous = row
  }
  return previous[b.length]
}
