import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { makeAlertLine } from '../../src/explain/alert-line.ts'
import { type Report, renderReport } from '../../src/explain/report.ts'
import { ReportFolder } from '../../src/sink/report-folder.ts'
import { ENVELOPE, loginGuessing, verticalScan } from '../explain/alert-samples.ts'
import { canMount, temporaryFolder, tinyDisk } from './endings.ts'

const REPORT = renderReport(makeAlertLine(verticalScan(), ENVELOPE))

describe('report folder', () => {
  test('writes the report under its day, pictures beside it, and nothing else', () => {
    const root = join(temporaryFolder(), 'reports')
    const { path, names, bytes } = new ReportFolder(root).write(REPORT)
    expect(path).toBe(join(root, '2026-03-17', 'a3f19c02-scan.vertical.md'))
    expect(readFileSync(path, 'utf8')).toBe(REPORT.markdown)
    expect(readdirSync(join(root, '2026-03-17')).sort()).toEqual([
      'a3f19c02-scan.vertical.contributions.svg',
      'a3f19c02-scan.vertical.grid.svg',
      'a3f19c02-scan.vertical.md',
      'a3f19c02-scan.vertical.timeline.svg',
    ])
    expect([...names].sort()).toEqual(readdirSync(join(root, '2026-03-17')).sort())
    expect(bytes).toBe(names.reduce((sum, name) => sum + statSync(join(root, '2026-03-17', name)).size, 0))
  })

  test('the latest event of an episode wins, and a picture that it has no more is gone', () => {
    const root = temporaryFolder()
    const folder = new ReportFolder(root)
    folder.write(REPORT)
    const later: Report = { ...REPORT, markdown: 'later\n', pictures: REPORT.pictures.slice(0, 1) }
    const { path } = folder.write(later)
    expect(readFileSync(path, 'utf8')).toBe('later\n')
    expect(readdirSync(join(root, '2026-03-17'))).toEqual(['a3f19c02-scan.vertical.contributions.svg', 'a3f19c02-scan.vertical.md'])
  })

  test('what the line had no room for lies beside it, and goes when it fits again or when the folder is cleared', () => {
    const root = temporaryFolder()
    const folder = new ReportFolder(root)
    const event = verticalScan()
    const many = Array.from({ length: 600 }, (_, i) => i + 1)
    const cells = many.map((_, i) => ({ target: 0, port: i, outcome: 'failed' as const }))
    const large = makeAlertLine(
      { ...event, pictures: [{ picture: 'grid', targets: ['10.0.0.9'], ports: many, cells, omitted: 0 }] },
      ENVELOPE,
    )
    expect(Buffer.byteLength(large.text)).toBeLessThan(65_536)
    folder.write(renderReport(large), large.beyond)
    const beyond = JSON.parse(readFileSync(join(root, '2026-03-17', 'a3f19c02-scan.vertical.json'), 'utf8')) as {
      pictures: { cells: unknown[] }[]
    }
    expect(beyond.pictures[0].cells).toHaveLength(600)
    expect(makeAlertLine(event, ENVELOPE).beyond).toBeUndefined()
    new ReportFolder(root).clear()
    expect(existsSync(join(root, '2026-03-17'))).toBe(false)
    folder.write(renderReport(large), large.beyond)
    folder.write(REPORT)
    expect(readdirSync(join(root, '2026-03-17')).filter((name) => name.endsWith('.json'))).toEqual([])
  })

  test("clear: takes our files, torn ones too, and leaves everybody else's", () => {
    const root = temporaryFolder()
    const folder = new ReportFolder(root)
    const { path: ours } = folder.write(REPORT)
    folder.write(renderReport(makeAlertLine(loginGuessing(), ENVELOPE)))
    const day = join(root, '2026-03-17')
    writeFileSync(join(day, 'torn.md.new'), REPORT.markdown.slice(0, 900))
    mkdirSync(join(root, 'mine'))
    const theirs = [
      join(day, 'notes.md'),
      join(day, 'sketch.svg'),
      join(day, 'draft.md.new'),
      join(root, 'mine', 'a.md'),
      join(root, 'readme.md'),
    ]
    for (const path of theirs) writeFileSync(path, '# mine\n')
    folder.clear()
    expect(existsSync(ours)).toBe(false)
    expect(readdirSync(day).sort()).toEqual(['draft.md.new', 'notes.md', 'sketch.svg'])
    for (const path of theirs) expect(readFileSync(path, 'utf8')).toBe('# mine\n')
  })

  test('clear: a day with nothing left goes too; a folder that is not there is no fault', () => {
    const root = temporaryFolder()
    const folder = new ReportFolder(root)
    folder.write(REPORT)
    folder.clear()
    expect(readdirSync(root)).toEqual([])
    new ReportFolder(join(root, 'none')).clear()
  })

  test('a file where the folder should be', () => {
    const path = join(temporaryFolder(), 'reports')
    writeFileSync(path, '')
    expect(() => new ReportFolder(path).write(REPORT)).toThrow(/^cannot write .*reports.*: a .*file/)
  })

  test.skipIf(!canMount)('disk full: the report before stays as it was (needs root and mount)', () => {
    const folder = new ReportFolder(tinyDisk())
    const { path } = folder.write(REPORT)
    const huge: Report = { ...REPORT, markdown: 'x'.repeat(100_000) }
    expect(() => folder.write(huge)).toThrow(/no space left/)
    expect(readFileSync(path, 'utf8')).toBe(REPORT.markdown)
    expect(existsSync(`${path}.new`)).toBe(false)
  })
})

describe('report folder: what is there already', () => {
  test('a file that stays the same is not made again; one that is gone, or cut short, is', () => {
    const root = temporaryFolder()
    const folder = new ReportFolder(root)
    const { path, names } = folder.write(REPORT)
    const day = join(root, '2026-03-17')
    for (const name of names) utimesSync(join(day, name), 1, 1)
    const [gone, torn] = REPORT.pictures.map(({ name }) => name)
    rmSync(join(day, gone))
    writeFileSync(join(day, torn), '')
    const later = { ...REPORT, markdown: `${REPORT.markdown}more\n` }
    expect(folder.write(later)).toEqual({ path, names, bytes: expect.any(Number) as number })
    expect(readFileSync(path, 'utf8')).toBe(later.markdown)
    for (const { name, svg } of REPORT.pictures) expect(readFileSync(join(day, name), 'utf8')).toBe(svg)
    expect(readdirSync(day).filter((name) => statSync(join(day, name)).mtimeMs === 1000)).toEqual(
      REPORT.pictures.slice(2).map(({ name }) => name),
    )
  })
})
