/**
 * Holds a value to a `Schema`, and cuts one down to it.
 *
 * In:  any JSON value, and the shape it should have.
 * Out: `faultsOf`: every difference, with its path; `fitTo`: the same value with keys in the shape's order, texts clean
 *      and no longer than allowed, lists no longer than allowed, numbers that are no numbers null.
 * Not: the whole of JSON Schema; only the words that `Schema` has.
 */
import type { Schema } from './alert-shape.ts'
import { cleanText } from './markdown.ts'

const FAULTS_MAX = 20

export function faultsOf(value: unknown, schema: Schema, path: string): string[] {
  const faults: string[] = []
  check(value, schema, path, faults)
  return faults.slice(0, FAULTS_MAX)
}

function check(value: unknown, schema: Schema, path: string, faults: string[]): void {
  if (faults.length >= FAULTS_MAX) return
  if (schema.anyOf !== undefined) return checkAnyOf(value, schema.anyOf, path, faults)
  const types = typeof schema.type === 'string' ? [schema.type] : (schema.type ?? [])
  if (!types.some((type) => isOfType(value, type))) {
    faults.push(`${path}: expected ${types.join(' or ')}, got ${described(value)}`)
  } else if (typeof value === 'number') checkNumber(value, schema, path, faults)
  else if (typeof value === 'string') checkText(value, schema, path, faults)
  else if (Array.isArray(value)) checkList(value, schema, path, faults)
  else if (isRecord(value)) checkRecord(value, schema, path, faults)
}

function checkAnyOf(value: unknown, choices: readonly Schema[], path: string, faults: string[]): void {
  const attempts = choices.map((choice) => faultsOf(value, choice, path))
  if (attempts.some((attempt) => attempt.length === 0)) return
  // The alternative with the fewest faults is most likely the one that was meant.
  faults.push(...attempts.reduce((best, attempt) => (attempt.length < best.length ? attempt : best)))
}

function checkNumber(value: number, schema: Schema, path: string, faults: string[]): void {
  if (schema.minimum !== undefined && value < schema.minimum) faults.push(`${path}: ${value} is less than ${schema.minimum}`)
  if (schema.maximum !== undefined && value > schema.maximum) faults.push(`${path}: ${value} is more than ${schema.maximum}`)
  if (schema.enum !== undefined && !schema.enum.includes(value)) faults.push(`${path}: ${value} is none of ${schema.enum.join(', ')}`)
}

function checkText(value: string, schema: Schema, path: string, faults: string[]): void {
  if (schema.enum !== undefined && !schema.enum.includes(value))
    faults.push(`${path}: ${described(value)} is none of ${schema.enum.join(', ')}`)
  if (schema.maxLength !== undefined && [...value].length > schema.maxLength)
    faults.push(`${path}: longer than ${schema.maxLength} characters`)
}

function checkList(value: readonly unknown[], schema: Schema, path: string, faults: string[]): void {
  if (schema.maxItems !== undefined && value.length > schema.maxItems)
    faults.push(`${path}: ${value.length} items, at most ${schema.maxItems}`)
  if (schema.minItems !== undefined && value.length < schema.minItems)
    faults.push(`${path}: ${value.length} items, at least ${schema.minItems}`)
  const { items } = schema
  if (items !== undefined) for (const [i, item] of value.entries()) check(item, items, `${path}[${i}]`, faults)
}

function checkRecord(value: Readonly<Record<string, unknown>>, schema: Schema, path: string, faults: string[]): void {
  const properties = schema.properties ?? {}
  for (const key of schema.required ?? []) if (!Object.hasOwn(value, key)) faults.push(`${path}.${key}: missing`)
  for (const [key, item] of Object.entries(value)) {
    if (Object.hasOwn(properties, key)) check(item, properties[key], `${path}.${key}`, faults)
    else if (schema.additionalProperties === false) faults.push(`${path}.${key}: no such key`)
    else if (typeof schema.additionalProperties === 'object') check(item, schema.additionalProperties, `${path}.${key}`, faults)
  }
}

function isOfType(value: unknown, type: string): boolean {
  if (type === 'null') return value === null
  if (type === 'array') return Array.isArray(value)
  if (type === 'object') return isRecord(value)
  if (type === 'integer') return Number.isInteger(value)
  if (type === 'number') return typeof value === 'number' && Number.isFinite(value)
  return typeof value === type
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function described(value: unknown): string {
  if (value === undefined) return 'nothing'
  if (value === null) return 'null'
  if (typeof value === 'object') return Array.isArray(value) ? 'a list' : 'an object'
  return cleanText(JSON.stringify(value).slice(0, 80))
}

/** How far texts and short lists are cut, whatever the shape allows. */
export interface Limits {
  textMax: number
  listMax: number
}

export function fitTo(value: unknown, schema: Schema, limits: Limits): unknown {
  if (schema.anyOf !== undefined) return fitTo(value, schema.anyOf.find((choice) => mayBe(value, choice)) ?? schema.anyOf[0], limits)
  if (typeof value === 'number') return Number.isFinite(value) ? value : null
  if (typeof value === 'string')
    return schema.enum === undefined ? fitText(value, Math.min(schema.maxLength ?? limits.textMax, limits.textMax)) : value
  if (Array.isArray(value)) return fitList(value, schema, limits)
  return isRecord(value) ? fitRecord(value, schema, limits) : value
}

/** Pictures are told apart by their name, a nullable record by being none. */
function mayBe(value: unknown, schema: Schema): boolean {
  if (!isRecord(value)) return value === null && schema.type === 'null'
  const names = schema.properties?.picture?.enum
  return schema.type === 'object' && (names === undefined || names.includes(String(value.picture)))
}

function fitText(text: string, max: number): string {
  const clean = cleanText(text)
  if (clean.length <= max) return clean
  // Cut between characters, not inside a surrogate pair.
  return `${cleanText(clean.slice(0, max - 1)).replace(/\uFFFD$/, '')}…`
}

function fitList(value: readonly unknown[], schema: Schema, limits: Limits): unknown[] {
  const allowed = schema.maxItems ?? limits.listMax
  // Long lists are points of pictures and timelines: the line cuts those itself and says how many are gone.
  const max = allowed > LONG_LIST_FROM ? allowed : Math.min(allowed, Math.max(limits.listMax, schema.minItems ?? 0))
  const { items } = schema
  return value.slice(0, max).map((item) => (items === undefined ? item : fitTo(item, items, limits)))
}

function fitRecord(value: Readonly<Record<string, unknown>>, schema: Schema, limits: Limits): Record<string, unknown> {
  const { properties, additionalProperties } = schema
  if (properties === undefined) {
    const items = typeof additionalProperties === 'object' ? additionalProperties : {}
    const entries = Object.entries(value).slice(0, Math.max(limits.listMax, OPEN_KEYS_MIN))
    return Object.fromEntries(entries.map(([key, item]) => [fitText(key, KEY_LEN_MAX), fitTo(item, items, limits)]))
  }
  const known = Object.keys(properties).filter((key) => value[key] !== undefined)
  return Object.fromEntries(known.map((key) => [key, fitTo(value[key], properties[key], limits)]))
}

const LONG_LIST_FROM = 32

/** A feature vector is never cut below this: CICFlowMeter's and ours together. */
const OPEN_KEYS_MIN = 160
const KEY_LEN_MAX = 48
