/**
 * A report as one page that stands alone: no network, no script, pictures inside, both themes, fit to be printed.
 *
 * In:  a report. Out: HTML; the same report gives the same bytes.
 * Not: a second way to say things: it is the Markdown, rendered by `marked`, and the very same pictures.
 *
 * The invariant: of raw HTML only <details> and <summary> pass, links stay text, and no picture is loaded that is not the report's. The
 * page's own policy forbids scripts and loading, should all that fail.
 */
import { Marked, type Tokens } from 'marked'
import type { Report } from './report.ts'

const STYLE = [
  ':root{color-scheme:light dark;--text:#1f2328;--muted:#59636e;--line:#d1d9e0;--shade:#f6f8fa;--back:#fff;--mark:#0a57b8}',
  '@media(prefers-color-scheme:dark){:root{--text:#e6edf3;--muted:#9198a1;--line:#3d444d;--shade:#151b23;--back:#0d1117;--mark:#58a6ff}}',
  '*{box-sizing:border-box}',
  'body{margin:0;background:var(--back);color:var(--text);font:16px/1.55 system-ui,"Segoe UI",Roboto,"DejaVu Sans",sans-serif}',
  'main{max-width:58rem;margin:0 auto;padding:1.5rem 1rem 4rem;overflow-wrap:anywhere}',
  'h1{font-size:1.55rem;line-height:1.3}h2{font-size:1.2rem;margin-top:2.2rem;padding-bottom:.25rem;border-bottom:1px solid var(--line)}',
  'h3{font-size:1.02rem}',
  '.wide{overflow-x:auto}table{border-collapse:collapse;font-size:.9rem;margin:.8rem 0}',
  'th,td{border:1px solid var(--line);padding:.3rem .6rem;text-align:left;vertical-align:top;overflow-wrap:normal}',
  'th{background:var(--shade)}',
  'code,pre{font-family:ui-monospace,"DejaVu Sans Mono",monospace;font-size:.88em;background:var(--shade);border-radius:.3rem}',
  'code{padding:.1em .3em}pre{padding:.7rem .9rem;overflow-x:auto}pre code{padding:0;background:none}',
  'img{max-width:100%;height:auto;display:block;margin:1rem 0 .4rem}',
  'summary{cursor:pointer;color:var(--mark)}',
  '@media print{body{font-size:10.5pt}main{max-width:none;padding:0}h2,h3,img,tr{break-inside:avoid}h2,h3{break-after:avoid}.wide{overflow:visible}pre{white-space:pre-wrap}}',
].join('\n')

const POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
/** Raw HTML that our own Markdown holds. */
const ALLOWED_HTML = /^<\/?(details|summary)>$/

export function renderHtml(report: Report): string {
  const [, title = report.alertId] = /^# (.*)$/m.exec(report.markdown) ?? []
  return [
    '<!doctype html>',
    '<html lang="en">',
    '<head>',
    '<meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    `<meta http-equiv="Content-Security-Policy" content="${POLICY}">`,
    '<meta name="generator" content="flowscribe">',
    `<title>${escapeHtml(plain(title))}</title>`,
    `<style>\n${STYLE}\n</style>`,
    '</head>',
    '<body>',
    '<main>',
    bodyOf(report).trimEnd(),
    '</main>',
    '</body>',
    '</html>',
    '',
  ].join('\n')
}

function bodyOf(report: Report): string {
  const pictures = new Map(report.pictures.map(({ name, svg }) => [name, svg]))
  const marked = new Marked({ gfm: true, async: false })
  marked.use({
    renderer: {
      html: ({ text }: Tokens.HTML | Tokens.Tag): string => htmlOf(text),
      link(token: Tokens.Link): string {
        return this.parser.parseInline(token.tokens)
      },
      image: ({ href, text }: Tokens.Image): string => {
        const svg = pictures.get(href)
        return svg === undefined ? escapeHtml(text) : `<img alt="${escapeHtml(text)}" src="data:image/svg+xml;base64,${base64(svg)}">`
      },
    },
    hooks: {
      postprocess: (html: string): string =>
        html.replaceAll('<table>', '<div class="wide"><table>').replaceAll('</table>', '</table></div>'),
    },
  })
  return String(marked.parse(report.markdown))
}

/** Tag by tag: what is none of the two is text. */
function htmlOf(text: string): string {
  return text
    .split(/(<[^<>]*>)/)
    .map((part) => (ALLOWED_HTML.test(part) ? part : escapeHtml(part)))
    .join('')
}

/** Markdown's escapes and code marks taken off, for the title of the window. */
function plain(markdown: string): string {
  return markdown.replace(/\\(.)/g, '$1').replaceAll('`', '')
}

export function escapeHtml(text: string): string {
  return text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;').replace(/"/g, '&quot;').replace(/'/g, '&#39;')
}

function base64(text: string): string {
  return Buffer.from(text, 'utf8').toString('base64')
}
