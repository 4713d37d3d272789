/**
 * The flow table against the model: random packets of few keys, from a seed, with times around every timeout.
 *
 *   FLOWSCRIBE_MODEL_SEED=7 FLOWSCRIBE_MODEL_PACKETS=10000000 npm test -- test/flow/table-model.test.ts
 */
import { expect, test } from 'vitest'
import type { Slab } from '../../src/capture/slab.ts'
import { FEATURES, featureVector } from '../../src/features/features.ts'
import type { FlowBatch } from '../../src/flow/batch.ts'
import type { Flow } from '../../src/flow/flow.ts'
import { Meter } from '../../src/flow/meter.ts'
import { readFlow } from '../../src/flow/read-flow.ts'
import { RowView } from '../../src/flow/row-view.ts'
import { fromEnvironment, type Random, seeded } from '../base/seeded.ts'
import { icmpMessage, ipPacket, tcpSegment, udpDatagram } from '../decode/frames.ts'
import { BASE_SEC } from './conversation.ts'
import { DEFAULT_LIMITS } from './run-meter.ts'
import { CLOCK_STEP_US, type ModelKey, type ModelPacket, type ModelRow, ModelTable } from './table-model.ts'

const SEED = fromEnvironment('FLOWSCRIBE_MODEL_SEED', 1)
const PACKETS = fromEnvironment('FLOWSCRIBE_MODEL_PACKETS', 1_000_000)

const S = 1e6
const ETHERNET_LEN = 14
const RECORD_LEN = 16

interface Template {
  key: ModelKey
  /** Headers as each end sends them: an Ethernet frame. */
  frames: readonly [Uint8Array, Uint8Array]
  headerLen: number
  ipHeaderLen: number
}

function frameOf(packet: Uint8Array): Uint8Array {
  const frame = new Uint8Array(ETHERNET_LEN + packet.length)
  frame[12] = packet[0] >> 4 === 6 ? 0x86 : 0x08
  frame[13] = packet[0] >> 4 === 6 ? 0xdd : 0x00
  frame.set(packet, ETHERNET_LEN)
  return frame
}

function templates(): Template[] {
  const made: Template[] = []
  const add = (
    proto: number,
    a: string,
    aPort: number,
    b: string,
    bPort: number,
    transport: (src: number, dst: number) => Uint8Array,
  ): void => {
    const frame = (from: string, to: string, src: number, dst: number): Uint8Array =>
      frameOf(ipPacket(from, to, { proto, header: transport(src, dst), payloadLen: 0 }))
    const frames = [frame(a, b, aPort, bPort), frame(b, a, bPort, aPort)] as const
    const headerLen = proto === 6 ? 20 : proto === 17 ? 8 : 0
    const key = { proto, ends: [`${a}:${aPort}`, `${b}:${bPort}`] as const, rank: made.length }
    made.push({ key, frames, headerLen, ipHeaderLen: a.includes(':') ? 40 : 20 })
  }
  const tcp = (src: number, dst: number): Uint8Array => tcpSegment(src, dst, { flags: 0 }).header
  const udp = (src: number, dst: number): Uint8Array => udpDatagram(src, dst, 0).header
  // In the order of their keys: address words from the first on, IPv4's are 0, 0, 0xffff and the address; then ports, then protocol.
  add(1, '10.0.0.1', 8, '10.0.0.2', 0, (src) => icmpMessage(src, 0, Uint8Array.of(0, 7, 0, 0)).header)
  add(253, '10.0.0.1', 0, '10.0.0.3', 0, () => new Uint8Array(8))
  for (let port = 1; port <= 4; port++) add(6, '10.0.0.1', port, '10.0.0.4', 80, tcp)
  for (let port = 1; port <= 2; port++) add(17, '10.0.0.1', port, '10.0.0.5', 53, udp)
  add(6, '127.0.0.1', 80, '127.0.0.1', 4000, tcp)
  add(6, '2001:db8::1', 9, '2001:db8::2', 80, tcp)
  add(17, '2001:db8::1', 9, '2001:db8::3', 80, udp)
  return made
}

const FLAGS = ['A', 'A', 'A', 'PA', 'PA', 'PA', 'PA', 'S', 'SA', 'FA', 'F', 'R', 'RA', 'SF', 'SR', 'FPU', '', 'APUEC', 'SEC'] as const
const TIMEOUTS = [1, 5, 30, 60, 120, 600].map((s) => s * S)

/** Times: mostly a little on, sometimes right at a timeout of a flow, sometimes late, seldom set back. */
function nextTime(random: Random, model: ModelTable, key: ModelKey): number {
  const now = Number.isFinite(model.now) ? model.now : 0
  const kind = random.below(1000)
  if (kind < 30) {
    const last = model.lastOf(key)
    const at = (last ?? now) + random.pick(TIMEOUTS) + random.below(3) - 1
    if (at >= now) return at
  }
  if (kind < 40) return now - random.below(25 * S)
  if (kind < 45) return now + random.pick(TIMEOUTS) + random.below(3) - 1
  if (kind < 60) return now + random.below(6 * S)
  if (kind < 100) return Math.floor(now / S + 1) * S
  if (kind < 200) return now
  if (random.below(20_000) === 0) return now - CLOCK_STEP_US - 5 * S - random.below(1000 * S)
  if (random.below(20_000) === 0) return now + random.below(86_400 * 400) * S
  return now + random.below(kind < 600 ? 300 : 0.7 * S)
}

function nextSequence(random: Random, next: number): number {
  const kind = random.below(20)
  if (kind < 15) return next
  if (kind < 18) return (next - random.below(4) + 2 ** 32) % 2 ** 32
  return kind === 18 ? (next + random.below(3000)) % 2 ** 32 : random.below(2 ** 32)
}

class Traffic {
  readonly #random: Random
  readonly #templates = templates()
  readonly #seqs: [number, number][] = this.#templates.map(() => [4_294_960_000, 2_147_480_000])

  constructor(seed: number) {
    this.#random = seeded(seed)
  }

  /** Makes the next packet, and writes its record. Returns where the record ends. */
  put(into: Uint8Array, view: DataView, at: number, model: ModelTable): { packet: ModelPacket; end: number } {
    const random = this.#random
    const index = random.below(this.#templates.length)
    const { key, frames, headerLen, ipHeaderLen } = this.#templates[index]
    const from = random.below(2) as 0 | 1
    const letters = key.proto === 6 ? random.pick(FLAGS) : ''
    const has = (letter: string): boolean => letters.includes(letter)
    const payload = random.below(3) === 0 ? 0 : random.below(10) === 0 ? random.below(1461) : 100
    const timeUs = nextTime(random, model, key)
    const window = random.below(6) === 0 ? 0 : 1 + random.below(65_535)
    const seq = nextSequence(random, this.#seqs[index][from])
    this.#seqs[index][from] = (seq + payload + (has('S') ? 1 : 0) + (has('F') ? 1 : 0)) % 2 ** 32

    const frame = frames[from]
    const ip = at + RECORD_LEN + ETHERNET_LEN
    const l4 = ip + ipHeaderLen
    const wireLen = frame.length + payload
    const sec = Math.floor(timeUs / S)
    into.set(frame, at + RECORD_LEN)
    view.setUint32(at, BASE_SEC + sec, true)
    view.setUint32(at + 4, (timeUs - sec * S) * 1000, true)
    view.setUint32(at + 8, frame.length, true)
    view.setUint32(at + 12, wireLen, true)
    const ipLen = frame.length - ETHERNET_LEN + payload
    if (ipHeaderLen === 40) view.setUint16(ip + 4, ipLen - 40)
    else view.setUint16(ip + 2, ipLen)
    if (key.proto === 6) {
      view.setUint32(l4 + 4, seq)
      into[l4 + 13] = [...'FSRPAUEC'].reduce((bits, letter, i) => bits | (has(letter) ? 1 << i : 0), 0)
      view.setUint16(l4 + 14, window)
    } else if (key.proto === 17) {
      view.setUint16(l4 + 4, 8 + payload)
    }
    // A protocol that is not read has no header of its own: its eight octets are payload.
    const counted = key.proto === 253 ? payload + 8 : payload
    const flags = { fin: has('F'), syn: has('S'), rst: has('R'), psh: has('P'), ack: has('A'), urg: has('U'), ece: has('E'), cwr: has('C') }
    const packet = { key, from, timeUs, flags, seq, window: key.proto === 6 ? window : 0, payload: counted, header: headerLen, ipLen }
    return { packet, end: at + RECORD_LEN + frame.length }
  }
}

function isNear(name: string, a: number | null, b: number | null): boolean {
  if (a === b) return true
  if (a === null || b === null) return false
  // Deviations of nearly equal values: the model's two passes are rounded, so its error counts against the values' size.
  const slack = /_std$|_variance$/.test(name) ? 1e-3 : 0
  return Math.abs(a - b) <= 1e-9 * Math.max(Math.abs(a), Math.abs(b)) + slack
}

/** All features are compared on one row of so many: it is most of the work. */
const FEATURES_EVERY = fromEnvironment('FLOWSCRIBE_MODEL_FEATURES_EVERY', 10)

interface FinishedRow {
  flow: Flow
  features: Record<string, number | null> | null
}

function collector(rows: FinishedRow[]): (batch: FlowBatch) => void {
  let count = 0
  return (batch) => {
    const view = RowView.of(batch)
    for (let i = 0; i < batch.count; i++) {
      view.moveTo(batch, i)
      rows.push({ flow: readFlow(view), features: count++ % FEATURES_EVERY === 0 ? featureVector(view) : null })
    }
  }
}

/** What differs between a row and the model's; empty when nothing does. */
function differences({ flow: row, features }: FinishedRow, model: ModelRow): string[] {
  const fwd = model.orig
  const bwd = 1 - model.orig
  const ends = [model.key.ends[fwd], model.key.ends[bwd]]
  const isIcmp = model.key.proto === 1
  const facts: readonly (readonly [string, unknown, unknown])[] = [
    ['proto', row.proto, model.key.proto],
    ['orig', isIcmp ? row.addr[0] : `${row.addr[0]}:${row.port[0]}`, isIcmp ? ends[0].split(':')[0] : ends[0]],
    ['resp', isIcmp ? row.addr[1] : `${row.addr[1]}:${row.port[1]}`, isIcmp ? ends[1].split(':')[0] : ends[1]],
    ['basis', row.directionBasis, model.basis],
    ['continuation', row.isContinuation, model.isContinuation],
    ['start', row.startUs, model.start],
    ['last', row.lastUs, model.last],
    ['end', row.endUs, model.end],
    ['reason', row.endReason, model.reason],
    ['connState', row.connState, model.connState],
    ['fwd packets', row.packets[0], model.packets[fwd]],
    ['bwd packets', row.packets[1], model.packets[bwd]],
    ['fwd payload', row.payloadBytes[0], model.payload[fwd]],
    ['bwd payload', row.payloadBytes[1], model.payload[bwd]],
  ]
  const wrong = facts.filter(([, a, b]) => a !== b).map(([name, a, b]) => `${name} ${String(a)}, not ${String(b)}`)
  if (features === null) return wrong
  return [
    ...wrong,
    ...Object.entries(model.features())
      .filter(([name, value]) => !isNear(name, features[name], value))
      .map(([name, value]) => `${name} ${features[name]}, not ${value}`),
  ]
}

test(`the flow table agrees with the model on ${PACKETS} random packets (seed ${SEED})`, { timeout: 120_000 + PACKETS / 10 }, () => {
  const traffic = new Traffic(SEED)
  const random = seeded(SEED + 1)
  const model = new ModelTable()
  const rows: FinishedRow[] = []
  const meter = new Meter(DEFAULT_LIMITS, collector(rows))
  const bytes = new Uint8Array(64 * 1024)
  const view = new DataView(bytes.buffer)
  let compared = 0
  let packets = 0
  const compare = (): void => {
    for (let i = 0; i < model.rows.length; i++) {
      const found = rows[i] === undefined ? ['missing'] : differences(rows[i], model.rows[i])
      if (found.length > 0)
        throw new Error(
          `seed ${SEED}, row ${compared + i}, in the first ${packets} packets, ${model.rows[i].key.ends.join(' ')}:\n${found.join('\n')}`,
        )
    }
    compared += model.rows.length
    rows.splice(0, model.rows.length)
    model.rows.length = 0
  }
  while (packets < PACKETS) {
    // Slabs of any length, so that the table's blocks fall anywhere.
    const count = 1 + random.below(200)
    const slab: Slab = { bytes, start: 0, end: 0, linkType: 1, interfaceId: 0 }
    for (let i = 0; i < count && packets < PACKETS; i++, packets++) {
      const { packet, end } = traffic.put(bytes, view, slab.end, model)
      slab.end = end
      model.meter(packet)
    }
    meter.meterSlab(slab)
    compare()
  }
  model.finish()
  meter.finish()
  compare()
  expect(rows.length).toBe(0)
  expect(meter.counters.decoded).toBe(PACKETS)
  // The traffic meets what it is meant to meet.
  expect(meter.table.counters.rowsEnded.map((n, reason) => (n > PACKETS / 1e5 ? -1 : reason)).filter((reason) => reason !== -1)).toEqual([
    5,
  ])
  expect(compared).toBeGreaterThan(PACKETS / 100)
})

test('the model works out every feature but those of ICMP errors', () => {
  const model = new ModelTable()
  const { packet } = new Traffic(1).put(new Uint8Array(2000), new DataView(new ArrayBuffer(2000)), 0, model)
  model.meter(packet)
  model.finish()
  const names = new Set(Object.keys(model.rows[0].features()))
  expect(FEATURES.map((feature) => feature.name).filter((name) => !names.has(name))).toEqual(['icmp_errors'])
})
