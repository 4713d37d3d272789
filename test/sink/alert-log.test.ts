import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { RunError } from '../../src/base/errors.ts'
import { AlertLog } from '../../src/sink/alert-log.ts'
import { canMount, isRoot, makeReadOnly, temporaryFolder, tinyDisk } from './endings.ts'

const LINE = '{"event_type":"alert"}'

describe('alert log', () => {
  test('replace: an older file goes, lines come in order', () => {
    const path = join(temporaryFolder(), 'deep', 'alerts.jsonl')
    for (const round of ['first', 'second']) {
      const log = new AlertLog(path, 'replace')
      log.write(`{"n":"${round}"}`)
      log.write(LINE)
      log.close()
      log.close()
    }
    expect(readFileSync(path, 'utf8')).toBe(`{"n":"second"}\n${LINE}\n`)
  })

  test('append: goes on after whole lines', () => {
    const path = join(temporaryFolder(), 'alerts.jsonl')
    writeFileSync(path, `${LINE}\n`)
    const log = new AlertLog(path, 'append')
    log.write(LINE)
    log.close()
    expect(log.repairedBytes).toBe(0)
    expect(readFileSync(path, 'utf8')).toBe(`${LINE}\n${LINE}\n`)
  })

  test('append: a torn last line is cut off and counted', () => {
    const path = join(temporaryFolder(), 'alerts.jsonl')
    writeFileSync(path, `${LINE}\n{"event_ty`)
    const log = new AlertLog(path, 'append')
    log.write(LINE)
    log.close()
    expect(log.repairedBytes).toBe(10)
    expect(readFileSync(path, 'utf8')).toBe(`${LINE}\n${LINE}\n`)
  })

  test('append: a file that is no alert log is not touched', () => {
    const path = join(temporaryFolder(), 'letter.txt')
    writeFileSync(path, 'Dear reader,\nyours')
    expect(() => new AlertLog(path, 'append')).toThrow(/letter\.txt: its end is no alert line/)
    expect(readFileSync(path, 'utf8')).toBe('Dear reader,\nyours')
  })

  test('a folder in the way, and a file where a folder should be', () => {
    const folder = temporaryFolder()
    mkdirSync(join(folder, 'alerts.jsonl'))
    writeFileSync(join(folder, 'file'), '')
    expect(() => new AlertLog(join(folder, 'alerts.jsonl'), 'replace')).toThrow(/alerts\.jsonl: this is a folder/)
    const inFile = (): AlertLog => new AlertLog(join(folder, 'file', 'alerts.jsonl'), 'replace')
    expect(inFile).toThrow(RunError)
    expect(inFile).toThrow(/a file/)
  })

  test('disk full: /dev/full says so with path and remedy', () => {
    const log = new AlertLog('/dev/full', 'replace')
    expect(() => log.write(LINE)).toThrow(/^cannot write \/dev\/full: no space left on the device/)
    log.close()
  })

  test.skipIf(!canMount)('disk full: what was written stays whole, to the last newline (needs root and mount)', () => {
    const path = join(tinyDisk(), 'alerts.jsonl')
    const log = new AlertLog(path, 'append')
    const line = `{"pad":"${'x'.repeat(5000)}"}`
    let written = 0
    const fill = (): void => {
      for (; written < 100; written++) log.write(line)
    }
    expect(fill).toThrow(/no space left/)
    log.close()
    expect(written).toBeGreaterThan(5)
    expect(readFileSync(path, 'utf8')).toBe(`${line}\n`.repeat(written))
  })

  test.skipIf(!canMount)('a read-only file system (needs root and mount)', () => {
    const folder = tinyDisk()
    makeReadOnly(folder)
    expect(() => new AlertLog(join(folder, 'alerts.jsonl'), 'replace')).toThrow(/read-only: choose another folder/)
  })

  test.skipIf(isRoot)('a folder without write permission (not as root)', () => {
    const folder = temporaryFolder()
    chmodSync(folder, 0o500)
    expect(() => new AlertLog(join(folder, 'alerts.jsonl'), 'replace')).toThrow(/not allowed/)
  })
})
