/**
 * Real endings for tests of sinks: a disk that is full, a folder that may not be written.
 *
 * Out: temporary folders that clean up after themselves, a tiny tmpfs where one can be mounted.
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'

export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'flowscribe-sink-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

export const isRoot = process.getuid?.() === 0

/** Whether a tmpfs can be mounted here: root alone is not enough in a container. */
export const canMount = isRoot && tryMount()

function tryMount(): boolean {
  const folder = mkdtempSync(join(tmpdir(), 'flowscribe-mount-'))
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'none', folder], { stdio: 'ignore' })
    execFileSync('umount', [folder], { stdio: 'ignore' })
    return true
  } catch {
    return false
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** A folder with room for 64 KiB; remountable read-only. */
export function tinyDisk(): string {
  const folder = temporaryFolder()
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'none', folder], { stdio: 'ignore' })
  onTestFinished(() => {
    execFileSync('umount', [folder], { stdio: 'ignore' })
  })
  return folder
}

export function makeReadOnly(folder: string): void {
  execFileSync('mount', ['-o', 'remount,ro', folder], { stdio: 'ignore' })
}
