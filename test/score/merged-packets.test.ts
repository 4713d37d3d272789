/** Packets that the capturing host merged: known of the flow, no evidence by their sizes and number, and a lower stated confidence. */
import { describe, expect, test } from 'vitest'
import { loadConfig } from '../../src/config.ts'
import { NOTHING_COUNTED } from '../../src/context/capture-history.ts'
import { tableLimits } from '../../src/flow/limits.ts'
import { Meter } from '../../src/flow/meter.ts'
import { judge } from '../../src/judge.ts'
import { confidenceSteps } from '../../src/score/capture-quality.ts'
import type { Look } from '../../src/score/detectors/detector.ts'
import { measure, SURPRISAL_FEATURES } from '../../src/score/surprisal/features.ts'
import { openAnalyst } from '../../src/sensor.ts'
import { type Frame, slabsOf } from '../capture/records.ts'
import { BASE_SEC, conversation } from '../flow/conversation.ts'
import { range } from './flows.ts'

const visibility = { ...NOTHING_COUNTED, bothHalves: null, inputDamage: null, source: 'file' as const }

/** An upload of 42,000 octets, as the wire carried it or as a card with receive offload handed it on. */
function upload(port: number, at: number, payloads: readonly number[]): Frame[] {
  const c = conversation({ client: { address: '10.0.0.5', port }, server: { address: '198.51.100.7', port: 443 } })
  return [
    c.tcp(at, '>', 'S'),
    c.tcp(at + 0.1, '<', 'SA'),
    c.tcp(at + 0.2, '>', 'A'),
    ...payloads.map((len, i) => c.tcp(at + 0.3 + i / 100, '>', 'PA', len)),
    c.tcp(at + 2, '<', 'PA', 300),
    c.tcp(at + 2.1, '>', 'FA'),
    c.tcp(at + 2.2, '<', 'FA'),
  ]
}

function looksOf(frames: Frame[]): Look[] {
  const config = loadConfig({})
  const looks: Look[] = []
  const analyst = openAnalyst(
    config,
    BASE_SEC,
    () => visibility,
    () => {},
    { onLook: (look) => looks.push(look) },
  )
  const meter = new Meter({ ...tableLimits(config.flow), maxFlows: 256 }, (batch) => judge(batch, analyst))
  for (const slab of slabsOf(frames)) meter.meterSlab(slab)
  meter.finish()
  return looks
}

function valuesOf(look: Look): Record<string, number> {
  const out = new Float64Array(SURPRISAL_FEATURES.length)
  measure(look.judged, look.observed, BASE_SEC, out)
  return Object.fromEntries(SURPRISAL_FEATURES.map(({ name }, i) => [name, out[i]]))
}

const wire = upload(
  40_000,
  1,
  range(30).map(() => 1400),
)
const merged = upload(40_001, 10, [14_000, 14_000, 14_000])
const OF_PACKETS = [
  'client_packets',
  'server_packets',
  'client_packet_bytes',
  'server_packet_bytes',
  'gap_mean_ms',
  'gap_variation',
  'client_packet_std',
  'server_packet_std',
]

describe('packets merged by receive offload', () => {
  test('are counted in their flow and in no other', () => {
    const looks = looksOf([
      ...wire,
      ...merged,
      ...upload(
        40_002,
        20,
        range(3).map(() => 1400),
      ),
    ])
    expect(looks.map(({ judged }) => judged.flow.mergedPackets ?? 0)).toEqual([0, 3, 0])
  })

  test('nothing is unusual by their sizes, number and gaps; octets and duration stand', () => {
    const [plain, odd] = looksOf([...wire, ...merged]).map(valuesOf)
    for (const name of OF_PACKETS) expect([name, Number.isNaN(plain[name]), Number.isNaN(odd[name])]).toEqual([name, false, true])
    const others = Object.keys(plain).filter((name) => !OF_PACKETS.includes(name))
    expect(others.filter((name) => Number.isNaN(odd[name]) && !Number.isNaN(plain[name]))).toEqual([])
    expect([odd.client_bytes, odd.server_bytes]).toEqual([plain.client_bytes, plain.server_bytes])
  })
})

describe('what distorts a capture', () => {
  const seen = { ...visibility, packetsSeen: 10_000, acks: 500, ackGaps: 0, checksumsLooked: 400, missingShare: 0 }

  test('lowers the stated confidence by one step when it is more than a hundredth, whatever and however much it is', () => {
    expect(confidenceSteps({ ...seen, oversizePackets: 0, checksumsBad: 0, clockSteps: 0 })).toBe(0)
    expect(confidenceSteps({ ...seen, oversizePackets: 99 })).toBe(0)
    expect(confidenceSteps({ ...seen, oversizePackets: 100 })).toBe(1)
    expect(confidenceSteps({ ...seen, checksumsBad: 4 })).toBe(1)
    expect(confidenceSteps({ ...seen, clockSteps: 1 })).toBe(1)
    expect(confidenceSteps({ ...seen, oversizePackets: 9000, checksumsBad: 400, clockSteps: 9 })).toBe(1)
    expect(confidenceSteps({ ...seen, oversizePackets: 9000, missingShare: 0.02 })).toBe(2)
    expect(confidenceSteps({ ...seen, oversizePackets: 9000, missingShare: 0.5 })).toBe(2)
  })

  test('a wrong checksum among few says nothing', () => {
    expect(confidenceSteps({ ...seen, checksumsLooked: 20, checksumsBad: 1 })).toBe(0)
  })
})
