/** Builds one entry of this folder the way dist/ is built, and imports it. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const HERE = fileURLToPath(new URL('.', import.meta.url))

export async function buildEntry(name) {
  const folder = mkdtempSync(join(tmpdir(), 'flowscribe-bench-'))
  try {
    const built = spawnSync(process.execPath, [join(HERE, '../../src/bundle.mjs'), folder, join(HERE, name)], { encoding: 'utf8' })
    if (built.status !== 0) throw new Error(`building ${name} failed:\n${built.stdout}${built.stderr}`)
    return await import(pathToFileURL(join(folder, name.replace(/\.ts$/, '.js'))).href)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
