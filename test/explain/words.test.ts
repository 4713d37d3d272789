import { describe, expect, test } from 'vitest'
import { makeAlertLine } from '../../src/explain/alert-line.ts'
import { claimSentence } from '../../src/explain/claims.ts'
import { proseText } from '../../src/explain/markdown.ts'
import { renderReport } from '../../src/explain/report.ts'
import { historyLegend } from '../../src/explain/tcp-words.ts'
import {
  bytesText,
  countOf,
  countText,
  durationText,
  exactTimeText,
  listText,
  measuredText,
  plainNumber,
  secondText,
  shareText,
} from '../../src/explain/words.ts'
import type { AlertEvent } from '../../src/score/evidence.ts'
import { ENVELOPE, horizontalScan, verticalScan } from './alert-samples.ts'

describe('words', () => {
  test('values without a text are rounded as evidence is', () => {
    expect([countText(0), countText(9999), countText(1_234_567)]).toEqual(['0', '9,999', '1,234,567'])
    expect([bytesText(0), bytesText(7948), bytesText(5_313_984)]).toEqual(['0 B', '7.9 kB', '5.3 MB'])
    expect([durationText(0), durationText(402), durationText(272.34e6)]).toEqual(['0 s', '402 µs', '4 min 32 s'])
    expect([shareText(0), shareText(0.97), shareText(1)]).toEqual(['0 %', '97 %', '100 %'])
  })
  test('times', () => {
    expect(secondText('2026-03-17T09:20:12.402118+0000')).toBe('2026-03-17 09:20:12 UTC')
    expect(exactTimeText('2026-03-17T09:20:12.402118+0000', 597_882)).toBe('2026-03-17 09:20:13')
    expect(secondText('yesterday')).toBe('yesterday')
  })
  test('small things', () => {
    expect([countOf(1, 'flow'), countOf(2, 'flow'), countOf(0, 'entry', 'entries')]).toEqual(['1 flow', '2 flows', '0 entries'])
    expect([listText([]), listText(['a']), listText(['a', 'b']), listText(['a', 'b', 'c'])]).toEqual(['', 'a', 'a and b', 'a, b and c'])
    expect(measuredText(null, plainNumber)).toBe('not measured')
    expect(plainNumber(3285.870755750274)).toBe('3285.87')
  })
})

describe('words of claims', () => {
  const claim = (template: string, ...texts: string[]) =>
    claimSentence({
      ...verticalScan().evidence[0],
      claim: template,
      measured: texts.map((text) => ({ v: Number(text), unit: 'count' as const, text })),
      names: ['many', '10.0.0.7'],
    })

  test.each([
    [claim('said {m0} times unasked', '1'), 'Said **1** time unasked.'],
    [claim('said {m0} times unasked', '11'), 'Said **11** times unasked.'],
    [claim('to {m0} addresses, of {m1} inside hosts', '1', '1'), 'To **1** address, of **1** inside host.'],
    [claim('{m0} of {m1} hosts', '1', '4'), '**1** of **4** hosts.'],
    [claim('nothing explains this for {x0}, nor for {x1}'), 'Nothing explains this for many sources, nor for `10.0.0.7`.'],
  ])('%s', (text, expected) => expect(text).toBe(expected))

  test('a command between backticks is code; nothing else in it is', () => {
    expect(proseText('compare (`arp -a`, `ip neigh`) *now*')).toBe('compare (`arp -a`, `ip neigh`) \\*now\\*')
    expect(proseText('an odd ` one')).toBe('an odd \\` one')
  })

  test('a legend names the letters that are there', () => {
    expect(historyLegend(['ShADadTtFf', ''])).toBe('s SYN, h SYN with ACK, a ACK, d data, f FIN, t data sent again')
    expect(historyLegend(['^dW'])).toBe('d data, w no room to receive, ^ the two ends were changed over')
    expect(historyLegend([''])).toBe('')
  })
})

describe('what an analyst stumbled over', () => {
  const rendered = (change: Partial<AlertEvent>): string =>
    renderReport(makeAlertLine({ ...horizontalScan(), ...change }, ENVELOPE)).markdown
  const { visibility } = horizontalScan()
  const whole = { ...visibility, packetsNotDecoded: 0, latePackets: 0, inputDamage: null }

  test('frames that were not decoded lower no count, lost ones do', () => {
    expect(rendered({ visibility: whole })).toContain('Nothing in the input is missing from this report.')
    const some = rendered({ visibility: { ...whole, packetsNotDecoded: 3 } })
    expect(some).toContain(
      '3 of 48,211 packets could not be decoded: what they carried is in no count here. Nothing else in the input is missing',
    )
    expect(some).not.toContain('lower bounds')
    expect(rendered({ visibility: { ...whole, lostByKernel: 3 } })).toContain('counts in this report are lower bounds')
  })

  test('a time is not told twice', () => {
    const { episode } = horizontalScan()
    const text = rendered({ episode: { ...episode, lastUs: episode.firstUs + 409_000, last: episode.first } })
    expect(text).toMatch(/- \d+ flows within 409 ms, in the second [\d-]+ [\d:]+ UTC\./)
  })

  test.each(['slow.http', 'flood.http'])('%s was answered: its addresses are real', (kind) => {
    expect(rendered({ kind })).not.toContain('a sender can write what it likes')
    expect(rendered({ kind: 'flood.syn' })).toContain('a sender can write what it likes')
  })

  test('a slice that has no room for all says that it keeps the first', () => {
    const slice = { source: 'files' as const, heldFrom: null, packetsMax: 1, bytesMax: 1e6, snapBytes: null }
    expect(rendered({ slice })).toMatch(/beside this report keeps the first of their \d+ packets, cut/)
    expect(rendered({ slice: { ...slice, packetsMax: 1e4 } })).toMatch(/beside this report keeps their \d+ packets, cut/)
    expect(rendered({})).toContain('No packets lie beside this report: none were asked for')
    expect(rendered({ flows: [] })).toContain('no single flow was kept whose they could be')
  })
})
