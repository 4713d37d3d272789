/** The file of mute rules: what may stand in it, and each fault with its line. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { ConfigError } from '../src/base/errors.ts'
import { loadMutes, readRules } from '../src/mute-file.ts'
import { temporaryFolder } from './sink/endings.ts'

const OWN = ['10.0.0.0/8', 'fd00::/8']
const RULE = 'id: m-1, kind: scan.vertical, actor: 10.0.0.9, owner: alice, reason: Nessus, until: 2027-01-31'

function written(text: string | Buffer): string {
  const path = join(temporaryFolder(), 'mutes.yaml')
  writeFileSync(path, text)
  return path
}

/** Faults without the folder's name. */
function faultsOf(path: string): string[] {
  try {
    loadMutes(path, OWN, false)
    return []
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return error.message.split('\n').map((line) => line.replace(/^.*?mutes\.yaml/, 'mutes.yaml'))
  }
}

describe('a good file', () => {
  test('every key, one value or a list of them, with anchors', () => {
    const path = written(
      [
        'mutes:',
        '  - id: m-1',
        '    kind: &scans [scan.vertical, scan.horizontal]',
        '    actor: [10.0.0.9, fd00::9, 02:00:5e:00:00:01]',
        '    victim: any',
        '    port: 443',
        '    owner: 4711',
        '    reason: "Nessus: ticket #4711"',
        '    created: 2026-11-20T13:00:00Z',
        '    until: 2027-01-31',
        '    alert: fs-20261120-c031826a9d',
        '  - {id: m-2, kind: *scans, actor: any, victim: 10.1.0.0/16, port: [22, 23], owner: bob, reason: lab, until: 2027-01-31T12:00:00Z, wide: false}',
      ].join('\n'),
    )
    const shared = { kinds: ['scan.vertical', 'scan.horizontal'], isWide: false }
    expect(readRules(path, OWN, false)).toEqual([
      {
        ...shared,
        id: 'm-1',
        actors: ['10.0.0.9', 'fd00::9', '02:00:5e:00:00:01'],
        victims: null,
        ports: [443],
        owner: '4711',
        reason: 'Nessus: ticket #4711',
        created: '2026-11-20T13:00:00Z',
        until: '2027-01-31',
        // The last day counts whole.
        untilSec: Date.UTC(2027, 1, 1) / 1000,
      },
      {
        ...shared,
        id: 'm-2',
        actors: null,
        victims: ['10.1.0.0/16'],
        ports: [22, 23],
        owner: 'bob',
        reason: 'lab',
        created: '',
        until: '2027-01-31T12:00:00Z',
        untilSec: Date.UTC(2027, 0, 31, 12) / 1000,
      },
    ])
  })

  test.each(['', '# nothing yet\n', 'mutes:\n', 'mutes: []\n', '---\n'])('%j holds no rules', (text) => {
    expect(readRules(written(text), OWN, false)).toEqual([])
  })

  test('no file: no rules where that may be, a fault where one was named', () => {
    const path = join(temporaryFolder(), 'mutes.yaml')
    expect(loadMutes(path, OWN, true).rules).toEqual([])
    expect(faultsOf(path)).toEqual(['mutes.yaml: no such file'])
  })

  test('wide: true confirms a rule that would else be refused', () => {
    const wide = RULE.replace('10.0.0.9', 'any')
    const why =
      'too wide: any actor and any victim: nobody here would be told of scan.vertical again; narrow it, or confirm with wide: true'
    expect(faultsOf(written(`mutes:\n  - {${wide}}\n`))).toEqual([`mutes.yaml:2: mutes[0]: ${why}`])
    expect(faultsOf(written(`mutes:\n  - {${wide}, wide: true}\n`))).toEqual([])
  })
})

describe('a faulty file: each fault with line and key', () => {
  test.each<[string, string[]]>([
    ['mutes: [', ['mutes.yaml:1: not valid YAML']],
    ['- a\n', ['mutes.yaml:1: got a list; the file must be a mapping with the key mutes']],
    ['\nmute: []\n', ["mutes.yaml:2: mute: unknown key; did you mean 'mutes'? allowed: mutes"]],
    ['mutes: yes\n', ["mutes.yaml:1: mutes: got 'yes'; allowed: a list of rules"]],
    ['mutes:\n  - scan\n', ["mutes.yaml:2: mutes[0]: got 'scan'; allowed: a mapping with keys of: id, kind"]],
    [
      'mutes:\n  - id: m-1\n    kind: scan.vertikal\n    actor: 10.0.0.256\n',
      [
        'mutes.yaml:2: mutes[0].owner: missing, but required',
        'mutes.yaml:2: mutes[0].reason: missing, but required',
        'mutes.yaml:2: mutes[0].until: missing, but required',
        "mutes.yaml:3: mutes[0].kind: got 'scan.vertikal'; allowed: scan.vertical, ",
        "mutes.yaml:4: mutes[0].actor: got '10.0.0.256'; allowed: an address, a network, a list of these, or any",
      ],
    ],
    [`mutes:\n- {${RULE}, victims: any}\n`, ["mutes.yaml:2: mutes[0].victims: unknown key; did you mean 'victim'?"]],
    [`mutes:\n- {${RULE}}\n- {${RULE}}\n`, ["mutes.yaml:3: mutes[1].id: 'm-1' stands there twice"]],
    [`mutes:\n- {${RULE}, owner: eve}\n`, ['mutes.yaml:2: mutes[0].owner: given twice']],
    [`mutes:\n- {${RULE.replace('2027-01-31', '2027-02-31')}}\n`, ["mutes.yaml:2: mutes[0].until: got '2027-02-31'; allowed: a date"]],
    [`mutes:\n- {${RULE.replace('2027-01-31', '')}}\n`, ['mutes.yaml:2: mutes[0].until: got nothing']],
    [`mutes:\n- {${RULE.replace('Nessus', '" "')}}\n`, ["mutes.yaml:2: mutes[0].reason: got ' '; allowed: why"]],
    [`mutes:\n- {${RULE.replace('m-1', '"m 1{}"')}}\n`, ["mutes.yaml:2: mutes[0].id: got 'm 1{}'; allowed: up to 64 letters"]],
    [`mutes:\n- {${RULE}, port: [22, 65536]}\n`, ['mutes.yaml:2: mutes[0].port[1]: got 65536; allowed: a port from 0 to 65535']],
    [`mutes:\n- {${RULE.replace('10.0.0.9', '[]')}}\n`, ['mutes.yaml:2: mutes[0].actor: got a list']],
    [`mutes:\n- {${RULE.replace('10.0.0.9', '[any]')}}\n`, ["mutes.yaml:2: mutes[0].actor[0]: got 'any'"]],
    [`mutes:\n- {${RULE.replace('scan.vertical', 'any')}}\n`, ["mutes.yaml:2: mutes[0].kind: got 'any'"]],
    ['mutes: "\\u001b[31m\\u202e"\n', ["mutes.yaml:1: mutes: got '\\x1b[31m\\u202e'"]],
  ])('%j', (text, starts) => {
    const faults = faultsOf(written(text))
    expect(faults.map((fault, i) => fault.slice(0, starts[i]?.length))).toEqual(starts)
  })

  test('no text, a folder, far too long', () => {
    expect(faultsOf(written(Buffer.from([0xff, 0xfe, 0x00])))).toEqual(['mutes.yaml: is not text in UTF-8'])
    expect(faultsOf(written('#'.repeat(2 ** 20 + 1)))).toEqual(['mutes.yaml: longer than 1048576 bytes: not a configuration file'])
    expect(() => loadMutes(temporaryFolder(), OWN, false)).toThrow(/is a folder, not a file/)
  })

  test('more rules than a person could have written', () => {
    const rules = Array.from({ length: 1001 }, (_, i) => `- {${RULE.replace('m-1', `m-${i}`)}}`).join('\n')
    expect(faultsOf(written(`mutes:\n${rules}\n`))[0]).toContain('mutes: 1001 rules; allowed: up to 1000')
  })
})
