/**
 * Whether a command was given captures or flow records, told by what is in the files.
 *
 * In:  paths as given. Out: 'captures' or 'records'.
 * Not: which format of either; and no look at standard input, of which nothing could be given back.
 */
import { UsageError } from '../base/errors.ts'
import { printable } from '../base/printable.ts'
import { openBytes } from './byte-source.ts'
import { isText, KIND_LEN } from './file-kind.ts'

export type InputKind = 'captures' | 'records'

/** Text is records; all else is left to the readers of captures, and to what they say of it. @throws UsageError when both are there. */
export async function inputKindOf(paths: readonly string[]): Promise<InputKind> {
  const kinds = await Promise.all(paths.map(kindOf))
  const other = kinds.findIndex((kind) => kind !== kinds[0])
  if (other > 0)
    throw new UsageError(
      `${printable(paths[0])} holds ${wordsOf(kinds[0])}, ${printable(paths[other])} ${wordsOf(kinds[other])}: give one or the other`,
    )
  return kinds[0] ?? 'captures'
}

function wordsOf(kind: InputKind): string {
  return kind === 'captures' ? 'packets' : 'flow records'
}

async function kindOf(path: string): Promise<InputKind> {
  if (path === '-') return 'captures'
  try {
    const source = await openBytes(path)
    try {
      const head = new Uint8Array(KIND_LEN)
      let len = 0
      for (let got = 1; got > 0 && len < KIND_LEN; len += got) got = await source.read(head, len, KIND_LEN - len)
      return isText(head, 0, len) ? 'records' : 'captures'
    } finally {
      await source.close()
    }
  } catch {
    // A folder, or what cannot be read: whoever opens it next says why.
    return 'captures'
  }
}
