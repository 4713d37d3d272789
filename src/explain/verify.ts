/**
 * Is this report the one that this alert gives, and does it say nothing that the alert does not hold?
 *
 * In:  an alert line, the report's text, and what pictures were found beside it.
 * Out: faults, none when all is well.
 *
 * Two checks that share nothing: the report rendered anew must be the same to the byte; and every number, address,
 * port, time and technique id in it must be a value of the line (verify-values.ts), so that a wrong renderer is
 * caught as well as a changed report.
 */
import type { AlertLine } from './alert-line.ts'
import { type Report, renderReport } from './report.ts'
import { AlertValues, StraySearch } from './verify-values.ts'

export interface ReportFault {
  /** The report's line, from 1; 0 when the fault is in a picture. */
  lineNumber: number
  message: string
}

export interface FoundPicture {
  name: string
  svg: string
}

const STRAY_SHOWN_MAX = 20

export type Verifier = (reportText: string, found?: readonly FoundPicture[]) => ReportFault[]

export function verifyReport(line: AlertLine, reportText: string, found: readonly FoundPicture[] = []): ReportFault[] {
  return verifierOf(line)(reportText, found)
}

/** For many texts held to one alert: renders once, and looks only at lines that it has not seen. */
export function verifierOf(line: AlertLine): Verifier {
  const report = renderReport(line)
  const search = new StraySearch(new AlertValues(JSON.parse(line.text)))
  return (reportText, found = []) => [
    ...firstDifference(report.markdown, reportText),
    ...pictureFaults(report, found),
    ...search
      .in(reportText)
      .slice(0, STRAY_SHOWN_MAX)
      .map(({ lineNumber, word }) => ({ lineNumber, message: `'${word}' is no value of the alert` })),
  ]
}

function pictureFaults(report: Report, found: readonly FoundPicture[]): ReportFault[] {
  return found.flatMap((picture) => {
    const drawn = report.pictures.find((one) => one.name === picture.name)
    if (drawn === undefined) return [{ lineNumber: 0, message: `${picture.name}: this alert has no such picture` }]
    return drawn.svg === picture.svg ? [] : [{ lineNumber: 0, message: `${picture.name}: differs from the picture drawn anew` }]
  })
}

function firstDifference(expected: string, got: string): ReportFault[] {
  if (expected === got) return []
  const want = expected.split('\n')
  const have = got.split('\n')
  const i = want.findIndex((text, at) => text !== have[at])
  const lineNumber = (i < 0 ? want.length : i) + 1
  const expectedLine = `  expected: ${shown(want[lineNumber - 1])}`
  const foundLine = `  found:    ${shown(have[lineNumber - 1])}`
  return [
    {
      lineNumber,
      message: `differs from the report rendered anew
${expectedLine}
${foundLine}`,
    },
  ]
}

const SHOWN_LEN_MAX = 200

function shown(text: string | undefined): string {
  if (text === undefined) return '(no such line)'
  return text.length <= SHOWN_LEN_MAX ? text : `${text.slice(0, SHOWN_LEN_MAX)}…`
}
