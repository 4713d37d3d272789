/**
 * The frame that pictures with two axes share: heading, scales, ticks, a threshold that is told in the heading.
 *
 * In:  numbers. Out: SVG items, the same for the same input.
 * The invariant: a threshold's text stands in the heading beside a sample of its line, never on the plot, where bars may be.
 */
import { element, label, line } from './svg.ts'

export const PLOT = { width: 640, left: 84, right: 20, top: 64, height: 130 } as const
export const PLOT_BOTTOM = PLOT.top + PLOT.height
export const PLOT_WIDTH = PLOT.width - PLOT.left - PLOT.right

/** The least of 1, 2, 2.5, 5 times a power of ten that is `value` or more: a scale's end. */
export function niceCeiling(value: number): number {
  if (!(value > 0)) return 1
  const power = 10 ** Math.floor(Math.log10(value))
  const step = [1, 2, 2.5, 5, 10].find((factor) => factor * power >= value * (1 - 1e-9)) ?? 10
  return Number((step * power).toPrecision(3))
}

/** Heading, and one line of words under it. */
export function heading(title: string, words: string): string[] {
  return [label(title, { x: 12, y: 20, class: 'strong' }), label(words, { x: 12, y: 37, class: 'small' })]
}

/** A sample of the threshold's line and what it means, under the heading. */
export function thresholdLegend(words: string): string[] {
  return [line(12, 49, 36, 49, 'threshold'), label(words, { x: 44, y: 53, class: 'small' })]
}

/** Both axes, ticks at the end and the middle of the scale. */
export function axes(max: number, textOf: (value: number) => string): string[] {
  const y = (value: number): number => PLOT_BOTTOM - (value / max) * PLOT.height
  return [
    ...[max, max / 2].flatMap((value) => [
      line(PLOT.left, y(value), PLOT.width - PLOT.right, y(value), 'grid'),
      label(textOf(value), { x: PLOT.left - 8, y: y(value) + 4, 'text-anchor': 'end', class: 'small' }),
    ]),
    label('0', { x: PLOT.left - 8, y: PLOT_BOTTOM + 4, 'text-anchor': 'end', class: 'small' }),
    line(PLOT.left, PLOT_BOTTOM, PLOT.width - PLOT.right, PLOT_BOTTOM, 'axis'),
    line(PLOT.left, PLOT.top, PLOT.left, PLOT_BOTTOM, 'axis'),
  ]
}

/** Words under the axis: at its start, its middle, its end. */
export function underAxis(start: string, middle: string, end: string, bottom: number = PLOT_BOTTOM): string[] {
  const y = bottom + 18
  return [
    label(start, { x: PLOT.left, y, class: 'small' }),
    label(middle, { x: PLOT.left + PLOT_WIDTH / 2, y, 'text-anchor': 'middle', class: 'small' }),
    label(end, { x: PLOT.width - PLOT.right, y, 'text-anchor': 'end', class: 'small' }),
  ]
}

/** The threshold across the plot. */
export function thresholdLine(value: number, max: number): string {
  const y = PLOT_BOTTOM - (value / max) * PLOT.height
  return line(PLOT.left, y, PLOT.width - PLOT.right, y, 'threshold')
}

export function bar(x: number, y: number, width: number, height: number, className: string): string {
  return element('rect', { x, y, width, height: Math.max(0, height), class: className })
}
