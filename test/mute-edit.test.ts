/** Edits of the file of mute rules lose nothing that a person wrote, whoever writes at the same time. */
import { chmodSync, existsSync, lstatSync, readdirSync, readFileSync, statSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { ConfigError } from '../src/base/errors.ts'
import { addRule, removeRule } from '../src/commands/mute-edit.ts'
import { readRules } from '../src/mute-file.ts'
import { temporaryFolder } from './sink/endings.ts'

const OWN = ['10.0.0.0/8', 'fd00::/8']

function written(text: string): string {
  const path = join(temporaryFolder(), 'mutes.yaml')
  writeFileSync(path, text)
  return path
}

const record = (id: string, more: object = {}) => ({
  id,
  kind: 'brute.login',
  actor: '10.0.0.7',
  owner: 'bob',
  reason: 'backup',
  until: '2027-01-31',
  ...more,
})

const OURS = `# Ours since 2024; ask alice.

mutes:
  # The scanner.
  - id: m-1
    kind: scan.vertical # only this
    actor: 10.0.0.9
    owner: 'alice'
    reason: "Nessus"   # until the audit
    until: 2027-01-31
  # The old one.
  - {id: m-2, kind: scan.vertical, actor: 10.0.0.8, owner: alice, reason: old, until: 2025-01-31}
# The end.
`

describe('what a person wrote stays', () => {
  test('comments, order and quotes stay; the new rule comes last', async () => {
    const path = written(OURS)
    await addRule(path, OWN, record('m-3', { reason: 'a: b # c' }))
    const text = readFileSync(path, 'utf8')
    for (const line of [
      '# Ours since 2024; ask alice.',
      '# The scanner.',
      '# only this',
      "owner: 'alice'",
      '# until the audit',
      '# The old one.',
      '# The end.',
    ])
      expect(text).toContain(line)
    const rules = readRules(path, OWN, false)
    expect(rules.map(({ id }) => id)).toEqual(['m-1', 'm-2', 'm-3'])
    expect(rules[2].reason).toBe('a: b # c')
    await removeRule(path, OWN, 'm-3')
    expect(readRules(path, OWN, false).map(({ id }) => id)).toEqual(['m-1', 'm-2'])
    expect(
      readFileSync(path, 'utf8')
        .split('\n')
        .filter((line) => line.includes('#')),
    ).toEqual(text.split('\n').filter((line) => line.includes('#') && !line.includes('a: b')))
  })

  test.each(['# why this file is empty\n', 'mutes: []\n', '', 'mutes: # none\n'])('a first rule in %j', async (text) => {
    const path = written(text)
    await addRule(path, OWN, record('m-1'))
    expect(readRules(path, OWN, false).map(({ id }) => id)).toEqual(['m-1'])
    const comment = /# .*/.exec(text)?.[0] ?? ''
    expect(readFileSync(path, 'utf8')).toContain(comment)
  })

  test('a new file says what it is, in a folder that is made', async () => {
    const path = join(temporaryFolder(), 'etc', 'mutes.yaml')
    await addRule(path, OWN, record('m-1'))
    expect(readFileSync(path, 'utf8')).toMatch(/^# Alerts that match a rule here/)
    expect(statSync(path).mode & 0o777).toBe(0o644)
  })

  test.each([
    'plain',
    '"quoted"',
    "it's",
    '- x',
    '{a: b}',
    '# c',
    '!!js',
    '\u001b[31m\u202e',
    'a\nmutes: []\n',
    'null',
    '2027',
    '日本',
    '*x',
    '&x',
    '%TAG',
    "''",
    '\\',
  ])('reason %j comes back as it was', async (reason) => {
    const path = written(OURS)
    await addRule(path, OWN, record('m-3', { reason }))
    expect(readRules(path, OWN, false).map((rule) => rule.reason)).toEqual(['Nessus', 'old', reason])
  })
})

describe('nobody’s change is lost, and no bad one made', () => {
  test('a change made between reading and replacing is not lost', async () => {
    const path = written(OURS)
    // The record is read while the change is made: that is when somebody saves in an editor.
    let saved = 0
    const disturbing = {
      ...record('m-3'),
      get owner() {
        if (saved++ < 3) writeFileSync(path, readFileSync(path, 'utf8').replace('# The end.', `# saved ${saved}\n# The end.`))
        return 'bob'
      },
    }
    await addRule(path, OWN, disturbing)
    const text = readFileSync(path, 'utf8')
    for (const comment of ['# saved 1', '# saved 2', '# saved 3', '# The end.']) expect(text).toContain(comment)
    expect(readRules(path, OWN, false).map(({ id }) => id)).toEqual(['m-1', 'm-2', 'm-3'])
  })

  test('many at once: none is lost, nothing is left beside the file', async () => {
    const path = written(OURS)
    const ids = Array.from({ length: 12 }, (_, i) => `n-${i}`)
    await Promise.all(ids.map((id) => addRule(path, OWN, record(id))))
    expect(
      readRules(path, OWN, false)
        .map(({ id }) => id)
        .sort(),
    ).toEqual(['m-1', 'm-2', ...ids].sort())
    expect(readdirSync(join(path, '..'))).toEqual(['mutes.yaml'])
  })

  test('a faulty file is not touched, nor is one that a rule would make faulty', async () => {
    const broken = written(`${OURS}typo: 1\n`)
    await expect(addRule(broken, OWN, record('m-3'))).rejects.toThrow(/typo: unknown key/)
    expect(readFileSync(broken, 'utf8')).toBe(`${OURS}typo: 1\n`)
    const path = written(OURS)
    await expect(addRule(path, OWN, record('m-3', { until: 'soon' }))).rejects.toThrow(ConfigError)
    await expect(removeRule(path, OWN, 'm-9')).rejects.toThrow(/no rule 'm-9'/)
    expect(readFileSync(path, 'utf8')).toBe(OURS)
    expect(readdirSync(join(path, '..'))).toEqual(['mutes.yaml'])
  })

  test('a link stays a link, permissions stay', async () => {
    const target = written(OURS)
    chmodSync(target, 0o640)
    const link = join(temporaryFolder(), 'link.yaml')
    symlinkSync(target, link)
    await addRule(link, OWN, record('m-3'))
    expect(lstatSync(link).isSymbolicLink()).toBe(true)
    expect(statSync(target).mode & 0o777).toBe(0o640)
    expect(readRules(target, OWN, false).length).toBe(3)
  })

  test('what a killed command left behind is taken away after ten seconds', async () => {
    const path = written(OURS)
    const draft = join(path, '..', '.mutes.yaml.new')
    writeFileSync(draft, '')
    await expect(addRule(path, OWN, record('m-3'))).rejects.toThrow(/another flowscribe mute is writing/)
    utimesSync(draft, 1, 1)
    await addRule(path, OWN, record('m-3'))
    expect(existsSync(draft)).toBe(false)
  })
})
