/**
 * Metering preloaded slabs gives the garbage collector nothing to do: no object, string, closure or boxed number a packet.
 *
 * In a process of its own, on the bundle as it is built for use: the test runner's own garbage would be counted, too.
 */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const PROGRAM = join(fileURLToPath(new URL('.', import.meta.url)), 'count-collections.mjs')

test.each(['alone', 'watched'])('no garbage collection while 400,000 packets of a mix are metered, %s', { timeout: 120_000 }, (how) => {
  const child = spawnSync(process.execPath, [PROGRAM, how], { encoding: 'utf8' })
  expect(child.stderr).toBe('')
  const { packets, rows, collections } = JSON.parse(child.stdout) as { packets: number; rows: number; collections: number }
  expect(packets).toBe(400_000)
  expect(rows).toBeGreaterThan(20_000)
  expect(collections).toBe(0)
})
