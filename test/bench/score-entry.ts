/** What the scoring benchmark measures, built as the sensor is built. */
import '../../src/tuning.ts'

export { NetworkSet } from '../../src/base/address.ts'
export { Analyst } from '../../src/score/analyst.ts'
export { defaultScoreOptions } from '../../src/score/options.ts'
