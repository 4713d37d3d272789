/**
 * The units: as systemd's own checkers see them, and in step with each other, the set-up and what the README says of them.
 */
import { spawnSync } from 'node:child_process'
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, test } from 'vitest'

const root = fileURLToPath(new URL('..', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'flowscribe-systemd-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const UNITS = ['flowscribe.service', 'flowscribe@.service']
const EXPOSURE_MAX = 2

function analyze(...words: string[]) {
  return spawnSync('systemd-analyze', words, { encoding: 'utf8', env: { ...process.env, LC_ALL: 'C.UTF-8' } })
}

const noSystemd = analyze('--version').status === 0 ? '' : "no 'systemd-analyze' (apt-get install systemd)"

function textOf(name: string): string {
  return readFileSync(join(root, 'systemd', name), 'utf8')
}

/** The lines of a unit that say something. */
function settingsOf(name: string): string[] {
  return textOf(name)
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
}

describe('systemd', () => {
  test('verify finds nothing', (context) => {
    context.skip(noSystemd !== '', noSystemd)
    // In a root of its own, where the program is where the unit looks for it.
    const place = join(folder, 'etc', 'systemd', 'system')
    mkdirSync(place, { recursive: true })
    for (const path of ['usr/local/bin/flowscribe', 'bin/kill']) {
      mkdirSync(join(folder, path, '..'), { recursive: true })
      writeFileSync(join(folder, path), '#!/bin/sh\n')
      chmodSync(join(folder, path), 0o755)
    }
    const systems = ['/lib/systemd/system', '/usr/lib/systemd/system'].find((path) => existsSync(path)) ?? ''
    cpSync(systems, join(folder, 'usr/lib/systemd/system'), { recursive: true, verbatimSymlinks: true })
    for (const name of UNITS) cpSync(join(root, 'systemd', name), join(place, name))
    const { status, stdout, stderr } = analyze('verify', '--man=no', `--root=${folder}`, 'flowscribe.service', 'flowscribe@eth1.service')
    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: '', stderr: '' })
    // And it would find something: an unknown setting.
    writeFileSync(join(place, 'flowscribe.service'), textOf('flowscribe.service').replace('NoNewPrivileges', 'NoOldPrivileges'))
    expect(analyze('verify', '--man=no', `--root=${folder}`, 'flowscribe.service').stderr).toContain('NoOldPrivileges')
  })

  test.for(UNITS)(`%s: exposure at most ${EXPOSURE_MAX}, every point of it explained`, (name, context) => {
    context.skip(noSystemd !== '', noSystemd)
    const { stdout } = analyze('security', '--offline=true', '--no-pager', join(root, 'systemd', name))
    const overall = Number(/Overall exposure level for \S+: (\d+\.\d)/.exec(stdout)?.[1])
    expect(overall).toBeLessThanOrEqual(EXPOSURE_MAX)
    const readme = textOf('README.md')
    expect(readme).toContain(`${overall} of 10`)
    const counted = [...stdout.matchAll(/^✗ (\w+)=/gm)].map((match) => match[1])
    expect(counted.length).toBeGreaterThan(5)
    const explained = readme.split('still counts')[1]
    expect(counted.filter((setting) => !explained.includes(setting))).toEqual([])
  })

  test('the system calls of the allowed groups are all that a run makes', (context) => {
    const noStrace = spawnSync('strace', ['-V']).status === 0 ? '' : "no 'strace' (apt-get install strace)"
    context.skip(noSystemd + noStrace !== '', noSystemd + noStrace)
    const members = (group: string): Set<string> => {
      const names = analyze('syscall-filter', group).stdout.split('\n').slice(1)
      const listed = names.map((line) => line.trim()).filter((line) => /^[@\w-]+$/.test(line))
      return new Set(listed.flatMap((name) => (name.startsWith('@') ? [...members(name)] : [name])))
    }
    const allowed = members('@system-service')
    for (const group of ['@privileged', '@resources']) for (const name of members(group)) allowed.delete(name)
    const trace = join(folder, 'trace')
    const main = join(root, 'dist', 'main.js')
    const words = ['-f', '-qq', '-o', trace, process.execPath, main, 'run', '-i', 'lo', '-l', join(folder, 'traced')]
    const { stderr } = spawnSync('timeout', ['-s', 'TERM', '4', 'strace', ...words], { encoding: 'utf8' })
    context.skip(/no right to capture|not built/.test(stderr), 'no capture here')
    const made = new Set([...readFileSync(trace, 'utf8').matchAll(/^\d+ +(\w+)\(/gm)].map((match) => match[1]))
    expect(made.has('poll')).toBe(true)
    // Refused with EPERM, which they bear: V8 asks for a memory protection key and does without.
    const harmless = ['pkey_alloc']
    expect([...made].filter((name) => !allowed.has(name) && !harmless.includes(name))).toEqual([])
  }, 30_000)
})

describe('the two units', () => {
  test('differ in the interface and its folders only', () => {
    const [one, each] = UNITS.map(settingsOf)
    const keyOf = (line: string): string => line.replace(/=.*/, '')
    const differing = [...one.filter((line) => !each.includes(line)), ...each.filter((line) => !one.includes(line))].map(keyOf)
    expect([...new Set(differing)].sort()).toEqual(['Description', 'Environment', 'ExecStart', 'LogsDirectory', 'StateDirectory'])
    expect(settingsOf('flowscribe@.service').filter((line) => line.includes('%i')).length).toBe(4)
  })

  test('run as the user that sysusers makes, and are shipped', () => {
    expect(textOf('flowscribe.sysusers')).toMatch(/^u flowscribe - "/m)
    for (const name of UNITS) expect(settingsOf(name)).toContain('User=flowscribe')
    const { files } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { files: string[] }
    expect(files).toContain('systemd')
    const said = textOf('README.md')
    for (const name of readdirSync(join(root, 'systemd'))) if (name !== 'README.md') expect(said).toContain(name)
  })
})

describe('installed', () => {
  test('npm install -g from the packed checkout: devices and replay run, as the unit calls it', (context) => {
    const packed = spawnSync('npm', ['pack', '--silent', '--ignore-scripts', '--pack-destination', folder], { cwd: root, encoding: 'utf8' })
    expect(packed.status).toBe(0)
    const prefix = join(folder, 'prefix')
    const flags = ['--no-audit', '--no-fund', '--prefer-offline', '--loglevel=error', '--omit=optional', '--foreground-scripts']
    const installed = spawnSync('npm', ['install', '-g', '--prefix', prefix, ...flags, join(folder, packed.stdout.trim())], {
      encoding: 'utf8',
      cwd: folder,
    })
    context.skip(/ENOTCACHED|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT|E404/.test(installed.stderr), 'the registry is not within reach')
    expect({ status: installed.status, stderr: installed.status === 0 ? '' : installed.stderr }).toEqual({ status: 0, stderr: '' })
    const program = join(prefix, 'bin', 'flowscribe')
    const capture = join(prefix, 'lib', 'node_modules', 'flowscribe', 'pcaps', 'office-incident.pcap.gz')
    const replayed = spawnSync(program, ['replay', capture, '-l', join(folder, 'out')], { encoding: 'utf8', cwd: folder })
    expect({ status: replayed.status, hasAlerts: /alerts +[1-9]/.test(replayed.stderr) }).toEqual({ status: 0, hasAlerts: true })
    const hasHeaders = existsSync('/usr/include/pcap/pcap.h')
    const devices = spawnSync(program, ['devices'], { encoding: 'utf8' })
    if (hasHeaders) expect(devices).toMatchObject({ status: 0, stdout: expect.stringMatching(/^lo +up/m) })
    // The unit's words are ones that the program knows.
    const words = /^ExecStart=\/usr\/local\/bin\/flowscribe (.*)$/m.exec(textOf('flowscribe@.service'))?.[1] ?? ''
    const args = words.replace('/etc/flowscribe/flowscribe.yaml', join(root, 'config', 'flowscribe.yaml')).replace(/%[LS]/g, folder)
    const started = spawnSync(program, args.replaceAll('%i', 'no-such-if').split(' '), { encoding: 'utf8' })
    expect(started).toMatchObject({ status: 1, stderr: expect.stringContaining(hasHeaders ? 'no such interface' : 'not built') })
  }, 120_000)
})
