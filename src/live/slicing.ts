/**
 * What the slicing thread of a live run does: packets of alerts found in the sensor's memory, and written beside the reports.
 *
 * In:  what alerts want; the memory, as the metering thread goes on filling it. Out: an answer to each request: where
 *      slices lie now, and how many packets are missing, or what the world had against it.
 * Not: the writing thread's work: a look through the memory takes a tenth of a second and more, and no alert shall wait for it.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { RunError } from '../base/errors.ts'
import { JoinedMemory, type MemoryBlock, type Remembered } from '../capture/packet-memory.ts'
import type { SliceBounds, SliceWants } from '../sink/slice.ts'
import { SLICE_FACTS_ENDING } from '../sink/slice-file.ts'
import { cutFromMemory } from '../slices.ts'
import type { ReportPlace } from './writing.ts'

export interface SlicingOptions {
  /** Of the reports. */
  folder: string
  memory: readonly MemoryBlock[]
  isVlanInKey: boolean
}

export type SlicingRequest = { kind: 'slices'; wants: readonly SliceWants[]; bounds: SliceBounds } | { kind: 'close' }

export interface SlicingFacts {
  /** Where files were written. */
  places: ReportPlace[]
  /** Since the run began. */
  slices: number
  /** Of those, how many lacked a packet. */
  incomplete: number
}

export type SlicingAnswer =
  | { kind: 'done'; facts: SlicingFacts }
  /** The world said no: trying again may help. */
  | { kind: 'refused'; why: string }
  /** A fault of ours: trying again would not help. */
  | { kind: 'failed'; why: string }

/** Whole slices that are remembered; a word on an older one cuts it again, which changes nothing. */
const WHOLE_MAX = 10_000

export class LiveSlicing {
  readonly #options: SlicingOptions
  readonly #memory: Remembered
  /** By stem, what a slice that is whole was to hold: the same again needs no other look. */
  readonly #whole = new Map<string, string>()
  #slices = 0
  #incomplete = 0

  constructor(options: SlicingOptions) {
    this.#options = options
    this.#memory = new JoinedMemory(options.memory)
  }

  async answer(request: SlicingRequest): Promise<SlicingAnswer> {
    try {
      const places = request.kind === 'close' ? [] : await this.#cut(request.wants, request.bounds)
      return { kind: 'done', facts: { places, slices: this.#slices, incomplete: this.#incomplete } }
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error)
      return { kind: error instanceof RunError ? 'refused' : 'failed', why }
    }
  }

  async #cut(asked: readonly SliceWants[], bounds: SliceBounds): Promise<ReportPlace[]> {
    const { folder, isVlanInKey } = this.#options
    // Of several words on an episode the last.
    const wants = [...new Map(asked.map((one) => [one.stem, one])).values()].filter((one) => !this.#isWhole(one))
    if (wants.length === 0) return []
    const cut = await cutFromMemory(this.#memory, wants, { folder, bounds, isVlanInKey })
    for (const one of wants) this.#note(one, cut.get(one.stem) === true)
    return wants.map(({ day, stem }) => ({ day, stem }))
  }

  #isWhole(wants: SliceWants): boolean {
    const { day, stem } = wants
    return this.#whole.get(stem) === nameOf(wants) && existsSync(join(this.#options.folder, day, `${stem}${SLICE_FACTS_ENDING}`))
  }

  #note(wants: SliceWants, isWhole: boolean): void {
    this.#slices++
    this.#whole.delete(wants.stem)
    if (!isWhole) this.#incomplete++
    else this.#whole.set(wants.stem, nameOf(wants))
    if (this.#whole.size <= WHOLE_MAX) return
    for (const oldest of this.#whole.keys()) {
      this.#whole.delete(oldest)
      break
    }
  }
}

/** Equal for equal packets. */
function nameOf({ flows, fromUs, toUs }: SliceWants): string {
  return [fromUs, toUs, ...flows.map((flow) => `${flow.id} ${flow.fromUs} ${flow.packets}`)].join()
}
