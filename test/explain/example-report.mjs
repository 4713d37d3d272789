/**
 * Makes src/explain/example-report.png, the report in the README: the beacon of pcaps/office-incident.pcap.gz as one HTML page, photographed
 * by chromium. Needs a built dist/ and Debian's chromium (and fonts-dejavu-core).
 *
 *   npm run build && node test/explain/example-report.mjs
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))
const program = join(root, 'dist', 'main.js')
const folder = mkdtempSync(join(tmpdir(), 'flowscribe-example-'))
try {
  const run = (...words) => execFileSync(process.execPath, [program, ...words], { cwd: root, encoding: 'utf8' })
  run('replay', '-q', '-l', folder, join('pcaps', 'office-incident.pcap.gz'))
  const lines = readFileSync(join(folder, 'alerts.jsonl'), 'utf8').trimEnd().split('\n')
  const { id } = lines.map((line) => JSON.parse(line).alert.context.flowscribe).find(({ kind }) => kind === 'c2.beacon')
  const page = join(folder, 'report.html')
  run('report', id, '--alerts', join(folder, 'alerts.jsonl'), '--format', 'html', '-o', page)
  // Blink's number for the light theme is 1.
  const flags = ['--headless', '--no-sandbox', '--disable-gpu', '--hide-scrollbars', '--blink-settings=preferredColorScheme=1']
  const picture = join(root, 'src', 'explain', 'example-report.png')
  execFileSync('chromium', [...flags, '--window-size=900,2360', `--screenshot=${picture}`, pathToFileURL(page).href], { stdio: 'ignore' })
  process.stdout.write(`${picture}\n`)
} finally {
  rmSync(folder, { recursive: true, force: true })
}
