/**
 * The set-up script's compile step, on a copy of the project: what it makes, leaves and repairs.
 * Installing packages is not tried here: .ci/run does that on a clean clone.
 */
import { spawnSync } from 'node:child_process'
import { appendFileSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, expect, test } from 'vitest'

const root = fileURLToPath(new URL('..', import.meta.url))
const copy = mkdtempSync(join(tmpdir(), 'flowscribe-setup-'))
afterAll(() => rmSync(copy, { recursive: true }))

for (const name of ['src', 'package.json', 'package-lock.json', 'tsconfig.json'])
  cpSync(join(root, name), join(copy, name), { recursive: true })
symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'))

/** Depends on what the machine has: compiled, or the command that makes it possible. */
const LIVE_CAPTURE_LINE = /^set-up: live capture.*\n/gm

function setUpWith(path: string | undefined, ...args: string[]) {
  const env = { PATH: path, HOME: copy }
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(copy, 'src', 'setup.mjs'), ...args], {
    cwd: copy,
    encoding: 'utf8',
    env,
  })
  return { status, stdout, stderr: stderr.replace(/\(\d+\.\d s\)/g, '(0.0 s)') }
}

function setUp(...args: string[]) {
  const result = setUpWith(process.env.PATH, ...args)
  return { ...result, stderr: result.stderr.replace(LIVE_CAPTURE_LINE, '') }
}

const BUILT = { status: 0, stdout: '', stderr: 'set-up: TypeScript to dist/ (0.0 s)\n' }
const NOTHING_TO_DO = { status: 0, stdout: '', stderr: '' }
const ABANDONED = 'dist.tmp-999999999'

test('compiles once, and again when a source changes', () => {
  expect(setUp('build')).toEqual(BUILT)
  expect(setUp('build')).toEqual(NOTHING_TO_DO)
  appendFileSync(join(copy, 'src', 'main.ts'), "\nprocess.title = 'ADDED'\n")
  expect(setUp('build')).toEqual(BUILT)
  expect(readFileSync(join(copy, 'dist', 'main.js'), 'utf8')).toContain('ADDED')
}, 60_000)

test('what a killed build left is taken away', () => {
  mkdirSync(join(copy, ABANDONED))
  rmSync(join(copy, 'dist', '.stamp'))
  expect(setUp('build')).toEqual(BUILT)
  expect(existsSync(join(copy, ABANDONED))).toBe(false)
}, 60_000)

test('start hands arguments, standard output and exit code through', () => {
  const { status, stdout, stderr } = setUp('start', 'check-config', '--set', 'log.level=loud')
  expect({ status, stdout }).toEqual({ status: 2, stdout: '' })
  expect(stderr).toContain("--set: log.level: got 'loud'")
  expect(setUp('start', 'check-config')).toEqual({ status: 0, stdout: 'ok\n', stderr: '' })
}, 60_000)

test('an error of types: the compiler’s words, exit 1, the last good dist/ stays', () => {
  writeFileSync(join(copy, 'src', 'wrong.ts'), 'export const WRONG: number = "x"\n')
  const { status, stderr } = setUp('build')
  expect(status).toBe(1)
  expect(stderr).toContain('set-up: the TypeScript compiler failed:\nsrc/wrong.ts(1,14): error TS2322')
  expect(existsSync(join(copy, 'dist', 'main.js'))).toBe(true)
  rmSync(join(copy, 'src', 'wrong.ts'))
  expect(setUp('build')).toEqual(NOTHING_TO_DO)
}, 60_000)

test('no compiler: one line with the command that cures it, said once, and all else works', () => {
  const { status, stderr } = setUpWith(copy, 'build')
  expect(status).toBe(0)
  expect(stderr).toContain('set-up: live capture is not available, replay is. For live capture: sudo apt-get install gcc libc6-dev')
  expect(setUpWith(copy, 'build')).toEqual(NOTHING_TO_DO)
}, 60_000)

test('an unknown task names the tasks', () => {
  expect(setUp('stat')).toEqual({
    status: 1,
    stdout: '',
    stderr: 'set-up: usage: node src/setup.mjs start|test|build|prepare|install [arguments]\n',
  })
})
