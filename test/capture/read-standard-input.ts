/** A program for a test: reads a capture from standard input and says what it read, as JSON. */
import { openCapture } from '../../src/capture/open.ts'
import { recordsOf } from './records.ts'

const { reader } = await openCapture('-')
const lens: number[] = []
for (let slab = await reader.next(); slab !== null; slab = await reader.next()) lens.push(...recordsOf(slab).map((r) => r.capLen))
process.stdout.write(JSON.stringify({ lens, damage: reader.damage }))
