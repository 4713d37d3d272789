/**
 * How much a host sent within the hour, beside what it received, the least that counts, and what it usually sends.
 *
 * In:  the sums of an hour, and of its five minutes. Out: an SVG: three lines on one scale above, when it went below.
 * Not: a usual volume where none is known: the picture then says that there is no history.
 */
import type { PictureData } from '../../score/evidence.ts'
import { bytesText, sentences } from '../words.ts'
import { bar, heading, niceCeiling, PLOT, PLOT_WIDTH, underAxis } from './plot.ts'
import { label, line, type Picture, titled } from './svg.ts'

type Uploads = Extract<PictureData, { picture: 'uploads' }>

const ROW = 24
const BAR = 14
const LINES_TOP = 92
const COLUMNS_HEIGHT = 70
/** Numbers stand beside the bars, in a margin of their own. */
const VALUE_WIDTH = 70
const SCALE_WIDTH = PLOT_WIDTH - VALUE_WIDTH

export function uploadsPicture(data: Uploads): Picture {
  const lines = [
    { name: 'sent', bytes: data.sentBytes, className: 'raises' },
    { name: 'received', bytes: data.receivedBytes, className: 'usual' },
    ...(data.usual === null
      ? []
      : [
          { name: 'usual', bytes: data.usual.medianBytes, className: 'usual' },
          { name: 'seldom over', bytes: data.usual.p95Bytes, className: 'usual' },
        ]),
  ]
  const max = niceCeiling(Math.max(data.floorBytes, ...lines.map(({ bytes }) => bytes)))
  const x = (bytes: number): number => PLOT.left + (bytes / max) * SCALE_WIDTH
  const linesBottom = LINES_TOP + lines.length * ROW
  const columnsTop = linesBottom + 44
  const history =
    data.usual === null
      ? 'What this host usually sends is not known.'
      : "'Usual' is the middle of this host's own hours, 'seldom over' their 95th percentile."
  return {
    width: PLOT.width,
    height: columnsTop + COLUMNS_HEIGHT + 30,
    title: 'Payload sent within an hour',
    description: sentences(
      `Sent ${bytesText(data.sentBytes)}, received ${bytesText(data.receivedBytes)};`,
      `an alert begins at ${bytesText(data.floorBytes)}.`,
      history,
    ),
    items: [
      ...heading('Payload within an hour', history),
      line(12, 49, 36, 49, 'threshold'),
      label(`an alert begins at ${bytesText(data.floorBytes)} sent`, { x: 44, y: 53, class: 'small' }),
      line(PLOT.left, LINES_TOP - 8, PLOT.left, linesBottom, 'axis'),
      ...lines.flatMap(({ name, bytes, className }, i) => hourLine(name, bytes, className, LINES_TOP + i * ROW, x)),
      line(x(data.floorBytes), LINES_TOP - 8, x(data.floorBytes), linesBottom, 'threshold'),
      ...columns(data, columnsTop),
      ...underAxis('an hour before', 'each five minutes: sent, and received beside it', 'newest', columnsTop + COLUMNS_HEIGHT),
    ],
  }
}

function hourLine(name: string, bytes: number, className: string, y: number, x: (bytes: number) => number): string[] {
  return [
    label(name, { x: PLOT.left - 10, y: y + BAR - 3, 'text-anchor': 'end', class: 'small' }),
    titled(`${name}: ${bytesText(bytes)}`, [bar(PLOT.left, y, Math.max(1.5, x(bytes) - PLOT.left), BAR, className)]),
    label(bytesText(bytes), { x: PLOT.width - PLOT.right, y: y + BAR - 3, 'text-anchor': 'end', class: 'small strong' }),
  ]
}

function columns({ slots }: Uploads, top: number): string[] {
  const max = Math.max(1, ...slots.flatMap((slot) => [slot.sentBytes, slot.receivedBytes]))
  const bottom = top + COLUMNS_HEIGHT
  const width = PLOT_WIDTH / Math.max(1, slots.length)
  const height = (bytes: number): number => (bytes / max) * COLUMNS_HEIGHT
  return [
    label(bytesText(max), { x: PLOT.left - 8, y: top + 4, 'text-anchor': 'end', class: 'small' }),
    line(PLOT.left, top, PLOT.width - PLOT.right, top, 'grid'),
    line(PLOT.left, bottom, PLOT.width - PLOT.right, bottom, 'axis'),
    ...slots.flatMap(({ sentBytes, receivedBytes }, i) => {
      const left = PLOT.left + i * width
      const pair = [
        ...(sentBytes === 0 ? [] : [bar(left + 5, bottom - height(sentBytes), width / 2 - 6, height(sentBytes), 'raises')]),
        ...(receivedBytes === 0
          ? []
          : [bar(left + width / 2 + 1, bottom - height(receivedBytes), width / 2 - 6, height(receivedBytes), 'usual')]),
      ]
      return pair.length === 0 ? [] : [titled(`sent ${bytesText(sentBytes)}, received ${bytesText(receivedBytes)}`, pair)]
    }),
  ]
}
