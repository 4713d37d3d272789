/**
 * One of several queues: it begins when all do, and comes by every second.
 */
import { describe, expect, test } from 'vitest'
import { u32le } from '../../src/base/bytes.ts'
import { RingSource } from '../../src/capture/live-merge.ts'
import { recordTimeUs } from '../../src/capture/live-ring.ts'
import { GAP_SECONDS_MAX, QueueSource } from '../../src/capture/queue-source.ts'
import type { RingAddon } from '../../src/capture/ring-addon.ts'
import { LOSS, REC_CAP_LEN, REC_HEADER_LEN, REC_WIRE_LEN, type Slab, TICK } from '../../src/capture/slab.ts'

const BASE_SEC = 1_800_000_000

/** Each step is what one read gives: packets at these seconds; none: silence at that second. */
type Step = number[] | { emptyAt: number; dropped?: number }

function sourceOf(steps: Step[], startSec: number): QueueSource {
  /** Infinitely long ago: such silence says nothing. */
  let emptyAtSec = -BASE_SEC
  let droppedByKernel = 0
  const ring: Pick<RingAddon, 'open' | 'read' | 'emptyAtUs' | 'faultText' | 'linkState' | 'stats' | 'close'> = {
    open: () => ({ id: 1, linkType: 1, linkTypeName: 'EN10MB', isNanosecond: true, snapLen: 96 }),
    read: (_, slab) => {
      const step = steps.shift()
      emptyAtSec = -BASE_SEC
      if (step === undefined) return 0
      if (!Array.isArray(step)) {
        emptyAtSec = step.emptyAt
        droppedByKernel = step.dropped ?? droppedByKernel
        return 0
      }
      const view = new DataView(slab.buffer)
      step.forEach((sec, i) => {
        view.setUint32(i * 17, BASE_SEC + Math.floor(sec), true)
        view.setUint32(i * 17 + 4, Math.round((sec % 1) * 1e9), true)
        view.setUint32(i * 17 + 8, 1, true)
        view.setUint32(i * 17 + 12, 60, true)
      })
      return step.length * 17
    },
    emptyAtUs: () => (BASE_SEC + emptyAtSec) * 1e6,
    faultText: () => '',
    linkState: () => 'up',
    stats: () => ({ received: 9, droppedByKernel, droppedByInterface: 0, noRoom: 0 }),
    close: () => {},
  }
  const options = {
    device: 'a',
    interfaceId: 0,
    filter: '',
    snapLen: 96,
    bufferBytes: 1 << 20,
    isPromiscuous: false,
    fanoutGroup: 7,
  }
  // Only what a ring source calls.
  return new QueueSource(new RingSource(ring as RingAddon, [options]), (BASE_SEC + startSec) * 1e6)
}

function textsOf({ bytes, start, end }: Slab): string[] {
  const texts: string[] = []
  for (let at = start; at < end; at += REC_HEADER_LEN + u32le(bytes, at + REC_CAP_LEN)) {
    const kind = u32le(bytes, at + REC_WIRE_LEN)
    const sec = Math.round(recordTimeUs(bytes, at) / 1e3 - BASE_SEC * 1e3) / 1e3
    texts.push(`${kind === TICK ? 'tick ' : kind === LOSS ? 'loss ' : ''}${sec}`)
  }
  return texts
}

async function allOf(source: QueueSource, reads: number): Promise<string[]> {
  const texts: string[] = []
  for (let i = 0; i < reads; i++) {
    const slab = await source.next(0)
    if (slab !== null) texts.push(...textsOf(slab))
  }
  for (const slab of source.drain()) texts.push(...textsOf(slab))
  return texts
}

describe('the beginning', () => {
  test('is a tick; what came before it is not seen, also within a slab', async () => {
    expect(
      await allOf(
        sourceOf(
          [
            [1, 2],
            [3, 4.25, 4.5, 4.75],
          ],
          4.5,
        ),
        9,
      ),
    ).toEqual(['tick 4.5', '4.5', '4.75'])
  })

  test('losses from before it are told at it', async () => {
    expect(await allOf(sourceOf([{ emptyAt: 2, dropped: 5 }, [4.75]], 4.5), 9)).toEqual(['tick 4.5', 'loss 4.5', '4.75'])
  })

  test('a late packet after it is no packet from before it', async () => {
    expect(await allOf(sourceOf([[4.75], [4.25]], 4.5), 9)).toEqual(['tick 4.5', '4.75', '4.25'])
  })
})

describe('seconds without a record', () => {
  test('are ticks, wherever they fall in a slab', async () => {
    const steps = [[1.5], [3.5, 3.75, 6.5], [7.5], [7.75, 9.5]]
    expect(await allOf(sourceOf(steps, 1), 20)).toEqual([
      'tick 1',
      '1.5',
      'tick 2',
      '3.5',
      '3.75',
      'tick 4',
      'tick 5',
      '6.5',
      '7.5',
      '7.75',
      'tick 8',
      '9.5',
    ])
  })

  test('are not filled in where the clock was set forward, nor where it was set back', async () => {
    const far = GAP_SECONDS_MAX + 3
    expect(await allOf(sourceOf([[1.5], [far], [far + 1, 2, 4]], 1), 20)).toEqual([
      'tick 1',
      '1.5',
      String(far),
      String(far + 1),
      '2',
      'tick 3',
      '4',
    ])
  })
})
