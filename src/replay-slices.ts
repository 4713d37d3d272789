/**
 * The packets of a replay's alerts: files are read once more at its end; what comes through a pipe is remembered, as live.
 *
 * In:  slabs as they are metered, alert events as they are told. Out: a slice beside each report; how many, and how many are whole.
 * Not: more than `slices_max`: the first alerts have theirs, the others are counted.
 */
import { expandInputs } from './capture/inputs.ts'
import { newMemoryBlock, PacketMemory } from './capture/packet-memory.ts'
import type { Slab } from './capture/slab.ts'
import type { Config } from './config.ts'
import type { AlertEvent, SliceNote } from './score/evidence.ts'
import { type SliceWants, sliceWantsOf } from './sink/slice.ts'
import { type CutOptions, type CutResult, cutFromFiles, cutFromMemory, hasSlices, sliceBoundsOf, sliceNote } from './slices.ts'

/** Of the memory, what may come after an alert before its packets are looked for. */
const WAIT_SHARE = 1 / 4
/** Alerts that one look at the memory serves. */
const PENDING_MAX = 64

export interface SliceCounts {
  written: number
  whole: number
  /** Alerts beyond `slices_max`. */
  leftOut: number
  /** The end was asked for before the files were read again: none was written. */
  isInterrupted: boolean
}

export class ReplaySlices {
  readonly counts: SliceCounts = { written: 0, whole: 0, leftOut: 0, isInterrupted: false }
  readonly #inputs: readonly string[]
  readonly #slicesMax: number
  readonly #cut: CutOptions
  /** null where the files can be read again. */
  readonly #memory: PacketMemory | null
  readonly #wants = new Map<string, SliceWants>()
  /** Of memory only: alerts that wait, and how many octets came since the first of them. */
  readonly #pending = new Set<string>()
  #bytesSince = 0
  readonly #written = new Map<string, boolean>()

  /** null where no slices are wanted, or nothing can be remembered. */
  static async open(inputs: readonly string[], config: Config, folder: string): Promise<ReplaySlices | null> {
    if (!hasSlices(config)) return null
    const { files } = await expandInputs(inputs)
    if (files.every(({ sizeBytes }) => sizeBytes !== null)) return new ReplaySlices(inputs, config, folder, null)
    const block = newMemoryBlock(config.capture.memory_MiB)
    return block === null ? null : new ReplaySlices(inputs, config, folder, new PacketMemory(block))
  }

  private constructor(inputs: readonly string[], config: Config, folder: string, memory: PacketMemory | null) {
    this.#inputs = inputs
    this.#slicesMax = config.output.slices_max
    this.#cut = { folder, bounds: sliceBoundsOf(config), isVlanInKey: config.flow.vlan_in_key }
    this.#memory = memory
  }

  note(): SliceNote {
    return sliceNote(this.#cut.bounds, this.#memory)
  }

  /** Whether one more report can have a slice. */
  get hasRoom(): boolean {
    return this.#wants.size < this.#slicesMax
  }

  /** @param alert as its line holds it */
  add(alert: AlertEvent): void {
    const wants = sliceWantsOf(alert)
    if (wants === null) return
    const { stem } = wants
    if (!this.#wants.has(stem) && this.#wants.size >= this.#slicesMax) {
      if (alert.event === 'close') this.counts.leftOut++
      return
    }
    this.#wants.set(stem, wants)
    if (this.#memory === null) return
    if (this.#pending.size === 0) this.#bytesSince = 0
    this.#pending.add(stem)
  }

  /** Before the slab is metered. */
  take(slab: Slab): void {
    this.#memory?.put(slab)
    this.#bytesSince += slab.end - slab.start
  }

  /** After it. @throws RunError */
  async settle(): Promise<void> {
    if (this.#memory === null || this.#pending.size === 0) return
    if (this.#pending.size >= PENDING_MAX || this.#bytesSince > this.#memory.sizeBytes * WAIT_SHARE) await this.#cutPending(this.#memory)
  }

  /** @param isInOrder no clock was set back. @throws RunError */
  async finish(isInOrder: boolean, signal: AbortSignal, onProgress: (doneBytes: number, totalBytes: number | null) => void): Promise<void> {
    if (this.#memory !== null) return await this.#cutPending(this.#memory)
    if (this.#wants.size === 0) return
    const result = signal.aborted
      ? null
      : await cutFromFiles(this.#inputs, [...this.#wants.values()], { ...this.#cut, signal, isInOrder, onProgress })
    if (result === null) this.counts.isInterrupted = true
    else this.#count(result)
  }

  async #cutPending(memory: PacketMemory): Promise<void> {
    const stems = [...this.#pending]
    this.#pending.clear()
    for (let i = 0; i < stems.length; i += PENDING_MAX) {
      const some = stems.slice(i, i + PENDING_MAX)
      const wants = some.map((stem) => this.#wants.get(stem)).filter((one) => one !== undefined)
      this.#count(await cutFromMemory(memory, wants, this.#cut))
    }
  }

  #count(result: CutResult): void {
    for (const [stem, isWhole] of result) this.#written.set(stem, isWhole)
    this.counts.written = this.#written.size
    this.counts.whole = [...this.#written.values()].filter(Boolean).length
  }
}
