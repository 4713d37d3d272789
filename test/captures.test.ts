/**
 * Every capture in pcaps/ through the whole pipeline: what it must and must not say (pcaps/manifest.json), its flows and alerts against
 * test/golden/captures/, its reports verified, two runs alike to the byte.
 *
 * A wanted change: UPDATE_GOLDEN=1 npx vitest run test/captures.test.ts, and read the difference before committing it.
 */
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, test } from 'vitest'
import { NetworkSet } from '../src/base/address.ts'
import { verifyFiles } from '../src/commands/verify.ts'
import { loadConfig } from '../src/config.ts'
import { parseAlertLine } from '../src/explain/alert-line.ts'
import { SILENT } from '../src/progress.ts'
import type { AlertEvent } from '../src/score/evidence.ts'
import { meterFlows, type ReplaySummary, replay } from '../src/sensor.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const golden = join(root, 'test', 'golden', 'captures')
const scratch = mkdtempSync(join(tmpdir(), 'flowscribe-captures-'))
const isUpdating = process.env.UPDATE_GOLDEN === '1'

interface Expected {
  kind: string
  actor: string
  victim: string
}

interface ManifestRow {
  file: string
  sha256: string
  mustAlert: Expected[]
  mustNotAlert: boolean
}

const manifest = JSON.parse(readFileSync(join(root, 'pcaps', 'manifest.json'), 'utf8')) as ManifestRow[]
const captures = readdirSync(join(root, 'pcaps')).filter((name) => /\.pcap(\.gz)?$/.test(name))

afterAll(() => rmSync(scratch, { recursive: true, force: true }))

interface Run {
  folder: string
  summary: ReplaySummary
  alerts: AlertEvent[]
}

const common = { config: loadConfig({}), progress: SILENT, signal: new AbortController().signal }

async function replayed(file: string, folder: string): Promise<Run> {
  process.chdir(root)
  const summary = await replay({ ...common, inputs: [join('pcaps', file)], outputDir: folder })
  const lines = readFileSync(summary.alertsPath, 'utf8').split('\n').filter(Boolean)
  return { folder, summary, alerts: lines.map((line, i) => parseAlertLine(line, `line ${i + 1}`).alert) }
}

/** The columns that a person checks; the whole table's digest stands in the first line. */
const SHOWN = [
  'Timestamp',
  'Src IP',
  'Src Port',
  'Dst IP',
  'Dst Port',
  'Protocol',
  'Flow Duration',
  'Total Fwd Packet',
  'Total Bwd packets',
  'Total Length of Fwd Packet',
  'Total Length of Bwd Packet',
  'SYN Flag Count',
  'FIN Flag Count',
  'RST Flag Count',
]

async function flowsText(file: string): Promise<string> {
  const path = join(scratch, `${file}.csv`)
  await meterFlows({
    ...common,
    inputs: [join(root, 'pcaps', file)],
    output: path,
    profile: 'flowscribe',
    format: 'cic',
    empty: '',
    hasWindows: false,
  })
  const text = readFileSync(path, 'utf8')
  const rows = text
    .trimEnd()
    .split('\n')
    .map((line) => line.split(','))
  const columns = SHOWN.map((name) => rows[0].indexOf(name))
  const digest = createHash('sha256').update(text).digest('hex')
  return `# all ${rows[0].length} columns: sha256 ${digest}\n${rows.map((row) => columns.map((at) => row[at]).join(',')).join('\n')}\n`
}

/** The last word on each episode, without what only pictures need and what every release changes. */
function alertsText({ alerts, summary }: Run): string {
  const shown = alerts
    .filter((alert) => alert.event === 'close')
    .map(({ pictures, features, flows, sensor, slice, ...rest }) => ({
      ...rest,
      flows: flows.map(({ timeline, ...flow }) => flow),
      pictures: pictures.map((picture) => picture.picture),
      features: Object.keys(features).length,
      sensor: sensor.name,
    }))
  const events = alerts.map((alert) => `${alert.event} ${alert.kind} ${alert.id} ${alert.likelihood.toFixed(4)} ${alert.severity}`)
  return `${JSON.stringify({ severities: summary.alerts, events, alerts: shown }, null, 1)}\n`
}

function checkGolden(name: string, text: string): void {
  const path = join(golden, name)
  if (isUpdating) {
    mkdirSync(golden, { recursive: true })
    writeFileSync(path, text)
  }
  expect(existsSync(path), `${relative(root, path)} is missing; UPDATE_GOLDEN=1 makes it`).toBe(true)
  expect(text).toBe(readFileSync(path, 'utf8'))
}

/** A victim of the manifest is an address or a network. */
function isFound(alerts: readonly AlertEvent[], { kind, actor, victim }: Expected): boolean {
  const victims = new NetworkSet([victim])
  return alerts.some(
    (alert) =>
      alert.kind === kind && alert.actor === actor && alert.likelihood >= 0.5 && alert.victims.addresses.every((a) => victims.has(a)),
  )
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .sort()
}

test('the manifest names every capture, and each is the one recorded', () => {
  expect(captures.sort()).toEqual(manifest.map((row) => row.file).sort())
  for (const { file, sha256 } of manifest) {
    expect(
      createHash('sha256')
        .update(readFileSync(join(root, 'pcaps', file)))
        .digest('hex'),
      file,
    ).toBe(sha256)
  }
})

describe.each(manifest)('$file', ({ file, mustAlert, mustNotAlert }) => {
  test('says what it must and nothing else; flows, alerts and reports are as they were and hold', { timeout: 60_000 }, async () => {
    const first = await replayed(file, join(scratch, `${file}-1`))
    const second = await replayed(file, join(scratch, `${file}-2`))

    const alerted = first.alerts.filter((alert) => alert.severity !== 'info')
    expect(mustAlert.filter((expected) => !isFound(alerted, expected))).toEqual([])
    const kinds = new Set(mustAlert.map(({ kind }) => kind))
    expect(alerted.filter((alert) => mustNotAlert || !kinds.has(alert.kind)).map((alert) => `${alert.kind} ${alert.actor}`)).toEqual([])

    checkGolden(`${file}.flows.csv`, await flowsText(file))
    checkGolden(`${file}.alerts.json`, alertsText(first))

    const files = filesBelow(first.folder)
    expect(filesBelow(second.folder)).toEqual(files)
    for (const path of files)
      expect(readFileSync(join(second.folder, path)).equals(readFileSync(join(first.folder, path))), path).toBe(true)
    expect(second.summary).toEqual({ ...first.summary, alertsPath: second.summary.alertsPath, reportsDir: second.summary.reportsDir })

    const reports = files.filter((path) => path.endsWith('.md')).map((path) => join(first.folder, path))
    const outcome = await verifyFiles(first.summary.alertsPath, reports)
    expect(outcome.lines).toEqual(reports.map((path) => `${path}: verified`))
  })
})
