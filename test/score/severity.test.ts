import { expect, it } from 'vitest'
import type { SeverityInput } from '../../src/score/severity.ts'
import { gradeSeverity } from '../../src/score/severity.ts'

const base: SeverityInput = {
  base: 1,
  isActorInternal: false,
  isFromOutside: false,
  success: null,
  scaleRatio: 1,
  answeredServers: null,
  likelihood: 0.95,
}

it.each<[string, Partial<SeverityInput>, string]>([
  ['nothing added', {}, 'low'],
  ['inside actor', { isActorInternal: true }, 'medium'],
  ['inside actor at ten times the threshold', { isActorInternal: true, scaleRatio: 10 }, 'high'],
  ['success and scale inside', { isActorInternal: true, success: 'x', scaleRatio: 10 }, 'critical'],
  ['critical needs 90 %', { isActorInternal: true, success: 'x', scaleRatio: 10, likelihood: 0.85 }, 'high'],
  ['critical needs success or scale', { base: 3, isActorInternal: true }, 'high'],
  ['high needs 80 %', { isActorInternal: true, scaleRatio: 10, likelihood: 0.7 }, 'medium'],
  ['under one half: low', { isActorInternal: true, likelihood: 0.4 }, 'low'],
  ['under one fifth: info', { isActorInternal: true, likelihood: 0.1 }, 'info'],
  ['unanswered from outside: info', { isFromOutside: true, answeredServers: 0, scaleRatio: 100 }, 'info'],
  ['answered from outside: low', { isFromOutside: true, answeredServers: 1, scaleRatio: 100 }, 'low'],
])('severity: %s', (_name, over, severity) => {
  const graded = gradeSeverity({ ...base, ...over })
  expect(graded.severity).toBe(severity)
  for (const reason of graded.why) expect(reason).not.toMatch(/\d/)
})
