/**
 * Bounds on reports: the oldest go first, whole; nobody else's files are touched.
 */
import { existsSync, mkdirSync, readdirSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { BEYOND_MARK, makeAlertLine } from '../../src/explain/alert-line.ts'
import { renderReport } from '../../src/explain/report.ts'
import { ReportBounds, type ReportLimits } from '../../src/sink/report-bounds.ts'
import { ReportFolder } from '../../src/sink/report-folder.ts'
import { ENVELOPE, verticalScan } from '../explain/alert-samples.ts'
import { temporaryFolder } from './endings.ts'

const NO_LIMITS: ReportLimits = { countMax: 1e6, ageMaxMs: 1e15, bytesMax: 1e15 }
const DAY = '2026-03-17'
const HOUR_MS = 3_600_000
const NOW_MS = 1_800_000_000_000

/** Reports n1, n2 … of which the first is the oldest, an hour between each; beside each what its line had no room for, and a slice of packets. */
function filled(count: number): { root: string; day: string } {
  const root = temporaryFolder()
  const folder = new ReportFolder(root)
  const day = join(root, DAY)
  for (let i = 1; i <= count; i++) {
    folder.write(renderReport(makeAlertLine({ ...verticalScan(), id: `n${i}` }, ENVELOPE)), `${BEYOND_MARK},"id":"n${i}"}`)
    writeFileSync(join(day, `n${i}.pcap`), 'packets')
    const writtenSec = (NOW_MS - (count - i) * HOUR_MS) / 1000
    for (const name of readdirSync(day).filter((found) => found.startsWith(`n${i}.`))) utimesSync(join(day, name), writtenSec, writtenSec)
  }
  return { root, day }
}

const stems = (day: string): string[] => [...new Set(readdirSync(day).map((name) => name.split('.')[0]))].sort()
const filesOf = (day: string, stem: string): string[] => readdirSync(day).filter((name) => name.startsWith(`${stem}.`))
const bytesOf = (day: string, stem: string): number => filesOf(day, stem).reduce((sum, name) => sum + statSync(join(day, name)).size, 0)

describe('report bounds', () => {
  test('count: at start and with each report more, the oldest goes with all that belongs to it', () => {
    const { root, day } = filled(5)
    expect(filesOf(day, 'n1').length).toBe(6)
    const bounds = new ReportBounds(root, { ...NO_LIMITS, countMax: 3 })
    bounds.scan()
    bounds.enforce(NOW_MS)
    expect(stems(day)).toEqual(['n3', 'n4', 'n5'])
    const write = (id: string) => new ReportFolder(root).write(renderReport(makeAlertLine({ ...verticalScan(), id }, ENVELOPE)))
    write('n6')
    bounds.written(DAY, 'n6', NOW_MS)
    expect(stems(day)).toEqual(['n4', 'n5', 'n6'])
    // What was written is told, or looked for: both come to the same.
    for (const id of ['n7', 'n4']) bounds.written(DAY, id, NOW_MS, write(id))
    expect(stems(day)).toEqual(['n4', 'n6', 'n7'])
    expect(bounds.counters).toEqual({ removed: 5, notRemoved: 0 })
    expect(bounds.count).toBe(3)
    expect(bounds.bytes).toBe(['n4', 'n6', 'n7'].reduce((sum, id) => sum + bytesOf(day, id), 0))
  })

  test('a slice is counted with its report, and without one it goes all the same; what only looks like ours stays', () => {
    const { root, day } = filled(3)
    const facts = '{"writtenBy":"flowscribe",\n "alert": "x"}'
    for (const name of ['n1.pcap.json', 'n1.pcapng', 'lone.pcap.json']) writeFileSync(join(day, name), facts)
    writeFileSync(join(day, 'lone.pcap'), 'packets')
    writeFileSync(join(day, 'theirs.pcap.json'), '{"packets":1}')
    writeFileSync(join(day, 'theirs.pcap'), 'packets')
    for (const name of readdirSync(day).filter((found) => /^(n1|lone|theirs)/.test(found))) utimesSync(join(day, name), 1, 1)
    const bounds = new ReportBounds(root, { ...NO_LIMITS, ageMaxMs: NOW_MS / 2 })
    bounds.scan()
    expect(bounds.bytes).toBe(readdirSync(day).reduce((sum, name) => sum + statSync(join(day, name)).size, 0))
    bounds.enforce(NOW_MS)
    writeFileSync(join(day, 'n3.pcap.json'), facts)
    for (let again = 0; again < 2; again++) bounds.sliced(DAY, 'n3', NOW_MS)
    expect(bounds.bytes).toBe(bytesOf(day, 'n2') + bytesOf(day, 'n3'))
    expect(stems(day)).toEqual(['n2', 'n3', 'theirs'])
    expect(
      readdirSync(day)
        .filter((name) => name.startsWith('theirs'))
        .sort(),
    ).toEqual(['theirs.pcap', 'theirs.pcap.json'])
  })

  test('a report that is written once more is young again', () => {
    const { root, day } = filled(3)
    const bounds = new ReportBounds(root, { ...NO_LIMITS, countMax: 2 })
    bounds.scan()
    bounds.written(DAY, 'n1', NOW_MS)
    expect(stems(day)).toEqual(['n1', 'n3'])
  })

  test('age: what was last written so long ago goes, also when nothing new comes', () => {
    const { root, day } = filled(5)
    const bounds = new ReportBounds(root, { ...NO_LIMITS, ageMaxMs: 2.5 * HOUR_MS })
    bounds.scan()
    bounds.enforce(NOW_MS)
    expect(stems(day)).toEqual(['n3', 'n4', 'n5'])
    bounds.enforce(NOW_MS + HOUR_MS)
    expect(stems(day)).toEqual(['n4', 'n5'])
    bounds.enforce(NOW_MS + 24 * HOUR_MS)
    expect(existsSync(day)).toBe(false)
  })

  test('size: pictures and packets count', () => {
    const { root, day } = filled(4)
    const room = bytesOf(day, 'n3') + bytesOf(day, 'n4')
    const bounds = new ReportBounds(root, { ...NO_LIMITS, bytesMax: room })
    bounds.scan()
    bounds.enforce(NOW_MS)
    expect(stems(day)).toEqual(['n3', 'n4'])
    expect(bounds.bytes).toBe(room)
    bounds.limit({ ...NO_LIMITS, bytesMax: room - 1 })
    bounds.enforce(NOW_MS)
    expect(stems(day)).toEqual(['n4'])
  })

  test("nobody else's file is touched, whatever its name", () => {
    const { root, day } = filled(2)
    mkdirSync(join(root, 'mine'))
    const theirs = [
      join(root, 'readme.md'),
      join(root, 'mine', 'n1.md'),
      join(day, 'notes.md'),
      join(day, 'notes.pcap'),
      join(day, 'n1.my-copy.md'),
      join(day, 'n1.sketch.svg'),
      join(day, 'n1.txt'),
      join(day, 'n10.pcap'),
      join(day, 'other.svg'),
    ]
    for (const path of theirs) writeFileSync(path, '# mine\n')
    for (const path of theirs) utimesSync(path, 1, 1)
    const bounds = new ReportBounds(root, { countMax: 1, ageMaxMs: 1, bytesMax: 1 })
    bounds.scan()
    bounds.enforce(NOW_MS + 1e9)
    expect(theirs.filter((path) => !existsSync(path))).toEqual([])
    expect(readdirSync(day).sort()).toEqual(['n1.my-copy.md', 'n1.sketch.svg', 'n1.txt', 'n10.pcap', 'notes.md', 'notes.pcap', 'other.svg'])
    expect(bounds.counters.removed).toBe(2)
  })
})

describe('report bounds without reports', () => {
  test('no folder yet, or one that is a file: nothing to do', () => {
    const root = join(temporaryFolder(), 'reports')
    const bounds = new ReportBounds(root, NO_LIMITS)
    bounds.scan()
    writeFileSync(root, '')
    bounds.scan()
    bounds.enforce(NOW_MS)
    expect(bounds.count).toBe(0)
  })
})
