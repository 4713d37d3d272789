/** The one catch: what is a bug, what is kept, and when it is too much. */
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { RunError } from '../src/base/errors.ts'
import { type Bug, BugGuard } from '../src/bug-guard.ts'

const folder = mkdtempSync(join(tmpdir(), 'flowscribe-bugs-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const fail = (): never => {
  throw new TypeError('a bug')
}
const keep = (path: string): void => writeFileSync(path, 'kept')

test('a bug is counted, told and kept, 32 files at most over all runs; eleven in a minute are one too many', () => {
  const told: Bug[] = []
  let nowMs = 0
  const kept = join(folder, 'kept')
  for (let run = 0; run < 4; run++) {
    const guard = new BugGuard(
      kept,
      (bug) => told.push(bug),
      () => nowMs,
    )
    for (let i = 0; i < 10; i++) guard.run('slab', 'bin', fail, keep)
    expect(guard.count).toBe(10)
    expect(() => guard.run('slab', 'bin', fail, keep)).toThrow('more than 10 faults of the program in a minute')
    nowMs += 61_000
    // A minute later it may go wrong again.
    guard.run('slab', 'bin', fail, keep)
  }
  expect(readdirSync(kept).length).toBe(32)
  expect(told.length).toBe(48)
  expect(told[0]).toMatchObject({ what: 'slab', path: join(kept, 'slab-1.bin'), stack: expect.stringContaining('TypeError: a bug') })
  expect(told[40].path).toBe(null)
})

test('what the world does wrong passes through; a folder that cannot be written hides no bug', () => {
  const told: Bug[] = []
  writeFileSync(join(folder, 'file'), '')
  const guard = new BugGuard(join(folder, 'file', 'sub'), (bug) => told.push(bug))
  const full = (): never => {
    throw new RunError('disk full')
  }
  expect(() => guard.run('flow', 'json', full, keep)).toThrow('disk full')
  expect(guard.count).toBe(0)
  guard.run('flow', 'json', fail, keep)
  expect(told).toMatchObject([{ path: null }])
})
