/**
 * The command line as a user meets it: exit codes, messages, help; by running the compiled program.
 */
import { spawn, spawnSync } from 'node:child_process'
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, test } from 'vitest'
import { loadConfig } from '../src/config.ts'
import { renderConfig } from '../src/config-file.ts'

const main = fileURLToPath(new URL('../dist/main.js', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'flowscribe-main-'))
afterAll(() => rmSync(folder, { recursive: true }))

const HINT = 'flowscribe: flowscribe --help lists the commands, flowscribe COMMAND --help the options of one\n'
const COMMANDS = [
  'run',
  'replay',
  'score',
  'flows',
  'devices',
  'doctor',
  'baseline',
  'verify',
  'report',
  'mute',
  'features',
  'check-config',
]

function run(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...args], { encoding: 'utf8', cwd: folder, timeout: 20_000 })
  return { status, stdout, stderr }
}

describe('help and version', () => {
  test('no command: help, exit 0', () => {
    const { status, stdout, stderr } = run()
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    for (const command of COMMANDS) expect(stdout).toContain(`flowscribe ${command}`)
  })

  test.each(COMMANDS)('%s --help has examples; --version is the package’s', (command) => {
    const help = run(command, '--help')
    expect({ status: help.status, stderr: help.stderr }).toEqual({ status: 0, stderr: '' })
    expect(help.stdout).toContain('Examples:')
    const manifest: unknown = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
    const version = run(command, '--version')
    expect(version.status).toBe(0)
    expect(manifest).toMatchObject({ version: version.stdout.trim().replace('flowscribe ', '') })
  })
})

describe('wrong usage: one line that says what, a hint, exit 2', () => {
  test.each<[string, string]>([
    ['replya x', "unknown command 'replya'; did you mean 'replay'?"],
    ['frobnicate', `unknown command 'frobnicate'; commands: ${COMMANDS.join(', ')}`],
    ['replay --strit x', "unknown option or argument 'strit'; did you mean '--strict'?"],
    ['features x', "unknown option or argument 'x'"],
    ['replay', 'no capture given: name a file, a folder, or - for standard input'],
    ['flows', 'no capture given: name a file, a folder, or - for standard input'],
    ['replay - -', 'standard input (-) can be read only once'],
    ['replay x -l', 'option -l needs a value'],
    ['replay x -l a -l b', 'option -l was given more than once'],
    ['flows x --format xml', 'option --format: got "xml"; allowed: cic, netflow, jsonl, none'],
    ['flows x --profile v3', 'option --profile: got "v3"; allowed: flowscribe, corrected, as-published'],
    ['flows x --profile corrected --format jsonl', "profile corrected has CICFlowMeter's columns only; allowed formats: cic, none"],
    [
      'flows x --profile as-published --empty nan',
      'profile as-published writes undefined values as CICFlowMeter does; --empty is for profile flowscribe',
    ],
    ['features --explain fwd_iat_meen', "no feature is called 'fwd_iat_meen' in any dialect; did you mean 'fwd_iat_mean'?"],
    ['flows x --empty 1', 'option --empty: got "1"; allowed: 0, -1, nan'],
    ['verify', 'verify needs an alert log and at least one report'],
    ['verify alerts.jsonl', 'verify needs an alert log and at least one report'],
    ['check-config a -c b', 'two configuration files given: name one'],
    ['-v', 'no command given'],
  ])('%s', (words, message) => {
    expect(run(...words.split(' '))).toEqual({ status: 2, stdout: '', stderr: `flowscribe: ${message}\n${HINT}` })
  })
})

test.each<[string, string]>([
  ['replay -', 'standard input'],
  ['replay - absent.pcap', 'standard input'],
  ['replay -- -q', './-q'],
  ['flows - -o -', 'standard input'],
  ['flows absent.pcap --empty -1', 'absent.pcap'],
  ['flows 007', '007'],
])('%s: the first input is %s', (words, input) => {
  const { status, stderr } = run(...words.split(' '))
  expect({ status, start: stderr.slice(0, 13 + input.length) }).toEqual({ status: 1, start: `flowscribe: ${input}:` })
})

describe('check-config', () => {
  test('a good file is ok', () => {
    writeFileSync(join(folder, 'good.yaml'), 'log: {level: warn}\n')
    expect(run('check-config', 'good.yaml')).toEqual({ status: 0, stdout: 'ok\n', stderr: '' })
  })

  test('a bad file: a line a fault, exit 2, for every command that reads it', () => {
    writeFileSync(join(folder, 'bad.yaml'), 'log: {level: loud}\nflow:\n  max_flows: 1\n')
    const stderr =
      "flowscribe: bad.yaml:1: log.level: got 'loud'; allowed: one of trace, debug, info, warn, error, fatal\n" +
      'flowscribe: bad.yaml:3: flow.max_flows: got 1; allowed: a whole number from 1024 to 4194304 (flows)\n'
    expect(run('check-config', 'bad.yaml')).toEqual({ status: 2, stdout: '', stderr })
    expect(run('replay', '-c', 'bad.yaml', 'x')).toEqual({ status: 2, stdout: '', stderr })
    expect(run('flows', '-c', 'bad.yaml', 'x')).toEqual({ status: 2, stdout: '', stderr })
  })

  test('--dump prints what is in force', () => {
    const { status, stdout } = run('check-config', 'good.yaml', '--dump', '--home-net', '192.0.2.0/24', '--set', 'flow.idle_udp_s=7')
    const config = loadConfig({ homeNet: '192.0.2.0/24', settings: ['log.level=warn', 'flow.idle_udp_s=7'] })
    expect({ status, stdout }).toEqual({ status: 0, stdout: renderConfig(config) })
  })

  test('--defaults prints config/flowscribe.yaml', () => {
    const file = readFileSync(new URL('../config/flowscribe.yaml', import.meta.url), 'utf8')
    expect(run('check-config', '--defaults')).toEqual({ status: 0, stdout: file, stderr: '' })
  })

  test('control characters of a file name do not reach the terminal', () => {
    const { status, stderr } = run('check-config', '\x1b[31mred\n.yaml')
    expect({ status, stderr }).toEqual({ status: 2, stderr: 'flowscribe: \\x1b[31mred\\x0a.yaml: no such file\n' })
  })
})

test('a reader that closes the pipe ends it quietly, exit 0', async () => {
  const child = spawn(process.execPath, [main, 'check-config', '--defaults'], { stdio: ['ignore', 'pipe', 'pipe'] })
  child.stdout.destroy()
  let stderr = ''
  child.stderr.on('data', (chunk) => {
    stderr += chunk
  })
  const code = await new Promise((resolve) => child.on('close', resolve))
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
})

test.skipIf(!existsSync('/dev/full'))('a full disk: said in one line, exit 1', () => {
  const full = openSync('/dev/full', 'w')
  const { status, stderr } = spawnSync(process.execPath, [main, 'check-config', '--defaults'], {
    stdio: ['ignore', full, 'pipe'],
    encoding: 'utf8',
  })
  closeSync(full)
  expect({ status, stderr }).toEqual({ status: 1, stderr: 'flowscribe: ENOSPC: no space left on device, write\n' })
})
