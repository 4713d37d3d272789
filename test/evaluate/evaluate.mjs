/**
 * Judges every capture of a labelled folder and says what was found, missed and wrongly raised.
 *
 *   npm run evaluate -- FOLDER [--variations [--benign]] [--only PART-OF-PATH] [--json FILE] [--seconds PER-CAPTURE]
 *
 * Markdown on standard output, JSON into a file when asked; progress on standard error.
 */
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { buildEntry } from '../bench/build-entry.mjs'

const USAGE = 'FOLDER [--variations [--benign]] [--only PART-OF-PATH] [--json FILE] [--seconds PER-CAPTURE]'
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    only: { type: 'string', default: '' },
    json: { type: 'string', default: '' },
    seconds: { type: 'string', default: '60' },
    variations: { type: 'boolean', default: false },
    benign: { type: 'boolean', default: false },
  },
})
if (positionals.length !== 1) {
  process.stderr.write(`usage: npm run evaluate -- ${USAGE}\n`)
  process.exit(2)
}
const { evaluate, evaluateVariations, evaluationText, variationsText } = await buildEntry(
  'evaluate-entry.ts',
  fileURLToPath(new URL('.', import.meta.url)),
)
const options = {
  folder: positionals[0],
  ownFolder: fileURLToPath(new URL('../../pcaps', import.meta.url)),
  timeLimitMs: Number(values.seconds) * 1000,
  only: values.only,
  isBenignVaried: values.benign,
  onCapture: (done, total) => {
    if (done % (values.variations ? 5 : 50) === 0 || done === total) process.stderr.write(`${done} of ${total} captures\n`)
  },
}
const result = values.variations ? await evaluateVariations(options) : await evaluate(options)
if (values.json !== '') writeFileSync(values.json, `${JSON.stringify(result, null, 1)}\n`)
process.stdout.write(values.variations ? variationsText(result) : evaluationText(result))
