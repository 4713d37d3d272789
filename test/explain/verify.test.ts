import { describe, expect, test } from 'vitest'
import { makeAlertLine } from '../../src/explain/alert-line.ts'
import { renderReport } from '../../src/explain/report.ts'
import { verifierOf, verifyReport } from '../../src/explain/verify.ts'
import { AlertValues, strayWords } from '../../src/explain/verify-values.ts'
import { ENVELOPE, SAMPLES } from './alert-samples.ts'
import { changeEachDigit, oneDigitChanged } from './digit-changes.ts'

const CASES = SAMPLES.map((sample) => {
  const line = makeAlertLine(sample(), ENVELOPE)
  return { id: line.alert.id, line, report: renderReport(line) }
})

describe.each(CASES)('verify: $id', ({ line, report }) => {
  test('a report as it was rendered has no fault', () => {
    expect(verifyReport(line, report.markdown, report.pictures)).toEqual([])
  })

  test('any one digit changed, in the text or in a picture, is a fault; most without the renderer, too', () => {
    const { changes, unnoticed, textChanges, noticedWithoutRenderer } = changeEachDigit(report, verifierOf(line))
    expect(unnoticed).toEqual([])
    expect(textChanges).toBeGreaterThan(500)
    expect(changes - textChanges).toBeGreaterThan(1000)
    expect(noticedWithoutRenderer / textChanges).toBeGreaterThan(0.9)
  })

  test('what a verifier remembers changes no answer', () => {
    const verify = verifierOf(line)
    for (const { text } of [...oneDigitChanged(report.markdown)].filter((_, i) => i % 53 === 0))
      expect(verify(text)).toEqual(verifyReport(line, text))
  })

  test('a changed picture, and one that is not of this alert, are faults', () => {
    const [picture] = report.pictures
    expect(verifyReport(line, report.markdown, [{ ...picture, svg: picture.svg.replace('</svg>', ' </svg>') }])).toHaveLength(1)
    expect(verifyReport(line, report.markdown, [{ ...picture, name: 'other.svg' }])).toHaveLength(1)
  })

  test('the first line that differs is shown', () => {
    const [fault] = verifyReport(line, report.markdown.replace('## Summary', '## Sumary'))
    expect(fault.lineNumber).toBe(5)
    expect(fault.message).toContain('expected: ## Summary')
    expect(fault.message).toContain('found:    ## Sumary')
  })
})

describe('verify: words that no value accounts for', () => {
  const { line } = CASES[0]
  const values = new AlertValues(JSON.parse(line.text))
  test.each([
    'failed on 99 ports',
    'from 10.0.0.8',
    'port 2222',
    'consistent with T1047',
    'at 2026-03-17 09:20:19 UTC',
    'community 1:wCb3OG7yAFWelaUydu0D+126CLM=',
    'within 1.3 s',
    'within 4 min 32 s',
    'likelihood 96 %',
    'weight ×33',
    'from 2001:db8::1',
    '48,212 packets',
    '4,8211 packets',
    '300 % of them',
    '| `fwd_packets` | 3 |',
    '| `flow_duration_us` | not measured |',
  ])('%s', (text) => {
    expect(strayWords(text, values)).toHaveLength(1)
  })
})
