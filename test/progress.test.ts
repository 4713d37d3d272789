/**
 * Progress on a terminal and in a pipe: what is written, and what never is.
 */
import { expect, test } from 'vitest'
import { countText, durationText, openProgress, paintFor, type Terminal } from '../src/progress.ts'

const BASE_SEC = 1_790_000_000

function record(isTTY: boolean, env = {}, columns = 80) {
  const written: string[] = []
  let nowMs = 0
  const terminal: Terminal = { write: (text) => written.push(text), isTTY, columns }
  const progress = openProgress(terminal, env, () => nowMs)
  return {
    progress,
    written,
    advance(ms: number) {
      nowMs += ms
    },
  }
}

test('pipe: whole lines, no control characters, a state line every five seconds at most', () => {
  const { progress, written, advance } = record(false)
  for (let i = 1; i <= 120; i++) {
    advance(100)
    progress.step(i, 200, i * 1000, BASE_SEC + i)
  }
  progress.alert('scan.vertical 10.0.0.1 → 10.0.0.2', 'high')
  progress.close()
  expect(written).toEqual([
    '25 %, 50.0 k packets, 10.0 k/s, 0:15 left, 2026-09-21 14:14:10 UTC\n',
    '50 %, 100 k packets, 10.0 k/s, 0:10 left, 2026-09-21 14:15:00 UTC\n',
    'scan.vertical 10.0.0.1 → 10.0.0.2\n',
  ])
})

test('terminal: alerts stand above the bar, which is drawn again and taken away at the end', () => {
  const { progress, written } = record(true)
  progress.step(50, 100, 1, null)
  progress.alert('found', 'high')
  progress.close()
  const bar = '███████████████░░░░░░░░░░░░░░░ 50 %, 1 packets, 0:00 left'
  expect(written).toEqual([`\r\x1b[K${bar}`, `\r\x1b[K\x1b[31mfound\x1b[0m\n${bar}`, '\r\x1b[K'])
})

test('terminal: the bar fits into the line', () => {
  const { progress, written } = record(true, {}, 20)
  progress.step(50, 100, 1_000_000, BASE_SEC)
  expect(written[0].replace('\r\x1b[K', '')).toHaveLength(19)
})

test('terminal: at most ten drawings a second', () => {
  const { progress, written, advance } = record(true)
  for (let i = 0; i < 1000; i++) {
    progress.step(i, 1000, i, null)
    advance(1)
  }
  expect(written).toHaveLength(10)
})

test('NO_COLOR and dumb terminals', () => {
  const terminal: Terminal = { write: () => true, isTTY: true }
  expect(paintFor(terminal, { NO_COLOR: '1' })('high', 'x')).toBe('x')
  expect(paintFor(terminal, { TERM: 'dumb' })('high', 'x')).toBe('x')
  expect(paintFor({ ...terminal, isTTY: false }, {})('high', 'x')).toBe('x')
  expect(paintFor(terminal, { NO_COLOR: '' })('high', 'x')).toBe('\x1b[31mx\x1b[0m')
  const { progress, written } = record(true, { TERM: 'dumb' })
  progress.step(1, 2, 3, null)
  progress.note('line')
  expect(written).toEqual(['line\n'])
})

test('control characters in a line are shown, not sent', () => {
  const { progress, written } = record(true, { NO_COLOR: '1' })
  progress.note('a\x1b[2Jb\r\nc\u202ed\u009b1m')
  expect(written).toEqual(['a\\x1b[2Jb\\x0d\\x0ac\\u202ed\\x9b1m\n'])
})

test('counts and durations', () => {
  expect([0, 7, 999, 1000, 12_345, 999_499, 999_500, 4_560_000, 7.2e9].map(countText)).toEqual([
    '0',
    '7',
    '999',
    '1.00 k',
    '12.3 k',
    '999 k',
    '1.00 M',
    '4.56 M',
    '7.20 G',
  ])
  expect([0, 6.2, 59.5, 754, 3723].map(durationText)).toEqual(['0:00', '0:07', '1:00', '12:34', '1:02:03'])
})
