/** What `npm run evaluate` runs, built as the sensor is built. */
export { evaluate } from './evaluation.ts'
export { evaluationText } from './evaluation-text.ts'
