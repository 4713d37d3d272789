/** What a reload puts in force, key by key. */
import { expect, test } from 'vitest'
import { loadConfig } from '../src/config.ts'
import { planReload } from '../src/live/reload.ts'

test('what can change at once holds, what cannot keeps its old value, and both are named', () => {
  const before = loadConfig({})
  const settings = ['alerts.likelihood_min=0.7', 'alerts.episodes_max=64', 'flow.idle_udp_s=5', 'log.level=warn', 'capture.buffer_KiB=128']
  const plan = planReload(before, loadConfig({ settings: [...settings, 'networks.internal=[192.0.2.0/24]'] }))
  expect(plan.atOnce.sort()).toEqual(['alerts.likelihood_min', 'log.level', 'networks.internal'])
  expect(plan.later.sort()).toEqual(['alerts.episodes_max', 'capture.buffer_KiB', 'flow.idle_udp_s'])
  expect(plan.inForce.alerts).toEqual({ ...before.alerts, likelihood_min: 0.7 })
  expect({ flow: plan.inForce.flow, capture: plan.inForce.capture }).toEqual({ flow: before.flow, capture: before.capture })
})

test('the same configuration changes nothing', () => {
  const before = loadConfig({})
  expect(planReload(before, loadConfig({}))).toEqual({ inForce: before, atOnce: [], later: [] })
})
