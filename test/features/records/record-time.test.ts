/** Times as CICFlowMeter, nfdump, Zeek and NetFlow collectors write them. */
import { expect, test } from 'vitest'
import { recordTime } from '../../../src/features/records/record-time.ts'

const at = (iso: string): number => Date.parse(iso) * 1000

test.each([
  ['1655071198.444458', 1655071198444458, 1],
  ['1655071198', 1655071198e6, 1e6],
  ['1655071198444', 1655071198444e3, 1000],
  ['1655071198444458', 1655071198444458, 1],
  ['19.981745', 19981745, 1],
  ['2017-07-07 18:14:51.411665', at('2017-07-07T18:14:51.411Z') + 665, 1],
  ['2026-11-20T10:02:33.135', at('2026-11-20T10:02:33.135Z'), 1000],
  ['2026-11-20T10:02:33.135+0200', at('2026-11-20T08:02:33.135Z'), 1000],
  ['2019-10-02 07:53:05', at('2019-10-02T07:53:05Z'), 1e6],
  ['22/02/2018 09:14:07', at('2018-02-22T09:14:07Z'), 1e6],
  ['22/02/2018 09:14:07 PM', at('2018-02-22T21:14:07Z'), 1e6],
  ['7/7/2017 3:30', at('2017-07-07T03:30:00Z'), 60e6],
  ['2/22/2018 12:00:01 AM', at('2018-02-22T00:00:01Z'), 1e6],
])('%s', (text, us, grainUs) => {
  expect(recordTime(text)).toEqual({ us, grainUs })
})

test.each(['', 'never', '31/02/2018 09:14:07', '2019-13-02 07:53:05', '12:30'])('%s is no time', (text) => {
  expect(recordTime(text)).toBeNull()
})
