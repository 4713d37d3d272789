/** Octets written as hex, spaced by field: `'4500 0054'`. */
export function hex(...parts: readonly string[]): Uint8Array {
  return new Uint8Array(Buffer.from(parts.join('').replace(/\s+/g, ''), 'hex'))
}
