/**
 * The configuration loader: every fault of an operator, with the exact words he gets.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { parseDocument } from 'yaml'
import { ConfigError } from '../src/base/errors.ts'
import { defaultsOf, type OptionTable } from '../src/base/option.ts'
import { type ConfigSources, loadConfig, SECTIONS } from '../src/config.ts'
import { renderConfig } from '../src/config-file.ts'
import { checkOption } from '../src/config-value.ts'

const folder = mkdtempSync(join(tmpdir(), 'flowscribe-config-'))
afterAll(() => rmSync(folder, { recursive: true }))

const path = join(folder, 'test.yaml')

function load(yaml: string | Uint8Array, sources: ConfigSources = {}) {
  writeFileSync(path, yaml)
  return loadConfig({ path, ...sources })
}

function messageOf(run: () => unknown): string {
  try {
    run()
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return error.message.replaceAll(path, 'test.yaml')
  }
  return 'no fault'
}

const FLOW_KEYS = Object.keys(SECTIONS.flow).join(', ')
const OUTPUT_KEYS = Object.keys(SECTIONS.output).join(', ')
const TOP_KEYS = [...new Set(Object.keys(SECTIONS).map((name) => name.split('.')[0]))].join(', ')
const CIDR = 'a network in CIDR notation or an address'

describe('a configuration that is wrong', () => {
  const rows: [string, string, string | string[]][] = [
    ['a misspelt section', 'flwo:\n', `1: flwo: unknown key; did you mean 'flow'? allowed: ${TOP_KEYS}`],
    ['a misspelt key', 'flow:\n  max_flowz: 5\n', `2: flow.max_flowz: unknown key; did you mean 'max_flows'? allowed: ${FLOW_KEYS}`],
    [
      'a key without its unit',
      'flow:\n  idle_udp: 60\n',
      `2: flow.idle_udp: unknown key; did you mean 'idle_udp_s'? allowed: ${FLOW_KEYS}`,
    ],
    [
      'a key in another unit',
      'flow:\n  idle_udp_ms: 9\n',
      `2: flow.idle_udp_ms: unknown key; did you mean 'idle_udp_s'? allowed: ${FLOW_KEYS}`,
    ],
    ['a key with hyphens', 'flow:\n  idle-udp-s: 9\n', `2: flow.idle-udp-s: unknown key; did you mean 'idle_udp_s'? allowed: ${FLOW_KEYS}`],
    ['a key in the wrong section', 'idle_udp_s: 9\n', `1: idle_udp_s: unknown key; did you mean 'flow.idle_udp_s'? allowed: ${TOP_KEYS}`],
    ['a key like no other', 'flow: {colour: 1}\n', `1: flow.colour: unknown key; allowed: ${FLOW_KEYS}`],
    ['a key named like a built-in of JavaScript', 'flow: {constructor: 1}\n', `1: flow.constructor: unknown key; allowed: ${FLOW_KEYS}`],
    ['a key that is no text', 'flow: {[1]: 1}\n', `1: flow.a list: unknown key; allowed: ${FLOW_KEYS}`],
    ['a number too small', 'flow:\n  max_flows: 5\n', '2: flow.max_flows: got 5; allowed: a whole number from 1024 to 4194304 (flows)'],
    ['a number too large', 'flow:\n  idle_udp_s: 1e9\n', '2: flow.idle_udp_s: got 1e9; allowed: a number from 0.001 to 86400 (s)'],
    ['no number', 'flow:\n  idle_udp_s: .nan\n', '2: flow.idle_udp_s: got .nan; allowed: a number from 0.001 to 86400 (s)'],
    ['a number in quotes', "flow:\n  idle_udp_s: '60'\n", "2: flow.idle_udp_s: got '60'; allowed: a number from 0.001 to 86400 (s)"],
    ['a number with its unit', 'flow:\n  idle_udp_s: 60s\n', "2: flow.idle_udp_s: got '60s'; allowed: a number from 0.001 to 86400 (s)"],
    [
      'a fraction for a count',
      'flow:\n  bulk_packets_min: 2.5\n',
      '2: flow.bulk_packets_min: got 2.5; allowed: a whole number from 2 to 1000 (packets)',
    ],
    ['a list for a number', 'flow:\n  idle_udp_s: [1]\n', '2: flow.idle_udp_s: got a list; allowed: a number from 0.001 to 86400 (s)'],
    ['no value', 'flow:\n  idle_udp_s:\n', '2: flow.idle_udp_s: got nothing; allowed: a number from 0.001 to 86400 (s)'],
    ['yes for true', 'flow:\n  vlan_in_key: yes\n', "2: flow.vlan_in_key: got 'yes'; allowed: true or false"],
    [
      'a word not in the list',
      'log:\n  level: inf\n',
      "2: log.level: got 'inf'; allowed: one of trace, debug, info, warn, error, fatal; did you mean 'info'?",
    ],
    [
      'a network too narrow',
      'networks:\n  internal:\n    - 10.0.0.0/8\n    - 10.0.0.0/33\n',
      `4: networks.internal[1]: got '10.0.0.0/33'; allowed: ${CIDR}`,
    ],
    ['a network that is a name', 'networks: {internal: [lan]}\n', `1: networks.internal[0]: got 'lan'; allowed: ${CIDR}`],
    [
      'one network without a list',
      'networks: {internal: 10.0.0.0/8}\n',
      "1: networks.internal: got '10.0.0.0/8'; allowed: a list of networks in CIDR notation or addresses, such as [10.0.0.0/8, fd00::/8]",
    ],
    ['a key given twice', 'flow:\n  idle_udp_s: 1\n  idle_udp_s: 2\n', '3: flow.idle_udp_s: given twice, first in line 2'],
    ['a section given twice', 'log: {}\nflow:\nlog: {}\n', '3: log: given twice, first in line 1'],
    ['a section that is a value', '\noutput: 5\n', `2: output: got 5; a section must be a mapping of keys, with keys of: ${OUTPUT_KEYS}`],
    ['a file that is a list', '- 1\n', `1: got a list; the file must be a mapping of sections, with keys of: ${TOP_KEYS}`],
    ['a file that is a word', 'hello\n', `1: got 'hello'; the file must be a mapping of sections, with keys of: ${TOP_KEYS}`],
    ['broken YAML', 'log:\n  level: info\n  level2: "x\n', '4: not valid YAML: Missing closing "quote'],
    ['tabs', 'log:\n\tlevel: info\n', '2: not valid YAML: Tabs are not allowed as indentation'],
    [
      'two documents',
      'log: {}\n---\nlog: {}\n',
      '2: not valid YAML: Source contains multiple documents; please use YAML.parseAllDocuments()',
    ],
    ['a tag', 'flow: {idle_udp_s: !secs 5}\n', '1: not valid YAML: Unresolved tag: !secs'],
    [
      'control characters',
      'log: {level: "\\e[31mred"}\n',
      "1: log.level: got '\\x1b[31mred'; allowed: one of trace, debug, info, warn, error, fatal",
    ],
    [
      'several faults: all of them, in the order of lines',
      'flow:\n  idle_udp_s: 0\n  max_flows: 1\nlog: {level: 1, level: 2}\n',
      [
        '2: flow.idle_udp_s: got 0; allowed: a number from 0.001 to 86400 (s)',
        '3: flow.max_flows: got 1; allowed: a whole number from 1024 to 4194304 (flows)',
        '4: log.level: given twice, first in line 4',
        '4: log.level: got 1; allowed: one of trace, debug, info, warn, error, fatal',
        '4: log.level: got 2; allowed: one of trace, debug, info, warn, error, fatal',
      ],
    ],
  ]
  test.each(rows)('%s', (_, yaml, expected) => {
    const lines = [expected].flat().map((line) => `test.yaml:${line}`)
    expect(messageOf(() => load(yaml))).toBe(lines.join('\n'))
  })

  test('a file that is not there, a folder, not UTF-8, too long', () => {
    expect(messageOf(() => loadConfig({ path: join(folder, 'absent.yaml') }))).toBe(`${join(folder, 'absent.yaml')}: no such file`)
    expect(messageOf(() => loadConfig({ path: folder }))).toBe(`${folder}: is a folder, not a file`)
    expect(messageOf(() => load(Uint8Array.of(0xd4, 0xc3, 0xb2, 0xa1, 2, 0)))).toBe('test.yaml: is not text in UTF-8')
    expect(messageOf(() => loadConfig({ path: '/dev/zero' }))).toBe('/dev/zero: longer than 1048576 bytes: not a configuration file')
  })
})

describe('the command line', () => {
  test('--home-net replaces networks.internal, also that of a file', () => {
    const config = load('networks: {internal: [192.0.2.0/24]}', { homeNet: '10.0.0.0/8, fd00::/8' })
    expect(config.networks.internal).toEqual(['10.0.0.0/8', 'fd00::/8'])
  })

  test('--set replaces one key and leaves the others', () => {
    const config = load('flow: {idle_udp_s: 5, idle_icmp_s: 6}', { settings: ['flow.idle_udp_s=7', 'networks.internal=[10.1.0.0/16]'] })
    expect(config.flow).toEqual({ ...defaultsOf(SECTIONS.flow), idle_udp_s: 7, idle_icmp_s: 6 })
    expect(config.networks.internal).toEqual(['10.1.0.0/16'])
  })

  test.each<[string, ConfigSources, string]>([
    ['a home network that is none', { homeNet: '10.0.0.0/8,lan' }, `--home-net: networks.internal[1]: got 'lan'; allowed: ${CIDR}`],
    ['an empty home network', { homeNet: '' }, `--home-net: networks.internal[0]: got ''; allowed: ${CIDR}`],
    ['a setting without a value', { settings: ['flow'] }, '--set: flow: is not section.key=value'],
    [
      'an unknown setting',
      { settings: ['flow.idle_udp=1'] },
      `--set: flow.idle_udp: unknown key; did you mean 'idle_udp_s'? allowed: ${FLOW_KEYS}`,
    ],
    [
      'a setting out of range',
      { settings: ['flow.idle_udp_s=0'] },
      '--set: flow.idle_udp_s: got 0; allowed: a number from 0.001 to 86400 (s)',
    ],
  ])('%s', (_, sources, expected) => {
    expect(messageOf(() => loadConfig(sources))).toBe(expected)
  })

  test('faults of file and command line come together', () => {
    const text = messageOf(() => load('flow: {idle_udp_s: 0}', { homeNet: 'lan', settings: ['x=1'] }))
    expect(text.split('\n').map((line) => line.split(':')[0])).toEqual(['test.yaml', '--set', '--home-net'])
  })
})

describe('a configuration that is right', () => {
  const defaults = Object.fromEntries(Object.entries(SECTIONS).map(([name, table]) => [name, defaultsOf(table)]))

  test.each(['', '# nothing\n', 'flow:\nlog: {}\n', '\ufeff', '---\n...\n'])('%j is all defaults', (yaml) => {
    expect(load(yaml)).toEqual(defaults)
  })

  test('no file is all defaults', () => {
    expect(loadConfig({})).toEqual(defaults)
  })

  test('every value of a file arrives', () => {
    const config = load('flow: {max_flows: 2048, vlan_in_key: true, activity_gap_s: 0.5}\nlog: {level: warn}\noutput: {reports: false}')
    expect(config.flow).toEqual({ ...defaultsOf(SECTIONS.flow), max_flows: 2048, vlan_in_key: true, activity_gap_s: 0.5 })
    expect(config.log.level).toBe('warn')
    expect(config.output.reports).toBe(false)
  })

  test('anchors and aliases are followed', () => {
    expect(load('flow: {idle_udp_s: &t 7, idle_icmp_s: *t}').flow).toMatchObject({ idle_udp_s: 7, idle_icmp_s: 7 })
  })

  test('rendered text loads back to the same', () => {
    const config = load('flow: {max_flows: 2048}\nnetworks: {internal: [2001:db8::/32]}')
    expect(load(renderConfig(config))).toEqual(config)
  })
})

test('config/flowscribe.yaml is what the tables say (npm run config-file writes it)', () => {
  const file = readFileSync(new URL('../config/flowscribe.yaml', import.meta.url), 'utf8')
  expect(file).toBe(renderConfig(loadConfig({})))
  expect(load(file)).toEqual(loadConfig({}))
})

describe('every option table', () => {
  const options = Object.entries<OptionTable>(SECTIONS).flatMap(([section, table]) =>
    Object.entries(table).map(([key, option]) => ({ name: `${section}.${key}`, key, option })),
  )

  test.each(options)('$name: its default is allowed, its key is snake_case, its comment a sentence', ({ key, option }) => {
    const node = parseDocument(JSON.stringify(option.default)).contents
    expect(checkOption(option, node, (n) => n).faults).toEqual([])
    expect(key).toMatch(/^[a-z][a-z0-9]*(_[a-zA-Z0-9]+)*$/)
    expect(option.comment).toMatch(/^[A-Z].*\.$/)
  })
})

describe('lists of mappings', () => {
  const option = {
    kind: 'records',
    default: [],
    unit: '',
    comment: 'Servers.',
    fields: {
      name: { comment: 'A name.', required: true, kind: 'text' },
      network: { comment: 'Where.', required: false, kind: 'network' },
      role: { comment: 'What for.', required: false, kind: 'text', oneOf: ['scanner', 'backup'] },
      until: { comment: 'When.', required: false, kind: 'date' },
    },
  } as const

  function check(yaml: string) {
    const result = checkOption(option, parseDocument(yaml).contents, (n) => n)
    return result.faults.length > 0 ? result.faults.map((fault) => `${fault.subPath}: ${fault.message}`) : result.value
  }

  test.each<[string, unknown]>([
    [
      '[{name: a, network: 10.0.0.1, until: 2026-02-28}, {name: 007}]',
      [{ name: 'a', network: '10.0.0.1', until: '2026-02-28' }, { name: '007' }],
    ],
    ['[{network: 10.0.0.1}]', ['[0].name: missing, but required']],
    ['[{name: a, netwrk: b}]', ["[0].netwrk: unknown key; did you mean 'network'? allowed: name, network, role, until"]],
    ['[{name: a, until: 2026-02-31}]', ["[0].until: got '2026-02-31'; allowed: a date (UTC), 2026-01-31 or 2026-01-31T12:00:00Z"]],
    ['[{name: a, role: bakup}]', ["[0].role: got 'bakup'; allowed: one of scanner, backup; did you mean 'backup'?"]],
    ['[{name: a}, 5]', ['[1]: got 5; allowed: a mapping with keys of: name, network, role, until']],
    ['[{name: [a], network: x}]', ['[0].name: got a list; allowed: text', `[0].network: got 'x'; allowed: ${CIDR}`]],
    ['5', [': got 5; allowed: a list of mappings with keys of: name, network, role, until']],
  ])('%s', (yaml, expected) => {
    expect(check(yaml)).toEqual(expected)
  })
})
