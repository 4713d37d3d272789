/** Pictures: each an SVG beside the report, and a table that gives the same facts as text. */
import type { KeptFlow, PictureData } from '../../score/evidence.ts'
import type { Facts } from '../facts.ts'
import { portText, tellingFlow } from '../facts.ts'
import { blocks, code, escapeText, table } from '../markdown.ts'
import { CLAIM_WORDS, type Claims, claimsPicture } from '../pictures/claims.ts'
import { concurrentPicture } from '../pictures/concurrent.ts'
import { gapsPicture } from '../pictures/gaps.ts'
import { gridPicture, outcomeCount } from '../pictures/grid.ts'
import { ratePicture } from '../pictures/rate.ts'
import { sessionsPicture } from '../pictures/sessions.ts'
import { type Picture, svgFile } from '../pictures/svg.ts'
import { DRAWN_PACKETS_MAX, timelinePicture, timelineRows } from '../pictures/timeline.ts'
import { uploadsPicture } from '../pictures/uploads.ts'
import { waterfallPicture, waterfallRows } from '../pictures/waterfall.ts'
import { bytesText, capitalised, countOf, countText, durationText, measuredCode, sentences, shareText } from '../words.ts'

export interface PictureFile {
  /** Beside the report, under the same stem. */
  name: string
  svg: string
}

export interface Pictures {
  markdown: string
  files: readonly PictureFile[]
}

export function pictures(facts: Facts, stem: string): Pictures {
  const flow = tellingFlow(facts.alert)
  const drawn = [
    ...(facts.alert.arithmetic.length < 2 ? [] : [contributions(facts, stem)]),
    ...facts.alert.pictures.map((data) => picture(facts, data, stem)).filter((one) => one !== null),
    ...(flow === null || flow.timeline.length === 0 ? [] : [timeline(flow, stem)]),
  ]
  return { markdown: blocks(drawn.map((one) => one.markdown)), files: drawn.map((one) => one.file) }
}

function contributions({ alert }: Facts, stem: string): Drawn {
  const name = `${stem}.contributions.svg`
  const rows = waterfallRows(alert).map((cells) => cells.map((cell) => escapeText(cell)))
  return {
    file: { name, svg: svgFile(waterfallPicture(alert)) },
    markdown: blocks([
      `![Contributions, one factor a line, from the prior to the likelihood](${name})`,
      table(['What', 'Factor', 'Likelihood then'], rows),
    ]),
  }
}

function drawnText(flow: KeptFlow): string {
  const total = (flow.packets[0] ?? 0) + (flow.packets[1] ?? 0)
  const drawnCount = Math.min(flow.timeline.length, DRAWN_PACKETS_MAX)
  return drawnCount < total ? `the first ${countText(drawnCount)} of ${countText(total)} packets` : 'packet by packet'
}

type Of<Name extends PictureData['picture']> = Extract<PictureData, { picture: Name }>

export interface Drawn {
  markdown: string
  file: PictureFile
}

/** Where those are that have no row. */
function othersText({ sessions, omitted }: { sessions: readonly unknown[]; omitted: number }, shownCount: number): string {
  const rest = omitted === 0 ? '' : `${countOf(omitted, 'session')} more ${omitted === 1 ? 'is' : 'are'} in neither.`
  if (sessions.length === shownCount) return rest.replace('in neither', 'not listed')
  return sentences(
    omitted === 0 ? 'The picture shows the others too.' : 'The picture shows more of the others.',
    ...(rest === '' ? [] : [rest]),
  )
}

export function timeline(flow: KeptFlow, stem: string): Drawn {
  const name = `${stem}.timeline.svg`
  return {
    file: { name, svg: svgFile(timelinePicture(flow)) },
    markdown: blocks([
      `![Packet timeline of the telling flow: up from the initiator, down from the responder](${name})`,
      `Flow ${code(String(flow.id))}, ${measuredCode(flow.addr[0])} → ${measuredCode(flow.addr[1])}, ${drawnText(flow)}:`,
      table(['Sent by', 'Payload', 'Flags', 'Silence before'], timelineRows(flow)),
    ]),
  }
}

function picture(facts: Facts, data: PictureData, stem: string): Drawn | null {
  switch (data.picture) {
    case 'sessions':
      return data.sessions.length === 0 ? null : sessions(data, stem)
    case 'grid':
      return data.cells.length === 0 ? null : grid(facts, data, stem)
    case 'claims':
      return data.marks.length === 0 ? null : claims(data, stem)
    case 'gaps':
      return data.gapsUs.length === 0 ? null : gaps(data, stem)
    case 'rate':
      return data.perSecond.some((value) => value > 0) ? rate(data, stem) : null
    case 'uploads':
      return uploads(data, stem)
    case 'concurrent':
      return data.points.length < 2 ? null : concurrent(data, stem)
  }
}

/** A picture with a table of what is in it. */
function drawn(name: string, picture: Picture, description: string, head: readonly string[], rows: readonly (readonly string[])[]): Drawn {
  return { file: { name, svg: svgFile(picture) }, markdown: blocks([`![${description}](${name})`, table(head, rows)]) }
}

const IN_THE_PICTURE = ['In the picture', 'Measured']

function gaps(data: Of<'gaps'>, stem: string): Drawn {
  const rows = [
    ['Gaps', countText(data.gapsUs.length)],
    ['Middle gap', durationText(data.medianUs)],
    [`Within ${shareText(data.tolerance)} of it or of a small multiple`, countText(data.close)],
    ['Shortest', durationText(Math.min(...data.gapsUs))],
    ['Longest', durationText(Math.max(...data.gapsUs))],
  ]
  return drawn(`${stem}.gaps.svg`, gapsPicture(data), 'Histogram of the gaps between calls', IN_THE_PICTURE, rows)
}

function rate(data: Of<'rate'>, stem: string): Drawn {
  const { perSecond, threshold } = data
  const over = perSecond.filter((value) => value >= threshold).length
  const rows = [
    [`${capitalised(escapeText(data.what))} in the busiest second`, countText(Math.max(...perSecond))],
    ['In all, in the seconds drawn', countText(perSecond.reduce((sum, value) => sum + value, 0))],
    ...(threshold > 0
      ? [
          ['Threshold a second', countText(threshold)],
          ['Seconds at or over it', countText(over)],
        ]
      : []),
  ]
  return drawn(`${stem}.rate.svg`, ratePicture(data), 'Rate over the last minute, a column a second', IN_THE_PICTURE, rows)
}

function uploads(data: Of<'uploads'>, stem: string): Drawn {
  const rows = [
    ['Sent within the hour', bytesText(data.sentBytes)],
    ['Received within the hour', bytesText(data.receivedBytes)],
    ['An alert begins at', bytesText(data.floorBytes)],
    ['What this host usually sends', data.usual === null ? 'not known: no history yet' : bytesText(data.usual.medianBytes)],
    ...(data.usual === null ? [] : [['Nineteen in twenty of its hours below', bytesText(data.usual.p95Bytes)]]),
  ]
  return drawn(`${stem}.uploads.svg`, uploadsPicture(data), 'Upload within the hour beside what counts', IN_THE_PICTURE, rows)
}

function concurrent(data: Of<'concurrent'>, stem: string): Drawn {
  const { points, threshold } = data
  const rows = [
    ['Open at one time, the most', countText(Math.max(...points.map(({ open }) => open)))],
    ['Threshold', countText(threshold)],
    ['From the first to the last', durationText(points[points.length - 1].atUs - points[0].atUs)],
  ]
  return drawn(`${stem}.concurrent.svg`, concurrentPicture(data), 'Slow connections open at one time', IN_THE_PICTURE, rows)
}

/** Tables name this many answered cells or sessions; the picture holds the others. */
const NAMED_MAX = 16

function grid(facts: Facts, data: Of<'grid'>, stem: string): Drawn {
  const name = `${stem}.grid.svg`
  const answered = data.cells.filter((cell) => cell.outcome === 'answered').slice(0, NAMED_MAX)
  const hasPorts = !facts.isArp
  const named = answered.map((cell) => [
    code(data.targets[cell.target]),
    ...(hasPorts ? [escapeText(portText(facts.alert.proto, data.ports[cell.port]))] : []),
  ])
  const counts = [
    ['Hosts tried', countText(data.targets.length)],
    ...(hasPorts ? [['Ports tried', countText(data.ports.length)]] : []),
    ['Attempts that failed', countText(outcomeCount(data, 'failed'))],
    ['Attempts that were answered', countText(outcomeCount(data, 'answered'))],
    ...(data.omitted === 0 ? [] : [['Attempts not kept for the picture', countText(data.omitted)]]),
  ]
  return {
    file: { name, svg: svgFile(gridPicture(data)) },
    markdown: blocks([
      `![Grid of the ${hasPorts ? 'ports' : 'addresses'} tried: hollow failed, filled answered](${name})`,
      table(['In the picture', 'Count'], counts),
      named.length === 0 ? 'None of them answered.' : blocks(['What answered:', table(hasPorts ? ['Host', 'Port'] : ['Host'], named)]),
    ]),
  }
}

function claims(data: Claims, stem: string): Drawn {
  const name = `${stem}.claims.svg`
  const hows = Object.keys(CLAIM_WORDS) as (keyof typeof CLAIM_WORDS)[]
  const rows = data.macs.map((mac, i) => {
    const own = data.marks.filter((mark) => mark.mac === i)
    const claimed = [...new Set(own.map((mark) => code(data.addresses[mark.address])))]
    return [code(mac), claimed.join(', '), ...hows.map((how) => countText(own.filter((mark) => mark.how === how).length))]
  })
  const shown = rows.filter((row) => row[1] !== '').slice(0, NAMED_MAX)
  return {
    file: { name, svg: svgFile(claimsPicture(data)) },
    markdown: blocks([
      `![Claims to an address by network card: orange was told to a host that had not asked](${name})`,
      table(['Card', 'Addresses', ...hows.map((how) => capitalised(CLAIM_WORDS[how]))], shown),
      data.omitted === 0 ? '' : `${countText(data.omitted)} earlier messages were not kept for the picture.`,
    ]),
  }
}

function sessions(data: Of<'sessions'>, stem: string): Drawn {
  const name = `${stem}.sessions.svg`
  const firstUs = Math.min(...data.sessions.map((session) => session.atUs))
  const odd = data.sessions.filter((session) => session.odd)
  const shown = [...odd, ...data.sessions.filter((session) => !session.odd)].slice(0, NAMED_MAX)
  const rows = shown.map((session) => [
    session.odd ? '**unlike the others**' : 'like the others',
    durationText(session.atUs - firstUs),
    bytesText(session.bytes),
    durationText(session.durationUs),
  ])
  return {
    file: { name, svg: svgFile(sessionsPicture(data)) },
    markdown: blocks([
      `![Strip of sessions by start and size](${name})`,
      table(['Session', 'Started after the first', 'Size', 'Lasted'], rows),
      othersText(data, shown.length),
    ]),
  }
}
