/** The README shows what the program prints: the alerts of the bundled capture, the commands that there are. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { loadConfig } from '../src/config.ts'
import { SILENT } from '../src/progress.ts'
import { replay } from '../src/sensor.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const readme = readFileSync(join(root, 'README.md'), 'utf8')

test('the alerts, flows and packets of the bundled capture', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'flowscribe-readme-'))
  const told: string[] = []
  const progress = { ...SILENT, alert: (line: string) => void told.push(line.replace(folder, 'flowscribe-out')) }
  const { signal } = new AbortController()
  try {
    const capture = join(root, 'pcaps', 'office-incident.pcap.gz')
    const summary = await replay({ inputs: [capture], outputDir: folder, config: loadConfig({}), progress, signal })
    expect(readme.split('\n').filter((line) => /^[a-z0-9]+\.[a-z]+ {2}/.test(line))).toEqual(told)
    expect(readme).toContain(
      `packets      ${summary.packets.toLocaleString('en')} (${summary.bytes.toLocaleString('en')} bytes on the wire)`,
    )
    expect(readme).toContain(`flows        ${summary.flows.toLocaleString('en')}\n`)
  } finally {
    rmSync(folder, { recursive: true })
  }
}, 60_000)

test('every command and every script that it names is there', () => {
  const commands = readFileSync(join(root, 'src', 'commands', 'commands.ts'), 'utf8')
  for (const [, name] of readme.matchAll(/^npm start -- ([a-z-]+)/gm)) {
    if (!name.startsWith('-')) expect(commands, name).toContain(name)
  }
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { scripts: Record<string, string> }
  for (const [, name] of readme.matchAll(/`npm run ([a-z:-]+)/g)) expect(Object.keys(manifest.scripts)).toContain(name)
})
