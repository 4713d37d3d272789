/**
 * What `flowscribe verify` does with files.
 *
 * In:  paths of an alert log and of reports; pictures lie beside them. A report may belong to any event of its episode: the latest that renders to it counts.
 * Out: a line for each report, and whether all hold.
 */
import { readdir, readFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { RunError } from '../base/errors.ts'
import { printable } from '../base/printable.ts'
import { type AlertLine, AlertLineError, parseAlertLine } from '../explain/alert-line.ts'
import { renderReport } from '../explain/report.ts'
import { type FoundPicture, verifyReport } from '../explain/verify.ts'

export interface VerifyOutcome {
  lines: string[]
  isVerified: boolean
}

const FAULTS_TOLD_MAX = 5

/** @throws RunError when a file cannot be read or the log is damaged. */
export async function verifyFiles(alertsPath: string, reportPaths: readonly string[]): Promise<VerifyOutcome> {
  const alerts = lastEvents(alertsPath, await readText(alertsPath))
  const lines: string[] = []
  let isVerified = true
  for (const path of reportPaths) {
    const faults = await faultsOf(alerts.get(basename(path).replace(/\.md$/, '')) ?? [], path)
    if (faults.length === 0) {
      lines.push(`${printable(path)}: verified`)
      continue
    }
    isVerified = false
    for (const fault of faults.slice(0, FAULTS_TOLD_MAX)) lines.push(`${printable(path)}${fault}`)
    if (faults.length > FAULTS_TOLD_MAX) lines.push(`${printable(path)}: ${faults.length - FAULTS_TOLD_MAX} more faults`)
  }
  return { lines, isVerified }
}

/** Each fault begins with its place: `:12: …`, or `: …` when it is about the whole file or a picture beside it. */
async function faultsOf(lines: readonly AlertLine[], path: string): Promise<string[]> {
  const text = await readText(path)
  let first: string[] | null = null
  for (const line of lines) {
    const faults = await faultsBeside(line, text, path)
    if (faults.length === 0) return []
    first ??= faults
  }
  return first ?? [': no alert of the log has this report']
}

async function faultsBeside(line: AlertLine, text: string, path: string): Promise<string[]> {
  const { stem, pictures } = renderReport(line)
  const found = await picturesBeside(path, stem)
  const missing = pictures.filter(({ name }) => !found.some((picture) => picture.name === name))
  const faults = verifyReport(line, text, found)
  return [
    ...missing.map(({ name }) => `: ${printable(name)} is missing beside it`),
    ...faults.map(({ lineNumber, message }) => `${lineNumber === 0 ? '' : `:${lineNumber}`}: ${printable(message)}`),
  ]
}

/** All that has the name of a picture of this report. */
async function picturesBeside(path: string, stem: string): Promise<FoundPicture[]> {
  const folder = dirname(path)
  const isOne = (name: string): boolean => name.startsWith(`${stem}.`) && /^[a-z]+\.svg$/.test(name.slice(stem.length + 1))
  const names = (await readdir(folder)).filter(isOne).sort()
  return await Promise.all(names.map(async (name) => ({ name, svg: await readText(join(folder, name)) })))
}

/**
 * The last event of each episode by its report's file name, as `replay` and `run` leave one report an episode; before it, while the
 * episode is muted and so may get no report any more, the last one that was not.
 */
function lastEvents(path: string, text: string): Map<string, AlertLine[]> {
  const events = new Map<string, AlertLine[]>()
  for (const [index, row] of text.split('\n').entries()) {
    if (row === '') continue
    try {
      const line = parseAlertLine(row, `${path}:${index + 1}`)
      const { stem } = renderReport(line)
      const told = events.get(stem)?.filter(({ alert }) => alert.suppressed === undefined) ?? []
      events.set(stem, line.alert.suppressed === undefined ? [line] : [line, ...told])
    } catch (error) {
      if (error instanceof AlertLineError) throw new RunError(printable(error.message))
      throw error
    }
  }
  return events
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    throw new RunError(`${path}: ${code === 'ENOENT' ? 'no such file' : `cannot be read (${code})`}`)
  }
}
