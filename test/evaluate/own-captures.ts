/**
 * The captures of our own making in pcaps/, with what their manifest demands of them, as labels.
 *
 * In:  the manifest. Out: a label a demand, or one that wants silence. A victim is an address or a network.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Label } from './labels.ts'
import { parseParty } from './labels.ts'

interface ManifestRow {
  file: string
  mustAlert: { kind: string; actor: string; victim: string }[]
  mustNotAlert: boolean
}

/** @param folder where the manifest lies. Files of the labels are relative to it. */
export function readOwnLabels(folder: string): Label[] {
  const manifest = JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8')) as ManifestRow[]
  return manifest.flatMap(({ file, mustAlert, mustNotAlert }): Label[] => {
    const common = { file, category: 'own', howSure: 'yes' as const }
    if (mustNotAlert) return [{ ...common, class: 'benign', expect: [], mustBeQuiet: true, actor: [], victim: [] }]
    return mustAlert.map(({ kind, actor, victim }) => ({
      ...common,
      class: 'attack',
      expect: [kind],
      mustBeQuiet: false,
      actor: parseParty(actor),
      victim: parseParty(victim),
    }))
  })
}
