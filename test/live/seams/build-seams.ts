/**
 * Builds the sensor with bugs, as set-up builds the real one. Beside dist/, where package.json and the addon are found.
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../../../', import.meta.url))

/** The folder; the caller removes it. */
export function buildSeams(): string {
  const folder = mkdtempSync(join(ROOT, 'dist.tmp-seams-'))
  const entries = [
    'test/live/seams/main.ts',
    'test/live/seams/metering-worker.ts',
    'src/live/writing-worker.ts',
    'src/live/slicing-worker.ts',
    'src/live/recording-worker.ts',
  ].map((name) => join(ROOT, name))
  const built = spawnSync(process.execPath, [join(ROOT, 'src', 'bundle.mjs'), folder, ...entries], { encoding: 'utf8' })
  if (built.status !== 0) throw new Error(`building the seams failed:\n${built.stdout}${built.stderr}`)
  return folder
}
