import { describe, expect, test } from 'vitest'
import { makeAlertLine } from '../../src/explain/alert-line.ts'
import { renderReport } from '../../src/explain/report.ts'
import { verifierOf, verifyReport } from '../../src/explain/verify.ts'
import { AlertValues, strayWords } from '../../src/explain/verify-values.ts'
import { ENVELOPE, SAMPLES } from './alert-samples.ts'

const CASES = SAMPLES.map((sample) => {
  const line = makeAlertLine(sample(), ENVELOPE)
  return { id: line.alert.id, line, report: renderReport(line) }
})

/** Every text that differs from `text` in one digit, with where. */
function* oneDigitChanged(text: string): Generator<{ text: string; at: number }> {
  for (const match of text.matchAll(/\d/g)) {
    const other = String((Number(match[0]) + 1 + (match.index % 9)) % 10)
    yield { text: text.slice(0, match.index) + other + text.slice(match.index + 1), at: match.index }
  }
}

describe.each(CASES)('verify: $id', ({ line, report }) => {
  test('a report as it was rendered has no fault', () => {
    expect(verifyReport(line, report.markdown, report.pictures)).toEqual([])
  })

  test('any one digit changed is a fault', () => {
    const verify = verifierOf(line)
    let changes = 0
    for (const changed of oneDigitChanged(report.markdown)) {
      changes++
      if (verify(changed.text).length === 0) throw new Error(`digit at ${changed.at} went unnoticed`)
    }
    expect(changes).toBeGreaterThan(500)
  })

  test('most digits changed are noticed without the renderer too', () => {
    const values = new AlertValues(JSON.parse(line.text))
    let noticed = 0
    let total = 0
    for (const text of report.markdown.split('\n')) {
      for (const changed of oneDigitChanged(text)) {
        total++
        if (strayWords(changed.text, values).length > 0) noticed++
      }
    }
    expect(noticed / total).toBeGreaterThan(0.9)
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
  ])('%s', (text) => {
    expect(strayWords(text, values)).toHaveLength(1)
  })
})
