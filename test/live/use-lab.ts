/**
 * What each file of live tests begins with: a lab of its own, or every test skipped, saying what is lacking.
 *
 * Not in lab.ts, which benchmarks use, too, without vitest.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import { afterAll, beforeAll, beforeEach } from 'vitest'
import { Lab, lackOfLab } from './lab.ts'

export const PCAPS = fileURLToPath(new URL('../../pcaps/', import.meta.url))

/** @param onMade is given the lab before the first test; it is closed after the last. */
export function useLab(onMade: (lab: Lab) => void): { newOut: () => string; unpacked: (name: string) => string } {
  const lack = lackOfLab()
  let lab: Lab | null = null
  let out = 0
  const path = (name: string): string => {
    if (lab === null) throw new Error('the lab is there while tests run')
    return lab.path(name)
  }
  beforeAll(() => {
    if (lack !== '') return
    lab = new Lab()
    onMade(lab)
  })
  afterAll(() => lab?.close())
  beforeEach((context) => context.skip(lack !== '', lack))
  return {
    /** A folder of its own for each run. */
    newOut: () => path(`out-${out++}`),
    /** A capture of pcaps/ as a plain file. */
    unpacked: (name) => {
      if (!name.endsWith('.gz')) return join(PCAPS, name)
      const plain = path(name.slice(0, -3))
      writeFileSync(plain, gunzipSync(readFileSync(join(PCAPS, name))))
      return plain
    },
  }
}
