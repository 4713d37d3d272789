/**
 * Packet timeline of one flow: who sent, how much, after what silence, with which flags.
 *
 * In:  a kept flow with its first packets. Out: an SVG; and the same facts as rows for a table.
 * Not: a linear time axis: one flow's gaps span six decades. Packets stand in order, each gap is written between
 *      its two, and a long silence breaks the axis.
 */
import { TCP } from '../../flow/flow.ts'
import type { KeptFlow } from '../../score/evidence.ts'
import { flagLetters, flagNames } from '../tcp-words.ts'
import { bytesText, countText, durationText } from '../words.ts'
import { element, label, line, type Picture, px, titled } from './svg.ts'

/** What stays legible when a viewer shrinks the picture to a column of text. */
export const DRAWN_PACKETS_MAX = 16
const SILENCE_US = 1e6

const SLOT = 46
const SILENCE_WIDTH = 30
const LEFT = 132
const RIGHT = 18
const WIDTH_MIN = 580
const ARROW_MIN = 18
const ARROW_MAX = 88
/** The heading's lines, and two lines of text beyond an arrow's tip. */
const HEADING = 66
const TIP_TEXT = 32

/** Heights: a flow without payload needs no room for long arrows. */
interface Heights {
  arrowMax: number
  axisY: number
  gapRowY: number
}

type Packet = KeptFlow['timeline'][number]

export function timelinePicture(flow: KeptFlow): Picture {
  const packets = flow.timeline.slice(0, DRAWN_PACKETS_MAX)
  const largest = Math.max(1, ...packets.map((packet) => packet.payloadLen))
  const xs = slots(packets)
  const end = xs.length === 0 ? LEFT : xs[xs.length - 1] + SLOT / 2
  const width = Math.max(WIDTH_MIN, end + RIGHT)
  const hasFlags = flow.proto === TCP
  const arrowMax = packets.some((packet) => packet.payloadLen > 0) ? ARROW_MAX : ARROW_MIN
  const axisY = HEADING + TIP_TEXT + arrowMax
  const heights = { arrowMax, axisY, gapRowY: axisY + arrowMax + TIP_TEXT + 26 }
  return {
    width,
    height: heights.gapRowY + 30,
    title: `Packet timeline of flow ${flow.id}: ${flow.addr[0]} to ${flow.addr[1]}`,
    description: describe(flow, packets),
    items: [
      ...frame(flow, width, packets.length, heights),
      ...breaks(packets, xs, axisY),
      ...packets.flatMap((packet, i) => arrow(packet, { x: xs[i], largest, hasFlags, ...heights })),
      ...packets
        .map((packet, i) => (i === 0 ? '' : gapLabel(packet, (xs[i - 1] + xs[i]) / 2, heights.gapRowY)))
        .filter((item) => item !== ''),
    ],
  }
}

/** x of each packet: one slot a packet, wider after a silence. */
function slots(packets: readonly Packet[]): number[] {
  let x = LEFT - SLOT / 2
  return packets.map((packet, i) => {
    x += SLOT + (i > 0 && packet.gapUs >= SILENCE_US ? SILENCE_WIDTH : 0)
    return x
  })
}

function frame(flow: KeptFlow, width: number, drawnCount: number, { axisY, gapRowY }: Heights): string[] {
  const total = (flow.packets[0] ?? 0) + (flow.packets[1] ?? 0)
  const rest = total - drawnCount
  return [
    label(
      rest > 0
        ? `First ${countText(drawnCount)} of ${countText(total)} packets`
        : drawnCount === 1
          ? 'The only packet'
          : `All ${countText(drawnCount)} packets`,
      {
        x: 12,
        y: 20,
        class: 'strong',
      },
    ),
    label('Numbers, arrow lengths: payload in bytes (square-root scale). Not to time scale.', {
      x: 12,
      y: 37,
      class: 'small',
    }),
    ...(flow.proto === TCP ? [label('Letters: S SYN, A ACK, P PSH, F FIN, R RST.', { x: 12, y: 53, class: 'small' })] : []),
    line(LEFT - 8, axisY, width - RIGHT, axisY, 'axis'),
    label('initiator ↑', { x: 12, y: axisY - 26, class: 'orig strong' }),
    label(flow.addr[0] ?? '', { x: 12, y: axisY - 10, class: 'orig small', ...squeeze(flow.addr[0] ?? '') }),
    label(flow.addr[1] ?? '', { x: 12, y: axisY + 18, class: 'resp small', ...squeeze(flow.addr[1] ?? '') }),
    label('responder ↓', { x: 12, y: axisY + 34, class: 'resp strong' }),
    line(LEFT - 8, gapRowY - 16, width - RIGHT, gapRowY - 16, 'grid'),
    label('silence before', { x: 12, y: gapRowY + 2, class: 'small' }),
  ]
}

/** Long IPv6 addresses are narrowed to the margin. */
function squeeze(address: string): Readonly<Record<string, string | number>> {
  return address.length > 17 ? { textLength: LEFT - 28, lengthAdjust: 'spacingAndGlyphs' } : {}
}

interface Place extends Heights {
  x: number
  largest: number
  hasFlags: boolean
}

function arrow(packet: Packet, place: Place): string[] {
  const { x, largest, hasFlags, axisY, arrowMax } = place
  const up = packet.direction === 0
  const sign = up ? -1 : 1
  const length = packet.payloadLen === 0 ? ARROW_MIN : ARROW_MIN + (arrowMax - ARROW_MIN) * Math.sqrt(packet.payloadLen / largest)
  const tip = axisY + sign * length
  const className = up ? 'orig' : 'resp'
  const head = `${px(x)},${px(tip)} ${px(x - 5)},${px(tip - sign * 8)} ${px(x + 5)},${px(tip - sign * 8)}`
  const shaft = { x1: x, y1: axisY, x2: x, y2: tip - sign * 6, class: className, 'stroke-width': packet.payloadLen === 0 ? 1.5 : 4 }
  const flags = hasFlags ? flagLetters(packet.flags) : ''
  const near = tip + (up ? -6 : 15)
  const far = near + sign * 13
  const size = packet.payloadLen === 0 ? '' : String(packet.payloadLen)
  const texts = [flags, size].filter((text) => text !== '')
  const sender = up ? 'initiator' : 'responder'
  const said = hasFlags ? `, flags ${flagNames(packet.flags)}` : ''
  return [
    titled(`${sender}: ${bytesText(packet.payloadLen)} payload${said}`, [
      element('line', shaft),
      element('polygon', { points: head, class: className }),
      ...texts.map((text, i) =>
        label(text, { x, y: i === 0 ? near : far, 'text-anchor': 'middle', class: text === flags ? `flags ${className}` : 'small' }),
      ),
    ]),
  ]
}

/** Two strokes through the axis where it leaves out a silence. */
function breaks(packets: readonly Packet[], xs: readonly number[], axisY: number): string[] {
  return packets.flatMap((packet, i) => {
    if (i === 0 || packet.gapUs < SILENCE_US) return []
    const x = (xs[i - 1] + xs[i]) / 2
    return [line(x - 6, axisY + 7, x, axisY - 7, 'axis'), line(x, axisY + 7, x + 6, axisY - 7, 'axis')]
  })
}

/** In two lines, '24' over 'ms', '4 min' over '32 s': a slot is narrower than both side by side. */
function gapLabel(packet: Packet, x: number, gapRowY: number): string {
  const words = durationText(packet.gapUs).split(' ')
  const half = words.length >> 1
  const className = packet.gapUs >= SILENCE_US ? 'small strong' : 'small'
  return (
    label(words.slice(0, half).join(' '), { x, y: gapRowY + 2, 'text-anchor': 'middle', class: className }) +
    label(words.slice(half).join(' '), { x, y: gapRowY + 16, 'text-anchor': 'middle', class: className })
  )
}

function describe(flow: KeptFlow, packets: readonly Packet[]): string {
  const steps = packets.map((packet, i) => {
    const gap = i === 0 ? '' : `after ${durationText(packet.gapUs)} `
    const flags = flow.proto === TCP ? ` with ${flagNames(packet.flags)}` : ''
    return `${gap}${packet.direction === 0 ? 'initiator' : 'responder'} sends ${bytesText(packet.payloadLen)}${flags}`
  })
  return `${steps.join('; ')}.`
}

/** The picture's facts as table rows: sender, payload, flags, silence before. */
export function timelineRows(flow: KeptFlow): string[][] {
  return flow.timeline
    .slice(0, DRAWN_PACKETS_MAX)
    .map((packet, i) => [
      packet.direction === 0 ? 'initiator →' : '← responder',
      `${packet.payloadLen} B`,
      flow.proto === TCP ? flagNames(packet.flags) : '',
      i === 0 ? '' : durationText(packet.gapUs),
    ])
}
