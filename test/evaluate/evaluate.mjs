/**
 * Judges every capture of a labelled folder and says what was found, missed and wrongly raised.
 *
 *   npm run evaluate -- FOLDER [--only PART-OF-PATH] [--json FILE] [--seconds PER-CAPTURE]
 *
 * Markdown on standard output, JSON into a file when asked; progress on standard error.
 */
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { buildEntry } from '../bench/build-entry.mjs'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    only: { type: 'string', default: '' },
    json: { type: 'string', default: '' },
    seconds: { type: 'string', default: '60' },
  },
})
if (positionals.length !== 1) {
  process.stderr.write('usage: npm run evaluate -- FOLDER [--only PART-OF-PATH] [--json FILE] [--seconds PER-CAPTURE]\n')
  process.exit(2)
}
const { evaluate, evaluationText } = await buildEntry('evaluate-entry.ts', fileURLToPath(new URL('.', import.meta.url)))
const evaluation = await evaluate({
  folder: positionals[0],
  timeLimitMs: Number(values.seconds) * 1000,
  only: values.only,
  onCapture: (done, total) => {
    if (done % 50 === 0 || done === total) process.stderr.write(`${done} of ${total} captures\n`)
  },
})
if (values.json !== '') writeFileSync(values.json, `${JSON.stringify(evaluation, null, 1)}\n`)
process.stdout.write(evaluationText(evaluation))
