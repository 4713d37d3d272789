/**
 * reports/<day>/<alert id>.pcap, and <alert id>.pcap.json which counts what is in it.
 *
 *   pcap (draft-ietf-opsawg-pcap): in microseconds, in nanoseconds where a packet's time needs them; one link type
 *   pcapng, as <alert id>.pcapng: where the packets are of several link types
 *
 * In:  a filled slice, and where its packets were looked for. Out: the two files, whole at every moment.
 * Not: the report's words, which come from the alert line alone and are written before anybody knows what will be found.
 */
import { appendFileSync, closeSync, mkdirSync, openSync, readFileSync, readSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { putU32le, u32le } from '../base/bytes.ts'
import { eveTime } from '../base/packet-time.ts'
import type { Instant } from '../capture/packet-memory.ts'
import { PcapngWriter } from '../capture/pcapng-writer.ts'
import { CAP_LEN_MAX, REC_CAP_LEN, REC_HEADER_LEN, REC_NSEC, REC_SEC, REC_WIRE_LEN } from '../capture/slab.ts'
import type { Slice, SliceRecord } from './slice.ts'
import { writeFault } from './write-fault.ts'

const MAGIC_MICRO = 0xa1b2c3d4
const MAGIC_NANO = 0xa1b23c4d
const VERSION_2_4 = 2 | (4 << 16)
const FILE_HEADER_LEN = 24
const NS_PER_US = 1000
const LINK_ETHERNET = 1
/** Before a record that was put aside: link type and flow. */
const ASIDE_HEADER_LEN = 8

/** Where a slice's packets were looked for. */
export interface SliceSource {
  kind: 'files' | 'memory'
  /** The memory holds all that is later; null for all since the run began, and for files. */
  reachesBackTo: Instant | null
}

/** What a slice's file is called, beside its report; the second where it has several link types. */
export const SLICE_ENDINGS = ['.pcap', '.pcapng'] as const
export const SLICE_FACTS_ENDING = '.pcap.json'
/** A slice's files are known by their facts, and those by how they begin. */
export const SLICE_FACTS_MARK = '{"writtenBy":"flowscribe"'

/** What may lie there of a slice, on its way or whole, the mark by which it is known last. */
const ALL_ENDINGS = ['.pcap.new', '.pcapng.new', '.pcap.json.new', ...SLICE_ENDINGS, SLICE_FACTS_ENDING]

/** The report that a file of ours belongs to, when it is a slice's facts; else ''. */
export function stemOfFacts(folder: string, name: string): string {
  return name.endsWith(SLICE_FACTS_ENDING) && hasMark(join(folder, name)) ? name.slice(0, -SLICE_FACTS_ENDING.length) : ''
}

function hasMark(path: string): boolean {
  try {
    const fd = openSync(path, 'r')
    try {
      const head = Buffer.alloc(SLICE_FACTS_MARK.length)
      return readSync(fd, head) === head.length && head.toString() === SLICE_FACTS_MARK
    } finally {
      closeSync(fd)
    }
  } catch {
    // Not readable: not known to be ours.
    return false
  }
}

/** @param name the slice's facts; any other name removes nothing. @throws RunError */
export function removeSlice(folder: string, name: string): void {
  const stem = stemOfFacts(folder, name)
  if (stem === '') return
  for (const ending of ALL_ENDINGS) {
    const path = join(folder, `${stem}${ending}`)
    act(path, () => rmSync(path, { force: true }))
  }
}

export function pathOf(folder: string, { wants }: Slice, ending: string): string {
  return join(folder, wants.day, `${wants.stem}${ending}`)
}

/** Memory is short: what was found so far waits beside the slice's place. @throws RunError */
export function putAside(folder: string, slice: Slice, isFirst: boolean): void {
  const path = pathOf(folder, slice, '.pcap.new')
  const parts = slice.records.flatMap(({ linkType, flow, bytes }) => {
    const header = new Uint8Array(ASIDE_HEADER_LEN)
    putU32le(header, 0, linkType)
    putU32le(header, 4, flow)
    return [header, bytes]
  })
  act(path, () => {
    mkdirSync(join(folder, slice.wants.day), { recursive: true, mode: 0o750 })
    if (isFirst) rmSync(path, { force: true })
    appendFileSync(path, Buffer.concat(parts), { mode: 0o640 })
  })
  slice.records = []
  slice.bytesAtHand = 0
}

function takeBack(path: string): SliceRecord[] {
  const bytes = readFileSync(path)
  const records: SliceRecord[] = []
  for (let at = 0; at < bytes.length; ) {
    const start = at + ASIDE_HEADER_LEN
    const end = start + REC_HEADER_LEN + u32le(bytes, start + REC_CAP_LEN)
    records.push({ linkType: u32le(bytes, at), flow: u32le(bytes, at + 4), bytes: bytes.subarray(start, end) })
    at = end
  }
  return records
}

/** @returns what could not be found or had no room: false when the slice is whole. @throws RunError */
export function writeSlice(folder: string, slice: Slice, source: SliceSource, isAside: boolean): boolean {
  const aside = pathOf(folder, slice, '.pcap.new')
  if (isAside) slice.records = [...act(aside, () => takeBack(aside)), ...slice.records]
  const records = slice.records.sort((a, b) => timeOrder(a.bytes, b.bytes))
  const linkTypes = [...new Set(records.map(({ linkType }) => linkType))]
  const isMixed = linkTypes.length > 1
  const path = pathOf(folder, slice, isMixed ? '.pcapng' : '.pcap')
  const facts = factsOf(slice, source, isMixed)
  act(path, () => {
    mkdirSync(join(folder, slice.wants.day), { recursive: true, mode: 0o750 })
    replaceFile(path, isMixed ? pcapngOf(records, linkTypes) : pcapOf(records, linkTypes[0] ?? LINK_ETHERNET))
    rmSync(pathOf(folder, slice, isMixed ? '.pcap' : '.pcapng'), { force: true })
    rmSync(aside, { force: true })
    // Its mark comes first; the rest is for people.
    const { writtenBy: _, ...rest } = facts
    replaceFile(pathOf(folder, slice, SLICE_FACTS_ENDING), Buffer.from(`${SLICE_FACTS_MARK},\n${JSON.stringify(rest, null, 1).slice(2)}\n`))
  })
  return facts.isComplete
}

function act<T>(path: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw writeFault(path, error)
  }
}

/** Whole or not at all; not flushed: it is no worse to lose a slice with the power than to have none. */
function replaceFile(path: string, bytes: Uint8Array): void {
  const beside = `${path}.new`
  try {
    writeFileSync(beside, bytes, { mode: 0o640 })
    renameSync(beside, path)
  } catch (error) {
    rmSync(beside, { force: true })
    throw error
  }
}

function timeOrder(a: Uint8Array, b: Uint8Array): number {
  return u32le(a, REC_SEC) - u32le(b, REC_SEC) || u32le(a, REC_NSEC) - u32le(b, REC_NSEC)
}

function pcapOf(records: readonly SliceRecord[], linkType: number): Uint8Array {
  const isMicro = records.every(({ bytes }) => u32le(bytes, REC_NSEC) % NS_PER_US === 0)
  const header = new Uint8Array(FILE_HEADER_LEN)
  for (const [i, word] of [isMicro ? MAGIC_MICRO : MAGIC_NANO, VERSION_2_4, 0, 0, CAP_LEN_MAX, linkType].entries())
    putU32le(header, 4 * i, word)
  // A record's header is a slab's but for the fraction of its second.
  if (isMicro) for (const { bytes } of records) putU32le(bytes, REC_NSEC, u32le(bytes, REC_NSEC) / NS_PER_US)
  return Buffer.concat([header, ...records.map(({ bytes }) => bytes)])
}

function pcapngOf(records: readonly SliceRecord[], linkTypes: readonly number[]): Uint8Array {
  const parts: Uint8Array[] = []
  const sink = {
    put: (blocks: Uint8Array): boolean => {
      // A Buffer's slice would be no copy.
      parts.push(Uint8Array.from(blocks))
      return true
    },
    close: () => {},
  }
  const writer = new PcapngWriter(
    linkTypes.map((linkType) => ({ device: `link type ${linkType}`, linkType, snapLen: CAP_LEN_MAX })),
    sink,
  )
  for (const { bytes, linkType } of records)
    writer.write({ bytes, start: 0, end: bytes.length, linkType, interfaceId: linkTypes.indexOf(linkType) })
  writer.close()
  return Buffer.concat(parts)
}

interface SliceFacts {
  writtenBy: string
  alert: string
  file: string
  packets: number
  octets: number
  framesCutShort: number
  /** Every packet that was metered is there. */
  isComplete: boolean
  /** What is missing, and why. */
  missing: string[]
  from: 'files' | 'memory'
  memoryFrom: string | null
  flows: {
    id: number | null
    communityId: string | null
    metered: number | null
    packets: number
    first: string | null
    last: string | null
  }[]
}

function factsOf(slice: Slice, { kind, reachesBackTo }: SliceSource, isMixed: boolean): SliceFacts {
  const { wants, records } = slice
  const memoryFrom = reachesBackTo === null ? null : eveTime(reachesBackTo.sec, reachesBackTo.nsec / NS_PER_US)
  const flows = slice.found.map((_, i) => {
    const own = records.filter(({ flow }) => flow === i)
    const { id, communityId, packets } = wants.flows[i] ?? { id: null, communityId: null, packets: null }
    return { id, communityId, metered: packets, packets: own.length, first: timeOf(own[0]), last: timeOf(own.at(-1)) }
  })
  const missing = missingOf(slice, flows, memoryFrom)
  return {
    writtenBy: 'flowscribe',
    alert: wants.alertId,
    file: `${wants.stem}${isMixed ? '.pcapng' : '.pcap'}`,
    packets: records.length,
    octets: records.reduce((sum, { bytes }) => sum + bytes.length - REC_HEADER_LEN, 0),
    framesCutShort: records.filter(({ bytes }) => u32le(bytes, REC_CAP_LEN) < u32le(bytes, REC_WIRE_LEN)).length,
    isComplete: missing.length === 0,
    missing,
    from: kind,
    memoryFrom,
    flows,
  }
}

function missingOf(slice: Slice, flows: SliceFacts['flows'], memoryFrom: string | null): string[] {
  const leftOut = slice.leftOut.reduce((sum, count) => sum + count, 0)
  const gone = flows.reduce((sum, flow, i) => sum + Math.max(0, (flow.metered ?? 0) - slice.found[i]), 0)
  const isForgotten = memoryFrom !== null && slice.wants.arp !== null && memoryFrom > eveTime(0, slice.wants.fromUs)
  const texts: string[] = []
  if (leftOut > 0) texts.push(`${leftOut} packets for which output.slice_packets_max and output.slice_MB left no room`)
  if (gone > 0)
    texts.push(
      `${gone} packets that were not found again${memoryFrom === null ? '' : ': the memory (capture.memory_MiB) had forgotten them'}`,
    )
  if (isForgotten) texts.push('messages that the memory (capture.memory_MiB) had forgotten')
  return texts
}

function timeOf(record: SliceRecord | undefined): string | null {
  return record === undefined ? null : eveTime(u32le(record.bytes, REC_SEC), u32le(record.bytes, REC_NSEC) / NS_PER_US)
}
