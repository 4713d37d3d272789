/**
 * How many slow connections one client held open at a time, and from how many on it counts.
 *
 * In:  steps in order of time. Out: an SVG: time across (to scale), connections up; the threshold across.
 */
import type { PictureData } from '../../score/evidence.ts'
import { countText, durationText, sentences } from '../words.ts'
import { axes, heading, niceCeiling, PLOT, PLOT_BOTTOM, PLOT_WIDTH, thresholdLegend, thresholdLine, underAxis } from './plot.ts'
import { element, type Picture, px } from './svg.ts'

type Concurrent = Extract<PictureData, { picture: 'concurrent' }>

export function concurrentPicture({ points, threshold }: Concurrent): Picture {
  const most = Math.max(1, ...points.map(({ open }) => open))
  const max = niceCeiling(Math.max(most, threshold) * 1.02)
  const [first, last] = [points[0].atUs, points[points.length - 1].atUs]
  const spanUs = Math.max(1, last - first)
  const x = (atUs: number): string => px(PLOT.left + ((atUs - first) / spanUs) * PLOT_WIDTH)
  const y = (open: number): string => px(PLOT_BOTTOM - (open / max) * PLOT.height)
  const steps = points.flatMap(({ atUs, open }, i) => [...(i === 0 ? [] : [`H${x(atUs)}`]), `V${y(open)}`])
  const path = `M${x(first)} ${y(0)}${steps.join('')}V${y(0)}Z`
  return {
    width: PLOT.width,
    height: PLOT_BOTTOM + 30,
    title: 'Slow connections open at one time',
    description: sentences(
      `Over ${durationText(last - first)} the most at one time were ${countText(most)},`,
      `where ${countText(threshold)} are the threshold.`,
    ),
    items: [
      ...heading('Slow connections open at one time', 'Of this client with this service, to scale of time.'),
      ...thresholdLegend(`threshold: ${countText(threshold)} at one time`),
      ...axes(max, (value) => countText(value)),
      element('path', { d: path, class: 'area' }),
      thresholdLine(threshold, max),
      ...underAxis('first', '', `${durationText(last - first)} later`),
    ],
  }
}
