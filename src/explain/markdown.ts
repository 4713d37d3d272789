/**
 * The little Markdown that reports are made of, and the one place where text is made safe for it.
 *
 * In:  our own sentences, and words from the wire or from a configuration file.
 * Out: GitHub-flavoured Markdown; raw HTML only as <details> and <summary>.
 * The invariant: whatever a string holds, it stays inside its cell, its line and its code span.
 */

/** Control, format and bidirectional characters, line separators, lone surrogates: what can hide or reorder text. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}]/gu

/** One line of visible characters; what is not visible becomes U+FFFD. */
export function cleanText(text: string): string {
  return text.replace(UNPRINTABLE, '\uFFFD')
}

/** A sentence as plain text: nothing in it can open a link, a tag, a cell, emphasis or code. */
export function escapeText(text: string): string {
  return cleanText(text)
    .replace(/[\\`*_[\]<>|&#~$@]/g, '\\$&')
    .replace(/:\/\//g, '\\://')
    .replace(/\bwww\./gi, (www) => `${www.slice(0, -1)}\\.`)
}

/** A sentence of a template: what stands between backticks is a command to be typed, the rest plain text. */
export function proseText(text: string): string {
  const parts = text.split('`')
  // An odd one out opens nothing.
  if (parts.length % 2 === 0) return escapeText(text)
  return parts.map((part, i) => (i % 2 === 0 ? escapeText(part) : code(part))).join('')
}

/**
 * Words from the wire, in a code span: addresses, names, ids. Nothing but a backtick can end one, so none is kept
 * (the alert line has the text as it was); a pipe is escaped for the table that the span may lie in.
 */
export function code(text: string): string {
  const clean = cleanText(text).trim().replace(/`/g, "'").replace(/\|/g, '\\|')
  return clean === '' ? '(empty)' : `\`${clean}\``
}

/** A table of cells that are Markdown already. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.map((cell) => (cell === '' ? '–' : cell)).join(' | ')} |`
  return [line(head), `|${head.map(() => '---').join('|')}|`, ...rows.map(line)].join('\n')
}

export function bullets(items: readonly string[]): string {
  return items.map((item) => `- ${item}`).join('\n')
}

/** Lines to be copied as they are. They are ours: built from checked addresses and numbers only. */
export function codeBlock(language: string, lines: readonly string[]): string {
  return [`\`\`\`${language}`, ...lines.map((line) => cleanText(line).replace(/`/g, "'")), '```'].join('\n')
}

export function folded(summary: string, body: string): string {
  return `<details>\n<summary>${escapeText(summary)}</summary>\n\n${body}\n\n</details>`
}

/** Paragraphs and blocks, one empty line apart; empty ones vanish. */
export function blocks(parts: readonly string[]): string {
  return parts.filter((part) => part !== '').join('\n\n')
}
