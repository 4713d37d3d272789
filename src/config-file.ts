/**
 * A configuration as the text of a YAML file: every key with its comment, unit, range and default.
 *
 * In:  a checked configuration; the tables it was checked against.
 * Out: text that loads back to the same configuration. `config/flowscribe.yaml` is this for the defaults.
 */
import { stringify } from 'yaml'
import type { Option } from './base/option.ts'
import { type Config, SECTIONS } from './config.ts'
import { allowedText } from './config-value.ts'

const TEXT_WIDTH = 110

const HEADER = [
  'flowscribe: every key with its default. A key left out has its default; an unknown key is an error.',
  'Check a changed file with: flowscribe check-config FILE',
]

/** @param config sections that are left out are not rendered */
export function renderConfig(config: Partial<Config>): string {
  const lines = HEADER.map((line) => `# ${line}`)
  let open: string[] = []
  // Sections of one level stand together, whatever their order in the table.
  for (const [section, table] of Object.entries(SECTIONS).sort(byFirstLevel)) {
    const given = config[section as keyof Config]
    if (given === undefined) continue
    const levels = section.split('.')
    const shared = levels.findIndex((name, depth) => open[depth] !== name)
    for (let depth = shared === -1 ? levels.length : shared; depth < levels.length; depth++) {
      lines.push('', `${'  '.repeat(depth)}${levels[depth]}:`)
    }
    open = levels
    const values: Readonly<Record<string, unknown>> = given
    for (const [key, option] of Object.entries(table)) lines.push(...optionLines(key, option, values[key], '  '.repeat(levels.length)))
  }
  return `${lines.join('\n')}\n`
}

const ORDER = [...new Set(Object.keys(SECTIONS).map(firstLevel))]

function firstLevel(section: string): string {
  return section.split('.')[0]
}

/** Sort is stable, so sections of one first level keep their order. */
function byFirstLevel([a]: [string, unknown], [b]: [string, unknown]): number {
  return ORDER.indexOf(firstLevel(a)) - ORDER.indexOf(firstLevel(b))
}

function optionLines(key: string, option: Option, value: unknown, indent: string): string[] {
  const facts = `${capitalised(allowedText(option))}; default ${flow(option.default)}.`
  const fields = option.kind === 'records' ? fieldLines(option.fields) : []
  const comment = [...wrap(option.comment, TEXT_WIDTH), ...wrap(facts, TEXT_WIDTH), ...fields]
  return [...comment.map((line) => `${indent}# ${line}`), `${indent}${key}: ${flow(value)}`]
}

function fieldLines(fields: Extract<Option, { kind: 'records' }>['fields']): string[] {
  return Object.entries(fields).map(
    ([name, field]) => `  ${name} (${field.kind}${field.required ? '' : ', may be left out'}): ${field.comment}`,
  )
}

/** A value on one line. */
function flow(value: unknown): string {
  return stringify(value, { collectionStyle: 'flow', lineWidth: 0, flowCollectionPadding: false }).trim()
}

function capitalised(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line)
      line = word
    } else line = line === '' ? word : `${line} ${word}`
  }
  return [...lines, line]
}
