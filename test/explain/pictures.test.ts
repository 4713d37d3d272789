import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { makeAlertLine } from '../../src/explain/alert-line.ts'
import { renderReport } from '../../src/explain/report.ts'
import { verifyReport } from '../../src/explain/verify.ts'
import type { AlertEvent, PictureData } from '../../src/score/evidence.ts'
import { ENVELOPE, loginGuessing, SAMPLES, verticalScan } from './alert-samples.ts'
import { HOSTILE_TEXTS } from './hostile-texts.ts'
import { overlapFaults, xmlFaults } from './picture-checks.ts'

const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i)

/** Each new picture at its ordinary size and at its edges. */
const DATA: readonly (PictureData & { name: string })[] = [
  { name: 'a clock', picture: 'gaps', gapsUs: range(24).map((i) => 60e6 + (i % 3) * 1e5), medianUs: 60.1e6, tolerance: 0.1, close: 24 },
  {
    name: 'a clock with misses',
    picture: 'gaps',
    gapsUs: [60e6, 61e6, 120e6, 59e6, 181e6, 900e6],
    medianUs: 60.5e6,
    tolerance: 0.35,
    close: 5,
  },
  { name: 'two gaps', picture: 'gaps', gapsUs: [2e6, 2e6], medianUs: 2e6, tolerance: 0.1, close: 2 },
  {
    name: 'attempts that carried nothing',
    picture: 'sessions',
    sessions: range(25).map((i) => ({ atUs: i * 5e6, bytes: 0, durationUs: 48, odd: false })),
    omitted: 7,
  },
  { name: 'a flood', picture: 'rate', what: 'packets', perSecond: range(60).map((i) => (i < 40 ? i % 7 : 48_213 + i)), threshold: 5000 },
  {
    name: 'a flood of millions',
    picture: 'rate',
    what: 'connections left half open',
    perSecond: range(60).map((i) => i * 812_345),
    threshold: 100,
  },
  { name: 'a rate without a bound', picture: 'rate', what: 'packets', perSecond: [0, 0, 1], threshold: 0 },
  {
    name: 'no history',
    picture: 'uploads',
    sentBytes: 61.5e6,
    receivedBytes: 193,
    floorBytes: 5e7,
    slots: range(12).map((i) => ({ sentBytes: i === 11 ? 61.5e6 : 0, receivedBytes: i === 11 ? 193 : 0 })),
    usual: null,
  },
  {
    name: 'with history',
    picture: 'uploads',
    sentBytes: 8.2e12,
    receivedBytes: 4e9,
    floorBytes: 5e7,
    slots: range(12).map((i) => ({ sentBytes: i * 1e11, receivedBytes: 4e8 })),
    usual: { hours: 400, medianBytes: 1e6, p95Bytes: 2.5e7 },
  },
  { name: 'held open', picture: 'concurrent', points: range(100).map((i) => ({ atUs: i * 1e6, open: Math.min(i, 77) })), threshold: 50 },
  {
    name: 'two moments',
    picture: 'concurrent',
    points: [
      { atUs: 5, open: 1 },
      { atUs: 5, open: 1 },
    ],
    threshold: 50,
  },
]

function withPicture({ name: _, ...data }: (typeof DATA)[number]): AlertEvent {
  return { ...loginGuessing(), pictures: [data] }
}

/** An alert with as many factors as there can be, long labels, for and against. */
function longArithmetic(): AlertEvent {
  const event = verticalScan()
  const label = 'a label of quite some length, longer than there is room for'
  const evidence = range(9).map((i) => ({ ...event.evidence[0], id: `E${i + 1}`, label }))
  const arithmetic = [
    { name: 'prior', log10: -2.5, text: '0.3 %', evidenceIds: [] },
    ...range(9).map((i) => ({
      name: 'scale',
      log10: i % 3 === 2 ? -1.2 : 0.7,
      text: i % 3 === 2 ? '÷15.8' : '×5',
      evidenceIds: [`E${i + 1}`],
    })),
    { name: 'cap', log10: -0.4, text: 'at most 60 %', evidenceIds: [] },
  ]
  return { ...event, evidence, arithmetic }
}

const EVENTS = [
  ...SAMPLES.map((sample) => ({ name: sample().kind, event: sample() })),
  ...DATA.map((data) => ({ name: `${data.picture}: ${data.name}`, event: withPicture(data) })),
  { name: 'many factors', event: longArithmetic() },
]

describe.each(EVENTS)('pictures: $name', ({ event }) => {
  const line = makeAlertLine(event, ENVELOPE)
  const report = renderReport(line)

  test('are well-formed, say what they show, and their words do not lie on each other', () => {
    expect(report.pictures.length).toBeGreaterThan(0)
    for (const { name, svg } of report.pictures) {
      expect(xmlFaults(svg), name).toEqual([])
      expect(svg).toMatch(/<title id="t">[^<]+<\/title>\n<desc id="d">[^<]+<\/desc>/)
      expect(svg).toContain('prefers-color-scheme:dark')
      expect(svg).not.toMatch(/undefined|NaN|Infinity|(?:href|src)=/)
      expect(overlapFaults(svg), name).toEqual([])
    }
  })

  test('stand in the report, each with a table, and the report verifies', () => {
    for (const { name } of report.pictures) expect(report.markdown).toMatch(new RegExp(`\\(${name}\\)\\n\\n(?:[^|].*\\n\\n)?\\|`))
    expect(verifyReport(line, report.markdown, report.pictures)).toEqual([])
  })
})

describe('pictures', () => {
  test('the checks notice what is broken', () => {
    expect(xmlFaults('<svg><g></svg>')).not.toEqual([])
    expect(xmlFaults('<svg a="1" a="2"/>')).not.toEqual([])
    expect(xmlFaults('<svg>a & b</svg>')).not.toEqual([])
    expect(xmlFaults('<svg x="NaN"/>')).not.toEqual([])
    expect(overlapFaults('<svg viewBox="0 0 100 50"><text x="10" y="20">words</text><text x="20" y="22">others</text></svg>')).not.toEqual(
      [],
    )
  })

  test.each(HOSTILE_TEXTS)('hostile words stay words: %j', (text) => {
    const event = verticalScan()
    const evidence = event.evidence.map((item) => ({ ...item, label: text }))
    const { pictures } = renderReport(
      makeAlertLine({ ...event, evidence, pictures: [{ picture: 'rate', what: text, perSecond: [1, 2], threshold: 1 }] }, ENVELOPE),
    )
    for (const { svg } of pictures) {
      expect(xmlFaults(svg)).toEqual([])
      expect(svg).not.toMatch(/<script|<img|\u202e/)
    }
  })

  const hasRenderer = spawnSync('rsvg-convert', ['--version']).error === undefined
  test.skipIf(!hasRenderer)('render (needs rsvg-convert, Debian librsvg2-bin)', { timeout: 120_000 }, () => {
    const folder = mkdtempSync(join(tmpdir(), 'flowscribe-svg-'))
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
    for (const { event } of EVENTS) {
      for (const { name, svg } of renderReport(makeAlertLine(event, ENVELOPE)).pictures) {
        const path = join(folder, name)
        writeFileSync(path, svg)
        const run = spawnSync('rsvg-convert', ['-o', `${path}.png`, path], { encoding: 'utf8' })
        expect({ status: run.status, stderr: run.stderr }, name).toEqual({ status: 0, stderr: '' })
        expect(readFileSync(`${path}.png`).length, name).toBeGreaterThan(1500)
      }
    }
  })
})
