/**
 * How long the silences between calls were: a clock makes one column, chance a slope.
 *
 * In:  the gaps that the test of the clock was made on. Out: an SVG: length of a gap across (to scale), how many up; the band that counts
 *      as on the clock is shaded.
 */
import type { PictureData } from '../../score/evidence.ts'
import { countOf, countText, durationText, sentences, shareText } from '../words.ts'
import { axes, bar, heading, PLOT, PLOT_BOTTOM, PLOT_WIDTH } from './plot.ts'
import { element, label, type Picture, titled } from './svg.ts'

type Gaps = Extract<PictureData, { picture: 'gaps' }>

/** A column is a tenth of the middle gap wide. */
const COLUMNS_A_PERIOD = 10
const PERIODS_MAX = 4

export function gapsPicture(data: Gaps): Picture {
  const { gapsUs, medianUs, tolerance } = data
  const longest = Math.max(...gapsUs)
  const periods = Math.min(PERIODS_MAX, Math.max(2, Math.ceil(longest / medianUs + 0.05)))
  const columns = columnsOf(data, periods)
  const beyond = gapsUs.filter((gapUs) => gapUs > (periods + 0.05) * medianUs).length
  const most = Math.max(2, ...columns.map(({ on, off }) => on + off))
  const max = most + (most % 2)
  const slot = PLOT_WIDTH / columns.length
  const x = (share: number): number => PLOT.left + (share * COLUMNS_A_PERIOD + 0.5) * slot
  return {
    width: PLOT.width,
    height: PLOT_BOTTOM + 44,
    title: 'Gaps between calls',
    description: sentences(
      `${countText(data.close)} of ${countOf(gapsUs.length, 'gap')} lie within ${shareText(tolerance)} of ${durationText(medianUs)} or a small multiple;`,
      `the shortest is ${durationText(Math.min(...gapsUs))}, the longest ${durationText(longest)}.`,
    ),
    items: [
      ...heading(
        'Gaps between calls',
        `Each column is a tenth of the middle gap wide. ${beyond > 0 ? `${countText(beyond)} longer than drawn.` : ''}`.trim(),
      ),
      element('rect', { x: 12, y: 44, width: 24, height: 10, class: 'band' }),
      label(`shaded: within ${shareText(tolerance)} of the middle gap; orange: so near to it or to a small multiple`, {
        x: 44,
        y: 53,
        class: 'small',
      }),
      element('rect', { x: x(1 - tolerance), y: PLOT.top, width: x(1 + tolerance) - x(1 - tolerance), height: PLOT.height, class: 'band' }),
      ...axes(max, (value) => countText(value)),
      ...columns.flatMap((count, i) => (count.on + count.off === 0 ? [] : [column(count, i, slot, max, medianUs)])),
      ...periodLabels(periods, medianUs, x),
      label('length of the gap', { x: PLOT.left + PLOT_WIDTH / 2, y: PLOT_BOTTOM + 36, 'text-anchor': 'middle', class: 'small' }),
    ],
  }
}

/** Gaps of one column: those that keep to the clock, and the others. */
interface Count {
  on: number
  off: number
}

function columnsOf({ gapsUs, medianUs, tolerance }: Gaps, periods: number): Count[] {
  const columns = Array.from({ length: periods * COLUMNS_A_PERIOD + 1 }, () => ({ on: 0, off: 0 }))
  for (const gapUs of gapsUs) {
    const column = columns[Math.min(columns.length - 1, Math.round((gapUs / medianUs) * COLUMNS_A_PERIOD))]
    const multiple = Math.max(1, Math.round(gapUs / medianUs))
    if (Math.abs(gapUs - multiple * medianUs) <= tolerance * medianUs) column.on++
    else column.off++
  }
  return columns
}

function column({ on, off }: Count, i: number, slot: number, max: number, medianUs: number): string {
  const height = (count: number): number => (count / max) * PLOT.height
  const x = PLOT.left + i * slot + 1
  const width = Math.max(1, slot - 2)
  return titled(`about ${durationText((i * medianUs) / COLUMNS_A_PERIOD)}: ${countOf(on + off, 'gap')}, ${countText(on)} on the clock`, [
    ...(on === 0 ? [] : [bar(x, PLOT_BOTTOM - height(on), width, height(on), 'raises')]),
    ...(off === 0 ? [] : [bar(x, PLOT_BOTTOM - height(on + off), width, height(off), 'usual')]),
  ])
}

function periodLabels(periods: number, medianUs: number, x: (share: number) => number): string[] {
  return Array.from({ length: periods }, (_, i) =>
    label(durationText((i + 1) * medianUs), {
      x: Math.min(x(i + 1), PLOT.width - PLOT.right),
      y: PLOT_BOTTOM + 18,
      'text-anchor': i + 1 === periods ? 'end' : 'middle',
      class: 'small',
    }),
  )
}
