/**
 * A flow's packets found again: for every row of many captures, as many as the meter counted; what is left out when there is no room;
 * files of several link types; what was put aside.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { RunError } from '../../src/base/errors.ts'
import { eveTime } from '../../src/base/packet-time.ts'
import { openCapture } from '../../src/capture/open.ts'
import type { Slab } from '../../src/capture/slab.ts'
import { Meter } from '../../src/flow/meter.ts'
import { readFlow } from '../../src/flow/read-flow.ts'
import { RowView } from '../../src/flow/row-view.ts'
import type { KeptFlow } from '../../src/score/evidence.ts'
import { fairShares, Slice, type SliceBounds, sliceWantsOf } from '../../src/sink/slice.ts'
import { SliceCutter } from '../../src/sink/slice-cutter.ts'
import { putAside, writeSlice } from '../../src/sink/slice-file.ts'
import { fromEnvironment } from '../base/seeded.ts'
import { slabsOf } from '../capture/records.ts'
import { ethernetFrame, icmpMessage, ipPacket, tcpSegment, udpDatagram } from '../decode/frames.ts'
import { verticalScan } from '../explain/alert-samples.ts'
import { listFiles, PROJECT_CAPTURES, SHARED_DATA } from '../features/shared-data.ts'
import { DEFAULT_LIMITS } from '../flow/run-meter.ts'
import { temporaryFolder } from './endings.ts'

const SAMPLE = fromEnvironment('FLOWSCRIBE_SLICE_CAPTURES', 80)
const ROOMY: SliceBounds = { packetsMax: 1e9, bytesMax: 1e12, snapLen: 262_144 }
const FILES = { kind: 'files', reachesBackTo: null } as const
const UNCHECKED = { isDeduplicated: false, checksums: 'none' } as const
const hasTshark = spawnSync('tshark', ['--version']).status === 0

/** A metered row as an alert keeps it. */
function kept(row: RowView): KeptFlow {
  const flow = readFlow(row)
  const { connectionStartUs } = flow
  return {
    ...verticalScan().flows[0],
    id: flow.id,
    proto: flow.proto,
    addr: [...flow.addr],
    port: [...flow.port],
    start: eveTime(row.baseSec, flow.startUs),
    ...(connectionStartUs === undefined ? {} : { connectionStart: eveTime(row.baseSec, connectionStartUs) }),
    durationUs: flow.lastUs - flow.startUs,
    packets: [...flow.packets],
    ipBytes: [...flow.ipBytes],
  }
}

interface Metered {
  flows: KeptFlow[]
  /** Packets came late, or the clock was set back: then a row's times are not its packets'. */
  isDisordered: boolean
}

function meter(slabs: readonly Slab[], isVlanInKey = false): Metered {
  const flows: KeptFlow[] = []
  const limits = { ...DEFAULT_LIMITS, isVlanInKey, maxFlows: 65_536 }
  const metering = new Meter(
    limits,
    (batch) => {
      const row = RowView.of(batch)
      for (let i = 0; i < batch.count; i++) flows.push(kept(row.moveTo(batch, i)))
    },
    null,
    UNCHECKED,
  )
  for (const slab of slabs) metering.meterSlab(slab)
  metering.finish()
  const { latePackets, clockSteps } = metering.table.counters
  return { flows, isDisordered: latePackets + clockSteps > 0 }
}

function sliceOf(flows: readonly KeptFlow[], bounds = ROOMY): Slice {
  const wants = sliceWantsOf({ ...verticalScan(), flows: [...flows] })
  if (wants === null) throw new Error('wants nothing')
  return new Slice(wants, bounds)
}

function cut(slabs: readonly Slab[], flows: readonly KeptFlow[], isVlanInKey = false, bounds = ROOMY): Slice {
  const slice = sliceOf(flows, bounds)
  const cutter = new SliceCutter([slice], isVlanInKey)
  for (const slab of slabs) cutter.take(slab)
  return slice
}

const packetsOf = ({ packets }: KeptFlow): number => (packets[0] ?? 0) + (packets[1] ?? 0)

async function slabsIn(path: string): Promise<Slab[] | null> {
  const slabs: Slab[] = []
  try {
    const { bytes, reader } = await openCapture(path)
    for (let slab = await reader.next(); slab !== null; slab = await reader.next()) slabs.push({ ...slab, bytes: slab.bytes.slice() })
    await bytes.close()
    return slabs
  } catch (error) {
    if (error instanceof RunError) return null
    throw error
  }
}

describe('found again', () => {
  test('every row of every capture, by its own packets and no others', { timeout: 180_000 }, async () => {
    const shared = SHARED_DATA === null ? [] : [...listFiles(join(SHARED_DATA, 'format')), ...listFiles(join(SHARED_DATA, 'benign'))]
    const all = [...listFiles(PROJECT_CAPTURES), ...shared]
    const captures = all.filter((path) => /\.(pcap|pcapng|cap)(\.gz)?$/.test(path))
    const step = Math.max(1, Math.floor(captures.length / SAMPLE))
    let rows = 0
    const wrong: string[] = []
    for (const path of captures.filter((_, i) => i % step === 0)) {
      for (const isVlanInKey of [false, true]) {
        const slabs = await slabsIn(path)
        if (slabs === null) continue
        const { flows, isDisordered } = meter(slabs, isVlanInKey)
        if (flows.length === 0 || isDisordered) continue
        const { found } = cut(slabs, flows, isVlanInKey)
        rows += flows.length
        for (const [i, flow] of flows.entries())
          if (found[i] !== packetsOf(flow)) wrong.push(`${path} ${flow.proto} ${flow.addr} ${flow.port}: ${found[i]} of ${packetsOf(flow)}`)
      }
    }
    expect(rows).toBeGreaterThan(1000)
    expect(wrong.slice(0, 10)).toEqual([])
  })

  test('the same addresses and ports on two VLANs, and two pings, are two flows', () => {
    const udp = ipPacket('10.0.0.1', '10.0.0.2', udpDatagram(1000, 53, 10))
    const ping = (id: number): Uint8Array => ipPacket('10.0.0.1', '10.0.0.2', icmpMessage(8, 0, Uint8Array.of(id >> 8, id & 255, 0, 1)))
    const frames = [
      ethernetFrame(1e6, udp, 10, [10]),
      ethernetFrame(1e6, udp, 10, [20]),
      ethernetFrame(1e6 + 5, udp, 10, [10]),
      ethernetFrame(1e6 + 5, udp, 10, [20]),
      ethernetFrame(1e6 + 6, ping(7), 0),
      ethernetFrame(1e6 + 6, ping(8), 0),
    ]
    const slabs = [...slabsOf(frames)]
    const { flows } = meter(slabs, true)
    expect(flows.map(packetsOf).sort()).toEqual([1, 1, 2, 2])
    for (const flow of flows) expect(cut(slabs, [flow], true).found).toEqual([packetsOf(flow)])
    const { flows: joined } = meter(slabs, false)
    expect(joined.map(packetsOf).sort()).toEqual([1, 1, 4])
    expect(cut(slabs, joined).found).toEqual(joined.map(packetsOf))
  })

  test('rows that the active timeout cut: each has its own packets', () => {
    const segment = ipPacket('10.0.0.1', '10.0.0.2', tcpSegment(1000, 80, { flags: 0x10, payloadLen: 5 }))
    const frames = Array.from({ length: 300 }, (_, i) => ethernetFrame(i * 1e6, segment, 5))
    const slabs = [...slabsOf(frames)]
    const { flows } = meter(slabs)
    expect(flows.length).toBe(3)
    expect(flows.filter(({ connectionStart }) => connectionStart !== undefined).length).toBe(2)
    expect(cut(slabs, flows).found).toEqual(flows.map(packetsOf))
  })
})

describe('room', () => {
  test.each([
    [[1, 2, 3], 10, [1, 2, 3]],
    [[1, 20, 30], 11, [1, 5, 5]],
    [[Infinity, 2], 10, [8, 2]],
    [[5, 5, 5], 2, [0, 1, 1]],
    [[], 5, []],
  ])('%j of %d: %j', (needs, total, shares) => {
    expect(fairShares(needs, total)).toEqual(shares)
  })

  test('second copies take what nobody needs, and no more', () => {
    const udp = (port: number): Uint8Array => ipPacket('10.0.0.1', '10.0.0.2', udpDatagram(port, 53, 10))
    const single = [1, 2, 3, 4].map((i) => ethernetFrame(1e6 + i, udp(1000), 10))
    const { flows } = meter([...slabsOf(single)])
    const doubled = [...slabsOf(single.flatMap((frame) => [frame, frame]))]
    expect(cut(doubled, flows).records.length).toBe(8)
    const tight = cut(doubled, flows, false, { ...ROOMY, packetsMax: 5 })
    expect([tight.records.length, tight.leftOut]).toEqual([5, [3]])
  })
})

describe('files', () => {
  const frames = [1, 2, 3].map((i) => ethernetFrame(1e6 + i, ipPacket('10.0.0.1', '10.0.0.2', udpDatagram(1000, 53, 10)), 10))
  const slabs = [...slabsOf(frames)]
  const { flows } = meter(slabs)
  const read = (path: string): string[] =>
    execFileSync('tshark', ['-r', path, '-T', 'fields', '-e', 'frame.time_epoch', '-e', 'frame.encap_type'], { encoding: 'utf8' })
      .trim()
      .split('\n')

  test('several link types make a pcapng, and the pcap of an earlier cut goes', (context) => {
    context.skip(!hasTshark, 'no tshark (apt-get install tshark)')
    const folder = temporaryFolder()
    const slice = cut(slabs, flows)
    expect(writeSlice(folder, slice, FILES, false)).toBe(true)
    const mixed = cut(slabs, flows)
    // The same packet without its Ethernet header, as raw IP.
    mixed.records[1] = { ...mixed.records[1], linkType: 101 }
    writeSlice(folder, mixed, FILES, false)
    const day = join(folder, slice.wants.day)
    expect(readdirSync(day).sort()).toEqual([`${slice.wants.stem}.pcap.json`, `${slice.wants.stem}.pcapng`])
    expect(read(join(day, `${slice.wants.stem}.pcapng`)).map((line) => line.split('\t')[1])).toEqual(['1', '7', '1'])
  })

  test('nanoseconds are kept where there are any; a slice of nothing opens, too', (context) => {
    context.skip(!hasTshark, 'no tshark (apt-get install tshark)')
    const folder = temporaryFolder()
    const slice = cut([...slabsOf(frames.map((frame) => ({ ...frame, nsec: frame.nsec + 7 })))], flows)
    writeSlice(folder, slice, FILES, false)
    const path = join(folder, slice.wants.day, `${slice.wants.stem}.pcap`)
    expect(read(path)[0].split('\t')[0]).toMatch(/\.000001007$/)
    expect(writeSlice(folder, sliceOf(flows), FILES, false)).toBe(false)
    expect(read(path)).toEqual([''])
    expect(JSON.parse(readFileSync(`${path}.json`, 'utf8'))).toMatchObject({
      packets: 0,
      isComplete: false,
      missing: ['3 packets that were not found again'],
    })
  })

  test('what was put aside is in the file, in order', () => {
    const [whole, parts] = [temporaryFolder(), temporaryFolder()]
    writeSlice(whole, cut(slabs, flows), FILES, false)
    const slice = sliceOf(flows)
    const cutter = new SliceCutter([slice], false)
    for (const [i, slab] of [...slabsOf(frames.slice(0, 2)), ...slabsOf(frames.slice(2))].entries()) {
      cutter.take(slab)
      putAside(parts, slice, i === 0)
    }
    expect(slice.bytesAtHand).toBe(0)
    writeSlice(parts, slice, FILES, true)
    const name = join(slice.wants.day, `${slice.wants.stem}.pcap`)
    expect(readFileSync(join(parts, name)).equals(readFileSync(join(whole, name)))).toBe(true)
    expect(readdirSync(join(parts, slice.wants.day)).filter((one) => one.endsWith('.new'))).toEqual([])
  })

  test('an alert without addresses wants nothing', () => {
    const flow: KeptFlow = { ...flows[0], addr: [null, null] }
    expect(sliceWantsOf({ ...verticalScan(), flows: [flow] })).toBeNull()
  })
})
