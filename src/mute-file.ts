/**
 * The file of mute rules: YAML that a person reads and edits, and that `flowscribe mute` adds to.
 *
 *   mutes:
 *     - id: m-1a2b3c                # unique in the file
 *       kind: scan.vertical         # one, or a list
 *       actor: [10.0.0.9, fd00::9]  # addresses, networks, or any
 *       victim: 10.0.0.0/8          # as actor; left out: any
 *       port: 443                   # the service's; one, or a list; left out: any
 *       owner: alice
 *       reason: Nessus, ticket 4711
 *       until: 2027-01-31           # the last day, or a second: 2027-01-31T12:00:00Z
 *
 * In:  a path; the site's own networks. Out: checked rules, or one ConfigError with every fault: file, line, key.
 * Not: what rules do (score/mutes.ts), nor changing the file (commands/mute-edit.ts).
 * The invariant: a rule that is so wide that the site would hear of nothing (score/mute-width.ts) loads only with wide: true.
 */
import { Document, isAlias, isMap, isNode, isScalar, isSeq, LineCounter, parseDocument } from 'yaml'
import { parseNetwork } from './base/address.ts'
import { ConfigError, type ConfigFault } from './base/errors.ts'
import { printable } from './base/printable.ts'
import { checkDate, nearestKey, nodeText, scalarText, unknownText, type ValueCheck } from './config-value.ts'
import { KINDS } from './explain/kinds.ts'
import { tooWide } from './score/mute-width.ts'
import { isHardwareAddress, type MuteRule, Mutes } from './score/mutes.ts'
import { NO_SUCH_FILE, plainMessage, readYamlText } from './yaml-text.ts'

const RULES_MAX = 1000
const HOSTS_MAX = 256
/** As long as a text in an alert line may be. */
const TEXT_MAX = 400
const SECONDS_PER_DAY = 86_400
/** Becomes a label of a metric. */
const RULE_ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/
export const ANY = 'any'

type Check = (node: unknown) => ValueCheck
type Resolve = (node: unknown) => unknown

interface Field {
  isRequired: boolean
  /** What may stand here, in words. */
  allowed: string
  check(node: unknown, allowed: string, resolve: Resolve): ValueCheck
}

/** One row is one key of a rule. */
const FIELDS = {
  id: { isRequired: true, allowed: 'up to 64 letters, digits, dots, dashes and underscores', check: matching(RULE_ID) },
  kind: { isRequired: true, allowed: 'a kind of alert, such as scan.vertical, or a list of them', check: oneOrMore(checkKind, false) },
  actor: { isRequired: true, allowed: 'an address, a network, a list of these, or any', check: oneOrMore(checkHost, true) },
  victim: { isRequired: false, allowed: 'an address, a network, a list of these, or any', check: oneOrMore(checkHost, true) },
  port: { isRequired: false, allowed: 'a port from 0 to 65535, a list of ports, or any', check: oneOrMore(checkPort, true) },
  owner: { isRequired: true, allowed: 'who answers for it: 1 to 400 characters', check: checkWords },
  reason: { isRequired: true, allowed: 'why: 1 to 400 characters', check: checkWords },
  created: { isRequired: false, allowed: 'a date', check: checkDate },
  until: { isRequired: true, allowed: 'a date', check: checkDate },
  alert: { isRequired: false, allowed: 'the alert that it was made for', check: checkWords },
  wide: { isRequired: false, allowed: 'true or false', check: checkFlag },
} as const satisfies Record<string, Field>

type FieldName = keyof typeof FIELDS
const FIELD_NAMES = Object.keys(FIELDS) as FieldName[]

function passed(value: unknown): ValueCheck {
  return { value, faults: [] }
}

function refused(node: unknown, allowed: string): ValueCheck {
  return { value: undefined, faults: [{ node, subPath: '', message: `got ${nodeText(node)}; allowed: ${allowed}` }] }
}

function matching(pattern: RegExp): Field['check'] {
  return (node, allowed) => {
    const text = scalarText(node)
    return text !== null && pattern.test(text) ? passed(text) : refused(node, allowed)
  }
}

function checkWords(node: unknown, allowed: string): ValueCheck {
  const text = scalarText(node)
  return text !== null && text.trim() !== '' && text.length <= TEXT_MAX ? passed(text) : refused(node, allowed)
}

function checkFlag(node: unknown, allowed: string): ValueCheck {
  return isScalar(node) && typeof node.value === 'boolean' ? passed(node.value) : refused(node, allowed)
}

function checkKind(node: unknown): ValueCheck {
  const text = scalarText(node)
  if (text !== null && Object.hasOwn(KINDS, text)) return passed(text)
  const near = text === null ? null : nearestKey(Object.keys(KINDS), text)
  return refused(node, `${Object.keys(KINDS).join(', ')}${near === null ? '' : `; did you mean '${near}'?`}`)
}

function checkHost(node: unknown): ValueCheck {
  const text = scalarText(node)
  const isHost = text !== null && (isHardwareAddress(text) || parseNetwork(text) !== null)
  return isHost ? passed(text) : refused(node, 'an address or a network in CIDR notation')
}

function checkPort(node: unknown): ValueCheck {
  const port = isScalar(node) ? node.value : undefined
  const isPort = typeof port === 'number' && Number.isInteger(port) && port >= 0 && port <= 65_535
  return isPort ? passed(port) : refused(node, 'a port from 0 to 65535')
}

/** One value stands for a list of one; `any`, where it may stand, becomes null. */
function oneOrMore(check: Check, mayBeAny: boolean): Field['check'] {
  return (node, allowed, resolve) => {
    if (mayBeAny && scalarText(node) === ANY) return passed(null)
    if (!isSeq(node)) {
      const result = check(node)
      return result.faults.length === 0
        ? passed([result.value])
        : { ...result, faults: result.faults.map((f) => withAllowed(f, allowed, mayBeAny)) }
    }
    if (node.items.length === 0 || node.items.length > HOSTS_MAX) return refused(node, `${allowed}; 1 to ${HOSTS_MAX} of them`)
    const results = node.items.map((item) => check(resolve(item)))
    const faults = results.flatMap((result, i) => result.faults.map((fault) => ({ ...fault, subPath: `[${i}]${fault.subPath}` })))
    return { value: results.map(({ value }) => value), faults }
  }
}

/** Outside a list, `any` could have stood there as well. */
function withAllowed<F extends { node: unknown; message: string }>(fault: F, allowed: string, mayBeAny: boolean): F {
  return mayBeAny ? { ...fault, message: `got ${nodeText(fault.node)}; allowed: ${allowed}` } : fault
}

export interface MuteFile {
  rules: MuteRule[]
  document: Document
}

/** @throws ConfigError with every fault of the file; `mayBeAbsent`: no file, no rules. */
export function loadMutes(path: string, internal: readonly string[], mayBeAbsent: boolean): Mutes {
  return new Mutes(readRules(path, internal, mayBeAbsent))
}

/** For a command's option: nothing where it is not given. */
export function mutesOf(path: string | undefined, { networks }: { networks: { internal: readonly string[] } }): { mutes?: Mutes } {
  return path === undefined ? {} : { mutes: loadMutes(path, networks.internal, false) }
}

export function readRules(path: string, internal: readonly string[], mayBeAbsent: boolean): MuteRule[] {
  const text = readText(path, mayBeAbsent)
  return text === null ? [] : parseRules(text, path, internal).rules
}

/** null for no such file, if that may be. */
export function readText(path: string, mayBeAbsent: boolean): string | null {
  const { text, fault } = readYamlText(path)
  if (text === null && !(mayBeAbsent && fault === NO_SUCH_FILE))
    throw new ConfigError([{ file: printable(path), line: 0, keyPath: '', message: fault }])
  return text
}

export function parseRules(text: string, path: string, internal: readonly string[]): MuteFile {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: false })
  const faults: ConfigFault[] = []
  const fault = (node: unknown, keyPath: string, message: string): void => {
    const offset = isNode(node) && node.range ? node.range[0] : null
    const line = offset === null ? 0 : lines.linePos(offset).line
    faults.push({ file: printable(path), line, keyPath: printable(keyPath), message })
  }
  for (const broken of [...document.errors, ...document.warnings])
    faults.push({
      file: printable(path),
      line: lines.linePos(broken.pos[0]).line,
      keyPath: '',
      message: `not valid YAML: ${plainMessage(broken.message)}`,
    })
  // What the parser guessed after a syntax error would only give faults that are none.
  const rules = faults.length > 0 ? [] : rulesOf(document, internal, fault)
  if (faults.length > 0) throw new ConfigError(faults.sort((a, b) => a.line - b.line))
  return { rules, document }
}

type Fault = (node: unknown, keyPath: string, message: string) => unknown

function rulesOf(document: Document, internal: readonly string[], fault: Fault): MuteRule[] {
  const resolve: Resolve = (node) => (isAlias(node) ? node.resolve(document) : node)
  const top = resolve(document.contents)
  if (isNothing(top)) return []
  if (!isMap(top)) {
    fault(top, '', `got ${nodeText(top)}; the file must be a mapping with the key mutes`)
    return []
  }
  for (const { key } of top.items)
    if (scalarText(key) !== 'mutes') fault(key, scalarText(key) ?? nodeText(key), unknownText(['mutes'], nodeText(key), ''))
  if (top.items.length > 1) fault(top.items[1].key, 'mutes', 'only one list of rules')
  const list = resolve(top.items[0]?.value)
  if (isNothing(list)) return []
  if (!isSeq(list)) {
    fault(list, 'mutes', `got ${nodeText(list)}; allowed: a list of rules, each a mapping with keys of: ${FIELD_NAMES.join(', ')}`)
    return []
  }
  if (list.items.length > RULES_MAX) fault(list, 'mutes', `${list.items.length} rules; allowed: up to ${RULES_MAX}`)
  const rules: MuteRule[] = []
  const seen = new Set<string>()
  for (const [i, item] of list.items.entries()) {
    const rule = ruleOf(resolve(item), `mutes[${i}]`, resolve, internal, fault)
    if (rule === null) continue
    if (seen.has(rule.id)) fault(resolve(item), `mutes[${i}].id`, `'${rule.id}' stands there twice`)
    seen.add(rule.id)
    rules.push(rule)
  }
  return rules
}

export function isNothing(node: unknown): boolean {
  return node === null || node === undefined || (isScalar(node) && node.value === null)
}

function ruleOf(node: unknown, keyPath: string, resolve: Resolve, internal: readonly string[], fault: Fault): MuteRule | null {
  if (!isMap(node)) {
    fault(node, keyPath, `got ${nodeText(node)}; allowed: a mapping with keys of: ${FIELD_NAMES.join(', ')}`)
    return null
  }
  const values: Partial<Record<FieldName, unknown>> = {}
  let isWhole = true
  const refuse: Fault = (...words) => {
    isWhole = false
    fault(...words)
  }
  for (const pair of node.items) {
    const name = FIELD_NAMES.find((known) => known === scalarText(pair.key))
    if (name === undefined) {
      const key = scalarText(pair.key) ?? nodeText(pair.key)
      refuse(pair.key, `${keyPath}.${key}`, unknownText(FIELD_NAMES, key, ''))
      continue
    }
    if (Object.hasOwn(values, name)) refuse(pair.key, `${keyPath}.${name}`, 'given twice')
    const field: Field = FIELDS[name]
    const value = resolve(pair.value)
    const result = field.check(value ?? pair.key, field.allowed, resolve)
    for (const one of result.faults) refuse(one.node, `${keyPath}.${name}${one.subPath}`, one.message)
    values[name] = result.value
  }
  for (const name of FIELD_NAMES)
    if (FIELDS[name].isRequired && !Object.hasOwn(values, name)) refuse(node, `${keyPath}.${name}`, 'missing, but required')
  if (!isWhole) return null
  const rule = ruleFrom(values)
  const why = rule.isWide ? null : tooWide(rule, internal)
  if (why !== null) refuse(node, keyPath, `too wide: ${why}; narrow it, or confirm with wide: true`)
  return isWhole ? rule : null
}

/** From values that FIELDS has checked. */
function ruleFrom(values: Partial<Record<FieldName, unknown>>): MuteRule {
  const text = (name: FieldName): string => String(values[name] ?? '')
  const list = <T>(name: FieldName): readonly T[] | null => (values[name] as readonly T[] | null | undefined) ?? null
  return {
    id: text('id'),
    kinds: list<string>('kind') ?? [],
    actors: list('actor'),
    victims: list('victim'),
    ports: list('port'),
    owner: text('owner'),
    reason: text('reason'),
    created: text('created'),
    until: text('until'),
    untilSec: endOf(text('until')),
    isWide: values.wide === true,
  }
}

/** The last day counts whole. */
function endOf(until: string): number {
  const isDay = !until.includes('T')
  return Date.parse(isDay ? `${until}T00:00:00Z` : until) / 1000 + (isDay ? SECONDS_PER_DAY : 0)
}

/** The rule that a record of the file's keys gives, not yet in any file; null and the faults when it gives none. */
export function ruleOfRecord(record: object): { rule: MuteRule | null; faults: ConfigFault[] } {
  const faults: ConfigFault[] = []
  const fault: Fault = (_, keyPath, message) => faults.push({ file: '', line: 0, keyPath: printable(keyPath).replace(/^\./, ''), message })
  // How wide it is, is its own question.
  const rule = ruleOf(new Document({ ...record, wide: true }).contents, '', (node) => node, [], fault)
  return { rule: rule && { ...rule, isWide: false }, faults }
}
