/**
 * The lines of a text file, plain or compressed, or of standard input.
 *
 * In:  a ByteSource. Out: lines in blocks, each with its number from 1, without its line end (LF or CRLF) and a leading byte order mark.
 * Not: what a line means. A line longer than LINE_BYTES_MAX is given as null: its end is looked for, its text is not kept.
 * The invariant: memory is one chunk and one line, whatever the file holds.
 */
import type { ByteSource } from './byte-source.ts'

/** The longest record known has some 2 kB: lists of per-second octets in SIMARGL's CSV come to 20. */
export const LINE_BYTES_MAX = 1 << 18

const CHUNK_BYTES = 1 << 16
const NEWLINE = 0x0a
const RETURN = 0x0d
const BYTE_ORDER_MARK = '\ufeff'

export interface TextLine {
  /** From 1. */
  number: number
  /** null: longer than LINE_BYTES_MAX. */
  text: string | null
}

/** Blocks of lines, a chunk's worth each. Throws what the source throws, after the lines before the fault were given. */
export async function* textLines(source: ByteSource): AsyncGenerator<TextLine[]> {
  const chunk = new Uint8Array(CHUNK_BYTES)
  let held: Uint8Array[] = []
  let heldBytes = 0
  let number = 1
  const lineOf = (end: Uint8Array): TextLine => {
    const isTooLong = heldBytes + end.length > LINE_BYTES_MAX
    const bytes = held.length === 0 ? end : Buffer.concat([...held, end])
    const line = { number, text: isTooLong ? null : lineText(bytes, number) }
    held = []
    heldBytes = 0
    number++
    return line
  }
  for (;;) {
    const got = await source.read(chunk, 0, chunk.length)
    if (got === 0) break
    const lines: TextLine[] = []
    let start = 0
    for (let end = chunk.indexOf(NEWLINE, 0); end !== -1 && end < got; end = chunk.indexOf(NEWLINE, start)) {
      lines.push(lineOf(chunk.subarray(start, end)))
      start = end + 1
    }
    // Of a line that is too long already only its length is of interest.
    if (start < got && heldBytes <= LINE_BYTES_MAX) held.push(chunk.slice(start, got))
    heldBytes += got - start
    if (lines.length > 0) yield lines
  }
  if (heldBytes > 0) yield [lineOf(new Uint8Array(0))]
}

function lineText(bytes: Uint8Array, number: number): string {
  const end = bytes.length > 0 && bytes[bytes.length - 1] === RETURN ? bytes.length - 1 : bytes.length
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, end).toString('utf8')
  return number === 1 && text.startsWith(BYTE_ORDER_MARK) ? text.slice(1) : text
}
