/**
 * Checks of a picture without a renderer: whether it is well-formed XML, and whether its words lie on each other.
 *
 * In:  the text of an SVG file. Out: faults, none when all is well.
 */
interface Box {
  text: string
  left: number
  right: number
  top: number
  bottom: number
}

/** Strict for what we draw: one root, tags closed in order, attributes quoted and once each, five entities, no raw < or &. */
export function xmlFaults(svg: string): string[] {
  const faults: string[] = []
  const open: string[] = []
  let roots = 0
  const rest = svg.replace(/<!--(?:(?!--)[\s\S])*-->/g, '')
  for (const [token] of rest.matchAll(/<[^<>]*>|[^<]+|</g)) {
    if (token === '<') faults.push('a lone <')
    else if (!token.startsWith('<')) {
      if (/&(?!(amp|lt|gt|quot|apos|#\d+);)/.test(token)) faults.push(`a lone & in ${token.slice(0, 40)}`)
      if (open.length === 0 && token.trim() !== '') faults.push(`text outside the root: ${token.slice(0, 40)}`)
      // biome-ignore lint/suspicious/noControlCharactersInRegex: those that XML 1.0 forbids
      if (/[\u0000-\u0008\u000b\u000c\u000e-\u001f]/.test(token)) faults.push('a control character')
    } else if (token.startsWith('</')) {
      const name = token.slice(2, -1).trim()
      if (open.pop() !== name) faults.push(`</${name}> closes something else`)
    } else {
      const match = /^<([A-Za-z][\w-]*)((?:\s+[\w:-]+="[^"<]*")*)\s*(\/?)>$/.exec(token)
      if (match === null) {
        faults.push(`tag ${token.slice(0, 60)}`)
        continue
      }
      const names = [...match[2].matchAll(/([\w:-]+)="/g)].map(([, name]) => name)
      if (new Set(names).size !== names.length) faults.push(`an attribute twice in ${token.slice(0, 60)}`)
      if (/NaN|undefined|Infinity/.test(match[2])) faults.push(`no number in ${token.slice(0, 80)}`)
      if (open.length === 0) roots++
      if (match[3] === '') open.push(match[1])
    }
  }
  return [...faults, ...(open.length > 0 ? [`not closed: ${open.join(' ')}`] : []), ...(roots === 1 ? [] : [`${roots} roots`])]
}

/** A character of a sans-serif face is this wide in the mean, as a share of its size; DejaVu is among the widest. */
const CHARACTER_WIDTH = 0.6
const CLEARANCE = 1.5

/** Pairs of labels that lie on each other, and labels outside the picture. */
export function overlapFaults(svg: string): string[] {
  const size = /viewBox="0 0 ([\d.]+) ([\d.]+)"/.exec(svg)
  const boxes = [...svg.matchAll(/<text([^>]*)>([^<]*)<\/text>/g)]
    .map(([, attributes, text]) => boxOf(attributes, text))
    .filter((box) => box.text !== '')
  const faults: string[] = []
  boxes.forEach((a, i) => {
    if (size !== null && (a.left < -2 || a.right > Number(size[1]) + 2 || a.bottom > Number(size[2]) + 4))
      faults.push(`'${a.text}' leaves the picture`)
    for (const b of boxes.slice(i + 1)) {
      const isApart =
        a.right - CLEARANCE < b.left || b.right - CLEARANCE < a.left || a.bottom - CLEARANCE < b.top || b.bottom - CLEARANCE < a.top
      if (!isApart) faults.push(`'${a.text}' lies on '${b.text}'`)
    }
  })
  return faults
}

function boxOf(attributes: string, text: string): Box {
  const value = (name: string): string | undefined => new RegExp(` ${name}="([^"]*)"`).exec(attributes)?.[1]
  const size = /small|flags/.test(value('class') ?? '') ? 11 : 12
  const plain = text.replace(/&\w+;/g, 'x')
  const width = Number(value('textLength') ?? [...plain].length * size * CHARACTER_WIDTH)
  const x = Number(value('x'))
  const y = Number(value('y'))
  const anchor = value('text-anchor') ?? 'start'
  const left = anchor === 'end' ? x - width : anchor === 'middle' ? x - width / 2 : x
  return { text, left, right: left + width, top: y - size * 0.75, bottom: y + size * 0.2 }
}
