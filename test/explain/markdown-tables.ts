/**
 * An independent, small reader of GitHub-flavoured table structure, for tests only.
 *
 * In:  Markdown. Out: its tables as rows of cell counts; a table whose rows disagree is broken.
 */

export interface TableShape {
  firstLine: number
  cellCounts: number[]
}

export function tablesOf(markdown: string): TableShape[] {
  const tables: TableShape[] = []
  let open: TableShape | null = null
  let isFenced = false
  for (const [i, line] of markdown.split('\n').entries()) {
    if (line.startsWith('```')) isFenced = !isFenced
    if (isFenced || !line.startsWith('|')) {
      open = null
      continue
    }
    if (open === null) {
      open = { firstLine: i + 1, cellCounts: [] }
      tables.push(open)
    }
    // GFM splits a row at every pipe without a backslash before it, inside code spans too.
    open.cellCounts.push(line.split(/(?<!\\)\|/).length - 2)
  }
  return tables
}
