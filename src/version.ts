/**
 * The version that --version, alerts and reports name.
 *
 * In:  package.json, which lies one folder above both src/ and dist/. Out: its version.
 */
import { readFileSync } from 'node:fs'

function readVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
  return typeof manifest === 'object' && manifest !== null && 'version' in manifest ? String(manifest.version) : 'unknown'
}

export const VERSION = readVersion()
