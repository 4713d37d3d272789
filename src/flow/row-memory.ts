/**
 * Where the table's rows lie in memory.
 *
 * In:  how many rows. Out: their cells, the first one at the start of a cache line; the same memory as words.
 * Not: certain. JavaScript does not say where memory lies: what is assumed here, if wrong, costs time and nothing else.
 */
import * as Row from './row.ts'

const CACHE_LINE_BYTES = 64
/** glibc hands out large blocks so far behind the start of a page: it keeps their length before them. */
const BEHIND_PAGE_BYTES = 16
const SKIPPED_CELLS = (CACHE_LINE_BYTES - BEHIND_PAGE_BYTES) / Float64Array.BYTES_PER_ELEMENT

/** Cells of `count` rows, all 0. Sixteen octets off, the four lines of a row that a packet touches would lie in five or six of the core's. */
export function takeRows(count: number): Float64Array<ArrayBuffer> {
  return new Float64Array(SKIPPED_CELLS + count * Row.ROW_CELLS).subarray(SKIPPED_CELLS)
}

/** The same memory, two words a cell. */
export function wordsOf(cells: Float64Array<ArrayBuffer>): Uint32Array<ArrayBuffer> {
  return new Uint32Array(cells.buffer, cells.byteOffset, 2 * cells.length)
}
