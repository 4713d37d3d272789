/**
 * Who said when that an address is theirs: one band an address, one line a network card.
 *
 * In:  the messages of a `mitm.arp` episode. Out: an SVG: time across (to scale), cards down; what was said unasked is filled and raised.
 */
import type { PictureData } from '../../score/evidence.ts'
import { countOf, countText, durationText, sentences } from '../words.ts'
import { element, label, line, type Picture, titled } from './svg.ts'

export type Claims = Extract<PictureData, { picture: 'claims' }>
type Mark = Claims['marks'][number]

const LEFT = 150
const WIDTH = 820
const RIGHT = 20
const TOP = 62
const LANE = 26
const BAND_GAP = 34
/** More than this many cards or addresses are no picture any more. */
const BANDS_MAX = 6

export const CLAIM_WORDS: Readonly<Record<Mark['how'], string>> = {
  question: 'asked in its name',
  answer: 'answered for it when asked',
  announcement: 'announced it to all',
  unasked: 'told a host unasked',
}

interface Band {
  address: string
  macs: readonly number[]
  top: number
}

export function isForced(mark: Mark): boolean {
  return mark.how === 'unasked' || mark.how === 'announcement'
}

export function claimsPicture(data: Claims): Picture {
  const bands = bandsOf(data)
  const startUs = Math.min(...data.marks.map((mark) => mark.atUs))
  const endUs = Math.max(...data.marks.map((mark) => mark.atUs))
  const spanUs = Math.max(1, endUs - startUs)
  const x = (atUs: number): number => LEFT + 8 + ((atUs - startUs) / spanUs) * (WIDTH - LEFT - RIGHT - 16)
  const last = bands[bands.length - 1]
  const bottom = last.top + last.macs.length * LANE
  const forced = data.marks.filter(isForced).length
  return {
    width: WIDTH,
    height: bottom + 44,
    title: 'Claims to an address, by network card',
    description: sentences(
      `${countOf(data.marks.length, 'message')} of ${countOf(data.macs.length, 'card')} over ${durationText(endUs - startUs)},`,
      `${countText(forced)} of them said unasked.`,
    ),
    items: [
      label('Claims to an address, by network card', { x: 12, y: 20, class: 'strong' }),
      ...legend(data.omitted),
      ...bands.flatMap((band, i) => drawnBand(band, i, data, x)),
      label('first', { x: LEFT + 8, y: bottom + 24, class: 'small' }),
      label(`${durationText(endUs - startUs)} later`, { x: WIDTH - RIGHT, y: bottom + 24, 'text-anchor': 'end', class: 'small' }),
    ],
  }
}

function legend(omitted: number): string[] {
  const more = omitted > 0 ? [label(`${countText(omitted)} earlier ones not drawn`, { x: 560, y: 41, class: 'small' })] : []
  return [
    element('circle', { cx: 18, cy: 37, r: 4, class: 'failed' }),
    label('asked or answered', { x: 30, y: 41, class: 'small' }),
    element('rect', { x: 168, y: 31, width: 5, height: 12, class: 'odd' }),
    label('told a host unasked', { x: 182, y: 41, class: 'small' }),
    element('rect', { x: 330, y: 31, width: 5, height: 12, class: 'usual' }),
    label('announced to all', { x: 344, y: 41, class: 'small' }),
    ...more,
  ]
}

function bandsOf(data: Claims): Band[] {
  const bands: Band[] = []
  let top = TOP
  for (const [i, address] of data.addresses.slice(0, BANDS_MAX).entries()) {
    const macs = [...new Set(data.marks.filter((mark) => mark.address === i).map((mark) => mark.mac))].slice(0, BANDS_MAX)
    if (macs.length === 0) continue
    bands.push({ address, macs, top: top + 18 })
    top += macs.length * LANE + BAND_GAP
  }
  return bands
}

function drawnBand(band: Band, i: number, data: Claims, x: (atUs: number) => number): string[] {
  const address = data.addresses.indexOf(band.address)
  return [
    label(band.address, { x: 12, y: band.top - 4, class: 'strong' }),
    ...band.macs.flatMap((mac, lane) => {
      const y = band.top + lane * LANE + LANE / 2
      const marks = data.marks.filter((mark) => mark.mac === mac && mark.address === address)
      return [
        label(data.macs[mac], { x: LEFT - 8, y: y + 4, 'text-anchor': 'end', class: 'small' }),
        line(LEFT, y, WIDTH - RIGHT, y, 'grid'),
        ...marks.map((mark) => drawnMark(mark, data.macs[mac], x(mark.atUs), y)),
      ]
    }),
    ...(i === 0 ? [] : [line(12, band.top - 22, WIDTH - RIGHT, band.top - 22, 'grid')]),
  ]
}

function drawnMark(mark: Mark, mac: string, x: number, y: number): string {
  const shape = isForced(mark)
    ? element('rect', { x: x - 1.5, y: y - 8, width: 3, height: 16, class: mark.how === 'unasked' ? 'odd' : 'usual' })
    : element('circle', { cx: x, cy: y, r: 3.5, class: 'failed' })
  return titled(`${mac} ${CLAIM_WORDS[mark.how]}`, [shape])
}
