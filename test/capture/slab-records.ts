/** Slabs made by hand and read back, for tests of what stands between reader and meter. */
import { putU32le, u32le } from '../../src/base/bytes.ts'
import type { CaptureReader, Damage } from '../../src/capture/reader.ts'
import { REC_CAP_LEN, REC_HEADER_LEN, REC_NSEC, REC_SEC, REC_WIRE_LEN, type Slab } from '../../src/capture/slab.ts'

export interface TestRecord {
  timeNs: number
  /** Stands in the frame's first octets. */
  id: number
  len: number
  linkType?: number
  interfaceId?: number
}

const BASE_SEC = 1_700_000_000

export function slabOf(records: readonly TestRecord[]): Slab {
  const bytes = new Uint8Array(records.reduce((sum, r) => sum + REC_HEADER_LEN + r.len, 0))
  let at = 0
  for (const r of records) {
    putU32le(bytes, at + REC_SEC, BASE_SEC + Math.floor(r.timeNs / 1e9))
    putU32le(bytes, at + REC_NSEC, ((r.timeNs % 1e9) + 1e9) % 1e9)
    putU32le(bytes, at + REC_CAP_LEN, r.len)
    putU32le(bytes, at + REC_WIRE_LEN, r.len)
    putU32le(bytes, at + REC_HEADER_LEN, r.id)
    at += REC_HEADER_LEN + r.len
  }
  return { bytes, start: 0, end: at, linkType: records[0]?.linkType ?? 1, interfaceId: records[0]?.interfaceId ?? 0 }
}

/** Cuts at every change of interface and where `isCut` says so. */
export function slabsOf(records: readonly TestRecord[], isCut: () => boolean): Slab[] {
  const slabs: TestRecord[][] = []
  for (const record of records) {
    const last = slabs.at(-1)?.at(-1)
    if (last === undefined || last.interfaceId !== record.interfaceId || isCut()) slabs.push([record])
    else slabs.at(-1)?.push(record)
  }
  return slabs.map(slabOf)
}

export class SlabList implements CaptureReader {
  readonly damage: Damage | null = null
  readonly offset = 0
  readonly #slabs: Slab[]
  #last: Slab | null = null

  constructor(slabs: readonly Slab[]) {
    this.#slabs = [...slabs]
  }

  /** As a reader does, it spoils the slab before. */
  next(): Promise<Slab | null> {
    this.#last?.bytes.fill(0xee)
    const slab = this.#slabs.shift() ?? null
    this.#last = slab === null ? null : { ...slab, bytes: slab.bytes.slice() }
    return Promise.resolve(this.#last)
  }
}

export interface ReadRecord {
  timeNs: number
  id: number
  len: number
  linkType: number
  interfaceId: number
}

/** What a slab holds now: it is its reader's. */
export function recordsOf({ bytes, start, end, linkType, interfaceId }: Slab): ReadRecord[] {
  const all: ReadRecord[] = []
  for (let at = start; at < end; ) {
    const len = u32le(bytes, at + REC_CAP_LEN)
    const timeNs = (u32le(bytes, at + REC_SEC) - BASE_SEC) * 1e9 + u32le(bytes, at + REC_NSEC)
    all.push({ timeNs, id: u32le(bytes, at + REC_HEADER_LEN), len, linkType, interfaceId })
    at += REC_HEADER_LEN + len
  }
  return all
}

export async function readAll(reader: CaptureReader): Promise<ReadRecord[]> {
  const all: ReadRecord[] = []
  for (let slab = await reader.next(); slab !== null; slab = await reader.next()) all.push(...recordsOf(slab))
  return all
}
