/**
 * What variations of captures came to, in Markdown.
 *
 * In:  a `VariationsResult`. Out: text.
 */
import { alertText, table } from './text.ts'
import type { VariationRow, VariationsResult } from './variations.ts'
import { VARIATIONS } from './vary.ts'

export function variationsText({ rows, lost, falseAlerts, quietTried }: VariationsResult): string {
  const kinds = [...new Set(rows.map((row) => `${row.kind}|${row.howSure}`))].sort()
  const names = VARIATIONS.map(({ name }) => name)
  const cell = (of: readonly VariationRow[]): string => {
    const tried = of.reduce((sum, row) => sum + row.tried, 0)
    return tried === 0 ? '–' : `${of.reduce((sum, row) => sum + row.found, 0)}/${tried}`
  }
  return `${[
    '# Variations',
    'Each labelled attack judged again as it might have been captured elsewhere: found of tried. A variation that does not apply to a capture (other link layer, IPv6) is left out.',
    table(
      ['kind', 'how sure', ...names],
      [
        ...kinds.map((key) => {
          const [kind, howSure] = key.split('|')
          return [
            kind,
            howSure,
            ...names.map((name) => cell(rows.filter((row) => row.variation === name && `${row.kind}|${row.howSure}` === key))),
          ]
        }),
        ['**all**', '', ...names.map((name) => cell(rows.filter((row) => row.variation === name)))],
      ],
    ),
    '## No longer found',
    table(
      ['variation', 'capture', 'kind', 'how sure', 'packets', 'likeliest that remains'],
      lost.map((one) => [
        one.variation,
        one.file,
        one.kind,
        one.howSure,
        `${one.packets}`,
        one.best === null ? 'none' : alertText(one.best),
      ]),
    ),
    '## Alerts on varied quiet captures',
    `${quietTried} variations of quiet captures.`,
    table(
      ['variation', 'capture', 'alert'],
      falseAlerts.map((one) => [one.variation, one.file, alertText(one.alert)]),
    ),
  ].join('\n\n')}\n`
}
