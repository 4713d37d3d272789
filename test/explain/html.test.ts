import { Marked } from 'marked'
import { describe, expect, test } from 'vitest'
import { makeAlertLine } from '../../src/explain/alert-line.ts'
import { renderHtml } from '../../src/explain/html.ts'
import { type Report, renderReport } from '../../src/explain/report.ts'
import type { AlertEvent } from '../../src/score/evidence.ts'
import { ENVELOPE, horizontalScan, SAMPLES, verticalScan } from './alert-samples.ts'
import { HOSTILE_TEXTS } from './hostile-texts.ts'
import { tablesOf } from './markdown-tables.ts'

const XSS = [
  ...HOSTILE_TEXTS,
  '<script>alert(1)</script>',
  '<img src=x onerror=alert(1)>',
  '"><svg onload=alert(1)>',
  "javascript:alert('x')",
  '[x](javascript:alert(1))',
  '![x](http://evil.example/x.png)',
  '<details open ontoggle=alert(1)>',
  '</summary><script>alert(1)</script>',
  '&lt;script&gt;alert(1)&lt;/script&gt;',
  '`</code><script>alert(1)</script>',
  '<style>body{display:none}</style>',
  'https://evil.example/ www.evil.example a@evil.example',
]

function hostile(text: string): AlertEvent {
  const event = horizontalScan()
  return {
    ...event,
    title: text,
    actor: text,
    victims: { addresses: [text], count: 1 },
    featureSet: text,
    evidence: event.evidence.map((e) => ({ ...e, claim: '{x0} failed', names: [text], alt: text, next: text, label: text })),
    wouldChange: [text],
    notEvaluated: [{ code: text, why: text }],
    sensor: { ...event.sensor, name: text },
  }
}

function page(event: AlertEvent): { report: Report; html: string } {
  const report = renderReport(makeAlertLine(event, ENVELOPE))
  return { report, html: renderHtml(report) }
}

/** Tags as a browser would see them: what is escaped is none. */
function tagsOf(html: string): string[] {
  return [...html.matchAll(/<([a-z!][a-z0-9]*)/gi)].map((match) => match[1].toLowerCase())
}

const TAGS = new Set(
  (
    '!doctype html head meta title style body main h1 h2 h3 p ul li strong code pre div table thead tbody tr th td img details summary ' +
    'em br a del ol'
  ).split(' '),
)

describe.each(SAMPLES.map((sample) => ({ kind: sample().kind, event: sample() })))('html: $kind', ({ event }) => {
  const { report, html } = page(event)

  test('one page that loads nothing: every picture inside, no script, no link, its own policy', () => {
    const sources = [...html.matchAll(/\b(?:src|href|srcset|action)="([^"]*)"/g)].map((match) => match[1])
    expect(sources).toHaveLength(report.pictures.length)
    for (const [i, source] of sources.entries()) {
      expect(source.startsWith('data:image/svg+xml;base64,')).toBe(true)
      expect(report.pictures.map(({ svg }) => svg)).toContain(Buffer.from(source.split(',')[1], 'base64').toString('utf8'))
      expect(html.split(source)).toHaveLength(2 + sources.slice(i + 1).filter((other) => other === source).length)
    }
    expect(html).not.toMatch(/<script|<link|<iframe|@import|url\(/i)
    expect(html).toContain(`http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'"`)
    expect(html).toMatch(/prefers-color-scheme:dark/)
    expect(html).toMatch(/@media print/)
  })

  test('says what the Markdown says: every heading, table and row', () => {
    expect([...html.matchAll(/<h2>/g)]).toHaveLength([...report.markdown.matchAll(/^## /gm)].length)
    const tables = tablesOf(report.markdown)
    expect([...html.matchAll(/<table>/g)]).toHaveLength(tables.length)
    const rows = tables.reduce((sum, table) => sum + table.cellCounts.length - 1, 0)
    expect([...html.matchAll(/<tr>/g)]).toHaveLength(rows)
    expect(tagsOf(html).filter((tag) => !TAGS.has(tag))).toEqual([])
  })

  test('the same report gives the same page', () => expect(renderHtml(report)).toBe(html))
})

describe('html: hostile words stay words', () => {
  const harmless = tagsOf(page(hostile('harmless')).html)
  test.each(XSS)('%j', (text) => {
    const { html } = page(hostile(text))
    const tags = tagsOf(html)
    expect(tags.filter((tag) => !TAGS.has(tag))).toEqual([])
    for (const tag of ['img', 'details', 'summary', 'style', 'a', 'table', 'tr', 'h2']) {
      expect(tags.filter((found) => found === tag).length, tag).toBe(harmless.filter((found) => found === tag).length)
    }
    expect(html.replace(/&[a-z#0-9]+;/g, '')).not.toMatch(/<[^>]*\son[a-z]+\s*=/i)
  })
})

describe('markdown on a real GFM renderer', () => {
  test.each(SAMPLES.map((sample) => ({ kind: sample().kind, event: sample() })))(
    '$kind: tables and pictures whole, no raw HTML but details and summary',
    ({ event }) => {
      const { report } = page(event)
      const seen = { html: [] as string[], images: [] as string[], tables: [] as { columns: number; cells: number[] }[] }
      const marked = new Marked({ gfm: true })
      marked.use({
        walkTokens: (token) => {
          if (token.type === 'html') seen.html.push(...((token.text as string).match(/<[^>]*>/g) ?? []))
          if (token.type === 'image') seen.images.push(token.href as string)
          if (token.type === 'table') {
            const { header, rows } = token as unknown as { header: unknown[]; rows: unknown[][] }
            seen.tables.push({ columns: header.length, cells: rows.map((row) => row.length) })
          }
        },
      })
      marked.parse(report.markdown)
      expect(new Set(seen.html)).toEqual(new Set(['<details>', '<summary>', '</summary>', '</details>']))
      expect(seen.images).toEqual(report.pictures.map(({ name }) => name))
      expect(seen.tables).toHaveLength(tablesOf(report.markdown).length)
      for (const { columns, cells } of seen.tables) expect(new Set(cells)).toEqual(new Set([columns]))
    },
  )

  test('the vertical scan reads without a stray mark', () => {
    const html = String(new Marked({ gfm: true }).parse(page(verticalScan()).report.markdown)).replace(
      /<pre>[\s\S]*?<\/pre>|<code>[^<]*<\/code>/g,
      '',
    )
    expect(html).not.toMatch(/\*\*|`|\\|\]\(/)
  })
})
