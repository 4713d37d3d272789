/**
 * Malformed, fuzzed and unusual captures through `flows`: no throw, no hang, the right exit code, memory bounded.
 *
 * In-process for every file; the compiled program for a sample of each outcome, and once for all files in one process.
 * Without the folders with these captures the tests are skipped, and say so.
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { RunError } from '../src/base/errors.ts'
import { loadConfig } from '../src/config.ts'
import { SILENT } from '../src/progress.ts'
import { meterFlows } from '../src/sensor.ts'
import { listFiles, SHARED_DATA } from './features/shared-data.ts'

const MS_MAX = 2000
const MIB_MAX = 300
const SAMPLE_OF_EACH = 4

const main = fileURLToPath(new URL('../dist/main.js', import.meta.url))
const scratch = mkdtempSync(join(tmpdir(), 'flowscribe-hostile-'))
const output = join(scratch, 'flows.csv')

afterAll(() => rmSync(scratch, { recursive: true, force: true }))

const FOLDERS = SHARED_DATA === null ? [] : [join(SHARED_DATA, 'hostile'), join(SHARED_DATA, 'format')]
const files = FOLDERS.flatMap(listFiles)

/** None of the shared files is refused: these are no captures, each in its own way. */
const NO_CAPTURES = Object.entries({ 'empty.pcap': '', 'text.pcap': 'hello, world\n', 'short.pcap': '\xd4\xc3\xb2\xa1\x02\0' }).map(
  ([name, bytes]) => {
    writeFileSync(join(scratch, name), bytes, 'latin1')
    return join(scratch, name)
  },
)

/** Read to the end; read to its damage; refused with a line that says why. */
type Outcome = 'whole' | 'damaged' | 'refused'

/** Exit codes of src/base/errors.ts, plain and with --strict. */
const EXIT_CODES: Readonly<Record<Outcome, readonly [plain: number, strict: number]>> = {
  whole: [0, 0],
  damaged: [0, 4],
  refused: [1, 1],
}

// A small table: five hundred large ones would be most of the work.
const quiet = { config: loadConfig({ settings: ['flow.max_flows=4096'] }), progress: SILENT, signal: new AbortController().signal }

async function outcomeOf(path: string): Promise<Outcome> {
  try {
    const { damage, failures } = await meterFlows({
      ...quiet,
      inputs: [path],
      output,
      format: 'cic',
      profile: 'flowscribe',
      empty: '',
      hasWindows: false,
    })
    expect(failures).toEqual([])
    return damage.length > 0 ? 'damaged' : 'whole'
  } catch (error) {
    if (!(error instanceof RunError)) throw new Error(path, { cause: error })
    expect(error.message).toMatch(/: byte \d+: /)
    return 'refused'
  }
}

/** Up to `count` of a list, spread evenly. */
function spread<T>(list: readonly T[], count: number): T[] {
  const step = Math.max(1, list.length / count)
  return Array.from({ length: Math.min(count, list.length) }, (_, i) => list[Math.floor(i * step)])
}

/** Prints the peak of the process's memory when it ends. */
const SAYS_PEAK = `data:text/javascript,process.on('exit',()=>console.error('peak '+process.resourceUsage().maxRSS))`

describe.skipIf(files.length === 0)('hostile and unusual captures (needs ../shared/data/hostile and format)', () => {
  const found: Record<Outcome, string[]> = { whole: [], damaged: [], refused: [] }
  const slow: string[] = []

  beforeAll(async () => {
    for (const path of [...files, ...NO_CAPTURES]) {
      // Of the processor: on a busy machine the clock says little.
      const start = process.cpuUsage()
      found[await outcomeOf(path)].push(path)
      const { user, system } = process.cpuUsage(start)
      const ms = (user + system) / 1000
      if (ms > MS_MAX) slow.push(`${basename(path)}: ${ms.toFixed(0)} ms`)
    }
  }, 120_000)

  test('each ends in under two seconds, without a throw but a refusal in words', () => {
    expect(slow).toEqual([])
    expect(files.length).toBeGreaterThan(400)
    expect(found.whole.length).toBeGreaterThan(300)
    expect(found.damaged.length).toBeGreaterThan(0)
    expect(found.refused).toEqual(NO_CAPTURES)
  })

  test.each(['whole', 'damaged', 'refused'] as const)(
    '%s: the exit code of the program',
    (outcome) => {
      for (const path of spread(found[outcome], SAMPLE_OF_EACH)) {
        for (const [i, strict] of [[], ['--strict']].entries()) {
          const { status, stderr } = spawnSync(process.execPath, [main, 'flows', '-q', '-o', output, ...strict, path], { encoding: 'utf8' })
          expect({ path, status, stderr }).toMatchObject({ status: EXIT_CODES[outcome][i] })
          expect(stderr).not.toMatch(/^\s+at |internal error/m)
          expect(stderr === '').toBe(outcome === 'whole')
        }
      }
    },
    60_000,
  )

  test('all in one process, one after the other: memory under 300 MB', { timeout: 60_000 }, () => {
    const args = ['--import', SAYS_PEAK, main, 'flows', '-q', '-o', output, ...files, ...NO_CAPTURES]
    const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8', maxBuffer: 1 << 24 })
    const peak = Number(/^peak (\d+)$/m.exec(stderr)?.[1]) / 1024
    expect(status).toBe(1)
    process.stdout.write(`hostile captures in one process: peak ${peak.toFixed(0)} MiB\n`)
    expect(peak).toBeGreaterThan(30)
    expect(peak).toBeLessThan(MIB_MAX)
  })
})

test.skipIf(files.length > 0)('hostile captures: skipped, no ../shared/data here', () => {
  process.stderr.write('skipped: hostile captures: no ../shared/data here\n')
})
