/**
 * What arrived second by second, and the rate from which it counts as a flood.
 *
 * In:  the last minute of a destination. Out: an SVG: a column a second, to scale; the threshold across.
 * Not: what came before that minute.
 */
import type { PictureData } from '../../score/evidence.ts'
import { countText, sentences } from '../words.ts'
import { axes, bar, heading, niceCeiling, PLOT, PLOT_BOTTOM, PLOT_WIDTH, thresholdLegend, thresholdLine, underAxis } from './plot.ts'
import { type Picture, titled } from './svg.ts'

type Rate = Extract<PictureData, { picture: 'rate' }>

export function ratePicture({ what, perSecond, threshold }: Rate): Picture {
  const most = Math.max(1, ...perSecond)
  const max = niceCeiling(Math.max(most, threshold))
  const slot = PLOT_WIDTH / Math.max(1, perSecond.length)
  return {
    width: PLOT.width,
    height: PLOT_BOTTOM + 30,
    title: titleOf(what),
    description: sentences(
      `The busiest of ${countText(perSecond.length)} seconds brought ${countText(most)} ${what}`,
      threshold > 0 ? `where ${countText(threshold)} a second are the threshold.` : 'in all.',
    ),
    items: [
      ...heading(titleOf(what), 'One column a second, to scale.'),
      ...(threshold > 0 ? thresholdLegend(`threshold: ${countText(threshold)} a second`) : []),
      ...axes(max, (value) => countText(value)),
      ...perSecond.flatMap((value, i) => {
        if (value === 0) return []
        const height = Math.max(1, (value / max) * PLOT.height)
        const isOver = threshold > 0 && value >= threshold
        return [
          titled(`second ${i + 1}: ${countText(value)}`, [
            bar(PLOT.left + i * slot + 0.75, PLOT_BOTTOM - height, Math.max(1, slot - 1.5), height, isOver ? 'raises' : 'usual'),
          ]),
        ]
      }),
      ...(threshold > 0 ? [thresholdLine(threshold, max)] : []),
      ...underAxis(`${countText(perSecond.length)} seconds before`, '', 'newest second'),
    ],
  }
}

/** The words are a detector's: a lone one is a plain word, too. */
function titleOf(what: string): string {
  return `${what.charAt(0).toUpperCase()}${what.slice(1)} a second`
}
