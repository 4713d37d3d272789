/**
 * The little SVG that pictures are drawn with: elements, one style sheet, one frame.
 *
 * In:  numbers in user units and texts. Out: SVG 1.1 text, the same bytes for the same input.
 * The invariant: legible on white and on black: neutral tones that reach 4:1 on both, sharper ones where the viewer
 * says which theme it has; meaning never rests on colour alone; no scripts, no links, no fonts from elsewhere.
 */
import { cleanText } from '../markdown.ts'

export function escapeXml(text: string): string {
  return cleanText(text).replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;').replace(/"/g, '&quot;')
}

/** A coordinate: two decimals are finer than any screen. */
export function px(value: number): string {
  return String(Number(value.toFixed(2)))
}

type Attributes = Readonly<Record<string, string | number>>

function attributesText(attributes: Attributes): string {
  return Object.entries(attributes)
    .map(([name, value]) => ` ${name}="${typeof value === 'number' ? px(value) : escapeXml(value)}"`)
    .join('')
}

export function element(name: string, attributes: Attributes): string {
  return `<${name}${attributesText(attributes)}/>`
}

export function label(text: string, attributes: Attributes): string {
  return `<text${attributesText(attributes)}>${escapeXml(text)}</text>`
}

export function line(x1: number, y1: number, x2: number, y2: number, className: string): string {
  return element('line', { x1, y1, x2, y2, class: className })
}

/** A group with a hover text. */
export function titled(title: string, items: readonly string[]): string {
  return `<g><title>${escapeXml(title)}</title>${items.join('')}</g>`
}

const STYLE = [
  'text{font:12px system-ui,"Segoe UI",Roboto,"DejaVu Sans",sans-serif;fill:#6e7781}',
  '.strong{font-weight:600;fill:#6e7781}.small{font-size:11px}.flags{font:600 11px ui-monospace,"DejaVu Sans Mono",monospace}',
  '.axis{stroke:#8c959f;stroke-width:1}.grid{stroke:#8c959f;stroke-width:1;stroke-opacity:.35;stroke-dasharray:2 3}',
  '.orig{stroke:#2f7de1;fill:#2f7de1}.resp{stroke:#c4661f;fill:#c4661f}',
  'text.orig,text.resp{stroke:none}',
  '.failed{fill:none;stroke:#8c959f;stroke-width:1.2}.answered{fill:#2f7de1;stroke:#2f7de1;stroke-width:1.2}',
  '.usual{fill:#8c959f}.odd{fill:#c4661f}text.odd{font-weight:600}',
  '.raises{fill:#c4661f}.lowers{fill:none;stroke:#2f7de1;stroke-width:1.6}.area{fill:#c4661f;fill-opacity:.75}',
  '.band{fill:#2f7de1;fill-opacity:.16}.threshold{stroke:#2f7de1;stroke-width:1.8;stroke-dasharray:7 4}.tie{stroke:#8c959f;stroke-width:1}',
  '@media(prefers-color-scheme:light){',
  'text,.strong{fill:#424a53}.axis{stroke:#57606a}text.orig{fill:#0a57b8}text.resp,text.odd{fill:#9a4a0c}.threshold{stroke:#0a57b8}',
  '}',
  '@media(prefers-color-scheme:dark){',
  'text,.strong{fill:#c9d1d9}.axis{stroke:#8b949e}.orig,text.orig{stroke:#58a6ff;fill:#58a6ff}.resp,text.resp{stroke:#f0883e;fill:#f0883e}',
  'text.orig,text.resp{stroke:none}.answered{fill:#58a6ff;stroke:#58a6ff}.odd,text.odd,.raises,.area{fill:#f0883e}',
  '.lowers,.threshold{stroke:#58a6ff}.band{fill:#58a6ff}',
  '}',
].join('\n')

export interface Picture {
  width: number
  height: number
  title: string
  description: string
  items: readonly string[]
}

/** A whole file. The first comment is how the report folder knows its own files again. */
export function svgFile(picture: Picture): string {
  const { width, height, title, description, items } = picture
  const size = `width="${px(width)}" height="${px(height)}" viewBox="0 0 ${px(width)} ${px(height)}"`
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" ${size} role="img" aria-labelledby="t d">`,
    '<!-- drawn by flowscribe -->',
    `<title id="t">${escapeXml(title)}</title>`,
    `<desc id="d">${escapeXml(description)}</desc>`,
    `<style>\n${STYLE}\n</style>`,
    ...items,
    '</svg>',
    '',
  ].join('\n')
}
