/**
 * `score` as a whole: records of pcaps/, metered by us and by nfdump, find what `replay` finds; the owner's three flows and flows like them
 * get reports with every section of REPORT.md section 1 and none of the wrong statements of its section 2; labelled host-days stay quiet.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { RECORD_FORMATS } from '../src/capture/record-format.ts'
import { verifyFiles } from '../src/commands/verify.ts'
import { loadConfig } from '../src/config.ts'
import { parseAlertLine } from '../src/explain/alert-line.ts'
import { SILENT } from '../src/progress.ts'
import type { AlertEvent } from '../src/score/evidence.ts'
import { type ScoreSummary, scoreRecords } from '../src/score-records.ts'
import { meterFlows, replay } from '../src/sensor.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const shared = join(root, '..', 'shared')
const fixtures = join(root, 'test', 'fixtures', 'records')
const scratch = mkdtempSync(join(tmpdir(), 'flowscribe-score-'))
afterAll(() => rmSync(scratch, { recursive: true, force: true }))

const common = { config: loadConfig({}), progress: SILENT, signal: new AbortController().signal }

interface Scored {
  summary: ScoreSummary
  alerts: AlertEvent[]
  plain: AlertEvent[]
  reports: string[]
  reportPaths: string[]
}

let runs = 0

async function scored(path: string, isReportingAll = false, config = common.config): Promise<Scored> {
  const outputDir = join(scratch, `run-${runs++}`)
  const summary = await scoreRecords({ ...common, config, inputs: [path], outputDir, from: null, isReportingAll })
  const lines = (file: string): AlertEvent[] =>
    existsSync(file)
      ? readFileSync(file, 'utf8')
          .split('\n')
          .filter(Boolean)
          .map((line, i) => parseAlertLine(line, `${file}:${i + 1}`).alert)
      : []
  const reports = join(outputDir, 'reports')
  const reportPaths = existsSync(reports)
    ? readdirSync(reports).flatMap((day) =>
        readdirSync(join(reports, day))
          .filter((name) => name.endsWith('.md'))
          .map((name) => join(reports, day, name)),
      )
    : []
  return {
    summary,
    alerts: lines(summary.alertsPath),
    plain: lines(join(outputDir, 'plain-flows.jsonl')),
    reports: reportPaths.map((file) => readFileSync(file, 'utf8')),
    reportPaths,
  }
}

/** What was found, by kind, actor and first victim: once each. */
const found = (alerts: readonly AlertEvent[]): string[] =>
  [...new Set(alerts.map((alert) => `${alert.kind} ${alert.actor} ${alert.victims.addresses[0]}`))].sort()

/**
 * Not those of floods and slow attacks, which are told of while their flows are open: records come when flows have ended. Not ARP's, of
 * which there are no flow records. Not tunnels in echoes, which are told by how the sizes vary: records read here have sums only. Not TCP
 * headers in pieces, of which a table of flows has no rows.
 */
const captures = readdirSync(join(root, 'pcaps')).filter(
  (name) => /\.pcap(\.gz)?$/.test(name) && !/^(flood|slow|icmp-tunnel|scan-fragments)-|-arp-/.test(name),
)
const nfdump = ['nfpcapd', 'nfdump'].every((tool) => spawnSync(tool, ['-V']).error === undefined)

describe.each(captures)('%s, as records', (name) => {
  let expected: string[] = []

  beforeAll(async () => {
    const outputDir = join(scratch, `replay-${name}`)
    const summary = await replay({ ...common, inputs: [join(root, 'pcaps', name)], outputDir })
    const lines = readFileSync(summary.alertsPath, 'utf8').split('\n').filter(Boolean)
    expected = found(lines.map((line, i) => parseAlertLine(line, `line ${i + 1}`).alert))
  }, 60_000)

  // Every kind that pcaps/ shows can be told from each of these, with one exception: our NetFlow names have times in whole seconds, so
  // that nobody knows which of a sweep's targets came first, and the first victim named may be another one.
  test.each(['cic', 'netflow', 'jsonl'] as const)(
    'metered by us, --format %s',
    async (format) => {
      const output = join(scratch, `${name}.${format}`)
      await meterFlows({
        ...common,
        inputs: [join(root, 'pcaps', name)],
        output,
        profile: 'flowscribe',
        format,
        empty: '',
        hasWindows: false,
      })
      const { alerts, summary } = await scored(output)
      expect(summary.faults.count).toBe(0)
      const isCoarse = format === 'netflow'
      const told = (lines: readonly string[]): string[] => (isCoarse ? lines.map((line) => line.replace(/ \S+$/, '')) : [...lines])
      expect(told(found(alerts))).toEqual(told(expected))
    },
    60_000,
  )

  test.skipIf(!nfdump).each(['csv', 'json'])(
    'metered by nfpcapd, nfdump -o %s (skipped without Debian’s nfdump)',
    async (format) => {
      const folder = mkdtempSync(join(scratch, 'nfdump-'))
      const bytes = readFileSync(join(root, 'pcaps', name))
      const pcap = join(scratch, `plain-${name.replace(/\.gz$/, '')}`)
      writeFileSync(pcap, name.endsWith('.gz') ? gunzipSync(bytes) : bytes)
      const env = { ...process.env, TZ: 'UTC' }
      spawnSync('nfpcapd', ['-r', pcap, '-w', folder], { env })
      const output = join(scratch, `${name}.nfdump.${format}`)
      writeFileSync(output, spawnSync('nfdump', ['-R', folder, '-o', format], { env, maxBuffer: 1 << 28 }).stdout)
      const { alerts, summary } = await scored(output)
      expect(summary.faults.count).toBe(0)
      expect(summary.pairing.paired).toBeGreaterThan(0)
      expect(found(alerts)).toEqual(expected)
    },
    60_000,
  )
})

/** REPORT.md section 1, item by item. */
const SECTIONS = [
  '## Summary',
  '## Attack classification',
  '**Likelihood**',
  '**Kind**',
  '### Key indicators',
  '## Benign explanations considered',
  '## What would change this',
  '## Threat analysis',
  '**Severity: info**',
  '**What it means if it is so**',
  '## Model explanation',
  '**Observed**',
  '**Does it deviate?**',
  '**Possible reasons**',
  '**Ranking of what contributed**',
  '## Network behaviour',
  '**Packet flow**',
  '**Timing**',
  '**Flags and state**',
  '**Protocol**',
  '**Comparison with normal**',
  '## Observable features',
  '## Visibility',
  '**Not evaluated**',
  '## Recommendations',
  '**First**',
  '**To see it again**',
  '**Later**',
  '## Evidence',
]
const FEATURES = [
  'ID',
  'IP_SRC_ADDR',
  'IP_DST_ADDR',
  'L4_SRC_PORT',
  'L4_DST_PORT',
  'PROTOCOL_NUM',
  'FIRST_SWITCHED',
  'LAST_SWITCHED',
  'IN_PKTS',
  'IN_BYTES',
  'FLOW_DURATION_MILLISECONDS',
  'avg_in_packet_size',
  'inter_arrival_ms',
  'dst_flows_in_window',
  'src_entropy_PROTOCOL',
  'src_IN_PKTS_sum',
  'src_flows_in_window',
  'src_flag_SYN',
]
/** The left column of REPORT.md section 2. */
const WRONG =
  /inversion|exfiltrat|DDoS|command and control|\bC2\b|highly diverse|maximum|5\.8|incomplete handshake|revoke credentials|isolate the|undefined|NaN|Infinity|high(?:est)? likelihood/i

interface Example {
  file: string
  kind: string
  says: readonly RegExp[]
}

const EXAMPLES: readonly Example[] = [
  {
    file: 'netflow',
    kind: 'normal.server.half',
    says: [
      /Server half of an ordinary session/,
      /what the client sent was not in the records/,
      /src_entropy_PROTOCOL \| 0\.9\d+ \(one bit is two protocols used evenly\) \| bit/,
      /inter_arrival_ms \| not measured/,
      /only the responder's packets were seen/,
    ],
  },
  {
    file: 'download',
    kind: 'normal.download',
    says: [
      /data came in/,
      /receive offload/,
      /ethtool -K IF gro off lro off tso off/,
      /excluded from evidence/,
      /flag columns .* were not used/,
      /names? no hosts?/,
    ],
  },
  { file: 'slow', kind: 'normal.push.keepalive', says: [/held open and seldom used/, /flag columns .* were not used/, /names? no hosts?/] },
]

const OURS = { netflow: 'netflow-server-half.csv', download: 'cic-2018-download.csv', slow: 'cic-2018-idle.csv' }
const THEIRS = {
  netflow: 'anomaly-netflow-record.csv',
  download: 'classification-large-download.csv',
  slow: 'classification-low-and-slow.csv',
}

async function expectGoodReport(path: string, { kind, says }: Example): Promise<void> {
  const { plain, alerts, reports, reportPaths, summary } = await scored(path, true)
  expect(alerts).toEqual([])
  expect(summary.plain).toMatchObject({ written: 1, leftOut: 0 })
  expect(plain[0]).toMatchObject({ kind, severity: 'info' })
  expect(plain[0].likelihood).toBeLessThan(0.2)
  const [report] = reports
  for (const heading of SECTIONS) expect(report).toContain(heading)
  for (const name of FEATURES) expect(report).toContain(`\n| ${name} |`)
  for (const claim of says) expect(report).toMatch(claim)
  // What it advises against it may name.
  expect(report.replace('Do not isolate a host, and revoke nothing', '')).not.toMatch(WRONG)
  expect((await verifyFiles(join(reportPaths[0], '..', '..', '..', 'plain-flows.jsonl'), reportPaths)).lines.join()).toMatch(/: verified$/)
}

describe('a report on a flow that raises no alert', () => {
  test.each(EXAMPLES)('of our own making: $file', (example) =>
    expectGoodReport(join(fixtures, OURS[example.file as keyof typeof OURS]), example),
  )

  test.skipIf(!existsSync(join(shared, 'examples'))).each(EXAMPLES)(
    "the owner's flow: $file (skipped without ../shared/examples)",
    (example) => expectGoodReport(join(shared, 'examples', THEIRS[example.file as keyof typeof THEIRS]), example),
  )

  test('replay writes them too, each verified, with an end to their number', async () => {
    const outputDir = join(scratch, 'replay-all')
    const config = loadConfig({ settings: ['output.plain_reports_max=20'] })
    const inputs = [join(root, 'pcaps', 'benign-office.pcap')]
    const summary = await replay({ ...common, config, inputs, outputDir, isReportingAll: true })
    expect(summary.plain?.written).toBe(20)
    expect(summary.plain?.leftOut).toBeGreaterThan(100)
    const reports = join(outputDir, 'reports')
    const paths = readdirSync(reports).flatMap((day) =>
      readdirSync(join(reports, day))
        .filter((name) => name.endsWith('.md'))
        .map((name) => join(reports, day, name)),
    )
    expect(paths).toHaveLength(20)
    const { lines, isVerified } = await verifyFiles(join(outputDir, 'plain-flows.jsonl'), paths)
    expect(lines.filter((line) => !line.endsWith(': verified'))).toEqual([])
    expect(isVerified).toBe(true)
  }, 60_000)

  test('flows of an alert get none of their own', async () => {
    const output = join(scratch, 'scan.csv')
    const inputs = [join(root, 'pcaps', 'scan-connect-nmap.pcap')]
    await meterFlows({ ...common, inputs, output, profile: 'flowscribe', format: 'cic', empty: '', hasWindows: false })
    const { plain, summary } = await scored(output, true)
    expect(summary.alerts.some((row) => row.count > 0)).toBe(true)
    expect(plain.length).toBeLessThan(summary.flows / 4)
    expect(plain.every((event) => event.likelihood < 0.5)).toBe(true)
  }, 30_000)
})

test('the same records give the same alerts, byte for byte', async () => {
  const path = join(fixtures, 'nfdump-ssh.csv')
  const [first, second] = [await scored(path), await scored(path)]
  expect(second.summary.digestAlerts).toBe(first.summary.digestAlerts)
  expect(second.reports).toEqual(first.reports)
})

test('sampled records raise no alert of scans, and say so', async () => {
  const output = join(scratch, 'sampled.csv')
  const inputs = [join(root, 'pcaps', 'scan-syn-nmap.pcap')]
  await meterFlows({ ...common, inputs, output, profile: 'flowscribe', format: 'netflow', empty: '', hasWindows: false })
  const { alerts, summary } = await scored(output, false, loadConfig({ settings: ['records.sampling=64'] }))
  expect(alerts.filter((alert) => alert.kind.startsWith('scan.'))).toEqual([])
  expect(summary.notes.join()).toContain('scans, logins and beacons not judged')
}, 30_000)

test('help names every format', () => {
  const { stdout } = spawnSync(process.execPath, [join(root, 'dist', 'main.js'), 'score', '--help'], { encoding: 'utf8' })
  for (const { name } of RECORD_FORMATS) expect(stdout.replace(/\s+/g, ' ')).toContain(`${name}: `)
})

const flows = join(shared, 'data', 'flows')

describe.skipIf(!existsSync(flows))('labelled records (skipped without ../shared/data/flows)', () => {
  test('NjRAT: the server that never answers', async () => {
    const { alerts } = await scored(join(flows, 'zeek-001-njrat.conn.log'))
    expect(found(alerts).filter((line) => /^c2\.(deadpeer|beacon) /.test(line))).toHaveLength(1)
    expect(alerts.every((alert) => alert.visibility.source === 'flow records')).toBe(true)
  })

  test.each(['zeek-008-mixed.conn.log', 'zeek-010-mixed.conn.log'])(
    '%s: no alert on what is labelled benign',
    async (name) => {
      const { alerts } = await scored(join(flows, name))
      const rows = readFileSync(join(flows, name), 'utf8')
        .split('\n')
        .map((line) => line.split('\t'))
      const attackers = new Set(rows.filter((row) => row[21] === 'Malicious').map((row) => row[2]))
      const benign = alerts.filter((alert) => alert.kind !== 'scan.background' && !attackers.has(alert.actor))
      expect(found(benign)).toEqual([])
      expect(found(alerts.filter((alert) => alert.kind === 'scan.background')).length).toBeLessThanOrEqual(2)
    },
    30_000,
  )

  test("the corrected CICIDS2017's sample: what attacks there is the data set's attacker, or the host that it took", async () => {
    const { alerts, summary } = await scored(join(flows, 'cicids2017-corrected-sample.csv'))
    expect(summary.faults.count).toBe(0)
    expect([...new Set(alerts.map((alert) => alert.actor))].sort()).toEqual(['172.16.0.1', '192.168.10.8'])
  })
})
