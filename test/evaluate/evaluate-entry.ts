/** What `npm run evaluate` runs, built as the sensor is built. */
export { evaluate, evaluateVariations } from './evaluation.ts'
export { evaluationText } from './evaluation-text.ts'
export { variationsText } from './variations-text.ts'
