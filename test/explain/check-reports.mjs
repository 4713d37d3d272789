/**
 * Holds the reports of captures to what every report must be: whole, verified, its pictures rendering, and no digit changed unnoticed.
 *
 *   npm run check-reports -- [FOLDER…]      captures of pcaps/, and of each FOLDER the attacks of its labels.tsv
 *
 * Exit code 1 when there is a fault. A report that costs 50 ms of processor time or more is one.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { buildEntry } from '../bench/build-entry.mjs'

const COST_MS_MAX = 50
const root = fileURLToPath(new URL('../..', import.meta.url))
const { checkReports } = await buildEntry('check-reports-entry.ts', fileURLToPath(new URL('.', import.meta.url)), true)

/** The table's columns: file, class, …. */
function attacksOf(folder) {
  const rows = readFileSync(join(folder, 'labels.tsv'), 'utf8').split('\n').slice(1)
  return rows
    .map((row) => row.split('\t'))
    .filter(([file, kind]) => file && kind === 'attack' && existsSync(join(folder, file)))
    .map(([file]) => join(folder, file))
}

const own = readdirSync(join(root, 'pcaps')).filter((name) => /\.pcap(\.gz)?$/.test(name))
const paths = [...own.map((name) => join(root, 'pcaps', name)), ...process.argv.slice(2).flatMap(attacksOf)]
let faults = 0
let alerts = 0
let digits = 0
let dearestMs = 0
const met = new Set()
for (const path of paths) {
  const checked = await checkReports(path)
  alerts += checked.alerts
  digits += checked.digits
  dearestMs = Math.max(dearestMs, checked.dearestMs)
  for (const name of checked.met) met.add(name)
  const all = [...new Set(checked.faults)]
  if (checked.dearestMs >= COST_MS_MAX) all.push(`a report took ${checked.dearestMs.toFixed(1)} ms of processor time`)
  faults += all.length
  const outcome = all.length === 0 ? 'whole' : `${all.length} faults`
  process.stdout.write(`${path}: ${checked.alerts} reports, dearest ${checked.dearestMs.toFixed(1)} ms, ${outcome}\n`)
  for (const fault of all.slice(0, 20)) process.stdout.write(`  ${fault}\n`)
}
process.stdout.write(
  `${paths.length} captures, ${alerts} reports, ${digits} digits changed, ${faults} faults, dearest ${dearestMs.toFixed(1)} ms; met: ${[...met].sort().join(', ')}\n`,
)
process.exitCode = faults === 0 ? 0 : 1
