/**
 * Labels of flow records that other tools metered, and logs cut down to some of their lines.
 *
 * In:  a Zeek log whose last columns are `label` and `detailedlabel`, or a CSV with a column `Label`; plain text.
 * Out: by line number, what its maker says of it; or the log again with other lines left out.
 * The invariant: what the scorer reads holds no label: the columns are blanked before it sees the file.
 */

export interface RecordLabels {
  /** By line, from 1. */
  byLine: ReadonlyMap<number, string>
  /** The file with every label blanked, line by line the same. */
  blanked: string
}

export const BENIGN = 'Benign'
export const MALICIOUS = 'Malicious'
export const BACKGROUND = 'Background'
export const UNLABELLED = 'unlabelled'

const BLANK = '-'

export function readRecordLabels(text: string): RecordLabels {
  const lines = text.split('\n')
  return lines.some((line) => line.startsWith('#fields')) ? readZeek(lines) : readCsv(lines)
}

/** The log with those lines only whose label is taken; headers stay. */
export function onlyLines({ byLine, blanked }: RecordLabels, isTaken: (label: string) => boolean): string {
  const isKept = (line: number): boolean => {
    const label = byLine.get(line)
    return label === undefined || isTaken(label)
  }
  return blanked
    .split('\n')
    .filter((_, i) => isKept(i + 1))
    .join('\n')
}

function readZeek(lines: readonly string[]): RecordLabels {
  const names = (lines.find((line) => line.startsWith('#fields')) ?? '').split('\t').slice(1)
  const at = names.indexOf('label')
  const byLine = new Map<number, string>()
  const blanked = lines.map((line, i) => {
    if (line.startsWith('#') || line.trim() === '') return line
    const cells = line.split('\t')
    byLine.set(i + 1, at < 0 ? UNLABELLED : cells[at])
    return at < 0 ? line : cells.map((cell, j) => (j === at || names[j] === 'detailedlabel' ? BLANK : cell)).join('\t')
  })
  return { byLine, blanked: blanked.join('\n') }
}

/** The labelled CSVs hold no quoted commas. */
function readCsv([header = '', ...rows]: readonly string[]): RecordLabels {
  const at = header.trim().split(',').indexOf('Label')
  const byLine = new Map<number, string>()
  const blanked = rows.map((row, i) => {
    if (row.trim() === '') return row
    const cells = row.split(',')
    byLine.set(i + 2, at < 0 ? UNLABELLED : cells[at] === 'BENIGN' ? BENIGN : cells[at])
    return at < 0 ? row : cells.map((cell, j) => (j === at ? BLANK : cell)).join(',')
  })
  return { byLine, blanked: [header, ...blanked].join('\n') }
}
