/**
 * One line of comma-separated values (RFC 4180), without line breaks inside quotes: flow records have none.
 *
 * In:  a line. Out: its cells, blanks around them cut off, quotes taken away.
 * Not: guessing of separators.
 */

/** null: a quote is not closed, or something stands behind a closed one. */
export function csvCells(line: string): string[] | null {
  if (!line.includes('"')) return line.split(',').map((cell) => cell.trim())
  const cells: string[] = []
  let at = 0
  for (;;) {
    while (line[at] === ' ') at++
    if (line[at] === '"') {
      const quoted = quotedCell(line, at + 1)
      if (quoted === null) return null
      cells.push(quoted.text)
      at = quoted.end
    } else {
      const comma = line.indexOf(',', at)
      const end = comma === -1 ? line.length : comma
      cells.push(line.slice(at, end).trim())
      at = end
    }
    if (at >= line.length) return cells
    at++
  }
}

/** @param at behind the opening quote. @returns the text, and where the comma or the end stands. */
function quotedCell(line: string, at: number): { text: string; end: number } | null {
  let text = ''
  for (let start = at; ; ) {
    const quote = line.indexOf('"', start)
    if (quote === -1) return null
    text += line.slice(start, quote)
    if (line[quote + 1] === '"') {
      text += '"'
      start = quote + 2
      continue
    }
    const rest = line.slice(quote + 1)
    const blanks = rest.length - rest.trimStart().length
    const end = quote + 1 + blanks
    return end >= line.length || line[end] === ',' ? { text: text.trim(), end } : null
  }
}
