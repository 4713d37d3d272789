import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { describe, expect, test } from 'vitest'
import { FlowFile } from '../../src/sink/flow-file.ts'
import { canMount, temporaryFolder, tinyDisk } from './endings.ts'

const ROW = `${'1,'.repeat(40)}1\n`

describe('flow file', () => {
  test('to a path: rows in order, an older file replaced', async () => {
    const path = join(temporaryFolder(), 'flows.csv')
    for (const first of ['old\n', 'new\n']) {
      const file = FlowFile.toPath(path)
      file.add(first)
      await file.drain()
      file.add(ROW)
      await file.close()
    }
    expect(readFileSync(path, 'utf8')).toBe(`new\n${ROW}`)
  })

  test('no such folder is said before the first row', () => {
    expect(() => FlowFile.toPath(join(temporaryFolder(), 'none', 'flows.csv'))).toThrow(/flows\.csv: no such folder/)
  })

  test('is full after a quarter of a mebibyte, empty after draining', async () => {
    const file = FlowFile.toPath(join(temporaryFolder(), 'flows.csv'))
    expect(file.isFull).toBe(false)
    file.add('x'.repeat(300_000))
    expect(file.isFull).toBe(true)
    await file.drain()
    expect(file.isFull).toBe(false)
    await file.close()
  })

  test('disk full: /dev/full rejects with path and remedy', async () => {
    const file = FlowFile.toPath('/dev/full')
    file.add(ROW)
    await expect(file.drain()).rejects.toThrow(/^cannot write \/dev\/full: no space left/)
    await file.close()
  })

  test.skipIf(!canMount)('disk full: the file ends with a whole row (needs root and mount)', async () => {
    const path = join(tinyDisk(), 'flows.csv')
    const file = FlowFile.toPath(path)
    file.add(ROW.repeat(2000))
    await expect(file.drain()).rejects.toThrow(/no space left/)
    await file.close()
    const text = readFileSync(path, 'utf8')
    expect(text.length).toBeGreaterThan(30_000)
    expect(text).toBe(ROW.repeat(text.length / ROW.length))
  })

  test('a reader that goes away ends it quietly', async () => {
    const head = spawn('head', ['-n', '1'], { stdio: ['pipe', 'pipe', 'inherit'] })
    const file = FlowFile.toStream(head.stdin, 'pipe')
    let rounds = 0
    for (; rounds < 1000 && !file.isClosed; rounds++) {
      file.add(ROW.repeat(2000))
      await file.drain()
    }
    expect(file.isClosed).toBe(true)
    expect(rounds).toBeLessThan(1000)
    file.add(ROW)
    await file.close()
  })

  test('a slow reader is waited for', async () => {
    const stream = new PassThrough({ highWaterMark: 1024 })
    const file = FlowFile.toStream(stream, 'pipe')
    file.add(ROW.repeat(1000))
    let isDrained = false
    const draining = file.drain().then(() => {
      isDrained = true
    })
    file.add(ROW.repeat(1000))
    const second = draining.then(() => file.drain())
    await new Promise((resolve) => setTimeout(resolve, 20))
    let bytes = 0
    stream.on('data', (chunk: Buffer) => {
      bytes += chunk.length
    })
    await second
    expect(isDrained).toBe(true)
    expect(bytes).toBe(ROW.length * 2000)
  })

  test('another fault of a stream is a fault', async () => {
    const stream = new PassThrough()
    const file = FlowFile.toStream(stream, 'standard output')
    stream.destroy(Object.assign(new Error('no space'), { code: 'ENOSPC' }))
    await new Promise((resolve) => setImmediate(resolve))
    file.add(ROW)
    await expect(file.drain()).rejects.toThrow(/^cannot write standard output: no space left/)
  })
})
