/**
 * Text from the wire, from file names or from a configuration, made safe for a terminal and a log line.
 *
 * In:  any string. Out: the same without anything that moves a cursor, changes a colour, reorders the line or ends it.
 * Not: escaping for Markdown, SVG or JSON; their writers do that.
 */

// C0, DEL and C1 controls; the bidirectional marks that make a line read otherwise than it is (Unicode TR 36, section 3.2).
// biome-ignore lint/suspicious/noControlCharactersInRegex: removing control characters is what this is for
const UNSAFE = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g

/** Unsafe characters as visible \\x1b or \\u202e. */
export function printable(text: string): string {
  return text.replace(UNSAFE, (c) => {
    const code = c.charCodeAt(0)
    return code < 256 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16)}`
  })
}

/** The same, cut to at most `max` characters with a sign that it was cut. */
export function printableCut(text: string, max: number): string {
  const safe = printable(text)
  return safe.length > max ? `${safe.slice(0, max - 1)}…` : safe
}
