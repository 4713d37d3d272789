/** Writes one baseline over and over, until it is killed: source and target as arguments. */
import { readFileSync } from 'node:fs'
import { buildEntry } from '../bench/build-entry.mjs'

const { writeBaseline } = await buildEntry('baseline-entry.ts', import.meta.dirname)
const bytes = readFileSync(process.argv[2])
process.stdout.write('begins\n')
for (;;) writeBaseline(process.argv[3], bytes)
