/** `flowscribe report`: the same bytes again from the log alone; one flow explained; nonsense refused. */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { RunError } from '../src/base/errors.ts'
import { parseFlowName, reportOfAlert, reportOfFlow, writeReport } from '../src/commands/report.ts'
import { verifyFiles } from '../src/commands/verify.ts'
import { loadConfig } from '../src/config.ts'
import { parseAlertLine } from '../src/explain/alert-line.ts'
import { verifierOf } from '../src/explain/verify.ts'
import { SILENT } from '../src/progress.ts'
import { meterFlows, replay } from '../src/sensor.ts'
import { checkReports } from './explain/check-reports.ts'
import { changeEachDigit } from './explain/digit-changes.ts'
import { temporaryFolder } from './sink/endings.ts'

const root = join(import.meta.dirname, '..')
const capture = (name: string): string => join(root, 'pcaps', name)
const options = { config: loadConfig({}), progress: SILENT, signal: new AbortController().signal, from: null }

describe('report of an alert', () => {
  let folder = ''
  let alerts = ''
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'flowscribe-report-'))
    alerts = (await replay({ ...options, inputs: [capture('office-incident.pcap.gz')], outputDir: folder })).alertsPath
  }, 60_000)
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  test('has the bytes that the replay wrote, pictures included, with nothing but the log', () => {
    const log = join(temporaryFolder(), 'alerts.jsonl')
    mkdirSync(join(log, '..'), { recursive: true })
    writeFileSync(log, readFileSync(alerts))
    const again = temporaryFolder()
    const ids = new Set(
      readFileSync(alerts, 'utf8')
        .trimEnd()
        .split('\n')
        .map((line) => parseAlertLine(line, '').alert.id),
    )
    expect(ids.size).toBeGreaterThan(4)
    for (const id of ids) writeReport(reportOfAlert(id, log), { format: 'md', output: `${again}/` })
    const day = join(folder, 'reports', readdirSync(join(folder, 'reports'))[0])
    // Packets are not in the log: slices are cut once, when the capture is there.
    const written = readdirSync(day).filter((name) => !/\.pcap(ng)?(\.json)?$/.test(name))
    expect(readdirSync(again).sort()).toEqual(written.sort())
    for (const name of written) expect(readFileSync(join(again, name)).equals(readFileSync(join(day, name))), name).toBe(true)
    rmSync(again, { recursive: true, force: true })
  })

  test('on standard output, in a file, as one page', () => {
    const { id } = parseAlertLine(readFileSync(alerts, 'utf8').split('\n')[0], '').alert
    const report = reportOfAlert(id, alerts)
    expect(writeReport(report, { format: 'md', output: '-' })).toBe(report.markdown)
    const path = join(temporaryFolder(), 'a', 'page.html')
    expect(writeReport(report, { format: 'html', output: path })).toBe(`${path}\n`)
    expect(readFileSync(path, 'utf8')).toMatch(/^<!doctype html>[\s\S]*<\/html>\n$/)
  })

  test('any one digit changed in any report or picture is noticed by verify', { timeout: 240_000 }, () => {
    const day = join(folder, 'reports', readdirSync(join(folder, 'reports'))[0])
    const rows = readFileSync(alerts, 'utf8').trimEnd().split('\n')
    const lines = new Map(rows.map((row) => [parseAlertLine(row, '').alert.id, parseAlertLine(row, '')]))
    for (const [id, line] of lines) {
      const verify = verifierOf(line)
      const markdown = readFileSync(join(day, `${id}.md`), 'utf8')
      const report = reportOfAlert(id, alerts)
      const pictures = report.pictures.map(({ name }) => ({ name, svg: readFileSync(join(day, name), 'utf8') }))
      expect(verify(markdown, pictures)).toEqual([])
      const { unnoticed, textChanges, noticedWithoutRenderer } = changeEachDigit({ ...report, markdown, pictures }, verify)
      expect(unnoticed).toEqual([])
      expect(noticedWithoutRenderer / textChanges).toBeGreaterThan(0.9)
    }
  })

  test('verify reads the pictures beside a report: a changed one, a missing one and a strange one are faults', async () => {
    const { id } = parseAlertLine(readFileSync(alerts, 'utf8').split('\n')[0], '').alert
    const out = temporaryFolder()
    writeReport(reportOfAlert(id, alerts), { format: 'md', output: `${out}/` })
    const path = join(out, `${id}.md`)
    expect((await verifyFiles(alerts, [path])).isVerified).toBe(true)
    const picture = join(out, `${id}.contributions.svg`)
    const svg = readFileSync(picture, 'utf8')
    writeFileSync(
      picture,
      svg.replace(/\d(?= %)/, (digit) => String((Number(digit) + 1) % 10)),
    )
    expect((await verifyFiles(alerts, [path])).lines.join()).toContain('contributions.svg: differs')
    rmSync(picture)
    expect((await verifyFiles(alerts, [path])).lines.join()).toContain('contributions.svg is missing')
    writeFileSync(picture, svg)
    writeFileSync(join(out, `${id}.other.svg`), svg)
    expect((await verifyFiles(alerts, [path])).lines.join()).toContain('no such picture')
  })

  test('the beginning of an id is enough when it is one only; others are refused', () => {
    const { id } = parseAlertLine(readFileSync(alerts, 'utf8').split('\n')[0], '').alert
    expect(reportOfAlert(id.slice(0, -3), alerts).alertId).toBe(id)
    expect(() => reportOfAlert('fs-', alerts)).toThrow(/begins more than one id/)
    expect(() => reportOfAlert('nonsense', alerts)).toThrow(/no alert 'nonsense'/)
    expect(() => reportOfAlert('x', '/nowhere/alerts.jsonl')).toThrow(/no such file/)
    const damaged = join(temporaryFolder(), 'alerts.jsonl')
    writeFileSync(damaged, `{"alert":"${id}`)
    expect(() => reportOfAlert(id, damaged)).toThrow(/alerts.jsonl:1: not JSON/)
  })
})

describe('report of a flow', () => {
  test.each([
    ['12', { id: 12 }],
    ['1:wCb3OG7yAFWelaUydu0D+125CLM=', { communityId: '1:wCb3OG7yAFWelaUydu0D+125CLM=' }],
    ['tcp 10.0.0.7 51514 10.0.0.9 22', { proto: 6, addr: ['10.0.0.7', '10.0.0.9'], port: [51514, 22] }],
    ['UDP,fe80::1,5353,ff02::fb,5353', { proto: 17, addr: ['fe80::1', 'ff02::fb'], port: [5353, 5353] }],
    ['CHhAvVGS1DHFjwGM9', { name: 'CHhAvVGS1DHFjwGM9' }],
    ['line 12', { line: 12 }],
    ['10.0.0.7-10.0.0.9-51514-22-6', { proto: 6, addr: ['10.0.0.7', '10.0.0.9'], port: [51514, 22] }],
  ])('%s', (text, expected) => expect(parseFlowName(text)).toEqual(expected))

  test.each([
    '',
    'tcp',
    'tcp 10.0.0.7 x 10.0.0.9 22',
    'tcp 10.0.0.7 1 10.0.0.9 70000',
    'what 10.0.0.7 1 10.0.0.9 2',
    'tcp 10.0.0.7 1 10.0.0.9 2 3',
    '-1',
  ])('nonsense is refused: %j', (text) => {
    expect(() => parseFlowName(text)).toThrow(/option --flow/)
  })

  test('one that did not alert: what was measured against what is asked for', { timeout: 60_000 }, async () => {
    const { markdown, pictures } = await reportOfFlow('10.20.1.11-198.51.100.10-56628-443-6', {
      ...options,
      inputs: [capture('benign-office.pcap')],
    })
    expect(markdown).toContain('**It raised no alert**: no entry test was met. `c2.beacon` came nearest')
    expect(markdown).toContain('It looks like `web.browse`')
    expect(markdown).toMatch(/\| `c2.beacon` \| calls kept for the test of the clock \| 1 \| at least 9 \| \*\*no\*\* \|/)
    expect(markdown).not.toMatch(/undefined|NaN|null|Infinity/)
    expect(pictures).toHaveLength(1)
  })

  test('one of an alert names it; none is said to be none', { timeout: 60_000 }, async () => {
    const inputs = [capture('scan-syn-nmap.pcap')]
    const { markdown } = await reportOfFlow('tcp 10.20.1.14 64116 10.20.1.20 1974', { ...options, inputs })
    expect(markdown).toMatch(/\*\*It belongs to an alert\*\*: `fs-\d{8}-[0-9a-f]{10}` \(Port scan of one host/)
    await expect(reportOfFlow('5', { ...options, inputs })).rejects.toThrow(/no flow '5'/)
  })
})

describe('report of a flow of records', () => {
  const records = (name: string): string => join(root, 'test', 'fixtures', 'records', name)
  const shared = join(root, '..', 'shared')
  const asked = async (name: string, path: string, from: typeof options.from | 'netflow' | 'zeek' = null): Promise<string> => {
    const { markdown } = await reportOfFlow(name, { ...options, from, inputs: [path] })
    expect(markdown).not.toMatch(/undefined|NaN|null|Infinity/)
    for (const part of ['Summary', 'Which detectors looked at it', 'Network behaviour', 'Observable features', 'Visibility', 'Evidence'])
      expect(markdown).toContain(`\n## ${part}\n`)
    return markdown
  }
  const exported = async (format: 'cic' | 'jsonl' | 'netflow'): Promise<string> => {
    const output = join(temporaryFolder(), `flows.${format}`)
    mkdirSync(join(output, '..'), { recursive: true })
    const whole = { profile: 'flowscribe', hasWindows: false, empty: '' } as const
    await meterFlows({ ...options, ...whole, inputs: [capture('scan-syn-nmap.pcap')], output, format })
    return output
  }

  test.each([
    ['Ca1', 'conn.log', "Zeek's log"],
    ['tcp 10.1.1.5 40001 203.0.113.9 443', 'conn.log', "Zeek's log, by addresses and ports"],
    ['line 2', 'conn.jsonl', "Zeek's JSON, by line"],
    ['line 2', 'nfdump-ssh.csv', "nfdump's CSV"],
    ['line 2', 'netflow-server-half.csv', 'NetFlow names'],
  ])('%s of %s: %s', async (name, file) => {
    const markdown = await asked(name, records(file))
    expect(markdown).toContain(`- Record: \`${file}\`, line `)
    expect(markdown).toContain('**It raised no alert**')
    expect(markdown).toContain('| Records read | ')
  })

  test('a record that names no hosts is explained by its own numbers', async () => {
    const markdown = await asked('line 2', records('cic-2018-download.csv'))
    expect(markdown).toContain('No detector could look at it: the record names no hosts.')
    expect(markdown).toContain('It looks like `download`')
    expect(markdown).toMatch(/<summary>All features/)
  })

  test.each(['cic', 'jsonl', 'netflow'] as const)('one of an alert, from our own %s', { timeout: 60_000 }, async (format) => {
    const path = await exported(format)
    const markdown = await asked('tcp 10.20.1.14 64116 10.20.1.20 1974', path, format === 'netflow' ? 'netflow' : null)
    expect(markdown).toMatch(/\*\*It belongs to an alert\*\*: `fs-\d{8}-[0-9a-f]{10}` \(Port scan of one host/)
    expect(markdown).toMatch(/\| `scan.vertical` \| ports that failed \| \d+ \| at least 15 \| yes \|/)
  })

  test("the dead server's last caller belongs to the alert, told by Zeek's uid", { timeout: 60_000 }, async (context) => {
    const log = join(shared, 'data', 'flows', 'zeek-001-njrat.conn.log')
    if (!existsSync(log)) return context.skip('no labelled flows here')
    expect(await asked('CgwV1C4q355kmIK7O1', log)).toContain('Calls to a server that never answers')
    const many = 'icmp fe80::E8FF:97da:2f7f:abb3 131 ff02:0:0::1:ff7f:abb3 130'
    const error = await asked(many, log).catch((fault: unknown) => fault)
    expect(error).toBeInstanceOf(RunError)
    const lines = String((error as RunError).message).split('\n')
    expect(lines[0]).toContain('is the name of 24 flows of')
    expect(lines.slice(1)).toHaveLength(21)
    expect(lines.at(-1)).toBe('  and 4 more')
    // Each by its id is one.
    const [id] = lines[3].trim().split(' ')
    expect(await asked(id, log)).toContain(`(\`${id}\`)`)
  })

  test('no such flow: how many there are, and those between the same hosts', async () => {
    const options5 = { ...options, inputs: [records('conn.log')] }
    await expect(reportOfFlow('5', options5)).rejects.toThrow(
      /no flow '5' among the \d+ flows of .*conn\.log\n {2}1 line could not be read/,
    )
    await expect(reportOfFlow('tcp 10.1.1.5 1 203.0.113.9 443', options5)).rejects.toThrow(
      /between these hosts there are:\n {2}\d+ {2}2021-05-04 08:00:00\.100 UTC, 12\.5 s {2}TCP 10\.1\.1\.5 port 40001 → 203\.0\.113\.9 port 443/,
    )
  })

  test('packets and records together, no records at all, the wrong format: each is said', async () => {
    const of = (...inputs: string[]) => reportOfFlow('5', { ...options, inputs })
    await expect(of(records('conn.log'), capture('c2-beacon-curl.pcap'))).rejects.toThrow(/holds flow records, .* packets: give one/)
    await expect(of(join(root, 'README.md'))).rejects.toThrow(/no flow records: .*known are zeek/)
    await expect(of('/nowhere/x.csv')).rejects.toThrow(/no such file/)
    const zeek = reportOfFlow('5', { ...options, from: 'zeek', inputs: [capture('c2-beacon-curl.pcap')] })
    await expect(zeek).rejects.toThrow(/looks like a packet capture/)
  })
})

// The rest of pcaps/ and labelled captures: npm run check-reports.
test.each(['brute-ssh-hydra.pcap', 'scan-horizontal-nmap.pcap', 'office-incident.pcap.gz'])(
  'reports of %s are whole',
  { timeout: 120_000 },
  async (name) => {
    const { faults, alerts, dearestMs } = await checkReports(capture(name))
    expect(faults).toEqual([])
    expect(alerts).toBeGreaterThan(0)
    expect(dearestMs).toBeLessThan(50)
  },
)
