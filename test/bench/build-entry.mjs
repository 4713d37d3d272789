/** Builds one entry, of this folder or another, the way dist/ is built, and imports it. */
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const HERE = fileURLToPath(new URL('.', import.meta.url))
const DIST = fileURLToPath(new URL('../../dist', import.meta.url))

/** @param isBeside put it where the program lies, for what looks for package.json from there. */
export async function buildEntry(name, home = HERE, isBeside = false) {
  // Inside the project, where packages are found.
  mkdirSync(DIST, { recursive: true })
  const folder = isBeside ? DIST : mkdtempSync(join(DIST, 'entry-'))
  const file = name.replace(/\.ts$/, '.js')
  try {
    const built = spawnSync(process.execPath, [join(HERE, '../../src/bundle.mjs'), folder, join(home, name)], { encoding: 'utf8' })
    if (built.status !== 0) throw new Error(`building ${name} failed:\n${built.stdout}${built.stderr}`)
    return await import(pathToFileURL(join(folder, file)).href)
  } finally {
    if (isBeside) for (const path of [file, `${file}.map`]) rmSync(join(folder, path), { force: true })
    else rmSync(folder, { recursive: true, force: true })
  }
}
