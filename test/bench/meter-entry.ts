/** What the metering benchmark measures, built as the sensor is built. */
import '../../src/tuning.ts'

export { defaultsOf } from '../../src/base/option.ts'
export { tableLimits } from '../../src/flow/limits.ts'
export { Meter } from '../../src/flow/meter.ts'
export { FLOW_OPTIONS } from '../../src/flow/options.ts'
export { END_REASONS, ROW_BYTES } from '../../src/flow/row.ts'
