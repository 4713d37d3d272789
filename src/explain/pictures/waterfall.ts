/**
 * From prior to likelihood, one factor a line: which evidence carries the verdict, and what holds it back.
 *
 * In:  an alert's arithmetic. Out: an SVG: the odds across, on a logarithmic scale marked in per cent; and the same as table rows.
 * Not: a scale of likelihoods: a factor of ten is as wide wherever it stands, which is what makes factors comparable.
 */
import type { AlertEvent, LikelihoodStep } from '../../score/evidence.ts'
import { probability } from '../../score/fusion.ts'
import { percentText, smallPercentText } from '../../score/number.ts'
import { element, label, line, type Picture, titled } from './svg.ts'

const WIDTH = 640
const LEFT = 232
const RIGHT = 84
const TOP = 66
const ROW = 26
const BAR = 14
/** Marks of the scale: log10 of the odds of each per cent. */
const MARKS = [0.001, 0.01, 0.1, 0.5, 0.9, 0.99, 0.999] as const
const NAME_CHARS_MAX = 34

interface Row {
  name: string
  factor: string
  /** log10 odds before and after. */
  from: number
  to: number
}

export function waterfallPicture(alert: AlertEvent): Picture {
  const rows = rowsOf(alert)
  const all = rows.flatMap((row) => [row.from, row.to])
  const least = Math.min(-2, ...all) - 0.25
  const most = Math.max(1, ...all) + 0.25
  const x = (log10: number): number => LEFT + ((log10 - least) / (most - least)) * (WIDTH - LEFT - RIGHT)
  const bottom = TOP + rows.length * ROW
  const marks = MARKS.map((p) => ({ p, log10: Math.log10(p / (1 - p)) })).filter(({ log10 }) => log10 >= least && log10 <= most)
  return {
    width: WIDTH,
    height: bottom + 40,
    title: 'From prior to likelihood',
    description: `${rows.map((row) => `${row.name} ${row.factor} to ${shown(row.to)}`).join('; ')}.`,
    items: [
      label('From prior to likelihood', { x: 12, y: 20, class: 'strong' }),
      element('rect', { x: 12, y: 31, width: 24, height: 11, class: 'raises' }),
      label('speaks for malice', { x: 44, y: 41, class: 'small' }),
      element('rect', { x: 160, y: 31, width: 24, height: 11, class: 'lowers' }),
      label('speaks against it, or limits it', { x: 192, y: 41, class: 'small' }),
      ...marks.flatMap(({ p, log10 }) => [
        line(x(log10), TOP - 6, x(log10), bottom + 4, p === 0.5 ? 'axis' : 'grid'),
        label(markText(p), { x: x(log10), y: bottom + 18, 'text-anchor': 'middle', class: 'small' }),
      ]),
      label('likelihood so far, on a scale of odds', {
        x: (LEFT + WIDTH - RIGHT) / 2,
        y: bottom + 34,
        'text-anchor': 'middle',
        class: 'small',
      }),
      label('factor', { x: WIDTH - RIGHT + 42, y: TOP - 12, 'text-anchor': 'end', class: 'small' }),
      label('then', { x: WIDTH - 4, y: TOP - 12, 'text-anchor': 'end', class: 'small' }),
      ...rows.map((row, i) => drawnRow(row, TOP + i * ROW, x, { isPrior: i === 0, isLast: i === rows.length - 1 })),
    ],
  }
}

function markText(p: number): string {
  return `${Number((p * 100).toPrecision(3))} %`
}

interface Place {
  isPrior: boolean
  isLast: boolean
}

function drawnRow(row: Row, y: number, x: (log10: number) => number, { isPrior, isLast }: Place): string {
  const middle = y + BAR / 2 + 4
  const [left, right] = [Math.min(x(row.from), x(row.to)), Math.max(x(row.from), x(row.to))]
  const mark = isPrior
    ? element('circle', { cx: x(row.to), cy: y + BAR / 2, r: 5, class: 'usual' })
    : element('rect', { x: left, y, width: Math.max(1.5, right - left), height: BAR, class: row.to >= row.from ? 'raises' : 'lowers' })
  const tie = isLast ? [] : [line(x(row.to), y + BAR, x(row.to), y + ROW, 'tie')]
  const squeeze = row.name.length > NAME_CHARS_MAX ? { textLength: LEFT - 30, lengthAdjust: 'spacingAndGlyphs' } : {}
  return titled(`${row.name}: ${row.factor}, ${shown(row.to)}`, [
    label(row.name, { x: LEFT - 14, y: middle, 'text-anchor': 'end', class: 'small', ...squeeze }),
    mark,
    ...tie,
    label(row.factor, { x: WIDTH - RIGHT + 42, y: middle, 'text-anchor': 'end', class: 'small strong' }),
    label(shown(row.to), { x: WIDTH - 4, y: middle, 'text-anchor': 'end', class: 'small' }),
  ])
}

function rowsOf(alert: AlertEvent): Row[] {
  let sum = 0
  return alert.arithmetic.map((step, i) => {
    const from = i === 0 ? step.log10 : sum
    sum += step.log10
    return { name: nameOf(step, alert), factor: i === 0 ? '' : factorOf(step), from, to: sum }
  })
}

function factorOf(step: LikelihoodStep): string {
  return step.name === 'cap' ? 'limit' : step.text
}

function nameOf(step: LikelihoodStep, alert: AlertEvent): string {
  if (step.name === 'prior') return 'prior of this kind'
  if (step.name === 'cap') return 'limit'
  const [strongest] = step.evidenceIds
  const named = [...alert.evidence, ...alert.benign].find((evidence) => evidence.id === strongest)?.label ?? step.name
  return `${named} (${step.evidenceIds.join(', ')})`
}

function shown(log10: number): string {
  const p = probability(log10)
  return p < 0.0095 ? smallPercentText(p) : percentText(p)
}

/** The picture's facts: what, its factor, the likelihood after it. */
export function waterfallRows(alert: AlertEvent): string[][] {
  return rowsOf(alert).map((row) => [row.name, row.factor, shown(row.to)])
}
