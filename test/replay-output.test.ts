/** Bursts of alerts: none lost, none held up, reports in order and all there at the end. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { makeAlertLine, parseAlertLine } from '../src/explain/alert-line.ts'
import { renderReport } from '../src/explain/report.ts'
import { ReplayOutput } from '../src/replay-output.ts'
import type { AlertEvent } from '../src/score/evidence.ts'
import { RunDigest } from '../src/sink/digest.ts'
import { SAMPLES } from './explain/alert-samples.ts'

const BURST = 1000

/** In memory where there is such a place: each line of a live log is flushed, and a thousand flushes take half a minute on a disk. */
function memoryFolder(): string {
  const folder = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'flowscribe-burst-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

function burst(event: AlertEvent['event']): AlertEvent[] {
  return Array.from({ length: BURST }, (_, i) => ({
    ...SAMPLES[i % SAMPLES.length](),
    id: `fs-20260317-${String(i).padStart(10, '0')}`,
    event,
  }))
}

function output(folder: string, mode: 'replace' | 'append', closed: string[]): ReplayOutput {
  const onClosed = (alert: AlertEvent): unknown => closed.push(alert.id)
  return new ReplayOutput({ folder, mode, hasReports: true, sensorName: 'test', digest: new RunDigest(), onClosed })
}

function reportsIn(folder: string): string[] {
  return readdirSync(join(folder, 'reports', '2026-03-17'))
    .filter((name) => name.endsWith('.md'))
    .sort()
}

describe('a thousand alerts at once', () => {
  test('live: lines are written at once, reports later, in order, the last word of each; nothing is lost', { timeout: 120_000 }, () => {
    const folder = memoryFolder()
    const closed: string[] = []
    const out = output(folder, 'append', closed)
    const before = process.cpuUsage()
    const events = [...burst('open').slice(0, 20), ...burst('close')]
    for (const event of events) out.write(event, { in_iface: 'eth1' })
    const { user, system } = process.cpuUsage(before)
    const lines = readFileSync(out.alertsPath, 'utf8').trimEnd().split('\n')
    expect(lines.map((line, i) => parseAlertLine(line, String(i)).alert.id)).toEqual(events.map(({ id }) => id))
    // A line alone; the report's own cost comes later.
    expect((user + system) / 1000 / events.length).toBeLessThan(10)

    // Between batches one at a time, the oldest first.
    expect(closed).toEqual([])
    for (let i = 0; i < 5; i++) expect(out.writeNextReport()).toBe(true)
    expect(closed).toEqual(
      burst('close')
        .slice(0, 5)
        .map(({ id }) => id),
    )
    out.close()
    expect(closed).toEqual(burst('close').map(({ id }) => id))
    expect(reportsIn(folder)).toEqual(burst('close').map(({ id }) => `${id}.md`))
    const last = lines[lines.length - 1]
    const report = renderReport(parseAlertLine(last, 'last'))
    expect(readFileSync(join(folder, 'reports', report.day, `${report.stem}.md`), 'utf8')).toBe(report.markdown)
  })

  test('when more wait than are kept, the oldest are written, so that memory is bounded', { timeout: 120_000 }, () => {
    const folder = memoryFolder()
    const closed: string[] = []
    const out = output(folder, 'append', closed)
    for (const event of burst('close')) out.write(event, { in_iface: 'eth1' })
    for (const event of burst('close').slice(0, 100)) out.write({ ...event, id: `${event.id}b` }, { in_iface: 'eth1' })
    expect(closed).toEqual(
      burst('close')
        .slice(0, 76)
        .map(({ id }) => id),
    )
    out.close()
    expect(closed).toHaveLength(1100)
  })

  test('a replay writes each report with its line', () => {
    const folder = memoryFolder()
    const closed: string[] = []
    const out = output(folder, 'replace', closed)
    for (const event of burst('close').slice(0, 20)) out.write(event, { pcap_filename: 'x.pcap' })
    expect(closed).toHaveLength(20)
    expect(reportsIn(folder)).toHaveLength(20)
    out.close()
  })

  test('a report takes under 50 ms of processor time', () => {
    for (const sample of SAMPLES) {
      const line = makeAlertLine(sample(), { timestamp: '2026-03-17T09:21:14.402118+0000' })
      renderReport(line)
      const before = process.cpuUsage()
      for (let i = 0; i < 20; i++) renderReport(line)
      const { user, system } = process.cpuUsage(before)
      expect((user + system) / 1000 / 20).toBeLessThan(50)
    }
  })
})
