/** Gaps and timeouts as the configuration may set them, at the ends of what it allows. */
import { describe, expect, test } from 'vitest'
import { defaultsOf } from '../../src/base/option.ts'
import { tableLimits } from '../../src/flow/limits.ts'
import { FLOW_OPTIONS } from '../../src/flow/options.ts'
import { conversation } from './conversation.ts'
import { meterFrames } from './run-meter.ts'

describe('limits of the configuration', () => {
  test('seconds become microseconds, each in its place', () => {
    const limits = tableLimits({ ...defaultsOf(FLOW_OPTIONS), idle_tcp_new_s: 1, idle_tcp_established_s: 2, idle_tcp_closed_s: 3 }, 9)
    expect(limits).toMatchObject({ maxFlows: 262_144, activeUs: 120e6, idleTcpUs: [1e6, 2e6, 3e6], idleUdpUs: 60e6, idleIcmpUs: 30e6 })
    expect(limits).toMatchObject({
      activityGapUs: 5e6,
      subflowGapUs: 1e6,
      bulkGapUs: 1e6,
      bulkPacketsMin: 4,
      isVlanInKey: false,
      hashSeed: 9,
    })
  })

  test('an activity gap below the subflow gap still ends active periods', () => {
    const c = conversation()
    const frames = [0, 0.1, 0.7, 0.8, 3].map((t) => c.udp(t, '>'))
    const { rows } = meterFrames(frames, { activityGapUs: 0.5e6, subflowGapUs: 1e6 })
    expect(rows[0].features).toMatchObject({ idle_count: 2, idle_time_us: 2.8e6, active_max: 1e5, subflow_count: 2 })
  })

  test('with the longest active timeout a gap is as long as it was', () => {
    const activeUs = FLOW_OPTIONS.active_timeout_s.max * 1e6
    const c = conversation()
    const gapUs = activeUs - 1e6
    const { rows } = meterFrames([c.udp(0, '>'), c.udp(1, '>'), c.udp(1 + gapUs / 1e6, '>')], { activeUs, idleUdpUs: activeUs })
    expect(rows.length).toBe(1)
    expect(rows[0].features).toMatchObject({ flow_iat_max: gapUs, fwd_iat_max: gapUs, idle_max: gapUs, flow_iat_min: 1e6 })
    expect(rows[0].features.flow_iat_std).toBeCloseTo(Math.abs(gapUs - 1e6) / Math.SQRT2, 3)
  })

  test('with the longest active timeout a second of silence at a time adds up exactly', () => {
    const max = FLOW_OPTIONS.active_timeout_s.max
    const c = conversation()
    // All gaps are a second or a microsecond less: their squares, added, need more than the 53 bits of a double in half a day.
    const times = Array.from({ length: max }, (_, i) => i - (i % 2) * 1e-6)
    const { rows } = meterFrames(
      times.map((t) => c.udp(t, '>')),
      { activeUs: max * 1e6, idleUdpUs: 60e6 },
    )
    const gaps = times.slice(1).map((t, i) => BigInt(Math.round(t * 1e6) - Math.round(times[i] * 1e6)))
    const n = BigInt(gaps.length)
    const sum = gaps.reduce((a, b) => a + b, 0n)
    const scaled = n * gaps.reduce((a, b) => a + b * b, 0n) - sum * sum
    const variance = Number(scaled) / Number(n) / Number(n - 1n)
    expect(rows.length).toBe(1)
    expect(rows[0].features.flow_iat_std).toBeCloseTo(Math.sqrt(variance), 9)
  })
})
