/** Bursts of alerts: none lost, reports in order and all there at the end. A live run's way is test/live-delivery.test.ts's. */
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

/** In memory where there is such a place: eight thousand small files. */
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

function output(folder: string, closed: string[]): ReplayOutput {
  const onClosed = (alert: AlertEvent): unknown => closed.push(alert.id)
  return new ReplayOutput({ folder, hasReports: true, hasMutedReports: false, sensorName: 'test', digest: new RunDigest(), onClosed })
}

function reportsIn(folder: string): string[] {
  return readdirSync(join(folder, 'reports', '2026-03-17'))
    .filter((name) => name.endsWith('.md'))
    .sort()
}

describe('a thousand alerts at once', () => {
  test('a replay loses none: every line and every report, in order, the last word of each', { timeout: 120_000 }, () => {
    const folder = memoryFolder()
    const closed: string[] = []
    const out = output(folder, closed)
    const events = [...burst('open'), ...burst('close')]
    const before = process.cpuUsage()
    for (const event of events) out.write(event, { pcap_filename: 'x.pcap' })
    const { user, system } = process.cpuUsage(before)
    out.close()
    expect((user + system) / 1000 / events.length).toBeLessThan(50)
    const lines = readFileSync(out.alertsPath, 'utf8').trimEnd().split('\n')
    expect(lines.map((line, i) => parseAlertLine(line, String(i)).alert.id)).toEqual(events.map(({ id }) => id))
    expect(closed).toEqual(burst('close').map(({ id }) => id))
    expect(reportsIn(folder)).toEqual(burst('close').map(({ id }) => `${id}.md`))
    const report = renderReport(parseAlertLine(lines[lines.length - 1], 'last'))
    expect(readFileSync(join(folder, 'reports', report.day, `${report.stem}.md`), 'utf8')).toBe(report.markdown)
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
