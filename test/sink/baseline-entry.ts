/** What write-forever.mjs needs of the program. */
export { writeBaseline } from '../../src/sink/baseline-file.ts'
