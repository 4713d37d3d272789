/**
 * How flow records of other tools are read.
 *
 * Out: the option table of the configuration's section `records`.
 */
import type { OptionTable } from '../../base/option.ts'

export const RECORD_OPTIONS = {
  held_max: {
    kind: 'integer',
    default: 16_384,
    min: 16,
    max: 4_194_304,
    unit: 'flows',
    comment: 'Flow records held back to put them in the order of their ends and to find their other halves, about 1.5 kB each.',
  },
  sampling: {
    kind: 'integer',
    default: 1,
    min: 1,
    max: 1_000_000,
    unit: 'packets',
    comment:
      'One packet in so many was metered, where the records do not say it themselves. Volumes are scaled by it; scans, logins and beacons are then not judged.',
  },
} as const satisfies OptionTable
