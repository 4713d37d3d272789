/**
 * The configuration: one YAML file, checked against the stages' option tables.
 *
 * In:  a file's path, and what the command line overrides; no file means all defaults.
 * Out: each section's checked values, complete; or one ConfigError with every fault: file, line, key path,
 *      value got, values allowed.
 * Not: what a key means (its stage knows), nor rules between keys.
 *
 * To add a section: one line in SECTIONS. A dot in a section's name is a level of the file.
 */
import { isAlias, isMap, isNode, isScalar, LineCounter, type Pair, parseDocument, type YAMLMap } from 'yaml'
import { ConfigError, type ConfigFault } from './base/errors.ts'
import { NETWORKS_OPTIONS } from './base/networks-options.ts'
import { defaultsOf, type OptionTable, type OptionValues } from './base/option.ts'
import { printable } from './base/printable.ts'
import { CAPTURE_OPTIONS } from './capture/options.ts'
import { checkOption, nodeText, unknownText } from './config-value.ts'
import { RECORD_OPTIONS } from './features/records/options.ts'
import { FLOW_OPTIONS } from './flow/options.ts'
import { SCORE_OPTIONS } from './score/options.ts'
import { BASELINE_OPTIONS, LOG_OPTIONS, METRICS_OPTIONS, MUTES_OPTIONS, OUTPUT_OPTIONS, SYSLOG_OPTIONS } from './sink/options.ts'
import { plainMessage, readYamlText } from './yaml-text.ts'

export const SECTIONS = {
  networks: NETWORKS_OPTIONS,
  capture: CAPTURE_OPTIONS,
  flow: FLOW_OPTIONS,
  records: RECORD_OPTIONS,
  ...SCORE_OPTIONS,
  mutes: MUTES_OPTIONS,
  output: OUTPUT_OPTIONS,
  baseline: BASELINE_OPTIONS,
  syslog: SYSLOG_OPTIONS,
  metrics: METRICS_OPTIONS,
  log: LOG_OPTIONS,
} as const satisfies Record<string, OptionTable>

export type SectionName = keyof typeof SECTIONS

export type Config = { readonly [S in SectionName]: OptionValues<(typeof SECTIONS)[S]> }

/** What configures a run; of several places that set one key the last named here rules. */
export interface ConfigSources {
  /** A YAML file; absent: defaults. */
  path?: string | undefined
  /** `section.key=value` each, the value in YAML. */
  settings?: readonly string[] | undefined
  /** Networks in CIDR notation, comma-separated, for `networks.internal`. */
  homeNet?: string | undefined
}

/** @throws ConfigError with all faults of all sources. */
export function loadConfig(sources: ConfigSources): Config {
  const loader = new Loader(SECTIONS)
  if (sources.path !== undefined) loader.file(sources.path)
  for (const setting of sources.settings ?? []) loader.setting(setting)
  if (sources.homeNet !== undefined) loader.homeNet(sources.homeNet)
  // The loader fills every key of every table with what checkOption gives for that table's row.
  return loader.finish() as Config
}

/** A level of the file: options that stand here, and deeper levels. */
interface Level {
  path: string
  /** The section whose options stand at this level, if any. */
  table: OptionTable
  children: Map<string, Level>
}

type Values = Record<string, Record<string, unknown>>

class Loader {
  readonly #sections: Readonly<Record<string, OptionTable>>
  readonly #top: Level = { path: '', table: {}, children: new Map() }
  readonly #values: Values = {}
  readonly #faults: ConfigFault[] = []
  #file = ''
  /** null while checking what has no lines: the command line. */
  #lines: LineCounter | null = null

  constructor(sections: Readonly<Record<string, OptionTable>>) {
    this.#sections = sections
    for (const [name, table] of Object.entries(sections)) {
      this.#values[name] = { ...defaultsOf(table) }
      this.#levelOf(name).table = table
    }
  }

  file(path: string): void {
    this.#file = printable(path)
    this.#lines = new LineCounter()
    const text = this.#read(path)
    if (text !== null) this.#parse(text)
    this.#faults.sort((a, b) => a.line - b.line)
  }

  /** One `section.key=value` of the command line. */
  setting(setting: string): void {
    this.#file = '--set'
    this.#lines = null
    const split = setting.indexOf('=')
    const keyPath = setting.slice(0, Math.max(split, 0)).trim()
    if (keyPath === '') return this.#fault(0, printable(setting), 'is not section.key=value')
    const names = keyPath.split('.')
    const text = setting.slice(split + 1)
    const nested = names.map((name, depth) => `${'  '.repeat(depth)}${JSON.stringify(name)}:`).join('\n')
    this.#parse(`${nested} ${text}`)
  }

  homeNet(list: string): void {
    this.#file = '--home-net'
    this.#lines = null
    const cidrs = list.split(',').map((cidr) => cidr.trim())
    this.#parse(JSON.stringify({ networks: { internal: cidrs } }))
  }

  finish(): Values {
    if (this.#faults.length > 0) throw new ConfigError(this.#faults)
    return this.#values
  }

  #levelOf(section: string): Level {
    let level = this.#top
    for (const name of section.split('.')) {
      const path = join(level.path, name)
      const child = level.children.get(name) ?? { path, table: {}, children: new Map() }
      level.children.set(name, child)
      level = child
    }
    return level
  }

  #fault(offset: number | null, keyPath: string, message: string): void {
    this.#faults.push({ file: this.#file, line: this.#lineOf(offset), keyPath: printable(keyPath), message })
  }

  #lineOf(offset: number | null): number {
    return offset === null || this.#lines === null ? 0 : this.#lines.linePos(offset).line
  }

  #read(path: string): string | null {
    const { text, fault } = readYamlText(path)
    if (text === null) this.#fault(null, '', fault)
    return text
  }

  #parse(text: string): void {
    // Repeated keys are ours to report, with their path and both lines.
    const document = parseDocument(text, {
      ...(this.#lines === null ? {} : { lineCounter: this.#lines }),
      prettyErrors: false,
      uniqueKeys: false,
    })
    const broken = [...document.errors, ...document.warnings]
    for (const fault of broken) this.#fault(fault.pos[0], '', `not valid YAML: ${plainMessage(fault.message)}`)
    // What the parser guessed after a syntax error would only give faults that are none.
    if (broken.length > 0) return
    const resolve = (node: unknown): unknown => (isAlias(node) ? node.resolve(document) : node)
    this.#checkLevel(this.#top, document.contents, null, resolve)
  }

  #checkLevel(level: Level, given: unknown, parentOffset: number | null, resolve: (node: unknown) => unknown): void {
    const node = resolve(given)
    // An empty file, or a section with all its keys commented out.
    if (node === null || node === undefined || (isScalar(node) && node.value === null)) return
    if (!isMap(node)) {
      const what = level.path === '' ? 'the file must be a mapping of sections' : 'a section must be a mapping of keys'
      return this.#fault(
        offsetOf(node) ?? parentOffset,
        level.path,
        `got ${nodeText(node)}; ${what}, with keys of: ${keysOf(level).join(', ')}`,
      )
    }
    this.#checkRepeated(level, node)
    for (const pair of node.items) this.#checkPair(level, pair, resolve)
  }

  #checkRepeated(level: Level, map: YAMLMap): void {
    const firstLines = new Map<string, number>()
    for (const pair of map.items) {
      const key = keyOf(pair)
      const offset = offsetOf(pair.key) ?? 0
      const first = firstLines.get(key)
      if (first === undefined) firstLines.set(key, this.#lineOf(offset))
      else this.#fault(offset, join(level.path, key), `given twice, first in line ${first}`)
    }
  }

  #checkPair(level: Level, pair: Pair, resolve: (node: unknown) => unknown): void {
    const key = keyOf(pair)
    const keyPath = join(level.path, key)
    const offset = offsetOf(pair.key)
    const child = level.children.get(key)
    if (child !== undefined) return this.#checkLevel(child, pair.value, offset, resolve)
    if (!Object.hasOwn(level.table, key)) return this.#fault(offset, keyPath, unknownText(keysOf(level), key, this.#elsewhere(key)))
    const result = checkOption(level.table[key], pair.value, resolve)
    for (const fault of result.faults) this.#fault(offsetOf(fault.node) ?? offset, `${keyPath}${fault.subPath}`, fault.message)
    if (result.faults.length === 0) this.#values[level.path][key] = result.value
  }

  /** The full path of an option that has this very key in another section, quoted; '' for none. */
  #elsewhere(key: string): string {
    const section = Object.entries(this.#sections).find(([, table]) => Object.hasOwn(table, key))
    return section === undefined ? '' : `'${section[0]}.${key}'`
  }
}

function join(path: string, key: string): string {
  return path === '' ? key : `${path}.${key}`
}

function keysOf(level: Level): string[] {
  return [...Object.keys(level.table), ...level.children.keys()]
}

function keyOf(pair: Pair): string {
  return isScalar(pair.key) ? String(pair.key.value) : nodeText(pair.key)
}

function offsetOf(node: unknown): number | null {
  return isNode(node) && node.range ? node.range[0] : null
}
