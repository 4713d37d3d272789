/**
 * A YAML file that a person wrote, as text: of a sensible size and in UTF-8.
 *
 * In:  a path. Out: its text; or what is wrong with it, in words for a ConfigError.
 * Not: parsing, and where in the file a fault lies: who parses knows that (config.ts, mute-file.ts).
 */
import { closeSync, openSync, readSync } from 'node:fs'
import { printable } from './base/printable.ts'

/** A megabyte of configuration is something else by mistake: a capture, a log, a device. */
const FILE_SIZE_MAX = 1 << 20

export const NO_SUCH_FILE = 'no such file'

export type YamlText = { text: string; fault: '' } | { text: null; fault: string }

export function readYamlText(path: string): YamlText {
  const bytes = Buffer.alloc(FILE_SIZE_MAX + 1)
  let len = 0
  try {
    const fd = openSync(path, 'r')
    try {
      for (let got = -1; got !== 0 && len < bytes.length; len += got) got = readSync(fd, bytes, len, bytes.length - len, null)
    } finally {
      closeSync(fd)
    }
    if (len > FILE_SIZE_MAX) return { text: null, fault: `longer than ${FILE_SIZE_MAX} bytes: not a configuration file` }
    return { text: new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(0, len)), fault: '' }
  } catch (error) {
    return { text: null, fault: readFault(error) }
  }
}

/** The parser's message without the place, which stands before it already. */
export function plainMessage(message: string): string {
  return printable(message.replace(/ at line \d+, column \d+:?[\s\S]*$/, ''))
}

function readFault(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : ''
  if (code === 'ENOENT') return NO_SUCH_FILE
  if (code === 'EACCES') return 'no permission to read it'
  if (code === 'EISDIR') return 'is a folder, not a file'
  if (code === 'ERR_ENCODING_INVALID_ENCODED_DATA') return 'is not text in UTF-8'
  return `cannot be read: ${printable(error instanceof Error ? error.message : String(error))}`
}
