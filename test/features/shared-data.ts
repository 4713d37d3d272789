/**
 * The shared captures beside the project, where they are: real ones, and other tools' output for them.
 *
 * Out: their folder, or null where it does not exist; tests that need it are then skipped, and say so.
 */
import { existsSync, readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Beside the project's folder, or beside the folder of its worktrees. FLOWSCRIBE_SHARED_DATA names another. */
function findData(): string | null {
  const given = process.env.FLOWSCRIBE_SHARED_DATA
  if (given !== undefined && given !== '') return given
  const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))
  const places = ['../shared/data', '../../shared/data'].map((place) => join(root, place))
  return places.find((place) => existsSync(join(place, 'labels.tsv'))) ?? null
}

export const SHARED_DATA = findData()

export const PROJECT_CAPTURES = join(dirname(dirname(dirname(fileURLToPath(import.meta.url)))), 'pcaps')

/** All files under a folder, in order of their paths; none where it does not exist. */
export function listFiles(folder: string): string[] {
  if (!existsSync(folder)) return []
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
}
