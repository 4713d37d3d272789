/**
 * `flowscribe mute` as a user types it, and what a rule does to a replay; by running the compiled program on the bundled capture.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import type { AlertEvent } from '../src/score/evidence.ts'

const main = fileURLToPath(new URL('../dist/main.js', import.meta.url))
const capture = fileURLToPath(new URL('../pcaps/office-incident.pcap.gz', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'flowscribe-mute-'))
const rules = join(folder, 'mutes.yaml')

const SCAN = 'fs-20261120-c031826a9d'
const SWEEP = 'fs-20261120-b715bf47b2'
const BEACON = 'fs-20261120-5f7d9287b3'
const HINT = 'flowscribe: flowscribe --help lists the commands, flowscribe COMMAND --help the options of one\n'

// Each test starts the program several times, perhaps on a busy machine.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 })

interface Ran {
  status: number | null
  stdout: string
  stderr: string
}

function run(...args: string[]): Ran {
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...args], { encoding: 'utf8', cwd: folder, timeout: 120_000 })
  return { status, stdout, stderr }
}

const mute = (...args: string[]): Ran => run('mute', ...args, '--alerts', 'flowscribe-out/alerts.jsonl', '--file', 'mutes.yaml')

/** What depends on when and by whom the command was run. */
const settled = (text: string): string => text.replace(/\bm-[0-9a-f]{8}\b/g, 'm-ID').replace(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/g, 'TIME')

const idIn = (text: string): string => /\bm-[0-9a-f]{8}\b/.exec(text)?.[0] ?? 'none'

beforeAll(() => {
  expect(run('replay', '-q', capture).status).toBe(0)
})
beforeEach(() => rmSync(rules, { force: true }))
afterAll(() => rmSync(folder, { recursive: true }))

const OPTIONS = ['--for', '30d', '--reason', 'Nessus, ticket 4711', '--owner', 'alice']

describe('a rule from an alert', () => {
  test('as narrow as the alert; what it would have hidden; the file', () => {
    const { status, stdout, stderr } = mute(SCAN, ...OPTIONS)
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    expect(settled(stdout)).toBe(`rule m-ID written to mutes.yaml
  kind    scan.vertical
  actor   10.20.1.14
  victim  10.20.1.20
  port    any
  owner   alice
  reason  Nessus, ticket 4711
  until   TIME
a running sensor takes it up at SIGHUP

in flowscribe-out/alerts.jsonl it would have hidden 1 of 5 alerts: scan.vertical 1
  2026-11-20 10:05:06 UTC  scan.vertical  10.20.1.14 → 10.20.1.20  91 % likely, high  ${SCAN}
`)
    const text = readFileSync(rules, 'utf8')
    expect(settled(text)).toBe(`# Alerts that match a rule here are written and counted as ever, but wake nobody.
# Edited by hand or by flowscribe mute; a running sensor reads it again at SIGHUP.

mutes:
  - id: m-ID
    kind: scan.vertical
    actor: 10.20.1.14
    victim: 10.20.1.20
    owner: alice
    reason: Nessus, ticket 4711
    created: TIME
    until: TIME
    alert: ${SCAN}
`)
    const [created, until] = [...text.matchAll(/(?:created|until): (.*)/g)].map(([, time]) => Date.parse(time))
    expect(until - created).toBe(30 * 86_400_000)
    expect(Math.abs(created - Date.now())).toBeLessThan(120_000)
  })

  test('wider and narrower, by kinds, networks and ports; the newest first, counted by kind', () => {
    const { status, stdout } = mute(
      SCAN,
      ...OPTIONS,
      '--kind',
      'scan.vertical,scan.horizontal,brute.login',
      '--actor',
      '10.20.1.8/29',
      '--any-victim',
    )
    expect(status).toBe(0)
    const [, shown] = stdout.split('\n\n')
    expect(shown.split('\n').map((line) => line.replace(/ {2}[^ ]+ → .*/, ''))).toEqual([
      'in flowscribe-out/alerts.jsonl it would have hidden 3 of 5 alerts: scan.vertical 1, scan.horizontal 1, brute.login 1',
      expect.stringContaining('brute.login'),
      expect.stringContaining('scan.horizontal'),
      expect.stringContaining('scan.vertical'),
      '',
    ])
    const none = mute(SWEEP, ...OPTIONS, '--port', '23', '--dry-run')
    expect(none.stdout).toContain('it would have hidden 0 of 5 alerts\n')
  })

  test('an alert with more victims than the log names is muted for any; its report names it as well', () => {
    const { stdout } = mute(`flowscribe-out/reports/2026-11-20/${SWEEP}.md`, ...OPTIONS, '--dry-run')
    expect(stdout).toContain('  victim  any\n  port    22\n')
    expect(stdout).toContain('rule m-')
    expect(existsSync(rules)).toBe(false)
  })

  test('the owner is who is logged in, behind sudo too', () => {
    const words = ['mute', SCAN, '--for', '1h', '--reason', 'x', '--alerts', 'flowscribe-out/alerts.jsonl', '--file', 'mutes.yaml']
    const env = { ...process.env, SUDO_USER: 'carol' }
    const { stdout } = spawnSync(process.execPath, [main, ...words], { encoding: 'utf8', cwd: folder, env })
    expect(stdout).toContain('  owner   carol\n')
  })

  test('control characters of a reason reach neither terminal nor report', () => {
    const reason = '\u001b[31mred\u202e | `code` <b>x</b>\n# heading'
    const { stdout } = mute(SCAN, '--for', '3650d', '--reason', reason)
    expect(stdout).toContain('  reason  \\x1b[31mred\\u202e | `code` <b>x</b>\\x0a# heading\n')
    // 3650 days from now hold in the capture's time, too.
    const replayed = run('replay', '-q', '-l', 'hostile', '--set', 'mutes.reports=true', '--mutes', 'mutes.yaml', capture)
    expect(replayed.status).toBe(0)
    const report = `hostile/reports/2026-11-20/${SCAN}.md`
    const line = readFileSync(join(folder, report), 'utf8')
      .split('\n')
      .find((found) => found.startsWith('**Muted**'))
    expect(line).toMatch(
      /^\*\*Muted\*\*: nobody is notified, by rule `m-[0-9a-f]{8}` of `.*`, until `.*`: `\uFFFD\[31mred\uFFFD \\\| 'code' <b>x<\/b>\uFFFD# heading`\./,
    )
    expect(run('verify', 'hostile/alerts.jsonl', report)).toEqual({ status: 0, stdout: `${report}: verified\n`, stderr: '' })
  })

  test('listed, removed, gone', () => {
    const id = idIn(mute(SCAN, ...OPTIONS).stdout)
    const other = idIn(mute(BEACON, ...OPTIONS).stdout)
    expect(other).not.toBe(id)
    const again = mute(SCAN, ...OPTIONS, '--dry-run')
    expect(again.stdout).toContain(`rule ${id} mutes it already, until `)
    const list = mute('--list').stdout
    expect(list).toContain(`2 rules in mutes.yaml\n\nrule ${id}\n  kind    scan.vertical\n`)
    expect(mute('--remove', id, '--dry-run').stdout).toContain(`rule ${id} would be removed from mutes.yaml\n`)
    expect(mute('--remove', id)).toMatchObject({ status: 0, stderr: '' })
    expect(mute('--list').stdout).not.toContain(id)
    expect(mute('--remove', other).status).toBe(0)
    expect(mute('--list')).toEqual({ status: 0, stdout: 'no mute rules in mutes.yaml\n', stderr: '' })
    expect(readFileSync(rules, 'utf8')).toContain('# Alerts that match')
  })

  test('--list says which rules have expired', () => {
    writeFileSync(rules, 'mutes:\n- {id: m-1, kind: c2.beacon, actor: 10.0.0.1, owner: a, reason: b, until: 2020-01-01}\n')
    expect(mute('--list').stdout).toContain('rule m-1: expired, mutes nothing\n')
  })
})

describe('refused', () => {
  test.each<[string[], string]>([
    [
      [SCAN, ...OPTIONS, '--any-actor', '--any-victim'],
      'this rule is too wide: any actor and any victim: nobody here would be told of scan.vertical again. Narrow it, or repeat with --force',
    ],
    [
      [SCAN, ...OPTIONS, '--actor', '10.0.0.0/8,172.16.0.0/12,192.168.0.0/16', '--any-victim'],
      'this rule is too wide: all own networks as actor and any victim: nobody here would be told of scan.vertical again. Narrow it, or repeat with --force',
    ],
    [
      [SCAN, ...OPTIONS, '--actor', '0.0.0.0/0'],
      'this rule is too wide: its actor is every IPv4 address there is. Narrow it, or repeat with --force',
    ],
    [
      [SCAN, ...OPTIONS, '--home-net', '10.20.0.0/16', '--actor', '10.20.0.0/15', '--any-victim'],
      'this rule is too wide: all own networks as actor and any victim: nobody here would be told of scan.vertical again. Narrow it, or repeat with --force',
    ],
    [[SCAN, '--reason', 'x'], 'mute needs --for: how long, such as 30d'],
    [[SCAN, '--for', '30d'], 'mute needs --reason: why nobody wants to hear of it'],
    [[SCAN, '--for', '30d', '--reason', ' '], 'mute needs --reason: why nobody wants to hear of it'],
    [[SCAN, '--for', '30', '--reason', 'x'], "option --for: got '30'; allowed: hours, days or weeks up to 3650 days, such as 12h, 30d, 8w"],
    [[SCAN, '--for', '0d', '--reason', 'x'], "option --for: got '0d'; allowed: hours, days or weeks up to 3650 days, such as 12h, 30d, 8w"],
    [[SCAN, ...OPTIONS, '--victim', '10.0.0.300'], "victim: got '10.0.0.300'; allowed: an address, a network, a list of these, or any"],
    [[SCAN, ...OPTIONS, '--port', 'ssh'], 'port: got NaN; allowed: a port from 0 to 65535, a list of ports, or any'],
    [[SCAN, ...OPTIONS, '--actor', '10.0.0.1', '--any-actor'], '--actor and --any-actor are both given: say one'],
    [[SCAN, '--list'], 'mute needs the id of an alert, or --list, or --remove RULE'],
    [[], 'mute needs the id of an alert, or --list, or --remove RULE'],
  ])('%j', (words, message) => {
    expect(mute(...words)).toEqual({ status: 2, stdout: '', stderr: `flowscribe: ${message}\n${HINT}` })
    expect(existsSync(rules)).toBe(false)
  })

  test.each<[string, string]>([
    ['fs-20261120-c031826a9e', `no alert 'fs-20261120-c031826a9e' among 5 alerts; did you mean '${SCAN}'?`],
    ['nonsense', "no alert 'nonsense' among 5 alerts"],
  ])('alert %s', (id, message) => {
    expect(mute(id, ...OPTIONS)).toEqual({ status: 1, stdout: '', stderr: `flowscribe: flowscribe-out/alerts.jsonl: ${message}\n` })
  })

  test('too wide, by --force: written so that it loads, and said', () => {
    const { status, stdout } = mute(SCAN, ...OPTIONS, '--any-actor', '--any-victim', '--force')
    expect(status).toBe(0)
    expect(stdout).toContain('  too wide, by --force: any actor and any victim: nobody here would be told of scan.vertical again\n')
    expect(readFileSync(rules, 'utf8')).toMatch(/actor: any\n {4}victim: any\n[\s\S]*wide: true\n/)
    expect(mute('--list').status).toBe(0)
  })

  test('a log that is not there: which other one may be meant', () => {
    const { status, stderr } = run('mute', SCAN, ...OPTIONS, '--set', 'output.folder=nowhere', '--file', 'mutes.yaml')
    const hint = 'name the log that has the alert: --alerts flowscribe-out/alerts.jsonl'
    expect({ status, stderr }).toEqual({ status: 1, stderr: `flowscribe: nowhere/alerts.jsonl: no such alert log; ${hint}\n` })
  })

  test('a damaged file of rules: one line a fault, by mute and by replay', () => {
    writeFileSync(rules, 'mutes:\n  - {id: m-1, kind: c2.bacon, actor: 10.0.0.1, owner: a, reason: b, until: 2030-01-01}\n')
    const stderr =
      /^flowscribe: mutes\.yaml:2: mutes\[0\]\.kind: got 'c2\.bacon'; allowed: scan\.vertical, .*; did you mean 'c2\.beacon'\?\n$/
    for (const ran of [mute(SCAN, ...OPTIONS), mute('--list'), run('replay', '--mutes', 'mutes.yaml', capture)]) {
      expect({ status: ran.status, stdout: ran.stdout }).toEqual({ status: 2, stdout: '' })
      expect(ran.stderr).toMatch(stderr)
    }
  })

  test('lines of the log that are none are counted', () => {
    const log = readFileSync(join(folder, 'flowscribe-out/alerts.jsonl'), 'utf8')
    writeFileSync(join(folder, 'torn.jsonl'), `not json\n${'x'.repeat(200_000)}\n${log}{"torn`)
    const { stdout } = run('mute', SCAN, ...OPTIONS, '--alerts', 'torn.jsonl', '--file', 'mutes.yaml', '--dry-run')
    expect(stdout).toContain('hidden 1 of 5 alerts')
    expect(stdout).toContain('3 lines of the log could not be read\n')
    const absent = run('mute', 'nonsense', ...OPTIONS, '--alerts', 'torn.jsonl', '--file', 'mutes.yaml')
    expect(absent.stderr).toBe("flowscribe: torn.jsonl: no alert 'nonsense' among 5 alerts (3 lines could not be read)\n")
    // Of a version that said less: what is needed is there.
    writeFileSync(join(folder, 'old.jsonl'), log.replaceAll('"visibility":', '"seen":'))
    expect(run('mute', SCAN, ...OPTIONS, '--alerts', 'old.jsonl', '--file', 'mutes.yaml', '--dry-run').stdout).toContain(
      'hidden 1 of 5 alerts',
    )
  })
})

describe('replay with --mutes', () => {
  const eventsIn = (path: string): { outer: Record<string, unknown>; alert: AlertEvent }[] =>
    readFileSync(join(folder, path), 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => {
        const outer = JSON.parse(line) as { alert: { context: { flowscribe: AlertEvent } } }
        return { outer: outer.alert as unknown as Record<string, unknown>, alert: outer.alert.context.flowscribe }
      })

  const RULE = "{id: m-1, kind: scan.vertical, actor: 10.20.1.14, owner: alice, reason: Nessus, until: '2026-11-20'}"
  const digestsIn = (text: string): string[] => [...text.matchAll(/(flows|alerts) ([0-9a-f]{64})/g)].map(([, , digest]) => digest)

  test('muted alerts are in the log and judged as ever; no report, no notification, not among the alerts; alike twice', () => {
    writeFileSync(rules, `mutes:\n- ${RULE}\n`)
    const first = run('replay', '-l', 'a', '--mutes', 'mutes.yaml', capture)
    const second = run('replay', '-l', 'b', '--mutes', 'mutes.yaml', capture)
    expect(first.status).toBe(0)
    expect(readFileSync(join(folder, 'a/alerts.jsonl'))).toEqual(readFileSync(join(folder, 'b/alerts.jsonl')))
    expect(digestsIn(first.stderr)).toEqual(digestsIn(second.stderr))
    expect(first.stderr).toContain('alerts       1 critical, 2 high, 1 medium\nmuted        1 alert muted by 1 rule\n')
    expect(first.stderr).not.toContain('scan.vertical')
    expect(existsSync(join(folder, `a/reports/2026-11-20/${SCAN}.md`))).toBe(false)
    const plain = eventsIn('flowscribe-out/alerts.jsonl')
    const events = eventsIn('a/alerts.jsonl')
    expect(events.length).toBe(plain.length)
    for (const [i, { outer, alert }] of events.entries()) {
      const before = plain[i].alert
      if (alert.kind !== 'scan.vertical') {
        // The budget of the day is one larger; nothing else changes.
        expect(alert).toEqual(before)
        continue
      }
      const suppressed = { rule: 'm-1', owner: 'alice', until: '2026-11-20', reason: 'Nessus' }
      expect(alert).toEqual({ ...before, shouldNotify: false, suppressed })
      expect(outer).toMatchObject({ severity: 4, metadata: { signature_severity: ['Informational'], flowscribe_muted: ['m-1'] } })
    }
    const left = [SWEEP, BEACON].map((id) => `a/reports/2026-11-20/${id}.md`)
    expect(run('verify', 'a/alerts.jsonl', ...left).status).toBe(0)
  })

  test('a rule that ended before the capture is said once and mutes nothing; when all is muted, no alerts were found', () => {
    writeFileSync(rules, `mutes:\n- ${RULE.replace('2026-11-20', '2026-11-19')}\n`)
    const ended = run('replay', '-l', 'a', '--mutes', 'mutes.yaml', '--exit-code', capture)
    expect(ended.status).toBe(3)
    expect(ended.stderr.split('mute rule m-1 of alice (Nessus) ended 2026-11-19: it mutes nothing').length).toBe(2)
    expect(ended.stderr).not.toContain('muted by')
    const plain = run('replay', '-l', 'b', capture)
    expect(digestsIn(ended.stderr)).toEqual(digestsIn(plain.stderr))
    const kinds = '[scan.vertical, scan.horizontal, brute.login, exfil.volume, c2.beacon]'
    writeFileSync(rules, `mutes:\n- ${RULE.replace('scan.vertical', kinds).replace('10.20.1.14', '10.20.1.0/24')}\n`)
    const all = run('replay', '-l', 'a', '--mutes', 'mutes.yaml', '--exit-code', capture)
    expect(all.status).toBe(0)
    expect(all.stderr).toContain('alerts       none\nmuted        5 alerts muted by 1 rule\n')
    expect(all.stderr).not.toMatch(/^reports/m)
  })

  test('score takes rules, too: of the flows that were metered here', () => {
    expect(run('flows', '-q', capture, '-o', 'flows.csv').status).toBe(0)
    writeFileSync(rules, `mutes:\n- ${RULE}\n`)
    const plain = run('score', '-l', 's', 'flows.csv')
    const muted = run('score', '-l', 's', '--mutes', 'mutes.yaml', 'flows.csv')
    expect(plain.stderr).toContain('scan.vertical')
    expect(plain.stderr).not.toContain('muted')
    expect(muted.stderr).not.toContain('scan.vertical')
    expect(muted.stderr).toMatch(/^muted +1 alert muted by 1 rule$/m)
  })

  test('no rules without --mutes, whatever mutes.file says', () => {
    writeFileSync(rules, 'this: is damaged\n')
    const { status, stderr } = run('replay', '-l', 'a', '--set', `mutes.file=${rules}`, capture)
    expect(status).toBe(0)
    expect(stderr).not.toContain('muted')
    expect(run('replay', '--mutes', 'absent.yaml', capture)).toEqual({
      status: 2,
      stdout: '',
      stderr: 'flowscribe: absent.yaml: no such file\n',
    })
  })
})
