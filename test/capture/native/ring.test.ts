/**
 * The capture addon by itself: every call and every wrong argument, plainly and under AddressSanitizer.
 * The work is exercise.mjs's, in a process of its own, which a fault of the addon would end.
 */
import { spawn, spawnSync } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'

const ADDON_FILE = fileURLToPath(new URL('../../../build/ring.node', import.meta.url))
const build = fileURLToPath(new URL('../../../src/capture/native/build.mjs', import.meta.url))
const exercise = fileURLToPath(new URL('exercise.mjs', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'flowscribe-ring-'))
const traffic = createSocket('udp4')
let timer: NodeJS.Timeout | undefined

beforeAll(() => {
  timer = setInterval(() => traffic.send('flowscribe test', 9, '127.0.0.1'), 20)
})
afterAll(() => {
  clearInterval(timer)
  traffic.close()
  rmSync(folder, { recursive: true })
})

/** Why this machine cannot run these tests; '' when it can. */
function lack(): string {
  if (!existsSync(ADDON_FILE)) return 'the addon is not built'
  try {
    const ring = createRequire(import.meta.url)(ADDON_FILE)
    const options = { device: 'lo', snapLen: 96, bufferBytes: 1 << 20, blockTimeoutMs: 10, fanoutGroup: -1, fanoutMode: 0, filter: '' }
    ring.close(ring.open({ ...options, isPromiscuous: false, isNanosecond: false }))
    return ''
  } catch (error) {
    return `no capture on lo: ${(error as Error).message}`
  }
}

function run(addon: string, env: NodeJS.ProcessEnv) {
  return new Promise<{ status: number | null; stdout: string; stderr: string }>((resolve) => {
    const child = spawn(process.execPath, ['--expose-gc', exercise, addon, 'lo'], { env: { ...process.env, ...env } })
    const said = { stdout: '', stderr: '' }
    child.stdout.on('data', (text) => (said.stdout += text))
    child.stderr.on('data', (text) => (said.stderr += text))
    child.on('close', (status) => resolve({ status, ...said }))
  })
}

const PASSED = { status: 0, stdout: 'done\n', stderr: '' }

test('every call, rightly and wrongly', async (context) => {
  const why = lack()
  context.skip(why !== '', why)
  expect(await run(ADDON_FILE, {})).toEqual(PASSED)
}, 60_000)

test('the same under AddressSanitizer', async (context) => {
  const why = lack()
  context.skip(why !== '', why)
  const library = spawnSync(process.env.CC ?? 'cc', ['-print-file-name=libasan.so'], { encoding: 'utf8' }).stdout.trim()
  context.skip(!library.startsWith('/'), 'the compiler has no libasan')
  const addon = join(folder, 'ring-asan.node')
  expect(spawnSync(process.execPath, [build, addon], { encoding: 'utf8' })).toMatchObject({ status: 0, stderr: '' })
  // Node itself keeps memory until its end: leaks are looked for by the addon's own books, not here.
  expect(await run(addon, { LD_PRELOAD: library, ASAN_OPTIONS: 'detect_leaks=0', UBSAN_OPTIONS: 'print_stacktrace=1' })).toEqual(PASSED)
}, 120_000)
