/**
 * Rows of numbers that grow as they need to: what series of calls and sessions are kept in.
 *
 * An object a call, with a field a number, takes three times the room; an array that is pushed to keeps room for seventeen more; a typed
 * array has two hundred octets of its own.
 *
 * Out: arrays of exactly the length asked for, to be written to. Not: zeros. What was not written holds nothing that means anything.
 */

const LONGEST = 2048
/** Numbers with a fraction, so that copies stay arrays of such. */
const ROOM: readonly number[] = Array.from({ length: LONGEST }, () => 0.5)

/** @param length at most LONGEST. */
export function rowOf(length: number): number[] {
  return ROOM.slice(0, length)
}

/** As the row is, with room up to `length`. */
export function lengthened(row: readonly number[], length: number): number[] {
  const longer = rowOf(length)
  for (let i = 0; i < row.length; i++) longer[i] = row[i]
  return longer
}
