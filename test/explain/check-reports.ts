/**
 * Whether a report is whole: what `npm run check-reports` and the tests ask of each report of a replay.
 *
 * In:  captures. Out: faults by report, and how much processor time the dearest report took.
 * Not: what a report should say of a capture; that is the evaluation's.
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Marked } from 'marked'
import { loadConfig } from '../../src/config.ts'
import { type AlertLine, parseAlertLine } from '../../src/explain/alert-line.ts'
import { renderHtml } from '../../src/explain/html.ts'
import { type Report, renderReport } from '../../src/explain/report.ts'
import { verifierOf, verifyReport } from '../../src/explain/verify.ts'
import { SILENT } from '../../src/progress.ts'
import { replay } from '../../src/sensor.ts'
import { changeEachDigit } from './digit-changes.ts'
import { xmlFaults } from './picture-checks.ts'

export interface CheckedCapture {
  path: string
  alerts: number
  faults: string[]
  /** Milliseconds of processor time of the dearest report: rendered from its line. */
  dearestMs: number
  /** Digits of reports and pictures that were changed, one at a time. */
  digits: number
  /** Kinds and pictures met. */
  met: string[]
}

const PARTS = [
  ...['Summary', 'Attack classification', 'Pictures', 'Benign explanations considered', 'What would change this', 'Threat analysis'],
  ...['Network behaviour', 'Observable features', 'Visibility', 'Recommendations', 'Evidence'],
]

/** Of a report's digits, changed, that the check notices which shares nothing with the renderer. */
const NOTICED_SHARE_MIN = 0.8

const hasRenderer = spawnSync('rsvg-convert', ['--version']).error === undefined

/** Replays a capture into a folder of its own and holds every line's report to all checks. */
export async function checkReports(path: string): Promise<CheckedCapture> {
  const folder = mkdtempSync(join(tmpdir(), 'flowscribe-check-'))
  try {
    const signal = AbortSignal.timeout(120_000)
    const summary = await replay({ inputs: [path], config: loadConfig({}), progress: SILENT, signal, outputDir: folder })
    const rows = readFileSync(summary.alertsPath, 'utf8').split('\n').filter(Boolean)
    const lines = rows.map((row, i) => parseAlertLine(row, `alerts.jsonl:${i + 1}`))
    const checked: CheckedCapture = { path, alerts: 0, faults: [], dearestMs: 0, digits: 0, met: [] }
    for (const line of lines) checkLine(line, checked)
    const last = new Map(lines.map((line) => [line.alert.id, line]))
    for (const line of last.values()) checkFiles(line, join(folder, 'reports'), checked)
    checked.alerts = last.size
    checked.met = [...new Set(checked.met)].sort()
    return checked
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function checkLine(line: AlertLine, checked: CheckedCapture): void {
  const before = process.cpuUsage()
  const report = renderReport(line)
  const { user, system } = process.cpuUsage(before)
  checked.dearestMs = Math.max(checked.dearestMs, (user + system) / 1000)
  checked.met.push(line.alert.kind, ...line.alert.pictures.map(({ picture }) => picture))
  const at = `${line.alert.kind} ${line.alert.event}`
  const say = (fault: string): unknown => checked.faults.push(`${at}: ${fault}`)
  if (Buffer.byteLength(line.text) >= 65_536) say('the line is 64 KiB or longer')
  for (const fault of [...textFaults(report, line.alert.kind.endsWith('.arp')), ...markdownFaults(report)]) say(fault)
  for (const { name, svg } of report.pictures) for (const fault of xmlFaults(svg)) say(`${name}: ${fault}`)
  for (const { lineNumber, message } of verifyReport(line, report.markdown, report.pictures)) say(`line ${lineNumber}: ${message}`)
  if (!renderHtml(report).includes('</html>')) say('no HTML')
}

/** No part missing, none empty, nothing that was meant to be replaced. */
function textFaults({ markdown }: Report, isArp: boolean): string[] {
  const found = [...markdown.matchAll(/^## (.*)$/gm)].map((match) => match[1]).filter((part) => part !== 'Incident')
  const words = /undefined|\bNaN\b|Infinity|\[object|\bnull\b|\{[mx]\d+\}|a value not kept|a name not kept|TODO|\(empty\)/.exec(markdown)
  return [
    // ARP has no flow, hence no features of one.
    ...PARTS.filter((part) => !found.includes(part) && !(part === 'Observable features' && isArp)).map((part) => `no part '${part}'`),
    ...found.filter((part) => !PARTS.includes(part)).map((part) => `part '${part}' is new`),
    ...(words === null ? [] : [`'${words[0]}' in the text`]),
    ...(/^#{2,3} .*\n\n(#|$)/m.test(markdown) ? ['an empty part'] : []),
    ...(/^[-*] *$/m.test(markdown) ? ['an empty item'] : []),
    ...(/\| *\|/.test(markdown.replace(/`[^`]*`/g, 'code')) ? ['an empty cell'] : []),
  ]
}

function markdownFaults(report: Report): string[] {
  const faults: string[] = []
  const images: string[] = []
  let tables = 0
  const marked = new Marked({ gfm: true })
  marked.use({
    walkTokens: (token) => {
      if (token.type === 'image') images.push(token.href as string)
      if (token.type === 'html') {
        for (const tag of (token.text as string).match(/<[^>]*>/g) ?? [])
          if (!/^<\/?(details|summary)>$/.test(tag)) faults.push(`raw HTML ${tag}`)
      }
      if (token.type !== 'table') return
      tables++
      const { header, rows } = token as unknown as { header: unknown[]; rows: unknown[][] }
      if (rows.some((row) => row.length !== header.length)) faults.push('a table with rows of different lengths')
    },
  })
  marked.parse(report.markdown)
  const written = [...report.markdown.matchAll(/^\|[-|]+\|$/gm)].length
  if (tables !== written) faults.push(`${written} tables written, ${tables} read`)
  if (images.join() !== report.pictures.map(({ name }) => name).join()) faults.push('pictures in the text are not the pictures there are')
  return faults
}

/** With any one digit changed, the report or its picture is not what the line gives. */
function checkDigits(line: AlertLine, report: Report, checked: CheckedCapture): void {
  const { changes, unnoticed, textChanges, noticedWithoutRenderer } = changeEachDigit(report, verifierOf(line))
  checked.digits += changes
  for (const digit of unnoticed) checked.faults.push(`${digit}, changed, goes unnoticed`)
  const share = noticedWithoutRenderer / textChanges
  if (share < NOTICED_SHARE_MIN)
    checked.faults.push(`${report.stem}: without the renderer only ${share.toFixed(3)} of the changed digits are noticed`)
}

/** What lies in the folder is what the last line of the episode gives; its pictures render. */
function checkFiles(line: AlertLine, folder: string, checked: CheckedCapture): void {
  const report = renderReport(line)
  const day = join(folder, report.day)
  const say = (fault: string): unknown => checked.faults.push(`${report.stem}: ${fault}`)
  checkDigits(line, report, checked)
  if (readFileSync(join(day, `${report.stem}.md`), 'utf8') !== report.markdown) say('the file is not what the line gives')
  for (const { name, svg } of report.pictures) {
    if (readFileSync(join(day, name), 'utf8') !== svg) say(`${name} is not what the line gives`)
    if (!hasRenderer) continue
    const png = join(day, `${name}.png`)
    const run = spawnSync('rsvg-convert', ['-o', png, join(day, name)], { encoding: 'utf8' })
    if (run.status !== 0 || run.stderr !== '') say(`${name}: ${run.stderr}`)
    else if (readFileSync(png).length < 1500) say(`${name}: renders to nothing`)
  }
}
