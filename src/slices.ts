/**
 * Slices cut: alerts' packets looked for where they may still be, and written beside the reports.
 *
 *   live, and replay of a pipe:  what the sensor remembers (capture/packet-memory.ts), and the slice that an earlier word on the same
 *                                episode left: what the memory forgets meanwhile stays
 *   replay of files:             the files once more, at the end of the run
 *
 * In:  alert lines. Out: files; how many are whole.
 * Not: the digest, nor any word of a report: both come from the alert line.
 * The invariant: as many slices as there are alerts are cut in one pass, and at most BYTES_AT_HAND_MAX octets of them are held.
 */
import { existsSync, rmSync } from 'node:fs'
import { eveTime } from './base/packet-time.ts'
import { CaptureChain, expandInputs } from './capture/inputs.ts'
import { openCapture } from './capture/open.ts'
import type { Remembered } from './capture/packet-memory.ts'
import { Reorder } from './capture/reorder.ts'
import { CAP_LEN_MAX } from './capture/slab.ts'
import type { Config } from './config.ts'
import type { SliceNote } from './score/evidence.ts'
import { Slice, type SliceBounds, type SliceWants } from './sink/slice.ts'
import { SliceCutter } from './sink/slice-cutter.ts'
import { pathOf, putAside, SLICE_ENDINGS, type SliceSource, writeSlice } from './sink/slice-file.ts'

const NS_PER_US = 1000
const BYTES_AT_HAND_MAX = 64e6
const MB = 1e6
/** Headers of what is usual; less would cut into them. */
const SNAP_LEN_MIN = 64
/** How far out of order packets are where no clock was set back (flow/table.ts). */
const DISORDER_US = 30e6
/** Slabs between two turns of the event loop. */
const SLABS_A_TURN = 4

export interface CutOptions {
  /** Of the reports. */
  folder: string
  bounds: SliceBounds
  isVlanInKey: boolean
}

/** By stem, whether every packet is there. */
export type CutResult = Map<string, boolean>

export function hasSlices({ output }: Pick<Config, 'output'>): boolean {
  return output.slices && output.reports
}

export function sliceBoundsOf({ output }: Pick<Config, 'output'>): SliceBounds {
  const snapLen = output.slice_snap_B === 0 ? CAP_LEN_MAX : Math.max(SNAP_LEN_MIN, output.slice_snap_B)
  return { packetsMax: output.slice_packets_max, bytesMax: output.slice_MB * MB, snapLen }
}

/** What an alert line says of the slice, at the moment at which it is told. */
export function sliceNote(bounds: SliceBounds, memory: Remembered | null): SliceNote {
  const back = memory === null ? null : memory.reachesBackTo
  return {
    source: memory === null ? 'files' : 'memory',
    heldFrom: back === null ? null : eveTime(back.sec, back.nsec / NS_PER_US),
    packetsMax: bounds.packetsMax,
    bytesMax: bounds.bytesMax,
    snapBytes: bounds.snapLen === CAP_LEN_MAX ? null : bounds.snapLen,
  }
}

/** @throws RunError when a slice cannot be written */
export async function cutFromMemory(memory: Remembered, wants: readonly SliceWants[], options: CutOptions): Promise<CutResult> {
  const slices = wants.map((one) => new Slice(one, options.bounds))
  for (const slice of slices) await takeEarlierCut(slice, options)
  const cutter = new SliceCutter(slices, options.isVlanInKey)
  for (const page of memory.pages(cutter.fromUs * NS_PER_US, (cutter.toUs + 1) * NS_PER_US)) cutter.take(page)
  return writeAll(slices, options, { kind: 'memory', reachesBackTo: memory.reachesBackTo }, new Set())
}

async function takeEarlierCut(slice: Slice, { folder, isVlanInKey }: CutOptions): Promise<void> {
  const path = SLICE_ENDINGS.map((ending) => pathOf(folder, slice, ending)).find((one) => existsSync(one))
  if (path === undefined) return
  const cutter = new SliceCutter([slice], isVlanInKey)
  try {
    const { bytes, reader } = await openCapture(path)
    try {
      for (let slab = await reader.next(); slab !== null; slab = await reader.next()) cutter.take(slab, true)
    } finally {
      await bytes.close()
    }
  } catch {
    // Damaged by somebody: it is cut anew from what there is.
  }
}

export interface FilesOptions extends CutOptions {
  signal: AbortSignal
  /** No clock was set back: nothing that is wanted comes after what is later than all of it. */
  isInOrder: boolean
  onProgress(doneBytes: number, totalBytes: number | null): void
}

/** @returns null when a signal ended it: then nothing was written. @throws RunError when a slice cannot be written */
export async function cutFromFiles(
  inputs: readonly string[],
  wants: readonly SliceWants[],
  options: FilesOptions,
): Promise<CutResult | null> {
  const { folder, signal, isInOrder } = options
  const slices = wants.map((one) => new Slice(one, options.bounds))
  const cutter = new SliceCutter(slices, options.isVlanInKey)
  const chain = new CaptureChain(await expandInputs(inputs))
  const reorder = new Reorder(chain)
  const aside = new Set<Slice>()
  let isDone = false
  try {
    for (let turn = 1; ; turn++) {
      const slab = await reorder.next()
      if (slab === null) break
      cutter.take(slab)
      if (slices.reduce((sum, slice) => sum + slice.bytesAtHand, 0) > BYTES_AT_HAND_MAX) putAllAside(slices, folder, aside)
      if (isInOrder && cutter.newestUs > cutter.toUs + DISORDER_US) break
      options.onProgress(chain.doneBytes, chain.totalBytes)
      if (turn % SLABS_A_TURN === 0) await new Promise((resolve) => setImmediate(resolve))
      if (signal.aborted) return null
    }
    isDone = true
  } finally {
    if (!isDone) for (const slice of aside) rmSync(pathOf(folder, slice, '.pcap.new'), { force: true })
    await chain.close()
  }
  return writeAll(slices, options, { kind: 'files', reachesBackTo: null }, aside)
}

function putAllAside(slices: readonly Slice[], folder: string, aside: Set<Slice>): void {
  for (const slice of slices) {
    if (slice.records.length === 0) continue
    putAside(folder, slice, !aside.has(slice))
    aside.add(slice)
  }
}

function writeAll(slices: readonly Slice[], { folder }: CutOptions, source: SliceSource, aside: ReadonlySet<Slice>): CutResult {
  return new Map(slices.map((slice) => [slice.wants.stem, writeSlice(folder, slice, source, aside.has(slice))]))
}
