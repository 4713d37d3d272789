/**
 * Live sources on an addon that is made up here: order over interfaces, ticks, losses, an interface that goes away.
 */
import { expect, test } from 'vitest'
import { u32le, u64le } from '../../src/base/bytes.ts'
import { RingSource } from '../../src/capture/live-merge.ts'
import { recordTimeUs } from '../../src/capture/live-ring.ts'
import { OpenError } from '../../src/capture/live-source.ts'
import { READ_GONE, type RingAddon, type RingHandle } from '../../src/capture/ring-addon.ts'
import { LOSS, LOSS_BY_KERNEL, REC_CAP_LEN, REC_HEADER_LEN, REC_WIRE_LEN, type Slab, TICK } from '../../src/capture/slab.ts'

const BASE_US = 1_800_000_000e6

/** What each `read` of a device gives: packets at these µs, a silence seen at a µs, or the end of the interface. */
type Step = { packets: number[] } | { emptyAt: number } | 'gone'

interface Script {
  steps: Step[]
  dropped: number
  isAbsent: boolean
}

class FakeRing implements RingAddon {
  readonly libraryVersion = 'none'
  readonly scripts = new Map<string, Script>()
  readonly #devices: string[] = []
  readonly #emptyAt = new Map<number, number>()

  script(device: string, steps: Step[]): Script {
    const script = { steps, dropped: 0, isAbsent: false }
    this.scripts.set(device, script)
    return script
  }

  #scriptOf(handle: RingHandle): Script {
    return this.scripts.get(this.#devices[handle.id]) ?? { steps: [], dropped: 0, isAbsent: true }
  }

  open({ device, snapLen }: { device: string; snapLen: number }): RingHandle {
    if (this.scripts.get(device)?.isAbsent !== false) throw Object.assign(new Error('No such device exists'), { code: 'ENODEV' })
    return { id: this.#devices.push(device) - 1, linkType: 1, linkTypeName: 'EN10MB', isNanosecond: true, snapLen }
  }

  read(handle: RingHandle, slab: Uint8Array, offset: number): number {
    const step = this.#scriptOf(handle).steps.shift()
    if (step === 'gone') return READ_GONE
    if (step === undefined) return 0
    if ('emptyAt' in step) {
      this.#emptyAt.set(handle.id, BASE_US + step.emptyAt)
      return 0
    }
    const view = new DataView(slab.buffer)
    step.packets.forEach((us, i) => {
      const at = offset + i * 17
      view.setUint32(at, (BASE_US + us) / 1e6, true)
      view.setUint32(at + 4, (us % 1e6) * 1000, true)
      view.setUint32(at + 8, 1, true)
      view.setUint32(at + 12, 60, true)
    })
    return step.packets.length * 17
  }

  emptyAtUs(handle: RingHandle): number {
    return this.#emptyAt.get(handle.id) ?? 0
  }

  stats(handle: RingHandle) {
    return { received: 10, droppedByKernel: this.#scriptOf(handle).dropped, droppedByInterface: 0, noRoom: 0 }
  }

  linkState = (): 'up' => 'up'
  faultText = (): string => 'The interface disappeared'
  interrupt = (): boolean => true
  close(): void {}
  devices = () => []
  notify = () => ''
  readonly filters = new Map<string, string>()
  setFilter(handle: RingHandle, filter: string): void {
    const device = this.#devices[handle.id]
    if (filter === `not on ${device}`) throw Object.assign(new Error('the filter does not compile'), { code: 'EFILTER' })
    this.filters.set(device, filter)
  }
}

const OPTIONS = { filter: '', snapLen: 96, bufferBytes: 1 << 20, isPromiscuous: true, fanoutGroup: -1 }

function sourceOn(ring: FakeRing, ...devices: string[]): RingSource {
  return new RingSource(
    ring,
    devices.map((device, interfaceId) => ({ ...OPTIONS, device, interfaceId })),
  )
}

interface Seen {
  us: number
  of: number
  what: 'packet' | 'tick' | 'loss'
}

function recordsOf(slab: Slab | null): Seen[] {
  const seen: Seen[] = []
  for (let at = slab?.start ?? 0; slab !== null && at < slab.end; at += REC_HEADER_LEN + u32le(slab.bytes, at + REC_CAP_LEN)) {
    const wireLen = u32le(slab.bytes, at + REC_WIRE_LEN)
    const what = wireLen === TICK ? 'tick' : wireLen === LOSS ? 'loss' : 'packet'
    seen.push({ us: recordTimeUs(slab.bytes, at) - BASE_US, of: slab.interfaceId, what })
  }
  return seen
}

async function takeAll(source: RingSource, turns: number): Promise<Seen[]> {
  const seen: Seen[] = []
  for (let turn = 0; turn < turns; turn++) seen.push(...recordsOf(await source.next(10)))
  return seen
}

test('two interfaces come in one order of time', async () => {
  const ring = new FakeRing()
  ring.script('a', [{ packets: [1, 4, 5] }, { packets: [9] }, { emptyAt: 5e6 }])
  ring.script('b', [{ packets: [2, 3, 6] }, { packets: [7, 10] }, { emptyAt: 5e6 }])
  const packets = (await takeAll(sourceOn(ring, 'a', 'b'), 12)).filter(({ what }) => what === 'packet')
  expect(packets.map(({ us, of }) => `${us}${'ab'[of]}`)).toEqual(['1a', '2b', '3b', '4a', '5a', '6b', '7b', '9a', '10b'])
})

test('a packet waits while another interface may still show an earlier one', async () => {
  const ring = new FakeRing()
  const a = ring.script('a', [{ packets: [900_000] }])
  const b = ring.script('b', [{ emptyAt: 900_001 }])
  const source = sourceOn(ring, 'a', 'b')
  expect(await takeAll(source, 3)).toMatchObject([{ what: 'tick', of: 1 }])
  b.steps.push({ emptyAt: 1_000_000 })
  expect((await takeAll(source, 3)).filter(({ what }) => what === 'packet')).toEqual([{ us: 900_000, of: 0, what: 'packet' }])
  expect(a.steps).toEqual([])
})

test('silence gives a tick a second, behind the clock by what the kernel may hold back', async () => {
  const ring = new FakeRing()
  ring.script('a', [{ emptyAt: 1e6 }, { emptyAt: 1.1e6 }, { emptyAt: 1.9e6 }, { emptyAt: 2e6 }, { packets: [2.1e6] }])
  const seen = await takeAll(sourceOn(ring, 'a'), 6)
  expect(seen.map(({ what }) => what)).toEqual(['tick', 'tick', 'packet'])
  expect(seen[0].us).toBeLessThan(1e6 - 20_000)
  expect(seen[1].us).toBeGreaterThanOrEqual(seen[0].us + 1e6)
})

test('losses are told when they grow, also over a 32-bit wrap, and at the end', async () => {
  const ring = new FakeRing()
  const a = ring.script('a', [{ packets: [1] }])
  a.dropped = 0xfffffff0
  const source = sourceOn(ring, 'a')
  const first = await source.next(0)
  expect(recordsOf(first).map(({ what }) => what)).toEqual(['packet', 'loss'])
  a.dropped = 4
  const [last] = [...source.drain()]
  expect(recordsOf(last).map(({ what }) => what)).toEqual(['loss'])
  expect(u64le(last.bytes, REC_HEADER_LEN + LOSS_BY_KERNEL)).toBe(0xfffffff0 + 20)
  expect(source.interfaces[0]).toMatchObject({ droppedByKernel: 0xfffffff0 + 20 })
})

test('an interface that goes away is opened again when it is back', async () => {
  const ring = new FakeRing()
  const a = ring.script('a', [{ packets: [1] }, 'gone'])
  const source = sourceOn(ring, 'a')
  expect((await takeAll(source, 1)).length).toBe(1)
  a.isAbsent = true
  await takeAll(source, 1)
  expect(source.interfaces[0]).toMatchObject({ state: 'gone', fault: 'The interface disappeared', reopenings: 0 })
  await takeAll(source, 20)
  expect(source.interfaces[0].fault).toBe('No such device exists')
  a.isAbsent = false
  a.steps.push({ packets: [7] })
  const later = await takeAll(source, 80)
  expect(later.filter(({ what }) => what === 'packet').map(({ us }) => us)).toEqual([7])
  expect(source.interfaces[0]).toMatchObject({ state: 'up', fault: '', reopenings: 1 })
})

test('an unknown interface at start is an error that names it', () => {
  const ring = new FakeRing()
  ring.script('a', [])
  expect(() => sourceOn(ring, 'a', 'b')).toThrow(OpenError)
})

test('another filter holds on all interfaces, or on none', () => {
  const ring = new FakeRing()
  for (const device of ['a', 'b']) ring.script(device, [])
  const source = sourceOn(ring, 'a', 'b')
  source.changeFilter('udp')
  expect([...ring.filters]).toEqual([
    ['a', 'udp'],
    ['b', 'udp'],
  ])
  expect(() => source.changeFilter('not on b')).toThrow('the filter does not compile')
  expect([...ring.filters]).toEqual([
    ['a', 'udp'],
    ['b', 'udp'],
  ])
  expect(source.interfaces.map((one) => one.filter)).toEqual(['udp', 'udp'])
})
