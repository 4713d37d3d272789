/**
 * What several capture queues each told of the same second, added up: packets of one destination come through all of them.
 *
 * In:  counters and rows so far of open flows, as each queue's watch told them, from a lower threshold on (watch.ts, `queues`).
 * Out: the same as of one meter: from the thresholds on that hold for all together.
 * Not: exact where a queue's own part was too small to be told; each sum is a lower bound, as its parts are.
 */
import { BATCH_ROWS_MAX } from './batch.ts'
import type { DestinationCell, DestinationCounters } from './destination-counters.ts'
import * as Row from './row.ts'
import { compareKeys } from './row-order.ts'

const SOURCES_MAX = 64
const ADDRESS_WORDS = 4

/** One second's counters; the i-th row is of a flow towards the i-th destination. */
export interface CountedSecond {
  atUs: number
  counters: readonly DestinationCounters[]
  cells: Float64Array<ArrayBuffer>
}

interface Sum {
  counters: DestinationCounters
  /** A flow of the queue that counted most. */
  row: Float64Array
  most: number
}

/** @returns seconds in order, each in parts that a batch has room for */
export function addUpCounters(parts: readonly CountedSecond[], packetsMin: number): CountedSecond[] {
  const seconds = new Map<number, Map<string, Sum>>()
  for (const { atUs, counters, cells } of parts) {
    const sums = seconds.get(atUs) ?? new Map<string, Sum>()
    seconds.set(atUs, sums)
    for (const [i, one] of counters.entries()) {
      addTo(sums, one, cells.subarray(i * Row.ROW_CELLS, (i + 1) * Row.ROW_CELLS))
    }
  }
  return [...seconds].sort(([a], [b]) => a - b).flatMap(([atUs, sums]) => messagesOf(atUs, [...sums.values()], packetsMin))
}

function addTo(sums: Map<string, Sum>, counters: DestinationCounters, row: Float64Array): void {
  const key = `${counters.destination} ${counters.proto}`
  const sum = sums.get(key)
  const { packets } = counters.amounts
  if (sum === undefined) {
    sums.set(key, { counters, row, most: packets })
    return
  }
  sum.counters = addUp(sum.counters, counters)
  if (packets <= sum.most) return
  sum.most = packets
  sum.row = row
}

function addUp(a: DestinationCounters, b: DestinationCounters): DestinationCounters {
  const amounts = { ...a.amounts }
  for (const cell of Object.keys(amounts) as DestinationCell[]) amounts[cell] += b.amounts[cell]
  const larger = b.ports > a.ports ? b : a
  return {
    ...a,
    firstUs: Math.min(a.firstUs, b.firstUs),
    lastUs: Math.max(a.lastUs, b.lastUs),
    amounts,
    sources: [...new Set([...a.sources, ...b.sources])].slice(0, SOURCES_MAX),
    // The same port may have come through both.
    ports: larger.ports,
    port: larger.port,
    leader: leaderOf(a.leader, b.leader),
    sourcePort: portOf(a.sourcePort, b.sourcePort),
  }
}

function leaderOf(a: DestinationCounters['leader'], b: DestinationCounters['leader']): DestinationCounters['leader'] {
  if (a.source === b.source) return { source: a.source, packets: a.packets + b.packets }
  return b.packets > a.packets ? b : a
}

function portOf(a: DestinationCounters['sourcePort'], b: DestinationCounters['sourcePort']): DestinationCounters['sourcePort'] {
  if (a.port === b.port) return { port: a.port, packets: a.packets + b.packets, bytes: a.bytes + b.bytes }
  return b.packets > a.packets ? b : a
}

function messagesOf(atUs: number, sums: readonly Sum[], packetsMin: number): CountedSecond[] {
  const told = sums
    .filter(({ counters }) => counters.amounts.packets >= packetsMin)
    .sort((a, b) => a.counters.firstUs - b.counters.firstUs || (a.counters.destination < b.counters.destination ? -1 : 1))
  return inBatches(told).map((part) => ({
    atUs,
    counters: part.map(({ counters }) => counters),
    cells: joined(part.map(({ row }) => row)),
  }))
}

/**
 * Rows so far of slow connections, of those clients that hold `togetherMin` or more with one service over all queues.
 *
 * @returns cells of rows in the order (start, key), in parts that a batch has room for
 */
export function openTogether(parts: readonly Float64Array<ArrayBuffer>[], togetherMin: number): Float64Array<ArrayBuffer>[] {
  const rows = parts.flatMap((cells) =>
    Array.from({ length: cells.length / Row.ROW_CELLS }, (_, i) => {
      const at = i * Row.ROW_CELLS
      return { cells, words: new Uint32Array(cells.buffer), at, startUs: cells[at + Row.CONNECTION_START_US] }
    }),
  )
  const groups = new Map<string, number>()
  const groupOf = rows.map(({ words, at }) => clientAndService(words, at * 2))
  for (const group of groupOf) groups.set(group, (groups.get(group) ?? 0) + 1)
  const told = rows
    .filter((_, i) => (groups.get(groupOf[i]) ?? 0) >= togetherMin)
    .sort((a, b) => a.startUs - b.startUs || compareKeys(a.words, a.at * 2, b.words, b.at * 2))
  return inBatches(told).map((part) => joined(part.map(({ cells, at }) => cells.subarray(at, at + Row.ROW_CELLS))))
}

function clientAndService(words: Uint32Array, atW: number): string {
  const origIsB = words[atW + Row.STATE_W] & Row.ORIG_IS_B
  const ports = words[atW + Row.KEY_PORTS_W]
  const ends = [origIsB, 1 - origIsB].map((end) => words.subarray(atW + end * ADDRESS_WORDS, atW + (end + 1) * ADDRESS_WORDS).join('.'))
  return `${ends.join(' ')} ${origIsB === 0 ? ports & 0xffff : ports >>> 16}`
}

function inBatches<T>(all: readonly T[]): T[][] {
  return Array.from({ length: Math.ceil(all.length / BATCH_ROWS_MAX) }, (_, i) => all.slice(i * BATCH_ROWS_MAX, (i + 1) * BATCH_ROWS_MAX))
}

function joined(rows: readonly Float64Array[]): Float64Array<ArrayBuffer> {
  const cells = new Float64Array(rows.length * Row.ROW_CELLS)
  rows.forEach((row, i) => {
    cells.set(row, i * Row.ROW_CELLS)
  })
  return cells
}
