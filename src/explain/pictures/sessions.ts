/**
 * Sessions to a login service: when, how large. Guessing makes a comb of equal teeth; a success stands out.
 *
 * In:  a brute-force episode's sessions. Out: an SVG: time across (to scale), bytes up (square-root scale).
 */
import type { PictureData } from '../../score/evidence.ts'
import { bytesText, countOf, countText, durationText, sentences } from '../words.ts'
import { element, label, line, type Picture, titled } from './svg.ts'

type Sessions = Extract<PictureData, { picture: 'sessions' }>

const LEFT = 78
const WIDTH = 820
const RIGHT = 20
const TOP = 56
const PLOT_HEIGHT = 130
const BAR_WIDTH = 4
/** What carried nothing still began. */
const HEIGHT_MIN = 4

export function sessionsPicture(data: Sessions): Picture {
  const { sessions } = data
  const startUs = Math.min(...sessions.map((s) => s.atUs))
  const endUs = Math.max(...sessions.map((s) => s.atUs))
  const largest = Math.max(1, ...sessions.map((s) => s.bytes))
  const spanUs = Math.max(1, endUs - startUs)
  const bottom = TOP + PLOT_HEIGHT
  const x = (atUs: number): number => LEFT + 8 + ((atUs - startUs) / spanUs) * (WIDTH - LEFT - RIGHT - 16)
  const y = (bytes: number): number => bottom - PLOT_HEIGHT * Math.sqrt(bytes / largest)
  const oddCount = sessions.filter((s) => s.odd).length
  const isBare = sessions.every((s) => s.bytes === 0)
  return {
    width: WIDTH,
    height: bottom + 50,
    title: 'Sessions by start and size',
    description: sentences(
      `${countOf(sessions.length, 'session')} over ${durationText(endUs - startUs)},`,
      isBare ? 'none with payload.' : `the largest ${bytesText(largest)}, ${countText(oddCount)} unlike the others.`,
    ),
    items: [
      label('Sessions by start and size', { x: 12, y: 20, class: 'strong' }),
      label(scaleText(oddCount, data.omitted, isBare), { x: 12, y: 37, class: 'small' }),
      ...axes(isBare ? [] : [largest, largest / 4], bottom, y),
      ...sessions.map((s) => bar(s, x(s.atUs), y(s.bytes), bottom)),
      label('first', { x: LEFT + 8, y: bottom + 18, class: 'small' }),
      label(`${durationText(endUs - startUs)} later`, { x: WIDTH - RIGHT, y: bottom + 18, 'text-anchor': 'end', class: 'small' }),
      label('start of session', { x: (LEFT + WIDTH) / 2, y: bottom + 36, 'text-anchor': 'middle', class: 'small' }),
    ],
  }
}

function scaleText(oddCount: number, omitted: number, isBare: boolean): string {
  const odd = oddCount > 0 ? ['Orange, marked ▼: unlike the others.'] : []
  const rest = omitted > 0 ? [`${countText(omitted)} more not drawn.`] : []
  return sentences(isBare ? 'None carried payload: each mark is a start.' : 'Square-root scale.', ...odd, ...rest)
}

function axes(ticks: readonly number[], bottom: number, y: (bytes: number) => number): string[] {
  return [
    line(LEFT, bottom, WIDTH - RIGHT, bottom, 'axis'),
    line(LEFT, TOP, LEFT, bottom, 'axis'),
    label('0 B', { x: LEFT - 8, y: bottom + 4, 'text-anchor': 'end', class: 'small' }),
    ...ticks.flatMap((bytes) => [
      line(LEFT, y(bytes), WIDTH - RIGHT, y(bytes), 'grid'),
      label(bytesText(Math.round(bytes)), { x: LEFT - 8, y: y(bytes) + 4, 'text-anchor': 'end', class: 'small' }),
    ]),
  ]
}

function bar(session: Sessions['sessions'][number], x: number, top: number, bottom: number): string {
  const className = session.odd ? 'odd' : 'usual'
  const height = Math.max(HEIGHT_MIN, bottom - top)
  const mark = session.odd ? [label('▼', { x, y: top - 5, 'text-anchor': 'middle', class: 'odd small' })] : []
  return titled(`${bytesText(session.bytes)}, lasted ${durationText(session.durationUs)}${session.odd ? ', unlike the others' : ''}`, [
    element('rect', { x: x - BAR_WIDTH / 2, y: bottom - height, width: BAR_WIDTH, height, class: className }),
    ...mark,
  ])
}
