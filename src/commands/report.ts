/**
 * What `flowscribe report` does: a report made again from the alert log alone, or a report on one flow of a capture.
 *
 * In:  an alert's id and the log; or a flow's id, Community ID or five-tuple and captures. Out: Markdown with its pictures beside it, or
 *      one HTML page; on standard output or in a file.
 * The invariant: Markdown and pictures have the bytes that the sensor wrote when the alert was new.
 */
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { parseAddress } from '../base/address.ts'
import { RunError, UsageError } from '../base/errors.ts'
import { printable } from '../base/printable.ts'
import { AlertLineError, parseAlertLine } from '../explain/alert-line.ts'
import { renderFlowReport } from '../explain/flow-report.ts'
import { renderHtml } from '../explain/html.ts'
import { type Report, renderReport } from '../explain/report.ts'
import { ICMP, ICMPV6, TCP, UDP } from '../flow/flow.ts'
import { type ExplainFlowOptions, explainFlowOf, type FlowAnswer } from './explain-flow.ts'
import type { FlowQuestion } from './flow-search.ts'

export type ReportFormat = 'md' | 'html'

export interface ReportOutput {
  format: ReportFormat
  /** A file, a folder, or '-' for standard output. */
  output: string
}

/** @throws RunError when the log cannot be read or has no such alert. */
export function reportOfAlert(id: string, alertsPath: string): Report {
  const wanted: string[] = []
  const found = new Set<string>()
  for (const [index, row] of readText(alertsPath).split('\n').entries()) {
    // Ids stand in the line as they are: rows of others need not be parsed.
    if (row === '' || !row.includes(id)) continue
    try {
      const line = parseAlertLine(row, `${alertsPath}:${index + 1}`)
      if (!line.alert.id.startsWith(id)) continue
      found.add(line.alert.id)
      wanted.push(row)
    } catch (error) {
      if (error instanceof AlertLineError) throw new RunError(printable(error.message))
      throw error
    }
  }
  const last = wanted.pop()
  if (last === undefined) throw new RunError(`${alertsPath}: no alert '${printable(id)}'`)
  if (found.size > 1 && !found.has(id))
    throw new UsageError(`'${printable(id)}' begins more than one id: ${[...found].slice(0, 5).join(', ')}`)
  return renderReport(parseAlertLine(last, alertsPath))
}

const PROTOCOLS: Readonly<Record<string, number>> = { tcp: TCP, udp: UDP, icmp: ICMP, icmp6: ICMPV6 }

/**
 * `4718203991125`, `1:wCb3…=`, a Flow ID of the CSV (`10.0.0.7-10.0.0.9-51514-443-6`), or `tcp 10.0.0.7 51514 10.0.0.9 443`, the ends in
 * either order; of records also Zeek's uid or `line 12`. @throws UsageError
 */
export function parseFlowName(text: string): FlowQuestion {
  if (/^\d+$/.test(text)) return { id: Number(text) }
  if (/^1:[A-Za-z0-9+/]{27}=$/.test(text)) return { communityId: text }
  if (/^C[A-Za-z0-9]{2,24}$/.test(text)) return { name: text }
  const line = /^line (\d+)$/i.exec(text)
  if (line !== null) return { line: Number(line[1]) }
  const [name, addressA, portA, addressB, portB, ...rest] = wordsOf(text)
  const proto = PROTOCOLS[name?.toLowerCase()] ?? (/^\d{1,3}$/.test(name) ? Number(name) : undefined)
  const ports = [portA, portB].map((port) => (/^\d{1,5}$/.test(port ?? '') ? Number(port) : Number.NaN))
  const isWhole = rest.length === 0 && addressB !== undefined && parseAddress(addressA) !== null && parseAddress(addressB) !== null
  if (proto === undefined || !isWhole || ports.some((port) => !(port <= 65_535)))
    throw new UsageError(
      `option --flow: got '${printable(text)}'; allowed: a flow id, a Community ID, 'tcp ADDRESS PORT ADDRESS PORT' (udp, icmp, a number), Zeek's uid, or 'line 12' of a file of records`,
    )
  return { proto, addr: [addressA, addressB], port: [ports[0], ports[1]] }
}

/** Protocol, then address and port of either end. */
function wordsOf(text: string): string[] {
  const csv = /^([^\s,-]+)-([^\s,-]+)-(\d+)-(\d+)-(\d+)$/.exec(text)
  return csv === null ? text.trim().split(/[\s,]+/) : [csv[5], csv[1], csv[3], csv[2], csv[4]]
}

/** @throws RunError when there is no such flow, and when there are several: it lists them. */
export async function reportOfFlow(name: string, options: ExplainFlowOptions): Promise<Report> {
  const answer = await explainFlowOf(parseFlowName(name), options)
  if (answer.found === null) throw notOne(printable(name), options.inputs.map(printable).join(', '), answer)
  return renderFlowReport(answer.found)
}

function notOne(name: string, inputs: string, { candidates, nearly, flows, failures }: FlowAnswer): RunError {
  const { lines, count } = candidates
  if (count > 0) {
    const more = count > lines.length ? [`and ${count - lines.length} more`] : []
    const asked = `'${name}' is the name of ${count} flows of ${inputs}; name one by its id (the first number):`
    return new RunError([asked, ...lines.map(printable), ...more].join('\n  '))
  }
  const near = nearly.length === 0 ? [] : ['between these hosts there are:', ...nearly.map(printable)]
  return new RunError([`no flow '${name}' among the ${flows} flows of ${inputs}`, ...failures, ...near].join('\n  '))
}

/** @returns what goes to standard output: the report, or where it was written. */
export function writeReport(report: Report, { format, output }: ReportOutput): string {
  const text = format === 'html' ? renderHtml(report) : report.markdown
  if (output === '-') return text
  const isFolder = output.endsWith('/') || (existsSync(output) && statSync(output).isDirectory())
  const path = isFolder ? join(output, `${report.stem}.${format}`) : output
  try {
    mkdirSync(dirname(path), { recursive: true })
    // Pictures first: a report never names one that is not there yet.
    if (format === 'md') for (const { name, svg } of report.pictures) writeFileSync(join(dirname(path), name), svg)
    writeFileSync(path, text)
  } catch (error) {
    throw new RunError(`${printable(path)}: cannot be written (${(error as NodeJS.ErrnoException).code ?? String(error)})`)
  }
  return `${path}\n`
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw new RunError(`${printable(path)}: ${code === 'ENOENT' ? 'no such file' : `cannot be read (${code})`}`)
  }
}
