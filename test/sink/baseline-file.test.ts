/**
 * The baseline's file: read back as written, refused with the reason when it is anything else, whole whatever kills the writer.
 */
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Snapshot } from '../../src/score/surprisal/snapshot.ts'
import { BaselineFault, encodeBaseline, readBaseline, writeBaseline } from '../../src/sink/baseline-file.ts'
import { analyst, session } from '../score/flows.ts'

const main = fileURLToPath(new URL('../../dist/main.js', import.meta.url))
let folder: string
let snapshot: Snapshot
let path: string

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'baseline-'))
  path = join(folder, 'x.baseline')
  const it = analyst(() => undefined)
  for (let i = 0; i < 400; i++) it.onFlow(session({ client: `10.0.0.${i % 9}`, server: `203.0.113.${i % 5}`, port: 443, at: i * 30 }))
  snapshot = it.snapshot()
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const faultOf = (bytes: Buffer): BaselineFault => {
  writeFileSync(path, bytes)
  try {
    readBaseline(path)
  } catch (error) {
    if (error instanceof BaselineFault) return error
    throw error
  }
  throw new Error('was read')
}

describe('what is written is what is read', () => {
  test('every count and history', () => {
    writeBaseline(path, encodeBaseline(snapshot, '9.9'))
    const { snapshot: again, by } = readBaseline(path)
    expect(by).toBe('9.9')
    expect([again.header, again.histories]).toEqual([snapshot.header, snapshot.histories])
    // As bytes: comparing a million numbers one by one takes seconds.
    expect(encodeBaseline(again, '9.9').equals(encodeBaseline(snapshot, '9.9'))).toBe(true)
    expect(existsSync(`${path}.new`)).toBe(false)
  })

  test('the same baseline gives the same bytes', () => {
    expect(encodeBaseline(snapshot, '1').equals(encodeBaseline(structuredClone(snapshot), '1'))).toBe(true)
  })
})

describe('anything else is refused with the reason', () => {
  test('torn at any place', () => {
    const whole = encodeBaseline(snapshot, '1')
    for (const share of [0, 0.00001, 0.001, 0.3, 0.9, 0.999]) {
      const fault = faultOf(whole.subarray(0, Math.floor(whole.length * share)))
      expect([fault.isDamaged, fault.message]).toEqual([true, expect.stringMatching(/damaged|not a baseline/)])
    }
    expect(faultOf(Buffer.concat([whole, Buffer.from('x')])).message).toContain('damaged')
  })

  test('one bit anywhere', () => {
    const whole = encodeBaseline(snapshot, '1')
    for (const share of [0.01, 0.5, 0.97]) {
      const bytes = Buffer.from(whole)
      bytes[Math.floor(bytes.length * share)] ^= 4
      expect(faultOf(bytes).message).toContain('the checksum is wrong')
    }
  })

  test.each([
    ['another feature set', { features: 'acs-000000000000' }, 'feature set acs-000000000000, this version uses acs-'],
    ['another format', { format: 7 }, 'baseline of format 7, this version uses 1'],
  ])('%s: whole, but not for this version', (_name, over, said) => {
    const fault = faultOf(encodeBaseline({ ...snapshot, header: { ...snapshot.header, ...over } }, '1'))
    expect([fault.isDamaged, fault.message]).toEqual([false, expect.stringContaining(said)])
  })

  test('values that no count has, under a right checksum', () => {
    const arrays = snapshot.arrays.map((array, i) => (i === 0 ? array.map(() => Number.NaN) : array))
    expect(faultOf(encodeBaseline({ ...snapshot, arrays }, '1')).message).toContain('values that no baseline has')
  })

  test('text, nothing, a folder', () => {
    expect(faultOf(Buffer.from('root:x:0:0\n')).message).toContain('not a baseline')
    expect(() => readBaseline(join(folder, 'none'))).toThrow('no such file')
    expect(() => readBaseline(folder)).toThrow('not a file')
  })
})

describe('killed in the middle of writing', () => {
  test('the file is whole: the old or the new one', async () => {
    const target = join(folder, 'killed.baseline')
    const whole = encodeBaseline(snapshot, '1')
    const source = join(folder, 'source')
    writeFileSync(source, whole)
    writeBaseline(target, whole)
    const writer = fileURLToPath(new URL('./write-forever.mjs', import.meta.url))
    for (let round = 0; round < 5; round++) {
      const child = spawn(process.execPath, [writer, source, target], { stdio: ['ignore', 'pipe', 'inherit'] })
      const ended = new Promise((resolve) => child.on('exit', resolve))
      await new Promise((resolve) => child.stdout.once('data', resolve))
      await new Promise((resolve) => setTimeout(resolve, 20 + 37 * round))
      child.kill('SIGKILL')
      await ended
      expect(readBaseline(target).snapshot.header).toEqual(snapshot.header)
    }
  }, 60_000)
})

describe('as a user types it', () => {
  const said = async (args: readonly string[]): Promise<{ code: number | null; stdout: string; stderr: string }> => {
    const child = spawn(process.execPath, [main, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
    const text = { stdout: '', stderr: '' }
    child.stdout.on('data', (chunk) => (text.stdout += chunk))
    child.stderr.on('data', (chunk) => (text.stderr += chunk))
    return await new Promise((resolve) => child.on('close', (code) => resolve({ code, ...text })))
  }

  test('import, show, export, reset; and what is refused', async () => {
    const state = ['--set', `baseline.folder=${join(folder, 'state')}`]
    const given = join(folder, 'given')
    writeBaseline(given, encodeBaseline(snapshot, '1.2.3'))
    const none = await said(['baseline', 'show', ...state])
    expect([none.code, none.stderr]).toEqual([1, expect.stringContaining('no baseline is stored there')])
    const imported = await said(['baseline', 'import', given, ...state])
    expect([imported.code, imported.stdout]).toEqual([0, expect.stringMatching(/imported to .*partial after 3 h/s)])
    const shown = await said(['baseline', 'show', ...state])
    expect(shown.stdout).toMatch(/^state +partial after 3 h/m)
    const json: unknown = JSON.parse((await said(['baseline', 'show', '--json', ...state])).stdout)
    expect(json).toMatchObject({ state: 'partial', format: 1, version: '1.2.3', hosts: 9 })
    const copy = join(folder, 'copy')
    expect((await said(['baseline', 'export', copy, ...state])).code).toBe(0)
    expect(readFileSync(copy).equals(readFileSync(given))).toBe(true)
    const again = await said(['baseline', 'import', given, ...state])
    expect(again.stdout).toContain('the one before is kept as')
    expect((await said(['baseline', 'reset', ...state])).stdout).toContain('kept as')
    expect((await said(['baseline', 'show', ...state])).code).toBe(1)
    for (const [args, words] of [
      [['baseline'], 'needs one of'],
      [['baseline', 'sow'], 'allowed'],
      [['baseline', 'export', ...state], 'needs a file'],
      [['baseline', 'reset', 'x', ...state], 'takes no file'],
    ] as const) {
      const refused = await said(args)
      expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining(words)])
    }
    writeFileSync(given, 'nonsense')
    expect((await said(['baseline', 'import', given, ...state])).stderr).toContain('not a baseline of flowscribe')
  }, 120_000)

  test('replay judges against it: the same capture and baseline give the same digests, and the report says so', async () => {
    const given = join(folder, 'for-replay')
    writeBaseline(given, encodeBaseline(snapshot, '1'))
    const capture = fileURLToPath(new URL('../../pcaps/scan-syn-nmap.pcap', import.meta.url))
    const run = async (name: string, ...more: string[]) => await said(['replay', capture, '-l', join(folder, name), ...more])
    const digests = (text: string): string[] => [...text.matchAll(/^(?:digest)? +(?:flows|alerts) [0-9a-f]+$/gm)].map((m) => m[0])
    const [first, second, without] = [await run('a', '--baseline', given), await run('b', '--baseline', given), await run('c')]
    expect(digests(first.stderr)).toEqual(digests(second.stderr))
    expect(digests(first.stderr)[0]).toEqual(digests(without.stderr)[0])
    expect(digests(first.stderr)[1]).not.toEqual(digests(without.stderr)[1])
    const line: unknown = JSON.parse(readFileSync(join(folder, 'a', 'alerts.jsonl'), 'utf8').split('\n')[0])
    expect(line).toMatchObject({ alert: { context: { flowscribe: { baselineState: 'partial' } } } })
  }, 120_000)
})
